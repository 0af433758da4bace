import type { Connection } from "../../components/service/plan/connections.ts";
import type { SandboxStack } from "./stack.ts";

/**
 * Run on the server, as root: from the network namespace of each container, tries every port of every address of every
 * other one at once; prints who got through. Also prints the ports that each container listens on beyond 127.0.0.0/8.
 */
const PROBE = `
import json, os, re, selectors, socket, subprocess, sys, time
ports = json.loads(sys.argv[1])
def out(*argv, say=""):
    done = subprocess.run(argv, input=say, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else sys.exit(done.stderr[-500:])
seen = json.loads(out("docker", "inspect", *out("docker", "ps", "-q").split()))
boxes = {b["Name"][1:]: (b["State"]["Pid"], [n["IPAddress"] for n in b["NetworkSettings"]["Networks"].values()]) for b in seen}
def listening(pid):
    found = set()
    for name in ("tcp", "tcp6"):
        for line in open(f"/proc/{pid}/net/{name}").read().splitlines()[1:]:
            words = line.split()
            address, port = words[1].split(":")
            if words[3] == "0A" and not address.endswith("7F") and address != "0" * 24 + "01000000": found.add(int(port, 16))
    return sorted(found)
def probe(targets):
    chooser, through = selectors.DefaultSelector(), []
    for to, ip, port in targets:
        s = socket.socket(); s.setblocking(False)
        s.connect_ex((ip, port)); chooser.register(s, selectors.EVENT_WRITE, (to, port))
    end = time.monotonic() + 2
    while chooser.get_map() and time.monotonic() < end:
        for key, _ in chooser.select(0.2):
            if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0: through.append(key.data)
            chooser.unregister(key.fileobj); key.fileobj.close()
    return through
if not ports:
    print(json.dumps(probe(json.load(sys.stdin))))
else:
    down = [name for name, (pid, _) in boxes.items() if not pid]
    if down: sys.exit("not running: " + " ".join(down))
    result = []
    for name, (pid, _) in boxes.items():
        targets = [(to, ip, port) for to, (_, ips) in boxes.items() if to != name for ip in ips for port in ports]
        said = out("nsenter", "-t", str(pid), "-n", "python3", "-c", os.environ["PROBE"], "[]", say=json.dumps(targets))
        result += [[name, to, port] for to, port in json.loads(said)]
    print(json.dumps({"through": result, "listening": {name: listening(pid) for name, (pid, _) in boxes.items()}}))
`;

export interface Reached {
  readonly connections: readonly Connection[];
  /** Ports by container. */
  readonly listening: Readonly<Record<string, readonly number[]>>;
}

/** Who reaches whom, tried from every container at every one of these ports. */
export async function tryConnections(stack: SandboxStack, ports: readonly number[]): Promise<Reached> {
  const script = Buffer.from(PROBE).toString("base64");
  const said = await stack.onServer(
    `export PROBE="$(echo ${script} | base64 -d)"; python3 -c "$PROBE" '${JSON.stringify(ports)}'`,
  );
  const { through, listening } = JSON.parse(said) as {
    through: [string, string, number][];
    listening: Record<string, number[]>;
  };
  const unique = new Map(through.map(([from, to, port]) => [`${from} ${to} ${port}`, { from, to, port }]));
  return { connections: [...unique.values()], listening };
}

export const asLines = (connections: readonly Connection[]): string[] =>
  connections.map(({ from, to, port }) => `${from} → ${to}:${port}`).toSorted();

import { access, readFile } from "node:fs/promises";
import { run } from "../../../shared/exec.ts";
import { instanceOf } from "../../../sandbox/supervisor/instance.ts";

const printed = async (program: string, args: readonly string[]): Promise<string> => (await run(program, args)).stdout;

/** Every line that this machine shows of an instance: Docker's objects, rules, links, mounts, processes, files. */
export async function traces(name: string): Promise<readonly string[]> {
  const instance = instanceOf(name);
  const listings = await Promise.all([
    printed("docker", ["ps", "-a", "--no-trunc", "--format", "container {{.Names}} {{.Labels}}"]),
    printed("docker", ["volume", "ls", "--format", "volume {{.Name}} {{.Labels}}"]),
    printed("docker", ["network", "ls", "--format", "network {{.Name}} {{.Labels}}"]),
    printed("docker", ["images", "-a", "--format", "image {{.Repository}}:{{.Tag}}"]),
    printed("iptables-save", []),
    printed("ip", ["-brief", "link"]),
    // Without the name that is looked for: `ps` would list this very command.
    printed("find", ["/sys/fs/cgroup", "-maxdepth", "3", "-name", "docker", "-prune", "-o", "-print"]),
    printed("ps", ["-eo", "pid,args"]),
    readFile("/proc/mounts", "utf8"),
  ]);
  const marks = [instance.prefix, instance.label, instance.chain, instance.bridge, instance.dir];
  const lines = listings.join("\n").split("\n");
  const found = lines.filter(
    (line) => marks.some((mark) => line.includes(mark)) || line.endsWith(`supervisor.ts ${name}`),
  );
  const folder = await access(instance.dir).then(
    () => [instance.dir],
    () => [],
  );
  return [...found, ...folder];
}

import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer, LIGHT } from "../support/converged.ts";
import { LIGHT_SERVICES } from "../support/core.ts";
import type { SandboxStack } from "../support/stack.ts";

// What is changed on the server by hand is found by `drift` and repaired by `up`, and nothing else is touched. Each test
// takes a converged server without the products that are slow to start; what only ends in ruins comes last.

const MINUTE = 60_000;
const STACK = ["--stack", "sandbox"];
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;

beforeAll(async () => {
  server = await ConvergedServer.open(LIGHT);
  ({ checkout, stack } = server);
}, 30 * MINUTE);

beforeEach(() => server.resetUnlessHealthy(), 5 * MINUTE);

afterAll(() => server.close());

interface Found {
  readonly exitCode: number | undefined;
  /** `resource: actual`. */
  readonly drift: string[];
}

async function drift(): Promise<Found> {
  const { exitCode, output } = await checkout.vpai(["drift", ...STACK, "--json"]);
  try {
    const report = JSON.parse(output) as { drift: { resource: string; actual: string }[] };
    return { exitCode, drift: report.drift.map(({ resource, actual }) => `${resource}: ${actual}`).toSorted() };
  } catch (error) {
    throw new Error(`vpai drift ended with ${exitCode}, not with JSON:\n${output}`, { cause: error });
  }
}

const CLEAN: Found = { exitCode: 0, drift: [] };

test(
  "ten inspections of a clean server find nothing and change nothing",
  async () => {
    const before = await stack.containers();
    for (let round = 1; round <= 10; round += 1) expect({ round, ...(await drift()) }).toEqual({ round, ...CLEAN });
    expect(await stack.containers()).toEqual(before);
  },
  5 * MINUTE,
);

/** One kind of change by hand, and how it is reported. Some are reported in several lines. */
interface ByHand {
  readonly line: string;
  readonly found: readonly RegExp[];
}

const psql = (sql: string): string => `docker exec postgresql psql --username postgres --quiet --command "${sql}"`;
const changed = (line: string, ...found: readonly RegExp[]): ByHand => ({ line, found });

/** Not on one container twice, so that each is seen by itself. */
const BY_HAND: readonly ByHand[] = [
  // Containers.
  changed("docker pause diun", /^container diun: paused$/),
  changed("docker stop --time 5 grafana", /^container grafana: exited/),
  changed("docker kill node-exporter", /^container node-exporter: exited \(exit code 137\)$/),
  changed(
    "image=$(docker inspect --format '{{.Image}}' redis-exporter); docker rm --force redis-exporter; docker rmi --force $image",
    /^container redis-exporter: not found$/,
    /^image of redis-exporter: not found$/,
  ),
  changed("docker rename victoriametrics metrics", /^container victoriametrics: renamed to metrics$/),
  changed(
    "docker run --detach --name stray --label vpai.service=stray --entrypoint sleep $(docker inspect --format '{{.Image}}' redis) 3600",
    /^container stray: \S+, with the label vpai.service=stray$/,
  ),
  changed(
    "docker update --memory 200m --memory-swap 200m loki",
    /^memory limit of container loki: 200 MB$/,
    /^memory and swap limit of container loki: 200 MB$/,
  ),
  changed("docker update --pids-limit 1000 qdrant", /^process limit of container qdrant: 1000$/),
  changed("docker update --cpus 0.25 cadvisor", /^CPU limit of container cadvisor: 0.25$/),
  changed("docker update --restart no caddy", /^restart policy of container caddy: no$/),
  // Networks.
  changed("docker network disconnect monitoring postgres-exporter", /^networks of container postgres-exporter: /),
  changed(
    'for each in $(docker network inspect --format "{{range \\$id, \\$each := .Containers}}{{\\$id}} {{end}}" socket); do docker network disconnect --force socket "$each"; done; docker network rm socket',
    /^network socket: not found$/,
    /^networks of container alloy: /,
    /^networks of container socket-proxy: none$/,
  ),
  changed("docker network connect frontend redis", /^networks of container redis: .*frontend/),
  // Files of services.
  changed("echo '# by hand' >> /opt/vpai/config/caddy/Caddyfile", /^file \S+\/caddy\/Caddyfile: sha256 \S+: edited$/),
  changed("rm /opt/vpai/config/diun/images.yml", /^file \S+\/diun\/images.yml: not found$/),
  changed(
    "mv /opt/vpai/config/diun/diun.yml /tmp/; ln -s /tmp/diun.yml /opt/vpai/config/diun/diun.yml",
    /^file \S+\/diun\/diun.yml: /,
  ),
  changed("chmod 0666 /opt/vpai/config/loki/loki.yaml", /^file \S+\/loki\/loki.yaml: mode 0666, owner /),
  changed("chown 1234:1234 /opt/vpai/config/qdrant/qdrant.yaml", /^file \S+\/qdrant.yaml: mode \d+, owner 1234:1234$/),
  changed("touch /opt/vpai/config/redis/extra", /^file \S+\/redis\/extra: a file$/),
  changed(
    "mkdir /opt/vpai/config/grafana/extra; touch /opt/vpai/config/grafana/extra/file",
    /^file \S+\/grafana\/extra\/file: a file$/,
  ),
  changed("rm --recursive /opt/vpai/config/alloy", /^folder \/opt\/vpai\/config\/alloy: not found$/),
  changed("chmod 0777 /opt/vpai/data/qdrant/storage", /^data \S+\/qdrant\/storage: mode 0777, owner /),
  changed("chown 1234:1234 /opt/vpai/data/diun", /^data \S+\/data\/diun: mode \d+, owner 1234:1234$/),
  // What was set in services.
  changed(psql("alter role postgres_exporter createdb"), /^role postgres_exporter: login, createdb, /),
  changed(psql("alter database postgres_exporter owner to postgres"), /^database postgres_exporter: owner postgres$/),
  changed(
    "docker exec postgresql psql --username postgres --dbname postgres_exporter --quiet --command 'alter schema public owner to postgres'",
    /^schema public of database postgres_exporter: owner postgres$/,
  ),
  changed(psql("alter role postgres_exporter password 'by hand'"), /^password of role postgres_exporter: \w+$/),
  // The host.
  changed("rm /usr/local/lib/vpai/gate", /^file \/usr\/local\/lib\/vpai\/gate: not found$/),
  changed("echo '# by hand' >> /usr/local/lib/vpai/files", /^file \/usr\/local\/lib\/vpai\/files: sha256 \S+: edited$/),
  changed(
    "chmod 0755 /usr/local/lib/vpai/provision; chmod 0700 /usr/local/lib/vpai/provision",
    /^file \S+\/provision: mode 0700, /,
  ),
  changed("rm /opt/vpai/host/sshd.conf", /^file \/opt\/vpai\/host\/sshd.conf: not found$/),
  changed("chmod 0400 /etc/sudoers.d/vpai", /^file \/etc\/sudoers.d\/vpai: mode 0400, /),
  changed(
    "echo '# by hand' >> /home/deploy/.ssh/authorized_keys",
    /^file \/home\/deploy\/.ssh\/authorized_keys: sha256 \S+: edited$/,
  ),
  changed("gpasswd --delete deploy docker", /^user deploy: not a member of docker$/),
  changed("systemctl disable docker", /^unit docker: disabled, active$/),
  changed("dpkg --remove --force-depends tini", /^package tini: /),
  changed(
    "sed -i 's/^MaxSessions .*/MaxSessions 3/' /etc/ssh/sshd_config.d/10-vpai.conf",
    /^file \/etc\/ssh\/sshd_config.d\/10-vpai.conf: sha256 \S+: edited$/,
    /^sshd setting maxsessions: 3$/,
  ),
  changed(
    "rm /etc/ssh/sshd_config.d/10-vpai-logins.conf",
    /^file \/etc\/ssh\/sshd_config.d\/10-vpai-logins.conf: not found$/,
  ),
  changed("systemctl disable vpai-firewall", /^unit vpai-firewall: disabled, active$/),
  changed("nft insert rule inet vpai input tcp dport 9999 accept", /^firewall of the server: changed by hand$/),
  changed("echo other > /var/lib/vpai/bootstrap", /^file \/var\/lib\/vpai\/bootstrap: sha256 \S+: edited$/),
  changed(
    "systemd-run --quiet --unit by-hand python3 -m http.server 8099",
    /^port 8099\/tcp: open, by process python3/,
  ),
];

/** Lines that no pattern matches, and patterns that no line matches. */
function unexplained(lines: readonly string[], patterns: readonly RegExp[]): string[] {
  return [
    ...lines.filter((line) => !patterns.some((pattern) => pattern.test(line))),
    ...patterns
      .filter((pattern) => !lines.some((line) => pattern.test(line)))
      .map((pattern) => `no line is ${pattern}`),
  ];
}

test(
  `${BY_HAND.length} kinds of changes by hand at once are all found, and one \`up\` repairs them and touches nothing else`,
  async () => {
    const before = await stack.containers();
    await stack.onServer(`set -e\n${BY_HAND.map(({ line }) => `{ ${line}; } > /dev/null`).join("\n")}`);
    const found = await drift();
    expect(
      unexplained(
        found.drift,
        BY_HAND.flatMap((each) => each.found),
      ),
    ).toEqual([]);
    expect(found.exitCode).toBe(2);
    const output = await checkout.expectVpai(["up", ...STACK]);
    expect(output).toContain(" differences repaired:\n");
    expect(output).toContain("  container redis-exporter (not found): created\n");
    // What is not ours is reported and left.
    expect(await drift()).toEqual({ exitCode: 2, drift: [expect.stringMatching(/^port 8099\/tcp: /)] });
    await stack.onServer("systemctl stop by-hand");
    expect(await drift()).toEqual(CLEAN);
    const after = await stack.containers();
    expect(Object.keys(after).toSorted()).toEqual(LIGHT_SERVICES);
    expect(LIGHT_SERVICES.filter((name) => after[name] === before[name])).toEqual(
      expect.arrayContaining(["caddy", "grafana", "loki", "node-exporter", "postgresql", "qdrant", "victoriametrics"]),
    );
    expect(await stack.healthy()).toEqual(LIGHT_SERVICES);
    expect(await checkout.expectVpai(["up", ...STACK])).toContain("no changes");
  },
  8 * MINUTE,
);

test(
  "a server that is off is found at once, and `up` powers it on and waits for every service",
  async () => {
    const before = await stack.containers();
    await checkout.expectVpai(["sandbox", "power-cut", "vpai-sandbox"]);
    expect(await drift()).toEqual({ exitCode: 2, drift: ["server vpai-sandbox: off"] });
    const output = await checkout.expectVpai(["up", ...STACK]);
    expect(output).toContain("  server vpai-sandbox (off): powered on\n");
    expect(await stack.containers()).toEqual(before);
    await stack.untilHealthy();
    expect(await stack.healthy()).toEqual(LIGHT_SERVICES);
  },
  5 * MINUTE,
);

test(
  "lost data stops the run before it changes anything, and the error says how to go on",
  async () => {
    const before = await stack.containers();
    await stack.onServer("mv /opt/vpai/data/qdrant /opt/vpai/data/elsewhere; docker stop --time 5 grafana > /dev/null");
    const { exitCode, output } = await checkout.vpai(["up", ...STACK]);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/^data \/opt\/vpai\/data\/qdrant\S*: not found$/m);
    expect(output).toContain("`./vpai up --skip-inspect --stack sandbox -- --replace '**::qdrant-files'");
    const { grafana: _stopped, ...rest } = before;
    expect(await stack.containers()).toEqual(rest);
  },
  3 * MINUTE,
);

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { run } from "../../shared/exec.ts";
import { ConvergedServer, LIGHT } from "../support/converged.ts";
import { ask } from "../support/https.ts";
import { Laptop } from "../support/laptop.ts";
import type { SandboxStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

// The stack's own VPN: the real Headscale on the server, the real tailscaled there and on a laptop outside.

const MINUTE = 60_000;
const STACK = ["--stack", "sandbox"];
const SERVER = "100.64.0.1";
let server: ConvergedServer;
let stack: SandboxStack;
let laptop: Laptop;
const GRAFANA = "grafana.vpai.localhost";

const vpai = (...args: readonly string[]): Promise<string> => server.checkout.expectVpai([...args, ...STACK]);
const answers = (wanted: RegExp, withinMs = MINUTE): Promise<string> =>
  until(`${GRAFANA} from the laptop`, withinMs, async () => {
    const seen = await laptop.get(GRAFANA, "/api/health");
    if (!wanted.test(seen)) throw new Error(seen);
    return seen;
  });

beforeAll(async () => {
  server = await ConvergedServer.open(LIGHT);
  ({ stack } = server);
  // The ranges of this machine, which has no VPN otherwise.
  await server.checkout.edit("Pulumi.sandbox.yaml", (text) =>
    text.replace(/\n {2}vpai:vpnCidrs: .*/, "\n  vpai:vpn: { host: true }"),
  );
  // `up` does not publish images that the sandbox has not had before.
  await server.checkout.expectVpai(["start"]);
  laptop = await Laptop.start(stack);
  await laptop.join(await vpai("vpn", "add", "laptop"));
}, 30 * MINUTE);

afterAll(async () => {
  await laptop?.remove();
  server?.close();
}, MINUTE);

test(
  "a member opens an admin host by its name, at the server's address in the VPN; everybody else gets 403",
  async () => {
    // The first packets may wait for the relay, which the sandbox's server does not reach.
    expect(await answers(/^200/, 3 * MINUTE)).toBe(`200 from ${SERVER}`);
    const { port } = await stack.world();
    expect((await ask({ port, host: GRAFANA, path: "/api/health" })).status).toBe(403);
    // The laptop too, beside the tunnel.
    const address = await stack.serverAddress();
    expect(
      await laptop.run(
        `curl -sk -o /dev/null -w '%{http_code}' --resolve grafana.vpai.localhost:443:${address} https://grafana.vpai.localhost/`,
      ),
    ).toBe("403");
  },
  5 * MINUTE,
);

test(
  "the laptop reaches sshd in the VPN, and asks its own resolver for every other name; the server reaches no laptop",
  async () => {
    expect(await laptop.run(`bash -c 'head -c 7 < /dev/tcp/${SERVER}/2222'`)).toBe("SSH-2.0");
    const asked = await laptop.run("/opt/tailscale/tailscale dns query example.com 2>&1 || true");
    expect(asked).toContain("127.0.0.11");
    await laptop.run("bash -c 'exec 5<>/dev/null; nohup python3 -m http.server 8000 >/dev/null 2>&1 &'");
    const member = await laptop.run("/opt/tailscale/tailscale ip -4");
    await until("the laptop's own server", 10_000, () => laptop.run("curl -sf -o /dev/null http://127.0.0.1:8000"));
    expect(await stack.onServer(`curl -s -m 5 http://${member.trim()}:8000 || echo refused`)).toBe("refused");
  },
  2 * MINUTE,
);

test(
  "the next run changes nothing, and nothing has drifted",
  async () => {
    expect(await vpai("up", "--full-run")).toMatch(/ 0 created|unchanged/);
    expect(await vpai("drift")).toContain("no drift");
  },
  5 * MINUTE,
);

test(
  "who fails to log in too often, or is refused too often, is kept out on every port; the VPN stays the way in",
  async () => {
    const address = await stack.serverAddress();
    const closed = (within: number): Promise<string> =>
      until("the laptop's address is banned", within, async () => {
        const said = await laptop.run(`bash -c ': < /dev/tcp/${address}/2222' 2>&1 || true`);
        if (!said.includes("No route to host")) throw new Error(said || "it gets in");
        return said;
      });
    const attacks = {
      sshd: `for i in $(seq 9); do ssh -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=no root@${address} 2>&1; done | tail -n 1; true`,
      "vpai-caddy": `curl -sk -o /dev/null --resolve ${GRAFANA}:443:${address} "https://${GRAFANA}/?[1-101]"`,
    };
    for (const [jail, attack] of Object.entries(attacks)) {
      await laptop.run(attack);
      await closed(10_000);
      expect(await stack.onServer(`fail2ban-client status ${jail}`)).toMatch(/Currently banned:\s+1\n/);
      expect(await laptop.run(`curl -sk -m 5 https://${address} 2>&1; echo $?`)).toMatch(/\b7\s*$/);
      await answers(/^200/);
      await stack.onServer("fail2ban-client unban --all");
    }
    await laptop.run(attacks.sshd.replaceAll(address, SERVER));
    await answers(/^200/);
    expect(await stack.onServer("fail2ban-client status sshd")).toMatch(/Currently banned:\s+0\n/);
  },
  3 * MINUTE,
);

test(
  "a machine that is removed is out, and comes back with a new key alone",
  async () => {
    expect(await vpai("vpn", "list")).toMatch(/^laptop +100\.64\.0\.\d+ +owner/m);
    await vpai("vpn", "remove", "laptop");
    expect(await vpai("vpn", "list")).not.toContain("laptop");
    await answers(/^none|^403/);
    await laptop.join(await vpai("vpn", "add", "laptop"));
    await answers(/^200/);
    const again = await server.checkout.vpai(["vpn", "add", "laptop", ...STACK]);
    expect(again.output).toContain("a machine called laptop is a member already");
  },
  4 * MINUTE,
);

test(
  "after a reboot the server is the same member, and sees a member's own address",
  async () => {
    await run("docker", ["restart", await stack.serverContainer()]);
    await stack.untilHealthy();
    expect(await answers(/^200/, 2 * MINUTE)).toBe(`200 from ${SERVER}`);
    expect(await vpai("vpn", "list")).toMatch(/^vpai +100\.64\.0\.1 +tag:server +yes/m);
  },
  8 * MINUTE,
);

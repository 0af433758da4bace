import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../shared/exec.ts";
import type { Checkout } from "./checkout.ts";
import { until } from "./until.ts";

/** How long the slowest product may take after a boot, beside all others. */
const HEALTHY_MS = 5 * 60_000;

/** What the engine's state says of one resource. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
}

/** What all things at Hetzner have. */
export interface HetznerThing {
  readonly id: number;
  readonly name: string;
  /** Of addresses: whether it goes with its server. */
  readonly auto_delete?: boolean;
  /** What Hetzner itself refuses to do with it. */
  readonly protection?: { readonly delete: boolean; readonly rebuild?: boolean };
}

/** A question to a service inside. */
export interface Inside {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

export interface InsideAnswer {
  readonly status: number;
  readonly body: string;
}

/** A checkout's sandbox stack, looked at from outside. */
export class SandboxStack {
  readonly checkout: Checkout;
  #env: Record<string, string> | undefined;

  constructor(checkout: Checkout) {
    this.checkout = checkout;
  }

  /** The environment that `npm run -s sandbox:env` prints: with it the plain engine and foreign clients work. */
  async env(): Promise<Record<string, string>> {
    this.#env ??= Object.fromEntries(
      [...(await this.checkout.expectVpai(["sandbox", "env"])).matchAll(/^export ([A-Z_]+)='?(.*?)'?$/gm)].map(
        ([, key, value]) => [key ?? "", value ?? ""],
      ),
    );
    return this.#env;
  }

  /** The plain engine's command line. */
  async pulumi(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const run = await this.checkout.run("pulumi", args, { ...(await this.env()), ...env });
    if (run.exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${run.exitCode}:\n${run.output}`);
    return run.output;
  }

  /** The exported state: its text and its resources. */
  async state(): Promise<{ text: string; resources: StateResource[] }> {
    const text = await this.pulumi(["stack", "export", "--stack", "sandbox"]);
    const { deployment } = JSON.parse(text) as { deployment: { resources?: StateResource[] } };
    return { text, resources: deployment.resources ?? [] };
  }

  async output(name: string): Promise<string> {
    return (await this.pulumi(["stack", "output", name, "--stack", "sandbox", "--show-secrets"])).trim();
  }

  /** Runs a shell line on the server as root, without SSH, so that nothing it counts is changed by asking. */
  async onServer(line: string): Promise<string> {
    const { stdout } = await run("docker", ["exec", await this.serverContainer(), "bash", "-c", line]);
    return stdout;
  }

  /** Asks a service inside its networks, from the server, as a container there would. */
  async inside(service: string, port: number, path: string, ask: Inside = {}): Promise<InsideAnswer> {
    const address = await this.onServer(
      `docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' ${service}`,
    );
    const [ip = ""] = address.trim().split(" ");
    const headers = { "content-type": "application/json", ...ask.headers };
    const words = [
      "curl",
      "-s",
      "-m",
      "30",
      "-w",
      "\\n%{http_code}",
      "-X",
      ask.method ?? "GET",
      ...Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
      ...(ask.json === undefined ? [] : ["-d", JSON.stringify(ask.json)]),
      `http://${ip}:${port}${path}`,
    ];
    const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const said = await this.onServer(line);
    const at = said.lastIndexOf("\n");
    return { status: Number(said.slice(at + 1)), body: said.slice(0, at) };
  }

  /** What the store of metrics or of logs answers to a query; fails unless it answers. */
  async results(store: "metrics" | "logs", expr: string): Promise<unknown[]> {
    const query = encodeURIComponent(expr);
    const { status, body } =
      store === "metrics"
        ? await this.inside("victoriametrics", 8428, `/api/v1/query?query=${query}`)
        : await this.inside("loki", 3100, `/loki/api/v1/query_range?query=${query}`);
    if (status !== 200) throw new Error(`${expr}: ${status} ${body}`);
    return (JSON.parse(body) as { data: { result: unknown[] } }).data.result;
  }

  /** The generated secrets, by name. */
  async secrets(): Promise<Record<string, string>> {
    return JSON.parse(await this.output("secrets")) as Record<string, string>;
  }

  /** The container that stands for the server, on this machine. */
  async serverContainer(): Promise<string> {
    const label = `${createHash("sha256").update(this.checkout.dir).digest("hex").slice(0, 6)}-sandbox`;
    const { stdout } = await run("docker", [
      "ps",
      "--filter",
      `label=vpai.sandbox=${label}`,
      "--filter",
      "label=vpai.server",
      "--format",
      "{{.Names}}",
    ]);
    const names = stdout.split("\n").filter(Boolean);
    if (names.length !== 1)
      throw new Error(`expected one server of this sandbox, found: ${names.join(", ") || "none"}`);
    return names[0] ?? "";
  }

  /** Its address in the sandbox's network. */
  async serverAddress(): Promise<string> {
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    return (await run("docker", ["inspect", "--format", format, await this.serverContainer()])).stdout.trim();
  }

  /** Ids of the running containers on the server, by name. */
  async containers(): Promise<Record<string, string>> {
    const lines = await this.onServer("docker ps --no-trunc --format '{{.Names}} {{.ID}}'");
    return Object.fromEntries(
      lines
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(" ") as [string, string]),
    );
  }

  /** Names of the containers on the server that are healthy. */
  async healthy(): Promise<string[]> {
    const lines = await this.onServer("docker ps --filter health=healthy --format '{{.Names}}'");
    return lines.split("\n").filter(Boolean).toSorted();
  }

  /** Waits until every container on the server is healthy, as after a boot. */
  async untilHealthy(): Promise<void> {
    await until("all containers healthy", HEALTHY_MS, async () => {
      const all = (await this.onServer("docker ps --all --format '{{.Names}}'")).split("\n").filter(Boolean);
      const healthy = await this.healthy();
      const others = all.filter((name) => !healthy.includes(name));
      if (others.length > 0) throw new Error(`not healthy: ${others.join(", ")}`);
      return true;
    });
  }

  /** Logins that the server's sshd has accepted or refused so far. */
  async sshConnections(): Promise<number> {
    return Number(
      await this.onServer(
        "journalctl --no-pager -o cat -t sshd | grep -cE '^(Accepted|Connection (closed|reset)|Invalid user)' || test $? = 1",
      ),
    );
  }

  /** Ends the shared SSH connection, as a minute without use would. */
  async closeSharedConnection(): Promise<void> {
    await this.checkout.run("ssh", ["-F", ".vpai/sandbox/ssh/config", "-O", "exit", "vpai"]);
  }

  /** Everything that the simulated Hetzner holds, as its own API tells. */
  async hetzner(kind: "servers" | "ssh_keys" | "primary_ips" | "firewalls"): Promise<HetznerThing[]> {
    const { HCLOUD_ENDPOINT: endpoint, HCLOUD_TOKEN: token } = await this.env();
    const answer = await fetch(`${endpoint}/${kind}`, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`GET ${kind}: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as Record<string, HetznerThing[]>)[kind] ?? [];
  }

  /** What the world file says. */
  async world(): Promise<{ port: number; gateway: string }> {
    return JSON.parse(await readFile(join(this.checkout.dir, ".vpai/sandbox/world.json"), "utf8")) as {
      port: number;
      gateway: string;
    };
  }
}

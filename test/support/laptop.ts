import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { goFolder } from "../../sandbox/images/busybox.ts";
import { tailscaleProgram } from "../../sandbox/images/tailscale/recipe.ts";
import { LABEL } from "../../sandbox/supervisor/instance.ts";
import { run, RunError } from "../../shared/exec.ts";
import type { SandboxStack } from "./stack.ts";
import { until } from "./until.ts";

const TRUST = "/etc/ssl/certs/edge.crt";
const TAILSCALED = `SSL_CERT_FILE=${TRUST} exec /opt/tailscaled/tailscaled --no-logs-no-support --statedir=/var/lib/laptop`;

const docker = async (...args: readonly string[]): Promise<string> => (await run("docker", args)).stdout;

/**
 * A machine of the owner's in the sandbox's network, with the real tailscaled: to it the server is on the internet. It
 * trusts the edge's own authority. The sandbox's port for browsers is the server's 443 here.
 */
export class Laptop {
  readonly #container: string;

  private constructor(container: string) {
    this.#container = container;
  }

  static async start(stack: SandboxStack): Promise<Laptop> {
    const report = (): undefined => undefined;
    const [daemon, client] = [
      await goFolder(tailscaleProgram("tailscaled"), report),
      await goFolder(tailscaleProgram("tailscale"), report),
    ];
    const server = await stack.serverContainer();
    const [image = "", network = "", address = ""] = (
      await docker(
        "inspect",
        "--format",
        "{{.Config.Image}} {{range $name, $at := .NetworkSettings.Networks}}{{$name}} {{$at.IPAddress}}{{end}}",
        server,
      )
    ).split(" ");
    const certificate = join(stack.checkout.dir, ".vpai/edge.crt");
    const root = "/opt/vpai/data/caddy/data/caddy/pki/authorities/local/root.crt";
    await writeFile(certificate, await stack.onServer(`cat ${root}`));
    const name = `${network}-laptop`;
    const mounts = [`${daemon}:/opt/tailscaled:ro`, `${client}:/opt/tailscale:ro`, `${certificate}:${TRUST}:ro`];
    await docker(
      ...["run", "--detach", "--name", name, "--network", network],
      // A snapshot's image has the labels of the server it was taken of: the laptop would pass for a second server.
      ...["--label", `${LABEL}=laptop`],
      ...["--cap-add", "NET_ADMIN", "--device", "/dev/net/tun"],
      ...mounts.flatMap((mount) => ["--volume", mount]),
      ...["--entrypoint", "/usr/bin/sleep", image, "infinity"],
    );
    const laptop = new Laptop(name);
    const { port } = await stack.world();
    await laptop.run(`echo '${address} vpn.vpai.localhost' >> /etc/hosts`);
    await laptop.run(`iptables -t nat -A OUTPUT -d ${address} -p tcp --dport ${port} -j DNAT --to ${address}:443`);
    await docker("exec", "--detach", name, "sh", "-c", `${TAILSCALED} > /var/log/tailscaled.log 2>&1`);
    await until("tailscaled on the laptop", 20_000, () => laptop.run("/opt/tailscale/tailscale status || test $? = 1"));
    return laptop;
  }

  /** Runs a line of sh as root; answers what it printed. */
  run(line: string): Promise<string> {
    return docker("exec", this.#container, "sh", "-c", line);
  }

  /** Joins as `vpai vpn add` says, word for word. */
  async join(printed: string): Promise<void> {
    const [, words] = /^ {2}2\. sudo tailscale (up .*)$/m.exec(printed) ?? [];
    if (words === undefined) throw new Error(`no line with tailscale up:\n${printed}`);
    await this.run(`/opt/tailscale/tailscale ${words} --timeout=60s --force-reauth`);
  }

  /**
   * The status of a GET by the host's name and the address that answered, such as `200 from 100.64.0.1`; where nothing answers
   * within ten seconds, `none: ` and why. The name is resolved as every program here does: curl has its own idea of `.localhost`.
   */
  async get(host: string, path: string): Promise<string> {
    const line = `at=$(getent ahostsv4 ${host} | head -n 1 | cut -d ' ' -f 1) && test -n "$at" &&
      curl -sS -m 10 --cacert ${TRUST} --resolve ${host}:443:$at -o /dev/null -w '%{http_code} from %{remote_ip}' https://${host}${path}`;
    return this.run(line).catch((error: unknown) => {
      if (error instanceof RunError) return `none: ${error.stderr.trim()}`;
      throw error;
    });
  }

  async remove(): Promise<void> {
    await docker("rm", "--force", "--volumes", this.#container);
  }
}

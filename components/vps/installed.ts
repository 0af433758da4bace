import { type Bootstrap, isHostCommand } from "./bootstrap.ts";
import { DEPLOY_USER } from "./machine.ts";

/** One file that the bootstrap leaves on a machine. */
export interface InstalledFile {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
  /** @default root */
  readonly owner?: string;
}

/** What a machine has after its bootstrap: the same as files/host/bootstrap.sh does, as data to compare with. */
export interface Installed {
  readonly files: readonly InstalledFile[];
  readonly packages: readonly string[];
  /** systemd units that are enabled and active. */
  readonly units: readonly string[];
  /** Effective settings of sshd, in lower case. */
  readonly sshd: Readonly<Record<string, readonly string[]>>;
  /** Settings in /etc/docker/daemon.json, each as JSON; the server's owner may have others there. */
  readonly docker: Readonly<Record<string, string>>;
  readonly user: { readonly name: string; readonly group: string };
}

/** @param script the machine's bootstrap, as `parseBootstrap` reads it */
export function installedBy({ files, sshPorts, deployKey, passwordLogin, hash }: Bootstrap): Installed {
  const sshdConf = files["sshd.conf"] ?? "";
  const logins = passwordLogin ? "" : (files["logins.conf"] ?? "");
  const ports = sshPorts.map((port) => `Port ${port}\n`).join("");
  const commands = Object.entries(files).filter(([name]) => isHostCommand(name));
  return {
    files: [
      ...Object.entries(files).map(([name, content]) => ({ path: `/opt/vpai/host/${name}`, mode: "0644", content })),
      ...commands.map(([name, content]) => ({
        path: `/usr/local/lib/vpai/${name.replace(/\.\w+$/, "")}`,
        mode: "0755",
        content,
      })),
      { path: "/etc/ssh/sshd_config.d/10-vpai.conf", mode: "0644", content: ports + sshdConf },
      ...(logins === "" ? [] : [{ path: "/etc/ssh/sshd_config.d/10-vpai-logins.conf", mode: "0644", content: logins }]),
      {
        path: "/etc/systemd/system/vpai-firewall.service",
        mode: "0644",
        content: files["vpai-firewall.service"] ?? "",
      },
      { path: "/etc/apt/apt.conf.d/52vpai-upgrades", mode: "0644", content: files["upgrades.conf"] ?? "" },
      { path: "/etc/systemd/journald.conf.d/10-vpai.conf", mode: "0644", content: files["journald.conf"] ?? "" },
      { path: "/etc/sudoers.d/vpai", mode: "0440", content: `${DEPLOY_USER} ALL=(ALL) NOPASSWD:ALL\n` },
      {
        path: `/home/${DEPLOY_USER}/.ssh/authorized_keys`,
        mode: "0600",
        content: `${deployKey}\n`,
        owner: DEPLOY_USER,
      },
      { path: "/var/lib/vpai/bootstrap", mode: "0644", content: `${hash}\n` },
    ],
    packages: /wanted="([^"]+)"/.exec(files["bootstrap.sh"] ?? "")?.[1]?.split(" ") ?? [],
    units: ["docker", "ssh", "vpai-firewall"],
    sshd: { port: sshPorts.map(String), ...settingsOf(sshdConf), ...settingsOf(logins) },
    docker: dockerSettings(files["daemon.json"] ?? "{}"),
    user: { name: DEPLOY_USER, group: "docker" },
  };
}

/** As `inspect.py` writes them: keys in order. */
function dockerSettings(text: string): Record<string, string> {
  const inOrder = (_: string, value: unknown): unknown =>
    typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).toSorted()) : value;
  const settings = JSON.parse(text) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, JSON.stringify(value, inOrder)]));
}

function settingsOf(conf: string): Record<string, string[]> {
  const lines = conf.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const [key = "", ...words] = line.split(" ");
      return [key.toLowerCase(), [words.join(" ")]];
    }),
  );
}

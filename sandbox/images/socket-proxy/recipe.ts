import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { debianBase, debianPackages } from "../debian.ts";
import type { Recipe } from "../recipe.ts";

/** What upstream's image sets: the three sections that hardly tell anything are open, all others closed. */
const env = [
  "ALLOW_RESTARTS",
  "ALLOW_START",
  "ALLOW_STOP",
  "AUTH",
  "BUILD",
  "COMMIT",
  "CONFIGS",
  "CONTAINERS",
  "DISABLE_IPV6",
  "DISTRIBUTION",
  "EXEC",
  "GRPC",
  "IMAGES",
  "INFO",
  "NETWORKS",
  "NODES",
  "PLUGINS",
  "POST",
  "SECRETS",
  "SERVICES",
  "SESSION",
  "SWARM",
  "SYSTEM",
  "TASKS",
  "VOLUMES",
].map((name) => `${name}=0`);

/** Debian's HAProxy by the contract of docker-socket-proxy: its variables, its port, and wget, which Alpine has too. */
export const socketProxy: Recipe = {
  name: "socket-proxy",
  repositories: ["ghcr.io/tecnativa/docker-socket-proxy", "docker.io/tecnativa/docker-socket-proxy"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const drop = [/^etc\/(haproxy|passwd|group|shadow|gshadow)/, /^var\/lib\/haproxy/];
    const packages = debianPackages({ name: "socket-proxy", packages: ["haproxy", "wget"], drop }, report);
    return [await debianBase(report), await packages];
  },
  async finish() {
    const read = (name: string): Promise<Buffer> => readFile(join(import.meta.dirname, name));
    return {
      entries: [
        ...["usr", "usr/local", "usr/local/bin", "usr/local/etc", "usr/local/etc/haproxy"].map(
          (path) => ({ kind: "dir", path }) as const,
        ),
        {
          kind: "file",
          path: "usr/local/bin/docker-entrypoint.sh",
          mode: 0o755,
          content: await read("docker-entrypoint.sh"),
        },
        { kind: "file", path: "usr/local/etc/haproxy/haproxy.cfg.template", content: await read("haproxy.cfg") },
      ],
      config: {
        User: "root",
        Env: [...env, "EVENTS=1", "PING=1", "VERSION=1", "LOG_LEVEL=info", "SOCKET_PATH=/var/run/docker.sock"],
        Entrypoint: ["docker-entrypoint.sh"],
        Cmd: ["haproxy", "-f", "/tmp/haproxy.cfg"],
        ExposedPorts: { "2375/tcp": {} },
        StopSignal: "SIGUSR1",
      },
    };
  },
};

import { createHash } from "node:crypto";
import { images } from "../../images.ts";
import type { SecretValues, ServiceDefinition, Size } from "../../service/model/definition.ts";
import type { RedisUser } from "../../service/model/requirements.ts";

const LIMIT_MB: Record<Size, number> = { standard: 384, small: 192 };

/** Two thirds of the limit: a snapshot forks, and the fork's copies count too. */
const config = (size: Size): string => `bind 0.0.0.0
port 6379
aclfile /etc/vpai/users.acl
dir /data
appendonly yes
save 900 1 300 10 60 10000
maxmemory ${Math.floor((LIMIT_MB[size] * 2) / 3)}mb
maxmemory-policy allkeys-lru
`;

/**
 * One account a service, with the keys and commands that it declares; dangerous commands are not renamed but refused
 * (P12). The file holds passwords' hashes alone. `health` and `reload` need no password, so what runs as them carries no
 * secret: one may do nothing but PING, the other nothing but have this very file read again. Nobody else gets in
 * without one.
 */
export function renderAcl(users: readonly RedisUser[], passwords: SecretValues): string {
  const hash = (secret: string): string =>
    createHash("sha256")
      .update(passwords[secret] ?? "")
      .digest("hex");
  return [
    "user default off resetpass resetkeys resetchannels -@all",
    "user health on nopass resetkeys resetchannels -@all +ping",
    "user reload on nopass resetkeys resetchannels -@all +acl|load",
    ...users.map(({ service, secret, keys, rules }) =>
      [`user ${service} on #${hash(secret)} resetchannels`, ...keys.map((key) => `~${key}`), ...rules].join(" "),
    ),
    "",
  ].join("\n");
}

/** Cache. */
export const redis: ServiceDefinition = {
  name: "redis",
  image: images.redis.pin,
  networks: ["backend"],
  port: 6379,
  user: { uid: 999, gid: 999 },
  command: ["redis-server", "/etc/vpai/redis.conf"],
  data: [{ path: "", target: "/data" }],
  configDir: "/etc/vpai",
  files: ({ facts: { redisUsers } }) => [
    { path: "redis.conf", text: ({ size }) => config(size) },
    {
      path: "users.acl",
      live: true,
      secrets: redisUsers.map(({ secret }) => secret),
      render: (values) => renderAcl(redisUsers, values),
    },
  ],
  // All of the file or nothing: a fault in it changes nothing and is told. `-e`: an error is a failure.
  reload: { argv: ["redis-cli", "-e", "--user", "reload", "--pass", "any", "--no-auth-warning", "acl", "load"] },
  health: {
    test: ["CMD-SHELL", "redis-cli --user health --pass any --no-auth-warning ping | grep -qx PONG"],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 30,
    deadlineSeconds: 90,
  },
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m" },
  pids: 64,
  memory: { requestMb: 48, limitMb: LIMIT_MB },
  cpus: 0.5,
  stopGraceSeconds: 30,
  metrics: { none: "redis-exporter asks it and tells" },
  alerts: [],
  dashboards: [],
  backup: { none: "a cache: it fills again" },
  smoke: [
    {
      name: "answers PING",
      exec: ["redis-cli", "--user", "health", "--pass", "any", "--no-auth-warning", "ping"],
      prints: /^PONG$/,
    },
  ],
  upgrade: "A newer version reads an older one's files, not the reverse: to go back, empty /opt/vpai/data/redis first.",
};

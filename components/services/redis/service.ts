import type { CacheUser } from "../../service/model/context.ts";
import type { SecretRef, Reveal, Size } from "../../service/model/facets.ts";
import { defineService, healthCheck, notApplicable } from "../../service/presets/index.ts";
import { createHash } from "node:crypto";
import { images } from "../../images.ts";

/** Twice what Redis may keep: a save copies what changes meanwhile, and clients' buffers come on top. */
const LIMIT_MB: Record<Size, number> = { standard: 512, small: 256 };

/** Two thirds of the limit: a snapshot forks, and the fork's copies count too. */
const config = (size: Size): string => `bind 0.0.0.0
port 6379
aclfile /etc/vpai/users.acl
dir /data
appendonly yes
save 900 1 300 10 60 10000
maxmemory ${LIMIT_MB[size] / 2}mb
maxmemory-policy allkeys-lru
`;

/**
 * One account a service, with the keys and commands that it declares; dangerous commands are not renamed but refused
 * (P12). The file holds passwords' hashes alone. `health` and `reload` need no password, so what runs as them carries no
 * secret: one may do nothing but PING, the other nothing but have this very file read again. All other logins need a password.
 */
export function renderAcl(users: readonly CacheUser[], reveal: Reveal): string {
  const hash = (secret: SecretRef): string => createHash("sha256").update(reveal(secret)).digest("hex");
  return [
    "user default off resetpass resetkeys resetchannels -@all",
    "user health on nopass resetkeys resetchannels -@all +ping",
    "user reload on nopass resetkeys resetchannels -@all +acl|load",
    ...users.map(({ service, password, keys, rules }) =>
      [`user ${service} on #${hash(password)} resetchannels`, ...keys.map((key) => `~${key}`), ...rules].join(" "),
    ),
    "",
  ].join("\n");
}

/** Cache. */
export const redis = defineService({
  name: "redis",
  image: images.redis,
  networks: ["backend"],
  port: 6379,
  provides: "cache",
  user: { uid: 999, gid: 999 },
  command: ["redis-server", "/etc/vpai/redis.conf"],
  data: [{ path: "", target: "/data" }],
  files: [
    { path: "redis.conf", content: ({ size }) => config(size) },
    {
      path: "users.acl",
      live: true,
      content: ({ requirements }, reveal) => renderAcl(requirements.cacheUsers, reveal),
    },
  ],
  // All or nothing: an error in the file changes nothing and is reported. `-e`: an error is a failure.
  reload: { argv: ["redis-cli", "-e", "--user", "reload", "--pass", "any", "--no-auth-warning", "acl", "load"] },
  health: healthCheck(["CMD-SHELL", "redis-cli --user health --pass any --no-auth-warning ping | grep -qx PONG"], {
    startPeriodSeconds: 30,
    deadlineSeconds: 90,
  }),
  pids: 64,
  memory: { requestMb: 48, limitMb: LIMIT_MB },
  cpus: 0.5,
  metrics: notApplicable("redis-exporter exports them"),
  backup: notApplicable("a cache: it fills again"),
  smoke: [
    {
      name: "answers PING",
      exec: ["redis-cli", "--user", "health", "--pass", "any", "--no-auth-warning", "ping"],
      prints: /^PONG$/,
    },
  ],
  upgrade: "A newer version reads an older one's files, not the reverse: to go back, empty /opt/vpai/data/redis first.",
});

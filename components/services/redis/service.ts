import type { CacheUser } from "../../service/model/context.ts";
import type { SecretRef, Reveal, Size } from "../../service/model/facets.ts";
import type { Readback } from "../../service/model/provision.ts";
import { serviceSecrets } from "../../service/model/secrets.ts";
import { defineService, healthCheck, notApplicable } from "../../service/presets/index.ts";
import { createHash } from "node:crypto";
import { images } from "../../images.ts";

/** Twice what Redis may keep: clients' buffers and fragmentation come on top. */
const LIMIT_MB: Record<Size, number> = { standard: 512, small: 256 };

/**
 * It is a cache: nothing is written to disk. After a power cut an append-only file with zeros at its end kept Redis from
 * starting, and on a full disk it refused writes.
 */
const config = (size: Size): string => `bind 0.0.0.0
port 6379
aclfile /etc/vpai/users.acl
dir /data
appendonly no
save ""
maxmemory ${LIMIT_MB[size] / 2}mb
maxmemory-policy allkeys-lru
`;

const secrets = serviceSecrets("redis", { inspect: { permanent: false } });

/**
 * One account a service, with the keys and commands that it declares; dangerous commands are not renamed but refused
 * (P12). The file holds passwords' hashes alone. `health` and `reload` need no password, so what runs as them carries no
 * secret: one may do nothing but PING, the other nothing but have this very file read again. All other logins need a password.
 * `inspect` lists the accounts.
 */
export function renderAcl(users: readonly CacheUser[], reveal: Reveal): string {
  const lines = accounts(users, reveal).map(([name, words]) => `user ${name} ${words.join(" ")}`);
  return [...lines, ""].join("\n");
}

function accounts(users: readonly CacheUser[], reveal: Reveal): [name: string, words: string[]][] {
  const hash = (secret: SecretRef): string => `#${createHash("sha256").update(reveal(secret)).digest("hex")}`;
  return [
    ["default", ["off", "resetpass", "resetkeys", "resetchannels", "-@all"]],
    ["health", ["on", "nopass", "resetkeys", "resetchannels", "-@all", "+ping"]],
    ["reload", ["on", "nopass", "resetkeys", "resetchannels", "-@all", "+acl|load"]],
    ["inspect", ["on", hash(secrets.ref.inspect), "resetkeys", "resetchannels", "-@all", "+acl|list"]],
    ...users.map(({ service, password, keys, rules }): [string, string[]] => [
      service,
      ["on", hash(password), "resetchannels", ...keys.map((key) => `~${key}`), ...rules],
    ]),
  ];
}

/** The accounts as Redis lists them: without what it adds, and of a password's hash the first digits. */
const LIST = `redis-cli | sed -nE 's/ (sanitize-payload|reset[a-z]+)//g; s/#([0-9a-f]{12})[0-9a-f]+/#\\1/g; s/^user ([^ ]+) /account \\1|/p'`;

function readback(users: readonly CacheUser[], reveal: Reveal): Readback {
  const shown = (words: readonly string[]): string =>
    words
      .flatMap((word) => (word.startsWith("reset") ? [] : [word.startsWith("#") ? word.slice(0, 13) : word]))
      .join(" ");
  return {
    argv: ["sh", "-c", LIST],
    stdin: `AUTH inspect ${reveal(secrets.ref.inspect)}\nACL LIST\n`,
    lines: accounts(users, reveal).map(([name, words]) => ({ what: `account ${name}`, value: shown(words) })),
  };
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
  // The image declares a volume there: without this, Docker would make one. An older version's files are not read.
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m", "/data": "rw,noexec,nosuid,size=1m,uid=999,gid=999" },
  files: [
    { path: "redis.conf", content: ({ size }) => config(size) },
    {
      path: "users.acl",
      live: true,
      content: ({ requirements }, reveal) => renderAcl(requirements.cacheUsers, reveal),
    },
  ],
  // All or nothing: an error in the file changes nothing and is reported. `-e`: an error is a failure.
  secrets: secrets.specs,
  readback: ({ requirements }, reveal) => readback(requirements.cacheUsers, reveal),
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
  upgrade: "It keeps no files: any version starts, empty.",
});

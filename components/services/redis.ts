import { createHash } from "node:crypto";
import type { ServiceDefinition, Size } from "../service/definition.ts";

const MEMORY: Record<Size, number> = { standard: 512, small: 256 };

/** Three quarters of the limit: a snapshot forks, and the fork's copies count too. */
const config = (size: Size): string => `bind 0.0.0.0
port 6379
aclfile /etc/vpai/users.acl
dir /data
save 900 1 300 10 60 10000
maxmemory ${(MEMORY[size] * 3) / 4}mb
maxmemory-policy allkeys-lru
`;

/**
 * The file holds the password's hash alone. `health` needs no password and may do nothing but PING, so the health
 * check carries no secret; nobody else gets in without one.
 */
export const renderAcl = (password: string): string => `user default off resetpass resetkeys resetchannels -@all
user health on nopass resetkeys resetchannels -@all +ping
user app on #${createHash("sha256").update(password).digest("hex")} ~* &* +@all -@admin -@dangerous +info
`;

/** Cache and queues. */
export const redis: ServiceDefinition = {
  name: "redis",
  image:
    "docker.io/library/redis:8.4.0-bookworm@sha256:c22af04bb576503bf16b3e34a1fd2fd82de0f765afd866d2e380145e0af30d78",
  networks: ["backend"],
  port: 6379,
  user: { uid: 999, gid: 1000 },
  command: ["redis-server", "/etc/vpai/redis.conf"],
  data: [{ path: "", target: "/data" }],
  configDir: "/etc/vpai",
  files: [
    { path: "redis.conf", text: ({ size }) => config(size) },
    { path: "users.acl", secrets: ["redis-app"], render: (secrets) => renderAcl(secrets["redis-app"] ?? "") },
  ],
  secrets: { "redis-app": { permanent: false } },
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
  memoryMb: MEMORY,
  cpus: 0.5,
  stopGraceSeconds: 30,
  backup: { kind: "none", note: "a cache: it fills again" },
};

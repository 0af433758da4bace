import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { type Socket, connect, createServer } from "node:net";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";

type Release = () => Promise<void>;

/**
 * Runs `work` while no other process runs work under the same name; the others wait and learn the holder.
 *
 * The lock is a listening Unix socket in Linux's abstract namespace: the kernel gives the name to one process, and takes it
 * back when that process ends, however it ends. So a dead owner's lock does not exist, and a waiter is woken at once.
 * Elsewhere the socket is a file, and a dead owner's file is removed by the first caller that gets no answer.
 *
 * @param name – the same text for every process that must be excluded; usually the guarded path
 */
export async function withLock<T>(name: string, work: () => Promise<T>, waiting?: (owner: string) => void): Promise<T> {
  const address = lockAddress(name);
  let reported = false;
  for (;;) {
    const release = await take(address);
    if (release) {
      try {
        return await work();
      } finally {
        await release();
      }
    }
    await ownerGone(address, (owner) => {
      if (!reported) waiting?.(owner);
      reported = true;
    });
  }
}

function lockAddress(name: string): string {
  const id = createHash("sha256").update(name).digest("hex").slice(0, 24);
  return platform() === "linux" ? `\0vpai-${id}` : join(tmpdir(), `vpai-${id}.lock`);
}

/** Takes the lock and names its holder to every caller; undefined if another process holds it. */
function take(address: string): Promise<Release | undefined> {
  return new Promise((taken, failed) => {
    const callers = new Set<Socket>();
    const server = createServer((caller) => {
      callers.add(caller);
      caller.once("close", () => callers.delete(caller));
      caller.on("error", () => caller.destroy());
      caller.write(`process ${process.pid}`);
    });
    const release: Release = () =>
      new Promise((released) => {
        server.close(() => released());
        for (const caller of callers) caller.destroy(); // which wakes them
      });
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") taken(undefined);
      else failed(error);
    });
    server.listen(address, () => taken(release));
  });
}

/** Returns when the lock's owner has let go of it. */
function ownerGone(address: string, owner: (name: string) => void): Promise<void> {
  return new Promise((closed) => {
    const call = connect(address);
    call.on("data", (name) => owner(String(name)));
    call.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" && !address.startsWith("\0")) rmSync(address, { force: true });
    });
    call.on("close", () => closed());
  });
}

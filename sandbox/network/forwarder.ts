import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { OperatorError } from "../../shared/errors.ts";

const [FIRST_PORT, LAST_PORT] = [8443, 8643];

export interface ForwarderOptions {
  /** The port that the operator asked for; an error if it is taken. */
  readonly explicitPort?: number;
  /** The port of the last time, taken again if it is free. */
  readonly lastPort?: number;
  /** Where a connection goes now; undefined when there is nowhere. */
  readonly target: () => Promise<string | undefined>;
}

/** Leads 127.0.0.1:port to the newest server's 443, so that a browser on this machine opens the sandbox's links. */
export async function startForwarder(options: ForwarderOptions): Promise<{ port: number; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((inbound) => {
    void options.target().then(
      (address) => (address === undefined ? inbound.destroy() : join(inbound, connect(443, address), open)),
      () => inbound.destroy(),
    );
    inbound.on("error", () => inbound.destroy());
  });
  const port = await listen(server, options);
  return {
    port,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function join(inbound: Socket, outbound: Socket, open: Set<Socket>): void {
  for (const [socket, other] of [
    [inbound, outbound],
    [outbound, inbound],
  ] as const) {
    open.add(socket);
    socket.on("error", () => other.destroy());
    socket.on("close", () => {
      open.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  }
}

async function listen(server: Server, options: ForwarderOptions): Promise<number> {
  if (options.explicitPort !== undefined) {
    if (await tryListen(server, options.explicitPort)) return options.explicitPort;
    throw new OperatorError({
      key: "VPAI_SANDBOX_PORT",
      found: `127.0.0.1:${options.explicitPort} is in use by another process`,
      allowed: "a free port of this machine",
      fix: `unset it to have one chosen from ${FIRST_PORT} up, or end what listens there (ss -ltnp)`,
    });
  }
  const last = options.lastPort;
  if (last !== undefined && (await tryListen(server, last))) return last;
  for (let port = FIRST_PORT; port <= LAST_PORT; port++) if (await tryListen(server, port)) return port;
  throw new OperatorError({
    key: "sandbox port",
    found: `127.0.0.1:${FIRST_PORT} to ${LAST_PORT} are all in use`,
    fix: "name a free port in VPAI_SANDBOX_PORT",
  });
}

async function tryListen(server: Server, port: number): Promise<boolean> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
}

/** The port named in VPAI_SANDBOX_PORT. */
export function explicitPort(value: string | undefined): number | undefined {
  if (value === undefined || value === "") return undefined;
  const port = Number(value);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw new OperatorError({
    key: "VPAI_SANDBOX_PORT",
    found: value,
    allowed: "a number from 1 to 65535",
    fix: "correct or unset it",
  });
}

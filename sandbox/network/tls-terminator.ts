import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Ca } from "./ca.ts";

/** What answers under some names of the outside world. */
export interface Site {
  readonly names: readonly string[];
  answer(request: IncomingMessage, response: ServerResponse): void;
}

export interface FrontOptions {
  /** Address that it listens on, e.g. the gateway of the sandbox's network. */
  readonly host: string;
  /** @default 443 */
  readonly port?: number;
  readonly ca: Ca;
  readonly sites: readonly Site[];
}

export interface Front {
  readonly port: number;
  close(): Promise<void>;
}

/** The name that a request is for, without a port. */
export function nameAsked({ headers }: IncomingMessage): string {
  return (headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
}

/** The one TLS server for all names that the sandbox stands in for: one certificate, and the Host header decides. */
export async function startFront({ host, port = 443, ca, sites }: FrontOptions): Promise<Front> {
  const issued = await ca.issue([...sites.flatMap(({ names }) => names), host]);
  const server = createServer({ key: issued.keyPem, cert: issued.certPem }, (request, response) => {
    const name = nameAsked(request);
    const site = sites.find(({ names }) => names.includes(name));
    if (site) return site.answer(request, response);
    response.writeHead(421, { "content-type": "text/plain" }).end(`the sandbox is not ${name || "nobody"}\n`);
  });
  // A large upload may take longer than Node's five minutes.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  return {
    port: (server.address() as { port: number }).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

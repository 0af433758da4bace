import { type Agent, request } from "node:https";

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, unknown>;
}

export interface Ask {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly method?: "GET" | "POST";
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
  readonly timeoutMs?: number;
  /** Keeps connections for further requests. @default a connection of its own */
  readonly agent?: Agent;
}

/**
 * Asks the edge through the sandbox's port on 127.0.0.1, for the host name as a browser would. The certificate is that
 * of Caddy's own authority, which nobody on this machine trusts: it is not checked here.
 */
export function ask({
  port,
  host,
  path,
  method = "GET",
  json,
  headers = {},
  timeoutMs = 90_000,
  agent,
}: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const req = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        servername: host,
        rejectUnauthorized: false,
        agent: agent ?? false,
        headers: {
          host,
          ...(body && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
          ...headers,
        },
        timeout: timeoutMs,
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () =>
          resolve({ status: res.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: res.headers }),
        );
        res.on("error", reject);
      },
    );
    req.on("timeout", () => req.destroy(new Error(`no answer from ${host}${path} within ${timeoutMs} ms`)));
    req.on("error", reject);
    req.end(body);
  });
}

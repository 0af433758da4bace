import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Engine } from "./engine.ts";
import { readError } from "./results.ts";

interface Body {
  readonly query?: string;
  readonly batch?: readonly { readonly query: string }[];
  readonly max_wait?: number;
  readonly timeout?: number;
}

/** The protocol of Prisma 5's query engine over HTTP. Errors are answers with status 200, by that protocol. */
export function engineServer(engine: Engine): Server {
  return createServer((request, response) => {
    void answer(engine, request)
      .catch((error: unknown) => ({ errors: [readError(error)] }))
      .then((body) => response.setHeader("content-type", "application/json").end(JSON.stringify(body)));
  });
}

async function answer(engine: Engine, request: IncomingMessage): Promise<object> {
  const path = new URL(request.url ?? "/", "http://engine").pathname;
  if (path === "/status") return { status: "ok" };
  if (path === "/metrics") return { counters: [], gauges: [], histograms: [] };
  const body = await readBody(request);
  if (path === "/transaction/start") {
    return { id: await engine.begin({ maxWait: body.max_wait ?? 2_000, timeout: body.timeout ?? 5_000 }) };
  }
  const [, transaction, end] = /^\/transaction\/([^/]+)\/(commit|rollback)$/.exec(path) ?? [];
  if (transaction !== undefined) {
    await (end === "commit" ? engine.commit(transaction) : engine.rollback(transaction));
    return {};
  }
  const header = request.headers["x-transaction-id"];
  const inside = typeof header === "string" ? header : undefined;
  if (body.batch === undefined) return { data: await engine.query(body.query ?? "", inside) };
  const texts = body.batch.map(({ query }) => query);
  return { batchResult: (await engine.batch(texts, inside)).map((data) => ({ data })) };
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return text === "" ? {} : (JSON.parse(text) as Body);
}

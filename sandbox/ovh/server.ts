import { createHash, timingSafeEqual } from "node:crypto";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Issued } from "../network/ca.ts";
import {
  createRecord,
  isGranted,
  type OvhAccount,
  OvhRefusal,
  type OvhZone,
  refresh,
  removeRecord,
  requireRecord,
  updateRecord,
} from "./model.ts";

export interface OvhOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly certificate: Issued;
  readonly account: OvhAccount;
  readonly zones: readonly OvhZone[];
  /** Requests a second, with bursts of as many; OVH's own limit is not documented. @default 20 */
  readonly perSecond?: number;
  /** Asked for each request before it is looked at: a status answers in its place, `"lost"` carries it out and does not answer. */
  readonly fault?: (method: string, path: string) => number | "lost" | undefined;
  readonly clock?: () => number;
  readonly log?: (line: string) => void;
}

export interface Ovh {
  /** Base URL for clients. */
  readonly endpoint: string;
  close(): Promise<void>;
}

const VERSION = "/1.0";
/** OVH refuses a timestamp that is further away. */
const CLOCK_SKEW_SECONDS = 30;

interface Caller {
  tokens: number;
  at: number;
}

/** Starts a simulated OVH API: the part of it that is about DNS zones, over https. */
export async function startOvh(options: OvhOptions): Promise<Ovh> {
  const { certificate, clock = Date.now, perSecond = 20 } = options;
  const app = fastify({ https: { key: certificate.keyPem, cert: certificate.certPem }, forceCloseConnections: true });
  const caller: Caller = { tokens: perSecond, at: clock() };
  app.removeAllContentTypeParsers();
  // The signature is over the text of the body.
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, text, done) => done(null, text));
  const unanswered = new WeakSet<FastifyRequest>();
  app.addHook("preHandler", async (request) => {
    const path = pathOf(request);
    if (path === "/auth/time") return;
    take(caller, clock(), perSecond);
    const fault = options.fault?.(request.method, path);
    if (typeof fault === "number") throw new OvhRefusal(fault, fault === 429 ? "Too many requests" : "Internal error");
    if (fault === "lost") unanswered.add(request);
    requireSigned(request, options.account, clock());
    if (!isGranted(options.account.rules, request.method, path))
      throw new OvhRefusal(403, "This call has not been granted", "NOT_GRANTED_CALL");
  });
  app.addHook("onSend", (request, _reply, payload, done) => {
    options.log?.(`${request.method} ${request.url}`);
    done(null, payload);
  });
  app.setErrorHandler((error, _request, reply) => answerError(error as Error, reply));
  app.get(`${VERSION}/auth/time`, () => Math.round(clock() / 1000));
  zoneRoutes(app, options.zones, unanswered);
  await app.listen({ host: options.host, port: options.port });
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return { endpoint: `https://${options.host}:${port}${VERSION}`, close: () => app.close() };
}

const pathOf = ({ url }: FastifyRequest): string => (url.split("?")[0] ?? "").slice(VERSION.length);

function take(caller: Caller, now: number, perSecond: number): void {
  caller.tokens = Math.min(perSecond, caller.tokens + ((now - caller.at) / 1000) * perSecond);
  caller.at = now;
  if (caller.tokens < 1) throw new OvhRefusal(429, "Too many requests");
  caller.tokens -= 1;
}

/** `"$1$" + SHA1(secret + consumer + method + url + body + time)`, joined by `+`: OVH's documentation of its API. */
function requireSigned({ method, url, headers, body }: FastifyRequest, account: OvhAccount, now: number): void {
  const header = (name: string): string => String(headers[`x-ovh-${name}`] ?? "");
  if (header("application") !== account.applicationKey)
    throw new OvhRefusal(403, "This application key is invalid", "INVALID_KEY");
  if (header("consumer") !== account.consumerKey)
    throw new OvhRefusal(403, "This credential does not exist", "INVALID_CREDENTIAL");
  const time = header("timestamp");
  if (Math.abs(Number(time) - now / 1000) > CLOCK_SKEW_SECONDS)
    throw new OvhRefusal(400, "Invalid signature", "QUERY_TIME_OUT");
  // Clients leave a port out.
  const address = `https://${(headers.host ?? "").replace(/:\d+$/, "")}${url}`;
  const parts = [account.applicationSecret, account.consumerKey, method, address, (body as string | null) ?? "", time];
  const expected = Buffer.from(`$1$${createHash("sha1").update(parts.join("+")).digest("hex")}`);
  const given = Buffer.from(header("signature"));
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new OvhRefusal(400, "Invalid signature", "INVALID_SIGNATURE");
}

function answerError(error: Error & { readonly statusCode?: number }, reply: FastifyReply): void {
  if (error instanceof OvhRefusal) {
    void reply.code(error.status).send(error.body());
    return;
  }
  void reply.code(error.statusCode ?? 500).send({ message: error.message });
}

interface RecordQuery {
  readonly subDomain?: string;
  readonly fieldType?: string;
}

function zoneRoutes(app: FastifyInstance, zones: readonly OvhZone[], unanswered: WeakSet<FastifyRequest>): void {
  let lastId = 5_000_000_000;
  const zoneOf = (request: FastifyRequest): OvhZone => {
    const { zone: name } = request.params as { zone: string };
    const zone = zones.find((each) => each.name === name);
    if (zone === undefined) throw new OvhRefusal(404, "This service does not exist");
    return zone;
  };
  const idOf = (request: FastifyRequest): number => Number((request.params as { id: string }).id);
  const bodyOf = (request: FastifyRequest): unknown => parsed((request.body as string | null) ?? "");
  /** Carries the request out, and closes the connection instead of answering where that is asked for. */
  const handle =
    <T>(work: (request: FastifyRequest) => T) =>
    (request: FastifyRequest, reply: FastifyReply): T | undefined => {
      const result = work(request);
      if (!unanswered.has(request)) return result;
      reply.hijack();
      request.raw.socket.destroy();
      return undefined;
    };
  const base = `${VERSION}/domain/zone/:zone`;
  app.get(
    base,
    handle((request) => ({ name: zoneOf(request).name, hasDnsAnycast: false, nameServers: [] })),
  );
  app.get(
    `${base}/record`,
    handle((request) => {
      const { subDomain, fieldType } = request.query as RecordQuery;
      const records = zoneOf(request).records.filter(
        (each) =>
          (subDomain === undefined || each.subDomain === subDomain) &&
          (fieldType === undefined || each.fieldType === fieldType),
      );
      return records.map(({ id }) => id);
    }),
  );
  app.get(
    `${base}/record/:id`,
    handle((request) => requireRecord(zoneOf(request), idOf(request))),
  );
  app.post(
    `${base}/record`,
    handle((request) => createRecord(zoneOf(request), ++lastId, bodyOf(request))),
  );
  app.put(
    `${base}/record/:id`,
    handle((request) => done(updateRecord(zoneOf(request), idOf(request), bodyOf(request)))),
  );
  app.delete(
    `${base}/record/:id`,
    handle((request) => done(removeRecord(zoneOf(request), idOf(request)))),
  );
  app.post(
    `${base}/refresh`,
    handle((request) => done(refresh(zoneOf(request)))),
  );
}

/** OVH answers 200 and the word null. */
const done = (_nothing: void): string => "null";

function parsed(text: string): unknown {
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new OvhRefusal(400, "Invalid JSON received");
    throw error;
  }
}

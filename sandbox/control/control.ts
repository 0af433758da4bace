import { timingSafeEqual } from "node:crypto";
import fastify, { type FastifyReply } from "fastify";
import type { Logger } from "pino";
import { z } from "zod";
import { OperatorError } from "../../shared/errors.ts";
import { IMAGE_SOURCES } from "../image-sources.ts";
import { CONTROL_PORT, errorLine, type StreamLine } from "./control-lines.ts";
import { faultSchema, type FaultBook } from "./fault-injector.ts";
import type { WorldInventory } from "../supervisor/inventory.ts";

const publishSchema = z.strictObject({ pins: z.array(z.string()), from: z.enum(IMAGE_SOURCES) });
export type PublishRequest = z.infer<typeof publishSchema>;
const powerCutSchema = z.strictObject({ server: z.string() });

export interface ControlOptions {
  readonly host: string;
  readonly token: string;
  readonly log: Logger;
  readonly faults: FaultBook;
  /** What /health says: enough for a client to know whom it talks to. */
  readonly health: Readonly<Record<string, unknown>>;
  readonly world: Readonly<Record<string, unknown>>;
  publish(request: PublishRequest, report: (line: string) => void): Promise<Record<string, string>>;
  openStorage(report: (line: string) => void): Promise<void>;
  powerCut(server: string): Promise<void>;
  inventory(): Promise<WorldInventory>;
  shutdown(): void;
}

const HEARTBEAT_MS = 10_000;

/** The supervisor's own API, on port 9000 of the gateway, by bearer token. */
export async function startControl(options: ControlOptions): Promise<{ close(): Promise<void> }> {
  const app = fastify({ forceCloseConnections: true });
  app.addHook("onRequest", async (request, reply) => {
    if (!matchesToken(request.headers.authorization, options.token)) {
      await reply.code(401).send({ message: "the bearer token of world.json is needed" });
    }
  });
  app.setErrorHandler(async (error, _request, reply) => {
    const bad = error instanceof z.ZodError || error instanceof OperatorError;
    if (!bad) options.log.error({ err: error }, "control request failed");
    await reply.code(bad ? 400 : 500).send(errorLine(error));
  });
  app.get("/health", () => options.health);
  app.get("/world", () => options.world);
  app.get("/inventory", () => options.inventory());
  app.get("/faults", () => options.faults.list());
  app.post("/faults", (request) => {
    options.faults.inject(faultSchema.parse(request.body));
    return options.faults.list();
  });
  app.delete("/faults", () => {
    options.faults.clear();
    return options.faults.list();
  });
  app.post("/power-cut", async (request) => {
    await options.powerCut(powerCutSchema.parse(request.body).server);
    return {};
  });
  app.post("/publish", async (request, reply) => {
    const wanted = publishSchema.parse(request.body);
    await stream(reply, (report) => options.publish(wanted, report));
  });
  app.post("/storage", async (_request, reply) => {
    await stream(reply, (report) => options.openStorage(report));
  });
  app.post("/shutdown", (_request, reply) => {
    reply.raw.once("finish", () => options.shutdown());
    return {};
  });
  await app.listen({ host: options.host, port: CONTROL_PORT });
  return { close: () => app.close() };
}

/** Answers line by line, so that a build of minutes is seen to move; a heartbeat keeps the connection. */
async function stream(reply: FastifyReply, work: (report: (line: string) => void) => Promise<unknown>): Promise<void> {
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "application/x-ndjson" });
  const write = (line: StreamLine): void => void reply.raw.write(`${JSON.stringify(line)}\n`);
  const heartbeat = setInterval(() => reply.raw.write("\n"), HEARTBEAT_MS);
  try {
    write({ kind: "result", result: await work((line) => write({ kind: "report", line })) });
  } catch (error) {
    write(errorLine(error));
  } finally {
    clearInterval(heartbeat);
    reply.raw.end();
  }
}

function matchesToken(header: string | undefined, token: string): boolean {
  const [given, wanted] = [Buffer.from(header ?? ""), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

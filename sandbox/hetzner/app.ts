import { randomBytes, timingSafeEqual } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";

import { actionRoutes } from "./routes/actions.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import type { Cloud } from "./state/cloud.ts";
import { ERROR_STATUS } from "./wire/error-status.ts";
import { ApiError } from "./wire/errors.ts";
import { firewallRoutes } from "./routes/firewalls.ts";
import { imageRoutes } from "./routes/images.ts";
import { primaryIpRoutes } from "./routes/primary-ips.ts";
import { RateLimit } from "./wire/ratelimit.ts";
import { serverActionRoutes } from "./routes/server-actions.ts";
import { serverMaintenanceRoutes } from "./routes/server-maintenance.ts";
import { serverRoutes } from "./routes/servers.ts";
import { sshKeyRoutes } from "./routes/ssh-keys.ts";
import { volumeRoutes } from "./routes/volumes.ts";

/** The HTTP side: headers, token, faults and errors, the same for every route below `/v1`. */
export function buildApp(cloud: Cloud, token: string): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, bodyLimit: 1024 * 1024 });
  const limit = new RateLimit(cloud.now);

  // Clients announce JSON even where they send nothing.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, text, done) => parseJson(String(text), done));
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-correlation-id", randomBytes(8).toString("hex"));
    await faultDelay(cloud, request);
    const allowance = limit.take();
    const throttled = !allowance.allowed || strikes(cloud, "hetzner-429", request);
    reply.header("ratelimit-limit", allowance.limit);
    reply.header("ratelimit-remaining", throttled ? 0 : allowance.remaining);
    reply.header("ratelimit-reset", allowance.reset);
    if (throttled) {
      throw new ApiError(429, "rate_limit_exceeded", `limit of ${allowance.limit} requests per hour reached`);
    }
    checkToken(request, token);
    if (strikes(cloud, "hetzner-5xx", request)) {
      throw new ApiError(500, "service_error", "Service Error");
    }
    strikeError(cloud, request);
  });
  app.addHook("onResponse", (request, reply, done) => {
    cloud.log(`${request.method} ${request.url} ${reply.statusCode}`);
    done();
  });
  app.setErrorHandler((error, _request, reply) => answerError(cloud, error as FastifyError, reply));
  app.setNotFoundHandler((request, reply) => {
    const refusal = new ApiError(404, "not_found", `no such endpoint: ${request.method} ${request.url.split("?")[0]}`);
    void reply.code(404).send(refusal.body());
  });
  void app.register(
    (v1, _options, done) => {
      for (const routes of allRoutes) {
        routes(v1, cloud);
      }
      done();
    },
    { prefix: "/v1" },
  );
  return app;
}

const allRoutes = [
  actionRoutes,
  catalogueRoutes,
  firewallRoutes,
  imageRoutes,
  primaryIpRoutes,
  serverActionRoutes,
  serverMaintenanceRoutes,
  serverRoutes,
  sshKeyRoutes,
  volumeRoutes,
];

function parseJson(text: string, done: (error: Error | null, body?: unknown) => void): void {
  try {
    done(null, text === "" ? undefined : JSON.parse(text));
  } catch {
    done(new ApiError(400, "json_error", "invalid JSON input"));
  }
}

function answerError(cloud: Cloud, error: FastifyError | ApiError, reply: FastifyReply): void {
  if (error instanceof ApiError) {
    void reply.code(error.status).send(error.body());
    return;
  }
  const status = error.statusCode ?? 500;
  if (status < 500) {
    void reply.code(status).send(new ApiError(status, "invalid_input", error.message).body());
    return;
  }
  cloud.log(`internal error: ${error.stack ?? error.message}`);
  void reply.code(500).send(new ApiError(500, "server_error", "the simulated Hetzner failed: see its log").body());
}

function checkToken(request: FastifyRequest, token: string): void {
  const given = Buffer.from(/^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1] ?? "");
  const wanted = Buffer.from(token);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new ApiError(401, "unauthorized", "the token you have provided is invalid");
  }
}

/** A fault's `match` is looked for in `POST /servers` as well as in `POST /v1/servers`. */
function matches(request: FastifyRequest): (fault: { readonly match?: string | undefined }) => boolean {
  const [path = ""] = request.url.split("?");
  const lines = [`${request.method} ${path}`, `${request.method} ${path.replace(/^\/v1/, "")}`];
  return ({ match }) => match === undefined || lines.some((line) => line.includes(match));
}

function strikes(cloud: Cloud, name: "hetzner-429" | "hetzner-5xx", request: FastifyRequest): boolean {
  return cloud.faults.strike(name, matches(request)) !== undefined;
}

function strikeError(cloud: Cloud, request: FastifyRequest): void {
  const applies = matches(request);
  const struck = cloud.faults.strike(
    "hetzner-error",
    (fault) => applies(fault) && (fault.code !== "token_readonly" || request.method !== "GET"),
  );
  if (struck !== undefined) {
    throw new ApiError(ERROR_STATUS[struck.code] ?? 500, struck.code, `simulated ${struck.code}`);
  }
}

async function faultDelay(cloud: Cloud, request: FastifyRequest): Promise<void> {
  const slow = cloud.faults.strike("hetzner-slow", matches(request));
  if (slow !== undefined) {
    await sleep(slow.ms);
  }
}

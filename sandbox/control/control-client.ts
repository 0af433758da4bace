import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { OperatorError } from "../../shared/errors.ts";
import { CONTROL_PORT, errorFrom, type StreamLine } from "./control-lines.ts";
import type { WorldFile } from "../supervisor/instance.ts";

type Method = "GET" | "POST" | "DELETE";

/**
 * Calls the supervisor of a sandbox; its errors come out as they went in.
 *
 * @throws OperatorError when it does not answer in time
 */
export async function call<T>(
  world: WorldFile,
  method: Method,
  path: string,
  body?: unknown,
  timeoutMs = 10_000,
): Promise<T> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await send(world, method, path, body, late);
    const json = JSON.parse(await text(answer)) as T & Extract<StreamLine, { kind: "error" }>;
    if (answer.statusCode !== 200) throw errorFrom(json);
    return json;
  } catch (error) {
    if (!late.aborted) throw error;
    throw new OperatorError({
      key: "the sandbox's supervisor",
      found: `no answer to ${method} ${path} within ${timeoutMs / 1_000} s`,
      fix: "run the command again once Docker on this machine is less busy; supervisor.log has what it does",
    });
  }
}

/** Calls something that reports while it works. */
export async function callStream<T>(
  world: WorldFile,
  path: string,
  body: unknown,
  report: (line: string) => void,
): Promise<T> {
  const answer = await send(world, "POST", path, body);
  if (answer.statusCode !== 200) throw errorFrom(JSON.parse(await text(answer)));
  for await (const line of createInterface({ input: answer })) {
    if (line === "") continue;
    const message = JSON.parse(line) as StreamLine;
    if (message.kind === "report") report(message.line);
    else if (message.kind === "error") throw errorFrom(message);
    else return message.result as T;
  }
  throw new Error(`the sandbox's supervisor ended during ${path}; see supervisor.log`);
}

/** Node's own client, not fetch: loading that costs a tenth of a second. */
async function send(
  world: WorldFile,
  method: Method,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const request = httpRequest({
    host: world.gateway,
    port: CONTROL_PORT,
    method,
    path,
    signal,
    headers: {
      authorization: `Bearer ${world.token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
  });
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  return answer;
}

import { request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

/** Passes a request on as it came, Host and all: a signature covers it. Nothing is held back, however large. */
export async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  to: { readonly host: string; readonly port: number },
): Promise<void> {
  const { method, url: path, rawHeaders: headers } = request;
  const onward = forward({ ...to, method, path, headers, agent: false });
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    onward.once("response", resolve).once("error", reject),
  );
  // A server may answer, and close, before it has read the body: what it answers counts.
  const sent = pipeline(request, onward).catch(() => undefined);
  response.once("close", () => onward.destroy());
  const answer = await answered;
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
  await pipeline(answer, response);
  await sent;
}

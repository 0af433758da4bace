import { request } from "node:https";
import type { Answer, RequestCheck } from "./checks.ts";

const TIMEOUT_MS = 25_000;
const MOST = 20_000;

/**
 * Makes a request from this machine to the server's address, for the host name of the URL: its DNS record may not exist
 * yet. The certificate is not checked here, because this machine need not know the edge's own authority; the same
 * request made on the server does check it.
 */
export function askFromHere({ url }: RequestCheck, to: { host: string; port: number }): Promise<Answer> {
  const { hostname, host, pathname, search } = new URL(url);
  const started = Date.now();
  const answered = (status: number | null, text: string): Answer => ({ status, text, ms: Date.now() - started });
  return new Promise((resolve) => {
    const asked = request(
      {
        ...to,
        path: `${pathname}${search}`,
        servername: hostname,
        rejectUnauthorized: false,
        agent: false,
        headers: { host },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text = `${text}${chunk}`.slice(0, MOST)));
        response.once("end", () => resolve(answered(response.statusCode ?? null, text)));
        response.once("error", (error) => resolve(answered(null, error.message)));
      },
    );
    asked.once("error", (error) => {
      const late = error.name === "TimeoutError" || error.name === "AbortError";
      resolve(
        answered(null, late ? `no answer within ${TIMEOUT_MS / 1000} s` : `${to.host}:${to.port}: ${error.message}`),
      );
    });
    asked.end();
  });
}

import { request } from "node:https";

/** Asks for a WebSocket through the edge, as a browser would; the status of the answer, 101 where it is one. */
export function upgrade({ port, host, path }: { port: number; host: string; path: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      path,
      servername: host,
      rejectUnauthorized: false,
      agent: false,
      headers: {
        host,
        connection: "Upgrade",
        upgrade: "websocket",
        origin: `https://${host}`,
        "sec-websocket-version": "13",
        "sec-websocket-key": Buffer.from("0123456789abcdef").toString("base64"),
      },
      timeout: 30_000,
    });
    asked.once("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    asked.once("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once("timeout", () => asked.destroy(new Error("no answer to the upgrade")));
    asked.once("error", reject);
    asked.end();
  });
}

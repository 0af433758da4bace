import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Duplex } from "node:stream";

interface Address {
  readonly port: number;
  readonly host: string;
  readonly path: string;
}

/** Asks for a WebSocket through the edge, as a browser would. The socket is there where the answer is 101. */
function open({ port, host, path }: Address): Promise<{ answer: IncomingMessage; socket?: Duplex }> {
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
    asked.once("upgrade", (answer, socket) => resolve({ answer, socket }));
    asked.once("response", (answer) => {
      answer.resume();
      resolve({ answer });
    });
    asked.once("timeout", () => asked.destroy(new Error("no answer to the upgrade")));
    asked.once("error", reject);
    asked.end();
  });
}

/** The status of the answer, 101 where it is a WebSocket. */
export async function upgrade(address: Address): Promise<number> {
  const { answer, socket } = await open(address);
  socket?.destroy();
  return answer.statusCode ?? 0;
}

/** A connection to an upstream that sends back each byte. */
export interface Echo {
  /** Sends a text and answers what came back; fails when the connection is closed before. */
  echo(text: string): Promise<string>;
  close(): void;
}

export async function openWebSocket(address: Address): Promise<Echo> {
  const { answer, socket } = await open(address);
  if (!socket) throw new Error(`no WebSocket: status ${answer.statusCode}`);
  socket.on("error", () => socket.destroy());
  return {
    echo: (text) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed || socket.readableEnded) return reject(new Error("the WebSocket is closed"));
        const closed = (): void => reject(new Error("the WebSocket was closed"));
        socket.once("close", closed).once("end", closed);
        socket.once("data", (chunk: Buffer) => {
          socket.off("close", closed).off("end", closed);
          resolve(chunk.toString());
        });
        socket.write(text);
      }),
    close: () => socket.destroy(),
  };
}

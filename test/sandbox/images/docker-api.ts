import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { basename } from "node:path";
import { type Bench, docker } from "./container-harness.ts";

/** The machine's side of a bench's network, where its containers reach what a test serves. */
export async function gateway(bench: Bench): Promise<string> {
  const network = basename(bench.home).replace(/-[^-]*$/, "");
  return docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", network);
}

export interface Served {
  readonly port: number;
  /** Method, path and authorization of each request, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Serves at an address, or at a socket, until it is closed, whoever still listens. */
export async function serve(
  host: string,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  port = 0,
): Promise<Served> {
  const asked: string[] = [];
  const server: Server = createServer((req, res) => {
    asked.push([req.method, req.url, req.headers.authorization].filter(Boolean).join(" "));
    answer(req, res);
  });
  await new Promise<void>((resolve) =>
    host.startsWith("/") ? server.listen(host, resolve) : server.listen(port, host, resolve),
  );
  const at = server.address();
  return {
    port: typeof at === "object" && at ? at.port : 0,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Docker's API at that address or socket, which knows the containers of the bench alone: others' logs are none of its business. */
export function serveDocker(bench: Bench, host: string): Promise<Served> {
  const label = `vpai-test=${basename(bench.home).replace(/-[^-]*$/, "")}`;
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  return serve(host, (req, res) => {
    const path = (req.url ?? "").replace(/\/containers\/json$/, `/containers/json?filters=${filters}`);
    const through = request({ socketPath: "/var/run/docker.sock", path, method: req.method }, (answer) => {
      res.writeHead(answer.statusCode ?? 500, answer.headers);
      // A quiet log has no first line to send the head with.
      res.flushHeaders();
      answer.pipe(res);
    });
    through.on("error", () => res.destroy());
    res.on("close", () => through.destroy());
    through.end();
  });
}

import { spawnSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { askDocker, dockerFault, dockerSocket, ensureDocker } from "../../../toolchain/docker.ts";
import { refusal, useScratch } from "./fixtures.ts";

describe("the Docker daemon", () => {
  const scratch = useScratch();
  const servers: Pick<Server, "close">[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  /** A daemon that answers so on a socket of its own. @returns the socket's path */
  async function daemon(status: number, body: string): Promise<string> {
    const socket = join(scratch.dir, "docker.sock");
    const server = createServer((_, response) => response.writeHead(status).end(body));
    servers.push(server);
    await new Promise<void>((ready) => server.listen(socket, ready));
    return socket;
  }

  const silent = (): void => undefined;
  const asked = (host: string): Promise<string> => refusal(ensureDocker(silent, { DOCKER_HOST: host }));

  test("is used when it runs", async () => {
    const socket = await daemon(200, '{"Version":"20.10.24+dfsg1"}');
    const env = { DOCKER_HOST: `unix://${socket}` };
    expect(await ensureDocker(silent, env)).toEqual({ version: "20.10.24+dfsg1", socket, origin: "running" });
  });

  test("is looked for at the usual place", () => {
    expect(dockerSocket({})).toBe("/var/run/docker.sock");
  });

  test.each(["tcp://10.0.0.1:2375", "ssh://host", "/var/run/docker.sock", "unix://"])(
    "DOCKER_HOST=%s is refused",
    async (host) => {
      const text = await asked(host);
      expect(text).toContain(`DOCKER_HOST: ${host}\n  allowed: unix:///path/to/docker.sock`);
      expect(text).toContain("do: unset DOCKER_HOST");
    },
  );

  test("that DOCKER_HOST names and is not there: is not replaced by another", async () => {
    const socket = join(scratch.dir, "none.sock");
    expect(await asked(`unix://${socket}`)).toBe(
      `DOCKER_HOST: there is no ${socket}\n  allowed: Docker Engine, for the sandbox\n` +
        "  do: start the daemon that DOCKER_HOST names, or unset DOCKER_HOST",
    );
  });

  test("that was killed and left its socket: connection refused", async () => {
    const socket = join(scratch.dir, "dead.sock");
    const listen = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
    spawnSync(process.execPath, ["-e", listen, socket]);
    expect(await askDocker(socket)).toEqual({ kind: "refused" });
    expect(dockerFault(socket, { kind: "refused" }, {}, true).message).toBe(
      `Docker: nothing listens on ${socket} (connection refused)\n  allowed: Docker Engine, for the sandbox\n` +
        "  do: run: sudo systemctl start docker (installed by: sudo apt-get install -y docker.io)",
    );
  });

  test("that refuses this user: permission denied", () => {
    expect(dockerFault("/s", { kind: "denied" }, {}, true).message).toBe(
      "Docker: this user may not use /s (permission denied)\n" +
        "  do: run as root, or run: sudo usermod -aG docker $USER – and log in again",
    );
  });

  test("missing on another system: says what to install", () => {
    expect(dockerFault("/s", { kind: "missing" }, {}, false).message).toContain(
      "do: install and start Docker Engine: https://docs.docker.com/engine/install/",
    );
  });

  test("too old: says which serves", async () => {
    const socket = await daemon(200, '{"Version":"19.03.1"}');
    expect(await asked(`unix://${socket}`)).toContain(`Docker at ${socket}: 19.03.1\n  allowed: 20.10 or newer`);
  });

  test.each([
    [200, "<html>"],
    [500, '{"Version":"24.0"}'],
    [200, '{"Name":"x"}'],
  ])("something else that answers %i %s is no daemon", async (status, body) => {
    const socket = await daemon(status, body);
    expect(await askDocker(socket)).toEqual({ kind: "strange", found: `HTTP ${status}: ${body}` });
    expect(await asked(`unix://${socket}`)).toContain(`${socket} answers no Docker: HTTP ${status}`);
  });
});

import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { docker, logs, pins, untilExec } from "./container-harness.ts";
import { base, env, key, type N8n, openN8n, owner } from "./n8n-client.ts";

let bench: Bench;
let url: string;
let container: string;
let ask: N8n["ask"];

beforeAll(async () => {
  ({ bench, url, container, ask } = await openN8n());
}, 300_000);
afterAll(() => bench.clear());

describe("the fake of n8n", () => {
  test("is healthy, says that it is a fake, migrates with n8n's table names", async () => {
    expect(await ask("/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect((await ask("/")).body).toContain("n8n (sandbox fake)");
    const tables = "select string_agg(tablename, ' ' order by tablename) from pg_tables where schemaname = 'public'";
    const db = container.replace(/n8n$/, "db");
    expect(await bench.exec(db, "psql", "-U", "postgres", "-d", "n8n", "-Atc", tables)).toBe(
      "credentials_entity execution_data execution_entity migrations role settings user webhook_entity workflow_entity workflow_history",
    );
  });

  test.each([
    [{ ...owner, email: "nobody" }, "email", "Invalid email"],
    [{ ...owner, firstName: "" }, "firstName", "First name is required"],
    [{ ...owner, lastName: "" }, "lastName", "Last name is required"],
    [{ ...owner, password: "Short1" }, "password", "Password must be 8 to 64 characters long."],
    [{ ...owner, password: "No number here" }, "password", "Password must contain at least 1 number."],
    [{ ...owner, password: "no capital 1" }, "password", "Password must contain at least 1 uppercase letter."],
  ])("refuses the owner %j for its %s", async (body, path, message) => {
    expect(await ask("/rest/owner/setup", body)).toMatchObject({ status: 400, body: { path: [path], message } });
  });

  test("takes an owner once, logs in, knows the cookie, refuses a wrong password", async () => {
    expect((await ask("/rest/settings")).body).toMatchObject({
      data: { userManagement: { showSetupOnFirstLoad: true }, versionCli: "2.42.4" },
    });
    expect(await ask("/rest/owner/setup", owner)).toMatchObject({
      status: 200,
      body: { data: { email: "owner@example.test", isOwner: true } },
    });
    expect(await ask("/rest/owner/setup", owner)).toMatchObject({
      status: 400,
      body: { code: 400, message: "Instance owner already setup" },
    });
    expect((await ask("/rest/settings")).body).toMatchObject({
      data: { userManagement: { showSetupOnFirstLoad: false } },
    });

    const wrong = await ask("/rest/login", { emailOrLdapLoginId: owner.email, password: "Wrong 12345" });
    expect(wrong).toEqual({
      status: 401,
      cookie: null,
      body: { code: 401, message: "Wrong username or password. Do you have caps lock on?" },
    });
    const right = await ask("/rest/login", { emailOrLdapLoginId: owner.email, password: owner.password });
    expect(right.cookie).toMatch(/^n8n-auth=\S+; Path=\/; Max-Age=604800; HttpOnly; Secure; SameSite=Lax$/);
    const cookie = right.cookie?.split(";")[0] ?? "";
    expect(await ask("/rest/login", undefined, { cookie })).toMatchObject({
      status: 200,
      body: { data: { firstName: "Ada" } },
    });
    expect((await ask("/rest/login")).status).toBe(401);
    expect((await ask("/rest/login", undefined, { cookie: `${cookie}x` })).status).toBe(401);
    expect((await ask("/rest/credentials")).body).toMatchObject({
      message: "This fake of n8n has no GET /rest/credentials",
    });
  });

  test("refuses variables n8n does not have and settings it cannot follow, all at once", async () => {
    const { code, output } = await bench.once(
      pins.n8n,
      env({ ...base, N8N_HOTS: "x", DB_POSTGRES_HOST: "x", EXECUTIONS_MODE: "queue" }),
    );
    expect([code, output.slice(output.indexOf("Error:")).split("\n")]).toEqual([
      1,
      [
        "Error: DB_POSTGRES_HOST is no variable of n8n 2 (n8n would ignore it, this fake refuses)",
        "N8N_HOTS is no variable of n8n 2 (n8n would ignore it, this fake refuses)",
        'EXECUTIONS_MODE is "queue"; this fake does "regular" only',
      ],
    ]);
  });

  test("refuses another encryption key than it was made with, in n8n's words", async () => {
    const volume = ["-v", `${bench.home.replace(/^.*\//, "").replace(/-[^-]*$/, "-n8n")}:/home/node/.n8n`];
    const first = await bench.start("first", pins.n8n, [...volume, ...env(base)]);
    await untilExec(first, "wget", "-qO-", "http://127.0.0.1:5678/healthz/readiness");
    expect(await bench.exec(first, "stat", "-c", "%a %u", "/home/node/.n8n/config")).toBe("600 1000");
    await docker("rm", "-f", first);
    const { code, output } = await bench.once(pins.n8n, [
      ...volume,
      ...env({ ...base, N8N_ENCRYPTION_KEY: "another" }),
    ]);
    expect(code).toBe(1);
    expect(output).toContain(
      "Mismatching encryption keys. The encryption key in the settings file /home/node/.n8n/config does not match the N8N_ENCRYPTION_KEY env var.",
    );
    expect(output).not.toContain(key);
  });

  test("ends when the database refuses it, without showing the password", async () => {
    const { code, output } = await bench.once(pins.n8n, env({ ...base, DB_POSTGRESDB_PASSWORD: "wrong-secret" }));
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/There was an error initializing DB: .*password authentication failed/s),
    ]);
    expect(output).not.toContain("wrong-secret");
  });

  test("is not ready while the database is away, and is again when it is back", async () => {
    const db = container.replace(/n8n$/, "db");
    await docker("pause", db);
    await until("503", 15_000, async () => ((await ask("/healthz/readiness")).status === 503 ? true : undefined));
    expect(await ask("/rest/settings")).toMatchObject({ status: 503, body: { message: "Database is not ready!" } });
    expect((await ask("/healthz")).status).toBe(200);
    await docker("unpause", db);
    await until("200", 15_000, async () => ((await ask("/healthz/readiness")).status === 200 ? true : undefined));
  });

  test("finishes the request under way when told to stop", async () => {
    const body = JSON.stringify({ emailOrLdapLoginId: owner.email, password: owner.password });
    const socket = connect(5678, new URL(url).hostname);
    let heard = "";
    socket.setEncoding("utf8").on("data", (part: string) => (heard += part));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    // The server says "100 Continue" when it begins to read the body. Told to stop before that, it may hang up.
    socket.write(
      `POST /rest/login HTTP/1.1\r\nHost: n8n\r\nContent-Type: application/json\r\n` +
        `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await until("the request under way", 5_000, async () => (heard.includes("100 Continue") ? true : undefined));
    socket.write(body.slice(0, 5));
    const stopped = docker("stop", "-t", "20", container);
    await until("the shutdown", 5_000, async () =>
      (await logs(container)).includes("Shutting down") ? true : undefined,
    );
    socket.write(body.slice(5));
    await closed;
    await stopped;
    expect(heard).toMatch(/HTTP\/1\.1 200 OK\r\n/);
    expect(await docker("inspect", "-f", "{{.State.ExitCode}}", container)).toBe("0");
  });
});

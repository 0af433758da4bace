import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { RunError, run } from "../../../shared/exec.ts";
import { until } from "../../support/until.ts";

const engines = resolve("sandbox/images/litellm");
const schema = resolve("test/sandbox/images/litellm-schema");

/** Prisma's URL of a database, with parameters that only Prisma knows. */
export function prismaUrl(host: string, database: string): string {
  return `postgresql://postgres:super@${host}:5432/${database}?connection_limit=4&pool_timeout=60`;
}

/** The schema engine over a copy of the migrations, to which more can be added. */
export async function openSchemaEngine(home: string, databaseUrl: string) {
  await cp(schema, home, { recursive: true });
  return {
    add: async (name: string, sql: string) => {
      await mkdir(join(home, "migrations", name));
      await writeFile(join(home, "migrations", name, "migration.sql"), sql);
    },
    prisma: async (...args: readonly string[]): Promise<{ code: number; output: string }> => {
      const main = join(engines, "schema-engine", "main.ts");
      const line = [`--chdir=${home}`, `DATABASE_URL=${databaseUrl}`, process.execPath, main, ...args];
      try {
        const { stdout, stderr } = await run("env", line);
        return { code: 0, output: stdout + stderr };
      } catch (error) {
        if (!(error instanceof RunError)) throw error;
        return { code: error.exitCode ?? -1, output: error.stdout + error.stderr };
      }
    },
  };
}

interface Answer {
  readonly data?: { readonly result: unknown };
  readonly errors?: readonly { readonly error: string; readonly user_facing_error: object }[];
}

/** The query engine as LiteLLM starts it. */
export async function openQueryEngine(databaseUrl: string) {
  const port = await freePort();
  const main = join(engines, "query-engine", "main.ts");
  const flags = ["-p", String(port), "--enable-metrics", "--enable-raw-queries"];
  const environment = { ...process.env, DATABASE_URL: databaseUrl, PRISMA_DML_PATH: join(schema, "schema.prisma") };
  const child = spawn(process.execPath, [main, ...flags], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let written = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (written += String(chunk)));
  const post = async (path: string, body: object, transaction?: string): Promise<Answer & { id?: string }> => {
    const headers: Record<string, string> = transaction === undefined ? {} : { "x-transaction-id": transaction };
    const response = await fetch(`http://localhost:${port}${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    return (await response.json()) as Answer;
  };
  await until("the query engine", 60_000, async () => {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${written}`);
    return (await fetch(`http://localhost:${port}/status`)).ok ? true : undefined;
  });
  const ask = (query: string, transaction?: string) => post("/", { query }, transaction);
  return {
    post,
    ask,
    /** The result of a query that succeeds. */
    result: async (query: string, transaction?: string): Promise<unknown> => {
      const answer = await ask(query, transaction);
      if (answer.data === undefined) throw new Error(JSON.stringify(answer));
      return answer.data.result;
    },
    raw: (sql: string, ...parameters: readonly unknown[]) =>
      `query { result: queryRaw(query: ${JSON.stringify(sql)}, parameters: ${JSON.stringify(JSON.stringify(parameters))}) }`,
    close: () => ended(child),
  };
}

/** Answers its exit code. */
function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((done) => {
    if (child.exitCode !== null) return done(child.exitCode);
    child.once("exit", done);
    child.kill("SIGINT");
  });
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "localhost", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

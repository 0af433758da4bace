import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

/** Of Prisma 5.4, whose protocol this speaks: its clients ask. */
const VERSION = "ac9d7041ed77bcc8a8dbd2ab6616b39013829574";

const { values } = parseArgs({
  options: {
    version: { type: "boolean" },
    port: { type: "string", short: "p" },
    "enable-metrics": { type: "boolean" },
    "enable-raw-queries": { type: "boolean" },
  },
});

if (values.version) {
  console.log(`query-engine ${VERSION}`);
} else {
  // Not for its version, which is asked for at each start.
  const [{ openEngine }, { engineServer }] = await Promise.all([import("./engine.ts"), import("./server.ts")]);
  const schema = readFileSync(required("PRISMA_DML_PATH"), "utf8");
  const engine = await openEngine(schema, databaseUrl());
  const server = engineServer(engine).listen(Number(values.port), "localhost");
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
    void engine.close().finally(() => process.exit(0));
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
}

/** A client may name another database than its environment. */
function databaseUrl(): string {
  const given = JSON.parse(process.env["OVERWRITE_DATASOURCES"] ?? "[]") as readonly { readonly url?: string }[];
  return given[0]?.url ?? required("DATABASE_URL");
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === "") throw new Error(`${variable} is not set`);
  return value;
}

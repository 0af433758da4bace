import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { readUrl } from "../query-engine/database-url.ts";
import { deploy, type Migration } from "./ledger.ts";

/** Stands for Prisma's command, for the two things that LiteLLM asks of it when it starts. */
const command = process.argv.slice(2).join(" ");
try {
  if (command === "--version") console.log("prisma : 5.4.2 (stand-in)");
  else if (command === "migrate deploy") await migrateDeploy("migrations");
  else throw new Error(`this image has no Prisma command: only \`migrate deploy\` is known, not \`${command}\``);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function migrateDeploy(folder: string): Promise<void> {
  const { connectionString } = readUrl(process.env["DATABASE_URL"] ?? "");
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const migrations = readMigrations(folder);
    console.log(`${migrations.length} migrations found in ${folder}`);
    const applied = await deploy(client, migrations);
    console.log(applied.length > 0 ? `Applied:\n${applied.join("\n")}` : "No pending migrations to apply.");
  } finally {
    await client.end();
  }
}

/** A migration is a folder with a script; their names begin with their dates. */
function readMigrations(folder: string): Migration[] {
  return readdirSync(folder)
    .toSorted()
    .map((name) => ({ name, script: join(folder, name, "migration.sql") }))
    .filter(({ script }) => existsSync(script))
    .map(({ name, script }) => ({ name, sql: readFileSync(script, "utf8") }));
}

import { z } from "zod";
import { OperatorError } from "../../shared/errors.ts";
import { closeWorld, openWorld, type World } from "../../sandbox/supervisor/client.ts";
import { faultSchema, type FaultSpec } from "../../sandbox/control/fault-injector.ts";
import { instanceOf, readWorldFile } from "../../sandbox/supervisor/instance.ts";
import { createScreen } from "../stack/terminal.ts";

const screen = createScreen();
const report = (line: string): void => screen.line(line);

/** The world of an instance that is up; refuses to bring one up for a question about it. */
export async function runningWorld(instance: string): Promise<World> {
  if ((await readWorldFile(instanceOf(instance))) === undefined) {
    throw new OperatorError({
      key: `sandbox ${instance}`,
      found: "not up",
      fix: instance === "sandbox" ? "run `vpai start`" : `run \`vpai start --instance ${instance}\``,
    });
  }
  return openWorld(instance, { report });
}

/** `vpai sandbox down`. */
export async function down(instance: string): Promise<void> {
  await closeWorld(instance, report);
  report(`sandbox ${instance} removed`);
}

const quoted = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

/** `export` lines that a POSIX shell evaluates. */
export function exportLines(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([key, value]) => `export ${key}=${quoted(value)}\n`)
    .join("");
}

/** `vpai sandbox env`. */
export async function env(instance: string): Promise<void> {
  const world = await runningWorld(instance);
  // With engine and plugins, so that plain `pulumi` works in that shell too.
  const { ensureToolchain } = await import("../../toolchain/toolchain.ts");
  const toolchain = await ensureToolchain(report);
  process.stdout.write(
    exportLines({
      ...toolchain.env,
      ...world.env(),
      VPAI_SANDBOX_GATEWAY: world.gateway,
      VPAI_SANDBOX_HTTPS_PORT: String(world.port),
    }),
  );
}

/** `vpai sandbox status`. */
export async function status(instance: string): Promise<void> {
  const world = await runningWorld(instance);
  const lines = Object.entries(await world.inventory()).map(([what, held]) => `${what}: ${inWords(held)}`);
  process.stdout.write(
    [`sandbox ${world.name} at ${world.subnet}, https://127.0.0.1:${world.port}`, ...lines, ""].join("\n"),
  );
}

/** A list of names, or one value, on one line. */
function inWords(held: unknown): string {
  const items = Array.isArray(held) ? held : [held];
  const words = items.map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
  return words.join(", ") || "none";
}

const names = faultSchema.options.map((option) => option.shape.name.value);

/** `times=3 serverType=cx23` → the fault as the sandbox takes it. Whole numbers become numbers. */
export function parseFault(name: string, settings: readonly string[]): FaultSpec {
  if (!names.some((known) => known === name)) {
    throw new OperatorError({ key: "fault", found: name, allowed: [...names, "clear"].join(", "), fix: "choose one" });
  }
  const entries = settings.map((setting): [string, string | number] => {
    const at = setting.indexOf("=");
    if (at < 1)
      throw new OperatorError({ key: `fault ${name}`, found: setting, allowed: "key=value", fix: "correct it" });
    const value = setting.slice(at + 1);
    return [setting.slice(0, at), /^\d+$/.test(value) ? Number(value) : value];
  });
  const parsed = faultSchema.safeParse({ name, ...Object.fromEntries(entries) });
  if (parsed.success) return parsed.data;
  const allowed = Object.keys(faultSchema.options.find((option) => option.shape.name.value === name)?.shape ?? {});
  throw new OperatorError({
    key: `fault ${name}`,
    found: z.prettifyError(parsed.error).replaceAll("\n", " "),
    allowed: allowed.filter((key) => key !== "name").join(", "),
    fix: "correct the settings",
  });
}

/** `vpai sandbox fault`. */
export async function fault(instance: string, name: string | undefined, settings: readonly string[]): Promise<void> {
  if (name === undefined) return void process.stdout.write(`${names.join("\n")}\n`);
  const spec = name === "clear" ? undefined : parseFault(name, settings);
  const world = await runningWorld(instance);
  await (spec ? world.inject(spec) : world.clearFaults());
  report(spec ? `${name} is in force` : "no fault is in force");
}

/** `vpai sandbox power-cut`. */
export async function powerCut(instance: string, server: string): Promise<void> {
  const world = await runningWorld(instance);
  await world.powerCut(server);
  report(`${server} is off`);
}

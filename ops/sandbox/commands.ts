import { OperatorError } from "../../shared/errors.ts";
import { closeWorld, openWorld, type World } from "../../sandbox/supervisor/client.ts";
import { faultSchema, type FaultSpec } from "../../sandbox/control/fault-injector.ts";
import { instanceOf, readWorldFile } from "../../sandbox/supervisor/instance.ts";
import { requireRunning } from "../stack/running-sandbox.ts";
import { createScreen } from "../stack/terminal.ts";

const screen = createScreen();
const report = (line: string): void => screen.line(line);

/** The world of an instance that is up; refuses to bring one up for a question about it. */
export async function runningWorld(instance: string): Promise<World> {
  await requireRunning(instance);
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
  // For the engine's own process: other Go programs of that shell have nothing to do with it.
  const { GOGC: _pace, ...engine } = toolchain.env;
  process.stdout.write(
    exportLines({
      ...engine,
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

/** The settings of each fault: their descriptions by key. */
const FAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = Object.fromEntries(
  faultSchema.options.map(({ shape: { name, ...settings } }) => [
    name.value,
    Object.fromEntries(Object.entries(settings).map(([key, rule]) => [key, describeRule(rule)])),
  ]),
);

function describeRule(rule: {
  readonly description?: string | undefined;
  safeParse(value: unknown): { success: boolean };
}) {
  return `${rule.safeParse(undefined).success ? "" : "needed: "}${rule.description ?? ""}`;
}

/** What `vpai sandbox fault` prints: every fault with its settings, and those in force. */
export function faultList(inForce: readonly FaultSpec[]): string {
  const faults = Object.entries(FAULTS).flatMap(([name, settings]) => [
    name,
    ...Object.entries(settings).map(([key, description]) => `  ${`${key}=`.padEnd(12)} ${description}`),
  ]);
  const active = inForce.map(({ name, ...settings }) => {
    const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    return `  ${[name, ...words].join(" ")}`;
  });
  return [...faults, "", `in force:${active.length === 0 ? " none" : ""}`, ...active, ""].join("\n");
}

/** `times=3 serverType=cx23` → the fault as the sandbox takes it. Whole numbers become numbers. */
export function parseFault(name: string, settings: readonly string[]): FaultSpec {
  const known = FAULTS[name];
  if (known === undefined) {
    const allowed = [...Object.keys(FAULTS), "clear"].join(", ");
    throw new OperatorError({ key: "fault", found: name, allowed, fix: "choose one" });
  }
  const key = (setting: string): string => `${setting} of fault ${name}`;
  const allowed = Object.keys(known).join(", ");
  const entries = settings.map((setting): [string, string | number] => {
    const at = setting.indexOf("=");
    const own = setting.slice(0, at);
    if (at < 1)
      throw new OperatorError({ key: `fault ${name}`, found: setting, allowed: "key=value", fix: "correct it" });
    if (!(own in known)) {
      throw new OperatorError({ key: `fault ${name}`, found: `no setting ${own}`, allowed, fix: "choose one" });
    }
    const value = setting.slice(at + 1);
    return [own, /^\d+$/.test(value) ? Number(value) : value];
  });
  const given = Object.fromEntries(entries);
  const parsed = faultSchema.safeParse({ name, ...given });
  if (parsed.success) return parsed.data;
  throw new OperatorError(
    parsed.error.issues.map(({ path, message }) => {
      const setting = String(path[0]);
      const found = setting in given ? String(given[setting]) : "not set";
      return { key: key(setting), found, allowed: message, fix: `\`vpai sandbox fault ${name} ${setting}=…\`` };
    }),
  );
}

/** `vpai sandbox fault`. */
export async function fault(instance: string, name: string | undefined, settings: readonly string[]): Promise<void> {
  if (name === undefined) {
    const up = (await readWorldFile(instanceOf(instance))) !== undefined;
    const inForce = up ? await (await runningWorld(instance)).faults() : [];
    return void process.stdout.write(faultList(inForce));
  }
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

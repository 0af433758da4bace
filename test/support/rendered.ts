import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { catalogue } from "../../stacks/catalogue.ts";
import { type Recorded, reveal } from "./mocks.ts";
import { cleanUp, runProgram } from "./program.ts";

/** Texts by path, below a service's folder. */
export type Rendered = Readonly<Record<string, string>>;

const ROOT = join(PROJECT_ROOT, "test/rendered");

/** Of the password "pencil"; a real one has a salt of its own in each run. */
const VERIFIER =
  "SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=";

/**
 * What the program renders for each service of the production stack: its files, what is set in it over its own API, and
 * its database. Taken from the recorded program, so a new service is in it without being named here. Secrets have the
 * values of mocks, and images have one tag, so that a newer image changes nothing.
 */
export async function renderServices(): Promise<Readonly<Record<string, Rendered>>> {
  const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
  const images = Object.fromEntries(
    catalogue.map(({ name, image }) => [name, `${image.pin.replace(/:[^:@/]+@.*$/, "")}:1.2.3@${digest}`]),
  );
  const { resources } = await runProgram("prod", false, {
    "vpai:images": images,
    "vpai:openaiApiKey": "sk-the-openai-key-of-this-test-0123456789",
    "vpai:vpn": { host: true },
    "vpai:telegramAllowFrom": [4711],
  });
  cleanUp();
  return Object.fromEntries(catalogue.map(({ name }) => [name, renderedOf(name, resources)]));
}

function renderedOf(service: string, resources: readonly Recorded[]): Rendered {
  const stdin = (part: string): string | undefined => {
    const found = resources.find(
      ({ name, type }) => name === `${service}-${part}` && type === "command:remote:Command",
    );
    return found && String(reveal(found.inputs["stdin"]));
  };
  const { config, ...host } = JSON.parse(stdin("files") ?? "{}") as {
    readonly digest?: string;
    readonly config?: { readonly path: string; readonly files: readonly { path: string; content: string }[] } | null;
  };
  const [database, provisioned] = [stdin("database"), stdin("provisioned")];
  return {
    ...Object.fromEntries((config?.files ?? []).map(({ path, content }) => [path, content])),
    "host.json": asJson({
      ...host,
      digest: undefined,
      config: config && { ...config, files: config.files.map((file) => ({ ...file, content: undefined })) },
    }),
    ...(database && { "database.sql": database.replaceAll(/SCRAM-SHA-256\$[^']+/g, () => VERIFIER) }),
    ...(provisioned && { "provision.json": asJson(JSON.parse(provisioned)) }),
  };
}

const asJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The fixtures of a service, or of everything that has a folder. */
export function readRendered(service: string): Rendered {
  const folder = join(ROOT, service);
  if (!existsSync(folder)) return {};
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    statSync(join(folder, file)).isFile(),
  );
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), "utf8")]));
}

/** Where a fixture is, for a validator that wants a file. */
export const renderedPath = (service: string, file = ""): string => join(ROOT, service, file);

export const renderedServices = (): string[] => readdirSync(ROOT).toSorted();

/** Makes the fixtures those texts and no others. */
export function writeRendered(services: Readonly<Record<string, Rendered>>): void {
  rmSync(ROOT, { recursive: true, force: true });
  for (const [service, files] of Object.entries(services)) {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(ROOT, service, file)), { recursive: true });
      writeFileSync(join(ROOT, service, file), text);
    }
  }
}

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { IMAGE_SOURCES } from "../image-sources.ts";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** Every name that one instance of the sandbox uses on this machine. Two clones or instances share none. */
export interface Instance {
  readonly name: string;
  /** Work folder, absolute: state/, ssh/, images.json, world.json, supervisor.log. */
  readonly dir: string;
  /** Work folder relative to the clone. */
  readonly relativeDir: string;
  /** Start of the name of each Docker object; also the network's name. */
  readonly prefix: string;
  /** Docker label `vpai.sandbox` of each of them. */
  readonly label: string;
  /** Network interface of its bridge: at most 15 characters. */
  readonly bridge: string;
  /** Start of the name of each iptables chain. */
  readonly chain: string;
}

export const LABEL = "vpai.sandbox";

const digest = (text: string, length: number): string =>
  createHash("sha256").update(text).digest("hex").slice(0, length);

/** The names of instance `name` of the clone at `clone`. */
export function instanceOf(name: string, clone: string = PROJECT_ROOT): Instance {
  if (!/^[a-z][a-z0-9-]{0,23}$/.test(name)) {
    throw new OperatorError({
      key: "sandbox instance",
      found: name,
      allowed: "1 to 24 of a-z, 0-9 and -, beginning with a letter",
      fix: "choose such a name",
    });
  }
  const place = digest(clone, 6);
  const own = digest(`${clone}\n${name}`, 8);
  const relativeDir = join(".vpai", name);
  return {
    name,
    dir: join(clone, relativeDir),
    relativeDir,
    prefix: `vpai-${place}-${name}`,
    label: `${place}-${name}`,
    bridge: `vpai${own}`,
    chain: `VPAI-${own}`,
  };
}

const worldFileSchema = z.strictObject({
  instance: z.string(),
  subnet: z.string(),
  gateway: z.string(),
  /** Bearer token of the control API. */
  token: z.string(),
  /** The simulated Hetzner project's API token. */
  hetznerToken: z.string(),
  /** The simulated model providers' API keys; empty in a file of the time before them. */
  anthropicKey: z.string().default(""),
  openaiKey: z.string().default(""),
  /** The simulated Object Storage's keys; the same. */
  backupAccessKeyId: z.string().default(""),
  backupSecretAccessKey: z.string().default(""),
  /** Port on 127.0.0.1 that leads to the server's 443. */
  port: z.int(),
  created: z.string(),
  /** Where its images come from; not there until it has had some, and in a file of the time before there was a choice. */
  images: z.enum(IMAGE_SOURCES).optional(),
});

/** What an instance has to remember of itself; `world.json`. */
export type WorldFile = z.infer<typeof worldFileSchema>;

/** What the instance remembers; undefined when it was never opened, or has been closed. */
export async function readWorldFile(instance: Instance): Promise<WorldFile | undefined> {
  const file = join(instance.dir, "world.json");
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return worldFileSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new OperatorError({
      key: join(instance.relativeDir, "world.json"),
      found: error instanceof Error ? error.message : String(error),
      fix: "run `npm run sandbox:down`, which does not need the file, and start again",
    });
  }
}

export async function writeWorldFile(instance: Instance, world: WorldFile): Promise<void> {
  await mkdir(instance.dir, { recursive: true, mode: 0o700 });
  const file = join(instance.dir, "world.json");
  await writeFile(`${file}.new`, `${JSON.stringify(world, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

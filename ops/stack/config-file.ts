import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/**
 * A stack file's settings by name below `vpai:`, read without the engine. Nothing is judged here: the program's schema
 * does so when it runs, and what has a wrong shape counts as not set until then.
 */
export class StackFile {
  readonly #config: Readonly<Record<string, unknown>>;

  constructor(text: string) {
    this.#config = (parse(text) as { config?: Record<string, unknown> } | null)?.config ?? {};
  }

  static read(stack: string, clone = PROJECT_ROOT): StackFile {
    return new StackFile(readFileSync(join(clone, `Pulumi.${stack}.yaml`), "utf8"));
  }

  get domain(): string | undefined {
    return text(this.#config["vpai:domain"]);
  }

  get size(): "standard" | "small" {
    return this.#config["vpai:size"] === "small" ? "small" : "standard";
  }

  /** Services that are left out. */
  get without(): readonly string[] {
    const value = decoded(this.#config["vpai:without"]);
    return Array.isArray(value) ? value.flatMap((name) => text(name) ?? []) : [];
  }

  /** Other images than the catalogue's, by service. */
  get images(): Readonly<Record<string, string>> {
    const value = decoded(this.#config["vpai:images"]);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
    return Object.fromEntries(
      Object.entries(value).flatMap(([service, pin]) => (typeof pin === "string" ? [[service, pin]] : [])),
    );
  }

  /** What the server is, as text: another one when it changes. */
  get machine(): string {
    return JSON.stringify(decoded(this.#config["vpai:vps"]) ?? {});
  }

  /** What `docker pull` on the server takes of an image: by the types that the server may be of, `os/architecture`. */
  get platforms(): readonly string[] {
    const vps = decoded(this.#config["vpai:vps"]) as
      { serverType?: unknown; serverTypeFallbacks?: unknown } | undefined;
    const fallbacks: unknown[] = Array.isArray(vps?.serverTypeFallbacks) ? vps.serverTypeFallbacks : [];
    const types = [vps?.serverType, ...fallbacks].flatMap((type) => text(type) ?? []);
    // Hetzner's cax are its ARM servers; of any other machine no architecture is known, and most are amd64.
    const platforms = types.map((type) => (type.startsWith("cax") ? "linux/arm64" : "linux/amd64"));
    return platforms.length === 0 ? ["linux/amd64"] : [...new Set(platforms)];
  }
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** `pulumi config set` without `--path` keeps lists and maps as text. */
function decoded(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
}

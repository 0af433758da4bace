import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Wanted } from "../../components/vps/hetzner/choose-offer.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { decodeSettings } from "../../stacks/settings/decode.ts";
import { type RawSettings, settingsSchema } from "../../stacks/settings/schema.ts";

type Key = keyof RawSettings;

/**
 * A stack file's settings, read without the engine. A value that the schema rejects counts as not set: the program
 * reports it when it runs, together with every other error.
 */
export class StackFile {
  readonly #raw: Readonly<Record<string, unknown>>;
  /** One line for each former name that the file uses. */
  readonly notices: readonly string[];

  constructor(text: string) {
    const { config = {} } = (parse(text) as { config?: Record<string, unknown> } | null) ?? {};
    const own = Object.entries(config).flatMap(([key, value]) =>
      key.startsWith("vpai:") ? [[key.slice("vpai:".length), value]] : [],
    );
    const { raw, notices } = decodeSettings(Object.fromEntries(own));
    this.#raw = raw;
    this.notices = notices;
  }

  static read(stack: string, clone = PROJECT_ROOT): StackFile {
    return new StackFile(readFileSync(join(clone, `Pulumi.${stack}.yaml`), "utf8"));
  }

  /** The value of a setting, or its default; undefined where it is required and not set. */
  #get<K extends Key>(key: K): RawSettings[K] | undefined {
    const schema = settingsSchema.shape[key];
    const { data } =
      [this.#raw[key], undefined].map((value) => schema.safeParse(value)).find(({ success }) => success) ?? {};
    return data as RawSettings[K] | undefined;
  }

  get domain(): string | undefined {
    return this.#get("domain");
  }

  /** Who issues the certificates of the public hosts. */
  get issuer(): string {
    return this.#get("tls")?.issuer ?? "letsencrypt";
  }

  get size(): RawSettings["size"] {
    return this.#get("size") ?? "standard";
  }

  get disabledServices(): readonly string[] {
    return this.#get("disabledServices") ?? [];
  }

  /** Where its backups go; undefined where it has none. */
  get backup(): RawSettings["backup"] {
    return this.#get("backup");
  }

  /** The VPN that the server is a member of. */
  get vpn(): RawSettings["vpn"] {
    return this.#get("vpn") ?? settingsSchema.shape.vpn.parse(undefined);
  }

  /** Whether irreplaceable resources refuse to be deleted. */
  get protect(): boolean {
    return this.#get("protect") ?? true;
  }

  /** Where the server comes from; undefined where that is not set. */
  get provider(): NonNullable<RawSettings["vps"]>["provider"] | undefined {
    return this.#get("vps")?.provider;
  }

  get atHetzner(): boolean {
    return this.provider === "hetzner";
  }

  /** What to order at Hetzner; undefined for a server of another provider. */
  get wanted(): Wanted | undefined {
    const vps = this.#get("vps");
    if (vps?.provider !== "hetzner") return undefined;
    return { types: [vps.serverType, ...vps.serverTypeFallbacks], locations: [vps.location, ...vps.locationFallbacks] };
  }

  /** Image overrides by service. */
  get images(): Readonly<Record<string, string>> {
    return this.#get("images") ?? {};
  }

  /** What the server is, as text: another one when it changes. */
  get machine(): string {
    return JSON.stringify(this.#raw["vps"] ?? {});
  }

  /** What `docker pull` on the server takes of an image: by the types that the server may be of, `os/architecture`. */
  get platforms(): readonly string[] {
    const types = this.wanted?.types ?? [];
    // Hetzner's cax are its ARM servers; of any other machine no architecture is known, and most are amd64.
    const platforms = types.map((type) => (type.startsWith("cax") ? "linux/arm64" : "linux/amd64"));
    return platforms.length === 0 ? ["linux/amd64"] : [...new Set(platforms)];
  }
}

import type { Fault } from "../../shared/errors.ts";
import type { ImageRef } from "../../shared/image-ref.ts";
import { RegistryTrouble } from "../../shared/registry/response.ts";
import { judge, type Verdict } from "./manifest-status.ts";
import type { Registries } from "../../shared/registry/client.ts";

/** An image of a deployment. */
export interface WantedImage {
  readonly pin: ImageRef;
  /** The services that run it. */
  readonly services: readonly string[];
}

export interface Finding extends WantedImage {
  readonly verdict: Verdict;
}

/** Requests under way at a time. */
export const AT_ONCE = 4;

export interface CheckOptions {
  /** `os/architecture` that each image must have. */
  readonly platforms: readonly string[];
  /** Platforms learned before, by pin. */
  readonly known?: Readonly<Record<string, readonly string[]>>;
  readonly report?: (line: string) => void;
}

/** Asks for each image at its registry, a few at a time. A registry that does not answer is not asked again. */
export async function checkImages(
  registries: Registries,
  images: readonly WantedImage[],
  { platforms, known = {}, report = () => undefined }: CheckOptions,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const down = new Set<string>();
  const queue = images.entries();
  const width = Math.max(...images.map(({ services }) => services.join(", ").length), 0);
  const work = async (): Promise<void> => {
    for (const [index, image] of queue) {
      const { pin } = image;
      const verdict: Verdict = down.has(pin.host)
        ? { kind: "not-asked" }
        : await ask(registries, pin, platforms, known[pin.text]);
      if (verdict.kind === "open") down.add(pin.host);
      findings[index] = { ...image, verdict };
      report(lineOf({ ...image, verdict }, width));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return findings;
}

async function ask(
  registries: Registries,
  pin: ImageRef,
  platforms: readonly string[],
  known: readonly string[] | undefined,
): Promise<Verdict> {
  try {
    return judge(pin, await registries.manifest(pin, pin.digest, known ? "HEAD" : "GET"), platforms, known);
  } catch (error) {
    if (!(error instanceof RegistryTrouble)) throw error;
    return { kind: "open", reason: error.message, retryAfterSeconds: error.retryAfterSeconds };
  }
}

/** One line an image, as progress; the services' names take `width`. */
export function lineOf({ pin, services, verdict }: Finding, width: number): string {
  const sign = verdict.kind === "there" ? "✓" : verdict.kind === "not-asked" ? "-" : "✗";
  return `${sign} ${services.join(", ").padEnd(width)}  ${pin.repository}:${pin.tag}  ${inWords(verdict)}`;
}

function inWords(verdict: Verdict): string {
  switch (verdict.kind) {
    case "there":
      return verdict.platforms.join(" ");
    case "not-found":
      return `not found: ${verdict.reason}`;
    case "refused":
      return `refused (${verdict.status}): no such repository, or not a public one`;
    case "not-index":
      return `not an index of platforms (${verdict.type})`;
    case "no-platform":
      return `not for ${verdict.missing.join(", ")}, only for ${verdict.platforms.join(", ") || "nothing"}`;
    case "altered":
      return "the registry answers something else than what the digest stands for";
    case "open":
      return `${verdict.reason}${verdict.retryAfterSeconds === undefined ? "" : `; retry after ${verdict.retryAfterSeconds} s`}`;
    case "not-asked":
      return "not asked";
  }
}

export interface FaultWords {
  /** Whether the service's image is the stack file's, not the catalogue's. */
  readonly replaced: (service: string) => boolean;
  /** What to do about an image that is not available; @default by where its pin is written */
  readonly fix?: string;
  /** What to do about a registry. */
  readonly again: string;
}

/** Everything that is wrong: one fault an image, and one a registry that does not do its part. */
export function faultsOf(findings: readonly Finding[], words: FaultWords): Fault[] {
  const images = findings.flatMap((finding) => imageFault(finding, words) ?? []);
  const registries = [...new Set(findings.map(({ pin }) => pin.host))].flatMap(
    (host) => registryFault(host, findings, words) ?? [],
  );
  return [...images, ...registries];
}

function imageFault({ pin, services, verdict }: Finding, { replaced, fix }: FaultWords): Fault | undefined {
  if (verdict.kind === "there" || verdict.kind === "open" || verdict.kind === "not-asked") return undefined;
  const [first = ""] = services;
  const stackFile = replaced(first);
  return {
    key: stackFile ? `vpai:images.${first}` : `image of ${services.join(", ")}`,
    found: `${pin.text}: ${inWords(verdict)}`,
    allowed: `an image that ${pin.host} has, pinned by the digest of the index of its platforms`,
    fix:
      fix ??
      (stackFile
        ? `\`pulumi config set --path vpai:images.${first} <another>\`, or \`pulumi config rm --path vpai:images.${first}\``
        : `\`./vpai images update ${first}\` proposes another; the pin is in components/images.ts`),
  };
}

function registryFault(host: string, findings: readonly Finding[], { again }: FaultWords): Fault | undefined {
  const own = findings.filter(({ pin }) => pin.host === host);
  const trouble = own.flatMap(({ verdict }) => (verdict.kind === "open" ? [verdict] : []))[0];
  if (trouble === undefined) return undefined;
  const open = own.filter(({ verdict }) => verdict.kind === "open" || verdict.kind === "not-asked");
  return {
    key: `registry ${host}`,
    found: `${inWords(trouble)} (it has the image of ${open.flatMap(({ services }) => services).join(", ")})`,
    fix: again,
  };
}

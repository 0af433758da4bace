import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { offersFile } from "../../sandbox/hetzner/state/offers.ts";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { formatted } from "../dev/derived.ts";
import { createScreen } from "../stack/terminal.ts";
import { type OfferAnswers, offersFrom, PROGRAM_TABLE, programTable } from "./offers.ts";

const PUBLIC_API = "https://api.hetzner.cloud/v1";

async function get(endpoint: string, token: string, path: string): Promise<Record<string, unknown>> {
  let response: Response;
  try {
    response = await fetch(`${endpoint}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(30_000),
    });
  } catch (error) {
    // fetch says why only in its error's cause.
    const { cause = error } = error as { readonly cause?: unknown };
    throw new OperatorError({
      key: "Hetzner API",
      found: `${endpoint} is not reachable (${String(cause)})`,
      fix: "run this where the API is reachable (HCLOUD_ENDPOINT selects another); the tables are unchanged",
    });
  }
  if (response.status === 401) {
    throw new OperatorError({
      key: "HCLOUD_TOKEN",
      found: `rejected by ${endpoint}`,
      allowed: "an API token of any project; read access suffices",
      fix: "create one in the Hetzner console and export it",
    });
  }
  const body = await response.json().catch(() => undefined);
  if (!response.ok || typeof body !== "object" || body === null) {
    throw new OperatorError({
      key: "Hetzner API",
      found: `GET ${path} answered ${response.status}`,
      fix: "retry later; the tables are unchanged",
    });
  }
  return body as Record<string, unknown>;
}

/** All pages of a list. */
async function list(endpoint: string, token: string, key: string): Promise<unknown[]> {
  const items: unknown[] = [];
  for (let page: number | null | undefined = 1; typeof page === "number";) {
    const body = await get(endpoint, token, `/${key}?per_page=50&page=${page}`);
    items.push(...((body[key] as unknown[] | undefined) ?? []));
    const meta = body["meta"] as { pagination?: { next_page?: number | null } } | undefined;
    page = meta?.pagination?.next_page;
  }
  return items;
}

export interface RefreshOptions {
  readonly endpoint: string;
  readonly token: string;
  /** ISO 8601 date. */
  readonly today: string;
  /** The simulator's table. */
  readonly offersFile: string;
  /** The program's table. */
  readonly programFile: string;
}

/** Reads everything, then writes both tables; a failure before that leaves them as they are. */
export async function refresh({ endpoint, token, today, ...files }: RefreshOptions): Promise<string> {
  const [serverTypes, locations, price] = await Promise.all([
    list(endpoint, token, "server_types"),
    list(endpoint, token, "locations"),
    get(endpoint, token, "/pricing"),
  ]);
  const answers: OfferAnswers = { serverTypes, locations, pricing: price["pricing"] };
  const offers = offersFrom(answers, endpoint, today);
  const texts = [
    [files.offersFile, await formatted("offers.json", JSON.stringify(offers))],
    [files.programFile, await formatted(PROGRAM_TABLE, programTable(offers))],
  ] as const;
  for (const [file, text] of texts) {
    await writeFile(`${file}.new`, text);
  }
  for (const [file] of texts) {
    await rename(`${file}.new`, file);
  }
  return `${offers.serverTypes.length} server types at ${offers.locations.length} locations, as of ${today}`;
}

/** `vpai sandbox refresh-offers`. */
export async function refreshOffers(): Promise<void> {
  const token = process.env["HCLOUD_TOKEN"] ?? "";
  if (token === "") {
    throw new OperatorError({
      key: "HCLOUD_TOKEN",
      found: "not set",
      allowed: "an API token of any Hetzner project; read access suffices",
      fix: "export it, then run `vpai sandbox refresh-offers` again",
    });
  }
  const summary = await refresh({
    endpoint: process.env["HCLOUD_ENDPOINT"] ?? PUBLIC_API,
    token,
    today: new Date().toISOString().slice(0, 10),
    offersFile,
    programFile: join(PROJECT_ROOT, PROGRAM_TABLE),
  });
  createScreen().line(summary);
}

import type { FastifyReply, FastifyRequest } from "fastify";

import { invalidField } from "./errors.ts";
import { parseSelector } from "./labels.ts";
import type { Labels } from "../state/model.ts";
import type { ListAnswer, Pagination } from "./types.ts";

type Query = Readonly<Record<string, string | string[] | undefined>>;

/** By what a list can be narrowed and sorted. */
export interface Filters<T> {
  readonly filters?: Readonly<Record<string, (item: T) => string>>;
  readonly labels?: (item: T) => Labels;
  /** Sort field → the item's value. */
  readonly sorts?: Readonly<Record<string, (item: T) => string | number>>;
}

/** What a list endpoint can be asked. */
export interface Listing<K extends string, T, V> extends Filters<T> {
  /** The JSON field of the list, like `servers`. */
  readonly key: K;
  readonly view: (item: T) => V;
  /** Query parameter → the item's value; may be given several times, then any matches. */
}

function values(query: Query, name: string): string[] {
  const value = query[name];
  return value === undefined ? [] : [value].flat();
}

function positive(query: Query, name: string, fallback: number, most: number): number {
  const text = values(query, name)[0];
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw invalidField(name, `must be a whole number from 1 to ${most}`);
  }
  return value;
}

function filtered<T>(items: readonly T[], query: Query, listing: Filters<T>): T[] {
  let kept = [...items];
  for (const [name, of] of Object.entries(listing.filters ?? {})) {
    // The official CLI sends `name=` for a name it does not have: that is no filter.
    const wanted = values(query, name).filter((value) => value !== "");
    if (wanted.length > 0) {
      kept = kept.filter((item) => wanted.includes(of(item)));
    }
  }
  const { labels } = listing;
  for (const text of values(query, "label_selector").filter((value) => value !== "")) {
    const selector = parseSelector(text);
    kept = kept.filter((item) => labels === undefined || selector(labels(item)));
  }
  return kept;
}

function sorted<T>(items: T[], query: Query, listing: Filters<T>): T[] {
  const orders = values(query, "sort")
    .flatMap((text) => text.split(","))
    .map((text) => {
      const [field = "", direction = "asc"] = text.split(":");
      const of = listing.sorts?.[field];
      if (of === undefined || (direction !== "asc" && direction !== "desc")) {
        throw invalidField("sort", `cannot sort by '${text}'`);
      }
      return { of, sign: direction === "asc" ? 1 : -1 };
    });
  return items.sort((a, b) => {
    for (const { of, sign } of orders) {
      const [left, right] = [of(a), of(b)];
      if (left !== right) {
        return left < right ? -sign : sign;
      }
    }
    return 0;
  });
}

/** Filters, sorts and cuts a page: https://docs.hetzner.cloud/#pagination (25 a page, at most 50). */
export function answerList<const K extends string, T, V>(
  request: FastifyRequest,
  reply: FastifyReply,
  items: readonly T[],
  listing: Listing<K, T, V>,
): ListAnswer<K, V> {
  const query = request.query as Query;
  const all = sorted(filtered(items, query, listing), query, listing);
  const perPage = positive(query, "per_page", 25, 50);
  const page = positive(query, "page", 1, Number.MAX_SAFE_INTEGER);
  const last = Math.max(1, Math.ceil(all.length / perPage));
  const pagination: Pagination = {
    page,
    per_page: perPage,
    previous_page: page > 1 ? page - 1 : null,
    next_page: page < last ? page + 1 : null,
    last_page: last,
    total_entries: all.length,
  };
  const links = [
    ["prev", pagination.previous_page],
    ["next", pagination.next_page],
    ["last", last],
  ].flatMap(([rel, to]) => (to === null ? [] : [`<${link(request, Number(to))}>; rel="${rel}"`]));
  reply.header("link", links.join(", "));
  const shown = all.slice((page - 1) * perPage, page * perPage).map(listing.view);
  return { [listing.key]: shown, meta: { pagination } } as ListAnswer<K, V>;
}

function link(request: FastifyRequest, page: number): string {
  const url = new URL(request.url, `${request.protocol}://${request.host}`);
  url.searchParams.set("page", String(page));
  return url.href;
}

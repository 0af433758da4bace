import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "../../../shared/errors.ts";
import { callHetzner, type HetznerAccess, type HetznerResponse, unexpected } from "../../vps/hetzner/api.ts";
import { canonicalValue, type DnsRecord, quotedValue, setKey } from "../record.ts";
import type { Zone, ZoneChanges, ZoneRecord } from "../zone.ts";

interface RecordSet {
  readonly name: string;
  readonly type: string;
  readonly ttl: number | null;
  readonly records: readonly { readonly value: string }[];
}

interface Action {
  readonly id: number;
  readonly status: "running" | "success" | "error";
  readonly error?: { readonly code: string; readonly message: string } | null;
}

const ACTION_MS = 120_000;

/** A zone of Hetzner's DNS, which is a part of its Cloud API: sets of records, served as they are written. */
export class HetznerZone implements Zone {
  readonly name: string;
  readonly #access: HetznerAccess;

  constructor(name: string, access: HetznerAccess) {
    this.name = name;
    this.#access = access;
  }

  async find(names: readonly string[]): Promise<ZoneRecord[]> {
    const found: ZoneRecord[] = [];
    for (const name of new Set(names)) {
      const path = `/rrsets?name=${encodeURIComponent(name || "@")}&per_page=50`;
      const { body } = await this.#call("GET", path);
      const sets = ((body["rrsets"] ?? []) as RecordSet[]).filter((set) => set.name === (name || "@"));
      found.push(...sets.flatMap(recordsOf));
    }
    return found;
  }

  async write({ create, update, remove }: ZoneChanges): Promise<void> {
    const touched = [...create, ...update.map(({ to }) => to), ...remove];
    for (const key of new Set(touched.map(setKey))) {
      const of = <T extends DnsRecord>(records: readonly T[]): T[] => records.filter((each) => setKey(each) === key);
      const [first] = of<DnsRecord>(touched);
      if (first === undefined) continue;
      const found = of(await this.find([first.name]));
      const replaced = new Set([...update.map(({ from }) => from.id), ...of(remove).map(({ id }) => id)]);
      const left = found.filter(({ id }) => !replaced.has(id));
      const made = [...of(create), ...of(update.map(({ to }) => to))];
      await this.#set(first, found, [...left, ...made], made[0]?.ttl ?? first.ttl);
    }
  }

  /** Nothing to do: what is written is served. */
  async publish(): Promise<void> {
    await Promise.resolve();
  }

  async tryRights(): Promise<void> {
    await this.#call("GET", "");
    // No set has this name: the request tries the right and changes nothing.
    await this.#call("DELETE", "/rrsets/_vpai-rights/TXT", undefined, [404]);
  }

  async #set(of: DnsRecord, found: readonly DnsRecord[], records: readonly DnsRecord[], ttl: number): Promise<void> {
    const path = `/rrsets/${encodeURIComponent(of.name || "@")}/${of.type}`;
    const values = [...new Set(records.map(quotedValue))].map((value) => ({ value }));
    if (values.length === 0) return this.#act("DELETE", path, undefined, [404]);
    if (found.length === 0)
      return this.#act("POST", "/rrsets", { name: of.name || "@", type: of.type, ttl, records: values });
    const same =
      found.length === values.length && found.every((each) => records.some(({ value }) => value === each.value));
    if (!same) await this.#act("POST", `${path}/actions/set_records`, { records: values });
    if (found.some((each) => each.ttl !== ttl)) await this.#act("POST", `${path}/actions/change_ttl`, { ttl });
  }

  /** A request that starts an action, and the wait for its end. */
  async #act(method: "POST" | "DELETE", path: string, json?: unknown, accepted: readonly number[] = []): Promise<void> {
    const { body } = await this.#call(method, path, json, accepted);
    let action = body["action"] as Action | undefined;
    const deadline = Date.now() + ACTION_MS;
    while (action?.status === "running") {
      if (Date.now() > deadline)
        throw new Error(`Hetzner: ${method} ${path} has not ended within ${ACTION_MS / 1_000} s`);
      await (this.#access.pause ?? sleep)(300);
      const answer = await callHetzner(this.#access, "GET", `/zones/actions/${action.id}`);
      if (answer.status !== 200) throw unexpected("GET", `/zones/actions/${action.id}`, answer);
      action = answer.body["action"] as Action;
    }
    if (action?.status === "error") throw new Error(`Hetzner: ${method} ${path}: ${action.error?.message ?? "failed"}`);
  }

  async #call(
    method: "GET" | "POST" | "DELETE",
    path: string,
    json?: unknown,
    accepted: readonly number[] = [],
  ): Promise<HetznerResponse> {
    const at = `/zones/${encodeURIComponent(this.name)}${path}`;
    const answer = await callHetzner(this.#access, method, at, json);
    if (answer.status < 300 || accepted.includes(answer.status)) return answer;
    if (answer.status === 404 && path === "") {
      throw new OperatorError({
        key: "vpai:dns.zone",
        found: `${this.name}, which the project of vpai:hetznerToken does not have`,
        allowed: "a DNS zone of the Hetzner project",
        fix: "correct the zone, or make it in that project (Hetzner's console, DNS)",
      });
    }
    throw unexpected(method, at, answer);
  }
}

const recordsOf = ({ name, type, ttl, records }: RecordSet): ZoneRecord[] =>
  records.map(({ value }) => ({
    id: `${name}/${type}/${value}`,
    name: name === "@" ? "" : name,
    type,
    value: canonicalValue(type, value),
    // Null is the zone's own.
    ttl: ttl ?? 0,
  }));

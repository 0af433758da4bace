import { OperatorError } from "../../../shared/errors.ts";
import { canonicalValue, type DnsRecord, quotedValue } from "../record.ts";
import type { Zone, ZoneChanges, ZoneRecord } from "../zone.ts";
import { type Method, OvhClient, OvhError, type OvhOptions } from "./client.ts";

interface OvhRecord {
  readonly id: number;
  readonly subDomain: string;
  readonly fieldType: string;
  readonly target: string;
  readonly ttl: number;
}

/** No record has this id: requests for it try a right and change nothing. */
const NO_RECORD = 0;

/** A zone at OVH. */
export class OvhZone implements Zone {
  readonly name: string;
  readonly #client: OvhClient;
  readonly #path: string;

  constructor(name: string, options: OvhOptions) {
    this.name = name;
    this.#client = new OvhClient(options);
    this.#path = `/domain/zone/${name}`;
  }

  async find(names: readonly string[]): Promise<ZoneRecord[]> {
    const wanted = new Set(names);
    const found: ZoneRecord[] = [];
    for (const id of await this.#ids(wanted)) {
      const record = await this.#record(id);
      if (record && wanted.has(record.name)) found.push(record);
    }
    return found;
  }

  /** Records that may be at one of the names; found with as few requests as possible. */
  async #ids(names: ReadonlySet<string>): Promise<Set<number>> {
    const all = await this.#call<number[]>("GET", "/record");
    if (all.length <= 2 * names.size) return new Set(all);
    const ids: number[] = [];
    for (const name of names) ids.push(...(await this.#call<number[]>("GET", "/record", { subDomain: name })));
    return new Set(ids);
  }

  async write({ create, update, remove }: ZoneChanges): Promise<void> {
    for (const record of create) await this.#create(record);
    for (const { from, to } of update) {
      // The type cannot be changed, and the name need not be.
      await this.#call("PUT", `/record/${from.id}`, { target: quotedValue(to), ttl: to.ttl });
    }
    for (const { id } of remove) await this.#remove(id);
  }

  async publish(): Promise<void> {
    await this.#call("POST", "/refresh");
  }

  async tryRights(): Promise<void> {
    await this.#call("GET", "");
    await this.#call("GET", "/record", { subDomain: "_vpai" });
    await this.#trial("GET", `/record/${NO_RECORD}`);
    // Without a type and a target, and for no record: refused for that, after the rights were looked at.
    await this.#trial("POST", "/record");
    await this.#trial("PUT", `/record/${NO_RECORD}`);
    await this.#trial("DELETE", `/record/${NO_RECORD}`);
    // What is in the zone is served already, or its owner meant it to be.
    await this.publish();
  }

  async #record(id: number): Promise<ZoneRecord | undefined> {
    try {
      const { subDomain, fieldType, target, ttl } = await this.#call<OvhRecord>("GET", `/record/${id}`);
      return { id: String(id), name: subDomain, type: fieldType, value: canonicalValue(fieldType, target), ttl };
    } catch (error) {
      if (error instanceof OvhError && error.status === 404) return undefined; // removed meanwhile
      throw error;
    }
  }

  async #create(record: DnsRecord): Promise<void> {
    const { name, type, ttl } = record;
    const params = { subDomain: name, fieldType: type, target: quotedValue(record), ttl };
    // A request without an answer may have been carried out: a second one would make a second record.
    const made = async (): Promise<true | undefined> => {
      const found = await this.find([name]);
      return found.some((each) => each.type === type && each.value === record.value) ? true : undefined;
    };
    await this.#call("POST", "/record", params, made);
  }

  async #remove(id: string): Promise<void> {
    try {
      await this.#call("DELETE", `/record/${id}`);
    } catch (error) {
      if (!(error instanceof OvhError && error.status === 404)) throw error;
    }
  }

  async #trial(method: Method, path: string): Promise<void> {
    try {
      await this.#call(method, path);
    } catch (error) {
      if (!(error instanceof OvhError && (error.status === 400 || error.status === 404))) throw error;
    }
  }

  async #call<T = unknown>(
    method: Method,
    path: string,
    params?: Readonly<Record<string, unknown>>,
    again?: () => Promise<unknown>,
  ): Promise<T> {
    try {
      return (await this.#client.call(method, `${this.#path}${path}`, params, again)) as T;
    } catch (error) {
      if (!(error instanceof OvhError)) throw error;
      if (error.status === 404 && method === "GET" && ["", "/record"].includes(path)) throw this.#noZone(error);
      if (error.status === 401 || error.status === 403 || isRefused(error)) throw this.#refused(method, path, error);
      throw error;
    }
  }

  #noZone(error: OvhError): OperatorError {
    return new OperatorError({
      key: "vpai:dns.zone",
      found: `${this.name}, which the account of the key does not have (${error.message})`,
      allowed: "a DNS zone of the OVH account that made vpai:ovhConsumerKey",
      fix: "correct the zone, or make the keys in the account that has it",
    });
  }

  #refused(method: Method, path: string, error: OvhError): OperatorError {
    const rights = ["GET", "POST", "PUT", "DELETE"].map((each) => `${each}=/domain/zone/${this.name}*`).join("&");
    return new OperatorError({
      key: "vpai:ovhApplicationKey, vpai:ovhApplicationSecret, vpai:ovhConsumerKey",
      found: `refused by OVH for ${method} /domain/zone/${this.name}${path} (${error.message})`,
      allowed: `keys with GET, POST, PUT and DELETE on /domain/zone/${this.name}*`,
      fix: `make them at https://eu.api.ovh.com/createToken/?${rights}, then set all three with \`pulumi config set --secret\``,
    });
  }
}

/** OVH answers 400 to a signature that is wrong. */
const isRefused = ({ status, message }: OvhError): boolean =>
  status === 400 && /invalid (signature|key|credential)|application key/i.test(message);

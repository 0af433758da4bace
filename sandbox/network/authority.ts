import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Answer, type Packet, AUTHORITATIVE_ANSWER, decode, encode, type StringAnswer } from "dns-packet";

/** A record as it is served. */
export interface ServedRecord {
  /** Absolute, without a dot at its end. */
  readonly name: string;
  readonly type: string;
  /** As a zone file has it. */
  readonly value: string;
  readonly ttl: number;
}

/** A zone at the moment of a question. */
export interface ServedZone {
  readonly name: string;
  readonly serial: number;
  readonly records: readonly ServedRecord[];
}

const NXDOMAIN = 3;
const REFUSED = 5;

/** The answer of a name server to one question about zones that it is the authority of (RFC 1035). */
export function answerFrom(zones: readonly ServedZone[], query: Packet): Packet {
  const [question] = query.questions ?? [];
  const base = { id: query.id ?? 0, type: "response" as const, questions: query.questions ?? [] };
  if (question === undefined) return { ...base, flags: REFUSED };
  const asked = question.name.toLowerCase();
  const zone = zones
    .filter(({ name }) => asked === name || asked.endsWith(`.${name}`))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
  if (zone === undefined) return { ...base, flags: REFUSED };
  const at = zone.records.filter(({ name }) => name.toLowerCase() === asked);
  const alias = at.filter(({ type }) => type === "CNAME");
  const answers = at.filter(({ type }) => type === question.type);
  const start: Answer[] = asked === zone.name && question.type === "SOA" ? [soa(zone)] : [];
  const found = [...start, ...(answers.length > 0 ? answers : alias).map(answerOf)];
  const exists = at.length > 0 || asked === zone.name || zone.records.some(({ name }) => name.endsWith(`.${asked}`));
  return {
    ...base,
    flags: AUTHORITATIVE_ANSWER | (exists ? 0 : NXDOMAIN),
    answers: found,
    authorities: found.length > 0 ? [] : [soa(zone)],
  };
}

function soa({ name, serial }: ServedZone): Answer {
  const data = { mname: `ns.${name}`, rname: `hostmaster.${name}`, serial, refresh: 3600, retry: 600, expire: 86_400 };
  return { name, type: "SOA", ttl: 60, data: { ...data, minimum: 60 } };
}

const texts = (value: string): string[] => [...value.matchAll(/"([^"]*)"/g)].map(([, text]) => text ?? "");

function answerOf({ name, type, value, ttl }: ServedRecord): Answer {
  const common = { name, ttl, class: "IN" as const };
  if (type === "TXT") return { ...common, type, data: value.startsWith('"') ? texts(value) : [value] };
  if (type === "CAA") {
    const [, flags, tag, issuer = ""] = /^(\d+)\s+(\S+)\s+"?([^"]*)"?$/.exec(value) ?? [];
    return { ...common, type, data: { flags: Number(flags), tag: tag as "issue", value: issuer } };
  }
  return { ...common, type: type as StringAnswer["type"], data: value.replace(/\.$/, "") };
}

export interface Authority {
  /** `address:port`, for a resolver's list of servers. */
  readonly server: string;
  close(): Promise<void>;
}

/** Starts a name server on UDP: `zones` is asked anew for each question. */
export async function startAuthority(
  host: string,
  port: number,
  zones: () => readonly ServedZone[],
  onQuestion: (name: string) => void = () => undefined,
): Promise<Authority> {
  const socket = createSocket("udp4");
  socket.on("message", (message, peer) => {
    const query = decode(message);
    onQuestion(query.questions?.[0]?.name ?? "");
    socket.send(encode(answerFrom(zones(), query)), peer.port, peer.address);
  });
  socket.bind(port, host);
  await once(socket, "listening");
  return {
    server: `${host}:${socket.address().port}`,
    close: async () => {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

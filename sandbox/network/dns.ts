import { createSocket } from "node:dgram";
import { once } from "node:events";

const [TYPE_A, CLASS_IN, NXDOMAIN, TTL_SECONDS] = [1, 1, 3, 60];

/**
 * The answer to one DNS query (RFC 1035): `address` for a known name's A, no record for its other types, and
 * NXDOMAIN for any other name, at once: nothing in the sandbox shall wait for a resolver's time-out.
 * Undefined when the message is not a query with one question.
 */
export function answerDns(query: Buffer, names: ReadonlySet<string>, address: string): Buffer | undefined {
  if (query.length < 17 || (query.readUInt16BE(2) & 0x8000) !== 0 || query.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]; length !== 0; length = query[at]) {
    if (length === undefined || length > 63 || at + 1 + length >= query.length) return undefined;
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5;
  if (end > query.length) return undefined;
  const known = names.has(labels.join(".").toLowerCase());
  const answers = known && query.readUInt16BE(at + 1) === TYPE_A;

  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  const recursionDesired = query.readUInt16BE(2) & 0x0100;
  header.writeUInt16BE(0x8480 | recursionDesired | (known ? 0 : NXDOMAIN), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers ? 1 : 0, 6);
  return Buffer.concat([header, query.subarray(12, end), ...(answers ? [addressRecord(address)] : [])]);
}

function addressRecord(address: string): Buffer {
  const record = Buffer.alloc(16);
  // The name is the question's, by pointer.
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(CLASS_IN, 4);
  record.writeUInt32BE(TTL_SECONDS, 6);
  record.writeUInt16BE(4, 10);
  address.split(".").forEach((octet, index) => record.writeUInt8(Number(octet), 12 + index));
  return record;
}

/** The resolver of the sandbox's servers, on UDP port 53 of the gateway: `names` are the gateway, others are not. */
export async function startDns(gateway: string, names: ReadonlySet<string>): Promise<{ close(): Promise<void> }> {
  const socket = createSocket("udp4");
  socket.on("message", (query, peer) => {
    const answer = answerDns(query, names, gateway);
    if (answer) socket.send(answer, peer.port, peer.address);
  });
  socket.bind(53, gateway);
  await once(socket, "listening");
  return {
    close: async () => {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

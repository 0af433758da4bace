import { createHash } from "node:crypto";

import type { FastifyInstance } from "fastify";
import { z } from "zod";

import { type Cloud } from "../state/cloud.ts";
import { timestamp } from "../state/time.ts";
import { invalidField, notFound, notUnique } from "../wire/errors.ts";
import { answerList } from "../wire/listing.ts";
import type { SshKeyRecord } from "../state/model.ts";
import { body, labels, pathId, resourceName } from "../wire/requests.ts";
import { sshKeyView } from "../wire/views.ts";
import type { Answers, ListAnswer, SshKeyView } from "../wire/types.ts";
import { created } from "../wire/created.ts";

const createRequest = z.strictObject({ name: resourceName, public_key: z.string(), labels: labels.default({}) });
const updateRequest = z.strictObject({ name: resourceName.optional(), labels: labels.optional() });

/** MD5 of the key's blob, as colon-separated pairs, the form the API uses. */
export function fingerprint(publicKey: string): string {
  const [algorithm = "", blob = ""] = publicKey.trim().split(/\s+/);
  const bytes = Buffer.from(blob, "base64");
  // A blob begins with its algorithm's name, length first (RFC 4253, section 6.6).
  const inside = bytes.length > 4 ? bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString("latin1") : "";
  if (algorithm === "" || inside !== algorithm) {
    throw invalidField("public_key", "must be a public key in OpenSSH format");
  }
  const hex = createHash("md5").update(bytes).digest("hex");
  return (hex.match(/../g) ?? []).join(":");
}

function find(cloud: Cloud, key: number): SshKeyRecord {
  const found = cloud.state.sshKeys.find((candidate) => candidate.id === key);
  if (found === undefined) {
    throw notFound("SSH key", key);
  }
  return found;
}

function checkName(cloud: Cloud, name: string, self?: number): void {
  if (cloud.state.sshKeys.some((key) => key.name === name && key.id !== self)) {
    throw notUnique("name", "SSH key with the same name already exists");
  }
}

export function sshKeyRoutes(app: FastifyInstance, cloud: Cloud): void {
  app.get<Answers<ListAnswer<"ssh_keys", SshKeyView>>>("/ssh_keys", (request, reply) =>
    answerList(request, reply, cloud.state.sshKeys, {
      key: "ssh_keys",
      view: sshKeyView,
      filters: { name: ({ name }) => name, fingerprint: (key) => key.fingerprint },
      labels: (key) => key.labels,
      sorts: { id: ({ id }) => id, name: ({ name }) => name },
    }),
  );
  app.get<Answers<{ ssh_key: SshKeyView }>>("/ssh_keys/:id", (request) => ({
    ssh_key: sshKeyView(find(cloud, pathId(request, "SSH key"))),
  }));
  app.post<Answers<{ ssh_key: SshKeyView }>>("/ssh_keys", (request, reply) => {
    const wanted = body(createRequest, request);
    const print = fingerprint(wanted.public_key);
    checkName(cloud, wanted.name);
    if (cloud.state.sshKeys.some((key) => key.fingerprint === print)) {
      throw notUnique("public_key", "SSH key with the same fingerprint already exists");
    }
    const key: SshKeyRecord = {
      id: cloud.store.newId(),
      name: wanted.name,
      fingerprint: print,
      publicKey: wanted.public_key,
      created: timestamp(cloud.now()),
      labels: wanted.labels,
    };
    cloud.state.sshKeys.push(key);
    cloud.store.save();
    return created(reply, { ssh_key: sshKeyView(key) });
  });
  app.put<Answers<{ ssh_key: SshKeyView }>>("/ssh_keys/:id", (request) => {
    const key = find(cloud, pathId(request, "SSH key"));
    const change = body(updateRequest, request);
    checkName(cloud, change.name ?? key.name, key.id);
    key.name = change.name ?? key.name;
    key.labels = change.labels ?? key.labels;
    cloud.store.save();
    return { ssh_key: sshKeyView(key) };
  });
  app.delete("/ssh_keys/:id", (request, reply) => {
    const key = find(cloud, pathId(request, "SSH key"));
    cloud.state.sshKeys = cloud.state.sshKeys.filter((other) => other !== key);
    cloud.store.save();
    return reply.code(204).send();
  });
}

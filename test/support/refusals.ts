import { expect } from "@jest/globals";
import type { Ended } from "./checkout.ts";

/**
 * A refusal waits for nothing: not for a server that will not come, not for a retry. The operator's ten seconds are for an
 * idle machine; this one runs the tests' own Docker, servers and registry besides.
 */
const PATIENCE_MS = 30_000;

/** A run that must be refused in time with every one of these words. */
export function expectRefusal({ exitCode, output, ms }: Ended, words: readonly (string | RegExp)[]): void {
  for (const word of words)
    expect(output).toMatch(typeof word === "string" ? new RegExp(word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")) : word);
  expect(output).not.toMatch(/\n {4}at /);
  expect({ exitCode, late: ms > PATIENCE_MS ? ms : false }).toEqual({ exitCode: 1, late: false });
}

/** A change of a stack file's text. */
export const settings = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);

/** Stack files that are refused: what is wrong, how it gets there, and the words of the refusal. */
export const badSettings: readonly {
  name: string;
  change: (text: string) => string;
  words: readonly (string | RegExp)[];
}[] = [
  {
    name: "an unknown key",
    change: settings("vpai:size: small", "vpai:sise: small"),
    words: ["vpai:sise", "allowed:", "do:"],
  },
  {
    name: "a wrong type",
    change: settings("vpai:imageLock: true", "vpai:imageLock: 7"),
    words: ["vpai:imageLock: 7", "allowed: true or false", "do:"],
  },
  {
    name: "an invalid domain",
    change: settings("vpai.localhost", "not_a domain"),
    words: ["vpai:domain", "not_a domain", "allowed:", "do:"],
  },
  {
    name: "an unknown server type",
    change: settings("serverType: cx33", "serverType: cx99"),
    words: ["vpai:vps.serverType", "cx99", /allowed: .*cx33/, "do:"],
  },
  {
    name: "an unknown location",
    change: settings("location: fsn1", "location: mars1"),
    words: ["vpai:vps.location", "mars1", /allowed: .*fsn1/, "do:"],
  },
  {
    name: "a port out of range",
    change: settings("vpai:size:", "vpai:ssh: { port: 70000 }\n  vpai:size:"),
    words: ["vpai:ssh.port", "70000", "allowed:", "do:"],
  },
  {
    name: "an invalid address",
    change: settings(
      /vpai:vps:[\s\S]*fsn1/,
      'vpai:vps: { provider: existing, address: 203.0.113.777, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS", memoryMb: 8192 }',
    ),
    words: ["vpai:vps.address", "203.0.113.777", "allowed:", "do:"],
  },
  {
    name: "a missing secret",
    change: settings(
      /vpai:vps:[\s\S]*fsn1/,
      'vpai:vps: { provider: existing, address: 203.0.113.7, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS", memoryMb: 8192 }',
    ),
    words: ["vpai:rootPrivateKey", "not set", "vpai pulumi --stack sandbox -- config set --secret vpai:rootPrivateKey"],
  },
  {
    name: "an image without digest",
    change: settings("vpai:size:", "vpai:images: { redis: docker.io/library/redis:8.4.0-bookworm }\n  vpai:size:"),
    words: ["redis", "docker.io/library/redis:8.4.0-bookworm", "@sha256:", "do:"],
  },
  {
    name: "a server too small for the services",
    // All services, also if the stack has fewer.
    change: (text) =>
      text.replace(/\n {2}vpai:disabledServices:.*/, "").replace("serverType: cx33", "serverType: cpx11"),
    words: ["cpx11", /MB/, "do:"],
  },
];

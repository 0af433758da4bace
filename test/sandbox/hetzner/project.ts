import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { FaultBook } from "../../../sandbox/control/fault-injector.ts";
import { type Hetzner, type HetznerOptions, startHetzner } from "../../../sandbox/hetzner/server.ts";
import { DescriptionCheck } from "./description.ts";
import { PretendMachines } from "./pretend-machines.ts";
import { mismatches } from "./shapes.ts";

export const token = "t".repeat(64);

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read loosely, their shape is under test
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Json;
}

/** A simulated project on loopback, with machines that only pretend. */
export interface Project {
  readonly hetzner: Hetzner;
  readonly machines: PretendMachines;
  readonly faults: FaultBook;
  readonly log: string[];
  /** The state file as it is. */
  stateText(): string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Makes a thing and returns the answer's body; fails when refused. */
  make(path: string, body: object): Promise<Json>;
  /** Waits until the action has ended, and returns it. */
  ended(action: { id: number }): Promise<Json>;
  /** Stops the API as a killed supervisor would and starts it again on the same state. */
  restart(): Promise<Project>;
  close(): Promise<void>;
}

export async function startProject(
  options: Partial<HetznerOptions> = {},
  machines = new PretendMachines(),
  directory = mkdtempSync(join(tmpdir(), "vpai-hetzner-")),
): Promise<Project> {
  const faults = new FaultBook();
  const log: string[] = [];
  const hetzner = await startHetzner({
    host: "127.0.0.1",
    port: 0,
    token,
    subnet: "10.213.7.0/24",
    machines,
    faults,
    actionDelayMs: 1,
    stateFile: join(directory, "hetzner.json"),
    log: (line) => log.push(line),
    ...options,
  }).catch((error: unknown) => {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  });
  const call: Project["call"] = async (method, path, body, headers = {}) => {
    const response = await fetch(hetzner.endpoint + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: Json = text === "" ? null : JSON.parse(text);
    checkShape(method, path, response.status, json);
    return { status: response.status, headers: response.headers, json };
  };
  const project: Project = {
    hetzner,
    machines,
    faults,
    log,
    stateText: () => readFileSync(join(directory, "hetzner.json"), "utf8"),
    call,
    async make(path, body) {
      const answer = await call("POST", path, body);
      if (answer.status !== 201) {
        throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.json)}`);
      }
      return answer.json;
    },
    ended: (action) =>
      until(async () => {
        const { json } = await call("GET", `/actions/${action.id}`);
        return { done: json.action.status !== "running", seen: json.action };
      }),
    async restart() {
      await hetzner.close(0);
      return startProject(options, machines, directory);
    },
    async close() {
      await hetzner.close(0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return project;
}

/** The file of an API description that every response is checked against too. */
export const descriptionFile = process.env["VPAI_HETZNER_OPENAPI"];
const description = descriptionFile === undefined ? undefined : new DescriptionCheck(descriptionFile);

/** Every response of every test must have its shape. */
function checkShape(method: string, path: string, status: number, json: unknown): void {
  const wrong = [
    ...mismatches(method, path, status, json),
    ...(description?.mismatches(method, path, status, json) ?? []),
  ];
  if (wrong.length > 0) {
    throw new Error(`response does not have its shape:\n${wrong.join("\n")}`);
  }
}

/** Asks again until done, for at most ten seconds; the last thing seen is in the error. */
export async function until(observe: () => Promise<{ done: boolean; seen: Json }>): Promise<Json> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { done, seen } = await observe();
    if (done) {
      return seen;
    }
    if (Date.now() > deadline) {
      throw new Error(`not in 10 s; last seen: ${JSON.stringify(seen)}`);
    }
    await sleep(5);
  }
}

export const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f test";
export const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA test";

export const plainServer = { name: "web", server_type: "cx23", image: "debian-12", location: "fsn1" };

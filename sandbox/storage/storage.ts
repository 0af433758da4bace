import { randomBytes, randomInt } from "node:crypto";
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { ensureDebianImage } from "../debian-image.ts";
import { hostAddress } from "../network/subnet.ts";
import type { Site } from "../network/tls-terminator.ts";
import { LABEL, type Instance } from "../supervisor/instance.ts";
import { passOn } from "./proxy.ts";

/** Hetzner's form is `<location>.your-objectstorage.com`. */
export const STORAGE_NAME = "fsn1.your-objectstorage.com";

const PORT = 7480;
/** Below the servers' addresses. */
const HOST = 9;
const START_MS = 120_000;
const POLL_MS = 200;

export interface StorageKeys {
  readonly backupAccessKeyId: string;
  readonly backupSecretAccessKey: string;
}

/** Keys in the form of real ones, so that nothing that checks the form is surprised. */
export const newStorageKeys = (): StorageKeys => ({
  backupAccessKeyId: Array.from({ length: 20 }, () => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[randomInt(36)]).join(""),
  backupSecretAccessKey: randomBytes(30).toString("base64url"),
});

export interface StorageOptions {
  readonly docker: Docker;
  readonly instance: Instance;
  /** The sandbox's: a /24. */
  readonly subnet: string;
  readonly keys: StorageKeys;
  readonly log: (line: string) => void;
}

/**
 * The simulated Object Storage: Ceph's S3 gateway, as at Hetzner, in a container that is made when it is first asked for.
 * What is stored is in the container, and lives as long as the sandbox.
 */
export class Storage {
  readonly #options: StorageOptions;
  readonly #address: string;
  #isOpen = false;
  #opening: Promise<void> | undefined;

  constructor(options: StorageOptions) {
    this.#options = options;
    this.#address = hostAddress(options.subnet, HOST);
  }

  /** Serves at once what an earlier supervisor has opened. */
  async resume(): Promise<void> {
    this.#isOpen = (await this.#inspect()) !== undefined;
  }

  /** Has it serve; returns once it answers. */
  async open(report: (line: string) => void): Promise<void> {
    this.#opening ??= this.#start(report).finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  readonly site: Site = {
    names: [STORAGE_NAME],
    answer: (request, response) => {
      if (!this.#isOpen) return refuse(response, 503, "the sandbox's object storage is not open");
      passOn(request, response, { host: this.#address, port: PORT }).catch((error: Error) => {
        this.#options.log(`${request.method} ${request.url}: ${error.message}`);
        if (response.headersSent) response.destroy();
        else refuse(response, 502, `the sandbox's object storage does not answer: ${error.message}`);
      });
    },
  };

  async #start(report: (line: string) => void): Promise<void> {
    const isNew = (await this.#inspect()) === undefined;
    if (isNew) await this.#create(report);
    try {
      await this.#container.start().catch(ignore(304));
      await this.#untilAnswers((await this.#container.inspect()).RestartCount);
    } catch (error) {
      // With what is half made the next attempt would fare no better.
      if (isNew) await this.#container.remove({ force: true, v: true });
      throw error;
    }
    this.#isOpen = true;
  }

  async #create(report: (line: string) => void): Promise<void> {
    const { docker, instance, keys } = this.#options;
    const what = "an object storage (about two minutes)";
    const image = await ensureDebianImage(docker, { name: "storage", folder: import.meta.dirname, what }, report);
    report(`starting the object storage ${STORAGE_NAME}`);
    await docker.createContainer({
      name: this.#name,
      Image: image,
      Labels: { [LABEL]: instance.label },
      Env: [`ACCESS_KEY_ID=${keys.backupAccessKeyId}`, `SECRET_ACCESS_KEY=${keys.backupSecretAccessKey}`],
      HostConfig: {
        NetworkMode: instance.prefix,
        RestartPolicy: { Name: "unless-stopped" },
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
      },
      NetworkingConfig: { EndpointsConfig: { [instance.prefix]: { IPAMConfig: { IPv4Address: this.#address } } } },
    });
  }

  async #untilAnswers(restarts: number): Promise<void> {
    const end = Date.now() + START_MS;
    for (;;) {
      const problem = await this.#problem();
      if (problem === undefined) return;
      const state = await this.#inspect();
      const hasEnded = state === undefined || state.RestartCount > restarts || !state.State.Running;
      if (hasEnded || Date.now() > end) {
        const why = hasEnded ? "its container ended" : `no answer within ${START_MS / 1000} s: ${problem}`;
        throw new Error(`the sandbox's object storage did not start: ${why}\n${await this.#lastLines()}`);
      }
      await delay(POLL_MS);
    }
  }

  /** What a request without a key meets instead of an answer; undefined when it is served. */
  #problem(): Promise<string | undefined> {
    return fetch(`http://${this.#address}:${PORT}/`, { signal: AbortSignal.timeout(5_000) }).then(
      async (answer) => {
        await answer.body?.cancel();
        return answer.ok ? undefined : `status ${answer.status}`;
      },
      ({ message, cause }: Error) => (cause instanceof Error ? cause.message : message),
    );
  }

  async #lastLines(): Promise<string> {
    const lines = await this.#container.logs({ stdout: true, stderr: true, tail: 15 }).catch(String);
    // Docker puts eight bytes before each piece of output, which are no text.
    return String(lines).replace(/[^\P{Cc}\n]/gu, "");
  }

  async #inspect(): Promise<Docker.ContainerInspectInfo | undefined> {
    return this.#container.inspect().catch(ignore(404));
  }

  get #name(): string {
    return `${this.#options.instance.prefix}-storage`;
  }

  get #container(): Docker.Container {
    return this.#options.docker.getContainer(this.#name);
  }
}

/** The storage, to be put behind the front; not open unless it was before. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const storage = new Storage(options);
  await storage.resume();
  return storage;
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(`${why}\n`);
}

/** Lets one of Docker's status codes pass. */
function ignore(status: number): (error: unknown) => undefined {
  return (error) => {
    if ((error as { statusCode?: number }).statusCode !== status) throw error;
    return undefined;
  };
}

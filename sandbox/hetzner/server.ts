import type { FaultBook } from "../control/fault-injector.ts";
import { OperatorError } from "../../shared/errors.ts";
import { Actions } from "./state/actions.ts";
import { buildApp } from "./app.ts";
import { type Cloud, defaultLimits, type Limits, serverQueue } from "./state/cloud.ts";
import { type Inventory, inventory } from "./state/inventory.ts";
import type { Machines } from "./state/machines.ts";
import { Store } from "./state/store.ts";
import { runTask } from "./state/tasks.ts";

export interface HetznerOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The only API token that is accepted. The Terraform provider wants 64 characters. */
  readonly token: string;
  /** A /24 such as `10.213.7.0/24`: servers get .10 to .250 of it. */
  readonly subnet: string;
  readonly machines: Machines;
  readonly faults: FaultBook;
  /** Milliseconds since the epoch; default the system's. */
  readonly clock?: () => number;
  /** The least time an action takes, milliseconds; default 200. */
  readonly actionDelayMs?: number;
  /** How many of each kind may exist; default as a new account's. */
  readonly limits?: Partial<Limits>;
  /** The project's state, kept over restarts; written with mode 0600. */
  readonly stateFile: string;
  readonly log: (line: string) => void;
}

export interface Hetzner {
  /** Base URL for clients (`HCLOUD_ENDPOINT`), ending in `/v1`. */
  readonly endpoint: string;
  /** Cuts a server's power without the API being asked: it is `off` afterwards. */
  powerCut(serverName: string): Promise<void>;
  inventory(): Inventory;
  /**
   * Stops listening and waits for actions under way; what has not ended after `waitMs` (default 10 000) is taken up
   * again at the next start with the same state file.
   */
  close(waitMs?: number): Promise<void>;
}

/**
 * Starts the simulated Hetzner Cloud API: one project, whose servers are booted by `machines`.
 *
 * @throws OperatorError when the address is in use or the state file is not one
 */
export async function startHetzner(options: HetznerOptions): Promise<Hetzner> {
  const { host, port, machines, faults, subnet, log } = options;
  const now = options.clock ?? Date.now;
  const store = new Store(options.stateFile);
  const actions = new Actions(
    store,
    now,
    options.actionDelayMs ?? 200,
    (task, resumed) => runTask(cloud, task, resumed),
    log,
  );
  const limits = { ...defaultLimits, ...options.limits };
  const cloud: Cloud = { store, state: store.state, actions, machines, faults, subnet, limits, now, log };
  const app = buildApp(cloud, options.token);
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw listenFault(error, host, port);
  }
  actions.resume();
  const address = app.server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    endpoint: `http://${host}:${bound}/v1`,
    powerCut: (name) => powerCut(cloud, name),
    inventory: () => inventory(store.state),
    async close(waitMs = 10_000) {
      await app.close();
      await actions.stop(waitMs);
      store.close();
    },
  };
}

async function powerCut(cloud: Cloud, name: string): Promise<void> {
  const server = cloud.state.servers.find((candidate) => candidate.name === name);
  if (server === undefined) {
    const names = cloud.state.servers.map((candidate) => candidate.name).join(", ");
    throw new OperatorError({
      key: "server",
      found: name,
      allowed: names === "" ? "there is no server" : names,
      fix: "name a server that exists",
    });
  }
  cloud.log(`${serverQueue(server.id)} ${name}: power cut`);
  await cloud.machines.powerOff(server.id);
  server.status = "off";
  cloud.store.save();
}

function listenFault(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EADDRINUSE" && code !== "EADDRNOTAVAIL") {
    return error;
  }
  return new OperatorError({
    key: "simulated Hetzner API",
    found: `${host}:${port} ${code === "EADDRINUSE" ? "is in use" : "is no address of this machine"}`,
    fix: "stop what listens there, or run `npm run sandbox:down` and start again",
  });
}

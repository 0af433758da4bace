import { systemImages } from "./catalogue.ts";
import { type Cloud, findServer, forgetServer, ipOf, rulesOf, typeOf } from "./cloud.ts";
import type { MachineSpec } from "./machines.ts";
import type { ServerRecord, ServerStatus, Task } from "./model.ts";

/** Passwords that an action shall set. In memory only: a password is not written to the state file. */
export const passwords = new WeakMap<Task, string>();

/** The name under which {@link Machines} knows a snapshot. */
export function snapshotName(id: number): string {
  return `snapshot-${id}`;
}

/** Does what an action promised. It may run again after a restart, so each step bears repetition. */
export async function runTask(cloud: Cloud, task: Task, resumed: boolean): Promise<void> {
  if (task.kind === "record") {
    return;
  }
  const { machines } = cloud;
  if (task.kind === "firewall") {
    // The server may have been deleted since.
    const guarded = cloud.state.servers.find(({ id }) => id === task.server);
    if (guarded !== undefined) {
      await machines.setFirewall(guarded.id, rulesOf(cloud, guarded));
    }
    return;
  }
  if (resumed && task.kind === "remove" && !cloud.state.servers.some(({ id }) => id === task.server)) {
    return;
  }
  const server = findServer(cloud, task.server);
  try {
    await runOnServer(cloud, server, task, resumed);
  } catch (error) {
    server.status = afterFailure[task.kind] ?? server.status;
    throw error;
  }
}

/** The state a failed action leaves its server in. */
const afterFailure: Partial<Record<Task["kind"], ServerStatus>> = {
  start: "off",
  powerOff: "running",
  shutdown: "running",
  remove: "off",
  rebuild: "off",
};

type ServerTask = Exclude<Task, { kind: "record" | "firewall" }>;

async function runOnServer(cloud: Cloud, server: ServerRecord, task: ServerTask, resumed: boolean): Promise<void> {
  const { machines } = cloud;
  switch (task.kind) {
    case "create":
      return create(cloud, server, resumed);
    case "booted":
      server.status = server.status === "starting" ? "running" : server.status;
      return;
    case "start":
      await start(cloud, server);
      booted(server);
      return;
    case "powerOff":
      await machines.powerOff(server.id);
      server.status = "off";
      return;
    case "shutdown":
      await machines.shutdown(server.id);
      server.status = "off";
      return;
    case "reboot":
      await machines.reboot(server.id);
      booted(server);
      return;
    case "reset":
      await machines.powerOff(server.id);
      await machines.start(server.id);
      booted(server);
      return;
    case "resetPassword":
      return resetPassword(cloud, server, task);
    case "disableBackup":
      server.backupWindow = null;
      return removeBackups(cloud, server.id);
    case "remove":
      return remove(cloud, server);
    case "rebuild":
      await machines.remove(server.id);
      await boot(cloud, server);
      server.status = "running";
      return;
    case "changeType":
      // Takes effect at the next power-on, see start.
      server.serverType = task.type;
      server.primaryDiskSize = task.upgradeDisk ? typeOf(server).disk : server.primaryDiskSize;
      server.status = "off";
      return;
    case "snapshot":
      return snapshot(cloud, server, task.image);
  }
}

/** Rescue mode lasts for one boot. The sandbox has no rescue system: the machine boots from its disk all the same. */
function booted(server: ServerRecord): void {
  server.status = "running";
  server.rescueUntil = null;
}

async function resetPassword(cloud: Cloud, server: ServerRecord, task: ServerTask): Promise<void> {
  const password = passwords.get(task);
  if (password === undefined) {
    throw new Error("interrupted by a restart before the password was set; reset it again");
  }
  await cloud.machines.setRootPassword(server.id, password);
}

async function removeBackups(cloud: Cloud, server: number): Promise<void> {
  for (const { id } of cloud.state.snapshots.filter(({ boundTo }) => boundTo === server)) {
    await cloud.machines.removeSnapshot(snapshotName(id));
    cloud.state.snapshots = cloud.state.snapshots.filter((image) => image.id !== id);
  }
}

/** A creation that fails leaves no server behind. */
async function create(cloud: Cloud, server: ServerRecord, resumed: boolean): Promise<void> {
  const clear = async (): Promise<void> => {
    try {
      await cloud.machines.remove(server.id);
    } catch (error) {
      cloud.log(`server ${server.name}: nothing to clear away: ${String(error)}`);
    }
  };
  if (resumed) {
    await clear();
  }
  try {
    await boot(cloud, server);
    if (!server.startAfterCreate) {
      await cloud.machines.powerOff(server.id);
    }
  } catch (error) {
    await clear();
    forgetServer(cloud, server.id);
    throw error;
  }
  server.status = server.startAfterCreate ? "starting" : "off";
}

/** A machine cannot change its address or size: where the records did, a new one is made of its disk. */
async function start(cloud: Cloud, server: ServerRecord): Promise<void> {
  const { machines } = cloud;
  const same =
    server.machine?.ipv4 === machineSpec(cloud, server).ipv4 && server.machine.serverType === server.serverType;
  if (same) {
    return machines.start(server.id);
  }
  const disk = `move-${server.id}`;
  await machines.snapshot(server.id, disk);
  await machines.remove(server.id);
  await boot(cloud, server, disk);
  await machines.removeSnapshot(disk);
}

async function boot(cloud: Cloud, server: ServerRecord, image?: string): Promise<void> {
  const spec = machineSpec(cloud, server, image);
  await cloud.machines.create(spec);
  server.machine = { ipv4: spec.ipv4, serverType: server.serverType };
  await cloud.machines.setFirewall(server.id, rulesOf(cloud, server));
}

function machineSpec(cloud: Cloud, server: ServerRecord, image?: string): MachineSpec {
  const ipv4 = ipOf(cloud, server, "ipv4");
  if (ipv4 === undefined) {
    throw new Error(`server ${server.name} has no IPv4 address; the sandbox boots none without`);
  }
  const type = typeOf(server);
  return {
    id: server.id,
    name: server.name,
    ipv4: ipv4.ip,
    cores: type.cores,
    memoryMb: type.memory * 1024,
    diskGb: server.primaryDiskSize,
    image: image ?? systemImages.find(({ id }) => id === server.image)?.name ?? snapshotName(server.image),
    userData: server.userData,
    sshKeys: server.sshKeys,
    firewall: rulesOf(cloud, server),
  };
}

async function remove(cloud: Cloud, server: ServerRecord): Promise<void> {
  // Power first: the firewall is lifted from a machine that no longer runs. It may be off, or half removed, already.
  await cloud.machines.powerOff(server.id).catch((error: unknown) => {
    cloud.log(`server ${server.name}: removed without power-off: ${String(error)}`);
  });
  await cloud.machines.setFirewall(server.id, undefined);
  await cloud.machines.remove(server.id);
  await removeBackups(cloud, server.id);
  forgetServer(cloud, server.id);
}

async function snapshot(cloud: Cloud, server: ServerRecord, image: number): Promise<void> {
  try {
    await cloud.machines.snapshot(server.id, snapshotName(image));
  } catch (error) {
    cloud.state.snapshots = cloud.state.snapshots.filter(({ id }) => id !== image);
    throw error;
  }
  const record = cloud.state.snapshots.find(({ id }) => id === image);
  if (record !== undefined) {
    record.status = "available";
  }
}

import type { FirewallRule, Machines, MachineSpec } from "../../../sandbox/hetzner/state/machines.ts";

/**
 * A stand-in for what boots servers. Its limits: nothing runs; a machine is an entry in a map that is on or off, a
 * snapshot is a name, a firewall is the list it was given. It fails where a real one would be asked nonsense (a
 * machine made twice, one that does not exist), and where {@link fail} says so.
 */
export class PretendMachines implements Machines {
  readonly machines = new Map<number, { spec: MachineSpec; on: boolean }>();
  readonly firewalls = new Map<number, readonly FirewallRule[] | undefined>();
  readonly snapshots = new Set<string>();
  readonly passwords = new Map<number, string>();
  /** Calls in order, like `create web`. */
  readonly calls: string[] = [];
  /** A call that shall fail, with its message. */
  fail = new Map<string, string>();
  #gate: Promise<void> = Promise.resolve();

  /** Makes every call wait until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  async create(spec: MachineSpec): Promise<void> {
    await this.#enter("create", spec.name);
    if (this.machines.has(spec.id)) {
      throw new Error(`machine ${spec.id} exists already`);
    }
    this.machines.set(spec.id, { spec, on: true });
    this.firewalls.set(spec.id, spec.firewall);
  }

  async start(id: number): Promise<void> {
    await this.#switch("start", id, true);
  }

  async shutdown(id: number): Promise<void> {
    await this.#switch("shutdown", id, false);
  }

  async powerOff(id: number): Promise<void> {
    await this.#switch("powerOff", id, false);
  }

  async reboot(id: number): Promise<void> {
    await this.#switch("reboot", id, true);
  }

  async setRootPassword(id: number, password: string): Promise<void> {
    await this.#enter("setRootPassword", this.#machine(id).spec.name);
    this.passwords.set(id, password);
  }

  async remove(id: number): Promise<void> {
    await this.#enter("remove", this.#machine(id).spec.name);
    this.machines.delete(id);
    this.firewalls.delete(id);
  }

  async setFirewall(id: number, rules: readonly FirewallRule[] | undefined): Promise<void> {
    await this.#enter("setFirewall", this.#machine(id).spec.name);
    this.firewalls.set(id, rules);
  }

  async snapshot(id: number, snapshot: string): Promise<void> {
    await this.#enter("snapshot", this.#machine(id).spec.name);
    this.snapshots.add(snapshot);
  }

  async removeSnapshot(snapshot: string): Promise<void> {
    await this.#enter("removeSnapshot", snapshot);
    this.snapshots.delete(snapshot);
  }

  async #switch(call: string, id: number, on: boolean): Promise<void> {
    const machine = this.#machine(id);
    await this.#enter(call, machine.spec.name);
    machine.on = on;
  }

  async #enter(call: string, name: string): Promise<void> {
    this.calls.push(`${call} ${name}`);
    await this.#gate;
    const message = this.fail.get(call);
    if (message !== undefined) {
      throw new Error(message);
    }
  }

  #machine(id: number): { spec: MachineSpec; on: boolean } {
    const machine = this.machines.get(id);
    if (machine === undefined) {
      throw new Error(`no machine ${id}`);
    }
    return machine;
  }
}

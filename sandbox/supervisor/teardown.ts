import { rm } from "node:fs/promises";
import type Docker from "dockerode";
import type { Instance } from "./instance.ts";
import { removeHoldings, takeInventory } from "./inventory.ts";
import { unmountBelow } from "./mounts.ts";
import { stopSupervisor } from "./launch.ts";

/** Removes everything of an instance, whether its supervisor lives or not, and names what is left if anything is. */
export async function tearDown(docker: Docker, instance: Instance, report: (line: string) => void): Promise<void> {
  report("ending the supervisor");
  await stopSupervisor(instance);
  report("removing servers, volumes, network and firewall rules");
  await removeHoldings(docker, instance);
  await unmountBelow(instance.dir);
  await rm(instance.dir, { recursive: true, force: true });
  const left = Object.entries(await takeInventory(docker, instance)).flatMap(([kind, names]) =>
    (names as readonly string[]).map((name) => `${kind}: ${name}`),
  );
  if (left.length > 0) throw new Error(`the sandbox ${instance.name} is not all gone:\n${left.join("\n")}`);
}

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { MachineSpec } from "../hetzner/state/machines.ts";

/** The files of cloud-init's NoCloud data source for a machine. `instance-id` is new for each server. */
export function seedFiles(spec: MachineSpec): Readonly<Record<"meta-data" | "user-data", string>> {
  return {
    "meta-data": stringify({
      "instance-id": String(spec.id),
      "local-hostname": spec.name,
      "public-keys": [...spec.sshKeys],
    }),
    "user-data": spec.userData === "" ? "#cloud-config\n{}\n" : spec.userData,
  };
}

/** Writes them below `dir` (user data may hold keys: for root only) and returns the folder to mount. */
export async function writeSeed(dir: string, spec: MachineSpec): Promise<string> {
  const seed = join(dir, "seed");
  await mkdir(seed, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(seedFiles(spec))) {
    await writeFile(join(seed, name), text, { mode: 0o600 });
  }
  return seed;
}

import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ServiceContext } from "../../../components/service/model/context.ts";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import { planContainer } from "../../../components/service/plan/container.ts";
import { planFiles } from "../../../components/service/plan/files.ts";
import { revealFrom } from "../../../components/service/plan/secrets.ts";
import type { Bench } from "../../sandbox/images/container-harness.ts";
import { untilExecWithin } from "../../sandbox/images/container-harness.ts";

export interface AsDefined {
  readonly context: ServiceContext;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Files of this machine instead of those of the host that the definition mounts, by their place in the container. */
  readonly host?: Readonly<Record<string, string>>;
  /** More options of `docker run`. */
  readonly options?: readonly string[];
}

/** What `docker run` needs to run a service locked down as its definition says; writes its files and directories. */
export async function dockerRunArgs(
  bench: Bench,
  definition: ServiceDefinition,
  { context, secrets = {}, host = {}, options = [] }: AsDefined,
): Promise<{ options: string[]; command: readonly string[] }> {
  const plan = planContainer(definition, context);
  const files = planFiles(definition, context, definition.image.pin, revealFrom(secrets));
  const [uid, gid] = files.owner;
  const root = join(bench.home, definition.name);
  const own = async (path: string, mode: string): Promise<void> => {
    await chmod(path, Number.parseInt(mode, 8));
    await chown(path, uid, gid);
  };
  // Kept when the service is started again, as on its host.
  for (const { path, mode } of files.data) {
    await mkdir(join(root, path), { recursive: true });
    await own(join(root, path), mode);
  }
  for (const { path, mode, content } of files.config?.files ?? []) {
    const file = join(root, "config", path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await own(dirname(file), "0700");
    await own(file, mode);
  }
  if (files.config) await own(join(root, "config"), "0700");
  const here = new Map([
    ...files.data.map(({ path }) => [path, join(root, path)] as const),
    ...(files.config ? [[files.config.path, join(root, "config")] as const] : []),
  ]);
  const mounts = plan.mounts.map(
    ({ source, target, readOnly }) => `${host[target] ?? here.get(source) ?? source}:${target}${readOnly ? ":ro" : ""}`,
  );
  const [entry, ...rest] = plan.entrypoint ?? [];
  return {
    options: [
      "--user",
      plan.user,
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
      "--init",
      ...plan.capabilityAdds.flatMap((name) => ["--cap-add", name]),
      ...(plan.readOnly ? ["--read-only"] : []),
      ...(plan.cgroupHost ? ["--cgroupns", "host"] : []),
      "--label",
      `vpai.service=${definition.name}`,
      "--memory",
      `${plan.memoryMb}m`,
      "--memory-swap",
      `${plan.memoryMb}m`,
      "--shm-size",
      `${plan.shmMb}m`,
      "--cpus",
      plan.cpus,
      "--pids-limit",
      String(plan.pids),
      ...Object.entries(plan.tmpfs).flatMap(([path, how]) => ["--tmpfs", `${path}:${how}`]),
      ...plan.envs.flatMap((line) => ["--env", line]),
      ...mounts.flatMap((mount) => ["--volume", mount]),
      ...(entry === undefined ? [] : ["--entrypoint", entry]),
      ...options,
    ],
    command: [...rest, ...(plan.command ?? [])],
  };
}

/** Starts a service as {@link dockerRunArgs} says and waits until its own health check passes. Answers the container's name. */
export async function startAsDefined(
  bench: Bench,
  definition: ServiceDefinition,
  how: AsDefined,
  name: string = definition.name,
): Promise<string> {
  const { options, command } = await dockerRunArgs(bench, definition, how);
  const container = await bench.start(name, definition.image.pin, options, command);
  await untilHealthy(container, definition);
  return container;
}

export function untilHealthy(container: string, { health }: ServiceDefinition): Promise<string> {
  const [kind, ...words] = health.test;
  const check = kind === "CMD-SHELL" ? ["sh", "-c", ...words] : words;
  return untilExecWithin(health.deadlineSeconds * 1000, container, ...check);
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import type { StackContext } from "../stack/context.ts";
import { batchSsh } from "../stack/server-ssh.ts";
import type { StateResource } from "../engine/state.ts";
import { unreachable } from "./unreachable.ts";

/** Whether an operator's flags make the engine read the actual state first. */
export const refreshes = (flags: readonly string[]): boolean =>
  flags.some((flag) => /^(--refresh|-r)(=true)?$/.test(flag));

/**
 * Refuses to read the actual state of what lives in a Docker daemon that does not answer: the provider then takes each
 * network for deleted, the state forgets it, and every later `up` fails because it exists.
 */
export async function requireDocker(context: StackContext, resources: readonly StateResource[]): Promise<void> {
  if (!resources.some(({ type }) => type.startsWith("docker:"))) return;
  const config = join(context.relativeWorkDir, "ssh", "config");
  const known = existsSync(join(PROJECT_ROOT, config));
  const answer = known
    ? await execa("ssh", [...batchSsh(config), "docker", "version", "--format", "{{.Server.Version}}"], {
        cwd: PROJECT_ROOT,
        reject: false,
        stdin: "ignore",
        timeout: 60_000,
      })
    : undefined;
  const fault = unreachable(context.stack, answer && { exitCode: answer.exitCode, stderr: answer.stderr });
  if (fault) throw new OperatorError(fault);
}

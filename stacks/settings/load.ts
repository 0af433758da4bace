import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { secretText, type Sources } from "./parse.ts";
import type { SecretKey } from "./schema.ts";

// The SDK has it and leaves it out of its types.
const { isConfigSecret: isEncrypted } = pulumi.runtime as unknown as { isConfigSecret: (key: string) => boolean };

/** Where the running stack's settings come from, and its secrets as Outputs. */
export function readSources(): {
  readonly sources: Sources;
  readonly secret: (key: SecretKey) => pulumi.Output<string> | undefined;
} {
  const stack = pulumi.getStack();
  const config = Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig()).flatMap(([key, value]) =>
      key.startsWith("vpai:") ? [[key.slice(5), value]] : [],
    ),
  );
  const file = join(process.env["VPAI_WORK"] ?? `.vpai/${stack}`, "images.json");
  const lock = existsSync(file) ? { lock: readFileSync(file, "utf8") } : {};
  const encrypted = Object.keys(config).filter((key) => isEncrypted(`vpai:${key}`));
  const secret = (key: SecretKey): pulumi.Output<string> | undefined => {
    const value = secretText(key, config, process.env);
    return value === undefined ? undefined : pulumi.secret(value);
  };
  return { sources: { stack, config, encrypted, env: process.env, ...lock }, secret };
}

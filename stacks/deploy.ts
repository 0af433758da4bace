import * as pulumi from "@pulumi/pulumi";
import { requireDeployment } from "./check.ts";
import { type Outputs, outputsOf } from "./outputs.ts";
import { buildPlatform } from "./platform.ts";
import { suppressStackTraces } from "./sdk-tuning/stack-traces.ts";
import { readSources } from "./settings/load.ts";

/** The program: settings → plan → platform → outputs. Every error is found before the first resource. */
export function deploy(): Outputs {
  const { sources, secret } = readSources();
  const { settings, plan, notices } = requireDeployment(sources);
  for (const notice of notices) void pulumi.log.warn(notice);
  return suppressStackTraces(() => outputsOf(settings, plan, buildPlatform(settings, plan, secret)));
}

import * as pulumi from "@pulumi/pulumi";
import { type Outputs, outputsOf } from "./outputs.ts";
import { planDeployment } from "./plan.ts";
import { buildPlatform } from "./platform.ts";
import { suppressStackTraces } from "./sdk-tuning/stack-traces.ts";
import { readSettings } from "./settings/load.ts";

/** The program: settings → plan → platform → outputs. Every error is found before the first resource. */
export function deploy(): Outputs {
  const { settings, secret } = readSettings();
  const plan = planDeployment(settings);
  for (const warning of plan.warnings) void pulumi.log.warn(warning);
  return suppressStackTraces(() => outputsOf(settings, plan, buildPlatform(settings, plan, secret)));
}

import { RunError } from "@pulumi/pulumi";
import { OperatorError } from "./shared/errors.ts";
import { deploy } from "./stacks/deploy.ts";

function orExplain<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    // The engine prints a RunError's words alone, without a trace.
    const refusal = new RunError(`these settings need correcting\n${error.message}`);
    // It formats the trace all the same, and that takes 20 s of processor time (SDK 3.259, cmd/run/run.js).
    delete refusal.stack;
    throw refusal;
  }
}

export const { address, links, ssh, credentials, secrets, access, images, dns } = orExplain(deploy);

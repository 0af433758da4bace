import { z } from "zod";
import { OperatorError } from "../../shared/errors.ts";

export const CONTROL_PORT = 9000;

/** A line of a streamed answer of the control API. */
export type StreamLine =
  | { readonly kind: "report"; readonly line: string }
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "error"; readonly message: string; readonly faults?: OperatorError["faults"] };

/** What a supervisor tells the process that started it, until it is ready. */
export type StartMessage = StreamLine | { readonly kind: "ready" } | { readonly kind: "running" };

/** An error as it crosses to the client: an operator's keeps its faults. */
export function errorLine(error: unknown): Extract<StreamLine, { kind: "error" }> {
  if (error instanceof OperatorError) return { kind: "error", message: error.message, faults: error.faults };
  if (error instanceof z.ZodError) return { kind: "error", message: z.prettifyError(error) };
  return { kind: "error", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** The error that crossed. */
export function errorFrom(line: Extract<StreamLine, { kind: "error" }>): Error {
  return line.faults === undefined ? new Error(line.message) : new OperatorError(line.faults);
}

import type { z } from "zod";

import type { ErrorAnswer } from "./types.ts";

/** One field of an `invalid_input` answer. */
export interface FieldFault {
  readonly name: string;
  readonly messages: readonly string[];
}

/**
 * An answer that refuses a request: `{"error":{code,message,details}}`.
 *
 * Hetzner documents the codes, not the HTTP status of each. 401, 404, 409 (`uniqueness_error`), 422 and 429 follow its
 * documentation; 412 for `resource_unavailable` is in the trace of terraform-provider-hcloud issue 407, 403 for
 * `resource_limit_exceeded` in that of hetzner-k3s issue 64. The others are the nearest; clients go by the code.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: unknown;

  constructor(status: number, code: string, message: string, details: unknown = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.details = details;
  }

  body(): ErrorAnswer {
    return { error: { code: this.code, message: this.message, details: this.details } };
  }
}

export function invalidInput(fields: readonly FieldFault[]): ApiError {
  const first = fields[0];
  const text = first === undefined ? "invalid input" : `invalid input in field '${first.name}': ${first.messages[0]}`;
  return new ApiError(422, "invalid_input", text, { fields });
}

export function invalidField(name: string, message: string): ApiError {
  return invalidInput([{ name, messages: [message] }]);
}

/** The faults zod found, as Hetzner lists them: one entry a field, unknown fields included. */
export function invalidBody(error: z.ZodError): ApiError {
  const fields = new Map<string, string[]>();
  for (const issue of error.issues) {
    const path = issue.path.map(String);
    const names =
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => [...path, key].join("."))
        : [path.join(".") || "body"];
    const message = issue.code === "unrecognized_keys" ? "unknown field" : issue.message;
    for (const name of names) {
      fields.set(name, [...(fields.get(name) ?? []), message]);
    }
  }
  return invalidInput([...fields].map(([name, messages]) => ({ name, messages })));
}

export function notFound(what: string, id: number | string): ApiError {
  return new ApiError(404, "not_found", `${what} with ID '${id}' not found`);
}

export function notUnique(field: string, message: string): ApiError {
  return new ApiError(409, "uniqueness_error", message, { fields: [{ name: field }] });
}

export function locked(what: string): ApiError {
  return new ApiError(423, "locked", `${what} is locked: an action is running on it`);
}

export function isProtected(what: string): ApiError {
  return new ApiError(403, "protected", `${what} is protected`);
}

/** 409: a conflict whose status the API description leaves open. */
export function conflict(code: string, message: string): ApiError {
  return new ApiError(409, code, message);
}

/** 422: the request is well-formed, and the state of a resource does not allow it. */
export function unprocessable(code: string, message: string): ApiError {
  return new ApiError(422, code, message);
}

export function notStopped(): ApiError {
  return unprocessable("server_not_stopped", "server must be powered off");
}

/** 412: sold out, or nothing left to give. */
export function unavailable(message: string): ApiError {
  return new ApiError(412, "resource_unavailable", message);
}

export function limitExceeded(limit: string): ApiError {
  return new ApiError(403, "resource_limit_exceeded", `${limit} exceeded`, { limits: [{ name: limit }] });
}

/** The real API can do it, the sandbox cannot. */
export function notSimulated(what: string): ApiError {
  return new ApiError(422, "unsupported_error", `${what} is not simulated by the sandbox`);
}

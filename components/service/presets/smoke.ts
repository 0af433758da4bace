import { publicOrigin } from "../model/public-origin.ts";
import type { SmokeCheck } from "../model/operations.ts";

/** A request to the service's own host name, from outside. */
export const viaEdge = (name: string, subdomain: string, path: string, status: number, body?: RegExp): SmokeCheck => ({
  name,
  url: (context) => `${publicOrigin(context, subdomain)}${path}`,
  status,
  ...(body && { body }),
});

/** A request in the container, by the image's wget. */
export const local = (name: string, port: number, path: string, prints: RegExp): SmokeCheck => ({
  name,
  exec: ["wget", "-q", "-O", "-", `http://127.0.0.1:${port}${path}`],
  prints,
});

import type { WatchedLog } from "../../host/software/fail2ban.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import { DATA_ROOT } from "./container.ts";

/** The logs of a service with which the server bans clients. */
export function watchedLogs({ name, user, refusals }: ServiceDefinition): WatchedLog[] {
  if (refusals === undefined) return [];
  const { path, ...rest } = refusals;
  return [{ service: name, path: `${DATA_ROOT}/${name}/${path}`, owner: { uid: user.uid, gid: user.gid }, ...rest }];
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostScript } from "../service/model/facets.ts";

/** Headscale's port, on the server's loopback too: the server itself joins there. */
export const HEADSCALE_PORT = 8085;
/** The user whose machines reach the server. */
export const OWNER = "owner";
/** What the server is: it has no rights of a user. */
export const SERVER_TAG = "tag:server";
/** Headscale gives addresses in turn, and the server is the first member. */
export const SERVER_ADDRESS = "100.64.0.1";

/** `sh` words that run members.py on the server; the script goes to stdin. */
export const membersCommand = (...words: readonly string[]): string => `sudo -n python3 -I - ${words.join(" ")}`;
export const membersScript = (): string =>
  readFileSync(join(import.meta.dirname, "../../files/host/members.py"), "utf8");

/** Gives the server the key with which it becomes a member; `folder` is where tailscaled keeps its state, below its data. */
export const joinServer = (folder: string): HostScript => ({
  create: membersCommand("server", OWNER, SERVER_TAG, SERVER_ADDRESS, folder),
  stdin: membersScript(),
});

/** Refuses a server on which another tailscaled runs: two of them would take the interface from each other. */
export const requireNoOther = (): HostScript => ({ create: membersCommand("alone"), stdin: membersScript() });

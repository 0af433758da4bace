import { textTable } from "../stack/text-table.ts";

/** A machine of the VPN, as members.py prints it. */
export interface Member {
  readonly name: string;
  readonly address: string;
  /** The user that it belongs to, or its tag. */
  readonly owner: string;
  readonly online: boolean;
  /** Seconds since 1970; null: never. */
  readonly seen: number | null;
}

/** The form of a machine's name: one label of DNS. */
export const MACHINE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const membersTable = (members: readonly Member[]): string =>
  textTable(
    ["MACHINE", "ADDRESS", "OWNER", "ONLINE", "LAST SEEN"],
    members.map(({ name, address, owner, online, seen }) => [
      name,
      address,
      owner,
      online ? "yes" : "no",
      seen === null ? "never" : new Date(seen * 1000).toISOString().replace(/\.000Z$/, "Z"),
    ]),
  );

/** What to do on the new machine. `hosts`: origins that answer to members alone. */
export function joinText(
  name: string,
  { url, key }: { readonly url: string; readonly key: string },
  hosts: readonly string[],
): string {
  return `On ${name}, within an hour:
  1. install Tailscale (https://tailscale.com/download); on a phone, set the server's address in its settings: ${url}
  2. sudo tailscale up --login-server=${url} --hostname=${name} --auth-key=${key}
  3. open ${hosts.join(" ")}
The key works once.
`;
}

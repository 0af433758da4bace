import { domainToASCII } from "node:url";
import { networkText, parseRange } from "../../shared/address-range.ts";
import { nearTimezone } from "./timezones.ts";

/** The value that was probably meant, by setting; `[]` stands for each element. */
const SUGGESTIONS: Readonly<Record<string, (value: string) => string | undefined>> = {
  domain: (value) => {
    const host = value
      .trim()
      .replace(/^[a-z]+:\/\//i, "")
      .replace(/[/:].*$/, "")
      .replace(/^\*\./, "")
      .replace(/\.$/, "");
    const ascii = domainToASCII(host);
    // An address or a single label has no near domain.
    return /^[a-z0-9.-]+\.[a-z][a-z0-9-]*$/.test(ascii) ? ascii : undefined;
  },
  timezone: nearTimezone,
  "ssh.allowedCidrs[]": network,
  "vpnCidrs[]": network,
  "vps.serverType": (value) => value.trim().toLowerCase(),
  // A line of ssh-keyscan begins with the host's name.
  "vps.hostKey": (value) => /(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp256) \S+/.exec(value)?.[0],
};

function network(value: string): string | undefined {
  const range = parseRange(value) ?? parseRange(`${value}/${value.includes(":") ? 128 : 32}`);
  return range && networkText(range);
}

/** What to set instead of a rejected value; undefined when nothing is near. */
export function suggestion(setting: string, value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const meant = SUGGESTIONS[setting.replace(/\[\d+\]/g, "[]")]?.(value);
  return meant === value ? undefined : meant;
}

import { existsSync, statSync } from "node:fs";
import type { Fault } from "../../shared/errors.ts";
import { nearName } from "../../stacks/settings/errors.ts";
import { stateFiles } from "../stack/file-backend.ts";

/** Backends of the engine: https://www.pulumi.com/docs/iac/concepts/state-and-backends/ */
const SCHEMES = ["file", "s3", "gs", "azblob", "postgres", "https", "http"];
const ALLOWED = "file:///folder, s3://bucket, gs://bucket, azblob://container, postgres://…, https://…";

/** Whether the engine keeps state itself at the address, and so encrypts secrets by a passphrase. */
export const isOwnBackend = (url: string): boolean => /^(file|s3|gs|azblob|postgres):/.test(url);

/** What is wrong with the address of the state. Not set, it is what `pulumi login` chose. */
export function backendFaults(url: string | undefined): Fault[] {
  if (url === undefined) return [];
  const fault = (found: string, fix: string): Fault[] => [{ key: "PULUMI_BACKEND_URL", found, allowed: ALLOWED, fix }];
  if (url.trim() === "") return fault("empty", "set it, or unset it to use the backend of `pulumi login`");
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(url) ?? [];
  if (scheme === undefined)
    return fault(shown(url), `write a URL, such as file://${url.startsWith("/") ? url : "/folder"}`);
  if (!SCHEMES.includes(scheme)) {
    const near = nearName(scheme, SCHEMES);
    return fault(
      `${shown(url)}, of the unknown scheme ${scheme}`,
      near ? `did you mean ${near}://?` : "correct the scheme",
    );
  }
  if (rest === "" || rest.startsWith("?"))
    return fault(`${shown(url)}, without a place`, "add the bucket or the folder");
  if (scheme !== "file") return [];
  const folder = folderOf(url);
  if (!existsSync(folder))
    return fault(`${url}, a folder that does not exist`, `\`mkdir -p ${folder}\`, or correct it`);
  return statSync(folder).isDirectory() ? [] : fault(`${url}, which is not a folder`, "name a folder");
}

/** The folder above `.pulumi` that the engine uses. */
function folderOf(url: string): string {
  const { locks } = stateFiles(url, "project", "stack") ?? { locks: "" };
  return locks.replace(/\/?\.pulumi\/locks\/.*$/, "") || ".";
}

/** Credentials of a database may be in the address. */
const shown = (url: string): string => url.replace(/\/\/[^/@]*@/, "//…@");

/** The certificate authorities that have a name in settings: their ACME directories (RFC 8555). */
const DIRECTORIES: Readonly<Record<string, string>> = {
  letsencrypt: "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
};

/** The edge's own authority, which every client has to be made to trust. */
const INTERNAL = "internal";

export const ISSUER_FORM = `${[INTERNAL, ...Object.keys(DIRECTORIES)].join(", ")}, or the https address of an ACME directory`;

export const isIssuer = (text: string): boolean =>
  text === INTERNAL || text in DIRECTORIES || (URL.canParse(text) && new URL(text).protocol === "https:");

/** The ACME directory of an issuer; undefined for the edge's own authority. */
export const acmeDirectory = (issuer: string): string | undefined =>
  issuer === INTERNAL ? undefined : (DIRECTORIES[issuer] ?? issuer);

/** The name in CAA records that lets an issuer issue; undefined where it is not known. */
export const caaName = (issuer: string): string | undefined => (issuer in DIRECTORIES ? "letsencrypt.org" : undefined);

/** Whether a directory is that of an authority for trials, which no client trusts. */
export const isTrial = (directory: string): boolean => directory === DIRECTORIES["letsencrypt-staging"];

/**
 * What a client on the server trusts the edge's certificates by: its own authority, the system's authorities, or nothing,
 * where they come from an authority for trials.
 */
export function trustOf(issuer: string): "own" | "system" | "nothing" {
  const directory = acmeDirectory(issuer);
  if (directory === undefined) return "own";
  return isTrial(directory) ? "nothing" : "system";
}

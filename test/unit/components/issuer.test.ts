import { expect, test } from "@jest/globals";
import { acmeDirectory, caaName, isIssuer, trustOf } from "../../../components/service/model/issuer.ts";

const STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory";

test.each([
  ["internal", undefined, undefined, "own"],
  ["letsencrypt", "https://acme-v02.api.letsencrypt.org/directory", "letsencrypt.org", "system"],
  ["letsencrypt-staging", STAGING, "letsencrypt.org", "nothing"],
  [STAGING, STAGING, undefined, "nothing"],
  ["https://acme.your.domain/directory", "https://acme.your.domain/directory", undefined, "system"],
])("%s: its directory, its name in CAA records, and what trusts it", (issuer, directory, name, trust) => {
  expect(isIssuer(issuer)).toBe(true);
  expect([acmeDirectory(issuer), caaName(issuer), trustOf(issuer)]).toEqual([directory, name, trust]);
});

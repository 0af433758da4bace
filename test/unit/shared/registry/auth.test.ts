import { expect, test } from "@jest/globals";
import { parseChallenge, tokenIn, tokenUrl } from "../../../../shared/registry/auth.ts";

test.each([
  [
    "Docker Hub",
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/redis:pull"',
    "https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Alibrary%2Fredis%3Apull",
  ],
  [
    "a registry that names no scope",
    'Bearer realm="https://ghcr.io/token",service="ghcr.io"',
    "https://ghcr.io/token?service=ghcr.io&scope=repository%3Aa%2Fb%3Apull",
  ],
  [
    "a token server with a query of its own",
    'bearer realm="https://quay.io/v2/auth?x=1"',
    "https://quay.io/v2/auth?x=1&scope=repository%3Aa%2Fb%3Apull",
  ],
])("the token that %s asks for", (_name, header, url) => {
  const challenge = parseChallenge(header);
  expect(challenge && tokenUrl(challenge, "a/b").href).toBe(url);
});

test.each([
  ["nothing", undefined],
  ["a password", 'Basic realm="https://registry.example.com"'],
  ["a token from nowhere", 'Bearer service="x"'],
  ["a token from no address", 'Bearer realm="nowhere"'],
])("%s is no challenge that can be met", (_name, header) => {
  expect(parseChallenge(header)).toBeUndefined();
});

test.each([
  ['{"token":"a"}', "a"],
  ['{"access_token":"b","expires_in":300}', "b"],
  ['{"token":""}', undefined],
  ["{}", undefined],
  ["<html>", undefined],
])("%s holds the token %s", (text, token) => {
  expect(tokenIn(text)).toBe(token);
});

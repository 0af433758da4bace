import { describe, expect, test } from "@jest/globals";
import { OperatorError } from "../../../../shared/errors.ts";
import { addressOf, replacedAddresses } from "../../../../shared/registry/upstream.ts";

const read = (text?: string) => replacedAddresses({ VPAI_UPSTREAM_REGISTRIES: text });

describe("the addresses of registries", () => {
  test.each([
    ["docker.io", "https://registry-1.docker.io"],
    ["ghcr.io", "https://ghcr.io"],
    ["127.0.0.1:5000", "http://127.0.0.1:5000"],
  ])("of %s is %s", (registry, url) => {
    expect(addressOf(registry, {})).toBe(url);
  });

  test("are replaced by what the environment says, and by nothing where it says nothing", () => {
    expect(read('{"docker.io":"https://mirror.example.com:5000/","quay.io":"http://127.0.0.1:1"}')).toEqual({
      "docker.io": "https://mirror.example.com:5000",
      "quay.io": "http://127.0.0.1:1",
    });
    expect(addressOf("docker.io", { "docker.io": "https://mirror.example.com" })).toBe("https://mirror.example.com");
    expect([read(), read("")]).toEqual([{}, {}]);
  });

  test.each([
    ["no JSON", "docker.io=https://mirror.example.com"],
    ["a list", '["https://mirror.example.com"]'],
    ["a host without a scheme", '{"docker.io":"mirror.example.com"}'],
    ["another scheme", '{"docker.io":"ftp://mirror.example.com"}'],
    ["a path", '{"docker.io":"https://mirror.example.com/hub"}'],
    ["a password", '{"docker.io":"https://me:secret@mirror.example.com"}'],
    ["a number", '{"docker.io":5000}'],
    ["null", "null"],
  ])("are refused when they are %s", (_, text) => {
    expect(() => read(text)).toThrow(OperatorError);
    expect(() => read(text)).toThrow("  do: correct or unset it");
    expect(() => read(text)).not.toThrow("secret");
  });
});

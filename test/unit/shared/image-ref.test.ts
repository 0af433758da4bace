import { describe, expect, test } from "@jest/globals";
import { images } from "../../../components/images.ts";
import { OperatorError } from "../../../shared/errors.ts";
import { apiHost, IMAGE_REF_FORM, parseImageRef, tryImageRef, withDigest } from "../../../shared/image-ref.ts";
import { settingsSchema } from "../../../stacks/settings/schema.ts";

const digest = `sha256:${"a1".repeat(32)}`;

/** What `pulumi up` says of an image in the stack file. */
const inStackFile = (text: string): boolean => settingsSchema.shape.images.safeParse({ redis: text }).success;

describe("an image reference", () => {
  test.each([
    ["docker.io/library/redis:8.4.0-bookworm", "docker.io", "library/redis", "8.4.0-bookworm"],
    ["docker.n8n.io/n8nio/n8n:2.42.4", "docker.n8n.io", "n8nio/n8n", "2.42.4"],
    ["docker.io/redis:8", "docker.io", "library/redis", "8"],
    ["index.docker.io/redis:8", "docker.io", "library/redis", "8"],
    ["quay.io/a/b/c/d:v1", "quay.io", "a/b/c/d", "v1"],
    ["quay.io/a:v1", "quay.io", "a", "v1"],
    ["localhost/a:v1", "localhost", "a", "v1"],
    ["localhost:5000/a/b:v1", "localhost:5000", "a/b", "v1"],
    ["registry:5000/a:v1", "registry:5000", "a", "v1"],
    ["127.0.0.1:5000/a:v1", "127.0.0.1:5000", "a", "v1"],
    ["ghcr.io/a_b/c__d/e-f.g--h:_x.Y-1", "ghcr.io", "a_b/c__d/e-f.g--h", "_x.Y-1"],
    [`ghcr.io/a:${"t".repeat(128)}`, "ghcr.io", "a", "t".repeat(128)],
    [`ghcr.io/${"a".repeat(247)}:1`, "ghcr.io", "a".repeat(247), "1"],
  ])("%s is taken apart", (name, host, path, tag) => {
    const text = `${name}@${digest}`;
    expect(parseImageRef(text)).toEqual({ text, repository: `${host}/${path}`, host, path, tag, digest });
    expect(inStackFile(text)).toBe(true);
  });

  test.each([
    ["nothing", ""],
    ["no digest", "docker.io/library/redis:8"],
    ["no tag", `docker.io/library/redis@${digest}`],
    ["no host", `redis:8@${digest}`],
    ["a path for a host", `redis/redis:8@${digest}`],
    ["a path of two parts for a host", `library/redis/redis:8@${digest}`],
    ["a short digest", `docker.io/library/redis:8@${digest.slice(0, -1)}`],
    ["a long digest", `docker.io/library/redis:8@${digest}0`],
    ["upper-case hexadecimal digits", `docker.io/library/redis:8@sha256:${"A".repeat(64)}`],
    ["another algorithm", `docker.io/library/redis:8@sha512:${"a".repeat(128)}`],
    ["a scheme", `https://docker.io/library/redis:8@${digest}`],
    ["an upper-case path", `docker.io/library/Redis:8@${digest}`],
    ["an upper-case host", `Docker.io/library/redis:8@${digest}`],
    ["an empty part", `docker.io/library//redis:8@${digest}`],
    ["a part that begins with a dot", `docker.io/.library/redis:8@${digest}`],
    ["a part that ends with a dash", `docker.io/library/redis-:8@${digest}`],
    ["three underscores", `docker.io/a___b:8@${digest}`],
    ["a host that begins with a dot", `.io/library/redis:8@${digest}`],
    ["a host that ends with a dot", `docker.io./library/redis:8@${digest}`],
    ["a host alone", `docker.io:8@${digest}`],
    ["a port without digits", `docker.io:/library/redis:8@${digest}`],
    ["a tag that begins with a dot", `docker.io/library/redis:.8@${digest}`],
    ["a tag of 129 characters", `docker.io/library/redis:${"t".repeat(129)}@${digest}`],
    ["a name of 256 characters", `ghcr.io/${"a".repeat(248)}:1@${digest}`],
    ["a line break at its end", `docker.io/library/redis:8@${digest}\n`],
    ["a space", ` docker.io/library/redis:8@${digest}`],
  ])("with %s is refused, and the error says what it must look like", (_, text) => {
    expect(tryImageRef(text)).toBeUndefined();
    expect(inStackFile(text)).toBe(false);
    expect(() => parseImageRef(text)).toThrow(
      new OperatorError({
        key: "image",
        found: text,
        allowed: IMAGE_REF_FORM,
        fix: "write the image with its registry, its tag and its digest",
      }),
    );
  });

  test("takes another digest and keeps the rest", () => {
    const other = `sha256:${"0".repeat(64)}`;
    expect(withDigest(parseImageRef(`ghcr.io/a/b:v1@${digest}`), other)).toBe(`ghcr.io/a/b:v1@${other}`);
  });

  test.each(Object.entries(images))("is what the catalogue has for %s", (_, { pin }) => {
    expect(parseImageRef(pin).text).toBe(pin);
  });
});

test.each([
  ["docker.io", "registry-1.docker.io"],
  ["ghcr.io", "ghcr.io"],
])("the API of %s is at %s", (registry, host) => {
  expect(apiHost(registry)).toBe(host);
});

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { buildGo, builtBefore, goServes, moduleKey, type GoBuild } from "../../../toolchain/go.ts";
import { refusal, useScratch } from "./fixtures.ts";

describe("building Go", () => {
  const scratch = useScratch();

  function build(change: Partial<GoBuild> = {}): GoBuild {
    const dir = join(scratch.dir, "module");
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "go.mod"), "module m\n");
    return { dir, binaries: { double: "./cmd/double" }, label: "double", report: () => undefined, ...change };
  }

  /** A Go that writes its arguments into the binary it is asked for. */
  const working = `case $1 in
    version) echo go version go1.26.8 linux/amd64;;
    build) for word; do last=$out; out=$word; [ "$last" = -o ] && dir=$word; done; echo "$@" > "$dir/$(basename "$out")"; echo m/package >&2;;
  esac`;

  test.each([
    ["1.26", true],
    ["1.26.8", true],
    ["1.27", true],
    ["2.0", true],
    ["1.25.9", false],
    ["1.9", false],
  ])("Go %s serves: %s", (version, serves) => {
    expect(goServes(version)).toBe(serves);
  });

  test("Go missing: says what to do", async () => {
    process.env.PATH = join(scratch.dir, "bin");
    expect(await refusal(buildGo(build()))).toBe(
      "go: not on PATH\n  allowed: Go 1.26 or newer\n  do: install Go from https://go.dev/dl/ and put its bin directory on PATH",
    );
  });

  test("Go too old: says what was found, and builds nothing", async () => {
    scratch.program("go", "echo go version go1.19.8 linux/amd64");
    expect(await refusal(buildGo(build()))).toBe(
      "go: go version go1.19.8 linux/amd64\n  allowed: Go 1.26 or newer\n  do: install Go from https://go.dev/dl/ and put its bin directory on PATH",
    );
    expect(await builtBefore(build())).toBeUndefined();
  });

  test("builds once, under the wanted name, and needs no Go the second time", async () => {
    const change = { binaries: { caddy: "example.com/x/cmd/server/v2" }, tags: ["a", "b"], ldflags: "-X m.v=1" };
    scratch.program("go", working.replace('$(basename "$out")', "server"));
    const directory = await buildGo(build(change));
    expect(readFileSync(join(directory, "caddy"), "utf8")).toMatch(
      /^build -v -trimpath -buildvcs=false -tags a,b -ldflags -X m.v=1 -o \S+\/ example.com\/x\/cmd\/server\/v2\n$/,
    );
    expect(readFileSync(join(directory, "go-version"), "utf8")).toBe("1.26.8\n");
    scratch.program("go", "exit 1");
    expect(await buildGo(build(change))).toBe(directory);
    expect(await builtBefore(build({ ...change, ldflags: "-X m.v=2" }))).toBeUndefined();
  });

  test("a failing build shows the compiler's lines and leaves no entry", async () => {
    scratch.program(
      "go",
      `case $1 in version) echo go1.26.8;; *) echo m/package >&2; echo "x.go:3:1: syntax error" >&2; exit 1;; esac`,
    );
    const text = await refusal(buildGo(build()));
    expect(text).toContain("go build of double: x.go:3:1: syntax error\n");
    expect(text).toMatch(/do: see \S+\.log; the first build needs a Go module proxy/);
    expect(await builtBefore(build())).toBeUndefined();
    const log = /see (\S+\.log)/.exec(text)?.[1] ?? "";
    expect(readFileSync(log, "utf8")).toContain("m/package\nx.go:3:1: syntax error\n");
  });

  test("a module's key follows its files, and not its tests", async () => {
    const { dir } = build();
    const first = await moduleKey(dir);
    writeFileSync(join(dir, "x_test.go"), "");
    expect(await moduleKey(dir)).toBe(first);
    writeFileSync(join(dir, "x.go"), "");
    const second = await moduleKey(dir);
    expect(second).not.toBe(first);
    writeFileSync(join(dir, "x.go"), "package x");
    expect(await moduleKey(dir)).not.toBe(second);
    expect(existsSync(join(dir, "x.go"))).toBe(true);
  });

  test("the key of a module's parts follows these parts alone", async () => {
    const { dir } = build();
    for (const name of ["mine", "other"]) {
      mkdirSync(join(dir, name));
      writeFileSync(join(dir, name, "x.go"), "");
    }
    const key = () => moduleKey(dir, ["mine", "go.mod"]);
    const first = await key();
    writeFileSync(join(dir, "other", "x.go"), "package other");
    expect(await key()).toBe(first);
    writeFileSync(join(dir, "mine", "x.go"), "package mine");
    const second = await key();
    expect(second).not.toBe(first);
    writeFileSync(join(dir, "go.mod"), "module n\n");
    expect(await key()).not.toBe(second);
  });
});

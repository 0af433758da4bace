import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { partsBuild } from "../../../toolchain/build.ts";
import { PLUGINS, engineServes, versions } from "../../../toolchain/versions.ts";
import { PROJECT_ROOT } from "../../../shared/paths.ts";

describe("versions", () => {
  test.each([
    ["v3.259.0", true],
    ["3.259.0\n", true],
    ["v3.260.1", true],
    ["v3.259.1", true],
    ["v3.258.9", false],
    ["v4.0.0", false],
    ["v2.999.0", false],
    ["v3.260.0-alpha.1", false],
    ["nonsense", false],
  ])("an engine that says %j serves the pin 3.259.0: %s", (found, serves) => {
    expect(engineServes(found, "3.259.0")).toBe(serves);
  });

  test("the SDK's version is that of the Go module's engine", () => {
    const text = readFileSync(`${PROJECT_ROOT}/toolchain/go/go.mod`, "utf8");
    for (const name of ["pkg", "sdk"]) {
      const version = new RegExp(`\\sgithub\\.com/pulumi/pulumi/${name}/v3 v(\\S+)`).exec(text)?.[1];
      expect([name, version]).toEqual([name, versions().engine]);
    }
  });

  test("Pulumi.yaml asks for an engine that the pinned one is", () => {
    const project = parse(readFileSync(`${PROJECT_ROOT}/Pulumi.yaml`, "utf8")) as { requiredPulumiVersion?: string };
    expect(project.requiredPulumiVersion).toBe(`>=${versions().engine}`);
  });

  test("each plugin is told its version by the builder, as the Go module names them", () => {
    const build = partsBuild(["engine", ...PLUGINS], versions(), () => undefined);
    const declared =
      readFileSync(`${PROJECT_ROOT}/toolchain/go/internal/versions/versions.go`, "utf8").match(/^\t\w+(?=\s+= )/gm) ??
      [];
    const set = [...(build.ldflags ?? "").matchAll(/internal\/versions\.(\w+)=(\S+)/g)].map(([, name, value]) => [
      name,
      value,
    ]);
    expect(set.map(([name]) => name).sort()).toEqual(declared.map((name) => name.trim()).sort());
    expect(Object.fromEntries(set)).toMatchObject({
      Pulumi: versions().engine,
      Docker: versions().plugins.docker,
      TLS: versions().plugins.tls,
    });
  });

  test("the npm packages ask for exactly these plugins", () => {
    for (const name of PLUGINS) {
      const manifest = JSON.parse(
        readFileSync(`${PROJECT_ROOT}/node_modules/@pulumi/${name}/package.json`, "utf8"),
      ) as { version: string };
      expect(manifest.version.replace(/^v/, "")).toBe(versions().plugins[name]);
    }
  });
});

import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { type Toolchain, ensureToolchain, originText } from "../../../toolchain/toolchain.ts";
import { PLUGINS, versions } from "../../../toolchain/versions.ts";
import { program, refusal, useScratch } from "./fixtures.ts";

const { engine, plugins } = versions();
const BASE = "https://releases.test";

/** An engine that says its version and lists the plugins of its home, and counts how often it was asked. */
function fakeEngine(directory: string, version: string): void {
  program(
    join(directory, "pulumi"),
    `[ -z "$CALLS" ] || echo x >> "$CALLS"
case "$1 $2" in
  "version ") echo ${version};;
  "plugin ls") cd "$PULUMI_HOME/plugins" && ls -d resource-* | sed 's/resource-\\(.*\\)-v\\(.*\\)/{"name":"\\1","version":"\\2"},/' | tr -d '\\n' | sed 's/^/[/; s/,$/]/';;
esac`,
  );
  program(join(directory, "pulumi-language-nodejs"), "exit 0");
}

/** What a server of releases serves: URL → content. */
type Releases = Record<string, Uint8Array>;

function archive(directory: string): Uint8Array {
  return execFileSync("tar", ["-czf", "-", "-C", dirname(directory), directory.split("/").at(-1) ?? ""]);
}

function serve(releases: Releases, asked: string[] = []): typeof fetch {
  return (input, init) => {
    const url = String(input);
    asked.push(`${init?.method ?? "GET"} ${url.replace(BASE, "")}`);
    const body = releases[url];
    if (Object.keys(releases).length === 0) {
      return Promise.reject(Object.assign(new TypeError("fetch failed"), { cause: { code: "ENOTFOUND" } }));
    }
    return Promise.resolve(new Response(body ?? null, { status: body ? 200 : 404 }));
  };
}

const platform = `${process.platform}-${process.arch}`;
const architecture = process.arch === "x64" ? "amd64" : process.arch;
const engineUrl = `${BASE}/sdk/pulumi-v${engine}-${platform}.tar.gz`;
const sumsUrl = `${BASE}/sdk/pulumi-${engine}-checksums.txt`;

describe("the toolchain", () => {
  const scratch = useScratch();
  const lines: string[] = [];

  function ensure(change: NodeJS.ProcessEnv = {}, fetching: typeof fetch = serve({})): Promise<Toolchain> {
    lines.length = 0;
    const env = { PATH: process.env.PATH, HOME: scratch.dir, ...change };
    return ensureToolchain((line) => lines.push(line), { env, source: { base: BASE, fetch: fetching } });
  }

  const origins = (made: Toolchain): Record<string, string> =>
    Object.fromEntries(
      made.parts.map((part) => [part.name, part.source ? `${part.origin} ${part.source}` : part.origin]),
    );
  const everyPlugin = (origin: string): Record<string, string> =>
    Object.fromEntries(PLUGINS.map((name) => [`plugin ${name}`, origin]));

  /** A Go that makes fake engines and plugins. */
  function fakeGo(): void {
    fakeEngine(join(scratch.dir, "made"), engine);
    scratch.program(
      "go",
      `case $1 in
  version) echo go version go1.26.8 linux/amd64;;
  build) for word; do [ "$last" = -o ] && dir=$word; last=$word; done
    cp ${join(scratch.dir, "made")}/* "$dir"
    for name in ${PLUGINS.join(" ")}; do echo > "$dir/pulumi-resource-$name"; done;;
esac`,
    );
  }

  function ownPlugins(home: string): void {
    for (const name of PLUGINS)
      program(join(home, "plugins", `resource-${name}-v${plugins[name]}`, `pulumi-resource-${name}`), "");
  }

  function releases(): Releases {
    const served: Releases = {};
    fakeEngine(join(scratch.dir, "release", "pulumi"), `v${engine}`);
    program(join(scratch.dir, "release", "pulumi", "pulumi-resource-pulumi-nodejs"), "# official");
    const made = archive(join(scratch.dir, "release", "pulumi"));
    served[engineUrl] = made;
    const sum = createHash("sha256").update(made).digest("hex");
    served[sumsUrl] = Buffer.from(
      `${"0".repeat(64)}  pulumi-v${engine}-windows-x64.zip\n${sum}  ${engineUrl.split("/").at(-1)}\n`,
    );
    for (const name of PLUGINS) {
      const binary = program(join(scratch.dir, "release", `pulumi-resource-${name}`), "");
      served[`${BASE}/plugins/pulumi-resource-${name}-v${plugins[name]}-${process.platform}-${architecture}.tar.gz`] =
        archive(binary);
    }
    return served;
  }

  test("takes what the operator has, and makes nothing", async () => {
    fakeEngine(join(scratch.dir, "bin"), "v3.300.0");
    ownPlugins(join(scratch.dir, ".pulumi"));
    const made = await ensure();
    expect(origins(made)).toMatchObject({ pulumi: "path", "pulumi-language-nodejs": "path", ...everyPlugin("path") });
    expect(made.parts[0]).toMatchObject({ version: "3.300.0", path: join(scratch.dir, "bin", "pulumi") });
    expect(lines).toEqual([]);
  });

  test("puts into the operator's own Pulumi home what it lacks, and nothing else there", async () => {
    fakeGo();
    const home = join(scratch.dir, "home");
    program(join(home, "plugins", `resource-tls-v${plugins.tls}`, "pulumi-resource-tls"), "# mine");
    const made = await ensure({ PULUMI_HOME: home });
    expect(origins(made)).toMatchObject({ pulumi: "built", ...everyPlugin("built"), "plugin tls": "path" });
    expect(made.env.PULUMI_HOME).toBe(home);
    expect(
      readFileSync(join(home, "plugins", `resource-tls-v${plugins.tls}`, "pulumi-resource-tls"), "utf8"),
    ).toContain("# mine");
  });

  test("an engine that is too old does not serve", async () => {
    fakeGo();
    fakeEngine(join(scratch.dir, "bin"), "v3.258.0");
    expect(origins(await ensure())).toMatchObject({ pulumi: "built" });
  });

  test("an engine without its language host does not serve", async () => {
    fakeGo();
    scratch.program("pulumi", "echo v3.300.0");
    expect(origins(await ensure())).toMatchObject({ pulumi: "built" });
  });

  test("downloads, verified, and remembers that it did", async () => {
    const asked: string[] = [];
    const made = await ensure({}, serve(releases(), asked));
    expect(origins(made)).toMatchObject({ pulumi: "download", ...everyPlugin("download") });
    expect(lines[0]).toBe(`pulumi ${engine}: downloaded, SHA-256 as published`);
    expect(lines[1]).toMatch(/^plugin docker \S+: downloaded over TLS; no checksum is published there$/);
    const launcher = join(dirname(made.parts[0]?.path ?? ""), "pulumi-resource-pulumi-nodejs");
    expect(readFileSync(launcher, "utf8")).toContain("# official");
    asked.length = 0;
    expect(origins(await ensure({}, serve({}, asked)))).toMatchObject({
      pulumi: "cache download",
      ...everyPlugin("cache download"),
    });
    expect([asked, lines]).toEqual([[], []]);
  });

  test("a download with another checksum is not used", async () => {
    fakeGo();
    const served = { ...releases(), [engineUrl]: Buffer.from("something else") };
    expect(origins(await ensure({}, serve(served)))).toMatchObject({ pulumi: "built", ...everyPlugin("download") });
    expect(lines[0]).toMatch(
      /^engine \S+: not downloaded \(\S+ has SHA-256 \w+, published is \w+: not used\), building/,
    );
  });

  test("builds where downloads are refused, says so once, and asks again only another day", async () => {
    fakeGo();
    const asked: string[] = [];
    const made = await ensure({}, serve({}, asked));
    expect(origins(made)).toMatchObject({ pulumi: "built", ...everyPlugin("built") });
    expect(lines).toEqual([
      "official downloads are refused (ENOTFOUND): building engine, docker, random, hcloud, command, tls from Go modules; cold, on 2 cores, 10 to 20 minutes",
    ]);
    expect(asked).toEqual([`HEAD ${engineUrl.replace(BASE, "")}`]);
    // Another Pulumi home means another layout, of the same builds.
    const other = await ensure({ PULUMI_HOME: join(scratch.dir, "other") }, serve({}, asked));
    expect(origins(other)).toMatchObject({ pulumi: "cache built" });
    expect([asked.length, lines]).toEqual([1, []]);
    expect(originText(other.parts[0]!)).toBe("built here from Go modules, not the official binary; in the cache");
  });

  test("starts no process when nothing has changed, and looks again when something has", async () => {
    fakeGo();
    const calls = join(scratch.dir, "calls");
    process.env.CALLS = calls;
    const made = await ensure();
    expect(readFileSync(calls, "utf8")).toBe("x\nx\n"); // reads back: its version, its plugins
    await ensure();
    expect(readFileSync(calls, "utf8")).toBe("x\nx\n");
    writeFileSync(made.parts[0]?.path ?? "", `${readFileSync(made.parts[0]?.path ?? "", "utf8")}# changed\n`);
    await ensure();
    expect(readFileSync(calls, "utf8")).toBe("x\nx\nx\nx\n");
  });

  test("an engine that does not see what was laid out is an error", async () => {
    fakeGo();
    fakeEngine(join(scratch.dir, "made"), "9.9.9");
    expect(await refusal(ensure())).toBe(`the engine on PATH says it is 9.9.9; ${engine} was laid out`);
  });

  test("neither downloads nor Go: says that Go is needed", async () => {
    scratch.program("go", "echo go version go1.19.8 linux/amd64");
    expect(await refusal(ensure())).toContain("go: go version go1.19.8 linux/amd64\n  allowed: Go 1.26 or newer");
  });

  test("keeps plugins off PATH, and the operator's login in force", async () => {
    fakeGo();
    mkdirSync(join(scratch.dir, ".pulumi"));
    writeFileSync(join(scratch.dir, ".pulumi", "credentials.json"), "{}");
    const { env } = await ensure();
    expect(env.PULUMI_CREDENTIALS_PATH).toBe(join(scratch.dir, ".pulumi"));
    const [first = ""] = (env.PATH ?? "").split(":");
    expect(existsSync(join(first, "pulumi"))).toBe(true);
    expect(existsSync(join(first, "pulumi-resource-pulumi-nodejs"))).toBe(true);
    expect(existsSync(join(first, "pulumi-resource-docker"))).toBe(false);
    expect(env).toMatchObject({
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    });
    expect(env.NODE_COMPILE_CACHE).toMatch(/\/node-compile$/);
  });
});

import { join } from "node:path";
import type { GoBuild } from "./go.ts";
import { type PluginName, type Versions } from "./versions.ts";
import { PROJECT_ROOT } from "../shared/paths.ts";

export type PartName = "engine" | PluginName;

/** The Go module that stands in for what cannot be downloaded. */
export const GO_MODULE = join(PROJECT_ROOT, "toolchain", "go");

const ENGINE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";

/** How to build the wanted parts, all in one call of Go: they share most of their dependencies. */
export function partsBuild(parts: readonly PartName[], wanted: Versions, report: (line: string) => void): GoBuild {
  const binaries: Record<string, string> = {};
  for (const part of [...parts].sort()) {
    if (part === "engine") {
      binaries["pulumi"] = ENGINE;
      binaries["pulumi-language-nodejs"] = "./cmd/pulumi-language-nodejs";
    } else {
      binaries[`pulumi-resource-${part}`] = `./cmd/pulumi-resource-${part}`;
    }
  }
  return {
    dir: GO_MODULE,
    binaries,
    ldflags: ldflags(wanted),
    tags: ["no_compose"],
    label: "engine and plugins",
    report,
  };
}

/** Sets the version of every binary; the engine reads its own in two places. */
function ldflags(wanted: Versions): string {
  const own = "vpai/toolchain/internal/versions";
  const set: Record<string, string> = {
    "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": wanted.engine,
    "github.com/pulumi/pulumi/pkg/v3/version.Version": wanted.engine,
    [`${own}.Pulumi`]: wanted.engine,
    [`${own}.Docker`]: wanted.plugins.docker,
    [`${own}.Random`]: wanted.plugins.random,
    [`${own}.Hcloud`]: wanted.plugins.hcloud,
    [`${own}.Command`]: wanted.plugins.command,
    [`${own}.TLS`]: wanted.plugins.tls,
  };
  return ["-s -w", ...Object.entries(set).map(([name, value]) => `-X ${name}=${value}`)].join(" ");
}

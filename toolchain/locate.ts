import { existsSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { PLUGINS, type PluginName, type Versions } from "./versions.ts";

/** What the operator has installed already; found by looking at files only. */
export interface Located {
  /** The first `pulumi` on PATH that has its language host next to it. */
  readonly engine: string | undefined;
  /** Plugins of exactly the pinned versions, in a Pulumi home. */
  readonly plugins: Readonly<Partial<Record<PluginName, string>>>;
}

export function locate(wanted: Versions, env: NodeJS.ProcessEnv): Located {
  const plugins: Partial<Record<PluginName, string>> = {};
  for (const name of PLUGINS) {
    const path = pulumiHomes(env)
      .map((home) => pluginPath(home, name, wanted.plugins[name]))
      .find((candidate) => existsSync(candidate) && !existsSync(`${dirname(candidate)}.partial`));
    if (path !== undefined) plugins[name] = path;
  }
  return { engine: engineOnPath(env), plugins };
}

function engineOnPath(env: NodeJS.ProcessEnv): string | undefined {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter((directory) => directory !== "")
    .map((directory) => join(directory, "pulumi"))
    .filter((path) => existsSync(path) && statSync(path).isFile())
    .map((path) => realpathSync(path)) // a link such as Homebrew's: the language host is next to the file
    .find((path) => existsSync(join(dirname(path), "pulumi-language-nodejs")));
}

/** Where plugins may lie: the home that is set, else the usual one. */
function pulumiHomes(env: NodeJS.ProcessEnv): string[] {
  return [env.PULUMI_HOME || join(env.HOME || homedir(), ".pulumi")];
}

/** Where Pulumi keeps a plugin. */
export function pluginPath(home: string, name: PluginName, version: string): string {
  return join(home, "plugins", `resource-${name}-v${version}`, `pulumi-resource-${name}`);
}

/** Changes when one of the files does; the text says nothing else. */
export function fingerprint(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found ? `${path} ${found.size} ${found.mtimeMs}` : `${path} missing`;
    })
    .join("\n");
}

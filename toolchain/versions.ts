import { readFileSync } from "node:fs";
import { PROJECT_ROOT } from "../shared/paths.ts";

export const PLUGINS = ["docker", "random", "hcloud", "command", "tls"] as const;
export type PluginName = (typeof PLUGINS)[number];

export interface Versions {
  /** Of @pulumi/pulumi, and so of the engine and its language host. */
  readonly engine: string;
  readonly plugins: Readonly<Record<PluginName, string>>;
}

/** Every version, from package.json: nothing else names them. */
export function versions(root: string = PROJECT_ROOT): Versions {
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as { dependencies: Record<string, string> };
  const of = (name: string): string => {
    const pin = manifest.dependencies[`@pulumi/${name}`];
    if (pin === undefined || !/^\d+\.\d+\.\d+$/.test(pin))
      throw new Error(`package.json pins no exact @pulumi/${name}: ${pin}`);
    return pin;
  };
  return {
    engine: of("pulumi"),
    plugins: {
      docker: of("docker"),
      random: of("random"),
      hcloud: of("hcloud"),
      command: of("command"),
      tls: of("tls"),
    },
  };
}

/** A pre-installed engine is accepted if it is the pinned one or a newer one of its major version. */
export function engineServes(found: string, pinned: string): boolean {
  const numbers = (text: string): number[] => (/^v?(\d+)\.(\d+)\.(\d+)/.exec(text.trim()) ?? []).slice(1).map(Number);
  const [major = 0, minor = 0, patch = 0] = numbers(found);
  const [needMajor = 0, needMinor = 0, needPatch = 0] = numbers(pinned);
  if (/-/.test(found) || major !== needMajor) return false; // no alphas: they sort below their release
  return minor > needMinor || (minor === needMinor && patch >= needPatch);
}

import { execa } from "execa";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { describe, type Described } from "./inspected.ts";

/** The name of the machine in the SSH configuration. */
export const HOST = "vpai";

/** Ids of the stack's containers. */
export const OURS = "docker ps --quiet --no-trunc --filter label=vpai.service";

/** Runs a command on the host; answers what it printed. */
export type Ssh = (command: string) => Promise<string>;

/** A shell on the host that `sshConfig` leads to; the paths in that file are relative to the clone. */
export const onHost =
  (sshConfig: string, signal: AbortSignal): Ssh =>
  async (command) =>
    (await execa("ssh", ["-F", sshConfig, HOST, command], { cwd: PROJECT_ROOT, stdin: "ignore", cancelSignal: signal }))
      .stdout;

/** Describes what runs on the host. */
export async function look(ssh: Ssh): Promise<Described> {
  const json = async (command: string): Promise<unknown> => JSON.parse(await ssh(command));
  const sources = (readOnly: boolean): string => {
    const wanted = readOnly ? "{{if .ReadOnly}}" : "{{if not .ReadOnly}}";
    return `${OURS} | xargs docker inspect --format '{{range .HostConfig.Mounts}}${wanted}{{println .Source}}{{end}}{{end}}'`;
  };
  const find = (readOnly: boolean, ...depth: string[]): Promise<string> => {
    const words = ["xargs -I{} sudo -n find {}", ...depth, "-printf '%y %m %U %G %p\\n'"];
    // What a service sees of the host itself is not made by anybody.
    return ssh(`${sources(readOnly)} | grep ^/opt/ | ${words.join(" ")}`);
  };
  return describe({
    containers: await json(`${OURS} | xargs docker inspect`),
    images: await json(`${OURS} | xargs docker inspect --format '{{.Image}}' | sort -u | xargs docker image inspect`),
    networks: await json("docker network ls --quiet --filter type=custom | xargs docker network inspect"),
    // What is mounted read-only is configuration; what is in the others is the services' own.
    paths: [await find(true), await find(false, "-maxdepth 0")].join("\n"),
  });
}

import { stringify } from "yaml";
import type { Described, DescribedPath, DescribedService } from "./inspected.ts";

/** One task, and how often it runs. */
interface Task {
  readonly name: string;
  readonly [key: string]: unknown;
}

/**
 * The tasks of an ordinary playbook that makes a host what is described: a loop where things are alike, a task a
 * service otherwise.
 */
function tasksOf({ networks, services }: Described): Task[] {
  return [
    {
      name: "networks",
      "community.docker.docker_network": {
        name: "{{ item.name }}",
        driver: "bridge",
        internal: "{{ item.internal }}",
        driver_options: "{{ item.options }}",
        ipam_config: [{ subnet: "{{ item.subnet }}", gateway: "{{ item.gateway }}" }],
      },
      loop: networks,
    },
    ...services.map(imageOf),
    ...services.flatMap(serviceTasks),
  ];
}

function imageOf({ name, image }: DescribedService): Task {
  return { name: `${name}: image`, "community.docker.docker_image": { name: image, source: "pull" } };
}

function serviceTasks({ name, image, paths, options }: DescribedService): Task[] {
  const directories = paths.filter(({ directory }) => directory);
  const files = paths.filter(({ directory }) => !directory);
  const owned = { owner: "{{ item.owner }}", group: "{{ item.group }}", mode: "{{ item.mode }}" };
  // A loop over nothing would be a task that is skipped.
  const loops = [
    {
      name: `${name}: directories`,
      "ansible.builtin.file": { path: "{{ item.path }}", state: "directory", ...owned },
      loop: directories.map(itemOf),
    },
    {
      name: `${name}: files`,
      "ansible.builtin.copy": { src: "files{{ item.path }}", dest: "{{ item.path }}", ...owned },
      loop: files.map(itemOf),
    },
  ].filter(({ loop }) => loop.length > 0);
  return [
    ...loops,
    { name: `${name}: container`, "community.docker.docker_container": { name, image, state: "started", ...options } },
    {
      name: `${name}: healthy`,
      "community.docker.docker_container_info": { name },
      register: "seen",
      until: "seen.container.State.Health.Status == 'healthy'",
      retries: 60,
      delay: 1,
    },
  ];
}

const itemOf = ({ path, uid, gid, mode }: DescribedPath): Record<string, string> => ({
  path,
  owner: uid,
  group: gid,
  mode,
});

/** The playbook as a file's text. */
export function renderPlaybook(described: Described): string {
  const play = { name: "the stack", hosts: "all", gather_facts: false, become: true, tasks: tasksOf(described) };
  return stringify([play], { lineWidth: 0, aliasDuplicateObjects: false });
}

/** The tasks by name, with the number of items of those that loop. */
export function listTasks(described: Described): string[] {
  return tasksOf(described).map(({ name, loop }) => (Array.isArray(loop) ? `${name} × ${loop.length}` : name));
}

/** What is usual where speed matters; the connection is kept open between runs. `folder` holds the sockets. */
export function renderAnsibleCfg(folder: string, sshConfig: string): string {
  return `[defaults]
gathering = explicit
retry_files_enabled = False
local_tmp = ${folder}/tmp

[ssh_connection]
pipelining = True
ssh_args = -F ${sshConfig} -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = ${folder}/cp
`;
}

export interface Recap {
  readonly ok: number;
  readonly changed: number;
  readonly unreachable: number;
  readonly failed: number;
}

/** The last lines of `ansible-playbook` for one host; undefined where there are none. */
export function parseRecap(output: string, host: string): Recap | undefined {
  const line = output.split("\n").findLast((each) => each.startsWith(`${host} `) && each.includes("ok="));
  const count = (key: string): number => Number(new RegExp(`\\b${key}=(\\d+)`).exec(line ?? "")?.[1]);
  const recap = {
    ok: count("ok"),
    changed: count("changed"),
    unreachable: count("unreachable"),
    failed: count("failed"),
  };
  return Object.values(recap).some(Number.isNaN) ? undefined : recap;
}

/** Why a run is not a no-op of `tasks` tasks; undefined where it is one. */
export function voidRecap(recap: Recap | undefined, tasks: number): string | undefined {
  if (!recap) return "ansible-playbook ended without a recap";
  const { ok, changed, unreachable, failed } = recap;
  const right = ok === tasks && changed + unreachable + failed === 0;
  return right
    ? undefined
    : `ok=${ok} changed=${changed} unreachable=${unreachable} failed=${failed}, wanted ok=${tasks} and no other`;
}

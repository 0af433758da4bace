import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { ensureDebianPackages } from "../../toolchain/debian.ts";
import { type Bench, report, VoidMeasurement } from "./bench.ts";
import { HOST, look, onHost, OURS } from "./host.ts";
import type { Described } from "./inspected.ts";
import { listTasks, parseRecap, renderAnsibleCfg, renderPlaybook, voidRecap } from "./playbook.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** Containers, networks, images and configuration. Data stays: making databases is no part of the playbook. */
const REMOVE =
  `${OURS} | xargs docker rm -f > /dev/null && docker network prune -f > /dev/null && ` +
  "docker image prune -af > /dev/null && sudo -n find /opt/vpai/config -mindepth 1 -delete";

/** A playbook for what runs on a host. */
export interface Playbook {
  /** Names, with the number of items. */
  readonly tasks: readonly string[];
  readonly version: string;
  /** One run over the host; its wall time in milliseconds. Void when it changes anything. */
  run(): Promise<number>;
  /** Removes what is described, data aside, and has a run make it again; that run's wall time in milliseconds. */
  converge(): Promise<number>;
  /** Void when the containers are no longer those that were described. */
  verify(): Promise<void>;
  /** Closes the connection that the runs share. */
  close(): Promise<void>;
}

/** Describes what runs on the host that `sshConfig` (absolute) leads to, and writes the playbook that would make it. */
export async function makePlaybook(sshConfig: string, { folder, signal }: Bench): Promise<Playbook> {
  await ensureDebianPackages(["ansible"], "the comparison with Ansible", report);
  const dir = join(folder, "ansible");
  const sockets = join(dir, "cp");
  await mkdir(join(dir, "files"), { recursive: true });
  const ssh = onHost(sshConfig, signal);
  // What Ansible's Docker modules need over there; not part of what is measured.
  await ssh('python3 -c "import requests" || sudo -n apt-get install -q -y --no-install-recommends python3-requests');
  const described = await look(ssh);
  await fetchFiles(sshConfig, described, join(dir, "files"), signal);
  await writeFile(join(dir, "playbook.yml"), renderPlaybook(described));
  await writeFile(join(dir, "ansible.cfg"), renderAnsibleCfg(dir, sshConfig));
  await writeFile(join(dir, "inventory"), `${HOST} ansible_python_interpreter=/usr/bin/python3\n`);
  const tasks = listTasks(described);
  const env = { ANSIBLE_CONFIG: join(dir, "ansible.cfg"), ANSIBLE_HOME: join(dir, "home"), LC_ALL: "C.UTF-8" };
  const containers = await ssh(OURS);
  const { stdout } = await execa("ansible-playbook", ["--version"], { env });
  const play = async (): Promise<{ ms: number; all: string }> => {
    const from = performance.now();
    // From the clone: the paths in the SSH configuration are relative to it.
    const { all } = await execa("ansible-playbook", ["-i", join(dir, "inventory"), join(dir, "playbook.yml")], {
      cwd: PROJECT_ROOT,
      env,
      stdin: "ignore",
      all: true,
      reject: false,
      cancelSignal: signal,
    });
    signal.throwIfAborted();
    return { ms: performance.now() - from, all };
  };
  return {
    tasks,
    version: stdout.split("\n")[0] ?? "",
    run: async () => {
      const { ms, all } = await play();
      const why = voidRecap(parseRecap(all, HOST), tasks.length);
      if (why !== undefined) throw new VoidMeasurement(`Ansible's run was no no-op: ${why}\n${all}`);
      return ms;
    },
    converge: async () => {
      await ssh(REMOVE);
      const { ms, all } = await play();
      const recap = parseRecap(all, HOST);
      if (!recap || recap.failed + recap.unreachable > 0 || recap.changed === 0) {
        throw new VoidMeasurement(`Ansible did not make the stack: ${JSON.stringify(recap ?? "no recap")}\n${all}`);
      }
      return ms;
    },
    verify: async () => {
      if ((await ssh(OURS)) !== containers) throw new VoidMeasurement("the containers are not those of the beginning");
    },
    close: async () => {
      for (const socket of await readdir(sockets)) {
        await execa("ssh", ["-o", `ControlPath=${join(sockets, socket)}`, "-O", "exit", HOST], { stderr: "ignore" });
      }
    },
  };
}

/** Copies the configuration files, secrets among them, into a folder that only this user may enter. */
async function fetchFiles(sshConfig: string, described: Described, to: string, signal: AbortSignal): Promise<void> {
  const files = described.services.flatMap(({ paths }) => paths.filter((path) => !path.directory));
  const names = files.map(({ path }) => path.replace(/^\//, ""));
  const { stdout } = await execa("ssh", ["-F", sshConfig, HOST, `sudo -n tar -C / -c ${names.join(" ")}`], {
    cwd: PROJECT_ROOT,
    stdin: "ignore",
    encoding: "buffer",
    cancelSignal: signal,
  });
  await execa("tar", ["-x", "--no-same-owner", "-C", to], { input: stdout });
}

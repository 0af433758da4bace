import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceDefinition } from "../service/model/definition.ts";
import type { BackupItem } from "../service/model/operations.ts";
import { allDependencies } from "../service/plan/order.ts";
import type { HostSoftware, SoftwareFile } from "../host/software/model.ts";

/** Where a stack's copies go. */
export interface BackupSettings {
  /** Of an S3 service: `https://fsn1.your-objectstorage.com`. */
  readonly endpoint: string;
  readonly bucket: string;
}

/** What the runner needs besides its plan. */
export interface BackupSecrets {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Of the repository: with it and the keys, restic alone restores. */
  readonly password: string;
  /** Pinged after each run. */
  readonly heartbeat?: string;
}

/** One thing to save, as files/host/backup.py takes it. */
export interface PlannedItem {
  readonly service: string;
  readonly name: string;
  readonly dump: readonly string[];
  /** Without it, the copy is for a person to read. */
  readonly restore?: readonly string[];
  /** `expect` is a regular expression of Python's. */
  readonly verify: { readonly argv: readonly string[]; readonly expect: string };
}

/** What is saved of a deployment, without any secret. */
export interface BackupPlan {
  readonly stack: string;
  readonly repository: string;
  readonly timezone: string;
  readonly items: readonly PlannedItem[];
  /** By service: what is stopped while it is restored. */
  readonly dependants: Readonly<Record<string, readonly string[]>>;
}

/** Time of the nightly run, in the stack's time zone. */
const NIGHTLY = "03:00";
/** Of forgetting and checking: at a time of its own, as both take long. */
const WEEKLY = "Sun 05:00";

const RUNNER = "/usr/local/lib/vpai/backup";
const PLAN_FILE = "/etc/vpai/backup.json";
const [RUN, UPKEEP] = ["vpai-backup", "vpai-backup-upkeep"] as const;
const JOBS = [RUN, UPKEEP];
const TIMERS = JOBS.map((job) => `${job}.timer`);
const unitFile = (job: string, kind: "service" | "timer"): string => `/etc/systemd/system/${job}.${kind}`;

/** The resource that installs it. */
export const BACKUP_SOFTWARE = "backup-installed";

/** What goes when a stack does without backups; what was saved stays where it is. */
export const BACKUP_LEAVES = {
  units: TIMERS,
  files: [
    RUNNER,
    PLAN_FILE,
    "/var/lib/vpai/backup.prom",
    ...JOBS.flatMap((job) => [unitFile(job, "service"), unitFile(job, "timer")]),
  ],
};

/** Text of the program that runs on the server. */
export const backupRunner = (): string => readFileSync(join(import.meta.dirname, "../../files/host/backup.py"), "utf8");

/** As restic takes it. */
export const repositoryOf = (stack: string, { endpoint, bucket }: BackupSettings): string =>
  `s3:${endpoint}/${bucket}/${stack}`;

export interface BackupArgs extends BackupSettings {
  readonly stack: string;
  readonly timezone: string;
  readonly definitions: readonly ServiceDefinition[];
}

/** One plan for all backup facets of a deployment. */
export function planBackup({ stack, endpoint, bucket, timezone, definitions }: BackupArgs): BackupPlan {
  const items = definitions.flatMap(({ name, backup }) =>
    "reason" in backup ? [] : backup.items.map((item) => planItem(name, item)),
  );
  const saved = new Set(items.map(({ service }) => service));
  const dependantsOf = (name: string): string[] =>
    definitions.filter((each) => allDependencies(each, definitions).includes(name)).map((each) => each.name);
  return {
    stack,
    repository: repositoryOf(stack, { endpoint, bucket }),
    timezone,
    items,
    dependants: Object.fromEntries([...saved].map((name) => [name, dependantsOf(name)])),
  };
}

const planItem = (service: string, { name, dump, restore, verify }: BackupItem): PlannedItem => ({
  service,
  name,
  dump,
  ...(restore && { restore }),
  verify: { argv: verify.argv, expect: pythonPattern(verify.expect) },
});

/** Python has no `[^]`, and takes flags at the beginning. */
const pythonPattern = ({ source, flags }: RegExp): string => {
  const known = flags.replaceAll("u", "");
  return `${known === "" ? "" : `(?${known})`}${source.replaceAll("[^]", String.raw`[\s\S]`)}`;
};

/** The runner, its plan and its timers, and a repository that opens. @param runner text of files/host/backup.py */
export function backupSoftware(plan: BackupPlan, secrets: BackupSecrets, runner: string): HostSoftware {
  const { stack, repository, items, dependants, timezone } = plan;
  const { accessKey, secretKey, password, heartbeat } = secrets;
  const file = {
    stack,
    items,
    dependants,
    environment: {
      RESTIC_REPOSITORY: repository,
      RESTIC_PASSWORD: password,
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: secretKey,
    },
    ...(heartbeat !== undefined && { heartbeat }),
  };
  return {
    packages: ["restic"],
    files: [
      { path: RUNNER, mode: "0755", content: runner },
      { path: PLAN_FILE, mode: "0600", content: `${JSON.stringify(file, undefined, 1)}\n` },
      ...unit(RUN, "run", "Backup of vpai", `*-*-* ${NIGHTLY}:00 ${timezone}`),
      ...unit(UPKEEP, "upkeep", "Upkeep of the backups of vpai", `${WEEKLY}:00 ${timezone}`),
    ],
    logs: [],
    units: TIMERS,
    proofs: [{ argv: [RUNNER, "open"], expect: "^repository (made|opened)$" }],
  };
}

/** A service and its timer. A run that was missed, as the server was off, is made up for. */
function unit(name: string, verb: string, description: string, calendar: string): SoftwareFile[] {
  const lines = (...text: readonly string[]): string => ["# Written by vpai.", ...text, ""].join("\n");
  return [
    {
      path: unitFile(name, "service"),
      mode: "0644",
      content: lines(
        "[Unit]",
        `Description=${description}`,
        "Wants=network-online.target",
        "After=network-online.target docker.service",
        "[Service]",
        "Type=oneshot",
        `ExecStart=${RUNNER} ${verb} --wait`,
        "Nice=10",
        "IOSchedulingClass=idle",
      ),
    },
    {
      path: unitFile(name, "timer"),
      mode: "0644",
      content: lines(
        "[Unit]",
        `Description=${description}`,
        "[Timer]",
        `OnCalendar=${calendar}`,
        "Persistent=true",
        "[Install]",
        "WantedBy=timers.target",
      ),
    },
  ];
}

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../shared/exec.ts";
import { ensureDebianPackages } from "../../toolchain/debian.ts";
import type { Layer, Report } from "./layers.ts";
import { ensureLayer } from "./layers.ts";
import { differenceTar } from "./tar.ts";

/** Trixie, whatever Debian this machine runs: its PostgreSQL and Redis are the nearest to what the pins say. */
const suite = "trixie";
const sources = [
  `deb http://deb.debian.org/debian ${suite} main`,
  `deb http://security.debian.org/debian-security ${suite}-security main`,
];
const settings = ['--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"'];

/** Not needed to run a service, or made anew by each installation. */
const litter: readonly RegExp[] = [
  /^usr\/share\/(doc|man|info|locale|lintian|i18n|bash-completion)\//,
  /^var\/(lib\/apt|cache|log|backups)\//,
  /^(dev|proc|sys|tmp|run)\/./,
  /^etc\/(hostname|resolv\.conf|machine-id)$/,
  /^etc\/.*-$/, // passwd-, shadow-: the copies that useradd leaves
];

/** The part of Debian that is in every Debian image here: its essential packages and the time zones. */
export function debianBase(report: Report): Promise<Layer> {
  return ensureLayer("debian", { suite, sources, litter: litter.map(String) }, report, async () =>
    differenceTar(await bootstrap(["--variant=essential", "--include=tzdata"], report), undefined, litter),
  );
}

export interface DebianPackages {
  readonly name: string;
  readonly packages: readonly string[];
  /** Files of the packages that stay out. */
  readonly drop?: readonly RegExp[];
  /** Shell lines run in the new root; without single quotes. */
  readonly customize?: readonly string[];
}

/** Debian packages with what they depend on, as a layer over {@link debianBase}. */
export async function debianPackages(wanted: DebianPackages, report: Report): Promise<Layer> {
  const { name, packages, drop = [], customize = [] } = wanted;
  const base = await debianBase(report);
  const dropped = [...litter, ...drop];
  return ensureLayer(name, { base: base.digest, packages, drop: dropped.map(String), customize }, report, async () => {
    const full = await bootstrap(
      [
        "--variant=custom",
        `--setup-hook=tar -xf '${base.file}' -C "$1"`,
        // What the base left out and apt cannot do without.
        '--setup-hook=mkdir -p "$1/var/lib/apt/lists/partial" "$1/var/cache/apt/archives/partial" "$1/var/log/apt"',
        `--include=${packages.join(",")}`,
        ...customize.map((line) => `--customize-hook=chroot "$1" sh -euc '${line}'`),
      ],
      report,
    );
    return differenceTar(full, await readFile(base.file), dropped);
  });
}

/** Runs mmdebstrap and answers the archive of the root it made. */
async function bootstrap(args: readonly string[], report: Report): Promise<Buffer> {
  await ensureDebianPackages(["mmdebstrap"], "to make the root of the sandbox's images", report);
  const home = await mkdtemp(join(tmpdir(), "vpai-debian-"));
  try {
    const archive = join(home, "root.tar");
    // The epoch makes two runs over the same packages equal to the byte.
    const env = { SOURCE_DATE_EPOCH: "1700000000" };
    await run("mmdebstrap", [...settings, "--skip=output/dev", ...args, suite, archive, ...sources], { env });
    return await readFile(archive);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

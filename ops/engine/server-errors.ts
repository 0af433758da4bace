import type { Fault } from "../../shared/errors.ts";
import { MAYBE_BANNED } from "../stack/server-ssh.ts";

interface Known {
  readonly pattern: RegExp;
  /** Names what failed; `$1`, `$2` are the pattern's groups. */
  readonly key: string;
  readonly found: string;
  readonly fix: string;
}

const DISK_FIX =
  "`vpai ssh --stack {stack}`, then `df -h` and `docker system df`; remove what is not needed, or take a larger server";
const AGAIN = "run the same command again";

/** Docker's daemon on the server; messages of moby 20 to 29. */
const docker: readonly Known[] = [
  {
    pattern:
      /(?:Bind for|failed to bind host port(?: for)?) (\S+?:\d+)\S*(?:\s|:).*?(?:port is already allocated|address already in use)/,
    key: "port $1 of the server",
    found: "in use by another program",
    fix: "`vpai ssh --stack {stack}`, then `ss -ltnp` names it; stop it, then run the same command again",
  },
  {
    pattern: /The container name "\/([^"]+)" is already in use/,
    key: "container $1",
    found: "a container of this name exists that the state does not have",
    fix: "`vpai ssh --stack {stack}`, then rename or remove that container; then run the same command again",
  },
  {
    pattern: /network with name (\S+) already exists/,
    key: "network $1",
    found: "a Docker network of this name exists that the state does not have",
    fix: "`vpai ssh --stack {stack}`, then `docker network rm $1`; then run the same command again",
  },
  {
    pattern: /Pool overlaps with other one on this address space/,
    key: "Docker network",
    found: "another network of the server has the same range of addresses",
    fix: "`docker network ls` on the server names it; remove it, then run the same command again",
  },
  {
    pattern: /Cannot connect to the Docker daemon at (\S+?)\. Is the docker daemon running/,
    key: "Docker daemon at $1",
    found: "does not answer",
    fix: "`vpai ssh --stack {stack}`, then `sudo systemctl restart docker`; `journalctl -u docker` has the reason",
  },
  {
    pattern: /permission denied while trying to connect to the Docker (?:daemon|API)/,
    key: "Docker daemon",
    found: "the user of this connection is not in the group docker",
    fix: "`vpai up --stack {stack}` puts it right; on a server of your own, `sudo usermod -aG docker deploy`",
  },
  {
    pattern: /firewall: taken back: (within \d+ s no new SSH connection from \S+ got in)/,
    key: "firewall of the server",
    found: "$1 with the new rules, so the server has taken them back",
    fix: "have `vpai:ssh.allowedCidrs` contain the address that this machine comes from, then run the same command again",
  },
  {
    pattern: /firewall: would close ([\d/a-z, ]+), on which programs of this server listen/,
    key: "firewall of the server",
    found: "would close $1, on which other programs of the server listen; nothing has been changed",
    fix: "list those that have to stay open in `vpai:vps.openPorts` (an empty list closes all), then run the same command again",
  },
  {
    pattern: /firewall: (no SSH connection since the new rules were loaded)/,
    key: "firewall of the server",
    found: "$1, though the server takes them back by itself after 45 s",
    fix: "see that the server is on, then run the same command again",
  },
  {
    pattern:
      /firewall: `nft [^`]*` failed: (.*(?:Operation not supported|No such file or directory|Protocol not supported).*)/,
    key: "kernel of the server",
    found: "has no nftables ($1)",
    fix: "start it with Debian's own kernel (a container of a provider has none), then run the same command again",
  },
  {
    pattern: /iptables(?: v[\d.]+)?(?: \(\w+\))?: No chain\/target\/match by that name/,
    key: "firewall of the server",
    found: "Docker's rules in iptables are missing: another program has flushed them",
    fix: "`vpai ssh --stack {stack}`, then `sudo systemctl restart docker` makes them again; containers keep running",
  },
  {
    pattern: /network (\S+) (?:id \S+ )?has active endpoints/,
    key: "network $1",
    found: "a container that the state does not have is attached to it",
    fix: "`docker network inspect $1` on the server names it; `docker network disconnect --force $1 <name>`, then run the same command again",
  },
  {
    pattern: /endpoint with name (\S+) already exists in network (\S+)/,
    key: "container $1",
    found: "Docker has kept the address of a container of this name that no longer exists",
    fix: "`docker network disconnect --force $2 $1` on the server, then run the same command again",
  },
  {
    pattern: /did not receive an exit event|[Cc]annot (?:kill|stop) container: (\S+): permission denied/,
    key: "container $1",
    found: "Docker cannot stop it",
    fix: "`vpai ssh --stack {stack}`, then `sudo systemctl restart containerd docker`; if that does not help, `sudo reboot`",
  },
  {
    pattern: /failed to add the host \(\w+\) <=> sandbox \(\w+\) pair interfaces: operation not supported/,
    key: "kernel of the server",
    found: "updated and not started yet: the modules of the one that runs are no longer there",
    fix: "`vpai ssh --stack {stack}`, then `sudo reboot`; then run the same command again",
  },
  {
    pattern: /[Rr]ange of CPUs is from [\d.]+ to ([\d.]+)/,
    key: "server",
    found: "it has $1 CPUs, and a container is to have more",
    fix: "take a server with 2 CPUs or more",
  },
  {
    pattern: /client version (\S+) is too (old|new)\. (M\w+ supported API version is [\d.]*\d)/,
    key: "Docker of the server",
    found: "the client's version $1 of its API is too $2 for it ($3)",
    fix: "update this program, or install Debian's docker.io on the server",
  },
  {
    pattern: /OCI runtime (?:create|exec) failed: ([^\n]{1,160})/,
    key: "container",
    found: "cannot start: $1",
    fix: "the image or its command does not fit this server; {log} has what was tried",
  },
];

/** Registries, as Docker and containerd pass their answers on. */
const registries: readonly Known[] = [
  {
    pattern: /toomanyrequests: /,
    key: "registry",
    found: "too many pulls from this address for now (toomanyrequests)",
    fix: "wait some hours, or `docker login` on the server, then run the same command again",
  },
  {
    pattern: /manifest for (\S+) not found|(\S+@sha256:[0-9a-f]+): not found/,
    key: "image $1$2",
    found: "not at its registry",
    fix: "`vpai images check --stack {stack}`; correct the image in components/images.ts or `vpai:images`",
  },
  {
    pattern: /pull access denied for (\S+?),|denied: requested access to the resource is denied/,
    key: "image $1",
    found: "the registry denies access: no such repository, or it is private",
    fix: "check the repository's name in components/images.ts or `vpai:images`",
  },
  {
    pattern: /no matching manifest for (\S+)/,
    key: "image",
    found: "not made for $1, the server's platform",
    fix: "`vpai images check --stack {stack}` names it; take another tag, or a server of another architecture",
  },
  {
    pattern: /unauthorized: (?:incorrect username or password|authentication required)/,
    key: "registry",
    found: "refuses the login that Docker has stored on the server",
    fix: "`docker logout <registry>` there, as the user deploy; public images need none",
  },
  {
    pattern: /received unexpected HTTP status: (5\d\d[^\n,"]*)|error pulling image configuration: ([^\n]{1,100})/,
    key: "registry",
    found: "failed: $1$2",
    fix: `${AGAIN} in some minutes`,
  },
  {
    pattern:
      /Get "https:\/\/([^/"]+)[^"]*": (?:net\/http: TLS handshake timeout|context deadline exceeded|dial tcp[^\n]*i\/o timeout)/,
    key: "registry $1",
    found: "does not answer the server in time",
    fix: "check that the server reaches the internet; then run the same command again",
  },
  {
    pattern: /lookup (\S+)(?: on \S+)?: (?:no such host|server misbehaving|Temporary failure in name resolution)/,
    key: "name $1",
    found: "not found by the server's DNS",
    fix: "check the name, and /etc/resolv.conf of the server; then run the same command again",
  },
  {
    pattern: /Get "https:\/\/([^/"]+)[^"]*": (?:tls: failed to verify certificate: )?x509: ([^\n]{1,120})/,
    key: "registry $1",
    found: "its certificate is not accepted: $2",
    fix: "check the server's clock (`timedatectl`) and what stands between it and the registry",
  },
];

/** What the bootstrap refuses, and apt and dpkg of Debian 12 and 13. */
const apt: readonly Known[] = [
  {
    pattern: /(?:bootstrap|logins): ([^\n]+?); do: ([^\n]+)/,
    key: "server",
    found: "$1",
    fix: "$2; then run the same command again",
  },
  {
    pattern: /Could not get lock (\S+?)\.? It is held by process (\d+ \([^)]+\))/,
    key: "apt",
    found: "$1 is held by process $2",
    fix: "wait until that process has ended, then run the same command again",
  },
  {
    pattern: /dpkg was interrupted, you must manually run/,
    key: "dpkg",
    found: "an installation on the server was interrupted",
    fix: "`vpai ssh --stack {stack}`, then `sudo dpkg --configure -a`; then run the same command again",
  },
  {
    pattern: /Temporary failure resolving '([^']+)'/,
    key: "apt",
    found: "the server's DNS does not find $1",
    fix: "check /etc/resolv.conf of the server and its way to the internet; then run the same command again",
  },
  {
    pattern: /Release file for (\S+) is not valid yet \(invalid for another ([^)]+)\)/,
    key: "apt",
    found: "the server's clock is behind by $2",
    fix: "`vpai ssh --stack {stack}`, then `timedatectl`; set the clock, then run the same command again",
  },
  {
    pattern: /Release file for (\S+) is expired \(invalid since ([^)]+)\)/,
    key: "apt",
    found: "$1 expired $2 ago: the server's clock is wrong, or the mirror is no longer updated",
    fix: "`vpai ssh --stack {stack}`, then `timedatectl`; set the clock, or take another mirror in /etc/apt/sources.list",
  },
  {
    pattern: /Repository '([^']+)' changed its '(\w+)' value from '([^']*)' to '([^']*)'/,
    key: "apt",
    found: "$1 is now $4 instead of $3 ($2)",
    fix: "if that is expected, `sudo apt-get update --allow-releaseinfo-change` on the server, once",
  },
  {
    pattern: /you have held broken packages/,
    key: "apt",
    found: "packages of the server exclude each other: some are held, or from another release or repository",
    fix: "`vpai ssh --stack {stack}`, then `apt-mark showhold` and `sudo apt-get --simulate install docker.io` name them",
  },
  {
    pattern: /The repository '([^']+)' (?:does not have|no longer has) a Release file/,
    key: "apt",
    found: "$1 is not a repository for this release of Debian",
    fix: "correct or remove that line in /etc/apt/sources.list.d of the server",
  },
  {
    pattern: /Version '([^']+)' for '([^']+)' was not found/,
    key: "package $2",
    found: "version $1 is no longer in Debian's repositories",
    fix: "update this program, which names the version; `apt-cache policy $2` on the server lists what is there",
  },
  {
    pattern: /Unable to locate package (\S+)/,
    key: "package $1",
    found: "not in the server's package lists",
    fix: "check that the server runs Debian 12 or 13 with its main repository; then run the same command again",
  },
  {
    pattern: /NO_PUBKEY ([0-9A-F]{8,})/,
    key: "apt",
    found: "a repository is signed by an unknown key, $1",
    fix: "remove that repository from /etc/apt/sources.list.d of the server, or install its key",
  },
  {
    pattern: /Hash Sum mismatch/,
    key: "apt",
    found: "a file from a mirror is not what its list says (Hash Sum mismatch)",
    fix: `${AGAIN} in some minutes; a mirror was being updated`,
  },
  {
    pattern: /You don't have enough free space in (\S+?)\.?(?:\s|$)/,
    key: "disk of the server",
    found: "full: too little space in $1",
    fix: DISK_FIX,
  },
];

/** OpenSSH's client, and the SSH library of the engine's command plugin (golang.org/x/crypto/ssh). */
const ssh: readonly Known[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|knownhosts: key mismatch|Host key verification failed/,
    key: "SSH host key of the server",
    found: "another key than the one that is recorded: this is another server, or one that was installed again",
    fix: "if you installed it again yourself, correct `vpai:vps.hostKey`; if not, find out who answers at this address first",
  },
  {
    pattern: /Permission denied \(publickey[^)]*\)|ssh: unable to authenticate, attempted methods \[[^\]]*\]/,
    key: "SSH login on the server",
    found: "the server refuses this stack's key",
    fix: "check `AllowUsers` and /home/deploy/.ssh/authorized_keys on the server, through the provider's console",
  },
  {
    pattern: /Too many authentication failures/,
    key: "SSH login on the server",
    found: "the SSH agent offered too many keys before this stack's",
    fix: "take keys out of the agent (`ssh-add -D`), then run the same command again",
  },
  {
    pattern: /ssh: connect to host (\S+) port (\d+): (No route to host)/,
    key: "server $1, port $2",
    found: "$3",
    fix: MAYBE_BANNED,
  },
  {
    pattern: /ssh: connect to host (\S+) port (\d+): (Connection timed out|Network is unreachable)/,
    key: "server $1, port $2",
    found: "$3",
    fix: "check that it is on, and that `vpai:ssh.allowedCidrs` and the firewall let your address in",
  },
  {
    pattern: /dial tcp (\S+?):(\d+): (?:connect: )?(no route to host)/,
    key: "server $1, port $2",
    found: "$3",
    fix: MAYBE_BANNED,
  },
  {
    pattern: /dial tcp (\S+?):(\d+): (?:connect: )?(i\/o timeout|connection timed out)/,
    key: "server $1, port $2",
    found: "$3",
    fix: "check that it is on, and that `vpai:ssh.allowedCidrs` and the firewall let your address in",
  },
  {
    pattern: /path "([^"]+)" too long for Unix domain socket/,
    key: "VPAI_WORK",
    found: "too long for SSH's control socket: $1",
    fix: "set it to a shorter path, or unset it",
  },
  {
    pattern: /Session open refused by peer/,
    key: "SSH of the server",
    found: "allows fewer sessions on one connection than this program opens (MaxSessions)",
    fix: "`vpai up --stack {stack}` sets it again; look for a MaxSessions above ours in /etc/ssh/sshd_config.d",
  },
  {
    pattern: /sudo: a password is required/,
    key: "sudo on the server",
    found: "asks the user of this connection for a password",
    fix: "for the first user of an existing server: allow it `NOPASSWD:ALL`, or set `vpai:vps.user` to root",
  },
  {
    pattern: /exec: "ssh": executable file not found/,
    key: "this machine",
    found: "has no ssh",
    fix: "`apt-get install openssh-client`, then run the same command again",
  },
  {
    pattern:
      /(?:kex_exchange_identification|banner exchange): [^\n]*(?:Connection (?:closed|reset)|Connection timed out)/,
    key: "SSH of the server",
    found: "closes connections before the login: too many at once, or your address is banned there",
    fix: "wait some minutes, then run the same command again, or from another address",
  },
];

/** The engine's own. */
const engine: readonly Known[] = [
  {
    pattern: /snapshot integrity failure|the current deployment has \d+ resource\(s\) with pending operations/,
    key: "state of stack {stack}",
    found: "left by an interrupted run",
    fix: "`vpai recover --stack {stack}`",
  },
  {
    pattern: /(?:could not decrypt|decrypting secret value|failed to decrypt)[^\n]*message authentication failed/,
    key: "secrets of stack {stack}",
    found: "encrypted with another passphrase or salt",
    fix: "take `encryptionsalt` of Pulumi.{stack}.yaml and the passphrase from the same time, as they were committed",
  },
  {
    pattern:
      /blob \((?:key|code)[^\n]*\b(AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|NoSuchBucket|failed to refresh cached credentials)\b/,
    key: "PULUMI_BACKEND_URL",
    found: "the state's storage refuses access ($1)",
    fix: "renew the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or correct the bucket, then `vpai recover --stack {stack}`",
  },
  {
    pattern: /Duplicate resource URN '[^']*::([^':]+)'/,
    key: "resource $1",
    found: "made twice by the program",
    fix: "give one of them another name",
  },
  { pattern: /no space left on device/, key: "disk", found: "full (no space left on device)", fix: DISK_FIX },
];

const known: readonly Known[] = [...docker, ...registries, ...apt, ...ssh, ...engine];

/** What the engine's output says of the server, its registries and its packages; each cause once. */
export function serverFaults(output: string, { stack, log }: { stack: string; log: string }): Fault[] {
  return known.flatMap(({ pattern, key, found, fix }) => {
    const match = pattern.exec(output);
    if (match === null) return [];
    const fill = (text: string): string =>
      text
        .replaceAll("{stack}", stack)
        .replaceAll("{log}", log)
        .replaceAll(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? "")
        .trim();
    return [{ key: fill(key), found: fill(found), fix: fill(fix) }];
  });
}

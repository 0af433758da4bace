import { expect, test } from "@jest/globals";
import { explain } from "../../../ops/engine/error-hints.ts";
import { ERROR_STATUS } from "../../../sandbox/hetzner/wire/error-status.ts";

// Messages as hcloud-go, moby, containerd, apt 2.6, OpenSSH 9.2, golang.org/x/crypto/ssh and the engine print them.

const context = { stack: "prod", log: ".vpai/prod/logs/up.log" };

test.each<[string, string[]]>([
  [
    "server limit exceeded (resource_limit_exceeded, 9a1f0c2b7d5e4f30)",
    [
      'Hetzner vps-server: the project\'s limit of this kind of resource is reached (resource_limit_exceeded, 9a1f0c2b7d5e4f30): "server limit exceeded"',
      "  do: delete what is not needed, or ask for a higher limit in the Hetzner console (Limits)",
    ],
  ],
  [
    "API rate limit exceeded (rate_limit_exceeded)",
    [
      'Hetzner vps-server: too many requests with this token: Hetzner allows 3600 an hour (rate_limit_exceeded): "API rate limit exceeded"',
      "  do: wait a minute, then run the same command again; give other programs a token of another project",
    ],
  ],
  [
    "server is locked (locked, 5c0b1f)",
    [
      'Hetzner vps-server: another action runs on it at Hetzner (locked, 5c0b1f): "server is locked"',
      "  do: wait until that has ended, then run the same command again",
    ],
  ],
  [
    "Primary IP deletion is protected (protected)",
    [
      'Hetzner vps-server: it is protected against deletion at Hetzner (protected): "Primary IP deletion is protected"',
      "  do: if it is to be deleted, `./vpai pulumi --stack prod -- config set vpai:protect false`, then `vpai up --stack prod`; a protection that was set by hand goes in the Hetzner console",
    ],
  ],
  [
    "invalid input in field 'server_type' (invalid_input, 77aa01)",
    [
      "Hetzner vps-server: Hetzner rejected a value of the request (invalid_input, 77aa01): \"invalid input in field 'server_type'\"",
      "  do: the line above names the field; correct that setting in Pulumi.prod.yaml",
    ],
  ],
  [
    "the token is only allowed to perform GET requests (token_readonly)",
    [
      'Hetzner vps-server: the token may only read (token_readonly): "the token is only allowed to perform GET requests"',
      "  do: make a token with read and write access in the Hetzner console, then `./vpai pulumi --stack prod -- config set --secret vpai:hetznerToken`",
    ],
  ],
  [
    "insufficient permissions for this request (forbidden)",
    [
      'Hetzner vps-server: the token may not do this (forbidden): "insufficient permissions for this request"',
      "  do: make a token with read and write access in the Hetzner console, then `./vpai pulumi --stack prod -- config set --secret vpai:hetznerToken`",
    ],
  ],
  [
    "server type 104 is deprecated (invalid_server_type)",
    [
      'Hetzner vps-server: the server type does not fit or is no longer sold (invalid_server_type): "server type 104 is deprecated"',
      "  do: set `serverType` in Pulumi.prod.yaml to another; `hcloud server-type list` lists them",
    ],
  ],
  [
    "error during placement (placement_error)",
    [
      'Hetzner vps-server: Hetzner found no host for the server (placement_error): "error during placement"',
      "  do: run the same command again, or set another `serverType` or `location`",
    ],
  ],
  [
    "Primary IP is already assigned to a different server (primary_ip_already_assigned)",
    [
      'Hetzner vps-server: the address belongs to another server (primary_ip_already_assigned): "Primary IP is already assigned to a different server"',
      "  do: see `hcloud primary-ip list`; unassign it, or delete the other server, then run the same command again",
    ],
  ],
  [
    "primary ip in different datacenter (primary_ip_datacenter_mismatch)",
    [
      'Hetzner vps-server: the address is at another location than the server (primary_ip_datacenter_mismatch): "primary ip in different datacenter"',
      "  do: set `location` to the address's, or delete the address: the next run orders one at the server's location",
    ],
  ],
  [
    "firewall with ID '12' is still in use (resource_in_use, 0f1e2d)",
    [
      "Hetzner vps-server: it is still in use by another resource at Hetzner (resource_in_use, 0f1e2d): \"firewall with ID '12' is still in use\"",
      "  do: see `hcloud firewall describe`; a server that this stack did not make uses it",
    ],
  ],
  [
    "an internal server error occurred (service_error)",
    [
      'Hetzner vps-server: Hetzner\'s service failed (service_error): "an internal server error occurred"',
      "  do: see status.hetzner.com, then run the same command again",
    ],
  ],
  [
    "conflict: resource changed during request (conflict)",
    [
      'Hetzner vps-server: it changed at Hetzner during the request (conflict): "resource changed during request"',
      "  do: run the same command again",
    ],
  ],
  [
    "server with ID '42' not found (not_found, 3b)",
    [
      "Hetzner vps-server: what the state names no longer exists at Hetzner (not_found, 3b): \"server with ID '42' not found\"",
      "  do: `vpai refresh --stack prod` takes it out of the state; `vpai up --stack prod` then makes it again",
    ],
  ],
  [
    "resource is locked, contact support (resource_locked)",
    [
      'Hetzner vps-server: Hetzner has locked it (resource_locked): "resource is locked, contact support"',
      "  do: ask Hetzner's support why; only they can unlock it",
    ],
  ],
  [
    "maintenance in progress (maintenance)",
    [
      'Hetzner vps-server: Hetzner is doing maintenance on it (maintenance): "maintenance in progress"',
      "  do: see status.hetzner.com, then run the same command again",
    ],
  ],
  [
    "not enough space (no_space_left_in_location)",
    [
      'Hetzner vps-server: Hetzner has no space for volumes left at this location (no_space_left_in_location): "not enough space"',
      "  do: set another `location`, or run the same command again later",
    ],
  ],
  [
    "Error response from daemon: driver failed programming external connectivity on endpoint caddy (2f1d): Bind for 0.0.0.0:443 failed: port is already allocated",
    [
      "port 0.0.0.0:443 of the server: in use by another program",
      "  do: `vpai ssh --stack prod`, then `ss -ltnp` names it; stop it, then run the same command again",
    ],
  ],
  [
    "Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint caddy (9c): failed to bind host port 0.0.0.0:80/tcp: address already in use",
    [
      "port 0.0.0.0:80 of the server: in use by another program",
      "  do: `vpai ssh --stack prod`, then `ss -ltnp` names it; stop it, then run the same command again",
    ],
  ],
  [
    'Error response from daemon: Conflict. The container name "/n8n" is already in use by container "5be0". You have to remove (or rename) that container to be able to reuse that name.',
    [
      "container n8n: a container of this name exists that the state does not have",
      "  do: `vpai ssh --stack prod`, then rename or remove that container; then run the same command again",
    ],
  ],
  [
    "Error response from daemon: network with name backend already exists",
    [
      "network backend: a Docker network of this name exists that the state does not have",
      "  do: `vpai ssh --stack prod`, then `docker network rm backend`; then run the same command again",
    ],
  ],
  [
    "Error response from daemon: invalid pool request: Pool overlaps with other one on this address space",
    [
      "Docker network: another network of the server has the same range of addresses",
      "  do: `docker network ls` on the server names it; remove it, then run the same command again",
    ],
  ],
  [
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    [
      "Docker daemon at unix:///var/run/docker.sock: does not answer",
      "  do: `vpai ssh --stack prod`, then `sudo systemctl restart docker`; `journalctl -u docker` has the reason",
    ],
  ],
  [
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
    [
      "Docker daemon: the user of this connection is not in the group docker",
      "  do: `vpai up --stack prod` puts it right; on a server of your own, `sudo usermod -aG docker deploy`",
    ],
  ],
  [
    'OCI runtime create failed: runc create failed: unable to start container process: exec: "litellm": executable file not found in $PATH: unknown',
    [
      'container: cannot start: runc create failed: unable to start container process: exec: "litellm": executable file not found in $PATH: unknown',
      "  do: the image or its command does not fit this server; .vpai/prod/logs/up.log has what was tried",
    ],
  ],
  [
    "bootstrap: sshd shuts the user deploy out by AllowUsers alice; do: let deploy in with its key in /etc/ssh/sshd_config or sshd_config.d",
    [
      "server: sshd shuts the user deploy out by AllowUsers alice",
      "  do: let deploy in with its key in /etc/ssh/sshd_config or sshd_config.d; then run the same command again",
    ],
  ],
  [
    "logins: sshd does not take PasswordAuthentication no; do: remove PasswordAuthentication from what it reads before 10-vpai-logins.conf (sshd_config.d, the first lines of sshd_config), or `pulumi config set --path vpai:vps.passwordLogin true`",
    [
      "server: sshd does not take PasswordAuthentication no",
      "  do: remove PasswordAuthentication from what it reads before 10-vpai-logins.conf (sshd_config.d, the first lines of sshd_config), or `./vpai pulumi --stack prod -- config set --path vpai:vps.passwordLogin true`; then run the same command again",
    ],
  ],
  [
    "toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
    [
      "registry: too many pulls from this address for now (toomanyrequests)",
      "  do: wait some hours, or `docker login` on the server, then run the same command again",
    ],
  ],
  [
    "Error response from daemon: manifest for n8nio/n8n:9.9.9 not found: manifest unknown: manifest unknown",
    [
      "image n8nio/n8n:9.9.9: not at its registry",
      "  do: `vpai images check --stack prod`; correct the image in components/images.ts or `vpai:images`",
    ],
  ],
  [
    "pull access denied for n8nio/n9n, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    [
      "image n8nio/n9n: the registry denies access: no such repository, or it is private",
      "  do: check the repository's name in components/images.ts or `vpai:images`",
    ],
  ],
  [
    'Error response from daemon: Get "https://ghcr.io/v2/": net/http: TLS handshake timeout',
    [
      "registry ghcr.io: does not answer the server in time",
      "  do: check that the server reaches the internet; then run the same command again",
    ],
  ],
  [
    "dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: no such host",
    [
      "name registry-1.docker.io: not found by the server's DNS",
      "  do: check the name, and /etc/resolv.conf of the server; then run the same command again",
    ],
  ],
  [
    'Error response from daemon: Get "https://quay.io/v2/": tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    [
      "registry quay.io: its certificate is not accepted: certificate has expired or is not yet valid",
      "  do: check the server's clock (`timedatectl`) and what stands between it and the registry",
    ],
  ],
  [
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)",
    [
      "apt: /var/lib/dpkg/lock-frontend is held by process 1234 (unattended-upgr)",
      "  do: wait until that process has ended, then run the same command again",
    ],
  ],
  [
    "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
    [
      "dpkg: an installation on the server was interrupted",
      "  do: `vpai ssh --stack prod`, then `sudo dpkg --configure -a`; then run the same command again",
    ],
  ],
  [
    "Temporary failure resolving 'deb.debian.org'",
    [
      "apt: the server's DNS does not find deb.debian.org",
      "  do: check /etc/resolv.conf of the server and its way to the internet; then run the same command again",
    ],
  ],
  [
    "E: Release file for http://deb.debian.org/debian/dists/bookworm-updates/InRelease is not valid yet (invalid for another 3h 12min 4s). Updates for this repository will not be applied.",
    [
      "apt: the server's clock is behind by 3h 12min 4s",
      "  do: `vpai ssh --stack prod`, then `timedatectl`; set the clock, then run the same command again",
    ],
  ],
  [
    "E: The repository 'https://download.docker.com/linux/debian trixy Release' does not have a Release file.",
    [
      "apt: https://download.docker.com/linux/debian trixy Release is not a repository for this release of Debian",
      "  do: correct or remove that line in /etc/apt/sources.list.d of the server",
    ],
  ],
  [
    "E: Version '27.5.1-1' for 'docker.io' was not found",
    [
      "package docker.io: version 27.5.1-1 is no longer in Debian's repositories",
      "  do: update this program, which names the version; `apt-cache policy docker.io` on the server lists what is there",
    ],
  ],
  [
    "E: Unable to locate package docker-compose-v3",
    [
      "package docker-compose-v3: not in the server's package lists",
      "  do: check that the server runs Debian 12 or 13 with its main repository; then run the same command again",
    ],
  ],
  [
    "The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 7EA0A9C3F273FCD8",
    [
      "apt: a repository is signed by an unknown key, 7EA0A9C3F273FCD8",
      "  do: remove that repository from /etc/apt/sources.list.d of the server, or install its key",
    ],
  ],
  [
    "E: Failed to fetch http://deb.debian.org/x.deb  Hash Sum mismatch",
    [
      "apt: a file from a mirror is not what its list says (Hash Sum mismatch)",
      "  do: run the same command again in some minutes; a mirror was being updated",
    ],
  ],
  [
    "E: You don't have enough free space in /var/cache/apt/archives/.",
    [
      "disk of the server: full: too little space in /var/cache/apt/archives/",
      "  do: `vpai ssh --stack prod`, then `df -h` and `docker system df`; remove what is not needed, or take a larger server",
    ],
  ],
  [
    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
    [
      "SSH host key of the server: another key than the one that is recorded: this is another server, or one that was installed again",
      "  do: if you installed it again yourself, correct `vpai:vps.hostKey`; if not, find out who answers at this address first",
    ],
  ],
  [
    "deploy@203.0.113.7: Permission denied (publickey).",
    [
      "SSH login on the server: the server refuses this stack's key",
      "  do: check `AllowUsers` and /home/deploy/.ssh/authorized_keys on the server, through the provider's console",
    ],
  ],
  [
    "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
    [
      "SSH login on the server: the server refuses this stack's key",
      "  do: check `AllowUsers` and /home/deploy/.ssh/authorized_keys on the server, through the provider's console",
    ],
  ],
  [
    "Received disconnect from 203.0.113.7 port 22:2: Too many authentication failures",
    [
      "SSH login on the server: the SSH agent offered too many keys before this stack's",
      "  do: take keys out of the agent (`ssh-add -D`), then run the same command again",
    ],
  ],
  [
    "ssh: connect to host 203.0.113.7 port 2222: Connection timed out",
    [
      "server 203.0.113.7, port 2222: Connection timed out",
      "  do: check that it is on, and that `vpai:ssh.allowedCidrs` and the firewall let your address in",
    ],
  ],
  [
    "ssh: connect to host 203.0.113.7 port 2222: No route to host",
    [
      "server 203.0.113.7, port 2222: No route to host",
      "  do: if this address has failed to log in too often, it is let in again after 10 minutes or more (docs/operations.md#bans); else check that the server is on, and what `vpai:ssh.allowedCidrs` and its firewall let in",
    ],
  ],
  [
    "dial tcp 203.0.113.7:2222: connect: no route to host",
    [
      "server 203.0.113.7, port 2222: no route to host",
      "  do: if this address has failed to log in too often, it is let in again after 10 minutes or more (docs/operations.md#bans); else check that the server is on, and what `vpai:ssh.allowedCidrs` and its firewall let in",
    ],
  ],
  [
    "dial tcp 203.0.113.7:2222: i/o timeout",
    [
      "server 203.0.113.7, port 2222: i/o timeout",
      "  do: check that it is on, and that `vpai:ssh.allowedCidrs` and the firewall let your address in",
    ],
  ],
  [
    "kex_exchange_identification: Connection closed by remote host",
    [
      "SSH of the server: closes connections before the login: too many at once, or your address is banned there",
      "  do: wait some minutes, then run the same command again, or from another address",
    ],
  ],
  [
    "error: snapshot integrity failure; refusing to use it",
    ["state of stack prod: left by an interrupted run", "  do: `vpai recover --stack prod`"],
  ],
  [
    "could not decrypt secret: cipher: message authentication failed",
    [
      "secrets of stack prod: encrypted with another passphrase or salt",
      "  do: take `encryptionsalt` of Pulumi.prod.yaml and the passphrase from the same time, as they were committed",
    ],
  ],
  [
    "Duplicate resource URN 'urn:pulumi:prod::vpai::command:remote:Command::n8n-files'; try giving it a unique name",
    ["resource n8n-files: made twice by the program", "  do: give one of them another name"],
  ],
  [
    "write /opt/vpai/data/x: no space left on device",
    [
      "disk: full (no space left on device)",
      "  do: `vpai ssh --stack prod`, then `df -h` and `docker system df`; remove what is not needed, or take a larger server",
    ],
  ],
  // From public reports: docs/field-reports.md.
  [
    "Error response from daemon: driver failed programming external connectivity on endpoint caddy (ca698c08): iptables failed: iptables --wait -t nat -A DOCKER -p tcp -d 0/0 --dport 443 -j DNAT --to-destination 172.20.1.3:443 ! -i br-1: iptables: No chain/target/match by that name.",
    [
      "firewall of the server: Docker's rules in iptables are missing: another program has flushed them",
      "  do: `vpai ssh --stack prod`, then `sudo systemctl restart docker` makes them again; containers keep running",
    ],
  ],
  [
    "Error response from daemon: client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version",
    [
      "Docker of the server: the client's version 1.41 of its API is too old for it (Minimum supported API version is 1.44)",
      "  do: update this program, or install Debian's docker.io on the server",
    ],
  ],
  [
    "Error response from daemon: error while removing network: network backend id 469e10dee4acb100 has active endpoints",
    [
      "network backend: a container that the state does not have is attached to it",
      "  do: `docker network inspect backend` on the server names it; `docker network disconnect --force backend <name>`, then run the same command again",
    ],
  ],
  [
    'Error response from daemon: error while removing network: network backend has active endpoints (name:"foo" id:"0f1e")',
    [
      "network backend: a container that the state does not have is attached to it",
      "  do: `docker network inspect backend` on the server names it; `docker network disconnect --force backend <name>`, then run the same command again",
    ],
  ],
  [
    "Error response from daemon: endpoint with name n8n already exists in network backend",
    [
      "container n8n: Docker has kept the address of a container of this name that no longer exists",
      "  do: `docker network disconnect --force backend n8n` on the server, then run the same command again",
    ],
  ],
  [
    "Error response from daemon: cannot stop container: 5be0: tried to kill container, but did not receive an exit event",
    [
      "container: Docker cannot stop it",
      "  do: `vpai ssh --stack prod`, then `sudo systemctl restart containerd docker`; if that does not help, `sudo reboot`",
    ],
  ],
  [
    "Error response from daemon: failed to create endpoint n8n on network backend: failed to add the host (veth0b1) <=> sandbox (veth0b2) pair interfaces: operation not supported",
    [
      "kernel of the server: updated and not started yet: the modules of the one that runs are no longer there",
      "  do: `vpai ssh --stack prod`, then `sudo reboot`; then run the same command again",
    ],
  ],
  [
    "Error response from daemon: Range of CPUs is from 0.01 to 1.00, as there are only 1 CPUs available",
    ["server: it has 1.00 CPUs, and a container is to have more", "  do: take a server with 2 CPUs or more"],
  ],
  [
    "no matching manifest for linux/arm64/v8 in the manifest list entries",
    [
      "image: not made for linux/arm64/v8, the server's platform",
      "  do: `vpai images check --stack prod` names it; take another tag, or a server of another architecture",
    ],
  ],
  [
    'Error response from daemon: Get "https://ghcr.io/v2/": unauthorized: incorrect username or password',
    [
      "registry: refuses the login that Docker has stored on the server",
      "  do: `docker logout <registry>` there, as the user deploy; public images need none",
    ],
  ],
  [
    "error pulling image configuration: download failed after attempts=6: unexpected EOF",
    [
      "registry: failed: download failed after attempts=6: unexpected EOF",
      "  do: run the same command again in some minutes",
    ],
  ],
  [
    "received unexpected HTTP status: 503 Service Unavailable",
    ["registry: failed: 503 Service Unavailable", "  do: run the same command again in some minutes"],
  ],
  [
    "E: Repository 'http://deb.debian.org/debian bookworm InRelease' changed its 'Suite' value from 'stable' to 'oldstable'",
    [
      "apt: http://deb.debian.org/debian bookworm InRelease is now oldstable instead of stable (Suite)",
      "  do: if that is expected, `sudo apt-get update --allow-releaseinfo-change` on the server, once",
    ],
  ],
  [
    "E: Release file for http://deb.debian.org/debian/dists/bookworm-updates/InRelease is expired (invalid since 3d 2h 4min 5s). Updates for this repository will not be applied.",
    [
      "apt: http://deb.debian.org/debian/dists/bookworm-updates/InRelease expired 3d 2h 4min 5s ago: the server's clock is wrong, or the mirror is no longer updated",
      "  do: `vpai ssh --stack prod`, then `timedatectl`; set the clock, or take another mirror in /etc/apt/sources.list",
    ],
  ],
  [
    "E: Unable to correct problems, you have held broken packages.",
    [
      "apt: packages of the server exclude each other: some are held, or from another release or repository",
      "  do: `vpai ssh --stack prod`, then `apt-mark showhold` and `sudo apt-get --simulate install docker.io` name them",
    ],
  ],
  [
    'unix_listener: path "/builds/a/very/long/path/ssh/0a1b2c3d4e.XyZ" too long for Unix domain socket',
    [
      "VPAI_WORK: too long for SSH's control socket: /builds/a/very/long/path/ssh/0a1b2c3d4e.XyZ",
      "  do: set it to a shorter path, or unset it",
    ],
  ],
  [
    "mux_client_request_session: session request failed: Session open refused by peer",
    [
      "SSH of the server: allows fewer sessions on one connection than this program opens (MaxSessions)",
      "  do: `vpai up --stack prod` sets it again; look for a MaxSessions above ours in /etc/ssh/sshd_config.d",
    ],
  ],
  [
    "sudo: a password is required",
    [
      "sudo on the server: asks the user of this connection for a password",
      "  do: for the first user of an existing server: allow it `NOPASSWD:ALL`, or set `vpai:vps.user` to root",
    ],
  ],
  [
    "firewall: taken back: within 45 s no new SSH connection from 203.0.113.9 got in with the new rules; those of before are in force again",
    [
      "firewall of the server: within 45 s no new SSH connection from 203.0.113.9 got in with the new rules, so the server has taken them back",
      "  do: have `vpai:ssh.allowedCidrs` contain the address that this machine comes from, then run the same command again",
    ],
  ],
  [
    "firewall: would close 25/tcp, 3306/tcp, on which programs of this server listen",
    [
      "firewall of the server: would close 25/tcp, 3306/tcp, on which other programs of the server listen; nothing has been changed",
      "  do: list those that have to stay open in `vpai:vps.openPorts` (an empty list closes all), then run the same command again",
    ],
  ],
  [
    "firewall: `nft --check -f -` failed: /dev/stdin:1:1-16: Error: Could not process rule: Operation not supported",
    [
      "kernel of the server: has no nftables (/dev/stdin:1:1-16: Error: Could not process rule: Operation not supported)",
      "  do: start it with Debian's own kernel (a container of a provider has none), then run the same command again",
    ],
  ],
  [
    'exec: "ssh": executable file not found in $PATH',
    ["this machine: has no ssh", "  do: `apt-get install openssh-client`, then run the same command again"],
  ],
  [
    'read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): AccessDenied: Access Denied status code: 403',
    [
      "PULUMI_BACKEND_URL: the state's storage refuses access (AccessDenied)",
      "  do: renew the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or correct the bucket, then `vpai recover --stack prod`",
    ],
  ],
  [
    'post-step event returned an error: failed to save snapshot: blob (key ".pulumi/stacks/vpai/prod.json") (code=Unknown): ExpiredToken: The provided token has expired.',
    [
      "PULUMI_BACKEND_URL: the state's storage refuses access (ExpiredToken)",
      "  do: renew the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or correct the bucket, then `vpai recover --stack prod`",
    ],
  ],
])("%s", (line, message) => {
  const output = `  hcloud:index:Server (vps-server):\n    error: ${line}\n`;
  expect(explain(output, context).message.split("\n")).toEqual(message);
});

test("the first cause is named, not what the server says of it", () => {
  const output =
    "  hcloud:index:Server (vps-server):\n    error: server limit exceeded (resource_limit_exceeded)\n" +
    "  command:remote:Command (host-ready):\n    error: ssh: connect to host 203.0.113.7 port 22: Connection timed out\n";
  expect(explain(output, context).message).toMatch(/^Hetzner vps-server: the project's limit .*\n {2}do: .*$/);
});

// The provider prints some resources' errors in one line, and those of the newer framework in several.
const forms: readonly [string, (code: string) => string][] = [
  ["in one line", (code) => `error:   sdk-v2/provider2.go:571: words (${code}, 5c0b1f): provider=hcloud@1.41.0`],
  [
    "in several",
    (code) => `error: API request failed.\n    \n    words\n    \n    Error code: ${code}\n    Status code: 400`,
  ],
];
const resources = ["Server (vps-server)", "PrimaryIp (vps-address)", "Firewall (vps-firewall)", "SshKey (vps-ssh-key)"];

test.each(
  Object.keys(ERROR_STATUS).flatMap((code) =>
    forms.flatMap(([form, print]) => resources.map((resource) => [code, form, resource, print(code)] as const)),
  ),
)("%s, %s, at %s: the error names a way out", (_code, _form, resource, text) => {
  const { message } = explain(`Diagnostics:\n  hcloud:index:${resource}:\n    ${text}\n`, context);
  expect(message).not.toContain("read .vpai/prod/logs/up.log");
  expect(message).toMatch(/\n {2}do: \S/);
});

#!/usr/bin/python3
"""Takes a deployment off a server that stays with its owner. Runs as root; needs nothing installed by us.

argument: {"withData": bool}
Removes files with secrets, our scripts and settings, then, once the caller's session has ended, our way in: the user deploy
and the settings of sshd that are ours. Data stays unless it is asked for, with the fingerprints of its permanent secrets.
stdout: one line of JSON: {"removed": [paths], "data": {"path", "size"} or null, "left": [lines], "access": what becomes of our way in}
"""
import glob
import json
import os
import pwd
import re
import shutil
import subprocess
import sys

BASE = os.environ.get("VPAI_BASE", "")
ROOT, STATE = BASE + "/opt/vpai", BASE + "/var/lib/vpai"
LOGINS = BASE + "/etc/ssh/sshd_config.d/10-vpai-logins.conf"
SSHD = BASE + "/etc/ssh/sshd_config.d/10-vpai.conf"
DAEMON = BASE + "/etc/docker/daemon.json"
SUDOERS = BASE + "/etc/sudoers.d/vpai"
FIREWALL = (BASE + "/etc/systemd/system/vpai-firewall.service", STATE + "/firewall.nft", STATE + "/firewall.listed")
UPKEEP = (BASE + "/etc/apt/apt.conf.d/52vpai-upgrades", BASE + "/etc/systemd/journald.conf.d/10-vpai.conf")
BACKUP_TIMERS = ("vpai-backup.timer", "vpai-backup-upkeep.timer")
USER = "deploy"

# Its own unit, as it ends the session that starts it. Puts sshd's file back where the owner's ports do not answer.
FINISH = """
for _ in $(seq 100); do pgrep -u "$USER_NAME" "^sshd" > /dev/null || break; sleep 0.2; done
listening() { grep -Eqi "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$1") [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6; }
mv "$SSHD_FILE" /run/vpai-sshd.conf
systemctl reload ssh
for port in $OWN_PORTS; do
  for _ in $(seq 100); do listening "$port" && break; sleep 0.2; done
  listening "$port" || { mv /run/vpai-sshd.conf "$SSHD_FILE"; systemctl restart ssh; echo "sshd did not open port $port" >&2; exit 1; }
done
rm /run/vpai-sshd.conf "$SUDOERS_FILE"
[ "$REMOVE_USER" = yes ] || { gpasswd -d "$USER_NAME" docker; exit 0; }
pkill -KILL -u "$USER_NAME"
for _ in $(seq 50); do userdel --remove "$USER_NAME" && break; sleep 0.2; done
"""


def run(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def require_unused():
    found = run("docker", "ps", "--all", "--filter", "label=vpai.service", "--format", "{{.Names}}")
    if found.returncode == 0 and found.stdout.strip():
        sys.exit(f"in use by container {', '.join(sorted(found.stdout.split()))}")


def read(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def discard(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
    else:
        return []
    return [path]


def discard_files(with_data):
    daemon = read(DAEMON)
    ours = daemon is not None and daemon == read(ROOT + "/host/daemon.json")
    paths = [ROOT + "/config", ROOT + "/host", BASE + "/usr/local/lib/vpai", BASE + "/var/log/vpai"]
    paths += [*UPKEEP, *([DAEMON] if ours else [])]
    paths += [ROOT, STATE] if with_data else [STATE + "/bootstrap", STATE + "/images.json"]
    removed = [each for path in paths for each in discard(path)]
    remains = [path for path in paths if os.path.lexists(path)]
    if remains:
        sys.exit(f"still there: {', '.join(remains)}")
    for path in (ROOT, STATE):
        if os.path.isdir(path) and not os.listdir(path):
            os.rmdir(path)
    return removed


def discard_firewall():
    """Ours alone: what else filters packets stays as it is."""
    run("systemctl", "disable", "--now", "vpai-firewall")
    removed = [each for path in FIREWALL for each in discard(path)]
    run("systemctl", "daemon-reload")
    for table in ("vpai", "vpai_hold"):
        if run("nft", "list", "table", "inet", table).returncode != 0:
            continue
        deleted = run("nft", "delete", "table", "inet", table)
        if deleted.returncode != 0:
            sys.exit(f"nftables still has the table {table}: {deleted.stderr.strip()}")
        removed.append(f"table inet {table} of nftables")
    return removed


def discard_backup():
    """What was saved stays where it is."""
    units = [BASE + f"/etc/systemd/system/vpai-backup{each}" for each in (".timer", ".service", "-upkeep.timer", "-upkeep.service")]
    found = [path for path in units if os.path.lexists(path)]
    if found:
        run("systemctl", "disable", "--now", *BACKUP_TIMERS)
    paths = [*units, BASE + "/etc/vpai", BASE + "/var/cache/vpai-restic", STATE + "/backup.prom", STATE + "/backup-results.json"]
    removed = [each for path in paths for each in discard(path)]
    if found:
        run("systemctl", "daemon-reload")
    return removed


def discard_bans():
    """Our jails alone; without its log, one of them would keep fail2ban from starting."""
    paths = [BASE + "/etc/fail2ban/jail.d/vpai.local", *sorted(glob.glob(BASE + "/etc/fail2ban/filter.d/vpai-*.conf"))]
    removed = [each for path in paths for each in discard(path)]
    if removed:
        run("systemctl", "restart", "fail2ban")
    return removed


def shared_settings():
    """A file that had settings before ours were put among them is left to its owner."""
    if read(DAEMON) is None or "live-restore" not in read(DAEMON):
        return []
    return [f"{DAEMON}, with its owner's settings and ours (live-restore, log-driver, log-opts): edit it, then systemctl restart docker"]


def data():
    path = ROOT + "/data"
    if not os.path.isdir(path):
        return None
    return {"path": path, "size": run("du", "-sh", path).stdout.split()[0]}


def owner_ports(ports):
    """What sshd listens on without our file, which it is read without; None where it would refuse its configuration."""
    aside = SSHD + ".aside"
    os.rename(SSHD, aside)
    try:
        answer = run("/usr/sbin/sshd", "-T", "-C", "user=root,host=localhost,addr=127.0.0.1")
        found = re.findall(r"^port (\d+)$", answer.stdout, re.MULTILINE) if answer.returncode == 0 else []
    finally:
        os.rename(aside, SSHD)
    # The first is ours; it is the owner's too where there is no other.
    wanted = ports[1:] or ports
    return wanted if set(wanted) <= set(found) else None


def leave_access():
    """Starts the removal of our way in, unless the owner's would go with it."""
    left = []
    ports = re.findall(r"^Port (\d+)$", read(SSHD) or "", re.MULTILINE)
    if not ports:
        return "was not found", left
    stays = owner_ports(ports)
    keys_only = discard(LOGINS)
    if stays is None:
        wanted = ", ".join(ports[1:] or ports)
        left.append(f"port {ports[0]} and the user {USER}: without {SSHD} sshd would not listen on port {wanted}. "
                    f"Put `Port {wanted}` into /etc/ssh/sshd_config; then, as root: rm {SSHD} {SUDOERS}; systemctl reload ssh; deluser --remove-home {USER}")
        # Not before: sshd must not read its settings while ours are put aside. FINISH has it read them as well.
        if keys_only and run("/usr/sbin/sshd", "-t").returncode == 0:
            run("systemctl", "restart", "ssh")
        return "stays", left
    ours = pwd.getpwnam(USER).pw_gecos.split(",")[0] == "vpai"
    if not ours:
        discard(os.path.join(pwd.getpwnam(USER).pw_dir, ".ssh/authorized_keys"))
        left.append(f"the user {USER}, which was there before, without its key: deluser --remove-home {USER}")
    environment = {"USER_NAME": USER, "SSHD_FILE": SSHD, "SUDOERS_FILE": SUDOERS, "OWN_PORTS": " ".join(stays), "REMOVE_USER": "yes" if ours else "no"}
    settings = [f"--setenv={name}={value}" for name, value in environment.items()]
    started = run("systemd-run", "--collect", "--no-block", "--unit=vpai-leave", *settings, "/bin/bash", "-c", FINISH)
    if started.returncode != 0:
        sys.exit(started.stderr.strip() or "systemd-run failed")
    return f"goes; root's own stays, on port {', '.join(stays)}", left


def main():
    plan = json.loads(sys.argv[1])
    require_unused()
    removed = discard_backup() + discard_bans() + discard_firewall() + discard_files(plan["withData"])
    access, left = leave_access()
    print(json.dumps({"removed": removed, "data": data(), "left": shared_settings() + left, "access": access}))


main()

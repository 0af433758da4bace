#!/usr/bin/python3
"""The server's own firewall: the table `inet vpai` of nftables. Runs as root. Usage: firewall try [ask] | keep TOKEN ADDRESS | back TOKEN | load

try   Reads a table from stdin and loads it, with a timer that takes it back. Prints `unchanged`, or the token for `keep`.
      `ask`: refuses a first table that would close a port on which a program of the server listens.
keep  Keeps what was tried. To be called over a connection that is newer than it: that is the proof that it lets us in.
back  Loads the rules of before: called by the timer, after SECONDS without `keep`.
load  Loads the rules that were kept last: at boot, before the network is up.
Nothing that was not kept outlives a reboot. Exit code 3: it was taken back.
"""
import fcntl
import hashlib
import json
import os
import re
import secrets
import subprocess
import sys

SECONDS = 45
TABLE = "vpai"
STATE = "/var/lib/vpai"
KEPT = STATE + "/firewall.nft"
# Digest of what nftables lists when that table is loaded: it does not list what it was given.
LISTED = STATE + "/firewall.listed"
TRIED, LOCK = "/run/vpai-firewall.json", "/run/vpai-firewall.lock"
TIMER = "vpai-firewall-back"
TAKEN_BACK = 3


def run(*argv, stdin=""):
    result = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr.strip()


def require(*argv, stdin=""):
    code, out, error = run(*argv, stdin=stdin)
    if code != 0:
        lines = error.splitlines() or [f"exit code {code}"]
        sys.exit(f"firewall: `{' '.join(argv)}` failed: {lines[0]}")
    return out


def read(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def write(path, text):
    with open(path + ".new", "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def listed():
    """Digest of the table in force, without its counters; None where there is none."""
    code, text, _ = run("nft", "--stateless", "list", "table", "inet", TABLE)
    return hashlib.sha256(text.encode()).hexdigest() if code == 0 else None


def stop_timer():
    for unit in (TIMER + ".timer", TIMER + ".service"):
        run("systemctl", "stop", unit)
        run("systemctl", "reset-failed", unit)


def start_timer(token):
    stop_timer()
    require("systemd-run", "--quiet", "--collect", f"--unit={TIMER}", f"--on-active={SECONDS}", "--timer-property=AccuracySec=100ms",
            sys.executable, "-I", os.path.abspath(__file__), "back", token)
    require("systemctl", "is-active", TIMER + ".timer")


def load_before():
    before = read(KEPT)
    if before is None:
        # Declared first: deleting what does not exist is an error.
        require("nft", "-f", "-", stdin=f"table inet {TABLE}\ndelete table inet {TABLE}\n")
    else:
        require("nft", "-f", "-", stdin=before)


def open_ports():
    """`25/tcp` for each port that programs of this server listen on for others; of UDP those below the ephemeral ones."""
    found = set()
    for protocol, state in (("tcp", "0A"), ("udp", "07")):
        for family in ("", "6"):
            rows = [line.split() for line in (read(f"/proc/net/{protocol}{family}") or "").splitlines()[1:]]
            for row in rows:
                address, port = row[1].split(":")
                local = address.endswith("7F") if len(address) == 8 else address == "0" * 24 + "01000000"
                if row[3] == state and not local and (protocol == "tcp" or int(port, 16) < 32768):
                    found.add(f"{int(port, 16)}/{protocol}")
    return found


# Answered by other rules of the table (DHCP), or by programs that only ask (time, mDNS).
NOT_SERVICES = {"68/udp", "546/udp", "123/udp", "323/udp", "5353/udp"}


def refuse_to_close(table):
    """Before the first table on a server that ran other software: what listens and would be closed."""
    admitted = {f"{port}/{protocol}" for protocol, port in re.findall(r"\b(tcp|udp) dport (\d+) accept", table)}
    closed = sorted(open_ports() - admitted - NOT_SERVICES, key=lambda each: (each.split("/")[1], int(each.split("/")[0])))
    if closed:
        sys.exit(f"firewall: would close {', '.join(closed)}, on which programs of this server listen")


def try_table(closing="open"):
    table = sys.stdin.read()
    if closing == "ask" and read(KEPT) is None:
        refuse_to_close(table)
    if read(KEPT) == table and read(LISTED) is not None and read(LISTED) == listed() and read(TRIED) is None:
        print("unchanged")
        return
    require("nft", "--check", "-f", "-", stdin=table)
    token = secrets.token_hex(8)
    # Before the rules: a session that they end must not keep the timer from starting.
    start_timer(token)
    write(TRIED, json.dumps({"token": token, "table": table}))
    require("nft", "-f", "-", stdin=table)
    # What is kept must be what was tried: another program may load other rules in between.
    write(TRIED, json.dumps({"token": token, "table": table, "listed": listed()}))
    print(token)


def keep(token, address):
    tried = json.loads(read(TRIED) or "{}")
    if tried.get("token") != token:
        print(f"firewall: taken back: within {SECONDS} s no new SSH connection from {address} got in with the new rules; "
              "those of before are in force again", file=sys.stderr)
        sys.exit(TAKEN_BACK)
    if tried.get("kept"):
        return
    if listed() is None or listed() != tried.get("listed"):
        sys.exit("firewall: the table that was tried is no longer loaded as it was: another program has changed it")
    write(LISTED, tried["listed"])
    write(KEPT, tried["table"])
    # It stays: where the answer is lost, the same question gets the same answer.
    write(TRIED, json.dumps({"token": token, "kept": True}))
    stop_timer()


def back(token):
    tried = json.loads(read(TRIED) or "{}")
    # Kept, and killed before that was noted.
    kept = tried.get("kept") or read(KEPT) == tried.get("table")
    if tried.get("token") != token or kept:
        return
    load_before()
    os.unlink(TRIED)
    print("firewall: nobody confirmed the new rules: those of before are loaded")


def load():
    if read(KEPT) is not None:
        load_before()


def main(verb, *words):
    with open(LOCK, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        {"try": try_table, "keep": keep, "back": back, "load": load}[verb](*words)


if __name__ == "__main__":
    main(*sys.argv[1:])

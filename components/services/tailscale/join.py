"""Gives the server a key for the Headscale that runs on it, unless it is a member already. Runs as root.

argv: the user that owns the machines, the server's tag, the address that the server has to get
Writes /opt/vpai/data/tailscale/authkey: used once, valid for an hour. Nothing is printed but errors.
"""
import json
import os
import subprocess
import sys
import time

FOLDER = os.environ.get("VPAI_ROOT", "/opt/vpai") + "/data/tailscale"
DEADLINE = 60


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def headscale(*argv):
    result = run("docker", "exec", "headscale", "headscale", *argv, "--output", "json")
    if result.returncode != 0:
        lines = (result.stdout + result.stderr).strip().splitlines() or [f"exit code {result.returncode}"]
        sys.exit(f"vpn: `headscale {' '.join(argv)}` failed: {lines[-1]}")
    return json.loads(result.stdout or "null")


def owner_id(name):
    for _ in range(2):
        for user in headscale("users", "list") or []:
            if user["name"] == name:
                return user["id"]
        headscale("users", "create", name)
    sys.exit(f"vpn: the user {name} is not found after it was made")


def restart_headscale():
    """It gives addresses in turn: only after a start does it begin at the first one that is free."""
    run("docker", "restart", "headscale")
    end = time.monotonic() + DEADLINE
    while run("docker", "exec", "headscale", "headscale", "health").returncode != 0:
        if time.monotonic() > end:
            sys.exit(f"vpn: Headscale does not answer {DEADLINE} s after its restart")
        time.sleep(0.5)


def write_key(key):
    os.makedirs(FOLDER, mode=0o700, exist_ok=True)
    path = FOLDER + "/authkey"
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400), "w", encoding="utf-8") as stream:
        stream.write(key + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(path + ".new", path)


def main(owner, tag, address):
    user = owner_id(owner)
    nodes = headscale("nodes", "list") or []
    servers = [node for node in nodes if tag in (node.get("tags") or [])]
    if any(address in node["ip_addresses"] for node in servers) and os.path.exists(FOLDER + "/tailscaled.state"):
        return
    taken = [node["name"] for node in nodes if address in node["ip_addresses"] and node not in servers]
    if taken:
        sys.exit(f"vpn: {address} is the server's, and the machine {taken[0]} has it: delete that one (headscale nodes delete)")
    for node in servers:
        headscale("nodes", "delete", "--identifier", str(node["id"]), "--force")
    if servers or nodes:
        restart_headscale()
    write_key(headscale("preauthkeys", "create", "--user", str(user), "--expiration", "1h", "--tags", tag)["key"])


main(*sys.argv[1:])

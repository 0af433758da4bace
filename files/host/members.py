"""The members of the Headscale that runs on this server. Runs as root; stdin is this file. Prints JSON.

alone                             fails where another tailscaled than the stack's runs
server OWNER TAG ADDRESS FOLDER   the same, and gives the server a key unless it is a member with that address already; the key
                                  works once, within a month: /opt/vpai/data/tailscale/FOLDER/authkey
add OWNER NAME                    {"url", "key"}: with it one machine joins as the owner's within an hour
list                              [{"name", "address", "owner", "online", "seen"}]; seen: seconds since 1970, or null
remove TAG NAME                   {"removed": bool}; not the server
"""
import json
import os
import subprocess
import sys
import time

ROOT = os.environ.get("VPAI_ROOT", "/opt/vpai")
INTERFACE = os.environ.get("VPAI_INTERFACES", "/sys/class/net") + "/tailscale0"
DEADLINE = 60
# A run that was broken off after the key was made may be taken up much later. Beside the server's own key it opens nothing more.
SERVER_KEY_VALID, MACHINE_KEY_VALID = "720h", "1h"


def fail(message):
    sys.exit("vpn: " + message)


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def headscale(*argv):
    result = run("docker", "exec", "headscale", "headscale", *argv, "--output", "json")
    if result.returncode != 0:
        fail(f"`headscale {' '.join(argv)}` failed: {reason(result)}")
    return json.loads(result.stdout or "null")


def reason(result):
    """Headscale prints its own errors as JSON, Docker does not."""
    text = (result.stderr or result.stdout).strip()
    try:
        return json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return (text.splitlines() or [f"exit code {result.returncode}"])[-1]


def owner_id(name):
    for _ in range(2):
        for user in headscale("users", "list") or []:
            if user["name"] == name:
                return str(user["id"])
        headscale("users", "create", name)
    return fail(f"the user {name} is not found after it was made")


def nodes():
    return headscale("nodes", "list") or []


def name_of(node):
    return node.get("given_name") or node["name"]


def delete(node):
    headscale("nodes", "delete", "--identifier", str(node["id"]), "--force")


def restart_headscale():
    """It gives addresses in turn: only after a start does it begin at the first one that is free."""
    run("docker", "restart", "headscale")
    end = time.monotonic() + DEADLINE
    while run("docker", "exec", "headscale", "headscale", "health").returncode != 0:
        if time.monotonic() > end:
            fail(f"Headscale does not answer {DEADLINE} s after its restart")
        time.sleep(0.5)


def write_key(key, folder):
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = folder + "/authkey"
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400), "w", encoding="utf-8") as stream:
        stream.write(key + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(path + ".new", path)


def has_container():
    return run("docker", "container", "inspect", "tailscale").returncode == 0


def alone():
    if os.path.exists(INTERFACE) and not has_container():
        fail("another tailscaled runs on this server, and two take the interface tailscale0 from each other: reach the server at its "
             "public address, end that one for good (systemctl disable --now tailscaled), and run up again")


def server(owner, tag, address, folder):
    alone()
    folder = f"{ROOT}/data/tailscale/{folder}"
    user, found = owner_id(owner), nodes()
    servers = [node for node in found if tag in (node.get("tags") or [])]
    if any(address in node["ip_addresses"] for node in servers) and os.path.exists(folder + "/tailscaled.state"):
        return
    taken = [name_of(node) for node in found if address in node["ip_addresses"] and node not in servers]
    if taken:
        fail(f"{address} is the server's address, and the machine {taken[0]} has it: remove that one (`vpai vpn remove`)")
    for node in servers:
        delete(node)
    if found:
        restart_headscale()
    write_key(headscale("preauthkeys", "create", "--user", user, "--expiration", SERVER_KEY_VALID, "--tags", tag)["key"], folder)
    # One that runs takes itself for a member until it is started again.
    if has_container() and run("docker", "restart", "tailscale").returncode != 0:
        fail("the container tailscale does not restart")


def public_url():
    with open(ROOT + "/config/headscale/config.yaml", encoding="utf-8") as stream:
        return next(line.split(" ", 1)[1].strip() for line in stream if line.startswith("server_url: "))


def add(owner, name):
    if any(name_of(node) == name for node in nodes()):
        fail(f"a machine called {name} is a member already: choose another name, or remove that one (`vpai vpn remove {name}`)")
    key = headscale("preauthkeys", "create", "--user", owner_id(owner), "--expiration", MACHINE_KEY_VALID)["key"]
    return {"url": public_url(), "key": key}


def listed():
    return [
        {
            "name": name_of(node),
            "address": node["ip_addresses"][0],
            "owner": (node.get("tags") or [node.get("user", {}).get("name", "-")])[0],
            "online": node.get("online", False),
            "seen": (node.get("last_seen") or {}).get("seconds"),
        }
        for node in nodes()
    ]


def remove(tag, name):
    found = [node for node in nodes() if name_of(node) == name]
    if any(tag in (node.get("tags") or []) for node in found):
        fail(f"{name} is the server itself: it is a member as long as vpai:vpn.host is true")
    for node in found:
        delete(node)
    if any(name_of(node) == name for node in nodes()):
        fail(f"{name} is still a member after it was removed")
    return {"removed": bool(found)}


VERBS = {"alone": alone, "server": server, "add": add, "list": listed, "remove": remove}
print(json.dumps(VERBS[sys.argv[1]](*sys.argv[2:])))

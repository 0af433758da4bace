"""Reads the actual state of a server and prints it as one line of JSON. Changes nothing. Runs as root, from stdin: the
last line, which the caller adds, calls main() with the request, or main_recorded() with the record that the last run left. Needs nothing installed by us, not even Docker.

request: {"files": [paths], "trees": [folders whose every file is listed], "folders": [paths],
          "mounts": [{"container", "source", "target"}], "units": [names], "packages": [names],
          "user": name, "daemon": [settings of Docker's daemon], "listening": [expected TCP ports],
          "readbacks": [{"container", "argv", "stdin"}], "probes": [{"container", "port", "request", "wanted": [json]}]}
No content of a file is ever printed, only its digest; of a process only its name; of an answer only what is asked for.
"""
import concurrent.futures
import glob
import grp
import hashlib
import json
import os
import pwd
import stat
import subprocess
import sys
import urllib.error
import urllib.request

# Docker's tables answer in well under a second; a daemon that hangs is reported, not waited for.
TIMEOUT = 20


def run(*argv, stdin=""):
    """(exit code, stdout, last line of stderr); 127 for a program that is not installed."""
    try:
        result = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    except FileNotFoundError:
        return 127, "", f"{argv[0]} is not installed"
    except subprocess.TimeoutExpired:
        return 124, "", f"{argv[0]} did not answer within {TIMEOUT} s"
    return result.returncode, result.stdout, (result.stderr.strip().splitlines() or [""])[-1]


class Unanswered(Exception):
    """Docker did not answer a question: nothing it has may be called missing."""


def inspected(kind, ids):
    """Of things that end while they are listed the rest is enough: the exit code then is 1, the answer valid."""
    if not ids:
        return []
    code, text, error = run("docker", kind, "inspect", *ids)
    found = json.loads(text or "[]")
    if not found:
        raise Unanswered(error or f"docker {kind} inspect ended with {code}")
    return found


def listed(*argv):
    code, text, error = run("docker", *argv)
    if code != 0:
        raise Unanswered(error or f"docker {argv[0]} ended with {code}")
    return sorted(set(text.split()))


def container(raw):
    state, host = raw["State"], raw["HostConfig"]
    return {
        "name": raw["Name"].lstrip("/"),
        "id": raw["Id"],
        "image": raw["Image"],
        "status": state["Status"],
        "exitCode": state["ExitCode"],
        "oomKilled": state["OOMKilled"],
        "health": (state.get("Health") or {}).get("Status", "none"),
        "networks": sorted(raw["NetworkSettings"]["Networks"]),
        "memory": host["Memory"],
        "memorySwap": host["MemorySwap"],
        "nanoCpus": host["NanoCpus"],
        "pids": host["PidsLimit"] or 0,
        "restart": host["RestartPolicy"]["Name"],
        "service": (raw["Config"]["Labels"] or {}).get("vpai.service"),
        "restarts": raw["RestartCount"],
        "pid": state["Pid"],
        "address": next((each["IPAddress"] for each in raw["NetworkSettings"]["Networks"].values() if each["IPAddress"]), None),
    }


def network(raw):
    return {
        "name": raw["Name"],
        "id": raw["Id"],
        "subnets": [each["Subnet"] for each in raw["IPAM"]["Config"] or []],
        "internal": raw["Internal"],
    }


def docker():
    code, version, error = run("docker", "version", "--format", "{{.Server.Version}}")
    if code != 0:
        return {"error": error or f"docker version ended with {code}"}
    try:
        return {
            "version": version.strip(),
            "containers": [container(raw) for raw in inspected("container", listed("ps", "--all", "--quiet", "--no-trunc"))],
            "networks": [network(raw) for raw in inspected("network", listed("network", "ls", "--quiet", "--no-trunc"))],
            "images": listed("image", "ls", "--all", "--quiet", "--no-trunc"),
        }
    except Unanswered as error:
        return {"error": str(error)}


def kind(mode):
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"


def facts(path):
    """What is at a path; None for nothing."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    answer = {"kind": kind(found.st_mode), "mode": f"{stat.S_IMODE(found.st_mode):04o}", "owner": [found.st_uid, found.st_gid]}
    if answer["kind"] == "file":
        with open(path, "rb") as stream:
            answer["sha256"] = hashlib.sha256(stream.read()).hexdigest()
    if answer["kind"] == "folder":
        answer["empty"] = not os.listdir(path)
    return answer


def tree(root):
    return sorted(os.path.join(base, name) for base, _, names in os.walk(root) for name in names)


def same_folder(mount, pids):
    """Whether a running container sees the folder that is at the path now: one that was replaced has another identity."""
    pid = pids.get(mount["container"])
    if not pid:
        return None
    try:
        inside, outside = os.stat(f"/proc/{pid}/root{mount['target']}"), os.stat(mount["source"])
        return (inside.st_dev, inside.st_ino) == (outside.st_dev, outside.st_ino)
    except OSError:
        return None


def unit(name):
    words = [run("systemctl", verb, name)[1].strip() or "not found" for verb in ("is-enabled", "is-active")]
    return {"enabled": words[0], "active": words[1]}


def packages(names):
    lines = run("dpkg-query", "-W", "-f", "${Package}\t${db:Status-Status}\n", *names)[1].splitlines()
    found = dict(line.split("\t") for line in lines)
    return {name: found.get(name, "not-installed") for name in names}


def user(name):
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = sorted(each.gr_name for each in grp.getgrall() if name in each.gr_mem)
    return {"uid": entry.pw_uid, "gid": entry.pw_gid, "groups": groups}


def sshd():
    """The settings for a login that no Match block names: a list for each, as Port may be set more than once."""
    settings = {}
    for line in run("/usr/sbin/sshd", "-T", "-C", "user=vpai-other,host=localhost,addr=192.0.2.1")[1].splitlines():
        key, _, value = line.partition(" ")
        settings.setdefault(key, []).append(value)
    return settings


def daemon(keys):
    """Those settings of daemon.json, each as JSON; of a file that is missing or broken none."""
    try:
        with open("/etc/docker/daemon.json", encoding="utf-8") as stream:
            settings = json.load(stream)
        return {key: json.dumps(settings[key], sort_keys=True, separators=(",", ":")) for key in keys if key in settings}
    except (OSError, ValueError, TypeError):
        return {}


def rules():
    """Docker's own rules, which a firewall that is loaded again takes away; None where they cannot be read or are nftables'."""
    nat, forward = (run("iptables", "-w", "-t", table, "-S", chain) for table, chain in (("nat", "POSTROUTING"), ("filter", "FORWARD")))
    if nat[0] != 0 or forward[0] != 0 or daemon(["firewall-backend"]) == {"firewall-backend": '"nftables"'}:
        return None
    rows = [line.split() for line in nat[1].splitlines() if line.endswith("-j MASQUERADE")]
    return {
        "masqueraded": sorted({row[row.index("-s") + 1] for row in rows if "-s" in row}),
        "forwarding": " -j DOCKER" in forward[1],
    }


def firewall():
    """Digests: of the table that was kept, of what nftables listed then, and of what it lists now; None for what is not there."""
    kept = facts("/var/lib/vpai/firewall.nft") or {}
    code, table, _ = run("nft", "--stateless", "list", "table", "inet", "vpai")
    try:
        with open("/var/lib/vpai/firewall.listed", encoding="ascii") as stream:
            recorded = stream.read().strip()
    except OSError:
        recorded = None
    return {"kept": kept.get("sha256"), "recorded": recorded, "listed": hashlib.sha256(table.encode()).hexdigest() if code == 0 else None}


def sockets():
    """inode by port, of TCP listeners that not only this machine reaches."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as stream:
                rows = [line.split() for line in stream.readlines()[1:]]
        except FileNotFoundError:
            continue
        for row in rows:
            address, port = row[1].split(":")
            local = address.endswith("7F") if len(address) == 8 else address == "0" * 24 + "01000000"
            if row[3] == "0A" and not local:
                found[int(port, 16)] = row[9]
    return found


def process(inode):
    for path in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(path) == f"socket:[{inode}]":
                with open(f"/proc/{path.split('/')[2]}/comm", encoding="utf-8") as stream:
                    return stream.read().strip()
        except OSError:
            continue
    return "unknown"


def readback(wanted):
    code, lines, error = run("docker", "exec", "--interactive", wanted["container"], *wanted["argv"], stdin=wanted["stdin"])
    return {"container": wanted["container"], "lines": lines.splitlines(), "error": "" if code == 0 else error or f"exit code {code}"}


def members(wanted, found):
    """Of what was found the part that is wanted; lists whole."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return {key: members(value, found[key]) for key, value in wanted.items() if key in found}
    return found if wanted is not None else None


def ask(address, wanted):
    """Status and wanted members; status 0 without an answer."""
    request = wanted["request"]
    call = urllib.request.Request(f"http://{address}:{wanted['port']}{request['path']}", method=request["method"],
                                  headers={"accept": "application/json", **request.get("headers", {})})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call, timeout=TIMEOUT) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    except OSError:
        status, body = 0, b""
    try:
        parsed = json.loads(body)
    except ValueError:
        return {"status": status, "json": None}
    merged = {}
    for each in wanted["wanted"]:
        if isinstance(each, dict) and isinstance(parsed, dict):
            merged.update(members(each, parsed))
    return {"status": status, "json": merged}


def services(request, containers, pool):
    """Answers of the containers that are healthy, all at once."""
    healthy = {each["name"]: each["address"] for each in containers if each["health"] == "healthy" and each["status"] == "running"}
    readbacks = [pool.submit(readback, each) if each["container"] in healthy else None for each in request["readbacks"]]
    probes = [pool.submit(ask, healthy[each["container"]], each) if healthy.get(each["container"]) else None for each in request["probes"]]
    return readbacks, probes


def main(request):
    # What waits for other programs runs at once: Docker, the services, systemd, dpkg, sshd.
    pool = concurrent.futures.ThreadPoolExecutor(8)
    others = {name: pool.submit(unit, name) for name in request["units"]}
    installed, effective = pool.submit(packages, request["packages"]), pool.submit(sshd)
    table = pool.submit(firewall)
    found = docker()
    readbacks, probes = services(request, found.get("containers", []), pool)
    pids = {each["name"]: each.pop("pid") for each in found.get("containers", [])}
    for each in found.get("containers", []):
        del each["address"]
    ports = sockets()
    paths = request["files"] + request["folders"] + request["trees"]
    print(json.dumps({
        "client": sys.argv[1] if len(sys.argv) > 1 else None,
        "docker": found,
        "paths": {path: facts(path) for path in paths},
        "trees": {root: tree(root) for root in request["trees"]},
        "mounts": [{**mount, "same": same_folder(mount, pids)} for mount in request["mounts"]],
        "units": {name: each.result() for name, each in others.items()},
        "packages": installed.result(),
        "user": user(request["user"]),
        "sshd": effective.result(),
        "daemon": daemon(request["daemon"]),
        "rules": rules(),
        "firewall": table.result(),
        "listening": [
            {"port": port, "process": "" if port in request["listening"] else process(inode)} for port, inode in sorted(ports.items())
        ],
        "readbacks": [each and each.result() for each in readbacks],
        "probes": [each and each.result() for each in probes],
    }))


def main_recorded(path, digest):
    """Inspects what the record says; null where it is not the one that the caller knows."""
    try:
        with open(path, "rb") as stream:
            record = stream.read()
    except FileNotFoundError:
        record = b""
    if hashlib.sha256(record).hexdigest() == digest:
        main(json.loads(record)["request"])
    else:
        print("null")

#!/usr/bin/python3
"""Waits until a container is healthy. Usage: gate CONTAINER SECONDS PIDS. Runs as the deploy user.

Sets the limit of processes first: the Docker provider has no setting for it. Asks the daemon over its socket: `docker
inspect` a few times a second for each of 17 containers would take half of a small server while they start.
"""
import http.client
import json
import socket
import subprocess
import sys
import time

INTERVAL = 0.3
# Ends of a container are looked for from a minute before: it may have ended more than once until the gate began.
LOOK_BACK = 60
MB = 1024 * 1024


class Daemon(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("docker", timeout=60)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect("/var/run/docker.sock")


def ask(method, path, body=None):
    """Status and JSON; a daemon that does not answer is an error of the run."""
    connection = Daemon()
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or "null")
    except OSError as error:
        sys.exit(f"gate: Docker does not answer: {error}")
    finally:
        connection.close()


def docker(*words):
    """What a `docker` command printed, errors included."""
    return subprocess.run(["docker", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False).stdout.strip()


def inspect(name):
    status, found = ask("GET", f"/containers/{name}/json")
    if status != 200:
        sys.exit(f"{name}: {(found or {}).get('message', f'status {status}')}")
    return found


def ends(name, container, began):
    """Exit codes of its ends since the gate began, and whether the kernel ended it at its memory limit. From Docker's
    events: in the state of a container that was started again nothing of it is left."""
    events = docker("events", "--since", str(began), "--until", str(int(time.time())), "--filter", f"container={name}",
                    "--filter", "event=die", "--filter", "event=oom",
                    "--format", "{{.Action}} {{.Actor.Attributes.exitCode}}").splitlines()
    codes = [line.split()[1] for line in events if line.startswith("die ")]
    lines = [f"it ended with exit code: {' '.join(codes[-5:])}"] if codes else []
    if container["State"]["OOMKilled"] or any(line.startswith("oom") for line in events):
        limit = container["HostConfig"]["Memory"] // MB
        lines.append(f"out of memory: the kernel killed it at its limit of {limit} MB (OOMKilled)")
    return lines


def fail(name, reason, began):
    container = inspect(name)
    probes = (container["State"].get("Health") or {}).get("Log") or []
    lines = [f"{name}: {reason}", *ends(name, container, began)]
    lines += [f"probe: {each['ExitCode']} {each['Output'].strip()}"[:300] for each in probes[-3:]]
    lines += ["its last lines:"]
    lines += [line[:300] for line in docker("logs", "--tail", "20", name).splitlines()]
    sys.exit("\n".join(lines))


def limited(container, name, pids):
    """Between two restarts there is nothing to limit and Docker refuses: the loop tries again."""
    if container["HostConfig"]["PidsLimit"] == pids:
        return True
    status, _ = ask("POST", f"/containers/{name}/update", {"PidsLimit": pids})
    return status == 200 and inspect(name)["HostConfig"]["PidsLimit"] == pids


def gate(name, seconds, pids):
    began = int(time.time()) - LOOK_BACK
    deadline = time.monotonic() + seconds
    while True:
        container = inspect(name)
        status, restarts = container["State"]["Status"], container["RestartCount"]
        health = (container["State"].get("Health") or {}).get("Status", "unchecked")
        limit_set = status == "running" and limited(container, name, pids)
        if status == "running" and health == "unchecked":
            fail(name, "it has no health check", began)
        if status == "running" and health == "unhealthy":
            fail(name, "unhealthy", began)
        if health == "healthy" and limit_set:
            return
        if restarts >= 5:
            fail(name, f"it restarts again and again ({restarts} times)", began)
        if time.monotonic() > deadline:
            fail(name, f"not healthy within {seconds} s (last seen: {status}, {health})", began)
        time.sleep(INTERVAL)


if __name__ == "__main__":
    gate(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print("healthy")

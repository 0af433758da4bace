#!/usr/bin/python3
"""Smoke checks of a stack on its server, in one go. Runs as root; needs nothing installed by us.

argument: base64 of {"services": [names], "exec": [{"id", "service", "argv"}], "edge": [{"id", "service", "url"}],
                     "ca": file of the authorities that the edge's certificates come from; null: any certificate passes}
prints {"ages": {service: seconds since its container started}, "answers": {id: {"status", "text", "ms"}}}; a command's
status is its exit code, a request's is that of HTTP, and null means that there was no answer: then `text` says why.
"""
import base64
import datetime
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

SECONDS = 30
MOST = 20000


def run(argv):
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            timeout=SECONDS, check=False)
    return result.returncode, result.stdout.decode(errors="replace"), result.stderr.decode(errors="replace")


def age(service):
    code, text, _ = run(["docker", "inspect", "-f", "{{.State.Running}} {{.State.StartedAt}}", service])
    running, _, started = text.strip().partition(" ")
    if code != 0 or running != "true":
        return None
    # To the second: Python does not read nanoseconds.
    since = datetime.datetime.strptime(started[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return (datetime.datetime.now(datetime.timezone.utc) - since).total_seconds()


def execute(check):
    code, out, err = run(["docker", "exec", check["service"], *check["argv"]])
    return {"status": code, "text": out[:MOST] if out.strip() else err[:MOST]}


def request(check, ca):
    trust = ["--insecure"] if ca is None else ["--cacert", ca]
    code, out, err = run(["curl", "--silent", "--show-error", "--max-time", str(SECONDS - 5), *trust,
                          "--connect-to", "::127.0.0.1:443", "--write-out", "\n%{http_code}", check["url"]])
    if code != 0:
        return {"status": None, "text": err.strip()}
    body, _, status = out.rpartition("\n")
    return {"status": int(status), "text": body[:MOST]}


def timed(work, *arguments):
    started = time.monotonic()
    try:
        answer = work(*arguments)
    except subprocess.TimeoutExpired:
        answer = {"status": None, "text": f"no answer within {SECONDS} s"}
    return {**answer, "ms": round((time.monotonic() - started) * 1000)}


# A service's own checks run one after another: its memory limit has room for one process more.
def in_turn(checks):
    return [(check["id"], timed(execute, check)) for check in checks]


def main():
    plan = json.loads(base64.b64decode(sys.argv[1]))
    by_service = {}
    for check in plan["exec"]:
        by_service.setdefault(check["service"], []).append(check)
    with ThreadPoolExecutor(max_workers=32) as pool:
        ages = {service: pool.submit(age, service) for service in plan["services"]}
        groups = [pool.submit(in_turn, checks) for checks in by_service.values()]
        edge = [(check["id"], pool.submit(timed, request, check, plan["ca"])) for check in plan["edge"]]
        answers = {name: answer for group in groups for name, answer in group.result()}
        answers.update({name: future.result() for name, future in edge})
        print(json.dumps({"ages": {name: future.result() for name, future in ages.items()}, "answers": answers}))


main()

#!/usr/bin/python3
"""Reconciles a service with the state on stdin, over its own API, and reads it back. Runs as the deploy user.

stdin: {"container", "port", "deadlineSeconds",
        "steps": [{"name", "probe": request, "satisfiedBy": response or [response],
                   "apply": [request + {"when": response?, "ok": [status]}]}]}
request: {"method", "path", "headers"?, "json"?}
response: {"status", "json"?}
stdout: JSON, the steps that changed something. Nothing that was sent is printed.
"""
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

RETRIED = (0, 408, 425, 429, 500, 502, 503, 504)


def fail(message):
    sys.exit("provision: " + message)


def address(container):
    found = subprocess.run(
        ["docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", container],
        capture_output=True, text=True, check=False)
    if found.returncode != 0 or not found.stdout.split():
        fail(f"{container} has no address: {found.stderr.strip() or 'it is not running'}")
    return found.stdout.split()[0]


def send(base, wanted):
    """Status and body; status 0 without a response."""
    body = json.dumps(wanted["json"]).encode() if "json" in wanted else None
    headers = {"accept": "application/json", **wanted.get("headers", {})}
    if body is not None:
        headers["content-type"] = "application/json"
    request = urllib.request.Request(base + wanted["path"], data=body, method=wanted["method"], headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        return 0, str(error).encode()


def within(wanted, found):
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(k in found and within(v, found[k]) for k, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(within, wanted, found))
    # In JSON 5 is 5.0, and true is no number.
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)


def matches(wanted, status, body):
    if status != wanted["status"]:
        return False
    if "json" not in wanted:
        return True
    try:
        return within(wanted["json"], json.loads(body))
    except ValueError:
        return False


def is_satisfied(step, status, body):
    answers = step["satisfiedBy"] if isinstance(step["satisfiedBy"], list) else [step["satisfiedBy"]]
    return any(matches(each, status, body) for each in answers)


def secrets_in(steps):
    """Long texts that are sent: no message may contain them."""
    def texts(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for each in value.values():
                yield from texts(each)
        elif isinstance(value, list):
            for each in value:
                yield from texts(each)
    sent = [step["probe"] for step in steps] + [each for step in steps for each in step["apply"]]
    found = set()
    for each in sent:
        for text in texts([each.get("headers", {}), each.get("json")]):
            found.update(word for word in text.split() if len(word) >= 8)
        found.update(part for part in each["path"].replace("?", "/").replace("=", "/").split("/") if len(part) >= 16)
    return sorted(found, key=len, reverse=True)


def retry(base, wanted, deadline):
    while True:
        status, body = send(base, wanted)
        if status not in RETRIED or time.monotonic() > deadline:
            return status, body
        time.sleep(0.5)


def main():
    plan = json.load(sys.stdin)
    base = f"http://{address(plan['container'])}:{plan['port']}"
    deadline = time.monotonic() + plan["deadlineSeconds"]
    hidden = secrets_in(plan["steps"])

    def described(status, body):
        text = body.decode(errors="replace")
        for secret in hidden:
            text = text.replace(secret, "***")
        return f"{status or 'no response'} {text[:300]}".strip()

    changed = []
    for step in plan["steps"]:
        status, body = retry(base, step["probe"], deadline)
        if is_satisfied(step, status, body):
            continue
        found = described(status, body)
        way = next((a for a in step["apply"] if "when" not in a or matches(a["when"], status, body)), None)
        if way is None:
            fail(f"{plan['container']}: {step['name']}: unexpected state, no transition defined: {found}")
        status, body = retry(base, way, deadline)
        if status not in way["ok"]:
            fail(f"{plan['container']}: {step['name']}: refused: {described(status, body)}\n  before: {found}")
        status, body = retry(base, step["probe"], deadline)
        if not is_satisfied(step, status, body):
            fail(f"{plan['container']}: {step['name']}: verification failed after apply: {described(status, body)}")
        changed.append(step["name"])
    print(json.dumps({"changed": changed}))


main()

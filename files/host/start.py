"""Starts containers and waits until each one's own health check passes. Runs as root, from stdin: the last line, which the
caller adds, calls main() with [{"id", "service", "seconds"}]. Prints one line of JSON: what is wrong, by service.

Docker checks for the first time one interval after a start. Here the same check runs at once, and again until it passes.
"""
import concurrent.futures
import json
import subprocess
import time

PAUSE = 0.2
CHECK_SECONDS = 10


def docker(*argv, timeout=60):
    try:
        return subprocess.run(["docker", *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 124, "", f"docker {argv[0]} did not end within {timeout} s")


def last_line(result):
    return (result.stderr.strip() or result.stdout.strip() or f"exit code {result.returncode}").splitlines()[-1]


def check_of(test):
    """The argv of a health check as Docker has it; None for a container without one."""
    kind, *words = test or ["NONE"]
    return {"CMD": words, "CMD-SHELL": ["sh", "-c", *words]}.get(kind)


def healthy(wanted):
    """None once it is; else what was seen last."""
    deadline, seen = time.monotonic() + wanted["seconds"], "not looked at"
    while time.monotonic() < deadline:
        result = docker("inspect", "--format", "{{json .State}} {{json .Config.Healthcheck}}", wanted["id"])
        if result.returncode != 0:
            return last_line(result)
        decoder = json.JSONDecoder()
        state, end = decoder.raw_decode(result.stdout)
        check = check_of((decoder.raw_decode(result.stdout[end:].lstrip())[0] or {}).get("Test"))
        if check is None:
            return "it has no health check"
        if state["Status"] in ("exited", "dead"):
            return f"{state['Status']}, exit code {state['ExitCode']}"
        if state["Status"] == "running":
            if (state.get("Health") or {}).get("Status") == "healthy":
                return None
            result = docker("exec", wanted["id"], *check, timeout=CHECK_SECONDS)
            if result.returncode == 0:
                return None
            seen = last_line(result)
        time.sleep(PAUSE)
    return f"not healthy within {wanted['seconds']} s: {seen}"


def main(containers):
    started = docker("start", *[each["id"] for each in containers])
    if started.returncode != 0:
        print(json.dumps({"start": last_line(started)}))
        return
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(healthy, containers))
    print(json.dumps({each["service"]: answer for each, answer in zip(containers, answers) if answer is not None}))

#!/usr/bin/python3
"""Backups of this server with restic. Runs as root. Its plan is /etc/vpai/backup.json: components/backup/plan.ts writes it.

open                        makes the repository unless it exists, and opens it
run [--accept-smaller] [SERVICE…]   saves every item, or those of some services; exit code 1 unless all were saved
upkeep                      forgets old snapshots, and checks the repository with a part of its data
list                        {"repository", "items": […], "snapshots": […]}
plan SERVICE [--snapshot ID] [--at TIME]      what `restore` would do; touches nothing
restore SERVICE [--snapshot ID] [--at TIME]   saves the service as it is, puts the copies back, proves them; on failure puts back what it saved

An item's copy goes from its dump to restic through this process. restic is ended before it can write a snapshot unless the dump
ended well, is not empty, and is no less than half of the last: so no snapshot of a broken copy ever exists.
"""
import argparse
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime, timezone

PLAN = os.environ.get("VPAI_BACKUP_PLAN", "/etc/vpai/backup.json")
STATE = os.environ.get("VPAI_STATE", "/var/lib/vpai")
RESULTS, METRICS, LOCK = STATE + "/backup-results.json", STATE + "/backup.prom", STATE + "/backup.lock"
# There while a restore is under way: what to put back if it was cut off.
JOURNAL = STATE + "/restore.json"
CACHE = os.environ.get("VPAI_CACHE", "/var/cache/vpai-restic")
CHUNK = 1024 * 1024
# Smaller copies vary by more than half for good reasons.
SHRINK_FROM = 65536
PROOF_SECONDS, HEALTHY_SECONDS = 60, 300
KEEP = ["--keep-daily", "7", "--keep-weekly", "4", "--keep-monthly", "6", "--keep-yearly", "2"]
CHECKED_PART = "5%"


class Failed(Exception):
    """What went wrong, in a line."""


def say(line):
    try:
        print(line, flush=True)
    except OSError:
        # Who asked has gone away; the work goes on to its end.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")


class Said:
    """What a program prints besides its data: a pipe that is read later would stop it once it is full."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()

    def text(self):
        self.file.seek(0)
        return self.file.read().decode(errors="replace")


def size(count):
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def read_json(path, default):
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        return default


def write(path, text, mode):
    with open(path + ".new", "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(path + ".new", path)


class Repository:
    def __init__(self, plan):
        self.host = plan["stack"]
        self.environment = {**os.environ, **plan["environment"], "RESTIC_CACHE_DIR": CACHE, "RESTIC_PROGRESS_FPS": "0.2"}
        self.options = plan["options"]

    def start(self, *words, **pipes):
        return subprocess.Popen(["restic", *self.options, *words], env=self.environment, **pipes)

    def call(self, *words):
        """What restic printed; fails with its own last words."""
        process = self.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, error = process.communicate()
        if process.returncode != 0:
            raise Failed(f"restic {words[0]}: {reason(error.decode(errors='replace'))}")
        return out.decode()

    def open(self):
        try:
            self.call("cat", "config")
            return False
        except Failed as error:
            if not re.search(r"no such file or directory|does not exist|NoSuchBucket|NoSuchKey", str(error)):
                raise
        self.call("init")
        self.call("cat", "config")
        return True

    def snapshots(self):
        found = json.loads(self.call("snapshots", "--json", "--host", self.host, "--tag", "vpai") or "[]") or []
        return [
            {"id": each["short_id"], "time": each["time"], "path": each["paths"][0].strip("/"), "safety": "safety" in each["tags"]}
            for each in found
        ]


def reason(text):
    """restic explains itself in several lines; the one that begins with Fatal says what it is about."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal:")]
    return " ".join((fatal[:1] or lines[-1:] or ["no output"])[0].split())


def path_of(item):
    return f"{item['service']}/{item['name']}"


def save(repository, item, last, accept_smaller=False, safety=False):
    """Saves one item. Returns {"bytes", "seconds", "snapshot"}."""
    began = time.monotonic()
    tags = ["--tag", "vpai"] + (["--tag", "safety"] if safety else [])
    out, error, dumped = Said(), Said(), Said()
    restic = repository.start("backup", "--json", "--host", repository.host, *tags, "--stdin", "--stdin-filename", "/" + path_of(item),
                              stdin=subprocess.PIPE, stdout=out.file, stderr=error.file)
    dump = subprocess.Popen(item["dump"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=dumped.file)
    count = 0
    try:
        count = pump(dump.stdout, restic.stdin)
        code = dump.wait()
        if code != 0:
            raise Failed(f"its dump failed (exit code {code}): {last_line(dumped.text())}")
        if count == 0:
            raise Failed("its dump is empty")
        if not accept_smaller and last and last >= SHRINK_FROM and count * 2 < last:
            raise Failed(f"its dump has {size(count)}, and the last had {size(last)}; do: if that is right, `vpai backup {item['service']} --accept-smaller`")
        restic.stdin.close()
    except BrokenPipeError:
        dump.kill()
    except BaseException:
        # Before its input ends: it would take what has come for the whole copy.
        for process in (restic, dump):
            process.kill()
            process.wait()
        raise
    if restic.wait() != 0:
        raise Failed(f"restic backup: {reason(error.text())}")
    summary = next((each for each in map(json.loads, out.text().splitlines()) if each.get("message_type") == "summary"), {})
    return {"bytes": count, "seconds": round(time.monotonic() - began, 1), "snapshot": summary.get("snapshot_id", "")[:8]}


def pump(source, target):
    count = 0
    while True:
        chunk = source.read(CHUNK)
        if not chunk:
            return count
        target.write(chunk)
        count += len(chunk)


def chosen(plan, services):
    known = sorted({item["service"] for item in plan["items"]})
    for service in services:
        if service not in known:
            raise Failed(f"service {service}: nothing of it is saved; allowed: {', '.join(known)}")
    return [item for item in plan["items"] if not services or item["service"] in services]


def run(plan, services, accept_smaller):
    items = chosen(plan, services)
    heartbeat(plan, "/start")
    repository, results = Repository(plan), read_json(RESULTS, {})
    take_back(repository)
    try:
        # Locks of processes that have ended, as after a power cut.
        repository.call("unlock")
    except Failed as error:
        heartbeat(plan, "/fail")
        raise error
    failed = []
    for item in items:
        path = path_of(item)
        known = results.get(path, {})
        try:
            saved = save(repository, item, known.get("bytes"), accept_smaller)
            results[path] = {**saved, "at": time.time(), "tried": time.time(), "error": None}
            say(f"✓ {path} {size(saved['bytes'])} {saved['seconds']} s, snapshot {saved['snapshot']}")
        except Failed as error:
            failed.append(path)
            results[path] = {**known, "tried": time.time(), "error": str(error)}
            say(f"✗ {path}: {error}")
        remember(plan, results)
    if not services:
        # Of a part nothing follows for the whole.
        heartbeat(plan, "/fail" if failed else "")
    if failed:
        raise Failed(f"{len(failed)} of {len(items)} items were not saved: {', '.join(failed)}")
    say(f"{len(items)} items saved")


def remember(plan, results):
    write(RESULTS, json.dumps(results), 0o600)
    lines = ["# TYPE vpai_backup_last_success_timestamp_seconds gauge", "# TYPE vpai_backup_failed gauge", "# TYPE vpai_backup_bytes gauge"]
    for item in plan["items"]:
        result = results.get(path_of(item), {})
        labels = f'{{item="{path_of(item)}"}}'
        # What was never saved is as old as the plan.
        lines.append(f"vpai_backup_last_success_timestamp_seconds{labels} {result.get('at') or os.stat(PLAN).st_mtime:.0f}")
        lines.append(f"vpai_backup_failed{labels} {1 if result.get('error') else 0}")
        lines.append(f"vpai_backup_bytes{labels} {result.get('bytes') or 0}")
    write(METRICS, "\n".join(lines) + "\n", 0o644)


def heartbeat(plan, signal):
    """A receiver that does not answer fails nothing: it raises its own alarm."""
    url = plan.get("heartbeat")
    if not url:
        return
    try:
        urllib.request.urlopen(url + signal, timeout=15).close()
    except (OSError, ValueError) as error:
        say(f"! the heartbeat was not taken: {error.__class__.__name__}")


def upkeep(plan):
    repository = Repository(plan)
    repository.call("unlock")
    repository.call("forget", "--host", repository.host, "--tag", "vpai", "--group-by", "host,paths", *KEEP, "--prune")
    say("old snapshots forgotten")
    repository.call("check", "--read-data-subset", CHECKED_PART)
    say(f"repository checked, with {CHECKED_PART} of its data")


def moment(text):
    found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00")))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def choose(plan, repository, service, snapshot, at):
    """[(item, snapshot)] of a service: the newest of each item, up to a moment, or the run that a snapshot belongs to."""
    items = chosen(plan, [service])
    mine = {path_of(item): item for item in items}
    found = [each for each in repository.snapshots() if each["path"] in mine]
    if not found:
        raise Failed(f"service {service}: no snapshot of it in the repository")
    if snapshot:
        named = [each for each in found if each["id"] == snapshot[:8]]
        if not named:
            raise Failed(f"snapshot {snapshot}: not one of {service}'s; `vpai backups` lists them")
        return [(mine[each["path"]], each) for each in named]
    usual = [each for each in found if not each["safety"]]
    until = moment(at) if at else None
    chosen_ones = []
    for path, item in mine.items():
        of_item = sorted((each for each in usual if each["path"] == path and (until is None or moment(each["time"]) <= until)),
                         key=lambda each: moment(each["time"]))
        if of_item:
            chosen_ones.append((item, of_item[-1]))
        elif until:
            oldest = min((each["time"] for each in usual if each["path"] == path), default="none")
            raise Failed(f"--at {at}: before the first copy of {path}; the oldest is of {oldest}")
        else:
            raise Failed(f"{path}: no snapshot of it in the repository")
    return chosen_ones


def docker(*words):
    result = subprocess.run(["docker", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        raise Failed(f"docker {words[0]} {words[-1]}: {last_line(result.stdout)}")
    return result.stdout.strip()


def put_back(repository, item, snapshot):
    error, said = Said(), Said()
    source = repository.start("dump", snapshot["id"], "/" + path_of(item), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=error.file)
    target = subprocess.Popen(item["restore"], stdin=subprocess.PIPE, stdout=said.file, stderr=said.file)
    count = 0
    try:
        count = pump(source.stdout, target.stdin)
        target.stdin.close()
    except BrokenPipeError:
        source.kill()
    codes = source.wait(), target.wait()
    if codes[1] != 0:
        raise Failed(f"{path_of(item)}: not put back (exit code {codes[1]}): {last_line(said.text())}")
    if codes[0] != 0:
        raise Failed(f"{path_of(item)}: restic dump: {reason(error.text())}")
    say(f"  {path_of(item)}: {size(count)} of {snapshot['time'][:19]} put back")


def prove(item):
    argv, expect = item["verify"]["argv"], item["verify"]["expect"]
    deadline = time.monotonic() + PROOF_SECONDS
    while True:
        result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode == 0 and re.search(expect, result.stdout):
            return
        if time.monotonic() > deadline:
            raise Failed(f"{path_of(item)}: does not prove itself within {PROOF_SECONDS} s: {last_line(result.stdout)}")
        time.sleep(1)


def healthy(name):
    deadline = time.monotonic() + HEALTHY_SECONDS
    while docker("inspect", "--format", "{{.State.Health.Status}}", name) != "healthy":
        if time.monotonic() > deadline:
            raise Failed(f"{name}: not healthy within {HEALTHY_SECONDS} s")
        time.sleep(0.5)


def restore(plan, service, snapshot, at):
    repository = Repository(plan)
    repository.call("unlock")
    take_back(repository)
    pairs = choose(plan, repository, service, snapshot, at)
    running = docker("ps", "--format", "{{.Names}}").split()
    if service not in running:
        raise Failed(f"{service}: its container does not run; do: `vpai up`, then restore again")
    stopped = [name for name in plan["dependants"].get(service, []) if name in running]
    say(f"saving {service} as it is")
    safety = []
    for item, _ in pairs:
        saved = save(repository, item, None, accept_smaller=True, safety=True)
        safety.append((item, {"id": saved["snapshot"], "time": datetime.now(timezone.utc).isoformat(), "path": path_of(item)}))
    say(f"  snapshots {', '.join(each['id'] for _, each in safety)}")
    write(JOURNAL, json.dumps({"service": service, "stopped": stopped, "safety": safety}), 0o600)
    try:
        for name in stopped:
            docker("stop", "--time", "60", name)
        carry_out(repository, pairs, service)
    except (Failed, KeyboardInterrupt) as error:
        why = str(error) or "interrupted"
        say(f"✗ {why}")
        take_back(repository)
        raise Failed(f"{service} is as it was before: {why}") from error
    resume(stopped)
    os.unlink(JOURNAL)
    say(f"{service} is restored, and proved")


def take_back(repository):
    """Puts back what was there before a restore that failed, or was cut off."""
    journal = read_json(JOURNAL, None)
    if journal is None:
        return
    say(f"putting back {journal['service']} as it was before the restore")
    carry_out(repository, journal["safety"], journal["service"])
    resume(journal["stopped"])
    os.unlink(JOURNAL)


def resume(names):
    for name in names:
        docker("start", name)
    for name in names:
        healthy(name)


def carry_out(repository, pairs, service):
    for item, snapshot in pairs:
        put_back(repository, item, snapshot)
    healthy(service)
    for item, _ in pairs:
        prove(item)


def planned(plan, service, snapshot, at):
    repository = Repository(plan)
    pairs = choose(plan, repository, service, snapshot, at)
    stops = [service, *plan["dependants"].get(service, [])]
    print(json.dumps({"items": [{"path": path_of(item), "snapshot": each["id"], "time": each["time"]} for item, each in pairs], "stops": stops}))


def listed(plan):
    repository, results = Repository(plan), read_json(RESULTS, {})
    items = [{"path": path_of(item), **results.get(path_of(item), {})} for item in plan["items"]]
    print(json.dumps({"repository": plan["environment"]["RESTIC_REPOSITORY"], "items": items, "snapshots": repository.snapshots()}))


def words():
    parser = argparse.ArgumentParser(prog="backup")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("open", "upkeep", "list"):
        verbs.add_parser(name)
    some = verbs.add_parser("run")
    some.add_argument("--accept-smaller", action="store_true")
    some.add_argument("services", nargs="*")
    for name in ("plan", "restore"):
        one = verbs.add_parser(name)
        one.add_argument("service")
        one.add_argument("--snapshot")
        one.add_argument("--at")
    return parser.parse_args()


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    asked = words()
    plan = read_json(PLAN, None)
    if plan is None:
        raise Failed(f"{PLAN} is not there: this stack has no vpai:backup")
    if asked.verb in ("list", "plan"):
        return listed(plan) if asked.verb == "list" else planned(plan, asked.service, asked.snapshot, asked.at)
    with open(LOCK, "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Failed("another backup or restore runs on this server; do: wait until it has ended") from error
        if asked.verb == "open":
            say("repository made" if Repository(plan).open() else "repository opened")
            remember(plan, read_json(RESULTS, {}))
        elif asked.verb == "run":
            run(plan, asked.services, asked.accept_smaller)
        elif asked.verb == "upkeep":
            upkeep(plan)
        else:
            restore(plan, asked.service, asked.snapshot, asked.at)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"backup: {failure}")
    except KeyboardInterrupt:
        sys.exit("backup: interrupted")

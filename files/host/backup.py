#!/usr/bin/python3
"""Backups of this server with restic. Runs as root. Its plan is /etc/vpai/backup.json: components/backup/plan.ts writes it.

open                        makes the repository unless it exists, and opens it
run [--accept-smaller] [SERVICE…]   saves every item, or those of some services; exit code 1 unless all were saved
upkeep                      forgets old snapshots, and checks the repository with a part of its data
list                        {"repository", "items": […], "snapshots": […]}
plan SERVICE [--snapshot ID] [--at TIME]      what `restore` would do; touches nothing
restore SERVICE [--snapshot ID] [--at TIME] [--without-safety]   saves the service as it is, puts the copies back, proves them; on failure
                            puts back what it saved

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
PROOF_SECONDS, HEALTHY_SECONDS = 60, 600
# Of a question to the repository: restic itself tries again for a quarter of an hour.
ANSWER_SECONDS = 120
KEEP = ["--keep-daily", "7", "--keep-weekly", "4", "--keep-monthly", "6", "--keep-yearly", "2"]
CHECKED_PART = "5%"
# What the metrics call it.
UPKEEP = "upkeep"


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

    def start(self, *words, **pipes):
        return subprocess.Popen(["restic", *words], env=self.environment, **pipes)

    def call(self, *words, seconds=None):
        """What restic printed; fails with its own last words."""
        process = self.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, error = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            _, error = process.communicate()
            raise Failed(f"restic {words[0]}: {self.environment['RESTIC_REPOSITORY']} does not answer within {seconds} s: "
                         f"{reason(error.decode(errors='replace'))}") from None
        if process.returncode != 0:
            raise Failed(f"restic {words[0]}: {reason(error.decode(errors='replace'))}")
        return out.decode()

    def open(self):
        try:
            self.call("cat", "config", seconds=ANSWER_SECONDS)
            return False
        except Failed as error:
            if not re.search(r"no such file or directory|does not exist|NoSuchBucket|NoSuchKey", str(error)):
                raise
        self.call("init", seconds=ANSWER_SECONDS)
        self.call("cat", "config", seconds=ANSWER_SECONDS)
        return True

    def snapshots(self):
        found = json.loads(self.call("snapshots", "--json", "--no-lock", "--host", self.host, "--tag", "vpai", seconds=ANSWER_SECONDS) or "[]") or []
        return [
            {"id": each["short_id"], "time": each["time"], "path": each["paths"][0].strip("/"), "safety": "safety" in each["tags"]}
            for each in found
        ]


def reason(text):
    """restic explains itself in several lines, or, from 0.17 on, in JSON; the one that starts with Fatal has the reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    messages = [json.loads(line).get("message", "") for line in lines if line.startswith("{") and line.endswith("}")]
    told = [line for line in lines if line.startswith(("Fatal:", "unable to", "repo already locked"))]
    return " ".join((told[:1] or [each for each in messages if each][:1] or lines[:1] or ["no output"])[0].split())


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
        end(dump)
    except BaseException:
        # Before its input ends: it would take what has come for the whole copy.
        restic.kill()
        restic.wait()
        end(dump)
        raise
    if restic.wait() != 0:
        raise Failed(f"restic backup: {reason(error.text())}")
    summary = next((each for each in map(json.loads, out.text().splitlines()) if each.get("message_type") == "summary"), {})
    return {"bytes": count, "seconds": round(time.monotonic() - began, 1), "snapshot": summary.get("snapshot_id", "")[:8]}


def end(dump):
    """With time to put right what it has changed: one that holds its service still lets it go."""
    dump.stdout.close()
    dump.terminate()
    try:
        dump.wait(timeout=30)
    except subprocess.TimeoutExpired:
        dump.kill()
        dump.wait()


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
    items, whole = chosen(plan, services), not services
    repository, results, failed = Repository(plan), read_json(RESULTS, {}), []
    if whole:
        heartbeat(plan, "/start")
    try:
        # Locks of processes that have ended, as after a power cut.
        repository.call("unlock")
    except Failed:
        if whole:
            heartbeat(plan, "/fail")
        raise
    try:
        take_back(repository)
    except Failed as error:
        # The others are saved all the same.
        failed.append("the restore that was cut off")
        say(f"✗ {error}")
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
    if whole:
        heartbeat(plan, "/fail" if failed else "")
    if failed:
        raise Failed(f"{len(failed)} of {len(items)} items were not saved: {', '.join(failed)}")
    say(f"{len(items)} items saved")


def remember(plan, results):
    write(RESULTS, json.dumps(results), 0o600)
    lines = ["# TYPE vpai_backup_last_success_timestamp_seconds gauge", "# TYPE vpai_backup_failed gauge", "# TYPE vpai_backup_bytes gauge"]
    for path in [*map(path_of, plan["items"]), UPKEEP]:
        result = results.get(path, {})
        labels = f'{{item="{path}"}}'
        # What was never saved is as old as the plan.
        if path != UPKEEP:
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
    except Exception as error:
        say(f"! the heartbeat was not taken: {error.__class__.__name__}")


def upkeep(plan):
    repository, results = Repository(plan), read_json(RESULTS, {})
    try:
        repository.call("unlock")
        # By tags too: what was saved before a restore takes no place of the night's copies.
        repository.call("forget", "--host", repository.host, "--tag", "vpai", "--group-by", "host,paths,tags", *KEEP, "--prune")
        say("old snapshots forgotten")
        repository.call("check", "--read-data-subset", CHECKED_PART)
        say(f"repository checked, with {CHECKED_PART} of its data")
        results[UPKEEP] = {"at": time.time(), "error": None}
    except Failed as error:
        results[UPKEEP] = {**results.get(UPKEEP, {}), "error": str(error)}
        raise
    finally:
        remember(plan, results)


def moment(text):
    found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00")))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def choose(plan, repository, service, snapshot, at):
    """[(item, snapshot)] of a service: the newest of each item, up to a moment, or the run that a snapshot belongs to."""
    items = [item for item in chosen(plan, [service]) if "restore" in item]
    if not items:
        raise Failed(f"service {service}: its copies are for a person to read; `up` makes the rest of it")
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


def restore(plan, service, snapshot, at, without_safety):
    repository = Repository(plan)
    repository.call("unlock")
    take_back(repository)
    pairs = choose(plan, repository, service, snapshot, at)
    running = docker("ps", "--format", "{{.Names}}").split()
    stopped = [name for name in plan["dependants"].get(service, []) if name in running]
    safety = [] if without_safety else save_before(repository, service, [item for item, _ in pairs])
    write(JOURNAL, json.dumps({"service": service, "stopped": stopped, "safety": safety}), 0o600)
    try:
        for name in stopped:
            docker("stop", "--time", "60", name)
        carry_out(repository, pairs, service)
    except (Failed, KeyboardInterrupt) as error:
        why = str(error) or "interrupted"
        say(f"✗ {why}")
        take_back(repository)
        raise Failed(f"{service} is as it was before: {why}" if safety else f"{service}: {why}") from error
    # Before the others start: what they then write is not to be taken back.
    os.unlink(JOURNAL)
    resume(stopped)
    say(f"{service} is restored, and proved")


def save_before(repository, service, items):
    """Snapshots of what a restore overwrites."""
    say(f"saving {service} as it is")
    safety = []
    for item in items:
        try:
            saved = save(repository, item, None, accept_smaller=True, safety=True)
        except Failed as error:
            raise Failed(f"{path_of(item)} cannot be saved as it is now: {error}; "
                         "do: if what it has now may be lost, the same command with --without-safety") from error
        safety.append((item, {"id": saved["snapshot"], "time": datetime.now(timezone.utc).isoformat(), "path": path_of(item)}))
    say(f"  snapshots {', '.join(each['id'] for _, each in safety)}")
    return safety


def take_back(repository):
    """Puts back what was there before a restore that failed, or was cut off."""
    journal = read_json(JOURNAL, None)
    if journal is None:
        return
    try:
        if journal["safety"]:
            say(f"putting back {journal['service']} as it was before the restore")
            carry_out(repository, journal["safety"], journal["service"])
        os.unlink(JOURNAL)
    finally:
        resume(journal["stopped"])


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
    for each in (some, verbs.choices["upkeep"]):
        # For timers: a run that meets another one is not to be left out.
        each.add_argument("--wait", action="store_true")
    for name in ("plan", "restore"):
        one = verbs.add_parser(name)
        one.add_argument("service")
        one.add_argument("--snapshot")
        one.add_argument("--at")
    one.add_argument("--without-safety", action="store_true")
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
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if getattr(asked, "wait", False) else fcntl.LOCK_NB))
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
            restore(plan, asked.service, asked.snapshot, asked.at, asked.without_safety)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"backup: {failure}")
    except KeyboardInterrupt:
        sys.exit("backup: interrupted")

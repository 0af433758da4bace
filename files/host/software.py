"""Installs software of Debian's on this server and proves that it works. Runs as root, any number of times, from stdin: the
caller adds a call of main() with JSON as components/host/software/model.ts describes it. Prints what changed.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

# What is started a moment ago may not answer yet.
PROOF_SECONDS = 30
# Debian's own upgrades take minutes.
LOCK_SECONDS = 600
APT = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
ENVIRONMENT = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def fail(message):
    sys.exit("software: " + message)


def run(*argv):
    """(exit code, all it printed)."""
    try:
        result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=ENVIRONMENT)
    except FileNotFoundError:
        return 127, f"{argv[0]} is not installed"
    return result.returncode, result.stdout


def last_line(text):
    return (text.strip().splitlines() or ["no output"])[-1]


def require(*argv):
    code, text = run(*argv)
    if code != 0:
        fail(f"`{' '.join(argv)}` failed: {last_line(text)}")
    return text


def insist(*argv):
    """Until it succeeds: dpkg does not wait for another installation, and neither does apt for the one that reads its lists."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        code, text = run(*argv)
        if code == 0:
            return
        if time.monotonic() > deadline or not re.search("lock", text):
            fail(f"`{' '.join(argv)}` failed: {last_line(text)}")
        time.sleep(1)


def installed(name):
    code, text = run("dpkg-query", "-W", "-f", "${db:Status-Status}", name)
    return code == 0 and text == "installed"


def install(packages):
    missing = [name for name in packages if not installed(name)]
    if not missing:
        return []
    # A power cut during an installation leaves packages half configured: apt refuses until dpkg has finished them.
    insist("dpkg", "--force-confdef", "--force-confold", "--configure", "-a")
    words = [*APT, "-o", "Dpkg::Options::=--force-confold", "install", "--no-remove", "--no-install-recommends", *missing]
    if run(*words)[0] != 0:
        insist(*APT, "update")
        insist(*words)
    for name in missing:
        if not installed(name):
            fail(f"package {name} is not installed, although apt has said so")
    return missing


def same(file):
    try:
        status = os.lstat(file["path"])
        with open(file["path"], encoding="utf-8", newline="") as stream:
            return (status.st_mode, status.st_uid, status.st_gid) == (0o100000 | int(file["mode"], 8), 0, 0) and stream.read() == file["content"]
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return False


def write(file):
    folder = os.path.dirname(file["path"])
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".vpai-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        os.fchmod(stream.fileno(), int(file["mode"], 8))
        stream.write(file["content"])
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, file["path"])
    if not same(file):
        fail(f"{file['path']} does not read back as written")


def make_log(log):
    """An empty file with its writer as the owner; what is there stays as it is."""
    uid, gid = log["owner"]["uid"], log["owner"]["gid"]
    folder = os.path.dirname(log["path"])
    if not os.path.isdir(folder):
        os.makedirs(folder)
        os.chown(folder, uid, gid)
        os.chmod(folder, 0o700)
    try:
        handle = os.open(log["path"], os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return
    os.fchown(handle, uid, gid)
    os.close(handle)


def start(unit, changed):
    require("systemctl", "enable", "--quiet", unit)
    if changed or run("systemctl", "is-active", "--quiet", unit)[0] != 0:
        # A unit that failed too often is not started again.
        run("systemctl", "reset-failed", unit)
        code, text = run("systemctl", "restart", unit)
        if code != 0:
            fail(f"{unit} does not start ({last_line(text)}); do: `journalctl -u {unit}` on the server says why")


def prove(proof):
    deadline = time.monotonic() + PROOF_SECONDS
    while True:
        code, text = run(*proof["argv"])
        if code == 0 and re.search(proof.get("expect", ""), text):
            return
        if time.monotonic() > deadline:
            wanted = f", wanted {proof['expect']}" if code == 0 else f" (exit code {code})"
            fail(f"`{' '.join(proof['argv'])}` answers after {PROOF_SECONDS} s: {last_line(text)}{wanted}")
        time.sleep(0.2)


def main(text):
    software = json.loads(text)
    changed = [file for file in software["files"] if not same(file)]
    for file in changed:
        write(file)
    for log in software["logs"]:
        make_log(log)
    added = install(software["packages"])
    if changed:
        require("systemctl", "daemon-reload")
    for unit in software["units"]:
        start(unit, changed or added)
    for proof in software["proofs"]:
        prove(proof)
    print(json.dumps({"installed": added, "written": [file["path"] for file in changed]}))

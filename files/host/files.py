#!/usr/bin/python3
"""Makes one service's files on this host what stdin says, and reads them back. Runs as root.

stdin: {"service", "digest", "owner": [uid, gid],
        "data":   [{"path", "mode"}],                       directories that keep their content
        "config": {"path", "files": [{"path", "mode", "content"}]},   a directory with exactly these files
        "validate": argv or null,                           run on the new files before they count; {dir} is their place
        "reload":   {"container", "image", "argv"} or null} run in that container once they count, if it stays
stdout: one line of JSON: names of the files written and removed. No content is ever printed.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.environ.get("VPAI_ROOT", "/opt/vpai")


def fail(message):
    sys.exit("files: " + message)


def inside(path, root=ROOT):
    if os.path.normpath(path) != path or not path.startswith(root + "/"):
        fail(f"{path} is not below {root}")
    return path


def directory(path, mode, uid, gid):
    if os.path.islink(path):
        fail(f"{path} is a symbolic link")
    os.makedirs(path, exist_ok=True)
    os.chown(path, uid, gid)
    os.chmod(path, mode)


def write(path, mode, content, uid, gid):
    """Writes atomically: a reader sees the old file or the new one, never one with too open a mode."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            os.fchown(stream.fileno(), uid, gid)
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def same(path, mode, content, uid, gid):
    try:
        status = os.lstat(path)
        with open(path, encoding="utf-8", newline="") as stream:
            return (status.st_mode, status.st_uid, status.st_gid) == (0o100000 | mode, uid, gid) and stream.read() == content
    except (FileNotFoundError, UnicodeDecodeError, IsADirectoryError):
        return False


def fill(root, files, uid, gid):
    """Makes the tree below root exactly these files; says what changed."""
    directory(root, 0o700, uid, gid)
    wanted = {os.path.join(root, f["path"]): f for f in files}
    parents = {root}
    for path in wanted:
        parent = os.path.dirname(inside(path, root))
        while parent != root:
            parents.add(parent)
            parent = os.path.dirname(parent)
    for parent in sorted(parents):
        directory(parent, 0o700, uid, gid)
    written = []
    for path, f in wanted.items():
        if not same(path, int(f["mode"], 8), f["content"], uid, gid):
            write(path, int(f["mode"], 8), f["content"], uid, gid)
            written.append(f["path"])
    removed = []
    for base, folders, names in os.walk(root, topdown=False):
        for name in names:
            path = os.path.join(base, name)
            if path not in wanted:
                os.unlink(path)
                removed.append(os.path.relpath(path, root))
        for name in folders:
            path = os.path.join(base, name)
            if os.path.islink(path):
                os.unlink(path)
            elif path not in parents:
                os.rmdir(path)
    for path, f in wanted.items():
        if not same(path, int(f["mode"], 8), f["content"], uid, gid):
            fail(f"{path} does not read back as written")
    return sorted(written), sorted(removed)


def validate(argv, config, uid, gid):
    stage = tempfile.mkdtemp(dir=os.path.dirname(config["path"]), prefix=".stage-")
    try:
        fill(stage, config["files"], uid, gid)
        result = subprocess.run([a.replace("{dir}", stage) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode != 0:
            fail("the new files are refused, the old ones stay:\n" + "\n".join(result.stdout.splitlines()[-10:]))
    finally:
        shutil.rmtree(stage)


def docker(*argv):
    return subprocess.run(["docker", *argv], capture_output=True, text=True, check=False).stdout.strip()


def stays(container, image, digest):
    """Whether it is up and not about to be replaced, by one of another image or with other files."""
    found = docker("container", "inspect", "-f", '{{.State.Running}} {{.Image}} {{index .Config.Labels "vpai.files"}}', container)
    return found == f"true {docker('image', 'inspect', '-f', '{{.Id}}', image)} {digest}"


def main():
    plan = json.load(sys.stdin)
    uid, gid = plan["owner"]
    for parent in (ROOT, ROOT + "/data", ROOT + "/config"):
        directory(parent, 0o755, 0, 0)
    for d in plan["data"]:
        directory(inside(d["path"]), int(d["mode"], 8), uid, gid)
    written, removed = [], []
    config = plan["config"]
    if config:
        inside(config["path"])
        if plan["validate"]:
            validate(plan["validate"], config, uid, gid)
        written, removed = fill(config["path"], config["files"], uid, gid)
    reload = plan["reload"]
    if reload and stays(reload["container"], reload["image"], plan["digest"]):
        result = subprocess.run(["docker", "exec", reload["container"], *reload["argv"]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode != 0:
            fail(f"{reload['container']} did not reload:\n" + "\n".join(result.stdout.splitlines()[-10:]))
    print(json.dumps({"written": written, "removed": removed}))


main()

#!/usr/bin/python3
"""Images on this host: which there are, and the removal of some. Runs as root; needs nothing installed by us but Docker.

argument: {"mode": "look"} prints {"containers": [{"service": label or null, "image": id}],
              "images": [{"id", "digests": [repository@digest], "tags", "created", "size"}], "record": as it was written}
          {"mode": "remove", "images": [ids], "record"} writes the record, removes the images that no container uses, and
              prints {"removed": [ids], "left": [{"id", "why"}], "freed": bytes}
"""
import json
import os
import re
import subprocess
import sys
import tempfile

RECORD = os.environ.get("VPAI_IMAGES", "/var/lib/vpai/images.json")
UNITS = {"B": 1, "kB": 10 ** 3, "MB": 10 ** 6, "GB": 10 ** 9, "TB": 10 ** 12}


def docker(*argv):
    result = subprocess.run(["docker", *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, (result.stderr.strip().splitlines() or [""])[-1]


def ask(*argv):
    code, out, error = docker(*argv)
    if code != 0:
        sys.exit(error or f"docker {argv[0]} ended with {code}")
    return out


def inspected(kind, ids):
    """Of what ends while it is listed the rest is enough: the exit code then is 1, the answer valid."""
    return json.loads(docker(kind, "inspect", *ids)[1] or "[]") if ids else []


def record():
    try:
        with open(RECORD, encoding="utf-8") as stream:
            return json.load(stream)
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def write(wanted):
    os.makedirs(os.path.dirname(RECORD), exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(RECORD), prefix=".images-")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o644)
        json.dump(wanted, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, RECORD)


def look():
    containers = inspected("container", ask("ps", "--all", "--quiet", "--no-trunc").split())
    images = inspected("image", sorted(set(ask("image", "ls", "--all", "--quiet", "--no-trunc").split())))
    return {
        "containers": [{"service": (each["Config"]["Labels"] or {}).get("vpai.service"), "image": each["Image"]} for each in containers],
        "images": [
            {
                "id": each["Id"],
                "digests": each["RepoDigests"] or [],
                "tags": each["RepoTags"] or [],
                "created": each.get("Created") or "",
                "size": each["Size"],
            }
            for each in images
        ],
        "record": record(),
    }


def used():
    """Bytes of all layers, each counted once."""
    lines = ask("system", "df", "--format", "{{.Type}}\t{{.Size}}").splitlines()
    size = dict(line.split("\t") for line in lines)["Images"]
    amount, unit = re.fullmatch(r"([\d.]+)([kMGT]?B)", size).groups()
    return float(amount) * UNITS[unit]


def remove(images, wanted):
    write(wanted)
    before, removed, left = used(), [], []
    for image in images:
        # Not by force: Docker refuses what a container has come to use meanwhile. By its names, as an id with two is refused.
        names = [name for each in inspected("image", [image]) for name in each["RepoDigests"]] or [image]
        errors = [error for code, _, error in (docker("image", "rm", name) for name in names) if code != 0]
        if errors:
            left.append({"id": image, "why": errors[-1]})
        else:
            removed.append(image)
    return {"removed": removed, "left": left, "freed": round(max(0, before - used()))}


def main():
    plan = json.loads(sys.argv[1])
    print(json.dumps(look() if plan["mode"] == "look" else remove(plan["images"], plan["record"])))


main()

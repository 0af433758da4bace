#!/usr/bin/python3
"""Refuses a permanent secret that is another than the one this server's data was made with. Runs as root.

stdin:  {"<secret>": "<fingerprint>"}   of every permanent secret of the deployment
stdout: one line of JSON: the names that were new here.
A name that is no longer asked for is kept: its data may still be there.
"""
import json
import os
import sys
import tempfile

PATH = os.environ.get("VPAI_PERMANENT", "/var/lib/vpai/permanent.json")


def known():
    try:
        with open(PATH, encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        return {}


def main():
    wanted, before = json.load(sys.stdin), known()
    changed = sorted(name for name, print_ in wanted.items() if before.get(name, print_) != print_)
    if changed:
        sys.exit(
            f"permanent secret {', '.join(changed)}: not the one that this server's data was made with\n"
            "allowed: the one that it was made with; nothing was changed\n"
            "do: bring back the state that holds it (pulumi stack import). If that data may be lost: leave the service out "
            "(vpai:disabledServices), run up, vpai purge, take the service in again, run up")
    new = sorted(set(wanted) - set(before))
    if new:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(PATH), prefix=".permanent-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), 0o600)
            json.dump({**before, **wanted}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, PATH)
        if known() != {**before, **wanted}:
            sys.exit(f"{PATH} does not read back as written")
    print(json.dumps({"new": new}))


main()

"""Prints what /etc/docker/daemon.json has to be: this program's settings in those that the server's owner already has.
Usage: docker-settings OURS THEIRS. A file that already has ours is printed as it is, so that nothing changes.
"""
import json
import sys

# With either, containers that this program makes cannot work: no way to the network, no access to their files.
REFUSED = {"iptables": lambda value: value is False, "userns-remap": bool}


def read(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def main(ours_path, theirs_path):
    ours, text = json.loads(read(ours_path)), read(theirs_path)
    try:
        theirs = json.loads(text)
    except ValueError as error:
        sys.exit(f"{theirs_path} is not JSON: {error}")
    if not isinstance(theirs, dict):
        sys.exit(f"{theirs_path} is not a JSON object")
    for key, refused in REFUSED.items():
        if key in theirs and refused(theirs[key]):
            sys.exit(f"{theirs_path} has {json.dumps(key)}: {json.dumps(theirs[key])}, with which this stack cannot run")
    lacking = any(theirs.get(key) != value for key, value in ours.items())
    print(json.dumps({**theirs, **ours}, indent=2) if lacking else text.rstrip("\n"))


main(*sys.argv[1:])

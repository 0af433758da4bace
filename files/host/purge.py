#!/usr/bin/python3
"""Leftover data of a removed service on this host. Runs as root; needs nothing installed by us.

argument: {"mode": "look" or "remove", "service", "database": name or null,
           "keep": [names of permanent secrets that other services have]}
look prints a line for each thing; remove removes them all, and verifies that they no longer exist. The database goes with
the role that owns it and is called like it; the fingerprints of the service's permanent secrets go with its data.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.environ.get("VPAI_ROOT", "/opt/vpai")
PERMANENT = os.environ.get("VPAI_PERMANENT", "/var/lib/vpai/permanent.json")
PSQL = ["docker", "exec", "-i", "postgresql", "psql", "--username", "postgres", "--no-psqlrc", "--quiet",
        "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--file", "-"]


def run(argv, text=None):
    result = subprocess.run(argv, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        sys.exit((result.stderr or result.stdout).strip() or f"{argv[0]} ended with {result.returncode}")
    return result.stdout.strip()


def users(places, service):
    """Containers of the service, by name and by what they mount: one of another name may still use the data."""
    lines = run(["docker", "ps", "--all", "--no-trunc", "--format", "{{.Names}}\t{{.Mounts}}"]).splitlines()
    containers = [line.partition("\t") for line in lines]
    return sorted(
        name
        for name, _, mounts in containers
        if name == service or any((m + "/").startswith(p + "/") for m in mounts.split(",") for p in places)
    )


def permanent():
    try:
        with open(PERMANENT, encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        return {}


def fingerprints(service, keep):
    return sorted(name for name in permanent() if name.startswith(service + "-") and name not in keep)


def forget(names):
    rest = {name: value for name, value in permanent().items() if name not in names}
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(PERMANENT), prefix=".permanent-")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o600)
        json.dump(rest, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, PERMANENT)


def database_state(name):
    """Owner and size of the database, and the kind of the role, each empty where there is none."""
    return run(PSQL, f"""
SELECT coalesce((SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{name}'), '') || '|' ||
       coalesce((SELECT pg_size_pretty(pg_database_size(datname)) FROM pg_database WHERE datname = '{name}'), '') || '|' ||
       coalesce((SELECT CASE WHEN rolsuper THEN 'superuser' ELSE 'plain' END FROM pg_roles WHERE rolname = '{name}'), '');
""").split("|")


def left(places, plan):
    lines = [f"{run(['du', '-sh', p]).split()[0]:>6}  {p}" for p in places if os.path.lexists(p)]
    lines += [f"fingerprint of the secret {name}" for name in fingerprints(plan["service"], plan["keep"])]
    if plan["database"]:
        _, size, role = database_state(plan["database"])
        lines += [f"{size:>6}  database {plan['database']}"] if size else []
        lines += [f"role {plan['database']}"] if role else []
    return lines


def check(places, plan):
    found = users(places, plan["service"])
    if found:
        sys.exit(f"in use by container {', '.join(found)}")
    name = plan["database"]
    if name:
        owner, _, role = database_state(name)
        if owner not in ("", name):
            sys.exit(f"database {name} belongs to role {owner}: it was made for no service")
        if role == "superuser":
            sys.exit(f"role {name} is a superuser: it was made for no service")


def remove(places, plan):
    name = plan["database"]
    if name:
        run(PSQL, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);\nDROP ROLE IF EXISTS "{name}";\n')
    for place in places:
        if os.path.islink(place):
            os.unlink(place)
        elif os.path.lexists(place):
            try:
                shutil.rmtree(place)
            except OSError as error:
                sys.exit(f"{error.filename}: {error.strerror}")
    names = fingerprints(plan["service"], plan["keep"])
    if names:
        forget(names)
    remains = left(places, plan)
    if remains:
        sys.exit(f"still there: {', '.join(line.strip() for line in remains)}")


def main():
    plan = json.loads(sys.argv[1])
    if not re.fullmatch(r"[a-z][a-z0-9-]*", plan["service"]):
        sys.exit(f"not a service's name: {plan['service']}")
    if plan["database"] and not re.fullmatch(r"[a-z][a-z0-9_]*", plan["database"]):
        sys.exit(f"not a database's name: {plan['database']}")
    places = [f"{ROOT}/{kind}/{plan['service']}" for kind in ("data", "config")]
    check(places, plan)
    if plan["mode"] == "remove":
        remove(places, plan)
    else:
        print("\n".join(left(places, plan)))


main()

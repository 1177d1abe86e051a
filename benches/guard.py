#!/usr/bin/env -S python3 -B
"""Fails if a figure that is stable from run to run exceeds its limit in `limits.json`.

    benches/guard.py            compare
    benches/guard.py --record   make what is measured now the limits

A figure may pass its limit by the tolerance that the file names, no more. One that has fallen well below its limit is
mentioned, so that the limit can follow.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import compile_cost

ROOT = Path(__file__).resolve().parent.parent
LIMITS = Path(__file__).with_name("limits.json")

# The dependencies that every service has.
EVERYBODY_HAS = ("tokio", "tracing", "serde", "graceful-macros")


def calls():
    """Instructions and allocations per call, and what the attribute adds to a handler's future."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        arguments = ["--no-times", "--only", "graceful", "--json", file.name]
        subprocess.run(
            ["cargo", "bench", "--quiet", "--locked", "-p", "graceful-benches", "--bench", "per_call", "--", *arguments],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        report = json.load(file)
    instructions, allocations = {}, {}
    for call in report["calls"]:
        if call["tasks"] == 1:
            name = f"{call['steps']}, {'Ok' if call['ok'] else 'Err'}, {call['payload']} bytes"
            allocations[name] = round(call["allocations"], 2)
            if call["instructions"] is not None:
                instructions[name] = round(call["instructions"])
    future = {
        f"bytes over the bare handler's{awaits or ', without'}": report["future"][f"graceful{awaits}"]
        - report["future"][f"bare{awaits}"]
        for awaits in (", with an await", "")
    }
    return {"instructions per call": instructions, "allocations per call": allocations, "future": future}


def lines():
    measured = compile_cost.sizes(("plain", "graceful"))
    added = {name: measured["graceful"][name] - measured["plain"][name] for name in measured["plain"]}
    return {"added per handler": {name.replace("_", " "): round(value, 2) for name, value in added.items()}}


def tree(features):
    """Depth and name of each dependency, once per dependent."""
    listed = subprocess.run(
        ["cargo", "tree", "--locked", "-p", "graceful", "-e", "normal,build", "--prefix", "depth", "--no-dedupe"]
        + ["--no-default-features", "--features", features],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    for line in listed.splitlines()[1:]:
        depth = line[: len(line) - len(line.lstrip("0123456789"))]
        yield int(depth), tuple(line[len(depth) :].split()[:2])


def own_dependencies(features=""):
    """The dependencies that no crate brings which every service has."""
    own, brought, below = set(), set(), None
    for depth, package in tree(features):
        if below is not None and depth <= below:
            below = None
        if below is None and package[0] in EVERYBODY_HAS:
            below = depth
        (own if below is None else brought).add(package)
    return own - brought


def dependencies():
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--locked", "--format-version=1"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    packages = json.loads(metadata.stdout)["packages"]
    features = next(package["features"] for package in packages if package["name"] == "graceful")
    sets = {"no features": "", **{name: name for name in sorted(features)}, "all features": ",".join(features)}
    numbers = {name: len({package for _, package in tree(features)}) for name, features in sets.items()}
    numbers[f"no features, beside {', '.join(EVERYBODY_HAS)} and theirs"] = len(own_dependencies())
    return {"dependencies": numbers}


def problems(figures, limits, tolerance):
    for group, members in limits.items():
        if not figures[group]:
            print(f"  SKIPPED, NOTHING WAS MEASURED (is valgrind installed?): {group}")
            continue
        for name in figures[group].keys() ^ members.keys():
            yield f"{group}: {name} is either measured or limited, not both"
        for name in figures[group].keys() & members.keys():
            figure, limit = figures[group][name], members[name]
            # A limit can be negative.
            if figure > limit + abs(limit) * tolerance:
                yield f"{group}: {name}: {figure:g}, and the limit is {limit:g}"
            elif figure < limit - abs(limit) * 3 * tolerance:
                print(f"  {group}: {name}: {figure:g}; its limit of {limit:g} may follow")


def main():
    figures = {**calls(), **lines(), **dependencies()}
    if sys.argv[1:] == ["--record"]:
        LIMITS.write_text(json.dumps({"tolerance": 0.03, **figures}, indent=2) + "\n")
        return 0
    limits = json.loads(LIMITS.read_text())
    tolerance = limits.pop("tolerance")
    found = sorted(problems(figures, limits, tolerance))
    for problem in found:
        print(f"  {problem}")
    print(f"  {len(found)} problems" if found else "  no figure is above its limit")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Checks what `cargo metadata` says of the dependencies, with nothing but Python:

- each comes from crates.io and has a licence that `deny.toml` allows;
- none of the published crates' needs a newer Rust than the workspace declares;
- the published crates have one version, and name each other by exactly that.

`cargo deny` checks the first more closely, where it is installed.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

PUBLISHED = ("graceful", "graceful-macros")
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
ROOT = Path(__file__).resolve().parent.parent


def allowed_licences():
    listed = re.search(r"^allow = \[(.*?)\]", (ROOT / "deny.toml").read_text(), re.M | re.S)
    return set(re.findall(r'"([^"]+)"', listed.group(1)))


def permitted(expression, allowed):
    """Whether an SPDX expression can be met with the allowed licences: `MIT OR (ISC AND Zlib)`."""
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def either():
        met = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one():
        token = tokens.pop(0)
        if token == "(":
            met = either()
            tokens.pop(0)
            return met
        if tokens and tokens[0] == "WITH":
            del tokens[:2]
            return False
        return token in allowed

    return either()


def licence_of(package):
    if package["license"]:
        return package["license"]
    text = Path(package["manifest_path"]).with_name(package["license_file"] or "LICENSE")
    known = {"Apache License": "Apache-2.0", "MIT License": "MIT"}
    head = text.read_text(errors="replace")[:200] if text.is_file() else ""
    return next((name for words, name in known.items() if words in head), "none")


def rust(version):
    return tuple(int(part) for part in (version.split(".") + ["0", "0"])[:3])


def shipped(features):
    """What a user of these features builds, as `name version`."""
    command = ["cargo", "tree", "-p", "graceful", "--edges", "normal,build", "--prefix", "none", "--locked"]
    command += ["--no-default-features", "--features", ",".join(features), "--format", "{p}"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {" ".join(line.split()[:2]).replace(" v", " ") for line in lines if line}


def problems(metadata):
    allowed = allowed_licences()
    ours = {package["name"]: package for package in metadata["packages"] if package["source"] is None}
    for package in metadata["packages"]:
        name = f"{package['name']} {package['version']}"
        if package["source"] not in (None, CRATES_IO):
            yield f"{name} comes from {package['source']}"
        if not permitted(licence_of(package), allowed):
            yield f"{name} has the licence {licence_of(package)}, which deny.toml does not allow"

    graceful = ours["graceful"]
    newer = graceful["metadata"]["rust-versions"]
    needs = {f"{package['name']} {package['version']}": package["rust_version"] for package in metadata["packages"]}
    usual = [feature for feature in graceful["features"] if feature not in newer and feature != "failpoints"]
    declared = [(usual, graceful["rust_version"]), *(([feature], version) for feature, version in newer.items())]
    for features, version in declared:
        for name in sorted(shipped(features)):
            if needs.get(name) and rust(needs[name]) > rust(version):
                yield f"{name} needs Rust {needs[name]}, and {version} is declared for {', '.join(features)}"

    versions = {name: ours[name]["version"] for name in PUBLISHED}
    if len(set(versions.values())) != 1:
        yield f"the versions differ: {versions}"
    for name in PUBLISHED:
        for dependency in ours[name]["dependencies"]:
            if dependency["name"] in PUBLISHED and dependency["req"] != f"={versions[dependency['name']]}":
                yield f"{name} asks for {dependency['name']} {dependency['req']}, not ={versions[dependency['name']]}"


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--all-features", "--locked"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    found = list(problems(metadata))
    for problem in found:
        print(f"  {problem}")
    if not found:
        print(f"  {len(metadata['packages'])} packages are fine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

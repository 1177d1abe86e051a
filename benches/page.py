#!/usr/bin/env -S python3 -B
"""Fills the tables of docs/PERFORMANCE.md and draws its pictures from the figures in `results/`.

    benches/page.py              from the recorded figures
    benches/page.py --measure    measures first, about half an hour
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import guard
import plot

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/PERFORMANCE.md"
PICTURES = ROOT / "docs/performance"
CALLS = ROOT / "benches/results/per-call.json"
COMPILING = ROOT / "benches/results/compile-cost.json"

CACHED = "cache + event"
NINE = "all nine steps"
TITLES = {"plain": "plain", "instrument": "tracing::instrument(err)", "by-hand": "by hand", "graceful": "graceful"}


def measure():
    subprocess.run(["valgrind", "--version"], check=True)
    bench = ["cargo", "bench", "-p", "graceful-benches", "--bench", "per_call", "--", "--no-times", "--json", CALLS]
    subprocess.run(bench, cwd=ROOT, check=True)
    subprocess.run([sys.executable, ROOT / "benches/compile_cost.py", "--json", COMPILING], check=True)


def table(head, rows):
    rows = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def shown(value, digits=0):
    return "" if value is None else f"{value:,.{digits}f}"


class Calls:
    def __init__(self, report):
        self.report = report
        self.all = report["calls"]

    def get(self, steps, by, ok=True, payload=400, tasks=1):
        wanted = {"steps": steps, "by": by, "ok": ok, "payload": payload, "tasks": tasks}
        return next((call for call in self.all if wanted.items() <= call.items()), None)

    def beside(self, call):
        """The same written by hand."""
        by = {"none": "bare", "none, awaits": "bare", "read, miss": "by hand, moka get_with"}.get(call["steps"], "by hand")
        return self.get(call["steps"], by, call["ok"], call["payload"], call["tasks"])

    def ratio(self, what, call, other):
        return call[what] / other[what] if other and call[what] is not None and other[what] else None

    def table(self):
        head = ["steps", "by", "arm", "bytes", "tasks", "instructions", "ratio", "allocations"]
        rows = (
            [
                call["steps"],
                call["by"],
                "Ok" if call["ok"] else "Err",
                shown(call["payload"]),
                str(call["tasks"]),
                shown(call["instructions"]),
                shown(self.ratio("instructions", call, self.beside(call)), 2),
                shown(call["allocations"], 1),
            ]
            for call in self.all
        )
        return table(head, rows)

    def bars(self, what, title):
        groups = {}
        for call in self.all:
            if call["tasks"] == 1 and call["payload"] == 400 and call[what] is not None:
                label = f"{call['steps']}, {'Ok' if call['ok'] else 'Err'}"
                groups.setdefault(label, {})[call["by"]] = call[what]
        return plot.bars(title, list(groups.items()))


class Compiling:
    def __init__(self, figures):
        self.sizes = figures["per_handler"]
        self.seconds = figures["cpu_seconds"]

    def milliseconds(self, command, variant, count=1000):
        points = self.seconds[command][variant]
        return 1000 * (points[str(count)] - points["0"]) / count

    def over_plain(self, command, variant):
        return self.milliseconds(command, variant) - self.milliseconds(command, "plain")

    def times_table(self):
        counts = [int(count) for count in self.seconds["check"]["plain"] if count != "0"]
        head = ["command", "handlers"] + [f"{count:,}: ms per handler" for count in counts]
        rows = (
            [f"cargo {command}", TITLES[variant]]
            + [shown(self.milliseconds(command, variant, count), 2) for count in counts]
            for command, variants in self.seconds.items()
            for variant in variants
        )
        return table(head, rows)

    def sizes_table(self):
        rows = ([TITLES[name]] + [shown(value) for value in sizes.values()] for name, sizes in self.sizes.items())
        return table(["handlers", "expanded lines", "LLVM lines", "bytes of text"], rows)

    def lines(self, command):
        series = {
            TITLES[variant]: [(int(count), seconds) for count, seconds in points.items()]
            for variant, points in self.seconds[command].items()
        }
        return plot.lines(f"CPU seconds of cargo {command}", "handlers in the crate", series)


def goals(calls, compiling):
    """Each goal with its figure and its limit."""

    def ratio(steps, ok, payload=400):
        call = calls.get(steps, "graceful", ok, payload)
        return calls.ratio("instructions", call, calls.beside(call))

    def over_bare(steps):
        return calls.get(steps, "graceful")["instructions"] - calls.get(steps, "bare")["instructions"]

    yield "no orchestrator, boxed as a server calls it: instructions over the bare handler", over_bare("none"), 60
    yield "the same, of a handler that awaits", over_bare("none, awaits"), 60
    future = calls.report["future"]
    for awaits, limit in (("", 48), (", with an await", 0)):
        name = f"bytes of the future over the bare handler's{awaits or ', without an await'}"
        yield name, future[f"graceful{awaits}"] - future[f"bare{awaits}"], limit
    for command, limit in (("check", 0.25), ("build", 0.45)):
        over = [compiling.over_plain(command, variant) for variant in ("graceful", "instrument")]
        yield f"`cargo {command}` of a handler over plain, ratio to `instrument(err)`", over[0] / over[1], limit
    lines = {name: sizes["llvm_lines"] - compiling.sizes["plain"]["llvm_lines"] for name, sizes in compiling.sizes.items()}
    yield "LLVM lines of a handler over plain, ratio to `instrument(err)`", lines["graceful"] / lines["instrument"], 0.40
    for steps, limits in ((CACHED, (0.85, 1.1)), (f"{CACHED}, to the wire", (0.85, 1.1)), (NINE, (1.0, 1.1))):
        for ok, arm, limit in zip((True, False), ("`Ok`", "`Err`"), limits):
            yield f"{steps}, {arm}: instructions, ratio to the code by hand", ratio(steps, ok), limit
    for steps in (f"{CACHED}, u64", f"{CACHED}, u64, to the wire"):
        yield f"{steps}: instructions, ratio to the code by hand", ratio(steps, True, 8), 1.2
    yield f"{CACHED}, UUID key: allocations", calls.get(f"{CACHED}, UUID key", "graceful")["allocations"], 3
    yield "crates that no other dependency of a service brings, no features", len(guard.own_dependencies()), 10


def goals_table(calls, compiling):
    rows = (
        [goal, shown(figure, 2) if figure is not None else "not measured", f"{limit:g}"]
        + ["" if figure is None else "yes" if figure <= limit else "**no**"]
        for goal, figure, limit in goals(calls, compiling)
    )
    return table(["goal", "measured", "at most", "reached"], rows)


def main():
    if sys.argv[1:] == ["--measure"]:
        measure()
    calls = Calls(json.loads(CALLS.read_text()))
    compiling = Compiling(json.loads(COMPILING.read_text()))
    parts = {
        "goals": goals_table(calls, compiling),
        "calls": calls.table(),
        "compiling": compiling.times_table(),
        "sizes": compiling.sizes_table(),
    }
    page = PAGE.read_text()
    for name, part in parts.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        page = between.sub(lambda found, part=part: f"{found[1]}\n{part}\n\n{found[2]}", page)
    PAGE.write_text(page)

    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "instructions.svg").write_text(calls.bars("instructions", "Instructions of a call"))
    for command in ("check", "build"):
        (PICTURES / f"{command}.svg").write_text(compiling.lines(command))


if __name__ == "__main__":
    main()

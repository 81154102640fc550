#!/usr/bin/env python3
"""Verifies golden cases on targets, natively computed nodes counted apart from those that fell back to the cpu.

Usage: tools/verify_targets.py [--update] [--only TEXT] [--least PERCENT] [--journal FILE [--again]] PROGRAM TARGET [PATH...]
PATH: golden files or folders (tests/golden/data). Prints a line a case, with what is left and how long that may take, then
the count; exits 1 when a case fails, when less than PERCENT of the nodes ran natively, or when one fails that
src/targets/TARGET/golden.txt lists as passed; 77 when the target is not on this machine. --update adds what was found to that
file, for classes that have any node there: class, cases passed, nodes native, nodes. --journal keeps what was found in FILE:
cases that this program passed with this release of the target, PERCENT of their nodes natively, are not run again, unless by
--again, so that a run of hours may be ended and goes on later.
Nothing in the tests runs this: a target that compiles takes minutes.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = "# Classes verified on this target by tools/verify_targets.py --update: class, cases passed, native nodes, all nodes.\n"


def find_target(program, target):
    """The target's row of `anymodel targets`."""
    rows = json.loads(subprocess.run([program, "targets", "--json"], capture_output=True, text=True, check=True).stdout)
    row = next((row for row in rows if row["name"] == target), None)
    if not row:
        sys.exit(f"there is no target {target}")
    return row


def read_record(path):
    """{class: (passed, native, nodes)}; empty without a file."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        rows = [line.split() for line in file if not line.startswith("#")]
    return {name: tuple(map(int, numbers)) for name, *numbers in rows}


def write_record(path, record):
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD)
        for name, numbers in sorted(record.items()):
            file.write(f"{name} {numbers[0]} {numbers[1]} {numbers[2]}\n")


class Journal:
    """Reports of cases that passed, at least `least` percent of their nodes natively: a JSON object a line, with the program
    and release that they are of."""

    def __init__(self, path, program, row, again, least):
        with open(program, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        self.path, self.least, self.reports = path, least, {}
        self.of = f"{digest} {row['name']} {row.get('version') or ''}"
        if not path or again or not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as file:
            for line in file:
                try:
                    report = json.loads(line)
                except ValueError:  # cut where a run was ended
                    continue
                if report["of"] == self.of:
                    self.reports[report["case"]] = report

    def note(self, report):
        good = report["verdict"] == "passed" and 100 * report["native_nodes"] >= self.least * report["nodes"]
        if self.path and good:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({**report, "of": self.of}) + "\n")


def list_files(paths, only):
    """[(golden file, names of its cases)], those without a case of that name left out."""
    files, found = [], []
    for path in paths:
        is_folder = os.path.isdir(path)
        files += sorted(os.path.join(path, name) for name in os.listdir(path)) if is_folder else [path]
    for path in files:
        if not path.endswith(".json") or os.path.basename(path) == "index.json":
            continue
        with open(path, encoding="utf-8") as file:
            names = [case["case"] for case in json.load(file)["cases"]]
        names = [name for name in names if only in name]
        if names:
            found.append((path, names))
    return found


def verify(program, target, path, only):
    """Yields the report of each case, and how the program ended where it did so early."""
    command = [program, "verify", path, "--target", target, "--target-policy", "prefer", "--json"]
    if only:
        command += ["--only", only]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode < 0:
        yield {"ended": f"{path}: the program was ended by signal {-process.returncode}"}


def in_words(seconds):
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Count:
    """What was found so far, in this run and in the journal."""

    def __init__(self, cases, to_run):
        self.cases, self.to_run, self.done, self.run, self.skipped, self.native, self.nodes = cases, to_run, 0, 0, 0, 0, 0
        self.classes, self.failures, self.begin = {}, [], time.monotonic()

    def add(self, report, skipped):
        good = report["verdict"] == "passed"
        self.done, self.run, self.skipped = self.done + 1, self.run + (not skipped), self.skipped + skipped
        self.native, self.nodes = self.native + report["native_nodes"], self.nodes + report["nodes"]
        if not good:
            self.failures.append(f"{report['verdict']} {report['case']}: {report['message']}")
        before = self.classes.get(report["architecture"], (0, 0, 0))
        self.classes[report["architecture"]] = (before[0] + good, before[1] + report["native_nodes"],
                                                before[2] + report["nodes"])

    def put(self, report, seconds):
        left = (self.to_run - self.run) * (time.monotonic() - self.begin) / max(self.run, 1)
        print(f"{self.done:4} of {self.cases:4}  {report['verdict']:11} {report['case']:50} {report['native_nodes']:6} of "
              f"{report['nodes']:6} nodes native {seconds:8.1f} s, about {in_words(left)} left"
              + ("" if report["verdict"] == "passed" else f"  {report['message']}"), flush=True)

    def share(self):
        return 100 * self.native / self.nodes if self.nodes else 0


def run_file(arguments, path, journal, count):
    begin = time.monotonic()
    for report in verify(arguments.program, arguments.target, path, arguments.only):
        if "ended" in report:
            count.failures.append(report["ended"])
        if "verdict" not in report:
            continue
        count.add(report, False)
        count.put(report, time.monotonic() - begin)
        journal.note(report)
        begin = time.monotonic()


def put_summary(arguments, count, record):
    """Gives the classes that passed before and do not now."""
    lost = [name for name, numbers in count.classes.items() if record.get(name, (0,))[0] > 0 and not numbers[0]]
    low = [name for name, numbers in count.classes.items() if numbers[0] and 100 * numbers[1] < arguments.least * numbers[2]]
    for name in sorted(low):
        print(f"{name}: {count.classes[name][1]} of {count.classes[name][2]} nodes native")
    for failure in count.failures:
        print(failure)
    for name in lost:
        print(f"{name} passed before")
    print(f"{arguments.target}: {count.native} of {count.nodes} nodes native ({count.share():.2f} %), {len(count.failures)} cases "
          f"failed, {count.run} run in {in_words(time.monotonic() - count.begin)}, {count.skipped} of the journal, "
          f"{sum(numbers[0] > 0 for numbers in count.classes.values())} classes passed")
    return lost


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--journal")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("program")
    parser.add_argument("target")
    parser.add_argument("paths", nargs="*", default=[os.path.join(ROOT, "tests", "golden", "data")])
    arguments = parser.parse_args()
    row = find_target(arguments.program, arguments.target)
    if not row["available"]:
        print(f"skipped: target {arguments.target} is not available: {row['reason']}")
        return 77
    path = os.path.join(ROOT, "src", "targets", arguments.target, "golden.txt")
    record, files = read_record(path), list_files(arguments.paths, arguments.only)
    journal = Journal(arguments.journal, arguments.program, row, arguments.again, arguments.least)
    known = {file for file, names in files if all(name in journal.reports for name in names)}
    count = Count(sum(len(names) for _, names in files), sum(len(names) for file, names in files if file not in known))
    for file, names in files:
        if file in known:
            for name in names:
                count.add(journal.reports[name], True)
        else:
            run_file(arguments, file, journal, count)
        if arguments.update:
            write_record(path, {**record, **{name: numbers for name, numbers in count.classes.items() if numbers[1]}})
    lost = put_summary(arguments, count, record)
    return 1 if count.failures or lost or count.share() < arguments.least or not count.classes else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

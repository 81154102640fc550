#!/usr/bin/env python3
"""Verifies golden cases on targets, natively computed nodes counted apart from those that fell back to the cpu.

Usage: tools/verify_targets.py [--update] [--only TEXT] [--least PERCENT] PROGRAM TARGET [PATH...]
PATH: golden files or folders (tests/golden/data). Prints a line a case, then the count; exits 1 when a case fails, when less
than PERCENT of the nodes ran natively, or when one fails that src/targets/TARGET/golden.txt lists as passed; 77 when the
target is not on this machine. --update adds what was found to that file: class, cases passed, nodes native, nodes.
Nothing in the tests runs this: a target that compiles takes minutes.
"""

import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = "# Classes verified on this target by tools/verify_targets.py --update: class, cases passed, native nodes, all nodes.\n"


def availability(program, target):
    rows = json.loads(subprocess.run([program, "targets", "--json"], capture_output=True, text=True, check=True).stdout)
    row = next((row for row in rows if row["name"] == target), None)
    if not row:
        sys.exit(f"there is no target {target}")
    return None if row["available"] else row["reason"]


def read_record(path):
    """{class: (passed, native, nodes)}; empty without a file."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        rows = [line.split() for line in file if not line.startswith("#")]
    return {name: tuple(map(int, numbers)) for name, *numbers in rows}


def verify(program, target, arguments):
    """Yields the report of each case, and the summary at last."""
    command = [program, "verify", *arguments.paths, "--target", target, "--target-policy", "prefer", "--json"]
    if arguments.only:
        command += ["--only", arguments.only]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            yield json.loads(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("program")
    parser.add_argument("target")
    parser.add_argument("paths", nargs="*", default=[os.path.join(ROOT, "tests", "golden", "data")])
    arguments = parser.parse_args()
    reason = availability(arguments.program, arguments.target)
    if reason:
        print(f"skipped: target {arguments.target} is not available: {reason}")
        return 77
    path = os.path.join(ROOT, "src", "targets", arguments.target, "golden.txt")
    record, found, failed = read_record(path), {}, 0
    native = nodes = 0
    for report in verify(arguments.program, arguments.target, arguments):
        if "verdict" not in report:
            continue
        good = report["verdict"] == "passed"
        failed += not good
        native, nodes = native + report["native_nodes"], nodes + report["nodes"]
        print(f"{report['verdict']:11} {report['case']:50} {report['native_nodes']:6} of {report['nodes']:6} nodes native"
              + ("" if good else f"  {report['message']}"), flush=True)
        passed = found.get(report["architecture"], (0, 0, 0))
        found[report["architecture"]] = (passed[0] + good, passed[1] + report["native_nodes"], passed[2] + report["nodes"])
    share = 100 * native / nodes if nodes else 0
    print(f"{arguments.target}: {native} of {nodes} nodes native ({share:.2f} %), {failed} cases failed")
    lost = [name for name, numbers in found.items() if record.get(name, (0,))[0] > 0 and not numbers[0]]
    for name in lost:
        print(f"{name} passed before")
    if arguments.update:
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD)
            for name, numbers in sorted({**record, **found}.items()):
                file.write(f"{name} {numbers[0]} {numbers[1]} {numbers[2]}\n")
    return 1 if failed or lost or share < arguments.least or not found else 0


if __name__ == "__main__":
    sys.exit(main())

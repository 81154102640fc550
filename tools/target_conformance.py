#!/usr/bin/env python3
"""Runs every node of tests/ops on a target and holds the verdicts against src/targets/TARGET/conformance.txt.

Usage: tools/target_conformance.py [--update] TEST_OPS PROGRAM TARGET
TEST_OPS is the built test program of tests/ops. A node is native (the target computed it and agrees with the reference),
elsewhere (the target says no, and why) or wrong (it said yes, and differs or fails): those are the expected failures.
Exits 1 when the verdicts differ from the file (a new failure, a pass that was not expected, another reason), 77 when the
target is not on this machine. --update writes the file.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = """# What this target does with the nodes of tests/ops: native nodes agree with the reference, the others run elsewhere for
# the reason given, or are wrong. Written by tools/target_conformance.py --update; the test targets.{target}.ops fails when a
# run differs from it.
"""


def availability(program, target):
    """None when the target can run, else why not."""
    rows = json.loads(subprocess.run([program, "targets", "--json"], capture_output=True, text=True, check=True).stdout)
    for row in rows:
        if row["name"] == target:
            return None if row["available"] else row["reason"]
    sys.exit(f"there is no target {target}")


def run(test_ops, target):
    """Rows (op, verdict, why, node)."""
    with tempfile.NamedTemporaryFile(mode="r", suffix=".txt") as report:
        environment = dict(os.environ, ANYMODEL_TEST_TARGET=target, ANYMODEL_TEST_REPORT=report.name)
        done = subprocess.run([test_ops], capture_output=True, text=True, env=environment)
        if done.returncode < 0:
            sys.exit(f"{test_ops} ended by signal {-done.returncode}:\n{done.stdout[-600:]}")
        return [[part.strip() for part in line.rstrip("\n").split("\t")] for line in report]


def general(why):
    """A reason without the numbers of one case."""
    return re.sub(r"-?\b\d+(\.\d+)?(e[-+]?\d+)?\b", "N", why)


def page(rows, target):
    """The file's text: an entry an op."""
    by_op = collections.defaultdict(list)
    for op, verdict, why, node in rows:
        by_op[op].append((verdict, why, node))
    lines = []
    for op in sorted(by_op):
        tally = collections.Counter(verdict for verdict, _, _ in by_op[op])
        lines.append(f"{op}: {tally['native']} native, {tally['elsewhere']} elsewhere, {tally['wrong']} wrong")
        reasons = collections.Counter(general(why) for verdict, why, _ in by_op[op] if verdict == "elsewhere")
        lines += [f"    elsewhere {count}: {why}" for why, count in sorted(reasons.items())]
        wrong = {f"    wrong: {node}" for verdict, why, node in by_op[op] if verdict == "wrong"}
        lines += sorted(wrong)
    return HEAD.format(target=target) + "\n".join(lines) + "\n"


def main(arguments):
    update = "--update" in arguments
    arguments = [a for a in arguments if a != "--update"]
    if len(arguments) != 3:
        sys.exit(__doc__)
    test_ops, program, target = arguments
    reason = availability(program, target)
    if reason:
        print(f"skipped: target {target} is not available: {reason}")
        return 77
    rows = run(test_ops, target)
    text = page(rows, target)
    path = os.path.join(ROOT, "src", "targets", target, "conformance.txt")
    tally = collections.Counter(verdict for _, verdict, _, _ in rows)
    print(f"{target}: {tally['native']} nodes native, {tally['elsewhere']} elsewhere, {tally['wrong']} wrong")
    if update:
        for op, verdict, why, node in rows:
            if verdict == "wrong":
                print(f"wrong: {node}: {why}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    with open(path, encoding="utf-8") as file:
        expected = file.read()
    if text == expected:
        return 0
    was, now = expected.splitlines(), text.splitlines()
    for line in [x for x in was if x not in now]:
        print(f"no longer: {line.strip()}")
    for line in [x for x in now if x not in was]:
        print(f"new: {line.strip()}")
    for op, verdict, why, node in rows:
        if verdict == "wrong" and f"    wrong: {node}" not in was:
            print(f"wrong: {node}: {why}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

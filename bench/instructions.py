#!/usr/bin/env python3
"""Counts the instructions of kernels and whole things under valgrind's callgrind and compares them with recorded counts.

Usage: bench/instructions.py [--update] [--worker PATH]
Times are noisy, instructions are not: the same program takes the same number, give or take what a library's choice or an
address decides. A piece that takes TOLERANCE percent more than bench/instructions.txt says fails, as does one that is in only one of
both. --update writes the counts there; those made by other compilers or C libraries stay. Where the file has none made by
this compiler and C library, the last set of it is shown beside what is counted, and nothing fails.
"""

import argparse
import concurrent.futures
import glob
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
RECORD = f"{HERE}/instructions.txt"
LEVELS = ("neon",) if platform.machine() == "aarch64" else ("sse2", "avx2")  # what valgrind can run
TOLERANCE = 2  # percent
ENVIRONMENT = {**os.environ, "ANYMODEL_WEIGHT_CACHE": "0"}  # a first run makes what it needs
HEAD = f"""# Instructions of each piece of work of instruction_worker.c, counted by callgrind (make bench-regress).
# {"instructions":>12}  {"level":<6}  {"made by":<24}  piece
"""


def parse_dump(text):
    """The name of a dump of callgrind's and its count; None for the one at the program's end."""
    name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
    count = re.search(r"^totals: (\d+)$", text, re.M)
    return (name.group(1), int(count.group(1))) if name and count else None


def count_level(worker, level):
    """(made by, {piece: count}) of a level, or (None, {}) where this machine lacks it."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={folder}/out", worker, ROOT]
        done = subprocess.run(command, env=ENVIRONMENT | {"ANYMODEL_CPU": level}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        if told["kernels"] != level:
            return None, {}
        counts = {}
        for path in glob.glob(f"{folder}/out.*"):
            with open(path, encoding="utf-8") as file:
                piece = parse_dump(file.read())
            if piece:
                counts[piece[0]] = piece[1]
        return told["made-by"].replace(" ", "/"), counts


def parse_record(text):
    """{made by: {(piece, level): count}}, in the order of the file."""
    record = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            count, level, made_by, piece = line.split(None, 3)
            record.setdefault(made_by, {})[piece, level] = int(count)
    return record


def format_record(record):
    rows = [f"{count:14}  {level:<6}  {made_by:<24}  {piece}" for made_by, counts in record.items()
            for (piece, level), count in sorted(counts.items())]
    return HEAD + "".join(f"{row}\n" for row in rows)


def judge(recorded, counted):
    """What to say of a piece, and whether it fails."""
    if recorded is None:
        return "not recorded", True
    if counted is None:
        return "no longer there", True
    change = 100 * (counted - recorded)
    if change > TOLERANCE * recorded:
        return "worse", True
    return ("better" if change < -TOLERANCE * recorded else ""), False


def compare(recorded, counted, levels):
    """Rows (piece, level, recorded, counted, remark) and how many of them fail, of the levels that were counted."""
    rows, failed = [], 0
    for piece, level in sorted(key for key in recorded.keys() | counted.keys() if key[1] in levels):
        key = piece, level
        remark, fails = judge(recorded.get(key), counted.get(key))
        rows.append((piece, level, recorded.get(key), counted.get(key), remark))
        failed += fails
    return rows, failed


def print_rows(rows):
    width = max(len(row[0]) for row in rows)
    print(f"{'piece':<{width}}  level     recorded      counted   change")
    for piece, level, recorded, counted, remark in rows:
        change = f"{100 * (counted / recorded - 1):+7.2f} %" if recorded and counted else ""
        figures = " ".join(f"{'-' if x is None else x:>12}" for x in (recorded, counted))
        print(f"{piece:<{width}}  {level:<5}{figures}  {change:>9}  {remark}".rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", default=f"{ROOT}/build/bench/instruction_worker")
    parser.add_argument("--update", action="store_true", help="write the counts to bench/instructions.txt")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not here: scripts/install_packages.sh regress")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda level: count_level(options.worker, level), LEVELS))
    counted, levels, made_by = {}, [], None
    for level, (made, counts) in zip(LEVELS, found):
        if made is None:
            print(f"{level}: skipped, this cpu or valgrind lacks it")
            continue
        made_by = made
        levels.append(level)
        counted.update({(piece, level): count for piece, count in counts.items()})
    if not counted:
        sys.exit("nothing was counted")
    record = {}
    if os.path.exists(RECORD):
        with open(RECORD, encoding="utf-8") as file:
            record = parse_record(file.read())
    same = made_by in record
    source = made_by if same or not record else list(record)[-1]
    rows, failed = compare(record.get(source, {}), counted, levels)
    print_rows(rows)
    if options.update:
        kept = {key: count for key, count in record.get(made_by, {}).items() if key[1] not in levels}
        record[made_by] = {**kept, **counted}
        with open(RECORD, "w", encoding="utf-8") as file:
            file.write(format_record(record))
        print(f"written to {os.path.relpath(RECORD, ROOT)}: {len(counted)} counts made by {made_by}")
        return 0
    if not same:
        print(f"No counts made by {made_by} are recorded: shown beside those of {source}, and none fails. --update adds them.")
        return 0
    better = sum(row[4] == "better" for row in rows)
    print(f"{made_by}: {len(rows)} counts, {failed} fail, {better} are better by more than {TOLERANCE} %"
          + (": record them with --update" if better or failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

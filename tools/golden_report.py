#!/usr/bin/env python3
"""Runs golden files in parallel and reports: tables on the terminal, and with --out a folder of JSON, Markdown and JUnit.

    tools/golden_report.py PROGRAM PATH... [--out FOLDER] [--jobs N] [--target NAME]

Each PATH is a golden file or a folder of them. Exits 1 when a case failed or is unsupported, or when a class that the program
lists has no case that passed.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import time
from xml.sax.saxutils import escape, quoteattr

MOST_JOBS = 8


def golden_files(paths):
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for name in sorted(os.listdir(path)):
            if name.endswith(".json") and name != "index.json":
                yield os.path.join(path, name)


def verify(program, target, path):
    """The program's line for each case of one file, with the names of its inputs."""
    command = [program, "verify", path, "--json", "--threads", "1"] + (["--target", target] if target else [])
    done = subprocess.run(command, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    with open(path, encoding="utf-8") as file:
        cases = {case["case"]: case for case in json.load(file)["cases"]}
    rows = [row for row in rows if "verdict" in row]
    for row in rows:
        row["inputs"] = sorted({item["name"].split(".")[0] for item in cases[row["case"]]["inputs"]})
        row["model_type"] = cases[row["case"]]["config"].get("model_type", "")
        row["file"] = os.path.relpath(path)
    if len(rows) != len(cases):
        raise SystemExit(f"{path}: {len(cases)} cases, {len(rows)} answers; exit code {done.returncode}\n{done.stderr}")
    return rows


def auto_classes(program):
    listed = json.loads(subprocess.run([program, "models", "--json"], capture_output=True, text=True, check=True).stdout)
    return {row["class"]: row for row in listed}


# Rows are tried in order: what the auto classes of a class and the inputs of its cases tell.
def modality(autos, inputs):
    names = " ".join(autos)
    has_text = bool(inputs & {"input_ids", "decoder_input_ids", "inputs_embeds"})
    has_audio = bool(inputs & {"input_values", "input_features", "audio_values", "audio_codes", "audio_features"})
    has_image = bool(inputs & {"pixel_values", "flattened_patches", "image_patches"})
    has_video = bool(inputs & {"pixel_values_videos"}) or "VideoClassification" in names
    if inputs & {"states", "returns_to_go"} or "Decision" in names:
        return "decision"
    if inputs & {"past_values", "past_time_features"} or "TimeSeries" in names:
        return "time series"
    if "bbox" in inputs or "DocumentQuestionAnswering" in names or "TableQuestionAnswering" in names:
        return "document"
    if has_video:
        return "video"
    if (has_image or has_audio) and has_text and not (has_audio and "Speech" in names):
        return "multimodal"
    if has_audio or "Audio" in names or "Speech" in names or "CTC" in names:
        return "audio"
    if has_image or "Image" in names or "Backbone" in names:
        return "vision"
    return "text"


def family(autos):
    """The head that a class is: its most telling auto class."""
    special = [name for name in autos if name != "AutoModel"]
    return min(special, key=len).replace("AutoModelFor", "").replace("Auto", "") if special else "Model" if autos else "part"


def classify(rows, classes):
    inputs = collections.defaultdict(set)
    for row in rows:
        inputs[row["architecture"]] |= set(row["inputs"])
    for row in rows:
        autos = classes.get(row["architecture"], {}).get("auto_classes", [])
        row["modality"] = modality(autos, inputs[row["architecture"]])
        row["family"] = family(autos)


def counts(rows):
    tally = collections.Counter(row["verdict"] for row in rows)
    return [tally[verdict] for verdict in ("passed", "failed", "unsupported")]


def tables(rows):
    for title, key in (("modality", "modality"), ("family", "family")):
        groups = collections.defaultdict(list)
        for row in rows:
            groups[row[key]].append(row)
        yield title, [(name, len({row["architecture"] for row in group}), *counts(group)) for name, group in sorted(groups.items())]


def put_tables(rows, out):
    for title, lines in tables(rows):
        print(f"\n{title:32} {'classes':>8} {'passed':>8} {'failed':>8} {'unsupported':>12}", file=out)
        for line in lines:
            print(f"{line[0]:32} {line[1]:8} {line[2]:8} {line[3]:8} {line[4]:12}", file=out)


def write_markdown(path, rows, summary):
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"# Golden cases\n\n{summary}\n")
        for title, lines in tables(rows):
            out.write(f"\n| {title} | classes | passed | failed | unsupported |\n| --- | --- | --- | --- | --- |\n")
            out.writelines("| " + " | ".join(str(item) for item in line) + " |\n" for line in lines)
        bad = [row for row in rows if row["verdict"] != "passed"]
        if bad:
            out.write("\n| case | verdict | why |\n| --- | --- | --- |\n")
            out.writelines(f"| {row['case']} | {row['verdict']} | {(row['message'] or '').replace('|', '/')} |\n" for row in bad)


def write_junit(path, rows, seconds):
    passed, failed, unsupported = counts(rows)
    with open(path, "w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        out.write(f'<testsuite name="golden" tests="{len(rows)}" failures="{failed}" skipped="{unsupported}" time="{seconds:.3f}">\n')
        for row in rows:
            out.write(f'  <testcase classname={quoteattr(row["file"])} name={quoteattr(row["case"])} time="{row["ms"] / 1000:.6f}"')
            if row["verdict"] == "passed":
                out.write("/>\n")
                continue
            tag = "failure" if row["verdict"] == "failed" else "skipped"
            out.write(f'>\n    <{tag} message={quoteattr(row["message"] or "")}>{escape(row["message"] or "")}</{tag}>\n  </testcase>\n')
        out.write("</testsuite>\n")


def write_all(folder, rows, summary, seconds):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "golden.json"), "w", encoding="utf-8") as out:
        json.dump({"summary": summary, "cases": rows}, out, indent=0)
    write_markdown(os.path.join(folder, "golden.md"), rows, summary)
    write_junit(os.path.join(folder, "golden.xml"), rows, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--out")
    parser.add_argument("--target")
    parser.add_argument("--jobs", type=int, default=min(MOST_JOBS, len(os.sched_getaffinity(0))))
    options = parser.parse_args()
    files = list(golden_files(options.paths))
    begin = time.monotonic()
    rows = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done, result in enumerate(pool.map(lambda path: verify(options.program, options.target, path), files), 1):
            rows += result
            if sys.stderr.isatty():
                print(f"\r\033[K{done} of {len(files)} files, {len(rows)} cases", end="", file=sys.stderr)
    seconds = time.monotonic() - begin
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    classes = auto_classes(options.program)
    classify(rows, classes)
    passed, failed, unsupported = counts(rows)
    for row in rows:
        if row["verdict"] != "passed":
            print(f"{row['verdict']:11} {row['case']}  {row['message']}")
    put_tables(rows, sys.stdout)
    summary = f"cases: {passed} passed, {failed} failed, {unsupported} unsupported"
    unproved = sorted(set(classes) - {row["architecture"] for row in rows if row["verdict"] == "passed"})
    if options.out:
        write_all(options.out, rows, summary, seconds)
    for name in unproved:
        print(f"{name} has no case that passed")
    print(f"\n{len(rows) / seconds:.0f} cases per second, {options.jobs} at a time")
    print(summary)
    return 1 if failed or unsupported or unproved else 0


if __name__ == "__main__":
    sys.exit(main())

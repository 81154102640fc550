"""Compares the targets of anymodel with its cpu, in turns: docs/targets-performance.md. Part of bench.py (--targets)."""

import json
import os
import re
import statistics
import subprocess
import tempfile
import time

from measure import Worker, command_of, compare, read_floats, say, summary_of_rounds, take_turns
import report
from workloads import all_cases

ENGINES = ["anymodel", "anymodel_openvino", "anymodel_mojo", "anymodel_max"]
CASES = [("bert_base", "128 tokens, batch 1"), ("gpt2", "128 tokens"), ("gpt2", "1 token after 128 in the cache")]
DETECTIONS = 100
DETECTION_LIMIT_MS = 1.0

INTRODUCTION = """# Targets beside the cpu

Written by `make bench-targets` (bench/README.md says how it measures); no figure is put in by hand.
Models have the shapes of published ones and random weights, in float32. Every target is required: no node of a run is
computed elsewhere. Each has a process of its own and its turn in every round, and its answers are compared with the
others' and with PyTorch's before it is timed. Times are milliseconds.

- load: opening the model directory; weights are mapped, not read.
- compile: making the graph ready for these shapes, first with an empty cache folder (Mojo's kernels are built then, and
  MAX's graphs), then in the next process.
- first answer: from starting that next process, with everything before it. With a cache of tokens this holds reading
  those, and compiling the graph that does.
- steady: one run; median (least - most) of all rounds. Ratios are of medians and of least times, target / cpu; below 1
  the target is faster. Where other work shares the machine (see the load) the least times say more.
- memory: the process's peak less what was mapped from files at the end: what a target needs beyond weights.
"""


def cases_of(workloads, tiny, only):
    """(folder, number of the case, title) of those in whose title the regular expression is found."""
    for name, case in CASES:
        module = workloads[name]
        number = [*all_cases(module)].index(case)
        title = f"{module.TITLE}, {case}" + (", tiny sizes" if tiny else "")
        if re.search(only, title):
            yield ("tiny-" if tiny else "") + name, number, title


def with_cache(command, folder):
    return ["env", f"ANYMODEL_CACHE={folder}", *command]


def memory_of(worker):
    """{"VmHWM": KiB, "RssFile": KiB}."""
    with open(f"/proc/{worker.process.pid}/status") as file:
        rows = dict(line.split(":", 1) for line in file if ":" in line)
    return {name: int(rows[name].split()[0]) for name in ("VmHWM", "RssFile")}


def start_once(command, times, name):
    """A process that has compiled; times[name] is how long that took."""
    worker = Worker(command)
    times["load"] = worker.load_ms
    times[name] = float(worker.ask("compile", "compiled")[0])
    return worker


def start_twice(command, cache, title):
    """A process with everything in its cache, and what getting there took."""
    times = {}
    say(f"{title}: compiling with an empty cache ...")
    start_once(with_cache(command, cache), times, "cold").close()
    begin = time.perf_counter()
    worker = start_once(with_cache(command, cache), times, "cached")
    worker.run(1)
    times["first"] = (time.perf_counter() - begin) * 1e3
    return worker, times


def measure_case(engines, context, folder, number, threads, cache):
    """{engine: its times, "rounds", "memory_bytes"} of those that are here."""
    workers, results = {}, {}
    case = f"{cache}/{folder}/{number}"
    try:
        for name, engine in engines.items():
            command = command_of(engine, context, f"{cache}/{folder}/model", case, threads)
            with tempfile.TemporaryDirectory() as own:
                workers[name], results[name] = start_twice(command, own, f"{folder}, {engine.TITLE}")
        compare({name: worker.answer() for name, worker in workers.items()}, read_floats(f"{case}/expected.bin"))
        rounds, _ = take_turns(workers, context.rounds)
        for name, worker in workers.items():
            memory = memory_of(worker)
            results[name]["rounds"] = rounds[name]
            results[name]["memory_bytes"] = (memory["VmHWM"] - memory["RssFile"]) * 1024
    finally:
        for worker in workers.values():
            worker.close()
    return results


def measure_detection(program):
    """Milliseconds that looking for all targets took, of each of many processes; and how many targets there are."""
    sums = []
    for _ in range(DETECTIONS):
        done = subprocess.run([program, "targets", "--json"], capture_output=True, text=True, check=True)
        rows = json.loads(done.stdout)
        sums.append(sum(row["probe_us"] for row in rows) / 1e3)
    return sums, len(rows)


def detection_line(sums, count):
    median = statistics.median(sums)
    verdict = "below" if median < DETECTION_LIMIT_MS else "NOT below"
    return (f"Looking for all {count} targets (`anymodel targets`), which every start may do, took {median:.3f} ms "
            f"({min(sums):.3f} - {max(sums):.3f}), median of {len(sums)} processes: {verdict} {DETECTION_LIMIT_MS:g} ms.")


def version_lines(program):
    rows = json.loads(subprocess.run([program, "targets", "--json"], capture_output=True, text=True, check=True).stdout)
    return "- " + ", ".join(f"{row['name']} {row['version']}" for row in rows if row["available"] and row["version"])


def row_of(title, own, cpu):
    steady, base = summary_of_rounds(own["rounds"]), summary_of_rounds(cpu["rounds"])
    ratio = "" if own is cpu else f"{steady.median / base.median:.2f}, {steady.least / base.least:.2f}"
    return [title, f"{own['load']:.1f}", f"{own['cold']:.1f}", f"{own['cached']:.1f}", f"{own['first']:.1f}",
            report.cell(own["rounds"]), ratio, f"{own['memory_bytes'] / 2**20:.0f} MiB"]


def case_lines(results, titles, absent):
    cpu = results[report.OURS]
    rows = [row_of(titles[name], own, cpu) for name, own in results.items()]
    rows += [[titles[name], f"not here: {reason}", *[""] * 6] for name, reason in absent.items()]
    yield from report.table(["target", "load", "compile, nothing cached", "compile, cached", "first answer", "steady",
                             "ratios: median, least", "memory"], rows)


def write(path, context, measured, titles, absent, detection, load_before, threads):
    lines = [INTRODUCTION, *report.machine_lines(context, load_before), version_lines(context.program),
             f"- {threads} threads"]
    for title, results in measured:
        lines += ["", f"## {title}", "", *case_lines(results, titles, absent)]
    lines += ["", "## Detection", "", detection_line(*detection)]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def find_absent(engines, context):
    """{engine: why it is not here}."""
    reasons = {name: engine.reason_against(context.build) for name, engine in engines.items()
               if hasattr(engine, "reason_against")}
    return {name: reason for name, reason in reasons.items() if reason}


def run(engines, workloads, context, threads, cache, out, tiny):
    titles = {name: engine.TITLE if name != report.OURS else "cpu" for name, engine in engines.items()}
    absent = find_absent(engines, context)
    here = {name: engine for name, engine in engines.items() if name not in absent}
    load_before = os.getloadavg()[0]
    detection = measure_detection(context.program)
    say(detection_line(*detection))
    measured = []
    for folder, number, title in cases_of(workloads, tiny, context.only):
        measured.append((title, measure_case(here, context, folder, number, threads, cache)))
        say("\n".join([title, *case_lines(measured[-1][1], titles, absent)]))
    write(out, context, measured, titles, absent, detection, load_before, threads)

"""Writes what was measured as Markdown. Standard library only."""

import datetime
import json
import os
import platform
import subprocess

from measure import Summary, ratios, summary_of_rounds

OURS = "anymodel"

INTRODUCTION = """# Performance

Written by `make bench` (bench/README.md says how it measures); no figure is put in by hand.
Models have the shapes of published ones and random weights. Every engine gets the same weights and the same input, in
float32, runs in a process of its own, and has its turn in every round (A B A B ...). Times are milliseconds of one
forward pass: median (least - most). A ratio is ours / peer; below 1 we are faster. There are three: of the medians, of
the least times, and of the processor time that a pass takes on all threads. Where other work shares the machine (see the
load below) the medians say little, the least times more; with one thread the processor time is what a pass would take
alone, with more it holds the time in which threads wait in a loop. Figures are comparable only inside one run.
"""


def run(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def system_name():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def machine_lines(context, load_before):
    cpu = next(t for t in json.loads(run(context.program, "targets", "--json")) if t["name"] == "cpu")
    changed = ", with changes not committed" if run("git", "status", "--porcelain", "--untracked-files=no") else ""
    load = " to ".join(f"{x:.1f}" for x in sorted((load_before, os.getloadavg()[0])))
    yield f"- {datetime.date.today().isoformat()}, {run(context.program, '--version')}" \
          f" at {run('git', 'rev-parse', '--short=12', 'HEAD')}{changed}"
    yield f"- {cpu['model']}, {os.cpu_count()} processors, kernels for {cpu['kernels']}; {system_name()}"
    yield f"- load average {load} on these {os.cpu_count()} processors while it ran: the bench itself is up to 2.0 of it"
    yield "- " + ", ".join(versions(context))
    yield f"- {context.rounds} rounds of every case" + (f" that matches `{context.only}`" if context.only else "")


def versions(context):
    with open(context.requirements) as wanted:
        pins = [line.strip().replace("==", " ") for line in wanted if "==" in line]
    return [f"Python {run(context.python, '--version').split()[-1]}", *pins]


def cell(times):
    s = Summary(times) if not isinstance(times[0], list) else summary_of_rounds(times)
    digits = 1 if s.median >= 1 else 3
    return f"{s.median:.{digits}f} ({s.least:.{digits}f} - {s.most:.{digits}f})"


def table(heads, rows):
    yield "| " + " | ".join(heads) + " |"
    yield "| " + " | ".join(["---"] * len(heads)) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def ratio_to_best(times, peers):
    """Our median to the least median of the peers."""
    return max(ratios(times[OURS], times[peer])[0] for peer in peers)


def latency_lines(results, engines):
    peers = [name for name in engines if name != OURS]
    titles = {name: engine.TITLE for name, engine in engines.items()}
    heads = ["workload", "threads", titles[OURS]]
    for peer in peers:
        heads += [titles[peer], "ratios: median, least, processor"]
    if len(peers) > 1:
        heads.insert(3, "of the best peer's median")
    rows = []
    for r in results:
        row = [r["title"], str(r["threads"]), cell(r["times"][OURS])]
        if len(peers) > 1:
            row.append(f"{ratio_to_best(r['times'], peers):.2f}")
        for peer in peers:
            middle, least = ratios(r["times"][OURS], r["times"][peer])
            cpu = r["cpu_ms"][OURS] / r["cpu_ms"][peer]
            row += [cell(r["times"][peer]), f"{middle:.2f}, {least:.2f}, {cpu:.2f}"]
        rows.append(row)
    yield from table(heads, rows)


def difference_lines(results, engines):
    names = ["expected", *engines]
    titles = {"expected": "recorded", **{name: engine.TITLE for name, engine in engines.items()}}
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1:]]
    worst = {}
    for r in results:
        values = worst.setdefault(r["title"], dict.fromkeys(pairs, 0.0))
        for pair in pairs:
            values[pair] = max(values[pair], r["differences"][pair])
    rows = [[title, *(f"{values[pair]:.1e}" for pair in pairs)] for title, values in worst.items()]
    yield from table(["workload", *(f"{titles[a]}, {titles[b]}" for a, b in pairs)], rows)


def start_lines(start, engines):
    yield from table(["from starting the process", "ms"],
                     [[f"{engines[name].TITLE}: {start['title']}", cell(times)] for name, times in start["times"].items()]
                     + [[what, cell(times)] for what, times in start["processes"].items()])


def write(path, context, results, start, engines, load_before):
    lines = [INTRODUCTION, *machine_lines(context, load_before)]
    lines += ["", "## Latency", "", *latency_lines(results, engines)]
    lines += ["", "## Start", "",
              "Files are in the system's cache. The first rows start a process, load the model and compute one answer;",
              "a peer's Python and imports are part of it. The last is the whole life of `anymodel embed` on one sentence.",
              "", *start_lines(start, engines)]
    lines += ["", "## Differences of the answers", "",
              "The largest absolute difference of any number of the output, each engine with each, and with what PyTorch",
              "gave when the workload was made (recorded). Above 1e-3 of the largest number of an output the bench fails.",
              "", *difference_lines(results, engines)]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")

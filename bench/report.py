"""Writes what was measured as Markdown. Standard library only."""

import datetime
import json
import math
import os
import platform
import subprocess

from measure import Summary, ratios, summary_of_rounds

OURS = "anymodel"

INTRODUCTION = """# Performance

Written by `make bench` (bench/README.md says how it measures); no figure is put in by hand.
Models have the shapes of published ones and random weights. Every engine gets the same weights and the same input, in
float32 (engines whose name says bf16 compute in bfloat16; those with int8 or int4 weights round these as they load
them, and are timed with decoders only), runs in a process of its own, and has its turn in every round
(A B A B ...). Times are milliseconds of one forward pass: median (least - most); "-" is where an engine does not run the
case. A ratio is ours / peer; below 1 we are faster. There are three: of the medians, of the least times, and of the
processor time that a pass takes on all threads. Where other work shares the machine (see the load below) the medians say
little, the least times more; with one thread the processor time is what a pass would take alone, with more it holds the
time in which threads wait in a loop. Figures are comparable only inside one run.
"""


def run(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def system_name():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def peak_lines(peaks):
    for threads, peak in peaks.items():
        yield f"- measured peak on {threads} threads: {peak['peak_gflop_per_s'] or math.nan:.1f} GFLOP/s" \
              f" ({peak['kernels']}), {peak['peak_read_gb_per_s']:.1f} GB/s read"


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
    """Our median to the least median of the peers; those that round weights compute something else."""
    return max((ratios(times[OURS], times[peer])[0] for peer in peers if peer in times and not is_rounded(peer)),
               default=math.nan)


def is_rounded(engine):
    return engine.startswith(f"{OURS}_int")


def median(result, engine=OURS):
    return summary_of_rounds(result["times"][engine]).median


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
            if peer not in r["times"]:
                row += ["-", "-"]
                continue
            middle, least = ratios(r["times"][OURS], r["times"][peer])
            cpu = r["cpu_ms"][OURS] / r["cpu_ms"][peer]
            row += [cell(r["times"][peer]), f"{middle:.2f}, {least:.2f}, {cpu:.2f}"]
        rows.append(row)
    yield from table(heads, rows)


def without_lines(results, engines):
    """Why a "-" stands in the table."""
    reasons = sorted({(r["title"], engines[name].TITLE, reason) for r in results for name, reason in r["without"].items()})
    if reasons:
        yield ""
    yield from (f"- {title}, not on {engine}: {reason}" for title, engine, reason in reasons)


def difference_lines(results, engines):
    names = ["expected", *engines]
    titles = {"expected": "recorded", **{name: engine.TITLE for name, engine in engines.items()}}
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1:]]
    worst = {}
    for r in results:
        values = worst.setdefault(r["title"], dict.fromkeys(pairs, 0.0))
        for pair in pairs:
            values[pair] = max(values[pair], r["differences"].get(pair, 0.0))
    rows = [[title, *(f"{values[pair]:.1e}" for pair in pairs)] for title, values in worst.items()]
    yield from table(["workload", *(f"{titles[a]}, {titles[b]}" for a, b in pairs)], rows)


def rate_lines(results, peaks):
    """What ours reaches of the machine's peaks."""
    rows = []
    for r in results:
        for engine, (flops, weight_bytes) in {OURS: r["work"], **r["works"]}.items():
            ms, peak = median(r, engine), peaks[r["threads"]]
            rate, read = flops * 1e-6 / ms, weight_bytes * 1e-6 / ms
            share = rate / (peak["peak_gflop_per_s"] or math.nan)
            title = r["title"] + engine.removeprefix(OURS).replace("_", ", ")
            rows.append([title, str(r["threads"]), f"{flops * 1e-9:.2f}", f"{rate:.1f}", f"{share:.0%}",
                         *([f"{read:.1f}", f"{read / peak['peak_read_gb_per_s']:.0%}"] if r["is_cached"] else ["", ""])])
    yield from table(["workload", "threads", "GFLOP", "GFLOP/s", "of the peak", "weights read, GB/s", "of the peak"], rows)


def memory_lines(results, engines):
    rows = [[r["title"], str(r["threads"]), f"{r['weights_bytes'] / 2**20:.0f}",
             *(f"{(r['memory_bytes'][name] - r['weights_bytes']) / 2**20:.0f}" if name in r["memory_bytes"] else "-"
               for name in engines)] for r in results]
    yield from table(["workload", "threads", "weights", *(engine.TITLE for engine in engines.values())], rows)


# --- goals ---

F32_PEERS, BF16_PEERS = ("onnxruntime", "openvino"), ("openvino_bf16",)
F32_GOAL, BF16_GOAL, THREADS_GOAL = 1.0, 0.9, 1.85
COMPUTE_BOUND = 0.25  # of the peak on one thread


def verdict(reached):
    return "reached" if reached else "NOT reached"


def peer_goals(r, left_out):
    title = f"{r['title']}, {r['threads']} threads"
    if any(peer in r["times"] for peer in F32_PEERS):
        ratio = ratio_to_best(r["times"], F32_PEERS)
        yield [title, f"at most {F32_GOAL:.1f} of the best of ONNX Runtime and OpenVINO in float32", f"{ratio:.2f}",
               verdict(ratio <= F32_GOAL)]
        goal = f"at most {BF16_GOAL:.1f} of OpenVINO in bfloat16"
        if BF16_PEERS[0] in left_out:
            yield [title, goal, left_out[BF16_PEERS[0]], ""]
        elif BF16_PEERS[0] in r["times"]:
            ratio = ratio_to_best(r["times"], BF16_PEERS)
            yield [title, goal, f"{ratio:.2f}", verdict(ratio <= BF16_GOAL)]


def thread_goals(results, peaks):
    """Cases that one thread computes near its peak."""
    one = {r["title"]: r for r in results if r["threads"] == 1}
    for r in results:
        alone = one.get(r["title"])
        if r["threads"] != 2 or not alone or r["is_cached"]:
            continue
        rate = alone["work"][0] * 1e-6 / median(alone)
        if rate >= COMPUTE_BOUND * (peaks[1]["peak_gflop_per_s"] or math.inf):
            times = median(alone) / median(r)
            yield [r["title"], f"2 threads at least {THREADS_GOAL} times as fast as 1", f"{times:.2f}",
                   verdict(times >= THREADS_GOAL)]


def batch_goals(results):
    """A case whose title ends with "batch 32" beside the same with "batch 1"."""
    single = {(r["title"], r["threads"]): r for r in results}
    for r in results:
        other = single.get((r["title"].removesuffix("batch 32") + "batch 1", r["threads"]))
        if r["title"].endswith("batch 32") and other:
            ratio = median(r) / 32 / median(other)
            yield [f"{r['title']}, {r['threads']} threads", "no more for an item than batch 1", f"{ratio:.2f}",
                   verdict(ratio <= 1)]


def goal_lines(results, peaks, left_out):
    rows = [row for r in results for row in peer_goals(r, left_out)]
    yield from table(["workload", "goal", "this run", ""], [*rows, *thread_goals(results, peaks), *batch_goals(results)])


def start_lines(start, engines):
    yield from table(["from starting the process", "ms"],
                     [[f"{engines[name].TITLE}: {start['title']}", cell(times)] for name, times in start["times"].items()]
                     + [[what, cell(times)] for what, times in start["processes"].items()])


def write(path, context, results, start, engines, load_before, peaks, left_out):
    lines = [INTRODUCTION, *machine_lines(context, load_before), *peak_lines(peaks)]
    lines += [f"- not in this run: {name}: {reason}" for name, reason in left_out.items()]
    lines += ["- SMALL MODELS (--tiny): this tries the bench, its figures say nothing"] if context.prefix else []
    lines += ["", "## Goals", "",
              "Of the medians. Threads are compared where one thread reaches a quarter of its peak: there arithmetic, not",
              "memory, is what a pass takes.", "", *goal_lines(results, peaks, left_out)]
    lines += ["", "## Latency", "", *latency_lines(results, engines), *without_lines(results, engines)]
    lines += ["", "## Rates", "",
              "Of anymodel's median. Arithmetic is that of products, convolutions and attention. Reading the weights bounds a",
              "step of one token.", "", *rate_lines(results, peaks)]
    lines += ["", "## Memory", "",
              "MiB: the weights' files, and the most that each process had resident beyond their size.", "",
              *memory_lines(results, engines)]
    lines += ["", "## Start", "",
              "Files are in the system's cache. The first rows start a process, load the model and compute one answer;",
              "a peer's Python and imports are part of it. The last are the whole life of `anymodel embed` on one sentence: as",
              "it is from the second on, when packed weights are in the cache folder, and as the first is.",
              "", *start_lines(start, engines)]
    lines += ["", "## Differences of the answers", "",
              "The largest absolute difference of any number of the output, each engine with each, and with what PyTorch",
              "gave when the workload was made (recorded). Above 1e-3 of the largest number of an output the bench fails (bf16: 0.2,",
              "int8 weights 0.05, int4 0.5).",
              "", *difference_lines(results, engines)]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")

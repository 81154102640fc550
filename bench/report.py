"""Writes what was measured as Markdown. Standard library only."""

import datetime
import json
import math
import os
import platform
import subprocess

from measure import Summary, ratios, summary_of_rounds

OURS, OURS_BF16 = "anymodel", "anymodel_bf16"
PEAK_OF = {OURS_BF16: "peak_bf16_gflop_per_s", f"{OURS}_int8": "peak_int8_gop_per_s", f"{OURS}_int4": "peak_int8_gop_per_s"}
# Ours, and the peer whose weights take as many bits; the first are as the model's files have them.
LIKES = {"": (OURS, "llamacpp"), "int8": (f"{OURS}_int8", "llamacpp_q8"), "int4": (f"{OURS}_int4", "llamacpp_q4")}
LIKE_PEERS = [peer for _, peer in LIKES.values()]

INTRODUCTION = """# Performance

Written by `make bench` (bench/README.md says how it measures); no figure is put in by hand.
Models have the shapes of published ones and random weights. Every engine gets the same weights and the same input, in
float32 (and where the processor can, in bfloat16: rows of their own), runs in a process of its own, and has its turn in every round
(A B A B ...). Decoders have weights as they are published, in bfloat16 or float32, compute the logits of the last
position alone, and are also timed with weights rounded to 8 and 4 bits, beside llama.cpp with as many. Peers in float32
have float32 copies of the same numbers. Times are milliseconds of one forward pass: median (least - most); "-" is where
an engine does not run the case. A ratio is ours / peer; below 1 we are faster. There are three: of the medians, of the
least times, and of the processor time that a pass takes on all threads. Where other work shares the machine (see the
load below) the medians say little, the least times more; with one thread the processor time is what a pass would take
alone, with more it holds the time in which threads wait in a loop. Figures are comparable only inside one run.
"""

CONSTRAINED = "-c requirements.txt"  # in a file of requirements


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
              f" ({peak['kernels']}), {peak.get('peak_bf16_gflop_per_s') or math.nan:.1f} in bfloat16," \
              f" {peak.get('peak_int8_gop_per_s') or math.nan:.1f} GOP/s with weights of 8 bits and their scales," \
              f" {peak['peak_read_gb_per_s']:.1f} GB/s read"


def machine_lines(context, load_before, details=()):
    cpu = next(t for t in json.loads(run(context.program, "targets", "--json")) if t["name"] == "cpu")
    changed = ", with changes not committed" if run("git", "status", "--porcelain", "--untracked-files=no") else ""
    load = " to ".join(f"{x:.1f}" for x in sorted((load_before, os.getloadavg()[0])))
    yield f"- {datetime.date.today().isoformat()}, {run(context.program, '--version')}" \
          f" at {run('git', 'rev-parse', '--short=12', 'HEAD')}{changed}"
    yield f"- {cpu['model']}, {os.cpu_count()} processors, kernels for {cpu['kernels']}; {system_name()}"
    yield f"- load average {load} on these {os.cpu_count()} processors while it ran: the bench itself is up to 2.0 of it"
    yield "- " + ", ".join(versions(context))
    yield from (f"- {line}" for line in details)
    yield f"- {context.rounds} rounds of every case" + (f" that matches `{context.only}`" if context.only else "")


def pins_of(path):
    """{package: version} that a file of requirements names, or, of those without one, the file that it is constrained by."""
    with open(path) as wanted:
        lines = [line.strip() for line in wanted if line.strip() and not line.startswith("#")]
    pins = dict(line.split("==") for line in lines if "==" in line)
    if CONSTRAINED in lines:
        known = pins_of(f"{os.path.dirname(path)}/requirements.txt")
        pins |= {name: known[name] for name in lines if name in known}
    return pins


def versions(context):
    return [f"Python {run(context.python, '--version').split()[-1]}",
            *(f"{name} {version}" for name, version in sorted(pins_of(context.requirements).items()))]


def cell(times):
    s = Summary(times) if not isinstance(times[0], list) else summary_of_rounds(times)
    digits = 1 if s.median >= 1 else 3
    return f"{s.median:.{digits}f} ({s.least:.{digits}f} - {s.most:.{digits}f})"


def table(heads, rows):
    yield "| " + " | ".join(heads) + " |"
    yield "| " + " | ".join(["---"] * len(heads)) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def ratio_to_best(times, peers, ours=OURS):
    """Our median to the least median of the peers; those that round weights compute something else."""
    return max((ratios(times[ours], times[peer])[0] for peer in peers if peer in times and not is_rounded(peer)),
               default=math.nan)


def is_rounded(engine):
    return any(engine in pair for weights, pair in LIKES.items() if weights)


def is_bf16(engine):
    return engine.endswith("_bf16")


def is_ours_rounded(engine):
    return engine.startswith(OURS) and is_rounded(engine)


def median(result, engine=OURS):
    return summary_of_rounds(result["times"][engine]).median


def ratio_cells(r, ours, peer):
    """The peer's times, and ours / peer."""
    if ours not in r["times"] or peer not in r["times"]:
        return ["-", "-"]
    middle, least = ratios(r["times"][ours], r["times"][peer])
    return [cell(r["times"][peer]), f"{middle:.2f}, {least:.2f}, {r['cpu_ms'][ours] / r['cpu_ms'][peer]:.2f}"]


def best_cell(r, peers, ours):
    """Ours / the best of the peers that run the case."""
    ratio = ratio_to_best(r["times"], peers, ours)
    return "-" if math.isnan(ratio) else f"{ratio:.2f}"


def latency_lines(results, engines):
    peers = [name for name in engines if name != OURS and not is_bf16(name)]
    has_bf16 = OURS_BF16 in engines
    heads = ["workload", "threads", *(["arithmetic"] if has_bf16 else []), engines[OURS].TITLE]
    heads += ["of the best peer's median"] if len(peers) > 1 else []
    for peer in peers:
        heads += [engines[peer].TITLE, "ratios: median, least, processor"]
    rows = []
    for r in results:
        for arithmetic, ours, suffix in (("float32", OURS, ""), ("bfloat16", OURS_BF16, "_bf16")):
            if ours not in r["times"]:
                continue
            alike = [peer + suffix for peer in peers]
            row = [r["title"], str(r["threads"]), *([arithmetic] if has_bf16 else []), cell(r["times"][ours])]
            row += [best_cell(r, alike, ours)] if len(peers) > 1 else []
            for peer in alike:
                row += ratio_cells(r, ours, peer)
            rows.append(row)
    yield from table(heads, rows)


def decoder_rows(r, peers):
    """One for each form of weights that ours ran with; those in `peers` compute with float32 only."""
    for weights, (ours, like) in LIKES.items():
        if ours not in r["times"]:
            continue
        best = best_cell(r, [*peers, like], ours) if ours == OURS else ""
        row = [r["title"], str(r["threads"]), weights or r["dtype"], cell(r["times"][ours]), best,
               *ratio_cells(r, ours, like)]
        for peer in peers:
            row += ratio_cells(r, ours, peer) if ours == OURS else ["", ""]
        yield row
    if OURS_BF16 in r["times"]:
        alike = [f"{peer}_bf16" for peer in peers]
        row = [r["title"], str(r["threads"]), f"{r['dtype']}, arithmetic in bfloat16", cell(r["times"][OURS_BF16]),
               best_cell(r, alike, OURS_BF16), "", ""]
        for peer in alike:
            row += ratio_cells(r, OURS_BF16, peer)
        yield row


def decoder_lines(results, engines):
    """As latency_lines, with a row for each form of weights."""
    peers = [name for name in engines
             if not name.startswith("llamacpp") and name != OURS and not is_rounded(name) and not is_bf16(name)]
    heads = ["workload", "threads", "weights", engines[OURS].TITLE, "of the best peer's median",
             "llama.cpp: BF16, Q8_0, Q4_0", "ratios: median, least, processor"]
    for peer in peers:
        heads += [engines[peer].TITLE, "ratios: median, least, processor"]
    yield from table(heads, [row for r in results for row in decoder_rows(r, peers)])


def all_latency_lines(results, engines):
    """Decoders in a table of their own."""
    decoders, others = [r for r in results if r["is_decoder"]], [r for r in results if not r["is_decoder"]]
    if others:
        yield from latency_lines(others, {name: engine for name, engine in engines.items()
                                          if not getattr(engine, "DECODERS_ONLY", False)})
    if decoders:
        yield from (["", "Decoders:", ""] if others else [])
        yield from decoder_lines(decoders, engines)


def without_lines(results, engines):
    """Why a "-" stands in the table."""
    reasons = sorted({(r["title"], engines[name].TITLE, reason) for r in results for name, reason in r["without"].items()})
    if reasons:
        yield ""
    yield from (f"- {title}, not on {engine}: {reason}" for title, engine, reason in reasons)


def difference_lines(results, engines):
    worst = {}
    for r in results:
        values = worst.setdefault(r["title"], {})
        for name in r["times"]:
            values[name] = max(values.get(name, 0.0), r["differences"]["expected", name])
    rows = [[title, *(f"{values[name]:.1e}" if name in values else "-" for name in engines)]
            for title, values in worst.items()]
    yield from table(["workload", *(engine.TITLE for engine in engines.values())], rows)


def is_bound_by_reading(r):
    """A decoder's token: its time is that of reading weights and KV cache."""
    return r["is_decoder"] and r["is_cached"]


def rate_lines(results, peaks):
    """What ours reaches of the machine's peaks, and of what reading gave in the turns of the same case."""
    rows = []
    for r in results:
        for engine, (flops, weights, cache) in {OURS: r["work"], **r["works"]}.items():
            ms, peak = median(r, engine), peaks[r["threads"]]
            if engine == OURS_BF16 and r["dtype"] == "float32":
                weights /= 2  # they are packed in bfloat16
            rate, read = flops * 1e-6 / ms, (weights + cache) * 1e-6 / ms
            share = rate / (peak.get(PEAK_OF.get(engine, ""), peak["peak_gflop_per_s"]) or math.nan)
            title = r["title"] + engine.removeprefix(OURS).replace("_", ", ")
            rows.append([title, str(r["threads"]), f"{flops * 1e-9:.2f}", f"{rate:.1f}", f"{share:.0%}",
                         *([f"{read:.1f}", f"{r['read_gb_per_s']:.1f}", f"{read / r['read_gb_per_s']:.0%}"]
                           if is_bound_by_reading(r) else [""] * 3)])
    yield from table(["workload", "threads", "GFLOP", "GFLOP/s", "of the peak", "read, GB/s", "reading alone, GB/s",
                      "of that"], rows)


def memory_lines(results, engines):
    rows = [[r["title"], str(r["threads"]), f"{r['weights_bytes'] / 2**20:.0f}",
             *(f"{(r['memory_bytes'][name] - r['weights_bytes']) / 2**20:.0f}" if name in r["memory_bytes"] else "-"
               for name in engines)] for r in results]
    yield from table(["workload", "threads", "weights", *(engine.TITLE for engine in engines.values())], rows)


# --- goals ---

F32_PEERS, BF16_PEERS = ("onnxruntime", "openvino"), ("openvino_bf16",)
F32_GOAL, BF16_GOAL, THREADS_GOAL = 1.0, 0.9, 1.85
DECODE_GOAL, PREFILL_GOAL, READ_GOAL = 1.0, 0.5, 0.85  # beside llama.cpp; of the bandwidth
PROFILE_OF = {OURS_BF16: ", bfloat16", f"{OURS}_int8": ", int8 weights", f"{OURS}_int4": ", int4 weights"}
LEAST_SHARE = 0.03  # of a run: kernels that take less are left out of the profile
COMPUTE_BOUND = 0.25  # of the peak on one thread


def verdict(reached):
    return "reached" if reached else "NOT reached"


def bf16_row(r, title, goal, peaks):
    """Where it is not reached, what of the peak it would take: attention's exponentials and norms are in that time, too."""
    ratio = ratio_to_best(r["times"], BF16_PEERS, OURS_BF16)
    row = [title, goal, f"{ratio:.2f}", verdict(ratio <= BF16_GOAL)]
    peak = peaks[r["threads"]].get(PEAK_OF[OURS_BF16])
    if ratio > BF16_GOAL and peak and OURS_BF16 in r["works"]:
        wanted_ms = BF16_GOAL * median(r, BF16_PEERS[0])
        row[2] += f" (it takes {r['works'][OURS_BF16][0] * 1e-6 / wanted_ms / peak:.0%} of the peak)"
    return row


def peer_goals(r, left_out, peaks):
    title = f"{r['title']}, {r['threads']} threads"
    if any(peer in r["times"] for peer in F32_PEERS):
        ratio = ratio_to_best(r["times"], F32_PEERS)
        yield [title, f"at most {F32_GOAL:.1f} of the best of ONNX Runtime and OpenVINO in float32", f"{ratio:.2f}",
               verdict(ratio <= F32_GOAL)]
        goal = f"at most {BF16_GOAL:.1f} of OpenVINO in bfloat16"
        if BF16_PEERS[0] in left_out:
            yield [title, goal, left_out[BF16_PEERS[0]], ""]
        elif BF16_PEERS[0] in r["times"] and OURS_BF16 in r["times"]:
            yield bf16_row(r, title, goal, peaks)


def like_goals(r, engines):
    """A decoder beside llama.cpp with weights of as many bits: a token, and with rounded weights a prompt."""
    goal = DECODE_GOAL if r["is_cached"] else PREFILL_GOAL
    for weights, (ours, peer) in LIKES.items():
        is_alike = weights or r["is_cached"] and r["dtype"] == "bfloat16"
        if is_alike and ours in r["times"] and peer in r["times"]:
            ratio = ratios(r["times"][ours], r["times"][peer])[0]
            yield [f"{r['title']}, {r['threads']} threads, {weights or r['dtype']} weights",
                   f"at most {goal:.1f} of {engines[peer].TITLE}", f"{ratio:.2f}", verdict(ratio <= goal)]


def read_goals(r):
    """What a token reads of weights and KV cache a second, beside what reading alone gave in turns with it."""
    for weights, (ours, _) in LIKES.items():
        if ours in r["times"]:
            read_bytes = sum((r["work"] if ours == OURS else r["works"][ours])[1:])
            share = read_bytes * 1e-6 / median(r, ours) / r["read_gb_per_s"]
            yield [f"{r['title']}, {r['threads']} threads, {weights or r['dtype']} weights",
                   f"reads weights and KV cache at {READ_GOAL:.0%} of reading alone at least", f"{share:.0%}",
                   verdict(share >= READ_GOAL)]


def decoder_goals(r, engines):
    if r["is_decoder"] and (r["is_cached"] or r["is_prefill"]):
        yield from like_goals(r, engines)
    if is_bound_by_reading(r):
        yield from read_goals(r)


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


def goal_rows(results, engines, peaks, left_out):
    """Rows [case, goal, what this run reached, verdict]."""
    rows = [row for r in results for row in [*peer_goals(r, left_out, peaks), *decoder_goals(r, engines)]]
    return [*rows, *thread_goals(results, peaks), *batch_goals(results)]


def profile_lines(results, goals, peaks):
    """Of the cases that missed a goal, the kernels that take most of a run."""
    missed = [title for title, _, _, reached in goals if reached == verdict(False)]
    rows = []
    for r in results:
        if not any(title.startswith(r["title"]) for title in missed):
            continue
        for engine, profile in r["profiles"].items():
            peak = peaks[r["threads"]].get(PEAK_OF.get(engine, ""), peaks[r["threads"]]["peak_gflop_per_s"]) or math.nan
            for k in [k for k in profile["kernels"] if k["share"] >= LEAST_SHARE]:
                rate = k["gflop_per_s"]
                rows.append([r["title"] + PROFILE_OF.get(engine, ""), str(r["threads"]), k["kernel"],
                             str(k["calls"]), f"{k['ms']:.2f}", f"{k['share']:.0%}", f"{rate:.1f}" if rate else "",
                             f"{rate / peak:.0%}" if rate else ""])
    yield from table(["workload", "threads", "kernel", "calls", "ms", "of the run", "GFLOP/s", "of the peak"], rows)


def start_lines(start, engines):
    yield from table(["from starting the process", "ms"],
                     [[f"{engines[name].TITLE}: {start['title']}", cell(times)] for name, times in start["times"].items()]
                     + [[what, cell(times)] for what, times in start["processes"].items()])


def write(path, context, results, start, engines, load_before, peaks, left_out, details=()):
    lines = [INTRODUCTION, *machine_lines(context, load_before, details), *peak_lines(peaks)]
    lines += [f"- not in this run: {name}: {reason}" for name, reason in left_out.items()]
    lines += ["- SMALL MODELS (--tiny): this tries the bench, its figures say nothing"] if context.prefix else []
    goals = goal_rows(results, engines, peaks, left_out)
    lines += ["", "## Goals", "",
              "Of the medians. Threads are compared where one thread reaches a quarter of its peak: there arithmetic, not",
              "memory, is what a pass takes.", "", *table(["workload", "goal", "this run", ""], goals)]
    lines += ["", "## Latency", "", *all_latency_lines(results, engines), *without_lines(results, engines)]
    lines += ["", "## Rates", "",
              "Of anymodel's median. Arithmetic is that of products, convolutions and attention as they are defined: a kernel that",
              "takes fewer products (`winograd`) may be above the peak. Reading the weights and",
              "the KV cache bounds a step of one token: beside it is the median of reading alone, in turns with the same case.", "", *rate_lines(results, peaks)]
    lines += ["", "## Where the time goes", "",
              "Of the cases that missed a goal: what anymodel's kernels take of a run, right after the times above. What was tried is",
              "in [performance-notes.md](performance-notes.md).",
              "", *profile_lines(results, goals, peaks)]
    lines += ["", "## Memory", "",
              "MiB: the weights' files, and the most that each process had resident beyond their size (less than nothing where",
              "rounded weights are all that stays).", "",
              *memory_lines(results, engines)]
    lines += ["", "## Start", "",
              "Files are in the system's cache. The first rows start a process, load the model and compute one answer;",
              "a peer's Python and imports are part of it. The last are the whole life of `anymodel embed` on one sentence: as",
              "it is from the second on, when packed weights are in the cache folder, and as the first is.",
              "", *start_lines(start, engines)]
    lines += ["", "## Differences of the answers", "",
              "The largest absolute difference of any number of the output from what PyTorch gave in float32 when the workload",
              "was made. Where one, or that of any two engines, is above 1e-3 of the largest number of an output the bench fails",
              "(bf16: 0.2, int8 weights 0.05, int4 0.5). Q8_0 and Q4_0 are held to 0.05 of what PyTorch gives with weights",
              "rounded as theirs.",
              "", *difference_lines(results, engines)]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")

"""Compares our image processors and feature extractors with transformers', in turns: docs/processors-performance.md. Part of
bench.py (--processors)."""

import hashlib
import os
import re
import shutil
import statistics
import subprocess
import tempfile

from measure import HERE, Failure, Worker, measure_start, say, summary_of_rounds, take_turns
from processor_cases import CASES
import report

OURS, PEER = "anymodel", "transformers"
# Of numbers that a model takes: bytes less the mean over the deviation, where one step of a byte is 1 / (255 * 0.22); the
# logarithm of a mel filter's sum, where the least sums are of rounding alone. The mean tells what only a few may have.
LARGEST_DIFFERENCE, LARGEST_MEAN_DIFFERENCE = 0.02, 1e-3
START_CASE = "clip"

INTRODUCTION = """# Images and sounds beside transformers

Written by `make bench-processors` (bench/README.md says how it measures); no figure is put in by hand.
A case is the way from a file to the tensors that a model takes: opening, decoding, and what the class of transformers does, with
the settings of that class. Beside it stands transformers itself as `AutoImageProcessor` and `AutoFeatureExtractor` give it (PyTorch
and torchvision), with Pillow and soundfile for the files. Before any timing the tensors of both are compared: names, shapes and
whole numbers have to be the same, other numbers nearly so, or the bench fails. Each has a process of its own and its turn in every
round (A B A B ...).

Figures are milliseconds: median (least - most) of all runs. A ratio is ours / transformers'; below 1 we are faster. There are
three: of the medians, of the least times, and of the processor time that a run takes on all threads, which other work on the
machine disturbs less (see the load).
"""


def made_from():
    """A hash of what decides about files and configurations."""
    digest = hashlib.sha256()
    for name in ("processor_make.py", "processor_cases.py", "requirements-processors.txt"):
        with open(f"{HERE}/{name}", "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def prepare(context, folder):
    stamp = f"{folder}/made_from"
    if os.path.exists(stamp) and open(stamp).read() == made_from():
        return
    say("making photos and sounds ...")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    subprocess.run([context.python, f"{HERE}/processor_make.py", folder], check=True)
    with open(stamp, "w") as file:
        file.write(made_from())


def commands_of(context, folder, name, threads):
    case = CASES[name]
    arguments = [f"{folder}/{name}", "sounds" if case.is_sound else "images", str(threads),
                 *(f"{folder}/media/{file}" for file in case.files)]
    return {OURS: [f"{context.build}/bench/processor_worker", *arguments],
            PEER: ["env", f"OMP_NUM_THREADS={threads}", f"MKL_NUM_THREADS={threads}", f"OPENBLAS_NUM_THREADS={threads}",
                   context.python, f"{HERE}/processor_peer.py", *arguments]}


def compare(workers):
    """(largest difference, mean difference, how many numbers); fails where tensors differ."""
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        workers[OURS].ask(f"save {file.name}", "wrote")
        largest, mean, count = map(float, workers[PEER].ask(f"compare {file.name}", "differ"))
    if not (largest <= LARGEST_DIFFERENCE and mean <= LARGEST_MEAN_DIFFERENCE):
        raise Failure(f"tensors of {OURS} and {PEER} differ by {largest:g}, {mean:g} in the mean; at most "
                      f"{LARGEST_DIFFERENCE:g} and {LARGEST_MEAN_DIFFERENCE:g} are allowed")
    return largest, mean, int(count)


def measure_case(commands, rounds):
    """{"times": {engine: [[ms of each run] of each round]}, "cpu_ms": {engine: of a run}, "differences": of compare}"""
    workers = {}
    try:
        for name, command in commands.items():
            workers[name] = Worker(command)
        differences = compare(workers)
        times, cpu_ms = take_turns(workers, rounds)
        return {"times": times, "cpu_ms": cpu_ms, "differences": differences}
    finally:
        for worker in workers.values():
            worker.close()


def ratios_of(result):
    """Ours / transformers': of medians, of least times, of processor times."""
    ours, peer = (summary_of_rounds(result["times"][name]) for name in (OURS, PEER))
    return ours.median / peer.median, ours.least / peer.least, result["cpu_ms"][OURS] / result["cpu_ms"][PEER]


def speed_lines(results):
    rows = [[CASES[name].title, str(threads), report.cell(result["times"][OURS]), report.cell(result["times"][PEER]),
             ", ".join(f"{ratio:.2f}" for ratio in ratios_of(result))] for name, threads, result in results]
    yield from report.table(["case", "threads", f"{OURS}, ms", f"{PEER}, ms", "ratios: median, least, processor"], rows)


def verdict_line(results):
    slower = sum(ratios_of(result)[0] >= 1 for _, _, result in results)
    middle = statistics.median(ratios_of(result)[0] for _, _, result in results)
    return (f"Of {len(results)} ratios of medians the middle one is {middle:.2f}, the largest "
            f"{max(ratios_of(result)[0] for _, _, result in results):.2f}; "
            + (f"{slower} are NOT below 1." if slower else "all are below 1."))


def difference_lines(results):
    rows = [[CASES[name].title, str(result["differences"][2]), *(f"{d:.2g}" for d in result["differences"][:2])]
            for name, result in {name: result for name, _, result in results}.items()]
    yield from report.table(["case", "numbers", "largest difference", "mean difference"], rows)


def write(path, context, results, start, load_before):
    lines = [INTRODUCTION, *report.machine_lines(context, load_before), "", "## Speed", "", *speed_lines(results), "",
             verdict_line(results), "", "## Differences", "",
             "Of numbers with a fraction; a step of a byte is 0.008 to 0.018 after the deviation was divided out.", "",
             *difference_lines(results), "", "## Start", "",
             f"From starting a process to its first tensors, {CASES[START_CASE].title}, one thread: {OURS} "
             f"{report.cell(start[OURS])} ms, {PEER} {report.cell(start[PEER])} ms."]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def run(context, thread_counts, folder, out):
    prepare(context, folder)
    load_before = os.getloadavg()[0]
    results = []
    for name in [name for name, case in CASES.items() if re.search(context.only, case.title)]:
        for threads in thread_counts:
            results.append((name, threads, measure_case(commands_of(context, folder, name, threads), context.rounds)))
            say(list(speed_lines(results[-1:]))[2])
    if not results:
        raise Failure(f"no case matches {context.only!r}")
    write(out, context, results, measure_start(commands_of(context, folder, START_CASE, 1), context.rounds), load_before)

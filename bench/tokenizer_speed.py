"""Compares our tokenizers with the `tokenizers` package, in turns: docs/tokenizers-performance.md. Part of bench.py
(--tokenizers)."""

import array
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from measure import HERE, Failure, Worker, say
import report
import tokenizer_texts

OURS = "anymodel"
PEERS = {"encode_batch": "encode_batch", "encode_batch_fast": "encode_batch_fast (no offsets)"}
CASES = {"gpt2": "byte-level BPE as GPT-2, 50 257 tokens", "llama3": "byte-level BPE as Llama 3, 128 000 tokens",
         "bert": "WordPiece as BERT, 30 522 tokens", "unigram": "Unigram with NFKC and Metaspace, 32 000 tokens"}
LARGE = "llama3"  # the one whose loading is held against the limit
LOAD_LIMIT_MS, LEAST_RATIO = 60, 2

INTRODUCTION = f"""# Tokenizers beside the `tokenizers` package

Written by `make bench-tokenizers` (bench/README.md says how it measures); no figure is put in by hand.
The documents are made by the command itself: {tokenizer_texts.DESCRIPTION}.
The vocabularies are trained by the package on other documents of the same kind, and both engines open the same
tokenizer.json. Before any timing the ids of all documents are compared: one that differs fails the bench. Each engine has a
process of its own and its turn in every round (A B A B ...). A turn encodes all documents as one batch, with offsets, masks
and tokens; the package is asked for the same (`encode_batch`, an object for each document) and for what it is quickest at
(`encode_batch_fast`). Caches of words are warm on all sides.

Figures are million bytes of text a second: median (least - most) of the rounds. A ratio is ours / package's; above 1 we are
faster. There are two: of the medians, and of the processor time that a byte takes on all threads, which other work on the
machine disturbs less (see the load).
"""


def made_from():
    """A hash of what decides about documents and vocabularies, the project's own texts among it."""
    digest = hashlib.sha256()
    for name in ("tokenizer_make.py", "tokenizer_texts.py", "requirements-tokenizers.txt"):
        with open(f"{HERE}/{name}", "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def prepare(context, folder):
    stamp = f"{folder}/made_from"
    if os.path.exists(stamp) and open(stamp).read() == made_from():
        return
    say("training tokenizers (a minute or two) ...")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    subprocess.run([context.python, f"{HERE}/tokenizer_make.py", folder], check=True)
    with open(stamp, "w") as file:
        file.write(made_from())


def commands_of(context, folder, case, threads):
    files = [f"{folder}/{case}/tokenizer.json", f"{folder}/documents.bin"]
    commands = {OURS: [f"{context.build}/bench/tokenizer_worker", *files, str(threads)]}
    for peer in PEERS:
        commands[peer] = ["env", f"RAYON_NUM_THREADS={threads}", f"TOKENIZERS_PARALLELISM={str(threads > 1).lower()}",
                          context.python, f"{HERE}/tokenizer_peer.py", *files, peer]
    return commands


def read_ids(path):
    """The ids of each document."""
    numbers = array.array("i")
    with open(path, "rb") as file:
        numbers.frombytes(file.read())
    documents, at = [], 0
    while at < len(numbers):
        documents.append(numbers[at + 1:at + 1 + numbers[at]])
        at += 1 + numbers[at]
    return documents


def compare_ids(workers):
    """The number of ids; fails where engines differ."""
    found = {}
    for name, worker in workers.items():
        with tempfile.NamedTemporaryFile() as file:
            worker.ask(f"ids {file.name}", "wrote")
            found[name] = read_ids(file.name)
    ours = found[OURS]
    for name, theirs in found.items():
        if len(theirs) != len(ours):
            raise Failure(f"{name} gave ids of {len(theirs)} documents, {OURS} of {len(ours)}")
        for number, (a, b) in enumerate(zip(ours, theirs)):
            if a != b:
                raise Failure(f"the ids of document {number} by {OURS} and {name} differ")
    return sum(map(len, ours))


def measure_case(commands, rounds):
    """{"times", "cpu_ms": {engine: [ms of each round]}, "ids": their number}"""
    workers = {}
    try:
        for name, command in commands.items():
            workers[name] = Worker(command)
        result = {"ids": compare_ids(workers), "times": {n: [] for n in workers}, "cpu_ms": {n: [] for n in workers}}
        for _ in range(rounds):
            for name, worker in workers.items():
                before = worker.cpu_ms()
                result["times"][name] += worker.run(1)
                result["cpu_ms"][name].append(worker.cpu_ms() - before)
                worker.rest()
        return result
    finally:
        for worker in workers.values():
            worker.close()


def measure_loads(commands, rounds):
    """{engine: ([ms], [processor ms])} of opening tokenizer.json in new processes, after one that does not count."""
    loads = {name: ([], []) for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            worker = Worker(command)
            worker.close()
            if turn:
                loads[name][0].append(worker.load_ms)
                loads[name][1].append(worker.load_details[0])
    return loads


def ratios_of(result, peer):
    """(of the median speeds, of the processor times), ours / peer's"""
    return tuple(statistics.median(result[kind][peer]) / statistics.median(result[kind][OURS])
                 for kind in ("times", "cpu_ms"))


def speed_cell(times, total_bytes):
    speeds = [total_bytes / 1e3 / ms for ms in times]
    return f"{statistics.median(speeds):.1f} ({min(speeds):.1f} - {max(speeds):.1f})"


def speed_lines(results, total_bytes):
    heads = ["tokenizer", "threads", OURS]
    for title in PEERS.values():
        heads += [title, "ratios: median, processor"]
    rows = []
    for case, threads, result in results:
        row = [CASES[case], str(threads), speed_cell(result["times"][OURS], total_bytes)]
        for peer in PEERS:
            row += [speed_cell(result["times"][peer], total_bytes),
                    ", ".join(f"{ratio:.2f}" for ratio in ratios_of(result, peer))]
        rows.append(row)
    yield from report.table(heads, rows)


def verdict_line(results):
    least = min(min(ratios_of(result, peer)) for _, _, result in results for peer in PEERS)
    word = "at least" if least >= LEAST_RATIO else "NOT at least"
    return f"The least of all ratios is {least:.2f}: {word} {LEAST_RATIO} times the package's speed everywhere."


def load_lines(loads):
    rows = [[CASES[case], report.cell(own[OURS][0]), report.cell(own[OURS][1]), report.cell(own["encode_batch"][0]),
             report.cell(own["encode_batch"][1])] for case, own in loads.items()]
    yield from report.table(["tokenizer.json", f"{OURS}, ms", "processor ms", "package, ms", "processor ms"], rows)
    if LARGE in loads:
        wall, cpu = (statistics.median(times) for times in loads[LARGE][OURS])
        yield ""
        yield (f"Opening the one of 128 000 tokens takes {wall:.1f} ms, {cpu:.1f} ms of them processor time (medians): "
               f"{'below' if wall < LOAD_LIMIT_MS else 'NOT below'} {LOAD_LIMIT_MS} ms by the clock, "
               f"{'below' if cpu < LOAD_LIMIT_MS else 'NOT below'} it by processor time.")


def write(path, context, results, loads, texts, load_before):
    total_bytes = sum(len(text.encode()) for text in texts)
    ids = ", ".join(f"{CASES[case]}: {result['ids']}" for case, result in
                    {case: result for case, _, result in results}.items())
    lines = [INTRODUCTION, *report.machine_lines(context, load_before)]
    lines += [f"- {len(texts)} documents, {total_bytes} bytes; ids of {ids}; the same ids from all engines"]
    lines += ["", "## Speed", "", *speed_lines(results, total_bytes), "", verdict_line(results)]
    lines += ["", "## Loading", "", "Opening tokenizer.json, from the system's cache of files, each time in a new process.", "",
              *load_lines(loads)]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def run(context, thread_counts, folder, out):
    prepare(context, folder)
    load_before = os.getloadavg()[0]
    texts = list(tokenizer_texts.read_documents(f"{folder}/documents.bin"))
    total_bytes = sum(len(text.encode()) for text in texts)
    results, loads = [], {}
    for case in [case for case, title in CASES.items() if re.search(context.only, title)]:
        for threads in thread_counts:
            commands = commands_of(context, folder, case, threads)
            results.append((case, threads, measure_case(commands, context.rounds)))
            say("\n".join(list(speed_lines(results[-1:], total_bytes))[2:]))
        commands = {name: command for name, command in commands_of(context, folder, case, 1).items()
                    if name in (OURS, "encode_batch")}
        loads[case] = measure_loads(commands, context.rounds)
        say("\n".join(load_lines({case: loads[case]})))
    write(out, context, results, loads, texts, load_before)

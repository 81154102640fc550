"""Runs engines in turns and compares what they answer. Standard library only."""

import array
import contextlib
import glob
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# Of the largest number of the output, or of 1; float32 engines that add in another order differ by about 1e-5.
LARGEST_DIFFERENCE = 1e-3
TURN_SECONDS = 0.3   # of one engine before the next has its turn
TURN_RUNS = 20       # at most
PROFILE_MS = 500
FIRST_RUNS = 12  # of a process, that do not count: each leaves a part of its packed weights in the cache folder
READER = "reading"  # read_worker.c among the engines
PAUSE_SECONDS = 0.02  # in which threads that wait in loops show
LONGEST_PAUSE_SECONDS = 0.5
RESTING_MS = 0.5  # of a pause, on all threads together


class Failure(Exception):
    pass


class Worker:
    """An engine with a model loaded, in a process of its own."""

    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE)
        try:
            self.load_ms, *self.load_details = map(float, self.read("ready"))
        except Failure:
            self.close()
            raise

    def read(self, expected):
        line = self.process.stdout.readline()
        word, *values = line.split() or [""]
        if word != expected:
            raise Failure(f"{' '.join(self.command)}: expected \"{expected} ...\", found {line!r}")
        return values

    def ask(self, line, expected):
        print(line, file=self.process.stdin, flush=True)
        return self.read(expected)

    def run(self, count):
        """Milliseconds of each of `count` runs."""
        return [float(ms) for ms in self.ask(f"run {count}", "times")]

    def cpu_ms(self):
        """Processor time of all its threads so far."""
        total = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
                total += int(pathlib.Path(path).read_text().split()[0])
        return total / 1e6

    def rest(self):
        """Waits until its threads sleep: some wait for work in loops, on processors that the next engine is to have."""
        end = time.monotonic() + LONGEST_PAUSE_SECONDS
        before, now = -1.0, self.cpu_ms()
        while now - before > RESTING_MS and time.monotonic() < end:
            time.sleep(PAUSE_SECONDS)
            before, now = now, self.cpu_ms()

    def answer(self):
        """The output, all its numbers."""
        with tempfile.NamedTemporaryFile() as file:
            self.ask(f"answer {file.name}", "answered")
            return read_floats(file.name)

    def memory_bytes(self):
        """The most that was resident, mapped files among it."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def command_of(engine, context, model, case, threads):
    """What starts the engine; `context` has the build folder and the interpreter of the bench's environment."""
    if hasattr(engine, "command"):
        return engine.command(context.build, model, case, threads)
    return [context.python, f"{HERE}/worker.py", engine.__name__.split(".")[-1], model, case, str(threads)]


def read_floats(path):
    values = array.array("f")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return values


def largest_difference(a, b):
    """Infinite when sizes differ or a number is not finite."""
    if len(a) != len(b) or not len(a):
        return math.inf
    largest = max(map(abs, map(float.__sub__, a, b)))
    finite = math.isfinite(sum(a)) and math.isfinite(sum(b))
    return largest if finite else math.inf


def limit_of(expected, *tolerances):
    return max(1.0, max(map(abs, expected))) * max(tolerances)


def check_difference(names, difference, limit):
    if not difference <= limit:
        raise Failure(f"the answers of {names[0]} and {names[1]} differ by {difference:g}, more than {limit:g}")


def compare(answers, expected, tolerances={}, own={}):
    """{(engine, engine): largest difference}, each with each and with "expected"; fails when one is too large.
    tolerances: {engine: share of the largest number} of those that are less exact. own: {engine: what is expected of
    it}, of those that round weights in a way of their own: they are held to that, not to others."""
    every = {"expected": expected, **answers}
    names = list(every)
    differences = {(a, b): largest_difference(every[a], every[b]) for i, a in enumerate(names) for b in names[i + 1:]}
    for names, difference in differences.items():
        if not own.keys() & set(names):
            check_difference(names, difference, limit_of(expected, *(tolerances.get(name, LARGEST_DIFFERENCE)
                                                                     for name in names)))
    for name, values in own.items():
        limit = limit_of(values, tolerances.get(name, LARGEST_DIFFERENCE))
        check_difference(("expected", name), largest_difference(answers[name], values), limit)
    return differences


def take_turns(workers, rounds):
    """{engine: [[ms of each run] of each round]} and {engine: processor ms of a run}; every engine runs as often as the
    slowest allows."""
    slowest_ms = max(worker.run(1)[0] for worker in workers.values())
    for worker in workers.values():
        worker.rest()
    count = max(1, min(TURN_RUNS, int(TURN_SECONDS * 1e3 / slowest_ms)))
    times = {name: [] for name in workers}
    cpu_ms = dict.fromkeys(workers, 0.0)
    for _ in range(rounds):
        for name, worker in workers.items():
            before = worker.cpu_ms()
            times[name].append(worker.run(count))
            cpu_ms[name] += (worker.cpu_ms() - before) / (rounds * count)
            worker.rest()
    return times, cpu_ms


def profile_of(worker):
    """Times by kernel: am_profile_put's "profile", or None where the worker cannot tell."""
    return json.loads(" ".join(worker.ask(f"profile {PROFILE_MS}", "profile"))).get("profile")


def work_of(worker):
    return tuple(map(float, worker.ask("work", "work")))


def reading_rate(worker, times):
    """GB/s of a read_worker: of the median, as a token's is."""
    return worker.load_details[0] * 1e-6 / summary_of_rounds(times).median


def measure_case(commands, expected_path, rounds, tolerances={}, ours=None, rounded=(), own={}, reader=None):
    """commands: {engine: command}; reader: that of a read_worker, which has its turns among the engines. Returns
    {"times", "cpu_ms": of take_turns, "differences": of compare, "memory_bytes": {engine: at most}, "work": (FLOPs, bytes of weights, bytes of a KV cache) of a run as
    the engine `ours` counts them, "works": {engine: the same} of those that are `rounded`, "profiles": {engine: profile_of} of
    `ours` and those, "read_gb_per_s": of the reader, or None}. own: {engine: path of what is expected of it} of compare."""
    workers, readers = {}, {}
    try:
        for name, command in commands.items():
            workers[name] = Worker(command)
        if reader:
            readers[READER] = Worker(reader)
        differences = compare({name: w.answer() for name, w in workers.items()}, read_floats(expected_path),
                              tolerances, {name: read_floats(path) for name, path in own.items()})
        times, cpu_ms = take_turns({**workers, **readers}, rounds)
        rates = [reading_rate(worker, times.pop(name)) for name, worker in readers.items()]
        cpu_ms.pop(READER, None)
        memory_bytes = {name: worker.memory_bytes() for name, worker in workers.items()}
        profiles = [(name, profile_of(workers[name])) for name in (ours, *rounded) if name in workers]
        return {"times": times, "cpu_ms": cpu_ms, "differences": differences, "memory_bytes": memory_bytes,
                "work": work_of(workers[ours]) if ours else None,
                "profiles": {name: profile for name, profile in profiles if profile},
                "works": {name: work_of(workers[name]) for name in rounded}, "read_gb_per_s": rates[0] if rates else None}
    finally:
        for worker in [*workers.values(), *readers.values()]:
            worker.close()


def measure_start(commands, rounds):
    """{engine: [ms from starting its process to its first answer]}, in turns, after one start each."""
    times = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            worker = Worker(command)
            worker.run(1)
            if turn:
                times[name].append((time.perf_counter() - start) * 1e3)
            worker.close()
    return times


def measure_processes(command, rounds, first_runs=1, **environment):
    """Milliseconds of the whole process, after `first_runs` that do not count, with these variables set."""
    times = []
    for turn in range(rounds + first_runs):
        start = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, **environment})
        if done.returncode:
            raise Failure(f"{' '.join(command)}: {done.stderr.strip()}")
        if turn >= first_runs:
            times.append((time.perf_counter() - start) * 1e3)
    return times


class Summary:
    """Median, least and most of times in ms."""

    def __init__(self, times):
        self.median, self.least, self.most = statistics.median(times), min(times), max(times)


def summary_of_rounds(rounds):
    return Summary([ms for turn in rounds for ms in turn])


def ratios(ours, peer):
    """(ratio of the medians, ratio of the minima), ours / peer; below 1 is faster."""
    a, b = summary_of_rounds(ours), summary_of_rounds(peer)
    return a.median / b.median, a.least / b.least


def say(text):
    print(text, file=sys.stderr, flush=True)

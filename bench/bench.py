#!/usr/bin/env python3
"""Times anymodel beside other engines, or its targets beside its cpu, on the same weights and inputs, and writes
docs/performance.md, or docs/targets-performance.md; or what makes their inputs beside the Python libraries.

Needs nothing but Python: the engines' packages (requirements.txt) go into an environment in .cache/bench.
"""

import argparse
import glob
import importlib
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
CACHE = f"{ROOT}/.cache/bench"
sys.path.insert(0, HERE)

from measure import FIRST_RUNS, Failure, command_of, measure_case, measure_processes, measure_start, say  # noqa: E402
import report  # noqa: E402
import targets  # noqa: E402
import processor_speed  # noqa: E402
import tokenizer_speed  # noqa: E402
from workloads import all_cases, is_decoder  # noqa: E402

START_WORKLOAD = "minilm"
SENTENCE = "Two kittens are napping in the sun."


class Context:
    """Where things are, and what is measured."""

    def __init__(self, build, only, rounds, needs="requirements", environment="venv", is_tiny=False):
        self.build = os.path.abspath(build)
        self.only, self.rounds, self.prefix = only, rounds, "tiny-" if is_tiny else ""
        self.program = f"{self.build}/anymodel"
        self.requirements, self.environment = f"{HERE}/{needs}.txt", f"{CACHE}/{environment}"
        self.python = f"{self.environment}/bin/python"

    def folder_of(self, workload):
        return f"{CACHE}/{self.prefix}{workload}"


def modules_of(folder):
    names = sorted(os.path.basename(path)[:-3] for path in glob.glob(f"{HERE}/{folder}/*.py"))
    return [name for name in names if not name.startswith("_")]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=f"{ROOT}/build", help="build folder (build)")
    parser.add_argument("--engines", default=",".join(modules_of("engines")), help="peers, of: %(default)s")
    parser.add_argument("--workloads", default=",".join(modules_of("workloads")), help="of: %(default)s")
    parser.add_argument("--only", default="", help="cases in whose title this regular expression is found (all)")
    parser.add_argument("--threads", default="1,2", help="numbers of threads (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every engine (%(default)s), each of several runs where these are short")
    parser.add_argument("--out", help="the report (docs/performance.md, or targets-, tokenizers- or processors-performance.md)")
    parser.add_argument("--targets", action="store_true", help="compare anymodel's targets instead (targets.py)")
    parser.add_argument("--tokenizers", action="store_true", help="time tokenizers instead (tokenizer_speed.py)")
    parser.add_argument("--processors", action="store_true", help="time images and sounds instead (processor_speed.py)")
    parser.add_argument("--tiny", action="store_true", help="small models, to try the bench itself")
    return parser.parse_args()


def make_environment(context):
    """The environment of the requirements; installs them again when their file, or that of their versions, has changed."""
    wanted = open(context.requirements).read()
    if report.CONSTRAINED in wanted:
        wanted += open(f"{HERE}/requirements.txt").read()
    stamp = f"{context.environment}/{os.path.basename(context.requirements)}"
    if os.path.exists(stamp) and open(stamp).read() == wanted:
        return
    say(f"installing what {os.path.relpath(context.requirements)} names (once; PyTorch is several GB) ...")
    os.makedirs(CACHE, exist_ok=True)
    if not os.path.exists(context.python):
        subprocess.run([sys.executable, "-m", "venv", "--clear", context.environment], check=True)
    subprocess.run([context.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement",
                    context.requirements], check=True)
    with open(stamp, "w") as file:
        file.write(wanted)


def commands_of(engines, context, workload, number, threads):
    folder = context.folder_of(workload)
    return {name: command_of(engine, context, f"{folder}/model", f"{folder}/{number}", threads)
            for name, engine in engines.items()}


def reasons_against(engines, workload, number):
    """{engine: why it does not run the case}."""
    is_cached = number >= len(workload.CASES)
    reasons = {name: "it has no KV cache here" for name, engine in engines.items()
               if is_cached and not getattr(engine, "CACHED", False)}
    return {**reasons, **{name: why for name, why in getattr(workload, "WITHOUT", {}).items() if name in engines}}


def engines_for(engines, workload, number):
    """Those that run the case."""
    return {name: engines[name] for name in engines if name not in reasons_against(engines, workload, number)
            and (is_decoder(workload) or not getattr(engines[name], "DECODERS_ONLY", False))}


def weights_bytes(folder):
    return sum(os.path.getsize(path) for path in glob.glob(f"{folder}/model/*.safetensors"))


def free_gb():
    """Of this machine, as NEEDS_GB has them."""
    with open("/proc/meminfo") as file:
        memory = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    return {"memory": memory / 1e9, "disk": shutil.disk_usage(ROOT).free / 1e9}


def reason_too_big(workload, made, free):
    """Why this machine cannot run the workload, or None. made: whether it is on the disk already."""
    needs = {**getattr(workload, "NEEDS_GB", {}), **({"disk": 0} if made else {})}
    lacks = [f"{need} GB of {kind}, of which {free[kind]:.0f} are free" for kind, need in needs.items() if need > free[kind]]
    return f"needs {' and '.join(lacks)}" if lacks else None


def reasons_too_big(workloads, context):
    """{workload: why this machine cannot run it}; what is asked for by name, or small, is run all the same."""
    if context.only or context.prefix:
        return {}
    free = free_gb()
    reasons = {name: reason_too_big(workload, os.path.exists(f"{context.folder_of(name)}/made_from"), free)
               for name, workload in workloads.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def cases_of(workloads, context):
    """(workload's name, number of the case, title) of those wanted."""
    cases = [(name, number, f"{workload.TITLE}, {case}") for name, workload in workloads.items()
             for number, case in enumerate(all_cases(workload))]
    return [case for case in cases if re.search(context.only, case[2])]


def kind_of_case(workload, number):
    """Whether it is a decoder, reads token by token with a cache, reads a prompt; and its weights' dtype."""
    cached, decoder = number >= len(workload.CASES), is_decoder(workload)
    prefill = decoder and not cached and list(all_cases(workload).values())[number][1] > 1
    return {"is_cached": cached, "is_decoder": decoder, "is_prefill": prefill,
            "dtype": getattr(workload, "DTYPE", "float32")}


def engine_details(engines, context):
    """What the engines' libraries say of themselves, each line once."""
    names = [name for name, engine in engines.items() if hasattr(engine, "details")]
    return dict.fromkeys(subprocess.run([context.python, "-c", f"from engines import {name}; print({name}.details())"],
                                        cwd=HERE, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
                         for name in names)


def thread_counts_of(workload, counts):
    return [max(counts)] if hasattr(workload, "NEEDS_GB") else counts


def measure_latency(cases, engines, workloads, context, thread_counts):
    results = []
    tolerances = {name: engine.TOLERANCE for name, engine in engines.items() if hasattr(engine, "TOLERANCE")}
    for name, number, title in cases:
        folder, workload = context.folder_of(name), workloads[name]
        for threads in thread_counts_of(workload, thread_counts):
            commands = commands_of(engines_for(engines, workload, number), context, name, number, threads)
            rounded = [engine for engine in commands if report.is_ours_rounded(engine) or engine == report.OURS_BF16]
            own = {engine: f"{folder}/{number}/expected-{engine}.bin" for engine in commands
                   if hasattr(engines[engine], "round_weights")}
            kind = kind_of_case(workload, number)
            reader = [f"{context.build}/bench/read_worker", str(threads)] if report.is_bound_by_reading(kind) else None
            result = measure_case(commands, f"{folder}/{number}/expected.bin", context.rounds, tolerances, report.OURS,
                                  rounded, own, reader)
            results.append({"title": title, "threads": threads, **kind,
                            "without": reasons_against(engines, workload, number),
                            "weights_bytes": weights_bytes(folder), **result})
            medians = (f"{e} {report.cell(t)}" for e, t in result["times"].items())
            say(f"{title}, {threads} threads: {'; '.join(medians)}")
    return results


def measure_starts(engines, workloads, context, threads):
    name = START_WORKLOAD if START_WORKLOAD in workloads else next(iter(workloads))
    engines = engines_for(engines, workloads[name], 0)
    case = next(iter(all_cases(workloads[name])))
    processes = {}
    fetched = subprocess.run([f"{ROOT}/scripts/fetch_minilm.sh"], stdout=subprocess.PIPE, text=True)
    if fetched.returncode == 0:
        sentence = f"{CACHE}/sentence.txt"
        with open(sentence, "w") as file:
            print(SENTENCE, file=file)
        command = [context.program, "embed", f"{ROOT}/{fetched.stdout.strip()}", sentence, "--threads", str(threads)]
        what = "anymodel embed all-MiniLM-L6-v2: whole process"
        processes[what] = measure_processes(command, context.rounds, FIRST_RUNS)
        processes[f"{what}, no packed weights kept"] = measure_processes(command, context.rounds, ANYMODEL_WEIGHT_CACHE="0")
    return {"title": f"{workloads[name].TITLE}, {case}, {threads} threads",
            "times": measure_start(commands_of(engines, context, name, 0, threads), context.rounds),
            "processes": processes}


def measure_peaks(context, threads):
    """What `anymodel bench` says of the machine."""
    command = [context.program, "bench", f"{ROOT}/examples/models/digits-vit", "--json", "--threads", str(threads)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)["machine"]


def larger(before, after):
    """A peak is the most that was seen, before or after."""
    return {name: max(value, after[name]) if name.startswith("peak_") and value else value for name, value in before.items()}


def prepare(context, engines, folders):
    make_environment(context)
    subprocess.run([context.python, f"{HERE}/prepare.py", CACHE, ",".join(engines), *folders], check=True)


def compare_targets(arguments, context):
    engines = {name: importlib.import_module(f"engines.{name}") for name in targets.ENGINES}
    workloads = {name: importlib.import_module(f"workloads.{name}") for name, _ in targets.CASES}
    prepare(context, engines, [("tiny-" if arguments.tiny else "") + name for name in workloads])
    out = arguments.out or f"{ROOT}/docs/targets-performance.md"
    threads = max(int(n) for n in arguments.threads.split(","))
    try:
        targets.run(engines, workloads, context, threads, CACHE, out, arguments.tiny)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    say(f"written: {os.path.relpath(out)}")


def compare_inputs(arguments, module, what, environment):
    """What makes a model's inputs beside the Python library that does."""
    context = Context(arguments.build, arguments.only, arguments.rounds, f"requirements-{what}", environment)
    make_environment(context)
    out = arguments.out or f"{ROOT}/docs/{what}-performance.md"
    try:
        module.run(context, [int(n) for n in arguments.threads.split(",")], f"{CACHE}/{what}", out)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    say(f"written: {os.path.relpath(out)}")


def main():
    arguments = parse_arguments()
    if arguments.tokenizers:
        compare_inputs(arguments, tokenizer_speed, "tokenizers", "venv-tokenizers")
        return
    if arguments.processors:
        compare_inputs(arguments, processor_speed, "processors", "venv")
        return
    context = Context(arguments.build, arguments.only, arguments.rounds, is_tiny=arguments.tiny)
    if arguments.targets:
        compare_targets(arguments, context)
        return
    names = [report.OURS, *(n for n in arguments.engines.split(",") if n != report.OURS)]
    engines = {name: importlib.import_module(f"engines.{name}") for name in names}
    left_out = {}
    for name in [n for n in engines if hasattr(engines[n], "reason_against")]:
        reason = engines[name].reason_against(context.build)
        if reason:
            left_out[name] = reason
            say(f"{engines.pop(name).TITLE} is left out: {reason}")
    workloads = {name: importlib.import_module(f"workloads.{name}") for name in arguments.workloads.split(",")}
    thread_counts = [int(n) for n in arguments.threads.split(",")]
    for name, reason in reasons_too_big(workloads, context).items():
        title = workloads.pop(name).TITLE
        left_out[title] = reason
        say(f"{title} is left out: it {reason}")
    cases = cases_of(workloads, context)
    workloads = {name: workload for name, workload in workloads.items() if name in {case[0] for case in cases}}
    if not workloads:
        sys.exit(f"bench: no case matches {context.only!r}")
    prepare(context, engines, [context.prefix + name for name in workloads])
    load_before = os.getloadavg()[0]
    peaks = {threads: measure_peaks(context, threads) for threads in thread_counts}
    try:
        results = measure_latency(cases, engines, workloads, context, thread_counts)
        start = measure_starts(engines, workloads, context, max(thread_counts))
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    out = arguments.out or (f"{CACHE}/tiny.md" if arguments.tiny else f"{ROOT}/docs/performance.md")
    peaks = {threads: larger(peaks[threads], measure_peaks(context, threads)) for threads in thread_counts}
    report.write(out, context, results, start, engines, load_before, peaks, left_out, engine_details(engines, context))
    say(f"written: {os.path.relpath(out)}")


if __name__ == "__main__":
    main()

"""One engine in a process of its own; the protocol is that of anymodel_worker.c.

usage: worker.py ENGINE MODEL_DIR CASE_DIR THREADS
"""

import importlib
import os
import sys
import time

DTYPES = {"i64": "int64", "f32": "float32", "bool": "bool"}


def read_inputs(case):
    import numpy
    inputs = {}
    with open(f"{case}/case.txt") as file:
        for kind, *rest in (line.split() for line in file):
            if kind == "input":
                name, dtype, dims, path = rest
                shape = [int(n) for n in dims.split(",")]
                inputs[name] = numpy.fromfile(f"{case}/{path}", DTYPES[dtype]).reshape(shape)
    return inputs


def timed(run):
    start = time.perf_counter()
    result = run()
    return (time.perf_counter() - start) * 1e3, result


def main():
    engine, model, case, threads = sys.argv[1:]
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print does not mix with the replies
    module = importlib.import_module(f"engines.{engine}")
    load_ms, run = timed(lambda: module.load(model, case, read_inputs(case), int(threads)))
    print(f"ready {load_ms:.4f}", file=replies)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "run":
            print("times", *(f"{timed(run)[0]:.4f}" for _ in range(int(argument))), file=replies)
        elif command == "answer":
            answer = run()
            answer.astype("float32").tofile(argument)
            print("answered", answer.size, file=replies)
        else:
            break


if __name__ == "__main__":
    main()

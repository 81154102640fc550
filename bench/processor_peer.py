"""transformers in a process of its own; the protocol is that of processor_worker.c, and one command more.

usage: processor_peer.py FOLDER images|sounds THREADS FILE...
    compare FILE      of a safetensors file and the own tensors       "differ LARGEST MEAN NUMBERS"
LARGEST and MEAN are of the absolute differences of numbers with a fraction; anything else that is not the same, names, shapes
and whole numbers, ends the process with an error.
"""

import sys
import time

import numpy
import torch
from PIL import Image
import safetensors.numpy
import soundfile
import transformers


def timed(run):
    start = time.perf_counter()
    result = run()
    return (time.perf_counter() - start) * 1e3, result


def reply(*words):
    print(*words, flush=True)


def open_processor(folder, kind):
    loader = transformers.AutoFeatureExtractor if kind == "sounds" else transformers.AutoImageProcessor
    return loader.from_pretrained(folder)


def sounds_of(paths):
    read = [soundfile.read(path, dtype="float32") for path in paths]
    return [samples for samples, _ in read], read[0][1]


def process(processor, kind, paths):
    if kind == "sounds":
        samples, rate = sounds_of(paths)
        return processor(samples, sampling_rate=rate, return_tensors="pt")
    return processor([Image.open(path) for path in paths], return_tensors="pt")


def differences(ours, theirs):
    if sorted(ours) != sorted(theirs):
        sys.exit(f"ours are {sorted(ours)}, theirs {sorted(theirs)}")
    largest, total, count = 0.0, 0.0, 0
    for name, expected in theirs.items():
        found = ours[name]
        if found.shape != expected.shape:
            sys.exit(f"{name}: ours is {found.shape}, theirs {expected.shape}")
        if expected.dtype.kind != "f":
            if not numpy.array_equal(found, expected):
                sys.exit(f"{name}: the numbers differ")
            continue
        difference = numpy.abs(found.astype(numpy.float64) - expected)
        largest, total, count = max(largest, difference.max()), total + difference.sum(), count + difference.size
    return largest, total / max(count, 1), count


def main():
    transformers.logging.set_verbosity_error()
    folder, kind, threads, *paths = sys.argv[1:]
    torch.set_num_threads(int(threads))
    load_ms, processor = timed(lambda: open_processor(folder, kind))
    reply("ready", f"{load_ms:.4f}")
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "run":
            reply("times", *(f"{timed(lambda: process(processor, kind, paths))[0]:.4f}" for _ in range(int(argument))))
        elif command == "compare":
            theirs = {name: numpy.asarray(value) for name, value in process(processor, kind, paths).items()}
            reply("differ", *differences(safetensors.numpy.load_file(argument), theirs))
        else:
            break


if __name__ == "__main__":
    main()

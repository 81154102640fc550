#!/usr/bin/env python3
"""Records what PyTorch gives for every op, in double, for tests/ops/test_recorded.c.

Usage: record_ops.py [OP...]      writes tests/ops/data/<op>.json and .safetensors (needs torch, numpy, safetensors)

A case is one line: case(name, attributes, inputs, outputs). Floating-point inputs are numbers that F32 holds exactly; None is an absent
input. The test runs a case once for each of `variants`, lists with the dtype of each input; by default all floating-point inputs are
F64, F32, F16 and BF16 in turn.
"""
import sys

import torch

import ops_composites  # noqa: F401  each registers its recorders
import ops_elements  # noqa: F401
import ops_products  # noqa: F401
from ops_recorder import FOLDER, Recorder, recorders


def main():
    torch.set_default_dtype(torch.float64)
    for op in sys.argv[1:] or recorders:
        recorder = Recorder(op)
        recorders[op](recorder)
        recorder.write()
        print(f"{op}: {len(recorder.cases)} cases, {(FOLDER / (op + '.safetensors')).stat().st_size} bytes")


if __name__ == "__main__":
    main()

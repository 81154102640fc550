"""transformers on PyTorch as in pytorch.py, with autocast to bfloat16."""

from engines import pytorch
from engines._bf16 import TOLERANCE, reason_against  # noqa: F401

TITLE = "PyTorch bf16"
CACHED = True


def load(model, case, inputs, threads):
    import torch

    run = pytorch.load(model, case, inputs, threads)

    def run_in_bf16():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return run()

    return run_in_bf16

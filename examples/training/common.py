"""What the three training scripts share: arguments, seeds, timing, JSON output."""

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
import transformers

SIZE_LIMIT_BYTES = 3_000_000


def arguments(description, defaults):
    """Parse the command line. `defaults`: seed, steps and threads of the script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--output", type=Path, required=True, help="the model directory to write (or to read)"
    )
    parser.add_argument(
        "--evaluate-only", action="store_true", help="print the held-out metrics of --output; no training"
    )
    parser.add_argument("--samples", type=Path, help="write the held-out sample files into this folder")
    parser.add_argument(
        "--expected",
        type=Path,
        metavar="DATA",
        help="write --output/expected.json: what transformers answers on the sample files in folder DATA",
    )
    parser.add_argument("--seed", type=int, default=defaults["seed"])
    parser.add_argument("--steps", type=int, default=defaults["steps"], help="optimiser steps")
    parser.add_argument(
        "--threads",
        type=int,
        default=defaults.get("threads", 1),
        help="other values than the default change the last digits of the result",
    )
    return parser.parse_args()


def prepare(seed, threads):
    """Fix every source of randomness and the thread count, so that a second run gives the same weights."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # costs time, finds only bugs
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def cosine_schedule(optimizer, steps, warmup, floor=0.02):
    """Linear warm-up over `warmup` steps, then a cosine down to `floor` of the peak rate at `steps`."""

    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        progress = (step - warmup) / max(1, steps - warmup)
        return floor + (1 - floor) * 0.5 * (1 + np.cos(np.pi * progress))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def parameter_groups(model, weight_decay):
    """Matrices decay, biases and norm weights do not."""
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


class Progress:
    """A line of the loss, averaged since the last one, every `every` steps."""

    def __init__(self, steps, every):
        self.steps, self.every, self.losses, self.started = steps, every, [], time.time()

    def add(self, step, loss):
        self.losses.append(float(loss))
        if (step + 1) % self.every == 0 or step + 1 == self.steps:
            loss, seconds = np.mean(self.losses), time.time() - self.started
            print(f"step {step + 1:5d}/{self.steps}  loss {loss:.4f}  {seconds:6.1f} s", flush=True)
            self.losses = []


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def report(title, metrics):
    """The lines that a model card quotes."""
    print(f"== {title}")
    for name, value in metrics.items():
        print(f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}", flush=True)


def report_size(directory):
    total = sum(f.stat().st_size for f in directory.iterdir() if f.is_file())
    print(f"{directory}: {total} bytes in {len(list(directory.iterdir()))} files", flush=True)
    if total > SIZE_LIMIT_BYTES:
        raise SystemExit(f"{directory} holds {total} bytes, more than {SIZE_LIMIT_BYTES}")

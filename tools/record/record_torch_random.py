#!/usr/bin/env python3
"""Records what torch draws from seeds on a CPU, for tests/unit/base/test_torch_random.c.

Usage: tools/record/record_torch_random.py      writes tests/unit/base/data/torch_random.json
Needs torch. A list of {"seed", "count", "first", "last"}: of torch.randn(count) the first and the last 20 numbers at
most; counts below 16, whole blocks of 16 and others, and one beyond the 624 words of the generator's state.
"""

import json
import os

import torch

TARGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/unit/base/data/torch_random.json")
SEEDS = [0, 5, 4294967301, 9007199254740991]  # the third has the lower 32 bits of the second
COUNTS = [1, 2, 15, 16, 17, 31, 32, 700]

cases = []
for seed in SEEDS:
    for count in COUNTS:
        torch.manual_seed(seed)
        drawn = torch.randn(count).tolist()
        cases.append({"seed": seed, "count": count, "first": drawn[:20], "last": drawn[-20:]})
os.makedirs(os.path.dirname(TARGET), exist_ok=True)
with open(TARGET, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")

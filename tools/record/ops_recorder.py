"""What the files of recorded cases share: see record_ops.py."""
import json
import math
import pathlib
import zlib

import numpy as np
import torch
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "ops" / "data"
FLOATS = ("f64", "f32", "f16", "bf16")
# Dtypes of x and weight.
MIXED = [["f32", "f32"], ["f32", "bf16"], ["f32", "f16"], ["bf16", "bf16"], ["f16", "f16"], ["f64", "f64"], ["f64", "f32"]]
INF, NAN = math.inf, math.nan

recorders = {}


class Recorder:
    def __init__(self, op):
        self.op, self.cases, self.arrays = op, [], {}
        self.random = np.random.default_rng(zlib.crc32(op.encode()))

    def numbers(self, *shape, low=-2.0, high=2.0):
        """F32 numbers as a double tensor."""
        values = np.asarray(self.random.uniform(low, high, shape), np.float32)
        return torch.from_numpy(np.asarray(values, np.float64))

    def integers(self, low, high, *shape):
        return torch.from_numpy(np.asarray(self.random.integers(low, high, shape), np.int32))

    def truths(self, *shape, part=0.5):
        return torch.from_numpy(np.asarray(self.random.uniform(0, 1, shape) < part))

    def case(self, name, attributes, inputs, outputs, floats=FLOATS, variants=None):
        assert name not in [c["name"] for c in self.cases], name
        if variants is None:
            variants = [[self.dtype(x, f) for x in inputs] for f in floats]
            variants = [v for i, v in enumerate(variants) if v not in variants[:i]]
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        for i, x in enumerate(inputs):
            if x is not None:
                self.arrays[f"{name}.in{i}"] = self.stored(x, np.float32)
        for i, x in enumerate(outputs):
            self.arrays[f"{name}.out{i}"] = self.stored(x, np.float64)
        self.cases.append({"name": name, "attributes": attributes, "inputs": [x is not None for x in inputs],
                           "outputs": len(outputs), "variants": variants})

    @staticmethod
    def dtype(x, floats):
        if x is None:
            return None
        return floats if x.is_floating_point() else {torch.int32: "i32", torch.int64: "i64", torch.bool: "bool"}[x.dtype]

    @staticmethod
    def stored(x, floats):
        x = x.detach().resolve_conj().contiguous()
        values = (x.double() if x.is_floating_point() else x).numpy()
        if not x.is_floating_point():
            return values.copy()
        narrow = values.astype(floats)
        assert np.array_equal(narrow.astype(np.float64), values, equal_nan=True) or floats == np.float64, "not exact in F32"
        return narrow

    def write(self):
        FOLDER.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join("  " + json.dumps(c) for c in self.cases)
        (FOLDER / f"{self.op}.json").write_text(f'{{"op": "{self.op}", "torch": "{torch.__version__}", "cases": [\n{lines}\n]}}\n')
        save_file(self.arrays, FOLDER / f"{self.op}.safetensors")


def records(function):
    recorders[function.__name__.rstrip("_")] = function
    return function


def same(dtype, count):
    return [dtype] * count

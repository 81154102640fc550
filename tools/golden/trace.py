"""`golden.py trace`: what every module of a model gives, to find the first place where two implementations
part.

Each tensor is named by the path of its module. A module that returns several has them numbered (`.0`, `.1`)
or named after their fields; one that is called several times has `#2`, `#3` ... after its path from the
second call on.
"""

import json

import numpy as np
import torch

import bounds
import compare
import reference
from case import Case, save_arrays


class Recorder:
    """Forward hooks on all modules that keep what goes in and out, in the order of completion."""

    def __init__(self, model: torch.nn.Module, with_inputs: bool):
        self.tensors: dict[str, np.ndarray] = {}
        self.calls: dict[str, int] = {}
        self.with_inputs = with_inputs
        for path, module in model.named_modules():
            if path:
                module.register_forward_hook(self.hook(path), with_kwargs=True)

    def hook(self, path: str):
        def keep(_module, args, kwargs, output):
            self.calls[path] = count = self.calls.get(path, 0) + 1
            name = path if count == 1 else f"{path}#{count}"
            if self.with_inputs:
                self.add(f"{name}:in", {**{str(i): value for i, value in enumerate(args)}, **kwargs})
            self.add(name, output)

        return keep

    def add(self, name: str, value) -> None:
        for key, tensor in reference.flatten(value, name).items():
            self.tensors[key] = tensor.detach().cpu().numpy().copy()


def hub_path(own: str, hub: str, path: str) -> str | None:
    """What `path` is called in the file, given one of its parameters under both names."""
    rest = own[len(path) :]
    return hub[: len(hub) - len(rest)] if hub.endswith(rest) else None


def hub_paths(case: Case) -> dict[str, str]:
    """From module paths to their names in the model file, where these differ and the file has weights beneath
    them."""
    cls = reference.model_class(case.data)
    weights, _ = bounds.weights_of(cls, case.data["config"])
    found = {}
    for weight in weights:
        parts = weight.own_name.split(".")
        for depth in range(1, len(parts)):
            path = ".".join(parts[:depth])
            in_file = hub_path(weight.own_name, weight.hub_name, path)
            if in_file and in_file != path:
                found.setdefault(path, in_file)
    return found


def record(case: Case, with_inputs: bool = False, double: bool = True) -> dict[str, np.ndarray]:
    """All intermediate tensors of a case by name, in the order in which they were ready; outputs are under
    `output:`."""
    model = reference.load(case, double)
    recorder = Recorder(model, with_inputs)
    outputs = reference.run(case, double, model)
    return recorder.tensors | {f"output:{name}": array for name, array in outputs.items()}


def trace(case: Case, path: str, with_inputs: bool) -> int:
    """Writes a trace and lists it. The file's metadata has the order of the tensors and the names of weights
    files use."""
    tensors = record(case, with_inputs)
    save_arrays(
        tensors,
        path,
        {
            "format": "pt",
            "case": case.name,
            "order": json.dumps(list(tensors)),
            "hub_names": json.dumps(hub_paths(case)),
        },
    )
    for name, array in tensors.items():
        print(f"{name:70} {str(list(array.shape)):20} rms {compare.statistics(array)['rms']:.6g}")
    return 0

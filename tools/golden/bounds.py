"""Which bounds a weight gets: the rules by which `make` turns a class into a list of tensors.

A golden model is random, yet it must behave like a trained one: activations of size 1 in every layer, norms
that do something, biases that show when they are forgotten. The rules, in the order they are tried:

    whole numbers (batch counters), masks       stored as they are
    running mean, running variance              -0.2 .. 0.2    and    0.5 .. 1.5
    weight-norm magnitude, direction            0.75 .. 1.25   and    -1 .. 1
    embeddings                                  -1 .. 1
    weights of linear and convolution layers    -b .. b with b = sqrt(3 / fan_in): a variance of 1 / fan_in
    other matrices called weight in the file    the same, fan_in being the last dimension
    bias vectors                                -0.125 .. 0.125
    weights of norms                            0.75 .. 1.25; -0.25 .. 0.25 if initially zero (as 1 + w)
    initially zero                              -0.25 .. 0.25
    initially another constant c                0.75 c .. 1.25 c;   0.5 .. 1 below 0.01 (layer scales)
    initially random, and small                 -0.5 .. 0.5
    initially random                            the least and greatest initial value

"Initially" is after building the class with torch's generator seeded with 0. All bounds are rounded to six
significant bits, so that they are short in JSON and exact in float32.
"""

import dataclasses
import json
import math
import tempfile
from pathlib import Path

import torch
from safetensors import safe_open
from transformers.pytorch_utils import Conv1D

from formula import round_to_bits

SMALL = 0.1
LINEAR = (torch.nn.Linear, torch.nn.modules.conv._ConvNd, Conv1D)


@dataclasses.dataclass
class Weight:
    """A tensor of the model file: its name and shape there, its name and initial value inside the model, its
    bounds."""

    hub_name: str
    own_name: str
    shape: list[int]
    array: torch.Tensor
    bounds: tuple[float, float] | None = None  # None: the array is stored

    def entry(self) -> list:
        """The line of `tensors`."""
        if self.bounds is None:
            return [
                self.hub_name,
                {torch.int64: "I64", torch.float32: "F32", torch.bool: "BOOL"}[self.array.dtype],
                self.shape,
                "raw",
            ]
        return [self.hub_name, "F32", self.shape, *self.bounds]


def fan_in(module: torch.nn.Module, weight: torch.Tensor) -> int:
    """How many inputs each output of a layer sums."""
    if isinstance(module, Conv1D):  # stored [inputs, outputs]
        return weight.shape[0]
    if isinstance(module, torch.nn.modules.conv._ConvTransposeNd):  # stored [inputs, outputs, kernel]
        return weight.shape[0] * math.prod(weight.shape[2:])
    return math.prod(weight.shape[1:])


def bounds_of(weight: Weight, module: torch.nn.Module, name: str) -> tuple[float, float] | None:
    """The bounds of one tensor, from the module that holds it, its name there, its initial value, and the
    file's names."""
    value = weight.array
    if not value.is_floating_point():
        return None
    named = {
        "running_mean": (-0.2, 0.2),
        "running_var": (0.5, 1.5),
        "original0": (0.75, 1.25),
        "original1": (-1.0, 1.0),
    }
    if name in named:
        return named[name]
    if isinstance(module, torch.nn.Embedding):
        return -1.0, 1.0
    is_layer = name == "weight" and isinstance(module, LINEAR)
    if is_layer or (weight.hub_name.endswith("weight") and len(weight.shape) == 2):
        bound = math.sqrt(3 / (fan_in(module, value) if is_layer else weight.shape[-1]))
        return -bound, bound
    if name.endswith("bias") and value.dim() == 1:
        return -0.125, 0.125
    if name == "weight" and "Norm" in type(module).__name__:
        return (0.75, 1.25) if value.any() else (-0.25, 0.25)
    if type(module).__name__ == "Qwen3OmniMoeTalkerTextExperts":  # which the library leaves as memory was
        bound = math.sqrt(3 / weight.shape[-1])
        return -bound, bound
    return bounds_of_initial(value)


def bounds_of_initial(value: torch.Tensor) -> tuple[float, float]:
    """Bounds that follow from what the class itself puts into a parameter."""
    least, greatest = value.min().item(), value.max().item()
    if least == greatest:
        if greatest == 0.0:
            return -0.25, 0.25
        return (0.5, 1.0) if 0.0 < greatest < 0.01 else tuple(sorted((0.75 * greatest, 1.25 * greatest)))
    return (-0.5, 0.5) if max(-least, greatest) < SMALL else (least, greatest)


def holder(model: torch.nn.Module, name: str) -> tuple[torch.nn.Module, str]:
    """The module that holds a parameter, and the parameter's name in it."""
    path, _, last = name.rpartition(".")
    return model.get_submodule(path), last


def hub_names(model: torch.nn.Module) -> tuple[dict[str, tuple[str, list[int]]], dict]:
    """For each name of a model file the name inside the model and the shape in the file; and the config.json
    beside it.

    The library renames and splits tensors when it saves. To see what becomes of what, every parameter is
    filled with a number of its own, and the saved file is searched for these numbers. The model's weights are
    lost.
    """
    persistent = model.state_dict(keep_vars=True)
    own = [name for name, _ in model.named_parameters()]
    own += [name for name, _ in model.named_buffers() if name in persistent]
    with torch.no_grad():
        for number, name in enumerate(own):
            persistent[name].fill_(number)
    found = {}
    with tempfile.TemporaryDirectory() as directory:
        model.save_pretrained(directory)
        with safe_open(Path(directory) / "model.safetensors", "pt") as file:
            for hub_name in file.keys():
                tensor = file.get_tensor(hub_name)
                found[hub_name] = own[int(tensor.flatten()[0])], list(tensor.shape)
        config = json.loads((Path(directory) / "config.json").read_text())
    return found, config


def untie(model: torch.nn.Module) -> None:
    """Gives tied parameters weights of their own.

    Some configurations (T5's) insist on `tie_word_embeddings` while the library still loads untied files as
    such.
    """
    for target in model.all_tied_weights_keys:
        module, name = holder(model, target)
        setattr(module, name, torch.nn.Parameter(getattr(module, name).detach().clone()))
    model.all_tied_weights_keys = {}
    model.config.tie_word_embeddings = False


def weights_of(cls, settings: dict) -> tuple[list[Weight], dict]:
    """All tensors of a class's model file, by name, and its config.json."""
    torch.manual_seed(0)
    model = cls(cls.config_class.from_dict(settings)).float()
    if settings.get("tie_word_embeddings") is False and model.config.tie_word_embeddings:
        untie(model)
    initial = {name: value.detach().clone() for name, value in model.state_dict().items()}
    with_hub_names, saved_config = hub_names(model)
    weights = []
    for hub_name, (own_name, shape) in sorted(with_hub_names.items()):
        if hub_name in initial and initial[hub_name].dtype == torch.bool:
            own_name = hub_name  # a mask, whose two values say nothing of where it comes from
        weight = Weight(hub_name, own_name, shape, initial[own_name])
        bounds = bounds_of(weight, *holder(model, own_name))
        weight.bounds = bounds and tuple(round_to_bits(bound, 6) for bound in bounds)
        weights.append(weight)
    return weights, saved_config

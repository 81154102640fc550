"""The reference: a case built and run in transformers, in double or in single precision.

A model is built the way a user gets one: config.json and model.safetensors are written to a temporary
directory, under the names of published files, and `from_pretrained` reads them. So the library's own renaming
and re-packing of weights applies, and a name that it does not expect, or misses, is an error here.
"""

import contextlib
import importlib
import inspect
import json
import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

from case import Case

NEW_TOKENS = 8
torch.set_num_threads(1)
warnings.filterwarnings("ignore")
logging.getLogger("transformers").setLevel(logging.ERROR)
transformers.utils.logging.disable_progress_bar()


class Unsupported(ValueError):
    """The installed transformers has no such class, or cannot load it."""


@contextlib.contextmanager
def every_step_in_double():
    """Within this context a model of double weights computes in double only.

    Models ask for float32 by name where they want more than half precision (softmax, norms, rotary angles),
    which would lose digits of a float64 computation. So torch.float32 itself is made to mean float64 for the
    time being. What a model draws from a seed of its own (Reformer) are the numbers that every user has: torch
    draws others in double.
    """
    single, convert, default = torch.float32, torch.Tensor.float, torch.get_default_dtype()
    draw = torch.randn

    def draw_in_single(*shape, dtype=None, **more):
        return draw(*shape, dtype=single, **more).to(dtype or torch.float64)

    torch.randn = draw_in_single
    torch.float32 = torch.float = torch.float64
    torch.Tensor.float = torch.Tensor.double
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(default)
        torch.Tensor.float = convert
        torch.float32 = torch.float = single
        torch.randn = draw


def precision(double: bool):
    """The context in which a model of this precision is run."""
    return every_step_in_double() if double else contextlib.nullcontext()


def model_class(data: dict):
    """The class of a case, by name from transformers or from the case's module."""
    try:
        return getattr(importlib.import_module(data.get("module", "transformers")), data["architecture"])
    except (ImportError, AttributeError) as error:
        raise Unsupported(f"{data['architecture']}: {error}") from error


def load(case: Case, double: bool = False) -> torch.nn.Module:
    """The case's model.

    It is built in float32 and widened afterwards, so that tables a class computes when it is built (the
    frequencies of rotary positions) have the float32 values that every user has.
    """
    with tempfile.TemporaryDirectory() as directory:
        save_file(case.weights(), Path(directory) / "model.safetensors", {"format": "pt"})
        (Path(directory) / "config.json").write_text(json.dumps(case.data["config"]))
        model, report = model_class(case.data).from_pretrained(
            directory,
            attn_implementation=case.data.get("attention", "eager"),
            experts_implementation="eager",
            dtype=torch.float32,
            output_loading_info=True,
        )
    problems = {key: sorted(map(str, found)) for key, found in report.items() if found}
    if problems:
        raise ValueError(f"{case.name}: weights do not fit the class: {problems}")
    if double:
        model.double()
        for part in model.modules():  # some cast what they are given to the type that their configuration names
            if getattr(getattr(part, "config", None), "dtype", None) == torch.float32:
                part.config.dtype = torch.float64
    return model.eval()


def arguments(case: Case, double: bool) -> dict:
    """The inputs as tensors, or lists where the case says so, dotted names nested: `past.0` is an element of the list
    `past`."""
    result: dict = {}
    lists = {entry["name"] for entry in case.data["inputs"] if entry.get("list")}
    for name, array in case.inputs().items():
        tensor = torch.from_numpy(array)
        if double and array.dtype == np.float32:
            tensor = tensor.double()
        *path, last = name.split(".")
        place = result
        for part in path:
            place = place.setdefault(part, {})
        place[last] = tensor.tolist() if name in lists else tensor
    return {name: listed(value) for name, value in result.items()}


def listed(value):
    """A nested dictionary whose keys are all numbers, as a list."""
    if not isinstance(value, dict):
        return value
    value = {name: listed(inner) for name, inner in value.items()}
    return [value[str(i)] for i in range(len(value))] if all(name.isdigit() for name in value) else value


def call(model: torch.nn.Module, data: dict, given: dict):
    """One forward, without a cache."""
    function = getattr(model, data.get("method", "forward"))
    given = {**given, **data["kwargs"]}
    if "use_cache" in inspect.signature(function).parameters:
        given["use_cache"] = False
    elif hasattr(model.config, "use_cache"):
        model.config.use_cache = False
    with torch.no_grad():
        return (model if function == model.forward else function)(**given)


def flatten(value, name: str = "") -> dict[str, torch.Tensor]:
    """The tensors of a model's output under the names a golden file gives them; caches and losses are left
    out."""
    if isinstance(value, torch.Tensor):
        return {name or "output": torch.view_as_real(value) if value.is_complex() else value}
    if isinstance(value, dict):
        items = [
            (key, inner) for key, inner in value.items() if key not in ("loss", "mems") and not key.startswith("past_")
        ]
    elif isinstance(value, (tuple, list)):
        items = [(str(i), inner) for i, inner in enumerate(value)]
    else:
        return {}  # None, a cache object
    found = {}
    for key, inner in items:
        found |= flatten(inner, f"{name}.{key}" if name else key)
    return found


def run(case: Case, double: bool, model: torch.nn.Module | None = None) -> dict[str, np.ndarray]:
    """All outputs of the case, whole, in the precision computed."""
    model = model or load(case, double)
    with precision(double):
        found = flatten(call(model, case.data, arguments(case, double)))
        return {name: tensor.detach().numpy() for name, tensor in found.items()}


def has_own_loop(model: torch.nn.Module) -> bool:
    """Whether its `generate` is not the library's. RAG's reads the documents first and begins the texts itself; it
    knows no max_new_tokens and goes on to max_length, which is 20."""
    return model.config.model_type == "rag"


def has_parts_that_generate(model: torch.nn.Module) -> bool:
    """Whether its `generate` is that of a part, which the library's loop cannot run for the whole: BLIP's decoder, or
    the text model after BLIP-2's queries."""
    return model.config.model_type in ("blip", "blip-2", "instructblip", "instructblipvideo")


def loop(model: torch.nn.Module):
    """The function that generates, which takes the model first."""
    return type(model).generate if has_own_loop(model) else transformers.GenerationMixin.generate


def generate(
    case: Case,
    names: list[str],
    start: list[int] | None,
    double: bool = True,
    model: torch.nn.Module | None = None,
) -> tuple[list[list[int]], float]:
    """Greedy tokens after the named inputs, and the least gap between the two best logits of any step.

    The library's own loop runs, with its cache. For causal models the cache changes nothing. For an encoder
    with a language model's head (BertLMHeadModel without `is_decoder`) it does: the tokens given see one
    another in both directions, each new token sees all before it, and no token is computed again when a later
    one arrives.
    """
    model = model or load(case, double)
    with precision(double), torch.no_grad():
        given = {name: tensor for name, tensor in arguments(case, double).items() if name in names}
        if "input_ids" in given:
            given["attention_mask"] = torch.ones_like(given["input_ids"])
        if start and not has_own_loop(model):
            given["decoder_input_ids"] = torch.tensor([start] * next(iter(given.values())).shape[0])
        settings = transformers.GenerationConfig(
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
            decoder_start_token_id=start[0] if start else None,
            return_dict_in_generate=True,
            output_logits=True,
        )
        model.generation_config = settings  # otherwise the model's own would fill in its end-of-text tokens
        result = loop(model)(model, **given, generation_config=settings)
        gaps = [torch.diff(logits.topk(2, dim=-1).values.flip(-1)).min().item() for logits in result.logits]
        return result.sequences[:, -len(gaps) :].tolist(), min(gaps)

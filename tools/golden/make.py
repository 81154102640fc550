"""`golden.py make`: a new case from a class, a configuration and a description of the inputs."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

import bounds
import compare
import formula
import reference
from case import DTYPES, Case, dtype_name, write


@dataclasses.dataclass
class Recipe:
    """What a case is made from. `inputs` is a list as in a golden file, or in the forms of `realize`."""

    name: str
    architecture: str
    config: dict
    inputs: list[dict]
    kwargs: dict = dataclasses.field(default_factory=dict)
    salt: str = ""
    module: str | None = None
    raw_config: bool = False  # config.json is `config` itself, not what transformers writes for it
    weights: str = "F32"  # dtype of the floating-point weights; others than F32 are stored as arrays
    single: bool = False  # the reference is what float32 gives: see `is_single`
    attention: str | dict | None = None  # transformers' implementation, or by sub-configuration; None: eager


def is_single(base: Case, inputs: list[dict]) -> bool:
    """Whether cases made after `base` with such inputs are referred to float32, as base is: where -1e9 is added to
    every score of a padded row, float32 forgets the scores and float64 does not."""
    referred = any(entry.get("reference") == "f32" for entry in base.data["outputs"])
    return referred and any(entry["name"] == "attention_mask" for entry in inputs)


def realize(entry: dict, recipe: Recipe) -> tuple[dict, np.ndarray | None]:
    """One input as a golden file describes it, and its array where that must be stored.

    Besides the forms of the format (`lo` and `hi`, `fill`) a recipe may say
        "ids": [low, high]    whole numbers drawn from the name, with "shape"
        "mask": [7, 5]        ones, and zeros over the end of each row, so many ones a row
        "values": [[...]]     the numbers themselves
    """
    name = entry["name"]
    if "lo" in entry or "fill" in entry:
        return {"dtype": "F32", **entry}, None
    if "ids" in entry:
        array = formula.integers(f"{recipe.salt}input:{recipe.name}:{name}", entry["shape"], *entry["ids"])
    elif "mask" in entry:
        array = np.arange(max(entry["mask"])) < np.array(entry["mask"])[:, None]
    elif "values" in entry:
        array = np.array(entry["values"])
    else:
        raise ValueError(f"input {name}: expected one of lo, fill, ids, mask, values")
    array = array.astype(DTYPES[entry.get("dtype", "I64")])
    made = {"name": name, "dtype": dtype_name(array), "shape": list(array.shape), "data": "raw"}
    return made | ({"list": True} if entry.get("list") else {}), array


def store_weights(recipe: Recipe, tensors: list[list], arrays: dict[str, np.ndarray]) -> None:
    """Rounds the weights to the recipe's dtype and stores them as arrays in it."""
    for i, (name, _, shape, *bounds) in enumerate(tensors):
        if bounds != ["raw"]:
            array = formula.values(recipe.salt + name, shape, *bounds)
            arrays[f"{recipe.name}/weight/{name}"] = array.astype(DTYPES[recipe.weights])
            tensors[i] = [name, recipe.weights, shape, "raw"]


def start_case(recipe: Recipe) -> Case:
    """The case without outputs: configuration, tensors and inputs."""
    data = {"case": recipe.name, "architecture": recipe.architecture}
    if recipe.module:
        data["module"] = recipe.module
    if recipe.attention:
        data["attention"] = recipe.attention
    weights, config = bounds.weights_of(reference.model_class(data), recipe.config)
    arrays = {
        f"{recipe.name}/weight/{weight.hub_name}": weight.array.numpy()
        for weight in weights
        if weight.bounds is None
    }
    tensors = [weight.entry() for weight in weights]
    if recipe.weights != "F32":
        store_weights(recipe, tensors, arrays)
    inputs = []
    for entry in recipe.inputs:
        described, array = realize(entry, recipe)
        inputs.append(described)
        if array is not None:
            arrays[f"{recipe.name}/input/{entry['name']}"] = array
    data |= {
        "salt": recipe.salt,
        "config": {**recipe.config, "architectures": [recipe.architecture]} if recipe.raw_config else config,
        "tensors": tensors,
        "inputs": inputs,
        "kwargs": recipe.kwargs,
    }
    return Case(data, arrays)


def digits(x: float, count: int) -> float:
    """x with so many decimal digits, as golden files print it."""
    return float(f"{x:.{count}g}")


def describe(case: Case, name: str, exact: np.ndarray, single: np.ndarray) -> dict:
    """The entry of one output; its stored elements go to the case's arrays."""
    is_float = exact.dtype.kind == "f"
    with np.errstate(over="ignore"):  # masks hold the lowest float64, which is minus infinity in float32
        whole = exact.astype(np.float32) if is_float else exact
    entry = {"name": name, "dtype": dtype_name(whole), "shape": list(whole.shape)}
    entry["stored"] = "full" if whole.size <= formula.FULL_LIMIT else "sampled"
    case.arrays[f"{case.name}/output/{name}"] = compare.stored_part(case.name, entry, whole)
    found = compare.statistics(exact)
    entry |= {key: digits(found[key], 7) for key in ("rms", "mean", "max")}
    if found["far"]:
        entry["far"] = found["far"]
    if is_float and exact is single:
        entry["reference"] = "f32"
    elif is_float:
        near = np.abs(exact) <= compare.FAR
        error = np.abs(single.astype(np.float64)[near] - exact[near])
        entry["torch_err"] = digits(float(error.max()), 4) if error.size else 0.0
    return entry


STAYING = ("mask", "grid", "sizes", "second_per", "num_local")  # inputs that say what the others are like


def other_inputs(case: Case) -> Case:
    """The same case with other inputs: floats negated, the tokens of a row moved on by one; masks and sizes stay."""
    arrays = {key: case.arrays[key] for key in case.arrays.keys()}
    tokens = next((len(entry["shape"]) for entry in case.data["inputs"] if entry["name"] == "input_ids"), 1)
    inputs = []
    for entry in case.data["inputs"]:
        array = case.input(entry)
        stays = any(part in entry["name"] for part in STAYING)
        if array.dtype == np.float32 and not stays:
            array = -array
            if entry["name"] == "flattened_patches":
                array[..., :2] *= -1  # rows and columns stay
        elif not stays:
            array = np.roll(array, 1, axis=min(tokens, array.ndim) - 1)
        arrays[f"{case.name}/input/{entry['name']}"] = array
        inputs.append(
            {**{key: entry[key] for key in ("name", "dtype", "shape", "list") if key in entry}, "data": "raw"}
        )
    return Case({**case.data, "inputs": inputs}, arrays)


NO_TEXTS = ("ForCTC", "ForRNNT", "ForTDT", "RealtimeForConditionalGeneration", "DiaForConditionalGeneration",  # whose tokens come of frames
            "ToSpeech", "SeamlessM4TModel", "SeamlessM4Tv2Model")  # whose answer is speech
# Without which nothing is seen or heard.
SEEN_AND_HEARD = ("feature_attention_mask", "input_features_mask", "image_attention_mask", "audio_attention_mask")


def generation_inputs(case: Case, model: torch.nn.Module, outputs: list[dict]) -> list[str]:
    """The inputs that a text is continued from; none where the class does not generate, or does so in a way of its own:
    codebooks a step apart, all tokens at once."""
    config = case.data["config"]
    if "num_codebooks" in config or "num_codebooks" in config.get("decoder", {}) or case.data["architecture"].endswith(NO_TEXTS):
        return []
    logits = [entry for entry in outputs if entry["name"] == "logits" and len(entry["shape"]) == 3]
    if not (getattr(model, "can_generate", lambda: False)() and logits) or reference.has_parts_that_generate(model):
        return []
    if model.main_input_name == "input_ids" and not any(entry["name"] == "input_ids" for entry in case.data["inputs"]):
        return []  # other inputs in place of words, which no loop begins with
    return [
        entry["name"]
        for entry in case.data["inputs"]
        if not entry["name"].startswith("decoder_")
        and entry["name"] not in ("input_shape_ids", "input_pronunciation_ids")  # which no text grows
        and ("mask" not in entry["name"] or entry["name"].startswith("context_") or entry["name"] in SEEN_AND_HEARD)
    ]


def repeats(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether a second run gave the same. What is drawn at random may leave everything but the order of sums as it is:
    then doubles differ by rounding only."""
    if first.dtype != np.float64 or first.shape != second.shape:
        return np.array_equal(first, second, equal_nan=True)
    return np.allclose(first, second, rtol=1e-10, atol=1e-10 * float(np.abs(first).max(initial=0.0)), equal_nan=True)


def make(recipe: Recipe) -> Case:
    """The complete case: outputs in double, what single precision loses, and greedy tokens where the class
    generates."""
    case = start_case(recipe)
    double = not recipe.single
    model = reference.load(case, double)
    exact = reference.run(case, double, model)
    again = reference.run(case, double, model)
    moved = reference.run(other_inputs(case), double, model)
    single = reference.run(case, False) if double else exact
    outputs = []
    for name, array in exact.items():
        entry = describe(case, name, array, single[name])
        if not repeats(array, again[name]):
            entry["random"] = True
        elif np.array_equal(array, moved[name], equal_nan=True):
            entry["fixed"] = True
        outputs.append(entry)
    case.data |= {
        "outputs": outputs,
        "reference": "f64" if double else "f32",
        "random": any("random" in entry for entry in outputs),
    }
    add_generation(case, model)
    return case


def add_generation(case: Case, model: torch.nn.Module) -> None:
    """Adds `generate` to a case whose class can."""
    names = generation_inputs(case, model, case.data["outputs"])
    if not names:
        return
    config = case.data["config"]
    start = None
    if config.get("is_encoder_decoder"):
        start = [config["decoder_start_token_id" if "decoder_start_token_id" in config else "bos_token_id"]]
    ids, margin = reference.generate(case, names, start, True, model)
    case.data["generate"] = {"inputs": names, "ids": ids, "min_margin": digits(margin, 4)}
    if start:
        case.data["generate"]["start"] = start


def make_file(
    architecture: str,
    config: Path,
    inputs: Path,
    output: Path,
    variant: str | None,
    salt: str,
    module: str | None,
    append: bool,
    attention: str | dict | None,
) -> int:
    """Makes one case and writes it. `inputs` is a list of inputs, or {"inputs": list, "kwargs": {...}}."""
    described = json.loads(inputs.read_text())
    if isinstance(described, list):
        described = {"inputs": described}
    recipe = Recipe(
        f"{architecture}+{variant}" if variant else architecture,
        architecture,
        json.loads(config.read_text()),
        described["inputs"],
        described.get("kwargs", {}),
        salt,
        module,
        attention=attention,
    )
    case = make(recipe)
    write(output, [case], append)
    for entry in case.data["outputs"]:
        print(
            f"{case.name}: {entry['name']} {entry['shape']} rms {entry['rms']} "
            f"torch_err {entry.get('torch_err')}"
        )
    return 0

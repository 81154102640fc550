"""`golden.py switches`: cases that turn what `variations` leaves alone.

A variation changes sizes. Here each case turns one switch of a configuration, or has one unusual kind of input:
an activation, a kind of rotary scaling with a text beyond the original length, a mask with holes, one token.
What to turn is in `switch_table.py`; the rest of a case is taken from the golden case of the same class.
"""

import copy
import dataclasses
import zlib
from pathlib import Path

import numpy as np

import compare
import formula
import make
from case import Case, read, write

ATTEMPTS = 8
ABSENT = object()  # as a value: the field is left out of the configuration


@dataclasses.dataclass
class Switch:
    """One case to make: `name` follows the class in its name."""

    architecture: str
    name: str
    config: dict = dataclasses.field(default_factory=dict)  # fields that differ; dictionaries are merged
    raw: bool = False  # config.json keeps the fields as given, where transformers would write them anew
    rows: int = 2
    length: int = 7
    decoder_length: int = 0  # 0: like length
    mask: str | None = "right"  # ones, right, left, holes; None: no mask is given
    inputs: dict = dataclasses.field(default_factory=dict)  # by name: an entry as `make` takes it, or None
    kwargs: dict = dataclasses.field(default_factory=dict)
    weights: str = "F32"  # the dtype of the weights


def crossed(architecture: str, width: int, **config) -> list[Switch]:
    """A decoder by itself that attends to given states, all of them or some."""
    states = {"encoder_hidden_states": {"shape": [2, 5, width], "lo": -1.0, "hi": 1.0}}
    mask = {"encoder_attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}
    config = {"add_cross_attention": True, **config}
    return [Switch(architecture, "crossed", config, inputs=states | mask, mask="left"),
            Switch(architecture, "crossed_unmasked", config, inputs=states, mask=None),
            Switch(architecture, "not_crossed", config, mask="right")]


def merged(base: dict, changes: dict) -> dict:
    """`base` with the changes: dictionaries are merged, ABSENT takes a field away."""
    result = copy.deepcopy(base)
    for field, value in changes.items():
        if value is ABSENT:
            result.pop(field, None)
        elif isinstance(value, dict) and isinstance(result.get(field), dict) and "rope_type" not in value:
            result[field] = merged(result[field], value)
        else:
            result[field] = copy.deepcopy(value)
    return result


def mask_of(kind: str, shape: list[int]) -> np.ndarray:
    """An attention mask; the first row of padded ones is whole, the others have ever fewer tokens."""
    mask = np.ones(shape, np.int64)
    flat = mask.reshape(-1, shape[-1])
    length = shape[-1]
    for row in range(len(flat)):
        gap = min(length - 1, row * max(1, length // 4))
        if kind == "right":
            flat[row, length - gap :] = 0
        elif kind == "left":
            flat[row, :gap] = 0
        elif kind == "holes":
            flat[row, 1 + row :: 3] = 0
            flat[row, 0] = 1
    return mask


class SwitchInputs:
    """The inputs of a switch, of the kinds that its golden case has."""

    def __init__(self, switch: Switch, base: Case, config: dict, name: str, salt: str):
        self.switch, self.base, self.name, self.salt = switch, base, name, salt
        self.config = config
        self.text_config = config.get("text_config", config)

    def all(self) -> list[dict]:
        given = {
            entry["name"]: None if entry["name"] in self.switch.inputs else self.one(entry)
            for entry in self.base.data["inputs"]
        }
        given |= {name: entry and {"name": name, **entry} for name, entry in self.switch.inputs.items()}
        return [entry for entry in given.values() if entry]

    def one(self, entry: dict) -> dict | None:
        name, shape = entry["name"], list(entry["shape"])
        shape[0] = self.switch.rows
        if "lo" in entry or "fill" in entry:
            return {**{key: entry[key] for key in entry if key not in ("data",)}, "shape": shape}
        shape[-1] = self.switch.length
        if name.startswith("decoder_") and self.switch.decoder_length:
            shape[-1] = self.switch.decoder_length
        if name == "global_attention_mask":
            marks = formula.integers(f"{self.salt}ids:{self.name}:{name}", shape, 0, 1)
            return {"name": name, "values": marks.tolist()}
        if name.endswith("attention_mask"):
            return self.switch.mask and {"name": name, "values": mask_of(self.switch.mask, shape).tolist()}
        high = self.config.get("type_vocab_size", 2) if name == "token_type_ids" else 0
        low, high = (0, high - 1) if high else (6, self.vocab_size() - 4)
        ids = formula.integers(f"{self.salt}ids:{self.name}:{name}", shape, low, high)
        return {"name": name, "values": self.ended(name, ids).tolist()}

    def vocab_size(self) -> int:
        return self.text_config.get("vocab_size") or 99

    def ended(self, name: str, ids: np.ndarray) -> np.ndarray:
        """With the end token last, in classes that look for it."""
        eos = self.text_config.get("eos_token_id")
        is_clip = str(self.text_config.get("model_type", "")).startswith("clip")
        if (
            name == "input_ids"
            and isinstance(eos, int)
            and (is_clip or self.config.get("is_encoder_decoder"))
        ):
            if eos < self.vocab_size():
                ids[..., -1] = eos
        return ids


def flaws(case: Case) -> list[str]:
    """Why a case is a poor test."""
    found = []
    for entry in case.data["outputs"]:
        if entry.get("torch_err", 0.0) > 1e-4 * entry["rms"]:
            found.append(f"{entry['name']}: torch_err {entry['torch_err']} at rms {entry['rms']}")
    if case.data.get("generate", {}).get("min_margin", 1.0) < 2 * compare.MARGIN:
        found.append(f"generate: min_margin {case.data['generate']['min_margin']}")
    return found


def make_switch(switch: Switch, base: Case) -> Case:
    """The case, drawn again while tokens are too close to call."""
    name = f"{switch.architecture}+{switch.name}"
    config = merged(base.data["config"], switch.config)
    if "num_labels" in config and "num_labels" in switch.config:
        config.pop("id2label", None), config.pop("label2id", None)
    for attempt in range(ATTEMPTS):
        salt = f"s{zlib.crc32(name.encode()) % 1000}.{attempt}/"
        inputs = SwitchInputs(switch, base, config, name, salt).all()
        recipe = make.Recipe(
            name,
            switch.architecture,
            config,
            inputs,
            switch.kwargs,
            salt,
            base.data.get("module"),
            switch.raw,
            switch.weights,
            make.is_single(base, inputs),
            base.data.get("attention"),
        )
        case = make.make(recipe)
        if not flaws(case):
            break
    return case


def made(switch: Switch, bases: dict[str, Case]) -> Case | None:
    """The case, and a line about it; None where transformers refuses it."""
    try:
        case = make_switch(switch, bases[switch.architecture])
    except Exception as error:
        print(f"{switch.architecture}+{switch.name}: {type(error).__name__}: {error}", flush=True)
        return None
    inputs = ", ".join(f"{entry['name']} {entry['shape']}" for entry in case.data["inputs"])
    print(f"{case.name}: {inputs} {'; '.join(flaws(case))}", flush=True)
    return case


def tables() -> tuple[dict[str, list[Switch]], dict[str, str]]:
    """All switches, and the names of those that the tests hold, by model type."""
    import switch_table
    import switch_table_characters
    import switch_table_experts

    parts = (switch_table, switch_table_experts, switch_table_characters)
    return (
        {name: found for part in parts for name, found in part.SWITCHES.items()},
        {name: found for part in parts for name, found in part.KEPT.items()},
    )


def switches(data: Path, folder: Path, types: list[str], kept: bool, only: str) -> int:
    """Writes a file of cases for each model type named, or for all in the table; with `kept` those of the
    tests."""
    table, names = tables()
    failed = 0
    for model_type in types or table:
        bases = {case.data["architecture"]: case for case in reversed(read(data / f"{model_type}.json"))}
        wanted = [
            switch
            for switch in table[model_type]
            if only in f"{switch.architecture}+{switch.name}"
            and not (kept and switch.name not in names[model_type].split())
        ]
        cases = [made(switch, bases) for switch in wanted]
        failed += cases.count(None)
        write(folder / f"{model_type}_switches.json", [case for case in cases if case])
    return 1 if failed else 0

"""Golden files on disk: what a case is, how its arrays are found, and how a file is written.

The JSON of a case is kept as the dictionary it is. These classes only add what needs the number generator or
the safetensors file beside the JSON. numpy is enough here: nothing in this file knows about models.
"""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

import formula

DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": np.bool_,
}


def dtype_name(array: np.ndarray) -> str:
    """The safetensors name of an array's dtype."""
    return next(name for name, dtype in DTYPES.items() if array.dtype == dtype)


class Case:
    """One experiment: a model, its inputs, and what it must give."""

    def __init__(self, data: dict, arrays):
        """`data` is the JSON object; `arrays` maps `<case>/<kind>/<name>` to a numpy array."""
        self.data = data
        self.arrays = arrays

    @property
    def name(self) -> str:
        return self.data["case"]

    def weight(self, entry: list) -> np.ndarray:
        """The array of one entry of `tensors`."""
        if entry[3] == "raw":
            return self.arrays[f"{self.name}/weight/{entry[0]}"]
        name, _, shape, lo, hi = entry
        return formula.values(self.data["salt"] + name, shape, lo, hi)

    def weights(self) -> dict[str, np.ndarray]:
        """All weights under the names a published model file has."""
        return {entry[0]: self.weight(entry) for entry in self.data["tensors"]}

    def input(self, entry: dict) -> np.ndarray:
        """The array of one entry of `inputs`."""
        if "lo" in entry:
            name = f"{self.data['salt']}input:{self.name}:{entry['name']}"
            return formula.values(name, entry["shape"], entry["lo"], entry["hi"]).astype(
                DTYPES[entry["dtype"]]
            )
        if "fill" in entry:
            return np.full(entry["shape"], entry["fill"], DTYPES[entry["dtype"]])
        return self.arrays[f"{self.name}/input/{entry['name']}"]

    def inputs(self) -> dict[str, np.ndarray]:
        """All inputs under their (dotted) names."""
        return {entry["name"]: self.input(entry) for entry in self.data["inputs"]}

    def output(self, entry: dict) -> np.ndarray:
        """The stored elements of one entry of `outputs`: whole, or flat where sampled."""
        return self.arrays[f"{self.name}/output/{entry['name']}"]


class LazyArrays:
    """The arrays of a safetensors file, each read when asked for."""

    def __init__(self, path: Path):
        self.path = path

    def __getitem__(self, key: str) -> np.ndarray:
        with safe_open(self.path, "numpy") as file:
            return file.get_tensor(key)

    def keys(self) -> list[str]:
        with safe_open(self.path, "numpy") as file:
            return list(file.keys())


def read(path: str | Path) -> list[Case]:
    """The cases of a golden JSON file."""
    path = Path(path)
    data = json.loads(path.read_text())
    if data.get("format") != 1:
        raise ValueError(f"{path}: format: expected 1, found {data.get('format')!r}")
    arrays = LazyArrays(path.with_suffix(".safetensors"))
    return [Case(case, arrays) for case in data["cases"]]


def find(path: str | Path, name: str) -> Case:
    """The case of this name."""
    cases = read(path)
    for case in cases:
        if case.name == name:
            return case
    raise ValueError(f"{path}: no case {name!r}; it has {', '.join(case.name for case in cases)}")


def write(path: str | Path, cases: list[Case], append: bool = False) -> None:
    """Writes a golden file and its arrays. With `append`, cases of an existing file stay, but for those of
    equal name."""
    import torch
    import transformers

    path = Path(path)
    if append and path.exists():
        new = {case.name for case in cases}
        cases = [case for case in read(path) if case.name not in new] + cases
    cases = sorted(cases, key=lambda case: case.name)
    head = {
        "format": 1,
        "model_type": cases[0].data["config"].get("model_type", ""),
        "transformers": transformers.__version__,
        "torch": torch.__version__.split("+")[0],
    }
    lines = ",\n".join(compact(case.data) for case in cases)
    arrays = {
        key: case.arrays[key]
        for case in cases
        for key in case.arrays.keys()
        if key.split("/")[0] == case.name
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_arrays(arrays, path.with_suffix(".safetensors"))
    path.write_text(compact(head)[:-1] + ',"cases":[\n' + lines + "\n]}\n")


def save_arrays(
    arrays: dict[str, np.ndarray], path: str | Path, metadata: dict[str, str] | None = None
) -> None:
    """Writes a safetensors file. Doubles are rounded to float32, unless they are weights, and arrays made row-major, as the format
    wants them."""
    with np.errstate(over="ignore"):  # masks hold the lowest double, which is minus infinity in float32
        save_file(
            {
                name: np.asarray(
                    array,
                    np.float32 if array.dtype == np.float64 and "/weight/" not in name else array.dtype,
                    order="C",
                )
                for name, array in arrays.items()
            },
            path,
            metadata,
        )


def compact(value) -> str:
    """JSON without spaces, the form of golden files."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

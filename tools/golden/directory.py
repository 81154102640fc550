"""`golden.py directory`: a case as an ordinary model directory, beside its inputs and what they should give.
"""

import json
from pathlib import Path

import safetensors.torch
import torch

import reference
from case import Case, compact, save_arrays

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


def weights_of(case: Case, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The weights under their file names; floating-point ones in this dtype."""
    tensors = {name: torch.from_numpy(array) for name, array in case.weights().items()}
    return {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
    }


def shards_of(weights: dict[str, torch.Tensor], count: int) -> list[dict[str, torch.Tensor]]:
    """The weights in `count` parts of about equal size, in the order of their names."""
    total = sum(tensor.nbytes for tensor in weights.values())
    shards: list[dict[str, torch.Tensor]] = [{} for _ in range(count)]
    before = 0
    for name, tensor in weights.items():
        shards[min(count - 1, before * count // max(total, 1))][name] = tensor
        before += tensor.nbytes
    if not all(shards):
        raise ValueError(f"--sharded {count}: too few tensors for so many shards")
    return shards


def save(weights: dict[str, torch.Tensor], path: Path) -> None:
    """One weights file, in the format its name says."""
    if path.suffix == ".bin":
        torch.save(weights, path)
    else:
        safetensors.torch.save_file(weights, path, {"format": "pt"})


def save_weights(
    weights: dict[str, torch.Tensor], folder: Path, bin_format: bool, shards: int | None
) -> None:
    """All weights: one file, or several and the index that says which tensor is where."""
    stem, suffix = ("pytorch_model", "bin") if bin_format else ("model", "safetensors")
    if not shards:
        save(weights, folder / f"{stem}.{suffix}")
        return
    places = {}
    for number, shard in enumerate(shards_of(weights, shards), 1):
        name = f"{stem}-{number:05}-of-{shards:05}.{suffix}"
        save(shard, folder / name)
        places |= dict.fromkeys(shard, name)
    index = {
        "metadata": {"total_size": sum(tensor.nbytes for tensor in weights.values())},
        "weight_map": places,
    }
    (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(index, indent=2) + "\n")


def directory(case: Case, output: str, dtype: str, shards: int | None, file_format: str) -> int:
    """Writes the directory. Expected outputs are the whole tensors, computed anew, of the float32 weights."""
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    config = {**case.data["config"], "dtype": str(DTYPES[dtype]).removeprefix("torch.")}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_weights(weights_of(case, DTYPES[dtype]), folder, file_format == "bin", shards)
    save_arrays(case.inputs(), folder / "inputs.safetensors")
    save_arrays(reference.run(case, case.data["reference"] == "f64"), folder / "expected.safetensors")
    (folder / "case.json").write_text(compact({**case.data, "tensors": []}) + "\n")
    print("\n".join(str(path) for path in sorted(folder.iterdir())))
    return 0

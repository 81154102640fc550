#!/usr/bin/env python3
"""Records small checkpoints for the tests of src/formats, as torch and safetensors write them.

Usage: tools/record/record_checkpoints.py          writes into tests/unit/formats/data
Needs torch and safetensors. What the tensors hold is known to the tests: 0, 1, 2 ... in row-major order where nothing
else is said.
"""

import os
import warnings
import zipfile

import safetensors.torch
import torch

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/unit/formats/data")
DTYPES = {
    "f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16,
    "f8_e4m3": torch.float8_e4m3fn, "f8_e5m2": torch.float8_e5m2, "i64": torch.int64, "i32": torch.int32,
    "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool,
}


def counting(shape, dtype):
    """0, 1, 2, 3 and so on; float8_e5m2 holds whole numbers to 8, which is enough for the 6 elements used here."""
    count = 1
    for dim in shape:
        count *= dim
    return torch.arange(count, dtype=torch.float32).reshape(shape).to(dtype)


def all_dtypes():
    state = {name: counting((2, 3), dtype) for name, dtype in DTYPES.items()}
    state["empty"] = torch.zeros(0, 3)
    state["scalar"] = torch.tensor(0.0, dtype=torch.float64)
    state["odd"] = counting((3,), torch.uint8)
    state['quote" backslash\\ line\n \u00e9 \U0001f600'] = counting((2,), torch.float32)
    return state


def views():
    """Views of one storage: dense and not."""
    base = counting((2, 3, 4), torch.float32)
    return {
        "base": base,
        "second": base[1],
        "transposed": base.permute(2, 0, 1),
        "strided": base[:, 1:, ::2],
        "repeated": torch.tensor([7], dtype=torch.int16).expand(3, 1).expand(3, 2),
        "column": counting((4, 3), torch.uint8).t()[1],
        "wide": counting((3, 2), torch.float64).t(),
        "one": torch.zeros(3, 1, 2)[:, :, :1].transpose(0, 2),
    }


def rewritten(source, target, method):
    """The same archive written by another program: compressed, or stored without torch's padding."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", method) as out:
        for entry in archive.infolist():
            out.writestr(zipfile.ZipInfo(entry.filename, (1980, 1, 1, 0, 0, 0)), archive.read(entry), method)


class Command:
    """Runs a command when it is unpickled; what a reader must refuse."""

    def __reduce__(self):
        return os.system, ("touch executed",)


class Namespace:
    """A class of the saver's own."""


def with_attributes():
    parameter = torch.nn.Parameter(counting((2, 2), torch.float32))
    parameter.note = 3
    return {
        "parameter": parameter, "size": torch.Size([1, 2]), "device": torch.device("cpu"), "dtype": torch.float32,
        "set": {1, 2}, "frozen": frozenset([1]), "complex": complex(1, 2), "long": 1 << 100, "negative": -(1 << 40),
        "bytes": b"abc", "none": None, "real": 1.5, "yes": True, "list": [1, [2, (3, 4, 5, 6)]], "text": "\u00e9",
        "dict": {"a": {1: 2}},
    }


def main():
    warnings.simplefilter("ignore")
    os.makedirs(FOLDER, exist_ok=True)
    os.chdir(FOLDER)
    state = torch.nn.Linear(3, 2).state_dict()  # an OrderedDict with the attribute _metadata
    state["weight"].copy_(counting((2, 3), torch.float32))
    state["bias"].copy_(counting((2,), torch.float32))
    safetensors.torch.save_file(all_dtypes(), "all_dtypes.safetensors", metadata={"format": "pt"})
    torch.save(all_dtypes(), "all_dtypes.bin")
    torch.save(views(), "views.bin")
    rewritten("views.bin", "views_compressed.bin", zipfile.ZIP_DEFLATED)
    rewritten("views.bin", "views_unaligned.bin", zipfile.ZIP_STORED)
    torch.save(views(), "views_old_form.bin", _use_new_zipfile_serialization=False)
    for protocol in range(1, 6):
        torch.save(state, f"state_protocol{protocol}.bin", pickle_protocol=protocol)
    for protocol in range(2, 6):
        torch.save(state, f"state_old_form_protocol{protocol}.bin", pickle_protocol=protocol,
                   _use_new_zipfile_serialization=False)
    torch.save(with_attributes(), "with_attributes.bin")
    torch.save({"epoch": 3, "state_dict": state}, "under_state_dict.bin")
    torch.save({"epoch": 3, "model": state}, "under_model.bin")
    torch.save({"state_dict": state, "extra": counting((3,), torch.float32)}, "top_and_state_dict.bin")
    torch.save([1, 2], "list.bin")
    torch.save({"a": 1}, "no_tensors.bin")
    torch.save({"w": torch.ones(2), "e": Command()}, "command.bin")
    torch.save({"w": torch.ones(2), "e": Command()}, "command_old_form.bin", _use_new_zipfile_serialization=False)
    torch.save({"w": torch.ones(2), "e": Namespace()}, "own_class.bin")
    torch.save({"c": torch.zeros(2, dtype=torch.complex64)}, "complex.bin")
    torch.save({"c": torch.zeros(2, dtype=torch.uint32)}, "uint32.bin")
    torch.save({"c": torch.eye(2).to_sparse()}, "sparse.bin")
    torch.save({1: torch.zeros(2)}, "number_as_name.bin")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), "script.bin")


if __name__ == "__main__":
    main()

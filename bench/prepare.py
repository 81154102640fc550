"""Makes the workloads: model directories with random weights, inputs, PyTorch's answers, what engines need of them.

usage: prepare.py FOLDER ENGINE,ENGINE... WORKLOAD...      (bench.py calls it, in the bench's environment)
WORKLOAD is a name of workloads/, or tiny-NAME: with its TINY sizes.
FOLDER/WORKLOAD/model is a Hugging Face model directory; FOLDER/WORKLOAD/<n>/ holds case number n: case.txt (described in
anymodel_worker.c), a file for each input, expected.bin. What is there already and made from the same files is kept.
"""

import hashlib
import importlib
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DTYPES = {"torch.int64": "i64", "torch.float32": "f32", "torch.bool": "bool"}


def open_model(directory):
    """The class that config.json names, in float32."""
    import torch
    import transformers
    with open(f"{directory}/config.json") as file:
        architecture = json.load(file)["architectures"][0]
    return getattr(transformers, architecture).from_pretrained(directory, dtype=torch.float32).eval()


def output_name(case):
    with open(f"{case}/case.txt") as file:
        return next(line.split()[1] for line in file if line.startswith("output "))


def cached_of(case):
    """How many tokens a run finds in the KV cache."""
    with open(f"{case}/case.txt") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("cached ")), 0)


def draw_weights(model):
    """transformers starts biases at 0 and norms at 1; then an engine that ignored them would still be right."""
    import torch
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter), alpha=0.05)


def write_case(folder, inputs, output, expected, cached=0):
    lines = []
    for name, value in inputs.items():
        dims = ",".join(str(n) for n in value.shape)
        lines.append(f"input {name} {DTYPES[str(value.dtype)]} {dims} {name}.bin\n")
        value.numpy().tofile(f"{folder}/{name}.bin")
    expected.numpy().astype("float32").tofile(f"{folder}/expected.bin")
    with open(f"{folder}/case.txt", "w") as file:
        file.writelines([*lines, f"output {output}\n", *([f"cached {cached}\n"] if cached else [])])


def make_case(case, model, workload, inputs, engines):
    import torch
    os.makedirs(case)
    with torch.no_grad():
        write_case(case, inputs, workload.OUTPUT, getattr(model(**inputs), workload.OUTPUT))
        for engine in engines:
            if engine.__name__.split(".")[-1] in getattr(workload, "WITHOUT", {}):
                continue
            engine.prepare(model, inputs, workload.OUTPUT, case)


def make_cached_case(case, model, workload, batch, cached):
    """The last token of a longer text, which is what it is whatever is computed again."""
    import torch
    os.makedirs(case)
    inputs = workload.inputs(batch, cached + 1)
    with torch.no_grad():
        expected = getattr(model(**inputs), workload.OUTPUT)[:, -1:].contiguous()
    write_case(case, inputs, workload.OUTPUT, expected, cached)


def make(folder, workload, engines, changes):
    import torch
    torch.manual_seed(0)
    model = workload.model(**changes).eval()
    draw_weights(model)
    model.save_pretrained(f"{folder}/model")
    model = open_model(f"{folder}/model")
    for number, sizes in enumerate(workload.CASES.values()):
        make_case(f"{folder}/{number}", model, workload, workload.inputs(*sizes), engines)
    for number, sizes in enumerate(getattr(workload, "CACHED_CASES", {}).values(), len(workload.CASES)):
        make_cached_case(f"{folder}/{number}", model, workload, *sizes)


def made_from(engines):
    """A hash of the files that decide what is made."""
    names = ["prepare.py", "requirements.txt"]
    names += [f"workloads/{name}" for name in sorted(os.listdir(f"{HERE}/workloads")) if name.endswith(".py")]
    names += [engine.__name__.replace(".", "/") + ".py" for engine in engines]
    digest = hashlib.sha256()
    for name in names:
        with open(f"{HERE}/{name}", "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def main():
    root, engines, *workloads = sys.argv[1:]
    engines = [importlib.import_module(f"engines.{name}") for name in engines.split(",")]
    engines = [engine for engine in engines if hasattr(engine, "prepare")]
    stamp = made_from(engines)
    for name in workloads:
        folder = f"{root}/{name}"
        if os.path.exists(f"{folder}/made_from") and open(f"{folder}/made_from").read() == stamp:
            continue
        print(f"making {name} ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        workload = importlib.import_module(f"workloads.{name.removeprefix('tiny-')}")
        make(folder, workload, engines, workload.TINY if name.startswith("tiny-") else {})
        with open(f"{folder}/made_from", "w") as file:
            file.write(stamp)


if __name__ == "__main__":
    main()

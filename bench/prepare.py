"""Makes the workloads: model directories with random weights, inputs, PyTorch's answers, what engines need of them.

usage: prepare.py FOLDER ENGINE,ENGINE... WORKLOAD...      (bench.py calls it, in the bench's environment)
WORKLOAD is a name of workloads/, or tiny-NAME: with its TINY sizes.
FOLDER/WORKLOAD/model is a Hugging Face model directory; FOLDER/WORKLOAD/<n>/ holds case number n: case.txt (described in
anymodel_worker.c), a file for each input, expected.bin. What is there already and made from the same files is kept.
"""

import copy
import glob
import hashlib
import importlib
import json
import os
import shutil
import sys

from workloads import all_cases, is_decoder

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


def arguments_of(case):
    """What forward() of transformers takes beside the inputs."""
    with open(f"{case}/case.txt") as file:
        return {"logits_to_keep": 1} if "last_logits\n" in file else {}


def has_steps(case):
    """Whether decoder_input_ids are read one at a time."""
    with open(f"{case}/case.txt") as file:
        return "steps\n" in file


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


def write_case(folder, inputs, workload, cached=0, steps=False):
    lines = []
    for name, value in inputs.items():
        dims = ",".join(str(n) for n in value.shape)
        lines.append(f"input {name} {DTYPES[str(value.dtype)]} {dims} {name}.bin\n")
        value.numpy().tofile(f"{folder}/{name}.bin")
    lines.append(f"output {workload.OUTPUT}\n")
    lines += ["last_logits\n"] if is_decoder(workload) else []
    lines += [f"cached {cached}\n"] if cached else []
    lines += ["steps\n"] if steps else []
    with open(f"{folder}/case.txt", "w") as file:
        file.writelines(lines)


def write_expected(case, model, workload, inputs, name="expected"):
    """What float32 gives; of a text whose start is cached it is the same, whatever is computed again."""
    expected = getattr(model(**inputs, **arguments_of(case)), workload.OUTPUT)
    if has_steps(case):
        expected = expected[:, -1:]
    expected.numpy().astype("float32").tofile(f"{case}/{name}.bin")


def write_rounded_expected(cases, model, workload, engine):
    """expected-ENGINE.bin: as expected.bin, with weights as the engine rounds them."""
    import torch
    from worker import read_inputs
    rounded = copy.deepcopy(model)
    engine.round_weights(rounded)
    with torch.no_grad():
        for case in cases:
            inputs = {name: torch.from_numpy(value) for name, value in read_inputs(case).items()}
            write_expected(case, rounded, workload, inputs, f"expected-{engine.__name__.split('.')[-1]}")


def make_case(case, model, workload, inputs, engines):
    import torch
    os.makedirs(case)
    write_case(case, inputs, workload)
    with torch.no_grad():
        write_expected(case, model, workload, inputs)
        for engine in [engine for engine in engines if hasattr(engine, "prepare")]:
            engine.prepare(model, inputs, workload.OUTPUT, case)


def make_cached_case(case, model, workload, batch, cached):
    """The last token of a longer text."""
    import torch
    os.makedirs(case)
    inputs = workload.inputs(batch, cached + 1)
    write_case(case, inputs, workload, cached)
    with torch.no_grad():
        write_expected(case, model, workload, inputs)


def make_step_case(case, model, workload, sizes):
    """All tokens at once give what they give one at a time."""
    import torch
    os.makedirs(case)
    inputs = workload.inputs(*sizes)
    write_case(case, inputs, workload, steps=True)
    with torch.no_grad():
        write_expected(case, model, workload, inputs)


def runs(engine, workload):
    is_without = engine.__name__.split(".")[-1] in getattr(workload, "WITHOUT", {})
    return not is_without and (is_decoder(workload) or not getattr(engine, "DECODERS_ONLY", False))


def make(folder, workload, engines, changes):
    import torch
    engines = [engine for engine in engines if runs(engine, workload)]
    torch.manual_seed(0)
    model = workload.model(**changes).eval()
    draw_weights(model)
    model.to(getattr(torch, getattr(workload, "DTYPE", "float32")))
    model.save_pretrained(f"{folder}/model")
    model = open_model(f"{folder}/model")
    every = [f"{folder}/{number}" for number in range(len(all_cases(workload)))]
    for case, sizes in zip(every, workload.CASES.values()):
        make_case(case, model, workload, workload.inputs(*sizes), engines)
    cases = every[len(workload.CASES):]
    for case, sizes in zip(cases, getattr(workload, "CACHED_CASES", {}).values()):
        make_cached_case(case, model, workload, *sizes)
    for case, sizes in zip(cases, getattr(workload, "STEP_CASES", {}).values()):
        make_step_case(case, model, workload, sizes)
    for engine in engines:
        if hasattr(engine, "round_weights"):
            write_rounded_expected(every, model, workload, engine)


def made_from(engines):
    """A hash of the files that decide what is made."""
    names = ["prepare.py", "requirements.txt"]
    names += [f"workloads/{name}" for name in sorted(os.listdir(f"{HERE}/workloads")) if name.endswith(".py")]
    names += sorted(os.path.relpath(path, HERE) for path in glob.glob(f"{HERE}/engines/_*.py"))
    names += [engine.__name__.replace(".", "/") + ".py" for engine in engines]
    digest = hashlib.sha256()
    for name in names:
        with open(f"{HERE}/{name}", "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def main():
    root, engines, *workloads = sys.argv[1:]
    engines = [importlib.import_module(f"engines.{name}") for name in engines.split(",")]
    engines = [engine for engine in engines if hasattr(engine, "prepare") or hasattr(engine, "round_weights")]
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

#!/usr/bin/env python3
"""Records what image processors of transformers answer.

Usage: tools/record/record_images.py FOLDER FILE...
       tools/record/record_images.py FOLDER --new CLASS IMAGE[,IMAGE...] [SETTINGS [NOTE]]

Runs the cases of each FILE (processors/CLASS.json) on the pictures in FOLDER/images once more and writes the answers in
their place; with --new makes FOLDER/processors/CLASS.json of one case, or adds the case to it. SETTINGS: arguments of
the constructor as JSON. NOTE: what the class takes beside images ("task_inputs semantic", "trimap prng", "boxes ..").
Needs transformers, torch, torchvision and Pillow, for some classes SciPy, OpenCV or timm.
"""

import importlib
import json
import os
import sys

import numpy
import transformers
from transformers.image_utils import load_image

SAMPLES = 512


def find_class(name):
    if not name.endswith("Pil"):
        return getattr(transformers, name)
    module = getattr(transformers, name[:-3]).__module__
    return getattr(importlib.import_module(module.replace(".image_processing_", ".image_processing_pil_")), name)


def number(value):
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return float(f"{float(value):.9g}")


def describe(array):
    """An array as tests/unit/media/data/README.md says: all of it, one value for all, or samples."""
    array = numpy.asarray(array)
    flat = array.reshape(-1).astype(numpy.float64)
    finite = flat[numpy.isfinite(flat)]
    out = {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "mean": number(finite.mean()) if finite.size else 0.0,
        "rms": number(numpy.sqrt((finite**2).mean())) if finite.size else 0.0,
    }
    count = flat.size
    if count and (flat == flat[0]).all():
        out["all"] = number(flat[0])
    elif count <= 1024:
        out["full"] = [number(value) for value in flat]
    else:
        step = max(1, count // SAMPLES)
        places = [min(count - 1, i * count // SAMPLES + (i * 7919) % step) for i in range(SAMPLES)]
        out["at"] = [number(flat[place]) for place in places]
    return out


def output(value):
    """What transformers leaves a list, although tensors were asked for, is one."""
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], (int, float, bool, str)):
        return [output(part) for part in value]
    if isinstance(value, (list, tuple)) and (not value or isinstance(value[0], str)):
        return list(value)
    return describe(value)


def uniform(name, count):
    """The seeded numbers of that name in [0, 1): base/prng.h."""
    mask, seed = (1 << 64) - 1, 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & mask
    out = numpy.empty(count)
    for i in range(count):
        z = (seed + (i + 1) * 0x9E3779B97F4A7C15) & mask
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        out[i] = ((z ^ z >> 31) >> 40) * 2.0**-24
    return out


def noted_arguments(note, images):
    kind, _, rest = note.partition(" ")
    if kind == "task_inputs":
        return {"task_inputs": [rest] * len(images)}
    if kind == "trimap":
        return {"trimaps": [trimap(image.height, image.width) for image in images]}
    if kind == "boxes":  # of the first image, in parts of its size; the others have none
        parts = [[float(part) for part in box.split(",")] for box in rest.split(" of ")[0].split(" and ")]
        width, height = images[0].size
        return {"boxes": [[[x * width, y * height, w * width, h * height] for x, y, w, h in parts]]}
    return {}


def trimap(height, width):
    return (numpy.floor(uniform("trimap", height * width) * 3) * 127).astype(numpy.uint8).reshape(height, width)


def answer(name, folder, case):
    images = [load_image(os.path.join(folder, "images", file)) for file in case["images"]]
    if case.get("input_note") == "pair" and len(images) == 1:
        images = images * 2
    arguments = {**(case.get("kwargs") or {}), **noted_arguments(str(case.get("input_note", "")), images)}
    try:
        processor = find_class(name)(**(case.get("settings") or {}))
        try:
            made = processor(images, return_tensors="pt", **arguments)
            ragged = False
        except (ValueError, RuntimeError):
            made = processor(images, return_tensors=None, **arguments)
            ragged = True
    except Exception as error:  # the answer is that it fails
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    out = {"outputs": {key: output(value) for key, value in made.items()}}
    return {**out, "ragged": True} if ragged and len(images) > 1 else out


def record(path, folder, new=None):
    name = os.path.basename(path)[: -len(".json")]
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    else:
        document = {"class": name, "configs": [], "cases": []}
    if new:
        document["cases"].append(new)
    configs = document.get("configs", [])
    for case in document["cases"]:
        config = case.get("config")
        if not case.get("settings") and isinstance(config, int) and config < len(configs):
            case["settings"] = configs[config]
        case.pop("config", None)
        inputs = {key: case[key] for key in ("images", "kwargs", "settings", "input_note") if key in case}
        inputs.setdefault("settings", {})
        case.clear()
        case.update({**inputs, **answer(name, folder, inputs)})
    document["configs"] = []
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder = sys.argv[1]
    if sys.argv[2] == "--new":
        name, images, settings = sys.argv[3], sys.argv[4].split(","), json.loads((sys.argv[5:] or ["{}"])[0])
        note = {"input_note": sys.argv[6]} if sys.argv[6:] else {}
        new = {"images": images, "settings": settings, **note}
        record(os.path.join(folder, "processors", name + ".json"), folder, new)
        return
    for path in sys.argv[2:]:
        record(path, folder)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes src/models/names/class_table.c and auto_table.c: what each class name of transformers is, and which class an auto
class makes of a model type. Nothing of transformers is imported; its sources are read.

    python tools/make_class_tables.py TRANSFORMERS OLD_TRANSFORMERS

TRANSFORMERS is the folder of the package (5.23.0), OLD_TRANSFORMERS that of 4.52.4, whose names are known too: classes of
TensorFlow, and what was removed since.
"""

import ast
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(ROOT, "src", "models", "names")

AUTO_NAMES = {"AutoConfig", "AutoFeatureExtractor", "AutoImageProcessor", "AutoProcessor", "AutoTokenizer", "AutoVideoProcessor"}

# How names end that no modeling file defines.
ENDINGS = [
    ("ImageProcessorFast", "IMAGE_PROCESSOR"), ("ImageProcessorPil", "IMAGE_PROCESSOR"), ("ImageProcessor", "IMAGE_PROCESSOR"),
    ("VideoProcessor", "VIDEO_PROCESSOR"), ("FeatureExtractor", "FEATURE_EXTRACTOR"), ("Processor", "PROCESSOR"),
    ("TokenizerFast", "TOKENIZER"), ("Tokenizer", "TOKENIZER"), ("Pipeline", "PIPELINE"), ("Config", "CONFIG"),
]


def parse(path):
    with open(path, encoding="utf-8") as file:
        return ast.parse(file.read(), path)


def base_names(node):
    return [ast.unparse(base).split(".")[-1] for base in node.bases]


def text_of(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def exported(tree):
    """__all__ of a module."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets):
            return {text_of(item) for item in node.value.elts if text_of(item)}
    return set()


class Release:
    """The classes of one release: name -> (bases, folder, file)."""

    def __init__(self, folder):
        self.folder = folder
        self.classes = {}
        self.public = set()
        self.types = {}  # configuration class -> model_type
        for path in sorted(glob.glob(f"{folder}/models/**/*.py", recursive=True)):
            if not os.path.basename(path).startswith(("modular_", "convert_")):
                self.read(path)
        for path in glob.glob(f"{folder}/modeling*_outputs.py"):
            self.read(path)
        self.public |= top_level_names(folder)
        self.folder_types = self.main_types()

    def read(self, path):
        tree = parse(path)
        self.public |= exported(tree)
        folder = os.path.basename(os.path.dirname(path))
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                self.classes.setdefault(node.name, (base_names(node), folder, os.path.basename(path), node))
                for item in node.body:
                    target = getattr(item, "target", None) or (item.targets[0] if isinstance(item, ast.Assign) else None)
                    if getattr(target, "id", "") == "model_type" and text_of(getattr(item, "value", None)):
                        self.types[node.name] = text_of(item.value)

    def main_types(self):
        """The model_type of each folder: the one whose name is the folder's, or its first."""
        found = {}
        for name, (_, folder, _, _) in self.classes.items():
            if name in self.types:
                found.setdefault(folder, []).append(self.types[name])
        return {folder: min(types, key=lambda t: (t.replace("-", "_") != folder, len(t))) for folder, types in found.items()}

    def descends(self, name, ending, seen=()):
        if name.endswith(ending):
            return True
        bases = self.classes[name][0] if name in self.classes else []
        return any(base not in seen and self.descends(base, ending, (*seen, name)) for base in bases)

    def config_of(self, name, seen=()):
        """The model_type that `config_class` or `config: XConfig` of a class or its parents names."""
        if name not in self.classes or name in seen:
            return None
        for item in self.classes[name][3].body:
            for text in re.findall(r"\b\w+Config\b", ast.unparse(item)) if is_config_line(item) else []:
                if text in self.types:
                    return self.types[text]
        for base in self.classes[name][0]:
            found = self.config_of(base, (*seen, name))
            if found:
                return found
        return None

    def computes(self, name):
        """Has a forward of its own that does more than refuse."""
        forwards = [item for item in self.classes[name][3].body if getattr(item, "name", "") in ("forward", "call")]
        return any("NotImplementedError" not in ast.unparse(item) for item in forwards)

    def kind(self, name):
        bases, _, file, _ = self.classes[name]
        if file.startswith("modeling_flax"):
            return "FLAX_MODEL"
        tensorflow = file.startswith("modeling_tf")
        if self.descends(name, "ModelOutput") or name.endswith("Output") and file.startswith("modeling"):
            return "OUTPUT"
        if re.match(r"_?(TF)?Auto(Model|Backbone)", name):
            return "TENSORFLOW_AUTO" if tensorflow else "AUTO"
        if name in AUTO_NAMES:
            return "AUTO"
        if name.endswith(("PreTrainedModel", "PretrainedModel")) and not self.computes(name):
            return "ABSTRACT"
        if self.descends(name, "PreTrainedModel") or self.descends(name, "PretrainedModel"):
            return ("TENSORFLOW_MODEL" if tensorflow else "MODEL") if name in self.public else "MODULE"
        if file.startswith("modeling"):
            return "MODULE"
        return next((kind for ending, kind in ENDINGS if name.endswith(ending)), "OTHER")

    def type_of(self, name):
        return self.config_of(name) or self.types.get(name) or self.folder_types.get(self.classes[name][1], "")


def is_config_line(item):
    text = ast.unparse(item)
    return text.startswith(("config_class", "config:")) or text.startswith("def __init__") and "config:" in text.split("\n")[0]


def top_level_names(folder):
    """Names in the import structure of the package."""
    names = set()
    for node in ast.walk(parse(f"{folder}/__init__.py")):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[A-Z]\w+", node.value):
            names.add(node.value)
    return names


def rows_of(release, wanted):
    return {name: (release.kind(name), release.type_of(name)) for name in release.classes if wanted(name)}


def class_rows(new, old):
    rows = rows_of(new, lambda name: True)
    was = rows_of(old, lambda name: name not in rows)
    for name, (kind, model_type) in was.items():
        if kind in ("MODEL", "ABSTRACT"):
            kind = "REMOVED"
        if kind in ("TENSORFLOW_MODEL", "TENSORFLOW_AUTO", "AUTO", "REMOVED", "OUTPUT", "MODULE"):
            rows[name] = (kind, model_type)
    for name in new.public:
        if name not in rows and re.fullmatch(r"[A-Z]\w*[a-z]\w*", name):
            rows[name] = (next((kind for ending, kind in ENDINGS if name.endswith(ending)), "OTHER"), "")
    rows = {name: (("AUTO", "") if kind == "AUTO" else (kind, type_)) for name, (kind, type_) in rows.items()}
    keep = ("MODULE",)
    return {name: row for name, row in rows.items() if row[0] not in keep or "Model" in name or name in new.public}


def mapping_pairs(tree):
    """Each ..._MAPPING_NAMES of the file: name -> {model_type: [classes]}."""
    found = {}
    for node in tree.body:
        names = [getattr(t, "id", "") for t in getattr(node, "targets", [])]
        value = getattr(node, "value", None)
        if not names or not names[0].endswith("_MAPPING_NAMES") or not isinstance(value, ast.Call) or not value.args:
            continue
        pairs = {}
        for item in getattr(value.args[0], "elts", []):
            if isinstance(item, ast.Tuple) and text_of(item.elts[0]):
                classes = item.elts[1]
                pairs[text_of(item.elts[0])] = [text_of(c) for c in getattr(classes, "elts", [classes])]
            elif isinstance(item, ast.Starred):
                other = re.search(r"(\w+_MAPPING_NAMES)", ast.unparse(item))
                pairs.update(found.get(other.group(1), {}) if other else {})
        found[names[0]] = pairs
    return found


def auto_rows(folder):
    tree = parse(f"{folder}/models/auto/modeling_auto.py")
    pairs = mapping_pairs(tree)
    lazy = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and "LazyAutoMapping" in ast.unparse(node.value.func):
            lazy[node.targets[0].id] = node.value.args[1].id
    rows = []
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        for item in node.body:
            if isinstance(item, ast.Assign) and item.targets[0].id == "_model_mapping":
                mapping = pairs.get(lazy.get(item.value.id), {})
                name = node.name.lstrip("_")
                rows += [(name, model_type, c[0]) for model_type, c in mapping.items() if c and c[0]]
    return sorted(set(rows))


def write(name, comment, declaration, lines):
    with open(os.path.join(OUT, name), "w", encoding="utf-8") as out:
        out.write(f"/* Generated by tools/make_class_tables.py: {comment} */\n#include \"models/names/names.h\"\n\n")
        out.write(f"const {declaration}[] = {{\n")
        out.writelines(f"    {line},\n" for line in lines)
        out.write("};\n\n")


def version_of(folder):
    return re.search(r'__version__ = "([^"]+)"', open(f"{folder}/__init__.py", encoding="utf-8").read()).group(1)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    new, old = Release(sys.argv[1]), Release(sys.argv[2])
    rows = class_rows(new, old)
    from_versions = f"transformers {version_of(sys.argv[1])} and {version_of(sys.argv[2])}"
    write("class_table.c", f"what the class names of {from_versions} are, by name.", "am_class_name am_class_names",
          [f'{{"{name}", AM_NAME_{kind}, "{model_type}"}}' for name, (kind, model_type) in sorted(rows.items())])
    autos = auto_rows(sys.argv[1])
    write("auto_table.c", f"the mappings of the auto classes of transformers {version_of(sys.argv[1])}, by auto class and model type.",
          "am_auto_row am_auto_rows", [f'{{"{auto}", "{model_type}", "{name}"}}' for auto, model_type, name in autos])
    with open(os.path.join(OUT, "class_table.c"), "a", encoding="utf-8") as out:
        out.write("const size_t am_class_name_count = sizeof am_class_names / sizeof *am_class_names;\n")
    with open(os.path.join(OUT, "auto_table.c"), "a", encoding="utf-8") as out:
        out.write("const size_t am_auto_row_count = sizeof am_auto_rows / sizeof *am_auto_rows;\n")
    print(f"{len(rows)} names, {len(autos)} auto rows")


if __name__ == "__main__":
    main()

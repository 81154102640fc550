#!/usr/bin/env python3
"""Checks of the source that a compiler does not make, each with its reason. Runs as the test `style`.

Usage: tools/check_style.py [FILE...]      without arguments: the whole project
Prints FILE:LINE: what (why), and the number of findings; exits 1 when there are any.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP_LEVEL = ("src", "include", "tests", "tools", "scripts", "cmake", "examples", "docs", "bench", ".ci")
TEXT = (".c", ".cc", ".h", ".def", ".py", ".sh", ".cmake", ".md", ".txt")
SKIPPED_FOLDERS = re.compile(r"(^|/)(build[^/]*|\.git|\.cache|__pycache__|corpus|data|examples/models)(/|$)")

# Every file beside the folders; another one was most likely put there by mistake.
TOP_LEVEL_FILES = (".clang-format", ".gitignore", "ARCHITECTURE.md", "CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md",
                   "LICENSE", "Makefile", "README.md")

FILE_LINES = 800
FUNCTION_LINES = 150
# Files that are long on purpose, each with the reason.
LONG_FILES = {
    "src/text/tokenizer/moses_tables.h": "a generated table",
    "src/models/names/class_table.c": "a generated table",
    "src/models/names/auto_table.c": "a generated table",
    "docs/models.md": "a generated table: a row for each class",
    "tools/golden/switch_table.py": "a table: a row for each switch of a configuration",
}

# What the sources of a folder of src/ may include beside their own folder. Arrows of ARCHITECTURE.md:
# base <- tensor <- graph <- {formats, text, media, models, targets} <- {processors, runtime} <- tasks <- api <- cli
CORE = ["base", "tensor", "graph"]
MIDDLE = ["formats", "text", "media", "models", "targets"]
MAY_INCLUDE = {
    "base": [],
    "tensor": ["base"],
    "graph": ["base", "tensor"],
    "formats": CORE,
    "text": CORE,
    "media": CORE,
    "models": CORE + ["formats"],
    "targets": CORE,
    "processors": CORE + ["text", "media"],
    "runtime": CORE + MIDDLE,
    "tasks": CORE + MIDDLE + ["processors", "runtime"],
    "recorded": CORE + MIDDLE + ["tasks"],
    "api": CORE + MIDDLE + ["processors", "recorded", "runtime", "tasks"],
    "cli": [],
    "helpers": CORE + ["targets"],
    "store": ["base"],
    "server": [],
}
# Public headers that speak of plain values only; the rest of include/anymodel is for src/api and above.
VALUE_HEADERS = ("anymodel/encoding.h", "anymodel/input.h", "anymodel/status.h", "anymodel/tensor.h")
ABOVE_API = ("api", "cli", "server")

UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(work|root|home|Users)/\w")
PRINTS = re.compile(r"(?<![\w.>])(printf|puts|putchar|perror|exit|abort|_exit)\s*\(|\bfprintf\s*\(\s*std(out|err)\b")
ALLOCATES = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|free|strdup|aligned_alloc|posix_memalign)\s*\(")
# Their verb says who frees what, the same everywhere; null is allowed.
ENDS_OF_LIFE = re.compile(r"_(close|destroy|deinit|free)$")
PROTOTYPE = re.compile(r"^[A-Za-z_][\w \*]*\b(am_\w+)\(")


def project_files():
    for top in TOP_LEVEL:
        for folder, folders, names in os.walk(os.path.join(ROOT, top)):
            relative = os.path.relpath(folder, ROOT)
            folders[:] = sorted(f for f in folders if not SKIPPED_FOLDERS.search(f"{relative}/{f}"))
            for name in sorted(names):
                if name.endswith(TEXT):
                    yield f"{relative}/{name}"
    for name in sorted(os.listdir(ROOT)):
        if name.endswith(TEXT):
            yield name


def without_comments(text):
    """The text with comments and the insides of string literals blanked, line numbers kept."""
    def blank(match):
        piece = match.group(0)
        if piece[0] in "\"'":
            return piece[0] + " " * (len(piece) - 2) + piece[0]
        return re.sub(r"[^\n]", " ", piece)
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


def check_lines(path, lines):
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield number, "a tab (columns differ between editors; indent with spaces)"
        if line != line.rstrip() and not path.endswith(".md"):
            yield number, "blanks at the end of the line (they make noise in diffs)"
        if UNFINISHED.search(line):
            yield number, "a note of unfinished work (finish it, or describe the limit to the user)"
        if MACHINE_PATH.search(line):
            yield number, "a path of one machine (nobody else has it)"
    if len(lines) > FILE_LINES and path not in LONG_FILES:
        yield len(lines), f"{len(lines)} lines, more than {FILE_LINES} (split it, or give the reason in LONG_FILES)"


def check_functions(path, code):
    """With this brace style a function body is what lies between a { and a } alone in column 1."""
    begin = None
    for number, line in enumerate(code, 1):
        if line.rstrip() == "{":
            begin = number
        elif line.rstrip() == "}" and begin:
            if number - begin > FUNCTION_LINES:
                yield begin, f"a function of {number - begin} lines, more than {FUNCTION_LINES} (nobody can hold it in mind)"
            begin = None


def check_includes(path, lines):
    parts = path.split("/")
    if parts[0] != "src" or len(parts) < 3:
        return
    module = parts[1]
    if module not in MAY_INCLUDE:
        yield 1, f"src/{module} has no place in the layers (give it one in MAY_INCLUDE)"
        return
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if not match:
            continue
        name = match.group(2)
        if name.startswith("anymodel/"):
            if name not in VALUE_HEADERS and module not in ABOVE_API:
                yield number, f"src/{module} includes the public <{name}> (only src/api and what stands on it may)"
        elif match.group(1) == '"' and "/" in name:
            folder = name.split("/")[0]
            if folder != module and folder not in MAY_INCLUDE[module]:
                yield number, f"src/{module} includes \"{name}\" (layers: it may use only {MAY_INCLUDE[module] or 'itself'})"


def check_library(path, code):
    if not path.startswith("src/") or path.startswith(("src/cli/", "src/helpers/")):
        return
    for number, line in enumerate(code, 1):
        if PRINTS.search(line):
            yield number, "the library prints or ends the program (errors are values; the caller decides)"
        if ALLOCATES.search(line) and not path.startswith("src/base/memory."):
            yield number, "memory not from base/memory.h (tests make those allocations fail one by one)"


def is_described(number, lines, code):
    """Whether a comment stands above the run of lines without a gap that this line is in, or on the line itself, or
    above the options structure that the prototype after it takes."""
    if "/*" in lines[number - 1]:
        return True
    above = number - 1
    while above > 0 and code[above - 1].strip():
        above -= 1
    if above > 0 and "*/" in lines[above - 1]:
        return True
    structure = re.match(r"\} (\w+);", code[above - 2]) if above > 1 else None
    return bool(structure and structure.group(1) in code[number - 1] and is_described(above - 1, lines, code))


def check_prototypes(path, lines, code):
    if not path.endswith(".h") or not path.startswith(("src/", "include/")):
        return
    for number, line in enumerate(code, 1):
        match = PROTOTYPE.match(line)
        if not match or line.startswith(("typedef", "#", "static", "return")):
            continue
        if not ENDS_OF_LIFE.search(match.group(1)) and not is_described(number, lines, code):
            yield number, f"{match.group(1)} has no comment (shapes, units, who owns, what fails)"


def check_file(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    elif text:
        yield len(lines), "no newline at the end of the file (tools that join files need it)"
    yield from check_lines(path, lines)
    if path.endswith((".c", ".cc", ".h")):
        code = without_comments(text).split("\n")
        yield from check_functions(path, code)
        yield from check_includes(path, lines)
        yield from check_library(path, code)
        yield from check_prototypes(path, lines, code)


def stray_files():
    """Files of the repository that stand beside its folders and are not known; none where there is no repository."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=False)
    for name in listed.stdout.splitlines():
        if "/" not in name and name not in TOP_LEVEL_FILES:
            yield name


def main():
    paths = [os.path.relpath(os.path.abspath(p), ROOT) for p in sys.argv[1:]] or list(project_files())
    findings = 0
    for name in stray_files():
        print(f"{name}: not one of the files of the top folder (put there by mistake?)")
        findings += 1
    for path in paths:
        for number, what in check_file(path):
            print(f"{path}:{number}: {what}")
            findings += 1
    print(f"{len(paths)} files checked, {findings} findings")
    return 1 if findings or not paths else 0


if __name__ == "__main__":
    sys.exit(main())

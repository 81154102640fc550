"""Golden models: tiny random models and what transformers computes with them.

The format is described in tests/golden/data/FORMAT.md. Python serves here and nowhere at run time.
"""

import argparse
import sys
from pathlib import Path


def add_check(commands) -> None:
    parser = commands.add_parser(
        "check",
        help="run cases in transformers and compare with what the files say",
        description="Rebuilds each model from its JSON, runs it in double and in single precision, "
        "and applies the passing rule to every output and to greedy generation. A line a case.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE.json", help="golden files; an index.json among them is skipped"
    )
    parser.add_argument("--case", metavar="NAME", help="this case only")
    parser.set_defaults(run=run_check)


def run_check(args) -> int:
    from check import check

    return check(args.files, args.case)


def add_trace(commands) -> None:
    parser = commands.add_parser(
        "trace",
        help="write the outputs of all modules of a case's model",
        description="Writes what every module returns, named by its path; prints name, shape and rms in "
        "the order of computation. Metadata: `case`; `order`, a JSON list of the names; `hub_names`, from "
        "module paths to the names used in model files where these differ.",
    )
    parser.add_argument("file", metavar="FILE.json")
    parser.add_argument("--case", required=True, metavar="NAME")
    parser.add_argument("-o", "--output", required=True, metavar="TRACE.safetensors")
    parser.add_argument(
        "--inputs",
        action="store_true",
        help="also what every module is given: PATH:in.0, PATH:in.attention_mask",
    )
    parser.set_defaults(run=run_trace)


def run_trace(args) -> int:
    from case import find
    from trace import trace

    return trace(find(args.file, args.case), args.output, args.inputs)


def add_directory(commands) -> None:
    parser = commands.add_parser(
        "directory",
        help="write a case as a model directory",
        description="Writes config.json and the weights as they are published, inputs.safetensors, the "
        "whole outputs of the float64 reference as expected.safetensors, and the case as case.json.",
    )
    parser.add_argument("file", metavar="FILE.json")
    parser.add_argument("--case", required=True, metavar="NAME")
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    parser.add_argument(
        "--dtype", choices=["f32", "bf16", "f16"], default="f32", help="of the weights (default: f32)"
    )
    parser.add_argument(
        "--sharded", type=int, metavar="N", help="split the weights into N files with an index"
    )
    parser.add_argument(
        "--format", choices=["safetensors", "bin"], default="safetensors", help="default: safetensors"
    )
    parser.set_defaults(run=run_directory)


def run_directory(args) -> int:
    from case import find
    from directory import directory

    return directory(find(args.file, args.case), args.output, args.dtype, args.sharded, args.format)


INPUTS_HELP = """
INPUTS.json is a list of inputs, or {"inputs": [...], "kwargs": {"output_hidden_states": true}}.
An input has a name and one of
  "shape": [2, 3, 32, 32], "lo": -1, "hi": 1     generated floats
  "shape": [2, 7], "ids": [3, 98]                whole numbers between these, both included
  "mask": [7, 5]                                 ones, then zeros: so many ones in each row
  "values": [[4, 8, 15], [16, 23, 42]]           the numbers themselves
  "shape": [2], "fill": 1                        one number everywhere
and "dtype" where it is not F32 (lo, fill) or I64 (the others).
How weights get their bounds is told in bounds.py.
"""


def attention(text: str) -> str | dict:
    """An implementation, or {"": "eager", PART: implementation} of "PART=implementation"."""
    part, _, implementation = text.rpartition("=")
    return {"": "eager", part: implementation} if part else implementation


def add_make(commands) -> None:
    parser = commands.add_parser(
        "make",
        help="make a new case of any class",
        epilog=INPUTS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Builds a class from a configuration, gives it formula weights, runs it.",
    )
    parser.add_argument("--class", required=True, dest="architecture", metavar="NAME", help="BertForMaskedLM")
    parser.add_argument(
        "--module", metavar="MODULE", help="where the class is, if transformers does not export it"
    )
    parser.add_argument("--config", required=True, type=Path, metavar="CONFIG.json")
    parser.add_argument("--inputs", required=True, type=Path, metavar="INPUTS.json")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FILE.json")
    parser.add_argument("--append", action="store_true", help="keep the other cases of an existing file")
    parser.add_argument("--variant", metavar="V", help="the case is called NAME+V")
    parser.add_argument(
        "--salt", default="", metavar="S", help="put before every name that is a seed: other weights"
    )
    parser.add_argument(
        "--attention",
        metavar="HOW",
        type=attention,
        help="how transformers computes attention: eager (default), sdpa; text_config=sdpa: of a part",
    )
    parser.set_defaults(run=run_make)


def run_make(args) -> int:
    from make import make_file

    return make_file(
        args.architecture,
        args.config,
        args.inputs,
        args.output,
        args.variant,
        args.salt,
        args.module,
        args.append,
        args.attention,
    )


def add_variations(commands) -> None:
    parser = commands.add_parser(
        "variations",
        help="make cases like those of the files, in other sizes",
        description="For each case a new one of the same class: other weights, sizes, layers, lengths, batch "
        "and masks, as far as the model type allows. The seed decides; the same seed gives the same files.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE.json")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument("--case", metavar="NAME", help="only of this case")
    parser.set_defaults(run=run_variations)


def run_variations(args) -> int:
    from vary import variations

    return variations(args.files, args.output, args.seed, args.case)


def add_switches(commands) -> None:
    parser = commands.add_parser(
        "switches",
        help="make cases that each turn one switch of a configuration, or have one unusual kind of input",
        description="Makes the cases of switch_table.py, each from the golden case of its class.",
    )
    parser.add_argument("types", nargs="*", metavar="TYPE", help="model types (default: all)")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where the golden cases are")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR")
    parser.add_argument("--kept", action="store_true", help="only the cases that the tests hold")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with this in their name")
    parser.set_defaults(run=run_switches)


def run_switches(args) -> int:
    from switches import switches

    return switches(args.data, args.output, args.types, args.kept, args.only)


def main() -> int:
    parser = argparse.ArgumentParser(prog="golden.py", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_check, add_trace, add_directory, add_make, add_variations, add_switches):
        add(commands)
    args = parser.parse_args()
    try:
        return args.run(args)
    except (OSError, ValueError) as error:
        print(f"golden.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

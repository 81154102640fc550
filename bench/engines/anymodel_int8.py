"""This project with the weights of linear layers rounded to 8 bits as they are loaded."""

from engines import _target

TITLE = "anymodel, int8 weights"
CACHED = True
DECODERS_ONLY = True
ROUNDS_WEIGHTS = True
# Of the largest number of an output; of random weights, in which nothing makes up for rounding.
TOLERANCE = 0.05


def command(build, model, case, threads):
    return _target.command("cpu", build, model, case, threads, "int8")

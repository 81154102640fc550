"""This project with the weights of linear layers rounded to 8 bits as they are loaded. What these are multiplied with has
8 bits, which is what its answers differ by from those of other products with the same weights."""

from engines import _rounding, _target

TITLE = "anymodel, int8 weights"
CACHED = True
DECODERS_ONLY = True
ROUNDS_WEIGHTS = True
# Of the largest number of an output: 22 layers of random weights, in which nothing makes up for rounding, give 0.05.
TOLERANCE = 0.1


def command(build, model, case, threads):
    return _target.command("cpu", build, model, case, threads, "int8")


def round_weights(model):
    _rounding.round_linear_layers(model, 8)

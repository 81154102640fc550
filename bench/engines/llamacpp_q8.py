"""llama.cpp with weights in Q8_0: 8 bits a number, of which 32 share a scale. What it multiplies them with has 8 bits,
which is what its answers differ by from those of other products with the same weights."""

from engines import _llamacpp
from engines.anymodel_int8 import TOLERANCE  # noqa: F401

TITLE = "llama.cpp Q8_0"
CACHED = True
DECODERS_ONLY = True
ROUNDS_WEIGHTS = True
prepare, round_weights, load = _llamacpp.functions_of("Q8_0")

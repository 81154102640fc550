"""llama.cpp with weights in bfloat16, to which it rounds what it multiplies them with."""

from engines import _llamacpp
from engines._bf16 import TOLERANCE  # noqa: F401
from engines._llamacpp import details  # noqa: F401

TITLE = "llama.cpp BF16"
CACHED = True
DECODERS_ONLY = True
prepare, _, load = _llamacpp.functions_of("BF16")

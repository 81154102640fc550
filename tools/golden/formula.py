"""Numbers from names: the generator that makes every weight of a golden model.

A golden file stores no weights. It stores, for each, a name and two bounds, and the weight is what this file
computes from them: FNV-1a turns the name into a seed, splitmix64 turns the seed into a sequence of 64-bit
integers, and the upper 24 bits of each become a float between the bounds. 24 bits are what a float32
significand holds, so that the fraction is exact and the only rounding is the last one.

All of it is integer arithmetic modulo 2**64, vectorised here with numpy's uint64, which wraps around
silently.
"""

import math

import numpy as np

MASK = (1 << 64) - 1
SAMPLES = 512  # how many elements of a large output are stored
FULL_LIMIT = 1024  # outputs of at most this many elements are stored whole


def seed(name: str) -> int:
    """FNV-1a, 64 bits, of the name's UTF-8 bytes."""
    h = 0xCBF29CE484222325
    for byte in name.encode("utf-8"):
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def splitmix(start: int, count: int) -> np.ndarray:
    """The first `count` elements of the splitmix64 sequence of a seed: uint64 [count]."""
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def values(name: str, shape: list[int], lo: float, hi: float) -> np.ndarray:
    """The array of this name: float32, uniform between lo and hi, row-major."""
    fraction = (splitmix(seed(name), math.prod(shape)) >> np.uint64(40)).astype(np.float64) * 2.0**-24
    return (lo + (hi - lo) * fraction).astype(np.float32).reshape(shape)


def integers(name: str, shape: list[int], low: int, high: int) -> np.ndarray:
    """Whole numbers from low to high, both possible: int64. For token ids, which golden files store as
    arrays."""
    drawn = (splitmix(seed(name), math.prod(shape)) >> np.uint64(16)) % np.uint64(high - low + 1)
    return (drawn.astype(np.int64) + low).reshape(shape)


def sample_positions(case: str, output: str, elements: int) -> np.ndarray:
    """Where the 512 stored elements of a sampled output stand in the flattened whole: int64 [512]."""
    return (splitmix(seed(f"sample:{case}:{output}"), SAMPLES) % np.uint64(elements)).astype(np.int64)


def round_to_bits(x: float, bits: int) -> float:
    """x with its significand rounded to so many bits, to nearest: round_to_bits(0.30618, 6) is 39/128."""
    if x == 0.0 or not math.isfinite(x):
        return x
    significand, exponent = math.frexp(x)  # 0.5 <= |significand| < 1
    return math.ldexp(round(significand * 2**bits), exponent - bits)

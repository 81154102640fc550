#!/usr/bin/env python3
"""Records conversions between element types as torch makes them, for tests/unit/tensor/test_dtype_recorded.c.

Usage: tools/record/record_dtypes.py          writes tests/unit/tensor/data/dtypes.json
Needs torch.
  "narrow": {type: [[float32 value, bits], ...]}    borders between neighbours, limits, and numbers drawn at random
  "narrow_f64": the same from float64
  "widen": {type: [[bits, float32 value], ...]}     all of 8 bits, a sample of 16
  "integers": [[value, from, to, value], ...]       between integer types, and from and to floats
"""

import json
import os
import random
import struct

import torch

TARGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/unit/tensor/data/dtypes.json")
FLOATS = {
    "f16": (torch.float16, torch.int16), "bf16": (torch.bfloat16, torch.int16),
    "f8_e4m3": (torch.float8_e4m3fn, torch.uint8), "f8_e5m2": (torch.float8_e5m2, torch.uint8),
}
INTEGERS = {"i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool}


def bits_of(value, dtype, source):
    narrow, bits = FLOATS[dtype]
    mask = 0xFF if bits is torch.uint8 else 0xFFFF
    return int(torch.tensor(value, dtype=source).to(narrow).view(bits)) & mask


def value_of(bits, dtype):
    narrow, view = FLOATS[dtype]
    if view is torch.int16 and bits >= 0x8000:
        bits -= 0x10000
    return float(torch.tensor(bits, dtype=view).view(narrow).to(torch.float32))


def neighbours(value):
    """The float32 values just below and above."""
    bits = struct.unpack("<i", struct.pack("<f", value))[0]
    return [struct.unpack("<f", struct.pack("<i", b))[0] for b in (bits - 1, bits, bits + 1)]


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def samples(dtype, draw):
    wide = 8 if FLOATS[dtype][1] is torch.uint8 else 16
    step = 1 if wide == 8 else 211
    values = [0.0, -0.0, float("inf"), float("-inf"), 1e-45, -1e-45, 3.4e38, 464.0, 480.0, 57344.0, 61440.0, 65504.0,
              65519.996, 65520.0, 65535.0, 3.3895314e38]
    for bits in range(0, (1 << (wide - 1)) - 1, step):
        low, high = value_of(bits, dtype), value_of(bits + 1, dtype)
        if low == low and high == high and high != float("inf"):
            values += neighbours((low + high) / 2) + [low]
    for _ in range(200):
        values.append(float32(draw.choice((-1, 1)) * draw.uniform(1, 2) * 2.0 ** draw.randint(-30, 17)))
    return [float32(v) for v in values]


def main():
    draw = random.Random(1)
    record = {"torch": torch.__version__.split("+")[0], "narrow": {}, "narrow_f64": {}, "widen": {}, "integers": []}
    for dtype, (_, bits) in FLOATS.items():
        record["narrow"][dtype] = [[v, bits_of(v, dtype, torch.float32)] for v in samples(dtype, draw)]
        doubles = [draw.choice((-1, 1)) * draw.uniform(1, 2) * 2.0 ** draw.randint(-30, 15) for _ in range(50)]
        doubles += [1 + 2.0 ** -11 + 2.0 ** -40, 1 + 2.0 ** -11 - 2.0 ** -40, 1e300, -1e-300]
        record["narrow_f64"][dtype] = [[v, bits_of(v, dtype, torch.float64)] for v in doubles]
        count = 256 if bits is torch.uint8 else 65536
        record["widen"][dtype] = [[b, value_of(b, dtype)] for b in range(0, count, 1 if count == 256 else 97)]
    for value in (0, 1, -1, 5, 127, 128, -128, -129, 255, 256, 32767, 32768, -32769, 65535, 2 ** 31, -2 ** 31 - 1, 2 ** 40 + 3):
        for source, source_dtype in INTEGERS.items():
            start = torch.tensor(value, dtype=torch.int64).to(source_dtype)
            for target, target_dtype in INTEGERS.items():
                record["integers"].append([int(start), source, target, int(start.to(target_dtype))])
            record["integers"].append([int(start), source, "f32", float(start.to(torch.float32))])
    for value in (0.0, 0.5, -0.5, 1.9, -1.9, 100.7, 2.5, 3.5):
        for target, target_dtype in INTEGERS.items():
            if value >= 0 or target != "u8":
                record["integers"].append([value, "f32", target, int(torch.tensor(value).to(target_dtype))])
    os.makedirs(os.path.dirname(TARGET), exist_ok=True)
    with open(TARGET, "w", encoding="utf-8") as file:
        text = json.dumps(record).replace("]], ", "]],\n").replace("], [", "],[")
        file.write(text + "\n")


if __name__ == "__main__":
    main()

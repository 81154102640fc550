#!/usr/bin/env python3
"""Prints the class attributes of image processors as the JSON that src/media/images/*.c have.

Usage: tools/record/image_defaults.py CLASS...
"""
import json
import sys

import transformers


def attributes(cls):
    names = set(getattr(cls.valid_kwargs, "__annotations__", {}))
    for base in cls.valid_kwargs.__mro__ if hasattr(cls.valid_kwargs, "__mro__") else []:
        names |= set(getattr(base, "__annotations__", {}))
    out = {}
    for name in sorted(names | {"default_to_square", "rescale_factor"}):
        value = getattr(cls, name, None)
        if value is None or callable(value):
            continue
        if name == "default_to_square" and value is True or name == "rescale_factor" and value == 1 / 255:
            continue
        if hasattr(value, "items"):
            value = {key: part for key, part in dict(value).items() if part is not None}
        if name == "resample":
            value = int(value)
        out[name] = value
    return out


def text(values):
    return json.dumps(values, default=lambda value: getattr(value, "value", str(value)))


for name in sys.argv[1:]:
    if not hasattr(transformers, name):
        print(f"{name}: transformers has no such class", file=sys.stderr)
        continue
    cls = getattr(transformers, name)
    try:
        plain = attributes(cls)
    except ImportError as error:
        print(f"{name}: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        continue
    print(name, text(plain))

"""This project with products of numbers rounded to bfloat16 (--dtype bf16)."""

from engines import _target
from engines._bf16 import TOLERANCE, reason_against  # noqa: F401

TITLE = "anymodel bf16"
CACHED = True


def command(build, model, case, threads):
    return _target.command("cpu", build, model, case, threads, "auto", "bf16")

"""OpenVINO as in openvino.py, in bfloat16."""

from engines import openvino
from engines._bf16 import TOLERANCE, reason_against  # noqa: F401

TITLE = "OpenVINO bf16"
prepare = openvino.prepare


def load(model, case, inputs, threads):
    return openvino.load(model, case, inputs, threads, "bf16")

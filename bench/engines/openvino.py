"""OpenVINO on its CPU plugin in float32, with the graph that PyTorch exports for the shapes of the case."""

import os

from engines import onnxruntime

TITLE = "OpenVINO"


def prepare(model, inputs, output, case):
    if not os.path.exists(f"{case}/{onnxruntime.GRAPH}"):
        onnxruntime.prepare(model, inputs, output, case)


def load(model, case, inputs, threads, precision="f32"):
    import openvino

    core = openvino.Core()
    graph = core.read_model(f"{case}/{onnxruntime.GRAPH}")
    compiled = core.compile_model(graph, "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                                                 "INFERENCE_PRECISION_HINT": precision})
    feed = {name: inputs[name] for port in compiled.inputs for name in port.names if name in inputs}
    return lambda: compiled(feed)[0]

"""ONNX Runtime on its CPU provider, with the graph that PyTorch exports for the shapes of the case."""

TITLE = "ONNX Runtime"
GRAPH = "graph.onnx"


def prepare(model, inputs, output, case):
    import torch
    from prepare import arguments_of

    arguments = arguments_of(case)

    class Positional(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *values):
            return getattr(self.model(**dict(zip(inputs, values)), **arguments), output)

    torch.onnx.export(Positional().eval(), tuple(inputs.values()), f"{case}/{GRAPH}", input_names=list(inputs),
                      output_names=[output], opset_version=18, dynamo=True, verbose=False)


def load(model, case, inputs, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(f"{case}/{GRAPH}", options, providers=["CPUExecutionProvider"])
    feed = {i.name: inputs[i.name] for i in session.get_inputs()}
    return lambda: session.run(None, feed)[0]

from workloads import llama_4_layers
from workloads.llama_4_layers import CACHED_CASES, CASES, DTYPE, LAST_LOGITS, OUTPUT, TINY, inputs  # noqa: F401

TITLE = "LLaMA, 1.1 B (TinyLlama's shape)"
NEEDS_GB = {"memory": 15, "disk": 7}
WITHOUT = {**dict.fromkeys(("onnxruntime", "openvino", "openvino_bf16"),
                           "4.4 GB more for the exported graph of each case; its 4 layers are compared"),
           **dict.fromkeys(("pytorch", "pytorch_bf16"), "5 GB more of memory each; its 4 layers are compared")}


def model(**changes):
    return llama_4_layers.model(**{"num_hidden_layers": 22, **changes})

from workloads import llama_4_layers
from workloads.llama_4_layers import CACHED_CASES, CASES, OUTPUT, TINY, inputs  # noqa: F401

TITLE = "LLaMA, 1.1 B (TinyLlama's shape)"
BIG = True  # 4.4 GB, and again for the exported graph of each case


def model(**changes):
    return llama_4_layers.model(**{"num_hidden_layers": 22, **changes})

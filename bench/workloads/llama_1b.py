from workloads import llama_4_layers
from workloads.llama_4_layers import CACHED_CASES, CASES, DTYPE, LAST_LOGITS, OUTPUT, TINY, inputs  # noqa: F401

TITLE = "LLaMA, 1.1 B (TinyLlama's shape)"
BIG = True  # 2.2 GB, twice that for the exported graph of each case, and llama.cpp's files


def model(**changes):
    return llama_4_layers.model(**{"num_hidden_layers": 22, **changes})

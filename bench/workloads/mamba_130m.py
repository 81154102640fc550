from workloads.llama_4_layers import inputs  # noqa: F401

TITLE = "Mamba 130 M"
OUTPUT = "logits"
LAST_LOGITS = True
CASES = {"128 tokens": (1, 128)}
WITHOUT = dict.fromkeys(("onnxruntime", "openvino", "openvino_bf16"), "the exported scan is a node for each token")
TINY = {"num_hidden_layers": 2, "hidden_size": 64}


def model(**changes):
    import transformers
    return transformers.MambaForCausalLM(transformers.MambaConfig(use_cache=False, **{
        "num_hidden_layers": 24, "hidden_size": 768, "vocab_size": 50280, **changes}))

from workloads.llama_4_layers import inputs  # noqa: F401

TITLE = "Mamba 130 M"
OUTPUT = "logits"
LAST_LOGITS = True
CASES = {"128 tokens": (1, 128)}
WITHOUT = {**dict.fromkeys(("onnxruntime", "openvino", "openvino_bf16"), "the exported scan is a node for each token"),
           **dict.fromkeys(("anymodel_int8", "anymodel_int4", "llamacpp_q8", "llamacpp_q4"),
                           "scans of random weights make too much of rounding for answers to be compared")}
TINY = {"initializer_range": 0.1, "num_hidden_layers": 2, "hidden_size": 64}


def model(**changes):
    import transformers
    # With 0.1, the configuration's default, 24 random layers make any rounding as large as the answer.
    return transformers.MambaForCausalLM(transformers.MambaConfig(use_cache=False, **{
        "num_hidden_layers": 24, "hidden_size": 768, "vocab_size": 50280, "initializer_range": 0.02, **changes}))

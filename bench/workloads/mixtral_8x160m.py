"""A mixture of 8 experts of which 2 are active, with the widths of a decoder of 160 M parameters: 0.73 B in all."""

from workloads.llama_4_layers import inputs  # noqa: F401

SIZES = {"num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12, "num_key_value_heads": 12,
         "intermediate_size": 3072, "num_local_experts": 8, "num_experts_per_tok": 2, "vocab_size": 32000}
TITLE = "Mixtral, 8 x 160 M"
OUTPUT = "logits"
LAST_LOGITS = True
DTYPE = "bfloat16"
CASES = {"128 tokens": (1, 128)}
CACHED_CASES = {"1 token after 128 in the cache": (1, 128)}
WITHOUT = {**dict.fromkeys(("onnxruntime", "openvino", "openvino_bf16"), "which experts a token goes to is not exported"),
           **dict.fromkeys(("anymodel_int8", "anymodel_int4", "llamacpp_q8", "llamacpp_q4"),
                           "rounding changes which experts a token goes to, and with random ones the whole answer")}
TINY = {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
        "intermediate_size": 128}


def model(**changes):
    import transformers
    return transformers.MixtralForCausalLM(transformers.MixtralConfig(use_cache=False, **{**SIZES, **changes}))

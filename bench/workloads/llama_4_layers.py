"""TinyLlama's widths; with an exported graph for each case its 22 layers are more than a bench by default should take
(llama_1b.py)."""

SIZES = {"num_hidden_layers": 4, "hidden_size": 2048, "num_attention_heads": 32, "num_key_value_heads": 4,
         "intermediate_size": 5632, "vocab_size": 32000, "max_position_embeddings": 2048}
TITLE = "LLaMA, 4 layers of TinyLlama's"
OUTPUT = "logits"
LAST_LOGITS = True
DTYPE = "bfloat16"
CASES = {"128 tokens": (1, 128), "512 tokens": (1, 512)}
CACHED_CASES = {"1 token after 128 in the cache": (1, 128)}
TINY = {"initializer_range": 0.1, "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
        "intermediate_size": 128}


def model(**changes):
    import transformers
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(use_cache=False, **{**SIZES, **changes}))


def inputs(batch, length):
    import torch
    generator = torch.Generator().manual_seed(1)
    return {"input_ids": torch.randint(0, 32000, (batch, length), generator=generator)}

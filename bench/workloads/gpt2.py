"""A decoder of 12 layers, GPT-2's size: a prompt, and one token."""

TITLE = "GPT-2 (12 layers)"
OUTPUT = "logits"
LAST_LOGITS = True
CASES = {"128 tokens": (1, 128), "1 token": (1, 1)}
CACHED_CASES = {"1 token after 128 in the cache": (1, 128)}
TINY = {"initializer_range": 0.1, "n_layer": 2, "n_embd": 64, "n_head": 4}


def model(**changes):
    import transformers
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(use_cache=False, **changes))


def inputs(batch, length):
    import torch
    generator = torch.Generator().manual_seed(1)
    return {"input_ids": torch.randint(0, 50257, (batch, length), generator=generator)}

"""A decoder of 12 layers, GPT-2's size: a prompt, and one token."""

TITLE = "GPT-2 (12 layers)"
OUTPUT = "last_hidden_state"
CASES = {"128 tokens": (1, 128), "1 token": (1, 1)}


def model():
    import transformers
    return transformers.GPT2Model(transformers.GPT2Config(use_cache=False))


def inputs(batch, length):
    import torch
    generator = torch.Generator().manual_seed(1)
    return {"input_ids": torch.randint(0, 50257, (batch, length), generator=generator)}

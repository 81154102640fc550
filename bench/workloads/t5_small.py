from workloads import t5_small_encoder
from workloads.t5_small_encoder import OUTPUT, TINY  # noqa: F401

TITLE = "T5-small"
CASES = {"64 tokens in, 1 out": (1, 64)}


def model(**changes):
    import transformers
    return transformers.T5Model(t5_small_encoder.config(**changes))


def inputs(batch, length):
    import torch
    return {**t5_small_encoder.inputs(batch, length), "decoder_input_ids": torch.zeros(batch, 1, dtype=torch.int64)}

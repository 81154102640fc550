from workloads import t5_small_encoder
from workloads.t5_small_encoder import TINY  # noqa: F401

TITLE = "T5-small"
OUTPUT = "logits"
CASES = {"64 tokens in, 1 out": (1, 64, 1)}
STEP_CASES = {"64 tokens in, 64 out": (1, 64, 64)}


def model(**changes):
    import transformers
    return transformers.T5ForConditionalGeneration(t5_small_encoder.config(**changes))


def inputs(batch, length, out):
    import torch
    ids = torch.randint(5, 32000, (batch, out))
    ids[:, 0] = 0  # what the decoder starts with
    return {**t5_small_encoder.inputs(batch, length), "decoder_input_ids": ids}

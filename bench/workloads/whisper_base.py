from workloads import whisper_base_encoder
from workloads.whisper_base_encoder import SIZES, TINY  # noqa: F401

TITLE = "Whisper-base"
OUTPUT = "logits"
CASES = {}
STEP_CASES = {"30 s of sound, 64 tokens out": (1, 64)}


def model(**changes):
    import transformers
    return transformers.WhisperForConditionalGeneration(transformers.WhisperConfig(use_cache=False, **{**SIZES, **changes}))


def inputs(batch, out):
    import torch
    ids = torch.randint(5, 50000, (batch, out))
    ids[:, 0] = 50257  # what the decoder starts with
    return {**whisper_base_encoder.inputs(batch), "decoder_input_ids": ids}

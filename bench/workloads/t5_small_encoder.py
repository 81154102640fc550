SIZES = {"num_layers": 6, "num_decoder_layers": 6, "d_model": 512, "num_heads": 8, "d_kv": 64, "d_ff": 2048}
TITLE = "T5-small, encoder"
OUTPUT = "last_hidden_state"
CASES = {"64 tokens": (1, 64)}
TINY = {"num_layers": 2, "num_decoder_layers": 2, "d_model": 64, "num_heads": 4, "d_kv": 16, "d_ff": 128}


def config(**changes):
    import transformers
    return transformers.T5Config(use_cache=False, **{**SIZES, **changes})


def model(**changes):
    import transformers
    return transformers.T5EncoderModel(config(**changes))


def inputs(batch, length):
    import torch
    return {"input_ids": torch.randint(5, 32000, (batch, length))}

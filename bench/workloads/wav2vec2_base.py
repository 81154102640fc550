TITLE = "wav2vec2-base"
OUTPUT = "last_hidden_state"
CASES = {"10 s of sound, batch 1": (1, 160000)}
TINY = {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128}


def model(**changes):
    import transformers
    return transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**changes))


def inputs(batch, length):
    import torch
    return {"input_values": torch.randn(batch, length)}

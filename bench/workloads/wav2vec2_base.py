TITLE = "wav2vec2-base"
OUTPUT = "last_hidden_state"
CASES = {"10 s of sound, batch 1": (1, 160000)}


def model():
    import transformers
    return transformers.Wav2Vec2Model(transformers.Wav2Vec2Config())


def inputs(batch, length):
    import torch
    return {"input_values": torch.randn(batch, length)}

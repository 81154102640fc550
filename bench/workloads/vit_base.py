TITLE = "ViT-B/16"
OUTPUT = "last_hidden_state"
CASES = {"224 x 224 pixels, batch 1": (1,)}


def model():
    import transformers
    return transformers.ViTModel(transformers.ViTConfig())


def inputs(batch):
    import torch
    return {"pixel_values": torch.randn(batch, 3, 224, 224)}

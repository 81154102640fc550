TITLE = "ViT-B/16"
OUTPUT = "last_hidden_state"
CASES = {"224 x 224 pixels, batch 1": (1,)}
TINY = {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128}


def model(**changes):
    import transformers
    return transformers.ViTModel(transformers.ViTConfig(**changes))


def inputs(batch):
    import torch
    return {"pixel_values": torch.randn(batch, 3, 224, 224)}

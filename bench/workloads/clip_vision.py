from workloads.vit_base import inputs  # noqa: F401

TITLE = "CLIP ViT-B/32, images"
OUTPUT = "last_hidden_state"
CASES = {"224 x 224 pixels, batch 1": (1,)}


def model():
    import transformers
    return transformers.CLIPVisionModel(transformers.CLIPVisionConfig())

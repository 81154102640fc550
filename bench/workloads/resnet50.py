from workloads.vit_base import inputs  # noqa: F401

TITLE = "ResNet-50"
OUTPUT = "last_hidden_state"
CASES = {"224 x 224 pixels, batch 1": (1,)}


def model():
    import transformers
    return transformers.ResNetModel(transformers.ResNetConfig())

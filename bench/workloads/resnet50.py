from workloads.vit_base import inputs  # noqa: F401

TITLE = "ResNet-50"
OUTPUT = "last_hidden_state"
CASES = {"224 x 224 pixels, batch 1": (1,)}
TINY = {"embedding_size": 16, "hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 1, 1]}


def model(**changes):
    import transformers
    return transformers.ResNetModel(transformers.ResNetConfig(**changes))

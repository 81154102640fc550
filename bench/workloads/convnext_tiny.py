from workloads.vit_base import inputs  # noqa: F401

TITLE = "ConvNeXt-T"
OUTPUT = "last_hidden_state"
CASES = {"224 x 224 pixels, batch 1": (1,)}
TINY = {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 1, 1]}


def model(**changes):
    import transformers
    return transformers.ConvNextModel(transformers.ConvNextConfig(**changes))

from workloads.minilm import inputs  # noqa: F401

TITLE = "BERT-base"
OUTPUT = "last_hidden_state"
CASES = {"128 tokens, batch 1": (1, 128), "512 tokens, batch 1": (1, 512)}


def model():
    import transformers
    return transformers.BertModel(transformers.BertConfig())

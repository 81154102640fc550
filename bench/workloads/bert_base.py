from workloads.minilm import inputs  # noqa: F401

TITLE = "BERT-base"
OUTPUT = "last_hidden_state"
CASES = {"128 tokens, batch 1": (1, 128), "512 tokens, batch 1": (1, 512)}
TINY = {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128}


def model(**changes):
    import transformers
    return transformers.BertModel(transformers.BertConfig(**changes))

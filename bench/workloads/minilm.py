SIZES = {"num_hidden_layers": 6, "hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536}
TITLE = "MiniLM-L6 (384 wide)"
OUTPUT = "last_hidden_state"
CASES = {"128 tokens, batch 1": (1, 128), "128 tokens, batch 32": (32, 128)}
TINY = {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128}


def model(**changes):
    import transformers
    return transformers.BertModel(transformers.BertConfig(**{**SIZES, **changes}))


def inputs(batch, length):
    import torch
    ids = torch.randint(5, 30000, (batch, length))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

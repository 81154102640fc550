TITLE = "CLIP ViT-B/32, texts"
OUTPUT = "last_hidden_state"
CASES = {"77 tokens, batch 1": (1, 77)}
TINY = {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128}


def model(**changes):
    import transformers
    return transformers.CLIPTextModel(transformers.CLIPTextConfig(eos_token_id=49407, bos_token_id=49406, **changes))


def inputs(batch, length):
    import torch
    ids = torch.randint(5, 49000, (batch, length))
    ids[:, -1] = 49407  # where the text ends
    return {"input_ids": ids}

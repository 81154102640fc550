TITLE = "CLIP ViT-B/32, texts"
OUTPUT = "last_hidden_state"
CASES = {"77 tokens, batch 1": (1, 77)}


def model():
    import transformers
    return transformers.CLIPTextModel(transformers.CLIPTextConfig(eos_token_id=49407, bos_token_id=49406))


def inputs(batch, length):
    import torch
    ids = torch.randint(5, 49000, (batch, length))
    ids[:, -1] = 49407  # where the text ends
    return {"input_ids": ids}

"""Other sizes for parts of models that read images and texts together: see `sizes.py`."""

from sizes import ACTIVATIONS, choose, heads, llama
from younger_text_sizes import MULTIPLIERS, text


def granite_docling_text(c: dict, rng) -> None:
    text(c, rng, mlp_bias=[False, True], **MULTIPLIERS)


def cohere_compass_text(c: dict, rng) -> None:
    """A head is a part of the width."""
    llama({**c, "rope_parameters": {"rope_type": "default"}}, rng)
    c["num_key_value_heads"] = rng.choice([1, 2])
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([1, 2, 3])
    choose(c, rng, head_dim=[6, 8, 10], intermediate_size=range(20, 70), vocab_size=range(60, 140), layer_norm_eps=[1e-5, 1e-6],
           attention_bias=[False, True], logit_scale=[None, 0.5])
    c["hidden_size"] = c["num_attention_heads"] * c["head_dim"]


def janus_vision_model(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], mlp_ratio=[1.5, 2.0], num_channels=[1, 3], patch_size=[3, 4, 5], hidden_act=ACTIVATIONS,
           attention_bias=[True, False])
    c["image_size"] = c["patch_size"] * rng.choice([2, 3, 4])


VISION_CHAT = {"granite_docling_text": granite_docling_text, "emu3_text_model": text, "cohere_compass_text": cohere_compass_text,
               "janus_vision_model": janus_vision_model}

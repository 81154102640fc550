"""Other sizes for younger relatives of BERT, T5 and LLaMA: see `sizes.py`."""

from pyramid_sizes import PYRAMIDS
from sizes import ACTIVATIONS, bert, choose, clip_vision_model, cohere2, divided_rotary, gemma, glm4, heads, llama, phi, rope, t5, wav2vec2


def helium(c: dict, rng) -> None:
    """The last projection of attention is square; pairs side by side are rotated."""
    llama(c, rng)
    choose(c, rng, head_dim=[6, 8, 10, 18], attention_bias=[False, True], mlp_bias=[False, True])
    c["hidden_size"] = c["num_attention_heads"] * c["head_dim"]


def olmo3(c: dict, rng) -> None:
    """Two kinds of rotary positions, by layer type."""
    parameters = c["rope_parameters"]
    c["rope_parameters"] = {}
    gemma(c, rng)
    c["rope_parameters"] = parameters
    for kind in parameters.values():
        rope(kind, c["hidden_size"] // c["num_attention_heads"], rng)


def smollm3(c: dict, rng) -> None:
    gemma(c, rng)
    c["no_rope_layers"] = [rng.choice([0, 1]) for _ in range(c["num_hidden_layers"])]


def starcoder2(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, use_bias=[True, False], norm_epsilon=[1e-5, 1e-6], hidden_act=ACTIVATIONS, sliding_window=[None, 3])


def stablelm(c: dict, rng) -> None:
    """A quarter of each head is rotated."""
    llama(c, rng)
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 16])
    choose(c, rng, layer_norm_eps=[1e-5, 1e-6], use_qkv_bias=[True, False])


def cohere(c: dict, rng) -> None:
    cohere2(c, rng)
    del c["head_dim"]


def nemotron(c: dict, rng) -> None:
    divided_rotary(c, rng)
    choose(c, rng, attention_bias=[False, True], mlp_bias=[False, True], norm_eps=[1e-5, 1e-6], hidden_act=["relu2", "silu"])


def jais2(c: dict, rng) -> None:
    gemma(c, rng)
    choose(c, rng, mlp_bias=[False, True], layer_norm_eps=[1e-5, 1e-6])


def ernie4_5(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, use_bias=[False, True])


def persimmon(c: dict, rng) -> None:
    phi(c | {"num_key_value_heads": 2}, rng)
    heads(c, rng, "hidden_size", "num_attention_heads")
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 12, 16])
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           layer_norm_eps=[1e-5, 1e-6], hidden_act=["relu2", *ACTIVATIONS])


def experts(c: dict, rng) -> None:
    """Mixtures: LLaMA's sizes, and how many experts there are and answer."""
    llama(c, rng)
    count = "num_experts" if "num_experts" in c else "num_local_experts"
    choose(c, rng, **{count: [4, 5, 7]}, num_experts_per_tok=[1, 2, 3])
    for field in ("moe_intermediate_size", "shared_expert_intermediate_size"):
        if field in c:
            c[field] = rng.randint(8, 40)
    if "norm_topk_prob" in c:
        choose(c, rng, norm_topk_prob=[False, True])


def dinov2(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], mlp_ratio=[1, 2, 3], patch_size=[3, 4, 5], num_channels=[1, 3],
           qkv_bias=[True, False], hidden_act=ACTIVATIONS, layer_norm_eps=[1e-5, 1e-6])
    c["image_size"] = c["patch_size"] * rng.choice([3, 4, 5])
    c["stage_names"] = ["stem"] + [f"stage{i + 1}" for i in range(c["num_hidden_layers"])]
    c["out_features"], c["out_indices"] = c["stage_names"][-1:], [c["num_hidden_layers"]]
    if "num_register_tokens" in c:
        choose(c, rng, num_register_tokens=[1, 3, 5])


def siglip_text_model(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           max_position_embeddings=range(20, 60), hidden_act=ACTIVATIONS)
    c["projection_size"] = c["hidden_size"]


def siglip_vision_model(c: dict, rng) -> None:
    clip_vision_model(c, rng)
    del c["projection_dim"]
    choose(c, rng, hidden_act=ACTIVATIONS)


def siglip(c: dict, rng) -> None:
    siglip_text_model(c["text_config"], rng)
    siglip_vision_model(c["vision_config"], rng)
    c["text_config"]["projection_size"] = c["vision_config"]["hidden_size"]


def speech(c: dict, rng) -> None:
    """wav2vec 2.0's sizes, of those fields that the type has."""
    wide = {"add_adapter": False, **c}
    wav2vec2(wide, rng)
    c |= {field: wide[field] for field in c}


def eurobert(c: dict, rng) -> None:
    gemma(c, rng)
    choose(c, rng, classifier_pooling=["late", "mean", "bos"], mlp_bias=[False, True])


def rotary_bert(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           type_vocab_size=range(1, 6), layer_norm_eps=[1e-12, 1e-5], hidden_act=ACTIVATIONS)
    if "head_dim" in c:
        c["head_dim"] = c["hidden_size"] // c["num_attention_heads"]
    rope(c["rope_parameters"], 0, rng)


RELATIVES = {"xlm-roberta": bert, "camembert": bert, "mt5": t5, "umt5": t5, "arcee": gemma, "ministral": llama,
             "seed_oss": gemma, "helium": helium, "cwm": llama, "exaone4": llama, "olmo3": olmo3, "olmo": gemma,
             "smollm3": smollm3, "starcoder2": starcoder2, "hunyuan_v1_dense": gemma, "stablelm": stablelm}
RELATIVES |= {"ernie": bert, "megatron-bert": bert, "data2vec-text": bert, "roberta-prelayernorm": bert, "xlm-roberta-xl": bert}
RELATIVES |= {"cohere": cohere, "glm": glm4, "nemotron": nemotron, "jais2": jais2, "ernie4_5": ernie4_5, "persimmon": persimmon,
             "qwen2_moe": experts, "olmoe": experts, "minimax_m2": experts}
RELATIVES |= {"dinov2": dinov2, "dinov2_with_registers": dinov2, "siglip": siglip, "siglip_text_model": siglip_text_model,
              "siglip_vision_model": siglip_vision_model}
RELATIVES |= {"hubert": speech, "unispeech": speech, "unispeech-sat": speech}
RELATIVES |= {"eurobert": eurobert, "nomic_bert": rotary_bert, "gte": rotary_bert, "jina_embeddings_v3": rotary_bert}
RELATIVES |= PYRAMIDS

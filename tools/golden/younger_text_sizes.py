"""Other sizes for younger text models, relatives of LLaMA, DeepSeek, Mamba and Gemma: see `sizes.py`."""

from sizes import bart, choose, rope

# What may change by itself in whichever configuration has it.
FREE = {
    "num_hidden_layers": [2, 3], "intermediate_size": range(20, 70), "vocab_size": range(60, 140),
    "rms_norm_eps": [1e-5, 1e-6], "attention_bias": [False, True], "moe_intermediate_size": range(8, 40),
    "n_shared_experts": [1, 2], "num_shared_experts": [1, 2], "num_experts_per_tok": [1, 2, 3],
    "routed_scaling_factor": [1.0, 1.5, 2.5], "router_scaling_factor": [1.0, 1.5, 2.5],
}


def free(c: dict, rng, **more) -> None:
    for field, options in (FREE | more).items():
        if c.get(field) is not None:
            choose(c, rng, **{field: options})


def grouped_heads(c: dict, rng) -> None:
    groups = rng.choice([2, 3])
    c["num_key_value_heads"], c["num_attention_heads"] = groups, groups * rng.choice([1, 2, 3])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([6, 8, 10])
    if c.get("head_dim"):
        choose(c, rng, head_dim=[6, 8, 10, 18])


def latent_heads(c: dict, rng) -> None:
    """Keys and values that come of one low-rank vector."""
    c["num_key_value_heads"] = c["num_attention_heads"] = rng.choice([2, 3])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([10, 14, 16])
    choose(c, rng, kv_lora_rank=range(10, 30, 2), qk_nope_head_dim=range(6, 20, 2), qk_rope_head_dim=[6, 8, 12],
           v_head_dim=range(8, 20))
    if c.get("q_lora_rank"):
        choose(c, rng, q_lora_rank=range(10, 30))
    c["qk_head_dim"] = c["qk_nope_head_dim"] + c["qk_rope_head_dim"]
    c["head_dim"] = c["qk_rope_head_dim"]


def counts(c: dict, rng) -> None:
    """How many experts there are, of which groups, and where."""
    for field in ("n_routed_experts", "num_experts", "num_local_experts"):
        if field in c:
            choose(c, rng, **{field: [4, 6, 8]})
            if c.get("n_group"):
                c["n_group"], c["topk_group"] = rng.choice([(1, 1), (2, 1), (2, 2)])
                choose(c, rng, num_experts_per_tok=[1, 2])
    for field in ("layer_types", "mlp_layer_types"):
        if c.get(field):
            kinds = sorted(set(c[field]))
            c["num_hidden_layers"] = max(c["num_hidden_layers"], len(kinds))
            c[field] = kinds + [rng.choice(kinds) for _ in range(c["num_hidden_layers"] - len(kinds))]
            rng.shuffle(c[field])
    if c.get("sliding_window"):
        choose(c, rng, sliding_window=[2, 3, 5])


def text(c: dict, rng, **more) -> None:
    """The sizes that most of them have."""
    latent_heads(c, rng) if "kv_lora_rank" in c else grouped_heads(c, rng)
    free(c, rng, **more)
    counts(c, rng)
    for field in ("layer_types", "mlp_layer_types"):  # the second list may have added a layer
        if c.get(field):
            c[field] = (c[field] * 3)[: c["num_hidden_layers"]]
    if c.get("rope_parameters"):
        kinds = c["rope_parameters"]
        for kind in [kinds] if "rope_type" in kinds else kinds.values():
            rope(kind, c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"], rng)


def mistral4(c: dict, rng) -> None:
    """What part of a head is rotated stands with the rotary parameters, too."""
    text(c, rng)
    c["head_dim"] = c["qk_head_dim"]
    c["rope_parameters"]["partial_rotary_factor"] = c["qk_rope_head_dim"] / c["qk_head_dim"]


def minicpm3(c: dict, rng) -> None:
    text(c, rng, mlp_bias=[False, True], scale_emb=[1, 3], scale_depth=[1.4, 2.0], dim_model_base=[16, 64])


def lfm2_moe(c: dict, rng) -> None:
    text(c, rng, conv_L_cache=[2, 3, 4], num_dense_layers=[0, 1], norm_eps=[1e-5, 1e-6])
    c["conv_bias"] = rng.choice([False, True])


def cohere2_moe(c: dict, rng) -> None:
    text(c, rng, logit_scale=[0.5, 1.0], layer_norm_eps=[1e-5, 1e-6])
    choose(c, rng, num_shared_experts=[0, 1, 2], expert_selection_fn=["softmax", "sigmoid"])


def bamba(c: dict, rng) -> None:
    """Mamba 2 among attention: heads of both, which are parts of one width or two."""
    text(c, rng)
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 12])
    choose(c, rng, mamba_n_groups=[1, 2], mamba_d_state=range(3, 12), mamba_d_conv=[2, 3, 5], mamba_chunk_size=[3, 4, 16],
           mamba_conv_bias=[False, True], mamba_proj_bias=[False, True])
    c["mamba_n_heads"] = 2 * c["mamba_n_groups"]
    c["mamba_d_head"] = c["mamba_expand"] * c["hidden_size"] // c["mamba_n_heads"]
    c["time_step_limit"] = [0.01, 0.5]
    if "attn_layer_indices" in c:
        c["attn_layer_indices"] = [1]


def granitemoehybrid(c: dict, rng) -> None:
    bamba(c, rng)
    choose(c, rng, shared_intermediate_size=range(10, 30), position_embedding_type=["rope", None], **MULTIPLIERS)


MULTIPLIERS = {"embedding_multiplier": [1.0, 2.0], "attention_multiplier": [0.3, 0.5], "residual_multiplier": [0.5, 1.0],
               "logits_scaling": [1.0, 2.0]}


def granite_swa(c: dict, rng) -> None:
    text(c, rng, mlp_bias=[False, True], **MULTIPLIERS)
    c["layer_rope_theta"] = [rng.choice([0, 100.0, 10000.0]) for _ in range(c["num_hidden_layers"])]


YOUNGER_TEXT = dict.fromkeys(
    ("deepseek_v2", "deepseek_ocr2_text", "dots1", "ministral3", "glm4_moe_lite", "youtu", "solar_open", "hy_v3", "flex_olmo"), text)
YOUNGER_TEXT |= {"mistral4": mistral4, "minicpm3": minicpm3}
YOUNGER_TEXT |= {"lfm2_moe": lfm2_moe, "cohere2_moe": cohere2_moe, "bamba": bamba, "granitemoehybrid": granitemoehybrid,
                 "granite_swa": granite_swa, "granitemoe_swa": granite_swa}


def delta_net(c: dict, rng, **more) -> None:
    text(c, rng, linear_conv_kernel_dim=[2, 3, 4], linear_key_head_dim=range(6, 16), linear_value_head_dim=range(6, 16),
         linear_num_key_heads=[2, 3], shared_expert_intermediate_size=range(8, 40), linear_allow_neg_eigval=[False, True],
         linear_head_dim=range(6, 16), linear_num_heads=[2, 3], **more)
    if "linear_num_value_heads" in c:
        c["linear_num_value_heads"] = c["linear_num_key_heads"] * rng.choice([1, 2])


def olmo_hybrid(c: dict, rng) -> None:
    """transformers writes convolutions of equal sizes only."""
    delta_net(c, rng)
    c["linear_num_value_heads"], c["linear_value_head_dim"] = c["linear_num_key_heads"], c["linear_key_head_dim"]


def qwen3_5(c: dict, rng) -> None:
    """A quarter of each head is rotated."""
    delta_net(c, rng)
    choose(c, rng, head_dim=[8, 16, 24])


def laguna(c: dict, rng) -> None:
    """Half of each head is rotated in layers that see all."""
    text(c, rng, shared_expert_intermediate_size=range(8, 40), v_head_dim=[6, 10, 15], attention_value_scale=[0.5, 0.8],
         num_experts_per_tok=[1, 2])
    choose(c, rng, head_dim=[8, 12, 16])
    if "num_attention_heads_per_layer" in c:
        c["num_attention_heads_per_layer"] = [c["num_key_value_heads"] * rng.choice([1, 2, 3]) for _ in c["layer_types"]]
    if c["model_type"] == "mimo_v2_flash":
        c["num_attention_heads"] = 2 * c["num_key_value_heads"]


def hyperclovax(c: dict, rng) -> None:
    text(c, rng, mlp_bias=[False, True], use_post_norm=[False, True], **MULTIPLIERS)
    c["hidden_size"] = c["num_attention_heads"] * 10


def longcat_flash(c: dict, rng) -> None:
    c["num_hidden_layers"], c["rms_norm_eps"] = 2, 1e-6
    text(c, rng, ffn_hidden_size=range(20, 60), expert_ffn_hidden_size=range(8, 40), moe_topk=[2, 3],
         zero_expert_num=[1, 2, 3])
    c["num_layers"] = rng.choice([1, 2])
    del c["num_hidden_layers"]


def kimi(c: dict, rng) -> None:
    """Fields under their other names."""
    delta_net(c, rng, num_experts_per_token=[1, 2], moe_renormalize=[False, True])
    choose(c, rng, num_experts=[4, 8])
    c["num_expert_group"], c["topk_group"] = rng.choice([(1, 1), (2, 1), (2, 2)])


YOUNGER_TEXT |= {"qwen3_5_text": qwen3_5, "qwen3_5_moe_text": qwen3_5, "olmo_hybrid": olmo_hybrid, "laguna": laguna,
                 "mimo_v2_flash": laguna, "mellum": laguna, "hyperclovax": hyperclovax, "axk1": text,
                 "longcat_flash": longcat_flash, "kimi_linear": kimi, "bailing_hybrid": kimi}


def glm_moe_dsa(c: dict, rng) -> None:
    text(c, rng, index_head_dim=[12, 16, 20], index_n_heads=range(8, 20))
    c["indexer_types"] = ["full"] + [rng.choice(["full", "shared"]) for _ in range(c["num_hidden_layers"] - 1)]


def step3p5(c: dict, rng) -> None:
    text(c, rng, moe_router_scaling_factor=[1.0, 1.5], share_expert_dim=range(8, 40))
    c["num_sliding_attention_heads"] = 2 * c["num_key_value_heads"]
    c["per_layer_config"] = {str(i): {"num_attention_heads": c["num_sliding_attention_heads"]}
                             for i, kind in enumerate(c["layer_types"]) if kind == "sliding_attention"}
    for field in ("swiglu_limits", "swiglu_limits_shared"):
        c[field] = [rng.choice([0.0, 0.5, 7.0]) for _ in c["layer_types"]]


def openai_privacy_filter(c: dict, rng) -> None:
    text(c, rng, swiglu_alpha=[1.7, 0.9], swiglu_limit=[7.0, 0.5])


def minimax_m3_vl_text(c: dict, rng) -> None:
    text(c, rng, dense_intermediate_size=range(20, 70), shared_intermediate_size=range(8, 40), index_block_size=[2, 3, 8])
    c["head_dim"], c["rotary_dim"], c["index_head_dim"] = 16, 8, rng.choice([8, 10, 12])
    c["index_n_heads"] = c["num_key_value_heads"]


def nemotron_h(c: dict, rng) -> None:
    grouped_heads(c, rng)
    choose(c, rng, hidden_size=range(20, 50), intermediate_size=range(20, 60), moe_intermediate_size=range(8, 40),
           moe_shared_expert_intermediate_size=range(8, 40), moe_latent_size=[None, 14], n_routed_experts=[4, 6],
           n_groups=[1, 2], mamba_head_dim=[4, 6, 10], ssm_state_size=range(3, 12), conv_kernel=[2, 3, 5], chunk_size=[3, 16],
           use_bias=[False, True], use_conv_bias=[False, True], mlp_bias=[False, True], vocab_size=range(60, 140))
    c["mamba_num_heads"], c["time_step_limit"] = 2 * c["n_groups"], [0.01, 0.5]
    rng.shuffle(c["layers_block_type"])


def zamba(c: dict, rng) -> None:
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([1, 2])
    c["attention_head_dim"] = rng.choice([8, 12, 20])
    c["hidden_size"] = rng.choice([20, 28, 36])
    c["attention_hidden_size"] = 2 * c["hidden_size"]
    choose(c, rng, n_mamba_heads=[1, 2, 4], intermediate_size=range(9, 30), mamba_d_state=range(3, 8), mamba_d_conv=[2, 3, 5],
           mamba_dt_rank=range(1, 6), mamba_conv_bias=[False, True], mamba_proj_bias=[False, True], vocab_size=range(60, 140),
           hidden_act=["gelu", "silu"])


def hrm_text(c: dict, rng) -> None:
    choose(c, rng, num_attention_heads=[2, 3, 5], head_dim=[6, 8, 12], H_cycles=[1, 2], L_cycles=[1, 2, 3],
           num_layers_per_stack=[1, 2], intermediate_size=range(20, 60), vocab_size=range(60, 140),
           attention_bias=[False, True], mlp_bias=[False, True], embedding_scale=[10.0, 50.0])
    c["hidden_size"] = c["num_attention_heads"] * 8
    c["num_hidden_layers"] = c["num_layers_per_stack"] * c["H_cycles"] * (c["L_cycles"] + 1)
    rope(c["rope_parameters"], c["head_dim"], rng)


def axk2(c: dict, rng) -> None:
    text(c, rng, index_head_dim=[12, 16, 20], index_n_heads=range(8, 20), gated_norm_rank=[3, 6], index_topk=[3, 8])


YOUNGER_TEXT |= {"axk2": axk2, "glm_moe_dsa": glm_moe_dsa, "step3p5": step3p5, "openai_privacy_filter": openai_privacy_filter,
                 "minimax_m3_vl_text": minimax_m3_vl_text, "nemotron_h": nemotron_h, "zamba": zamba, "hrm_text": hrm_text}


def ultrabert(c: dict, rng) -> None:
    text(c, rng, mlp_bias=[False, True], prediction_head_size=range(10, 40))


def esmc(c: dict, rng) -> None:
    text(c, rng, mlp_bias=[False, True])
    c["num_key_value_heads"], c["vocab_size"] = c["num_attention_heads"], 64
    c["head_dim"] = c["hidden_size"] // c["num_attention_heads"]


YOUNGER_TEXT |= {"ultrabert": ultrabert, "esmc": esmc}


def lfm3(c: dict, rng) -> None:
    text(c, rng, conv_L_cache=[2, 3, 4], norm_eps=[1e-5, 1e-6])
    choose(c, rng, use_attention_gate=[False, True], use_sandwich_norm=[False, True], conv_bias=[False, True], head_dim=[8, 12])


def kolibri1(c: dict, rng) -> None:
    text(c, rng, shared_expert_intermediate_size=range(8, 40))


YOUNGER_TEXT |= {"lfm3": lfm3, "kolibri1": kolibri1, "mvp": bart}

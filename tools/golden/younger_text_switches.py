"""Switches of younger text models: see `switch_table.py`. Each case turns what the class reads and no size would show."""

import dataclasses

from switches import ABSENT, Switch

PACKED = {"position_ids": {"values": [[0, 1, 2, 0, 1, 0, 1], [4, 5, 6, 7, 1, 2, 3]]}, "attention_mask": None}
LEFT = {"attention_mask": {"values": [[1] * 6, [0, 0, 1, 1, 1, 1]]},
        "position_ids": {"values": [[0, 1, 2, 3, 4, 5], [1, 1, 0, 1, 2, 3]]}}
EMBEDS = {"input_ids": None, "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0}}
YARN = {"rope_type": "yarn", "rope_theta": 900.0, "factor": 4.0, "original_max_position_embeddings": 16}
PADS = {"input_ids": {"values": [[5, 6, 7, 0, 0], [0, 0, 8, 9, 0], [0, 0, 0, 0, 0]]}}
NORMS = ("rms_norm_eps", "hidden_act", "attention_bias", "pad_token_id", "tie_word_embeddings")


def masks(lm: str, model: str, width: int = 32) -> list[Switch]:
    """Paddings of every kind, one token and a long text, vectors in place of tokens."""
    return [
        Switch(model, "mask_left", rows=3, length=9, mask="left"),
        Switch(model, "mask_holes", rows=3, length=9, mask="holes"),
        Switch(model, "unmasked", length=9, mask=None),
        Switch(model, "zero_row", inputs={"attention_mask": {"values": [[1] * 7, [0] * 7]}}),
        Switch(model, "embeds", inputs=EMBEDS | {"inputs_embeds": {"shape": [2, 7, width], "lo": -1.0, "hi": 1.0}}),
        Switch(lm, "one_token", rows=3, length=1, mask=None),
        Switch(lm, "long", rows=2, length=40, mask="left"),
    ]


def decoder(prefix: str, model: str | None = None, heads: str = "", width: int = 32, yarn: bool = True) -> list[Switch]:
    """What every decoder with attention has."""
    lm, model = f"{prefix}ForCausalLM", model or f"{prefix}Model"
    found = masks(lm, model, width) + [
        Switch(lm, "packed", inputs=PACKED),
        Switch(lm, "left_positions", length=6, inputs=LEFT),
        Switch(lm, "other_tie", {"tie_word_embeddings": True}, mask="holes", rows=3, length=10),
    ]
    if yarn:
        found.append(Switch(lm, "yarn", {"rope_parameters": YARN}, length=40, mask="ones"))
    if "s" in heads:
        found += [Switch(f"{prefix}ForSequenceClassification", "pads", {"pad_token_id": 0, "num_labels": 3}, rows=3, length=5,
                         mask=None, inputs=PADS),
                  Switch(f"{prefix}ForSequenceClassification", "no_pad", {"pad_token_id": None}, rows=1)]
    return found


def some(names: str, cases: list[Switch]) -> list[Switch]:
    """Those of a list that a type can have."""
    return [case for case in cases if case.name not in names.split()]


def absent(lm: str, *fields: str, config: dict | None = None, **more) -> Switch:
    """Fields that files may leave out."""
    return Switch(lm, "absent", dict.fromkeys(NORMS + fields, ABSENT) | (config or {}), raw=True, **more)


MSCALE = {"rope_parameters": {**YARN, "mscale": 0.7, "mscale_all_dim": 0.9}}
GROUPS = {"n_routed_experts": 12, "n_group": 4, "topk_group": 2, "num_experts_per_tok": 4}
DEEPSEEK_V2 = decoder("DeepseekV2", heads="s") + [
    Switch("DeepseekV2ForCausalLM", "groups", {"topk_method": "group_limited_greedy", **GROUPS, "routed_scaling_factor": 1.3,
           "mlp_bias": True, "n_shared_experts": 1}, mask="left"),
    Switch("DeepseekV2ForCausalLM", "whole_query", {"q_lora_rank": None, "attention_bias": True, "first_k_dense_replace": 1}),
    Switch("DeepseekV2ForCausalLM", "yarn_mscale", MSCALE, length=40, mask="left", rows=3),
    absent("DeepseekV2ForCausalLM", "topk_method", "n_shared_experts", "rope_parameters", "norm_topk_prob", "n_group"),
]
DOTS1 = decoder("Dots1") + [
    Switch("Dots1ForCausalLM", "groups", {**GROUPS, "norm_topk_prob": True, "first_k_dense_replace": 1,
           "attention_bias": True}, mask="left"),
    Switch("Dots1ForCausalLM", "window", {"max_window_layers": 1, "layer_types": ABSENT, "sliding_window": 3}, raw=True,
           length=12, mask="left", rows=3),
    absent("Dots1ForCausalLM", "layer_types", "sliding_window", "rope_parameters", "norm_topk_prob", "n_group"),
]
REACH = {"rope_parameters": {"rope_type": "yarn", "rope_theta": 900.0, "factor": 4.0, "original_max_position_embeddings": 3,
         "llama_4_scaling_beta": 0.4, "mscale": 1.0, "mscale_all_dim": 1.0}}
MINISTRAL3 = decoder("Ministral3", heads="s", yarn=False) + [
    Switch("Ministral3ForCausalLM", "reach", REACH, length=13, mask="left", rows=3),
    Switch("Ministral3ForCausalLM", "reach_packed", REACH, inputs=PACKED),
    Switch("Ministral3ForCausalLM", "window", {"sliding_window": 3}, length=12, mask="left", rows=3),
    absent("Ministral3ForCausalLM", "rope_parameters", "sliding_window", length=20),
]
MISTRAL4 = decoder("Mistral4", heads="s", yarn=False) + [
    Switch("Mistral4ForCausalLM", "reach", REACH | GROUPS, length=13, mask="left", rows=3),
    Switch("Mistral4ForCausalLM", "halves", {"rope_interleave": False, "q_lora_rank": None, "attention_bias": True,
           "first_k_dense_replace": 1, "norm_topk_prob": False}),
    absent("Mistral4ForCausalLM", "rope_parameters", "rope_interleave", "norm_topk_prob", length=20),
]
MINICPM3 = decoder("MiniCPM3", heads="s") + [
    Switch("MiniCPM3ForCausalLM", "scaled", {"scale_emb": 3, "scale_depth": 2.0, "dim_model_base": 24, "v_head_dim": 12,
           "attention_bias": True, "mlp_bias": True}, mask="left"),
    Switch("MiniCPM3ForCausalLM", "nulls", {"scale_depth": None, "dim_model_base": None, "q_lora_rank": None}),
    Switch("MiniCPM3ForCausalLM", "yarn_mscale", MSCALE, length=40, mask="left", rows=3),
    absent("MiniCPM3ForCausalLM", "rope_parameters", "scale_emb", "scale_depth", "dim_model_base", "v_head_dim"),
]
GLM4_MOE_LITE = decoder("Glm4MoeLite") + [
    Switch("Glm4MoeLiteForCausalLM", "groups", {**GROUPS, "rope_interleave": False, "mlp_layer_types": ["sparse", "dense"],
           "norm_topk_prob": False, "attention_bias": True}, mask="left"),
    absent("Glm4MoeLiteForCausalLM", "rope_parameters", "mlp_layer_types", "routed_scaling_factor", "rope_interleave"),
]
YOUTU = decoder("Youtu") + [
    Switch("YoutuForCausalLM", "halves", {"rope_interleave": False, "q_lora_rank": None, "attention_bias": True}, mask="left"),
    Switch("YoutuForCausalLM", "yarn_mscale", MSCALE, length=40, mask="left", rows=3),
    absent("YoutuForCausalLM", "rope_parameters", "rope_interleave"),
]
SOLAR_OPEN = decoder("SolarOpen") + [
    Switch("SolarOpenForCausalLM", "groups", {**GROUPS, "norm_topk_prob": False, "attention_bias": True,
           "routed_scaling_factor": 1.3, "n_shared_experts": 2}, mask="left"),
    absent("SolarOpenForCausalLM", "rope_parameters", "n_group", "topk_group", "norm_topk_prob"),
]
HY_V3 = decoder("HYV3") + [
    Switch("HYV3ForCausalLM", "biased", {"attention_bias": True, "mlp_bias": False, "mlp_layer_types": ["sparse", "sparse"],
           "num_shared_experts": 2, "num_experts_per_tok": 3, "enable_moe_fp32_combine": False}, mask="left"),
    absent("HYV3ForCausalLM", "rope_parameters", "mlp_layer_types", "router_scaling_factor"),
]
FLEX_OLMO = decoder("FlexOlmo") + [
    Switch("FlexOlmoForCausalLM", "biased", {"attention_bias": True, "norm_topk_prob": True, "num_experts_per_tok": 3,
           "num_key_value_heads": None, "hidden_act": "gelu"}, mask="left"),
    absent("FlexOlmoForCausalLM", "rope_parameters", "norm_topk_prob", config={"pad_token_id": 3}),
]

LFM2_MOE = decoder("Lfm2Moe") + [
    Switch("Lfm2MoeForCausalLM", "biased", {"conv_bias": True, "conv_L_cache": 4, "layer_types": ["conv", "full_attention", "conv"],
           "num_hidden_layers": 3, "use_expert_bias": False, "norm_topk_prob": False, "routed_scaling_factor": 1.3,
           "num_dense_layers": 0}, length=9, mask="left", rows=3),
    absent("Lfm2MoeForCausalLM", "rope_parameters", "use_expert_bias", "norm_topk_prob", "norm_eps", "conv_bias",
           config={"tie_embedding": False}),
]
COHERE2_MOE = decoder("Cohere2Moe") + [
    Switch("Cohere2MoeForCausalLM", "sigmoid", {"expert_selection_fn": "sigmoid", "num_shared_experts": 2, "rms_norm_eps": 1e-6,
           "shared_expert_combination_strategy": "sum", "attention_bias": True, "prefix_dense_sliding_window_pattern": 2,
           "prefix_dense_intermediate_size": 27}, length=9, mask="left"),
    Switch("Cohere2MoeForCausalLM", "average", {"expert_selection_fn": "sigmoid", "num_shared_experts": 1,
           "norm_topk_prob": False, "mlp_layer_types": ["sparse", "sparse"]}),
    absent("Cohere2MoeForCausalLM", "layer_types", "mlp_layer_types", "logit_scale", "expert_selection_fn", "rope_parameters",
           config={"num_hidden_layers": 6, "first_k_dense_replace": 2, "prefix_dense_sliding_window_pattern": 2,
                   "sliding_window": 3, "layer_norm_eps": ABSENT}, length=9),
]
STEPS = {"time_step_limit": [0.1, 0.6]}


def stepped(cases: list[Switch]) -> list[Switch]:
    """With limits of the time steps, which the golden cases write as no Python reads them."""
    return [dataclasses.replace(case, config=STEPS | case.config) for case in cases]


BAMBA = stepped(decoder("Bamba")) + [
    Switch("BambaForCausalLM", "groups", {"mamba_n_groups": 4, "mamba_conv_bias": False, "mamba_proj_bias": True, "mamba_d_conv": 3,
           "attention_bias": True, "mlp_bias": True, **STEPS}, length=9, mask="left", rows=3),
    Switch("BambaModel", "all_mamba", {"attn_layer_indices": None, "hidden_act": "gelu", **STEPS}),
    absent("BambaForCausalLM", "mamba_d_head", "rope_parameters", "time_step_limit", "mamba_conv_bias", "mamba_expand"),
]
MULTIPLIED = {"embedding_multiplier": 3.0, "attention_multiplier": 0.3, "residual_multiplier": 0.4, "logits_scaling": 2.0}
GRANITEMOEHYBRID = stepped(decoder("GraniteMoeHybrid", yarn=False)) + [
    Switch("GraniteMoeHybridForCausalLM", "multiplied", {**MULTIPLIED, "position_embedding_type": "rope", "num_experts_per_tok": 3,
           "attention_bias": True, "mamba_proj_bias": True, "mamba_n_groups": 2, **STEPS}, length=9, mask="left", rows=3),
    Switch("GraniteMoeHybridForCausalLM", "dense", {**MULTIPLIED, "num_local_experts": 0, "shared_intermediate_size": 21, **STEPS}),
    absent("GraniteMoeHybridModel", "layer_types", "mamba_d_head", "time_step_limit", "position_embedding_type"),
]
GRANITE_SWA = decoder("GraniteSWA") + [
    Switch("GraniteSWAForCausalLM", "bases", {**MULTIPLIED, "layer_rope_theta": [0, 77.0], "attention_bias": True, "mlp_bias": True},
           length=9, mask="left", rows=3),
    Switch("GraniteSWAForCausalLM", "absent", {"layer_types": ABSENT, "layer_rope_theta": ABSENT, "num_hidden_layers": 5,
           "sliding_window": 3}, raw=True, length=9),
]
GRANITEMOE_SWA = decoder("GraniteMoeSWA") + [
    Switch("GraniteMoeSWAForCausalLM", "bases", {**MULTIPLIED, "layer_rope_theta": [77.0, 0], "attention_bias": True,
           "num_experts_per_tok": 3, "shared_intermediate_size": 21}, length=9, mask="left", rows=3),
    Switch("GraniteMoeSWAForCausalLM", "absent", {"layer_types": ABSENT, "layer_rope_theta": ABSENT, "num_hidden_layers": 5,
           "sliding_window": 3}, raw=True, length=9),
]

NETS = {"linear_num_key_heads": 3, "linear_num_value_heads": 6, "linear_key_head_dim": 10, "linear_value_head_dim": 12,
        "linear_conv_kernel_dim": 4}
QWEN3_5_TEXT = decoder("Qwen3_5", "Qwen3_5TextModel", yarn=False) + [
    Switch("Qwen3_5ForCausalLM", "nets", {**NETS, "attention_bias": True}, length=9, mask="left", rows=3),
    Switch("Qwen3_5ForCausalLM", "two_chunks", length=70, rows=1, mask=None),
    Switch("Qwen3_5TextModel", "places", inputs={"position_ids": {"values": [[[0, 1, 2, 3, 4, 5, 6]] * 2,
           [[0, 1, 1, 1, 2, 3, 4]] * 2, [[0, 1, 2, 3, 3, 4, 5]] * 2]}}),
    absent("Qwen3_5ForCausalLM", "layer_types", "rope_parameters", config={"num_hidden_layers": 4, "full_attention_interval": 3}),
]
QWEN3_5_MOE_TEXT = decoder("Qwen3_5Moe", "Qwen3_5MoeTextModel", yarn=False) + [
    Switch("Qwen3_5MoeForCausalLM", "nets", {**NETS, "attention_bias": True, "num_experts_per_tok": 3}, length=9, mask="left",
           rows=3),
    absent("Qwen3_5MoeForCausalLM", "layer_types", "rope_parameters", config={"num_hidden_layers": 4}),
]
OLMO_HYBRID = decoder("OlmoHybrid", yarn=False) + [
    Switch("OlmoHybridForCausalLM", "nets", {**NETS, "linear_num_value_heads": 3, "linear_value_head_dim": 10, "attention_bias": True, "linear_allow_neg_eigval": True}, length=9,
           mask="left", rows=3),
    absent("OlmoHybridForCausalLM", "layer_types", "rope_parameters", "linear_allow_neg_eigval", config={"pad_token_id": 3}),
]
TWO_BASES = {"rope_parameters": {"full_attention": {"rope_type": "yarn", "rope_theta": 900.0, "factor": 4.0,
             "original_max_position_embeddings": 16}, "sliding_attention": {"rope_type": "default", "rope_theta": 77.0}}}
LAGUNA = decoder("Laguna", yarn=False) + [
    Switch("LagunaForCausalLM", "channels", {"gating": False, "num_attention_heads_per_layer": [2, 6], "attention_bias": True,
           "moe_router_logit_softcapping": 2.0, "moe_routed_scaling_factor": 1.3, **TWO_BASES}, length=20, mask="left", rows=3),
    Switch("LagunaForCausalLM", "per_head", {"gating": "per-head", "mlp_layer_types": ["sparse", "sparse"]}),
    absent("LagunaForCausalLM", "layer_types", "mlp_layer_types", "num_attention_heads_per_layer", "rope_parameters", "gating"),
]
MIMO_V2_FLASH = decoder("MiMoV2Flash", yarn=False) + [
    Switch("MiMoV2FlashForCausalLM", "bases", {**GROUPS, **TWO_BASES, "attention_bias": True, "attention_value_scale": None},
           length=20, mask="left", rows=3),
    absent("MiMoV2FlashForCausalLM", "layer_types", "mlp_layer_types", "attention_value_scale", "rope_parameters",
           config={"num_hidden_layers": 7, "sliding_window_size": 2, "head_dim": 18}),
]
MELLUM = decoder("Mellum", yarn=False) + [
    Switch("MellumForCausalLM", "bases", {**TWO_BASES, "attention_bias": True, "norm_topk_prob": False}, length=20, mask="left",
           rows=3),
    absent("MellumForCausalLM", "layer_types", "mlp_layer_types", "norm_topk_prob", "rope_parameters"),
]
HYPERCLOVAX = decoder("HyperCLOVAX") + [
    Switch("HyperCLOVAXForCausalLM", "multiplied", {**MULTIPLIED, "attention_bias": True, "mlp_bias": True}, mask="left"),
    Switch("HyperCLOVAXForCausalLM", "plain", {"use_post_norm": False, "attention_multiplier": None}),
    absent("HyperCLOVAXForCausalLM", "use_post_norm", "attention_multiplier", "rope_parameters", "head_dim",
           "num_key_value_heads"),
]
AXK1 = decoder("AXK1", heads="s") + [
    Switch("AXK1ForCausalLM", "groups", {**GROUPS, "rope_interleave": False, "attention_bias": True, "norm_topk_prob": False,
           "mlp_layer_types": ["sparse", "sparse"]}, mask="left"),
    Switch("AXK1ForCausalLM", "yarn_mscale", MSCALE, length=40, mask="left", rows=3),
    absent("AXK1ForCausalLM", "mlp_layer_types", "rope_parameters", "norm_topk_prob", "rope_interleave",
           config={"moe_layer_freq": 2, "num_hidden_layers": 3}),
]
LONGCAT_FLASH = decoder("LongcatFlash", width=144) + [
    Switch("LongcatFlashForCausalLM", "few", {"zero_expert_num": 1, "moe_topk": 3, "attention_bias": True,
           "routed_scaling_factor": 2.0}, mask="left"),
    Switch("LongcatFlashForCausalLM", "yarn_mscale", {**MSCALE, "zero_expert_num": 5}, length=40, mask="left", rows=3),
    absent("LongcatFlashForCausalLM", "ffn_hidden_size", "expert_ffn_hidden_size", "rope_parameters", "num_layers",
           config={"intermediate_size": 40, "moe_intermediate_size": 20, "num_hidden_layers": 4}),
]
KIMI_LINEAR = decoder("KimiLinear", yarn=False) + [
    Switch("KimiLinearForCausalLM", "groups", {"num_experts": 12, "num_expert_group": 4, "topk_group": 2,
           "num_experts_per_token": 3, "moe_renormalize": False, "q_lora_rank": 14, "attention_bias": True}, mask="left", rows=3,
           length=9),
    Switch("KimiLinearForCausalLM", "two_chunks", length=70, rows=1, mask=None),
    absent("KimiLinearForCausalLM", "layer_types", "mlp_layer_types", "linear_head_dim", "linear_num_heads",
           "linear_conv_kernel_dim", config={"linear_attn_config": {"full_attn_layers": [1], "kda_layers": [2, 3], "head_dim": 10,
           "num_heads": 3, "short_conv_kernel_size": 3}, "first_k_dense_replace": 2}),
]
BAILING_HYBRID = decoder("BailingHybrid") + [
    Switch("BailingHybridForCausalLM", "unsafe", {"num_expert_group": 2, "topk_group": 1, "num_experts_per_token": 3,
           "moe_renormalize": False, "attention_bias": True, "kda_safe_gate": False}, mask="left", rows=3, length=9),
    absent("BailingHybridForCausalLM", "layer_types", "mlp_layer_types", "rope_parameters", "linear_num_heads",
           config={"layer_group_size": 2, "first_k_dense_replace": 1}),
]

FEW_KEYS = {"index_topk": 3, "index_n_heads": 12, "index_head_dim": 70}
GLM_MOE_DSA = decoder("GlmMoeDsa") + [
    Switch("GlmMoeDsaForCausalLM", "few_keys", {**FEW_KEYS, "num_hidden_layers": 3, "indexer_types": ["full", "shared", "full"],
           "layer_types": ["indexed_attention"] * 3,
           "mlp_layer_types": ["dense", "sparse", "sparse"]}, length=12, mask="left", rows=3),
    Switch("GlmMoeDsaForCausalLM", "groups", {**GROUPS, "attention_bias": True, "norm_topk_prob": False}),
    absent("GlmMoeDsaForCausalLM", "indexer_types", "mlp_layer_types", "rope_parameters", length=9,
           config={**FEW_KEYS, "first_k_dense_replace": 1, "index_topk_pattern": "FS"}),
    absent("GlmMoeDsaModel", "indexer_types", "mlp_layer_types", length=9, config={**FEW_KEYS, "index_topk_freq": 2,
           "num_hidden_layers": 4}),
]
STEP3P5 = masks("Step3p7TextModel", "Step3p7TextModel") + [
    Switch("Step3p7TextModel", "bases", {**TWO_BASES, "attention_bias": True, "query_pre_attn_scalar": 9,
           "moe_router_scaling_factor": 1.7, "swiglu_limits": [0, 0.05, 0], "swiglu_limits_shared": [0.2, 0.0, 0.1],
           "num_sliding_attention_heads": 2, "per_layer_config": {"1": {"num_attention_heads": 2}}}, length=20, mask="left", rows=3),
    Switch("Step3p7TextModel", "packed", inputs=PACKED),
    Switch("Step3p7TextModel", "old", {"rope_parameters": ABSENT, "rope_theta": [900.0, 77.0, 900.0],
           "partial_rotary_factors": [0.5, 1.0, 0.5], "rope_scaling": {"rope_type": "llama3", "factor": 2.0,
           "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}, "mlp_layer_types": ABSENT,
           "moe_layers_enum": "1,2"}, raw=True, length=20),
]
OPENAI_PRIVACY_FILTER = masks("OpenAIPrivacyFilterModel", "OpenAIPrivacyFilterModel") + [
    Switch("OpenAIPrivacyFilterModel", "gates", {"swiglu_limit": 0.5, "swiglu_alpha": 0.9, "num_experts_per_tok": 3,
           "attention_bias": False}, length=9, mask="left"),
    Switch("OpenAIPrivacyFilterForTokenClassification", "absent", {"rope_parameters": ABSENT, "swiglu_limit": ABSENT,
           "attention_bias": ABSENT, "sliding_window": 3}, raw=True, length=20),
]
FEW_BLOCKS = {"index_block_size": 3, "index_topk_blocks": 2}
MINIMAX_M3_VL_TEXT = decoder("MiniMaxM3VL", "MiniMaxM3VLTextModel", yarn=False) + [
    Switch("MiniMaxM3VLForCausalLM", "few_blocks", FEW_BLOCKS, length=17, mask="left", rows=3),
    Switch("MiniMaxM3VLForCausalLM", "local", {**FEW_BLOCKS, "index_local_blocks": 0, "index_n_heads": 4, "routed_scaling_factor": 1.2,
           "swiglu_limit": 0.4, "swiglu_alpha": 0.9, "layer_types": ["minimax_m3_sparse"] * 2}, length=14),
    absent("MiniMaxM3VLForCausalLM", "layer_types", "mlp_layer_types", "swiglu_alpha", config={"moe_layer_freq": [0, 1],
           "sparse_attention_config": {"sparse_attention_freq": [1, 0], "sparse_block_size": 2, "sparse_topk_blocks": 3}},
           length=12),
]
NEMOTRON_H = stepped(decoder("NemotronH", yarn=False)) + [
    Switch("NemotronHForCausalLM", "groups", {"n_groups": 2, "use_conv_bias": False, "use_bias": True, "mlp_bias": True,
           "moe_latent_size": 12, "n_routed_experts": 12, "n_group": 4, "topk_group": 2, "num_experts_per_tok": 4,
           "norm_topk_prob": False, "mlp_hidden_act": "silu", "time_step_min": 0.4, **STEPS}, length=9, mask="left", rows=3),
    Switch("NemotronHForCausalLM", "pattern", {"layers_block_type": ABSENT, "hybrid_override_pattern": "*M-E",
           "time_step_limit": ABSENT, "n_groups": ABSENT, "mamba_n_groups": 4}, raw=True),
]
ZAMBA = some("other_tie", decoder("Zamba", heads="s", width=64, yarn=False)) + [
    Switch("ZambaForCausalLM", "heads", {"n_mamba_heads": 4, "mamba_proj_bias": True, "mamba_conv_bias": False, "mamba_d_conv": 3,
           "hidden_act": "silu", "hidden_mamba_act": "gelu", "tie_word_embeddings": False}, length=9, mask="left", rows=3),
    absent("ZambaForCausalLM", "layers_block_type", "mamba_dt_rank", config={"attn_layer_period": 2, "mamba_dt_rank": "auto"}),
]
HRM_TEXT = some("left_positions", decoder("HrmText")) + [
    Switch("HrmTextForCausalLM", "cycles", {"H_cycles": 1, "L_cycles": 2, "attention_bias": True, "mlp_bias": True,
           "num_hidden_layers": 6}, length=9, mask="left", rows=3),
    Switch("HrmTextForCausalLM", "prefix", {"prefix_lm": True}, mask=None, inputs={"token_type_ids": {"values":
           [[1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0]]}}),
]

ULTRABERT = masks("UltrabertForMaskedLM", "UltrabertModel") + [
    Switch("UltrabertForMaskedLM", "tied", {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True, **TWO_BASES},
           length=20, mask="left", rows=3),
    Switch("UltrabertForSequenceClassification", "mean", {"classifier_pooling": "mean"}, length=9),
    Switch("UltrabertForMaskedLM", "old", {"rope_parameters": ABSENT, "rope_theta": [900.0, 77.0, 60.0], "layer_types": ABSENT,
           "attention_windows": [0, 3, 3], "num_hidden_layers": 3, "sliding_window": ABSENT}, raw=True, length=12),
    absent("UltrabertModel", "layer_types", "rope_parameters", config={"num_hidden_layers": 4}, length=12),
]
ESMC = some("embeds", masks("EsmcForMaskedLM", "EsmcModel")) + [
    Switch("EsmcForMaskedLM", "biased", {"attention_bias": True, "mlp_bias": True, "hidden_act": "gelu", "num_hidden_layers": 3}),
    Switch("EsmcModel", "chains", inputs={"sequence_id": {"values": [[0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 2, 2, 2]]}}),
    Switch("EsmcModel", "positions", inputs={"position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0], [3, 4, 5, 9, 10, 11, 12]]}}),
]

LFM3 = some("other_tie", decoder("Lfm3", yarn=False)) + [
    Switch("Lfm3ForCausalLM", "plain", {"use_attention_gate": False, "use_sandwich_norm": False, "conv_bias": True,
           "attention_bias": True, "tie_word_embeddings": False, **TWO_BASES}, length=20, mask="left", rows=3),
    Switch("Lfm3ForCausalLM", "absent", {"layer_types": ABSENT, "rope_parameters": ABSENT, "num_hidden_layers": 5,
           "conv_L_cache": ABSENT, "sliding_window": 3, "use_attention_gate": ABSENT, "norm_eps": ABSENT}, raw=True, length=12),
]
KOLIBRI1 = decoder("Kolibri1") + [
    Switch("Kolibri1ForCausalLM", "normalized", {"norm_topk_prob": True, "num_experts_per_tok": 3, "hidden_act": "gelu"}, length=9,
           mask="left", rows=3),
    Switch("Kolibri1ForCausalLM", "absent", {"layer_types": ABSENT, "rope_parameters": ABSENT, "num_hidden_layers": 6,
           "norm_topk_prob": ABSENT, "sliding_window": 3}, raw=True, length=12),
]
MVP = [
    Switch("MvpForConditionalGeneration", "scaled", {"scale_embedding": True, "activation_function": "relu"}, length=9,
           decoder_length=11, mask="left"),
    Switch("MvpForConditionalGeneration", "untied", {"tie_word_embeddings": False}),
    Switch("MvpForCausalLM", "scaled_decoder", {"scale_embedding": True, "tie_word_embeddings": False}, length=9,
           mask="left"),
    Switch("MvpDecoder", "crossed", inputs={"encoder_hidden_states": {"shape": [2, 5, 16], "lo": -1.0, "hi": 1.0},
           "encoder_attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}),
    Switch("MvpModel", "layers", {"encoder_layers": 1, "decoder_layers": 3, "decoder_attention_heads": 2}, length=9,
           decoder_length=4),
    Switch("MvpModel", "shifted", inputs={"decoder_input_ids": None, "decoder_attention_mask": None}),
    Switch("MvpForSequenceClassification", "labels", {"num_labels": 4}),
]

MANY_HEADS = {"index_n_heads": 12}  # of two, both give many keys nothing, and which of those are chosen no one says
AXK2 = [dataclasses.replace(case, config=MANY_HEADS | case.config) for case in decoder("AXK2", heads="s")] + [
    Switch("AXK2ForCausalLM", "few_keys", {**FEW_KEYS, "attention_bias": True, "mlp_layer_types": ["sparse", "dense"],
           "norm_topk_prob": False}, length=12, mask="left", rows=3),
    Switch("AXK2ForCausalLM", "groups", GROUPS),
    absent("AXK2ForCausalLM", "mlp_layer_types", "rope_parameters", "gated_norm_rank", config={"gated_norm_rank": 4,
           "num_hidden_layers": 3, "moe_layer_freq": 2}),
]

YOUNGER_TEXT = {
    "deepseek_v2": DEEPSEEK_V2, "dots1": DOTS1, "ministral3": MINISTRAL3, "mistral4": MISTRAL4, "minicpm3": MINICPM3,
    "glm4_moe_lite": GLM4_MOE_LITE, "youtu": YOUTU, "solar_open": SOLAR_OPEN, "hy_v3": HY_V3, "flex_olmo": FLEX_OLMO,
    "lfm2_moe": LFM2_MOE, "cohere2_moe": COHERE2_MOE, "bamba": BAMBA, "granitemoehybrid": GRANITEMOEHYBRID,
    "granite_swa": GRANITE_SWA, "granitemoe_swa": GRANITEMOE_SWA,
    "qwen3_5_text": QWEN3_5_TEXT, "qwen3_5_moe_text": QWEN3_5_MOE_TEXT, "olmo_hybrid": OLMO_HYBRID, "laguna": LAGUNA,
    "mimo_v2_flash": MIMO_V2_FLASH, "mellum": MELLUM, "hyperclovax": HYPERCLOVAX, "axk1": AXK1, "longcat_flash": LONGCAT_FLASH,
    "kimi_linear": KIMI_LINEAR, "bailing_hybrid": BAILING_HYBRID, "glm_moe_dsa": GLM_MOE_DSA, "step3p5": STEP3P5,
    "openai_privacy_filter": OPENAI_PRIVACY_FILTER, "minimax_m3_vl_text": MINIMAX_M3_VL_TEXT, "nemotron_h": NEMOTRON_H,
    "zamba": ZAMBA, "hrm_text": HRM_TEXT, "ultrabert": ULTRABERT, "esmc": ESMC,
    "lfm3": LFM3, "kolibri1": KOLIBRI1, "mvp": MVP, "axk2": AXK2,
}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
YOUNGER_TEXT_KEPT = {
    "deepseek_v2": "groups whole_query yarn_mscale", "dots1": "groups window", "ministral3": "reach window absent",
    "mistral4": "reach halves", "minicpm3": "scaled nulls", "glm4_moe_lite": "groups", "youtu": "halves",
    "solar_open": "groups", "hy_v3": "biased", "flex_olmo": "biased",
    "lfm2_moe": "biased", "cohere2_moe": "sigmoid absent", "bamba": "groups", "granitemoehybrid": "multiplied dense",
    "granite_swa": "bases", "granitemoe_swa": "bases",
    "qwen3_5_text": "nets places", "qwen3_5_moe_text": "nets", "olmo_hybrid": "nets absent", "laguna": "channels absent",
    "mimo_v2_flash": "bases", "mellum": "bases", "hyperclovax": "multiplied plain", "axk1": "groups", "longcat_flash": "yarn_mscale",
    "kimi_linear": "groups", "bailing_hybrid": "unsafe", "glm_moe_dsa": "groups absent", "step3p5": "bases old",
    "openai_privacy_filter": "gates absent", "minimax_m3_vl_text": "few_blocks local", "nemotron_h": "groups pattern",
    "zamba": "heads", "hrm_text": "cycles prefix", "ultrabert": "tied old", "esmc": "biased chains",
    "lfm3": "plain absent", "kolibri1": "normalized absent", "mvp": "scaled crossed",
    "axk2": "few_keys groups",
}

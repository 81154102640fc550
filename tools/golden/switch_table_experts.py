"""What `golden.py switches` turns in mixtures of experts and in decoders with recurrent layers."""

from switch_table import PACKED, causal
from switches import ABSENT, Switch

YARN = {"rope_type": "yarn", "rope_theta": 900.0, "factor": 4.0, "original_max_position_embeddings": 16}


def small(lm: str, model: str, classify: str | None = None) -> list[Switch]:
    """What every causal type has, and long text beyond the original length of a scaled rotation."""
    return causal(lm, model, classify) + [
        Switch(lm, "long", length=40, rows=3, mask="left"),
        Switch(lm, "yarn", {"rope_parameters": YARN}, length=40, mask="ones"),
    ]


def some(names: str, cases: list[Switch]) -> list[Switch]:
    """Those of a list that a type can have."""
    return [case for case in cases if case.name not in names.split()]


MIXTRAL = small("MixtralForCausalLM", "MixtralModel", "MixtralForSequenceClassification") + [
    Switch("MixtralForCausalLM", "window", {"sliding_window": 3}, length=12, mask="left", rows=3),
    Switch("MixtralForCausalLM", "experts_5_of_3", {"num_local_experts": 5, "num_experts_per_tok": 3,
           "hidden_act": "gelu", "intermediate_size": 21}),
    Switch("MixtralForCausalLM", "null_heads", {"head_dim": None}, raw=True),
]
QWEN3_MOE = small("Qwen3MoeForCausalLM", "Qwen3MoeModel", "Qwen3MoeForSequenceClassification") + [
    Switch("Qwen3MoeForCausalLM", "every_second", {"num_hidden_layers": 4, "decoder_sparse_step": 2,
           "mlp_only_layers": [3], "intermediate_size": 27}),
    Switch("Qwen3MoeForCausalLM", "window", {"use_sliding_window": True, "sliding_window": 3,
           "attention_bias": True, "norm_topk_prob": True}, length=12),
    Switch("Qwen3MoeForCausalLM", "unused_window", {"sliding_window": 3}, length=12),
]
GPT_OSS = small("GptOssForCausalLM", "GptOssModel", "GptOssForSequenceClassification") + [
    Switch("GptOssForCausalLM", "gates", {"swiglu_limit": 0.5, "swiglu_alpha": 0.9, "num_experts_per_tok": 3}),
    Switch("GptOssForCausalLM", "absent_types", {"layer_types": ABSENT, "sliding_window": 2,
           "num_hidden_layers": 3, "attention_bias": False}, raw=True, length=9),
]
DBRX = some("not_causal other_tie", small("DbrxForCausalLM", "DbrxModel")) + [
    Switch("DbrxForCausalLM", "groups", {"attn_config": {"kv_n_heads": 2}, "num_key_value_heads": 2}),
    Switch("DbrxForCausalLM", "clipped", {"attn_config": {"clip_qkv": 0.3}}),
    Switch("DbrxForCausalLM", "raw_weights", {"ffn_config": {"moe_normalize_expert_weights": None,
           "moe_top_k": 3, "ffn_act_fn": {"name": "silu"}}}),
]
JETMOE = small("JetMoeForCausalLM", "JetMoeModel", "JetMoeForSequenceClassification") + [
    Switch("JetMoeForCausalLM", "three_of_five", {"num_local_experts": 5, "num_experts_per_tok": 3,
           "num_attention_heads": 6, "kv_channels": 12, "activation_function": "gelu"}),
]
DEEPSEEK_V3 = small("DeepseekV3ForCausalLM", "DeepseekV3Model", "DeepseekV3ForSequenceClassification") + [
    Switch("DeepseekV3ForCausalLM", "whole_query", {"q_lora_rank": None, "attention_bias": True,
           "num_experts_per_tok": 3}),
    Switch("DeepseekV3ForCausalLM", "halves", {"rope_interleave": False, "first_k_dense_replace": 0,
           "n_shared_experts": 2, "num_experts_per_tok": 2, "norm_topk_prob": False,
           "routed_scaling_factor": 1.3}),
    Switch("DeepseekV3ForCausalLM", "groups", {"n_routed_experts": 12, "n_group": 4, "topk_group": 2,
           "num_experts_per_tok": 4, "v_head_dim": 20, "qk_nope_head_dim": 12}),
    Switch("DeepseekV3ForCausalLM", "yarn_mscale", {"rope_parameters": {**YARN, "mscale": 0.7,
           "mscale_all_dim": 0.9}}, length=40, mask="left", rows=3),
]
DEEPSEEK_V32 = some("not_causal", small("DeepseekV32ForCausalLM", "DeepseekV32Model")) + [
    Switch("DeepseekV32ForCausalLM", "few_keys", {"index_topk": 3, "index_n_heads": 12, "index_head_dim": 70},
           length=12, mask="left", rows=3),
    Switch("DeepseekV32ForCausalLM", "all_sparse", {"mlp_layer_types": ["sparse", "sparse"], "index_topk": 4,
           "norm_topk_prob": False}, length=9, mask="holes"),
    Switch("DeepseekV32ForCausalLM", "few_packed", {"index_topk": 2}, inputs=PACKED),
]
MINIMAX = some("not_causal", small("MiniMaxForCausalLM", "MiniMaxModel", "MiniMaxForSequenceClassification")) + [
    Switch("MiniMaxForCausalLM", "factors", {"full_attn_alpha_factor": 1.3, "full_attn_beta_factor": 0.7,
           "linear_attn_alpha_factor": 0.8, "linear_attn_beta_factor": 1.2, "mlp_alpha_factor": 1.1,
           "mlp_beta_factor": 0.6, "block_size": 5}, length=13, mask="left", rows=3),
    Switch("MiniMaxForCausalLM", "absent_types", {"layer_types": ABSENT, "num_hidden_layers": 3,
           "sliding_window": 3, "hidden_act": "gelu"}, raw=True, length=9),
]
LFM2 = some("not_causal", small("Lfm2ForCausalLM", "Lfm2Model")) + [
    Switch("Lfm2ForCausalLM", "biased", {"conv_bias": True, "conv_L_cache": 4, "layer_types": ["conv", "full_attention", "conv"],
           "num_hidden_layers": 3, "block_multiple_of": 7, "block_ffn_dim_multiplier": 1.7}, length=9, mask="left",
           rows=3),
    Switch("Lfm2ForCausalLM", "one_wide", {"conv_L_cache": 1}),
    Switch("Lfm2ForCausalLM", "old_names", {"layer_types": ABSENT, "full_attn_idxs": [1],
           "tie_word_embeddings": ABSENT, "tie_embedding": True, "intermediate_size": ABSENT, "block_ff_dim": 45,
           "block_auto_adjust_ff_dim": False}, raw=True),
]
QWEN3_NEXT = some("not_causal", small("Qwen3NextForCausalLM", "Qwen3NextModel", "Qwen3NextForSequenceClassification")) + [
    Switch("Qwen3NextForCausalLM", "equal_heads", {"linear_num_key_heads": 3, "linear_num_value_heads": 3,
           "linear_key_head_dim": 10, "linear_value_head_dim": 12, "linear_conv_kernel_dim": 4,
           "attention_bias": True}, length=9, mask="left", rows=3),
    Switch("Qwen3NextForCausalLM", "intervals", {"layer_types": ABSENT, "full_attention_interval": 3,
           "num_hidden_layers": 4, "decoder_sparse_step": 2, "mlp_only_layers": [3], "norm_topk_prob": False,
           "hidden_act": "gelu"}, raw=True),
    Switch("Qwen3NextForCausalLM", "two_chunks", length=70, rows=1, mask=None),
]
LLAMA4_TEXT = some("not_causal", small("Llama4ForCausalLM", "Llama4TextModel")) + [
    Switch("Llama4ForCausalLM", "two_experts", {"num_experts_per_tok": 2, "num_local_experts": 5,
           "moe_layers": ABSENT, "interleave_moe_layer_step": 2, "hidden_act": "gelu"}, raw=True),
    Switch("Llama4ForCausalLM", "intervals", {"no_rope_layers": ABSENT, "layer_types": ABSENT,
           "no_rope_layer_interval": 2, "attention_chunk_size": 3}, raw=True, length=11, mask="left", rows=3),
    Switch("Llama4ForCausalLM", "packed_chunks", {"attention_chunk_size": 9}, inputs={**PACKED, "position_ids": {
           "values": [[7, 8, 9, 10, 0, 1, 2], [0, 1, 2, 3, 4, 5, 6]]}}),
    Switch("Llama4ForCausalLM", "plain", {"use_qk_norm": False, "attn_temperature_tuning": False,
           "attention_bias": True, "attention_chunk_size": 5}, length=11, mask="holes", rows=3),
    Switch("Llama4ForCausalLM", "warm", {"floor_scale": 2, "attn_scale": 0.7, "no_rope_layers": [0, 1, 0, 1],
           "layer_types": ["chunked_attention", "full_attention"] * 2}, length=11, mask="left", rows=3),
]
IMAGE_TEXT = {"input_ids": {"values": [[5, 10, 10, 10, 10, 6, 7, 8], [9, 8, 10, 10, 10, 10, 7, 11]]},
              "attention_mask": {"values": [[1] * 8, [0] + [1] * 7]}}
LLAMA4 = [
    Switch("Llama4ForConditionalGeneration", "tower", {"vision_config": {"num_hidden_layers": 3,
           "num_attention_heads": 2, "rope_parameters": {"rope_theta": 77.0}, "projector_input_dim": 22,
           "projector_output_dim": 22, "vision_output_dim": 22, "hidden_act": "relu"}}, inputs=IMAGE_TEXT),
    Switch("Llama4ForConditionalGeneration", "text_only", length=8, mask="left", inputs={"pixel_values": None}),
]
LLAMA4_VISION_MODEL = [
    Switch("Llama4VisionModel", "odd", {"image_size": 24, "num_channels": 2, "hidden_size": 24,
           "num_attention_heads": 3, "intermediate_size": 96}, inputs={"pixel_values":
           {"shape": [3, 2, 24, 24], "lo": -1.0, "hi": 1.0}}),
]

SWITCHES = {
    "mixtral": MIXTRAL, "qwen3_moe": QWEN3_MOE, "gpt_oss": GPT_OSS, "dbrx": DBRX, "jetmoe": JETMOE,
    "deepseek_v3": DEEPSEEK_V3, "deepseek_v32": DEEPSEEK_V32, "minimax": MINIMAX, "lfm2": LFM2,
    "qwen3_next": QWEN3_NEXT, "llama4": LLAMA4, "llama4_text": LLAMA4_TEXT,
    "llama4_vision_model": LLAMA4_VISION_MODEL,
}

# The cases that tests/golden/variations holds: by model type, the names after the class.
KEPT = {
    "mixtral": "window experts_5_of_3",
    "qwen3_moe": "every_second window",
    "gpt_oss": "gates absent_types",
    "dbrx": "clipped raw_weights",
    "jetmoe": "three_of_five left_positions",
    "deepseek_v3": "whole_query groups yarn_mscale",
    "deepseek_v32": "few_keys all_sparse",
    "minimax": "factors absent_types",
    "lfm2": "biased old_names",
    "qwen3_next": "equal_heads intervals two_chunks",
    "llama4": "tower text_only",
    "llama4_text": "two_experts intervals warm packed_chunks",
    "llama4_vision_model": "odd",
}

"""Switches of LLaMA's younger relatives: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from decoder_switches import LINEAR
from switches import ABSENT, Switch

BIASED = {"attention_bias": True, "mlp_bias": True}

ARCEE = [
    Switch("ArceeForCausalLM", "biased", BIASED),
    Switch("ArceeModel", "absent", {"hidden_act": ABSENT, "rope_parameters": ABSENT, "rms_norm_eps": ABSENT}, raw=True,
           mask="left", rows=3),
]
MINISTRAL = [
    Switch("MinistralForCausalLM", "no_window", {"sliding_window": None, "layer_types": ABSENT}, raw=True, length=9),
    Switch("MinistralForCausalLM", "mixed", {"layer_types": ["full_attention", "sliding_attention"]}, length=9, mask="left"),
    Switch("MinistralModel", "absent", {"layer_types": ABSENT, "rope_parameters": ABSENT}, raw=True, length=9),
]
SEED_OSS = [
    Switch("SeedOssForCausalLM", "other_biases", {"attention_bias": False, "attention_out_bias": True, "mlp_bias": True}),
    Switch("SeedOssModel", "absent", {"attention_bias": ABSENT, "rope_parameters": ABSENT}, raw=True, mask="left", rows=3),
]
HELIUM = [
    Switch("HeliumForCausalLM", "biased", BIASED),
    Switch("HeliumModel", "absent", {"rope_parameters": ABSENT, "rms_norm_eps": ABSENT}, raw=True, mask="left", rows=3),
]
CWM = [
    Switch("CwmForCausalLM", "absent", {"layer_types": ABSENT, "num_hidden_layers": 6, "sliding_window": 3, "mlp_bias": True},
           raw=True, length=12),
    Switch("CwmModel", "rope", {"rope_parameters": LINEAR}, mask="left", rows=3),
]
EXAONE4 = [
    Switch("Exaone4ForCausalLM", "no_window", {"sliding_window": None, "layer_types": ["full_attention"] * 2}, length=9),
    Switch("Exaone4ForCausalLM", "absent", {"layer_types": ABSENT, "num_hidden_layers": 5, "sliding_window_pattern": 2,
           "rope_parameters": ABSENT}, raw=True, length=9),
    Switch("Exaone4Model", "mask_left", length=9, rows=3, mask="left"),
]
OLMO3 = [
    Switch("Olmo3ForCausalLM", "rope", {"rope_parameters": {"full_attention": LINEAR}, "attention_bias": True}, length=12),
    Switch("Olmo3ForCausalLM", "old_rope", {"rope_parameters": ABSENT, "rope_theta": 900.0, "layer_types": ABSENT,
           "num_hidden_layers": 5, "rope_scaling": {"rope_type": "linear", "factor": 4.0}}, raw=True, length=12),
    Switch("Olmo3Model", "absent", {"rope_parameters": ABSENT, "rms_norm_eps": ABSENT}, raw=True, mask="left", rows=3),
]
OLMO = [
    Switch("OlmoForCausalLM", "clipped", {"clip_qkv": 0.3, "attention_bias": True, "num_key_value_heads": 2}),
    Switch("OlmoModel", "rope", {"rope_parameters": LINEAR}, mask="left", rows=3),
]
SMOLLM3 = [
    Switch("SmolLM3ForCausalLM", "absent", {"no_rope_layers": ABSENT, "layer_types": ABSENT, "num_hidden_layers": 5, **BIASED,
           "rope_parameters": ABSENT, "tie_word_embeddings": ABSENT}, raw=True, length=9),
    Switch("SmolLM3ForCausalLM", "window", {"no_rope_layers": ABSENT, "no_rope_layer_interval": 2, "layer_types": ABSENT,
           "use_sliding_window": True, "sliding_window": 3, "num_hidden_layers": 3}, raw=True, length=9),
    Switch("SmolLM3Model", "mask_left", {"no_rope_layers": [0, 1]}, length=9, rows=3, mask="left"),
]
STARCODER2 = [
    Switch("Starcoder2ForCausalLM", "window", {"sliding_window": 3, "use_bias": False}, length=9, mask="left"),
    Switch("Starcoder2Model", "absent", {"hidden_act": ABSENT, "norm_epsilon": ABSENT, "use_bias": ABSENT,
           "rope_parameters": ABSENT}, raw=True),
]
HUNYUAN_V1_DENSE = [
    Switch("HunYuanDenseV1ForCausalLM", "alpha", {"attention_bias": True, "rope_parameters": {"rope_type": "dynamic",
           "alpha": 50.0, "factor": 1.0, "rope_theta": 900.0}}, length=9, mask="left"),
    Switch("HunYuanDenseV1Model", "rope", {"rope_parameters": LINEAR}, mask="left", rows=3),
]
STABLELM = [
    Switch("StableLmForCausalLM", "parallel", {"use_parallel_residual": True, "qk_layernorm": True, "use_qkv_bias": True},
           mask="left"),
    Switch("StableLmModel", "absent", {"rope_parameters": ABSENT, "layer_norm_eps": ABSENT, "hidden_act": ABSENT}, raw=True),
]
MT5 = [
    Switch("MT5ForConditionalGeneration", "untied", {"tie_word_embeddings": False}),
    Switch("MT5ForConditionalGeneration", "absent", {"feed_forward_proj": ABSENT, "is_gated_act": ABSENT, "dense_act_fn": ABSENT,
           "tie_word_embeddings": ABSENT}, raw=True),
]
UMT5 = [
    Switch("UMT5ForConditionalGeneration", "untied", {"tie_word_embeddings": False}, length=9, decoder_length=11),
    Switch("UMT5Model", "layers", {"num_layers": 3, "num_decoder_layers": 2}, length=9, decoder_length=11, mask="left"),
]
XLM_ROBERTA = [
    Switch("XLMRobertaModel", "pads", inputs={"input_ids": {"values": [[9, 8, 1, 7, 1, 1, 1], [1, 1, 5, 1, 6, 7, 8]]}}),
]
CAMEMBERT = [
    Switch("CamembertModel", "pads", inputs={"input_ids": {"values": [[9, 8, 1, 7, 1, 1, 1], [1, 1, 5, 1, 6, 7, 8]]}}),
]
COHERE = [
    Switch("CohereForCausalLM", "normed", {"use_qk_norm": True, "attention_bias": True, "num_key_value_heads": 2,
           "logit_scale": 0.7}, mask="left"),
    Switch("CohereModel", "absent", {"rope_parameters": ABSENT, "layer_norm_eps": ABSENT}, raw=True, rows=3, mask="left"),
]
GLM = [
    Switch("GlmForCausalLM", "unbiased", {"attention_bias": False, "rope_parameters": {"partial_rotary_factor": 1.0}}),
    Switch("GlmModel", "absent", {"attention_bias": ABSENT, "rope_parameters": ABSENT, "rms_norm_eps": ABSENT}, raw=True),
]
NEMOTRON = [
    Switch("NemotronForCausalLM", "biased", BIASED | {"hidden_act": "silu"}),
    Switch("NemotronModel", "absent", {"rope_parameters": ABSENT, "norm_eps": ABSENT, "hidden_act": ABSENT}, raw=True),
]
JAIS2 = [
    Switch("Jais2ForCausalLM", "unbiased", {"attention_bias": False, "mlp_bias": False, "hidden_act": "silu"}),
    Switch("Jais2Model", "absent", {"attention_bias": ABSENT, "mlp_bias": ABSENT, "hidden_act": ABSENT}, raw=True, mask="left"),
]
ERNIE4_5 = [
    Switch("Ernie4_5ForCausalLM", "biased", {"use_bias": True, "rope_parameters": LINEAR}, mask="left"),
    Switch("Ernie4_5Model", "absent", {"use_bias": ABSENT, "rope_parameters": ABSENT}, raw=True),
]
PERSIMMON = [
    Switch("PersimmonForCausalLM", "not_normed", {"qk_layernorm": False, "hidden_act": "gelu"}, mask="left"),
    Switch("PersimmonModel", "absent", {"qk_layernorm": ABSENT, "rope_parameters": ABSENT, "hidden_act": ABSENT}, raw=True),
]
QWEN2_MOE = [
    Switch("Qwen2MoeForCausalLM", "sparse", {"decoder_sparse_step": 2, "num_hidden_layers": 4, "mlp_only_layers": [3],
           "qkv_bias": False, "norm_topk_prob": True, "layer_types": ["full_attention"] * 4}),
    Switch("Qwen2MoeForCausalLM", "window", {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1,
           "layer_types": ABSENT}, raw=True, length=9),
]
OLMOE = [
    Switch("OlmoeForCausalLM", "clipped", {"clip_qkv": 0.3, "attention_bias": True, "norm_topk_prob": True,
           "num_key_value_heads": 2}, mask="left"),
]
MINIMAX_M2 = [
    Switch("MiniMaxM2ForCausalLM", "old_rope", {"rope_parameters": ABSENT, "rope_theta": 900.0, "rotary_dim": 8}, raw=True),
    Switch("MiniMaxM2Model", "partial", {"rope_parameters": {"partial_rotary_factor": 0.5}}, mask="left", rows=3),
]

RELATIVES = {
    "arcee": ARCEE, "ministral": MINISTRAL, "seed_oss": SEED_OSS, "helium": HELIUM, "cwm": CWM, "exaone4": EXAONE4,
    "olmo3": OLMO3, "olmo": OLMO, "smollm3": SMOLLM3, "starcoder2": STARCODER2, "hunyuan_v1_dense": HUNYUAN_V1_DENSE,
    "stablelm": STABLELM, "mt5": MT5, "umt5": UMT5, "xlm-roberta": XLM_ROBERTA, "camembert": CAMEMBERT,
    "cohere": COHERE, "glm": GLM, "nemotron": NEMOTRON, "jais2": JAIS2, "ernie4_5": ERNIE4_5, "persimmon": PERSIMMON,
    "qwen2_moe": QWEN2_MOE, "olmoe": OLMOE, "minimax_m2": MINIMAX_M2,
}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
RELATIVES_KEPT = {
    "arcee": "biased", "ministral": "no_window mixed", "seed_oss": "other_biases", "helium": "biased", "cwm": "absent",
    "exaone4": "no_window absent", "olmo3": "rope old_rope", "olmo": "clipped", "smollm3": "absent window",
    "starcoder2": "window", "hunyuan_v1_dense": "alpha", "stablelm": "parallel", "mt5": "absent", "umt5": "untied layers",
    "xlm-roberta": "pads", "camembert": "pads", "cohere": "normed", "glm": "unbiased", "nemotron": "biased",
    "jais2": "unbiased", "ernie4_5": "biased", "persimmon": "not_normed", "qwen2_moe": "sparse window", "olmoe": "clipped",
    "minimax_m2": "old_rope",
}

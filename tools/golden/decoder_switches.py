"""Switches of causal decoders: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from switches import ABSENT, Switch

PACKED = {"position_ids": {"values": [[0, 1, 2, 0, 1, 0, 1], [4, 5, 6, 7, 1, 2, 3]]}, "attention_mask": None}
CHOICES = {"input_ids": {"shape": [2, 3, 5], "ids": [6, 90]}, "token_type_ids": None,
           "mc_token_ids": {"values": [[4, 2, 1], [0, 3, 4]]}}
LINEAR = {"rope_type": "linear", "factor": 3.0, "rope_theta": 900.0}
LONGROPE = {"rope_type": "longrope", "original_max_position_embeddings": 16, "rope_theta": 900.0,
            "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [2.0, 2.3, 2.6, 2.9]}
TRANSFORMER = {"token_type_ids": None}


def masks(model: str, **more) -> list[Switch]:
    """Padding on the left and in between, given to a class whose golden case has none."""
    return [Switch(model, f"mask_{kind}", rows=3, length=9, inputs={"attention_mask": {"values": values}}, **more)
            for kind, values in (("left", [[1] * 9, [0] * 2 + [1] * 7, [0] * 4 + [1] * 5]),
                                 ("holes", [[1, 1, 0, 1, 1, 0, 1, 1, 1], [1] * 9, [1] + [0, 1] * 4]))]


GPTJ = masks("GPTJModel") + [
    Switch("GPTJForCausalLM", "packed", inputs=PACKED | TRANSFORMER),
    Switch("GPTJForCausalLM", "whole_heads", {"rotary_dim": 8, "n_inner": 17, "tie_word_embeddings": True}),
    Switch("GPTJModel", "not_causal", {"is_causal": False}),
]
CODEGEN = masks("CodeGenModel") + [
    Switch("CodeGenForCausalLM", "packed", inputs=PACKED | TRANSFORMER),
    Switch("CodeGenForCausalLM", "tied", {"rotary_dim": 8, "n_inner": 17, "tie_word_embeddings": True}),
]
BIOGPT = [
    Switch("BioGptModel", "mask_left", rows=3, length=9, mask="left"),
    Switch("BioGptForCausalLM", "unscaled", {"scale_embedding": False, "hidden_act": "relu", "layer_norm_eps": 0.1}),
    Switch("BioGptForCausalLM", "positions", inputs=PACKED),
]
OPENAI_GPT = [
    Switch("OpenAIGPTDoubleHeadsModel", "choices", inputs=CHOICES),
    Switch("OpenAIGPTDoubleHeadsModel", "labels", {"summary_proj_to_labels": False, "summary_activation": "tanh"}),
    Switch("OpenAIGPTDoubleHeadsModel", "mean", {"summary_type": "mean", "summary_use_proj": False}),
    Switch("OpenAIGPTLMHeadModel", "swish", {"afn": "swish"}),
    Switch("OpenAIGPTModel", "mask_right", inputs={
        "attention_mask": {"values": [[1] * 7, [1] * 4 + [0] * 3]}}),
]
CTRL = masks("CTRLModel") + [
    Switch("CTRLLMHeadModel", "packed", inputs=PACKED | TRANSFORMER),
    Switch("CTRLLMHeadModel", "untied", {"tie_word_embeddings": False, "layer_norm_epsilon": 0.1}),
]
GPT_BIGCODE = masks("GPTBigCodeModel") + [
    Switch("GPTBigCodeForCausalLM", "packed", inputs=PACKED | TRANSFORMER),
    Switch("GPTBigCodeForCausalLM", "all_heads", {"multi_query": False, "num_key_value_heads": ABSENT}),
    Switch("GPTBigCodeForCausalLM", "unscaled", {"scale_attn_weights": False, "n_inner": None,
           "attention_softmax_in_fp32": True, "scale_attention_softmax_in_fp32": True}),
]
MPT = masks("MptModel") + [
    Switch("MptForCausalLM", "heads_6", {"n_heads": 6, "attn_config": {"clip_qkv": 0.3, "softmax_scale": 0.5}}),
    Switch("MptForCausalLM", "ignored", {"attn_config": {"alibi": False, "alibi_bias_max": 4, "qk_ln": True},
           "expansion_ratio": 2, "no_bias": False, "logit_scale": 3.0, "learned_pos_emb": False}),
]
CLASSIC = {"new_decoder_architecture": False, "num_ln_in_parallel_attn": None, "num_kv_heads": 4}
FALCON = [
    Switch("FalconForCausalLM", "classic", CLASSIC),
    Switch("FalconForCausalLM", "classic_heads", CLASSIC | {"multi_query": False, "bias": True}),
    Switch("FalconForCausalLM", "one_norm", {"num_ln_in_parallel_attn": 1, "num_kv_heads": 2}),
    Switch("FalconForCausalLM", "alibi_heads_6", CLASSIC | {"alibi": True, "num_attention_heads": 6, "hidden_size": 36,
           "num_kv_heads": 6}, rows=3, length=40, mask="ones"),
    Switch("FalconModel", "alibi_holes", CLASSIC | {"alibi": True, "num_attention_heads": 6, "hidden_size": 36,
           "num_kv_heads": 6}, rows=3, length=11, mask="holes"),
    Switch("FalconForCausalLM", "rope", {"rope_parameters": LINEAR}),
    Switch("FalconForCausalLM", "old_rope", {"rope_parameters": ABSENT, "rope_theta": 500.0}, raw=True),
    Switch("FalconForCausalLM", "packed", inputs=PACKED),
    Switch("FalconModel", "mask_left", rows=3, length=9, mask="left"),
]
GEMMA = [
    Switch("GemmaForCausalLM", "old_act", {"hidden_act": "gelu", "attention_bias": True, "tie_word_embeddings": True},
           raw=True),
    Switch("GemmaModel", "absent", {"hidden_act": ABSENT, "rope_parameters": ABSENT, "rms_norm_eps": ABSENT}, raw=True),
    Switch("GemmaModel", "embeds", inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 7, 32], "lo": -1, "hi": 1}}),
]
GEMMA3_TEXT = [
    Switch("Gemma3ForCausalLM", "caps", {"attn_logit_softcapping": 2.0, "final_logit_softcapping": 1.5}),
    Switch("Gemma3ForCausalLM", "old_rope", {"rope_parameters": ABSENT, "rope_theta": 5000.0,
           "rope_local_base_freq": 300.0, "rope_scaling": {"rope_type": "linear", "factor": 4.0}}, raw=True, length=12),
    Switch("Gemma3ForCausalLM", "absent", {"rope_parameters": ABSENT, "layer_types": ABSENT, "num_hidden_layers": 3,
           "sliding_window_pattern": 2, "sliding_window": 3, "query_pre_attn_scalar": ABSENT,
           "hidden_activation": ABSENT, "tie_word_embeddings": ABSENT, "pad_token_id": ABSENT}, raw=True, length=12),
    Switch("Gemma3TextModel", "rope", {"rope_parameters": {"full_attention": LINEAR}}, rows=3, length=11, mask="holes"),
]
GRANITE = [
    Switch("GraniteForCausalLM", "multipliers", {"embedding_multiplier": 6.0, "attention_multiplier": 0.3,
           "residual_multiplier": 0.4, "logits_scaling": 3.0, "attention_bias": True, "mlp_bias": True,
           "tie_word_embeddings": True}),
    Switch("GraniteForCausalLM", "rope", {"rope_parameters": LINEAR}, mask="left"),
    Switch("GraniteModel", "embeds", {"embedding_multiplier": 6.0}, inputs={
        "input_ids": None, "inputs_embeds": {"shape": [2, 7, 32], "lo": -1, "hi": 1}}),
]
OLMO2 = [
    Switch("Olmo2ForCausalLM", "groups", {"num_key_value_heads": 2, "attention_bias": True}),
    Switch("Olmo2ForCausalLM", "rope", {"rope_parameters": LINEAR}, mask="left"),
]
PHI3 = [
    Switch("Phi3ForCausalLM", "partial", {"rope_parameters": {"partial_rotary_factor": 0.5}}),
    Switch("Phi3ForCausalLM", "window", {"sliding_window": 3}, length=12),
    Switch("Phi3ForCausalLM", "crossing", {"rope_parameters": LONGROPE, "max_position_embeddings": 64,
           "original_max_position_embeddings": 16}, length=12, mask="ones"),
]
GLM4 = [
    Switch("Glm4ForCausalLM", "unbiased", {"attention_bias": False, "rope_parameters": {"partial_rotary_factor": 1.0}}),
    Switch("Glm4Model", "absent", {"attention_bias": ABSENT, "rope_parameters": ABSENT, "rms_norm_eps": ABSENT},
           raw=True, mask="left", rows=3),
]
PHI = [
    Switch("PhiForCausalLM", "groups", {"num_key_value_heads": 1, "qk_layernorm": True, "layer_norm_eps": 0.01}),
    Switch("PhiForCausalLM", "old_partial", {"rope_parameters": ABSENT, "partial_rotary_factor": 0.25}, raw=True),
    Switch("PhiModel", "absent", {"rope_parameters": ABSENT, "hidden_act": ABSENT}, raw=True, mask="left", rows=3),
]
COHERE2 = [
    Switch("Cohere2ForCausalLM", "absent", {"layer_types": ABSENT, "num_hidden_layers": 5, "rope_parameters": ABSENT,
           "logit_scale": ABSENT, "tie_word_embeddings": ABSENT}, raw=True, length=12),
    Switch("Cohere2ForCausalLM", "biased", {"attention_bias": True, "num_key_value_heads": 2, "logit_scale": 0.7,
           "rope_parameters": LINEAR}, length=12, mask="left"),
]
BITNET = [
    Switch("BitNetForCausalLM", "biased", {"attention_bias": True, "hidden_act": "silu", "tie_word_embeddings": True}),
    Switch("BitNetModel", "rope", {"rope_parameters": LINEAR}, mask="left", rows=3),
]
DIFFLLAMA = [
    Switch("DiffLlamaForCausalLM", "groups", {"num_key_value_heads": 2, "attention_bias": True, "num_hidden_layers": 4}),
    Switch("DiffLlamaForCausalLM", "packed", inputs=PACKED),
]

DECODERS = {
    "gptj": GPTJ, "codegen": CODEGEN, "biogpt": BIOGPT, "openai-gpt": OPENAI_GPT, "ctrl": CTRL,
    "gpt_bigcode": GPT_BIGCODE, "mpt": MPT, "falcon": FALCON, "gemma": GEMMA, "gemma3_text": GEMMA3_TEXT,
    "granite": GRANITE, "olmo2": OLMO2, "phi3": PHI3, "glm4": GLM4, "phi": PHI, "cohere2": COHERE2, "bitnet": BITNET,
    "diffllama": DIFFLLAMA,
}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
DECODERS_KEPT = {
    "gptj": "packed whole_heads", "codegen": "tied", "biogpt": "positions", "openai-gpt": "choices mean",
    "ctrl": "packed", "gpt_bigcode": "all_heads unscaled", "mpt": "heads_6 ignored mask_holes",
    "falcon": "classic alibi_heads_6 alibi_holes", "gemma": "old_act", "gemma3_text": "caps old_rope absent",
    "granite": "multipliers embeds", "olmo2": "groups", "phi3": "window crossing", "glm4": "unbiased",
    "phi": "old_partial", "cohere2": "absent", "bitnet": "biased", "diffllama": "groups",
}

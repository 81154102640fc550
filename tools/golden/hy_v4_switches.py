"""Switches of Hunyuan 4: see `switches.py`."""

from switches import ABSENT, Switch

LM, MODEL = "HYV4ForCausalLM", "HYV4Model"
# With many heads no two keys are worth the same, of which torch.topk takes any.
SURE = {"index_n_heads": 16}
YARN = {"rope_type": "yarn", "rope_theta": 500.0, "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 32, "beta_slow": 1, "mscale_all_dim": 0.7}

HY_V4 = {"hy_v4": [
    Switch(LM, "chosen", {**SURE, "index_topk": 2, "indexer_types": ["full", "shared", "shared"], "mlp_layer_types": ["sparse", "dense", "sparse"]}, length=11, mask=None),
    Switch(LM, "streams", {**SURE, "hc_mult": 3, "hc_magnitude": 0.7, "hc_eps": 0.01, "swiglu_limit": 0.25, "attention_bias": True, "n_shared_experts": 2}, length=9),
    Switch(MODEL, "padded", {**SURE, "qk_rope_head_dim": 16, "index_head_dim": 16, "v_head_dim": 20, "rms_norm_eps": 0.01, "hidden_act": "gelu", "norm_topk_prob": False},
           length=11, mask="left"),
    Switch(LM, "groups", {**SURE, "n_group": 4, "topk_group": 2, "routed_scaling_factor": 1.0, "tie_word_embeddings": True, "hc_mult": 1}, length=7, mask="holes"),
    Switch(LM, "yarn", {**SURE, "rope_parameters": YARN}, length=12, mask=None),
    Switch(LM, "unlimited", {**SURE, "swiglu_limit": 100.0, "index_topk": 50}, length=8),
    Switch(MODEL, "defaults", {"layer_types": ABSENT, "mlp_layer_types": ABSENT, "indexer_types": ABSENT, "rope_parameters": ABSENT, "num_hidden_layers": 6,
           "hc_mult": ABSENT, "hc_eps": ABSENT, "hc_magnitude": ABSENT, "swiglu_limit": ABSENT, "index_topk": ABSENT, "n_group": ABSENT, "topk_group": ABSENT,
           "n_shared_experts": ABSENT, "routed_scaling_factor": ABSENT, "norm_topk_prob": ABSENT, "rms_norm_eps": ABSENT}, raw=True, length=9),
    Switch(LM, "one", SURE, length=1, mask=None),
]}
HY_V4_KEPT = {"hy_v4": "chosen streams padded groups"}

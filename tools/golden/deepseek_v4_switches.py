"""Switches of DeepSeek-V4: see `switches.py`."""

from switches import ABSENT, Switch

LM, MODEL = "DeepseekV4ForCausalLM", "DeepseekV4Model"
SPARSE, HEAVY, WINDOW = "compressed_sparse_attention", "heavily_compressed_attention", "sliding_attention"
# With many heads no two summaries are worth the same, of which torch.topk takes any.
OFTEN = {"compress_rates": {SPARSE: 2, HEAVY: 3}, "index_n_heads": 16}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 32, "beta_slow": 1}

DEEPSEEK_V4 = {"deepseek_v4": [
    Switch(LM, "often", OFTEN, length=13, mask=None),
    Switch(LM, "chosen", {**OFTEN, "index_topk": 1, "sliding_window": 3, "layer_types": [SPARSE, SPARSE]}, length=15, mask=None),
    Switch(LM, "windows", {"layer_types": [WINDOW, HEAVY], "compress_rates": {SPARSE: 4, HEAVY: 2}, "scoring_func": "sigmoid", "mlp_bias": True, "hc_mult": 3}, length=11),
    Switch(MODEL, "padded", {**OFTEN, "attention_bias": True, "swiglu_limit": 0.5, "hc_sinkhorn_iters": 1}, length=11, mask="left"),
    Switch(LM, "yarn", {**OFTEN, "rope_parameters": {"main": {"rope_type": "default", "rope_theta": 100.0, "partial_rotary_factor": 0.5}, "compress": {
           **YARN, "rope_theta": 500.0, "partial_rotary_factor": 0.5}}}, length=12, mask=None),
    Switch(LM, "original", {"rope_parameters": ABSENT, "rope_scaling": YARN, "layer_types": ABSENT, "compress_ratios": [0, 4, 128], "mlp_layer_types": ABSENT,
           "num_hash_layers": 1, "compress_rates": ABSENT, "compress_rope_theta": 300.0, "num_hidden_layers": 3, "partial_rotary_factor": ABSENT, "index_n_heads": 16}, raw=True, length=14, mask=None),
    Switch(MODEL, "defaults", {"layer_types": ABSENT, "mlp_layer_types": ABSENT, "compress_rates": ABSENT, "rope_parameters": ABSENT, "num_hidden_layers": 4,
           "scoring_func": ABSENT, "hc_eps": ABSENT, "hc_sinkhorn_iters": ABSENT, "swiglu_limit": ABSENT, "sliding_window": ABSENT}, raw=True, length=9),
    Switch(LM, "one", length=1, mask=None),
]}
DEEPSEEK_V4_KEPT = {"deepseek_v4": "chosen windows padded original"}

"""Switches of Mistral Large 4: see `switches.py`."""

from switches import ABSENT, Switch

LM, MODEL, TEXT = "MistralLarge4ForConditionalGeneration", "MistralLarge4Model", "MistralLarge4TextModel"
LAYERS = {"num_hidden_layers": 4, "mlp_layer_types": ["dense", "sparse", "sparse", "dense"], "layer_types": ["indexed_attention"] * 4}

IMAGES = {"pixel_values": {"shape": [2, 3, 24, 16], "lo": -1.0, "hi": 1.0}, "image_sizes": {"values": [[24, 16], [16, 8]]}, "attention_mask": None,
          "input_ids": {"values": [[7, *[10] * 6, *range(20, 27)], [5, 6, 8, 9, 10, 10, *range(40, 48)]]}}

MISTRAL_LARGE4 = {"mistral_large4_text": [
    Switch(TEXT, "no_positions", {"no_rope_layers": [0, 1]}, length=11),
    Switch(TEXT, "shared", {**LAYERS, "indexer_types": ["full", "shared", "full", "shared"], "kv_source_layers": [0, 1, 0, 1],
           "no_rope_layers": [1, 0, 1, 0]}, length=11, mask="left"),
    Switch(TEXT, "scaled", {"attention_bias": True, "rope_parameters": {"rope_type": "yarn", "rope_theta": 30.0, "factor": 8.0,
           "original_max_position_embeddings": 16, "mscale_all_dim": 0.7}}, length=9),
    Switch(TEXT, "plain", {"rope_parameters": {"rope_type": "default", "rope_theta": 100.0}, "n_group": 4, "topk_group": 2,
           "routed_scaling_factor": 1.7, "rms_norm_eps": 0.01}, length=9, mask="holes"),
    Switch(TEXT, "defaults", {"rope_parameters": ABSENT, "indexer_types": ABSENT, "kv_source_layers": ABSENT, "no_rope_layers": ABSENT,
           "layer_types": ABSENT, "mlp_layer_types": ABSENT, "n_group": ABSENT, "topk_group": ABSENT, "hidden_act": ABSENT,
           "no_rope_layer_interval": 2}, raw=True, length=10),
], "mistral_large4": [
    Switch(LM, "text_only", {"text_config": {"final_logit_softcapping": 2.5}}, inputs={"pixel_values": None, "image_sizes": None}, mask="left"),
    Switch(LM, "defaults", {"multimodal_projector_bias": ABSENT, "projector_hidden_act": ABSENT, "vision_feature_layer": ABSENT,
           "image_token_index": ABSENT, "spatial_merge_size": ABSENT, "text_config": {"final_logit_softcapping": ABSENT}}, raw=True, inputs=IMAGES),
    Switch(LM, "shared", {"text_config": {**LAYERS, "indexer_types": ["full", "full", "shared", "shared"], "kv_source_layers": [0, 0, 2, 0],
           "no_rope_layers": [1, 1, 0, 1]}}, inputs=IMAGES),
]}
MISTRAL_LARGE4_KEPT = {"mistral_large4_text": "no_positions shared scaled plain defaults", "mistral_large4": "text_only defaults shared"}

"""What `golden.py switches` turns in RWKV and in the models of characters and bytes: see switch_table.py."""

from switches import ABSENT, Switch

RWKV = [
    Switch("RwkvModel", "narrow_attention", {"attention_hidden_size": 20, "intermediate_size": 50}, mask=None),
    Switch("RwkvModel", "default_sizes", {"attention_hidden_size": ABSENT, "intermediate_size": None,
           "layer_norm_epsilon": ABSENT}, raw=True, mask=None),
    Switch("RwkvModel", "embeds", mask=None, inputs={"input_ids": None,
           "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0}}),
    Switch("RwkvForCausalLM", "tied", {"tie_word_embeddings": True, "rescale_every": 1}, rows=1),
    Switch("RwkvForCausalLM", "beyond_context", rows=1, length=40),
    Switch("RwkvForCausalLM", "one_token", rows=1, length=1),
]

SHORT_STRIDE = {"local_transformer_stride": 4}
CANINE = [
    Switch("CanineModel", "chunks", SHORT_STRIDE, rows=3, length=11),
    Switch("CanineModel", "whole_chunks", {**SHORT_STRIDE, "upsampling_kernel_size": 5}, rows=2, length=8, mask="left"),
    Switch("CanineModel", "masked_chunks", SHORT_STRIDE, length=10,
           inputs={"attention_mask": {"values": [[1] * 4 + [0] * 4 + [1, 0], [0] * 10]}}),
    Switch("CanineModel", "no_mask", {**SHORT_STRIDE, "downsampling_rate": 3, "upsampling_kernel_size": 1}, length=9,
           mask=None, inputs={"token_type_ids": None}),
    Switch("CanineModel", "one_molecule", length=4),
    Switch("CanineModel", "beyond_stride", {"num_hash_buckets": 140}, length=130),
    Switch("CanineModel", "code_points", inputs={"input_ids": {"values": [[57344, 0x10FFFF, 0x4E2D, 0x1F600, 97, 0, 57345]] * 2}}),
    Switch("CanineModel", "embeds", inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0}}),
    Switch("CanineModel", "positions", inputs={"position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0], [3, 4, 5, 9, 10, 11, 12]]}}),
    Switch("CanineModel", "eps", {"layer_norm_eps": 0.1, "hidden_act": "relu", "num_hidden_layers": 1}),
    Switch("CanineModel", "defaults", {name: ABSENT for name in ("hidden_act", "layer_norm_eps", "downsampling_rate",
           "upsampling_kernel_size", "num_hash_functions", "local_transformer_stride", "type_vocab_size",
           "max_position_embeddings")}, raw=True),
]

WIDE = {"qk_channels": None, "v_channels": None, "num_cross_attention_heads": 2, "d_latents": 64}
PERCEIVER = [
    Switch("PerceiverModel", "wide", WIDE, inputs={"inputs": {"shape": [2, 7, 64], "lo": -1.0, "hi": 1.0}}),
    Switch("PerceiverModel", "query_wide", {**WIDE, "d_latents": 24, "cross_attention_shape_for_attention": "q"}),
    Switch("PerceiverModel", "blocks", {"num_blocks": 3, "use_query_residual": False, "hidden_act": "relu"},
           kwargs={"output_hidden_states": True},
           inputs={"attention_mask": {"values": [[1] * 7, [0, 1, 1, 0, 0, 0, 0]]}}),
    Switch("PerceiverModel", "zero_row", inputs={"attention_mask": {"values": [[1] * 7, [0] * 7]}}),
    Switch("PerceiverModel", "no_layers", {"num_self_attends_per_block": 0}),
    Switch("PerceiverForMaskedLM", "short", length=3, mask="left", rows=3),
    Switch("PerceiverForMaskedLM", "input_ids", inputs={"inputs": None, "input_ids": {"shape": [2, 7], "ids": [0, 98]}}),
    Switch("PerceiverForImageClassificationFourier", "pixel_values",
           inputs={"inputs": None, "pixel_values": {"shape": [1, 3, 1, 9], "lo": -1.0, "hi": 1.0}}),
    Switch("PerceiverForMultimodalAutoencoding", "beyond", inputs={
           "inputs.label": {"shape": [2, 3], "fill": 0, "dtype": "F32"},
           "subsampled_output_points.image": {"values": [0, 802815, 802816, 50175, -1]},
           "subsampled_output_points.audio": {"values": [49, 50, 0, -3]}}),
    Switch("PerceiverForSequenceClassification", "query_wide", {"cross_attention_shape_for_attention": "q",
           "num_labels": 1}),
]

# By model type; see SWITCHES in switch_table.py.
SWITCHES = {"rwkv": RWKV, "canine": CANINE, "perceiver": PERCEIVER}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
KEPT = {
    "rwkv": "narrow_attention default_sizes embeds tied beyond_context one_token",
    "canine": "chunks whole_chunks masked_chunks no_mask one_molecule code_points embeds positions defaults",
    "perceiver": "wide query_wide blocks zero_row short input_ids pixel_values beyond",
}

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

HASHED = {"attn_layers": ["local", "lsh"], "num_buckets": 4, "lsh_attn_chunk_length": 4, "lsh_num_chunks_before": 1,
          "lsh_num_chunks_after": 0, "lsh_attention_probs_dropout_prob": 0.0, "hash_seed": 5}
HASHED_ONLY = {**HASHED, "attn_layers": ["lsh", "lsh"], "attention_head_size": 16}
BOTH_WAYS = {"is_decoder": False, "lsh_num_chunks_after": 1, "local_num_chunks_after": 1}


def hashed(architecture: str, name: str, config: dict, **more) -> Switch:
    return Switch(architecture, name, {**HASHED, **config}, **more)


def generated(name: str, length: int, config: dict, **more) -> Switch:
    """One row: in transformers the rows of a batch attend the first one's tokens when hashes were cached."""
    return Switch("ReformerModelWithLMHead", name, config, rows=1, length=length, mask=None, **more)


REFORMER = [
    Switch("ReformerModel", "padded", length=13),
    Switch("ReformerModel", "padded_no_mask", {"is_decoder": False, "local_num_chunks_after": 1}, length=13, mask=None),
    Switch("ReformerModel", "zero_chunks", {"is_decoder": False, "local_num_chunks_before": 2}, length=10,
           inputs={"attention_mask": {"values": [[1] * 10, [0] * 10]}}),
    Switch("ReformerModel", "far_chunks", {"is_decoder": False, "local_num_chunks_before": 5,
           "local_num_chunks_after": 4}, length=12, mask="left"),
    Switch("ReformerModel", "short", length=3),
    Switch("ReformerModel", "table", {"axial_pos_embds": False, "max_position_embeddings": 40}, length=20),
    Switch("ReformerModel", "positions", length=8,
           inputs={"position_ids": {"values": [[7, 6, 5, 4, 3, 2, 1, 0], [3, 4, 5, 9, 10, 31, 12, 0]]}}),
    Switch("ReformerModel", "embeds", length=13, inputs={"input_ids": None,
           "inputs_embeds": {"shape": [2, 13, 32], "lo": -1.0, "hi": 1.0}}),
    Switch("ReformerForSequenceClassification", "three_labels", {"num_labels": 3, "is_decoder": False}),
    hashed("ReformerModel", "hashed", {}, length=16, kwargs={"output_hidden_states": True}),
    hashed("ReformerModel", "hashed_padded", {**BOTH_WAYS, "num_hashes": 3}, length=13),
    hashed("ReformerModel", "hashed_no_mask", {**BOTH_WAYS, "num_hashes": 2}, length=24, mask=None),
    hashed("ReformerModel", "hashed_holes", {**BOTH_WAYS, "num_hashes": 2}, length=24, mask="holes", rows=3),
    hashed("ReformerModel", "hashed_zero_row", BOTH_WAYS, length=12,
           inputs={"attention_mask": {"values": [[1] * 12, [0] * 12]}}),
    hashed("ReformerModel", "hashed_factors", {**BOTH_WAYS, "num_buckets": [4, 6, 2], "num_hashes": 2}, length=24,
           mask="holes"),
    hashed("ReformerModel", "hashed_by_length", {"num_buckets": None}, length=32, mask="ones"),
    hashed("ReformerModel", "hashed_by_length_factors", {"num_buckets": None, "lsh_attn_chunk_length": 2,
           "local_attn_chunk_length": 2, "max_position_embeddings": 32, **BOTH_WAYS}, length=32,
           mask="holes"),
    hashed("ReformerModel", "hashed_chunks", {"lsh_attn_chunk_length": 6, "lsh_num_chunks_before": 2}, length=20),
    hashed("ReformerModel", "hashed_short", {}, length=4),
    hashed("ReformerModel", "hashed_between", {"lsh_attn_chunk_length": 16}, length=9),
    hashed("ReformerModel", "few_rotations", {"num_attention_heads": 1, "attention_head_size": 6, "num_buckets": 4},
           length=16),
    hashed("ReformerForMaskedLM", "hashed", BOTH_WAYS, length=21),
    Switch("ReformerModelWithLMHead", "local", length=13),
    Switch("ReformerModelWithLMHead", "local_short", length=3, mask=None),
    Switch("ReformerModelWithLMHead", "far_back", {"local_num_chunks_before": 2}, length=7, mask=None, rows=1),
    generated("hashed", 14, HASHED),
    generated("hashed_whole", 12, {**HASHED_ONLY, "num_hashes": 2}),
    generated("hashed_rounds", 13, {**HASHED_ONLY, "num_hashes": 3, "num_buckets": [2, 4], "lsh_num_chunks_before": 0}),
    generated("hashed_one_token", 1, HASHED_ONLY),
    generated("hashed_short", 2, {**HASHED_ONLY, "num_hashes": 2}),
    generated("hashed_chunk", 4, HASHED_ONLY),
    generated("hashed_longer_chunk", 9, {**HASHED, "lsh_attn_chunk_length": 8, "num_hashes": 2}),
]

# By model type; see SWITCHES in switch_table.py.
SWITCHES = {"rwkv": RWKV, "canine": CANINE, "perceiver": PERCEIVER, "reformer": REFORMER}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
KEPT = {
    "rwkv": "narrow_attention default_sizes embeds tied beyond_context one_token",
    "canine": "chunks whole_chunks masked_chunks no_mask one_molecule code_points embeds positions defaults",
    "perceiver": "wide query_wide blocks zero_row short input_ids pixel_values beyond",
    "reformer": "padded_no_mask far_chunks short table positions embeds hashed hashed_padded hashed_holes hashed_no_mask "
                "hashed_factors hashed_by_length hashed_by_length_factors hashed_chunks hashed_between few_rotations "
                "local local_short far_back hashed_whole hashed_rounds hashed_one_token hashed_short hashed_chunk "
                "hashed_longer_chunk",
}

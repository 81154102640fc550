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

# By model type; see SWITCHES in switch_table.py.
SWITCHES = {"rwkv": RWKV, "canine": CANINE}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
KEPT = {
    "rwkv": "narrow_attention default_sizes embeds tied beyond_context one_token",
    "canine": "chunks whole_chunks masked_chunks no_mask one_molecule code_points embeds positions defaults",
}

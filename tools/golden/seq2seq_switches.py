"""Switches of encoder-decoders: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from switches import ABSENT, Switch

SWITCH_TRANSFORMERS = [
    Switch("SwitchTransformersForConditionalGeneration", "full_experts", {"expert_capacity": 2, "num_experts": 3,
           "router_bias": True, "dense_act_fn": "gelu"}, length=13, decoder_length=8, rows=3),
    Switch("SwitchTransformersModel", "no_steps", {"encoder_sparse_step": ABSENT, "decoder_sparse_step": ABSENT,
           "num_layers": 5, "num_sparse_encoder_layers": 2, "num_decoder_layers": 2,
           "num_sparse_decoder_layers": 0}, raw=True),
    Switch("SwitchTransformersForConditionalGeneration", "untied", {"tie_word_embeddings": False,
           "num_decoder_layers": None}, raw=True),
    Switch("SwitchTransformersEncoderModel", "sparse", {"num_sparse_encoder_layers": 2,
           "encoder_sparse_step": ABSENT, "num_layers": 4}, length=9, mask="holes"),
]

SEQ2SEQ = {"switch_transformers": SWITCH_TRANSFORMERS}
SEQ2SEQ_KEPT = {"switch_transformers": "full_experts no_steps untied"}

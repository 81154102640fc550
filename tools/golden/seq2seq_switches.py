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

PADDED = {"input_ids": {"values": [[9, 7, 30, 1, 5, 2, 1], [1, 1, 8, 9, 40, 41, 2]]},
          "decoder_input_ids": {"values": [[2, 9, 1, 7, 1, 1, 12], [2, 50, 51, 1, 6, 7, 8]]}}
NLLB_MOE = [
    Switch("NllbMoeForConditionalGeneration", "full_experts", {"moe_eval_capacity_token_fraction": 0.2,
           "router_bias": True, "encoder_sparse_step": 1}, length=12, decoder_length=9, rows=3),
    Switch("NllbMoeForConditionalGeneration", "prioritized", {"moe_eval_capacity_token_fraction": 0.15,
           "batch_prioritized_routing": True, "normalize_router_prob_before_dropping": True, "num_experts": 3},
           length=11, mask="left"),
    Switch("NllbMoeModel", "capacity", {"moe_eval_capacity_token_fraction": -1.0, "expert_capacity": 4, "num_experts": 2,
           "normalize_router_prob_before_dropping": True, "encoder_sparse_step": 1}, length=9, mask="holes"),
    Switch("NllbMoeModel", "steps", {"encoder_sparse_step": 0, "decoder_sparse_step": 2, "num_experts": 2,
           "router_ignore_padding_tokens": True, "moe_token_dropout": 0.0, "activation_function": "gelu"}),
    Switch("NllbMoeForConditionalGeneration", "outgrown", {"max_position_embeddings": 6, "scale_embedding": False,
           "num_experts": 2, "decoder_layers": 1}, length=15, mask=None, rows=1),
    Switch("NllbMoeModel", "pads", {"num_experts": 2, "decoder_layers": 1}, inputs=PADDED),
]
STATES = {"encoder_hidden_states": {"shape": [2, 5, 16], "lo": -1.0, "hi": 1.0},
          "encoder_attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}
PROPHETNET = [
    Switch("ProphetNetForConditionalGeneration", "three_streams", {"ngram": 3, "num_buckets": 7,
           "relative_max_distance": 9, "activation_function": "relu"}, length=13, decoder_length=11, rows=3),
    Switch("ProphetNetForConditionalGeneration", "one_stream", {"ngram": 1, "num_decoder_attention_heads": 2}),
    Switch("ProphetNetForCausalLM", "four_streams", {"ngram": 4, "num_buckets": 8, "relative_max_distance": 64},
           length=12, mask="left"),
    Switch("ProphetNetDecoder", "crossed", {"add_cross_attention": True}, inputs=STATES, mask=None),
    Switch("ProphetNetModel", "pad_3", {"pad_token_id": 3}, mask="left", length=9, decoder_length=6),
    Switch("ProphetNetEncoder", "clamped", {"max_position_embeddings": 8}, length=12),
]
TROCR = [
    # the class cannot be loaded with computed positions, except where the text outgrows their table at once
    Switch("TrOCRDecoder", "pads", {"use_learned_position_embeddings": False, "is_decoder": True,
           "cross_attention_hidden_size": 11, "max_position_embeddings": 4, "scale_embedding": True,
           "layernorm_embedding": False},
           inputs={"input_ids": PADDED["decoder_input_ids"], "encoder_hidden_states": {"shape": [2, 5, 11],
           "lo": -1.0, "hi": 1.0}, "encoder_attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}),
    Switch("TrOCRForCausalLM", "untied", {"tie_word_embeddings": False, "activation_function": "relu"}, mask="holes"),
]
TYPES = {"token_type_ids": {"values": [[0, 0, 1, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0, 0]]},
         "decoder_token_type_ids": {"values": [[1, 0, 1, 1, 1], [0, 1, 0, 0, 1]]}}
DECODER = {"is_decoder": True, "add_cross_attention": True}
ENCODER_DECODER = [
    Switch("EncoderDecoderModel", "types", {"decoder": {"tie_word_embeddings": False}}, decoder_length=5,
           mask="left", inputs=TYPES),
    Switch("EncoderDecoderModel", "roberta_after_bert", {"decoder": {**DECODER, "model_type": "roberta",
           "pad_token_id": 1, "max_position_embeddings": 40, "type_vocab_size": 1},
           "encoder": {"hidden_size": 24, "num_attention_heads": 3}}, rows=3, length=9, decoder_length=6),
    Switch("EncoderDecoderModel", "gpt2_after_electra", {"decoder": {"model_type": "gpt2", "n_embd": 20,
           "hidden_size": 20, "n_layer": 2, "n_head": 2, "num_attention_heads": 2, "n_positions": 40,
           "scale_attn_by_inverse_layer_idx": True, "add_cross_attention": True},
           "encoder": {"model_type": "electra", "embedding_size": 12}}, mask="holes", decoder_length=4),
    Switch("EncoderDecoderModel", "bart_after_roberta", {"decoder": {"model_type": "bart", "d_model": 32,
           "decoder_layers": 2, "decoder_attention_heads": 4, "decoder_ffn_dim": 21, "is_decoder": True,
           "is_encoder_decoder": False, "activation_function": "gelu"}, "encoder": {"model_type": "roberta",
           "pad_token_id": 1}}, length=11, decoder_length=5),
    Switch("EncoderDecoderModel", "trocr_after_bert", {"decoder": {"model_type": "trocr", "d_model": 20,
           "hidden_size": 20, "decoder_layers": 2, "decoder_attention_heads": 4, "decoder_ffn_dim": 21,
           "cross_attention_hidden_size": 32, "is_decoder": True}}, mask=None),
    Switch("EncoderDecoderModel", "electra_after_distilbert", {"decoder": {**DECODER, "model_type": "electra",
           "embedding_size": 16}, "encoder": {"model_type": "distilbert", "dim": 32, "n_heads": 4, "n_layers": 2,
           "hidden_dim": 27}}, rows=1, length=12, decoder_length=9),
    Switch("EncoderDecoderModel", "prophetnet_after_bert", {"decoder": {"model_type": "prophetnet",
           "num_encoder_attention_heads": 4, "num_decoder_attention_heads": 4, "num_decoder_layers": 2,
           "num_encoder_layers": 2, "num_hidden_layers": ABSENT, "decoder_ffn_dim": 27,
           "is_encoder_decoder": False, **DECODER}}),
]


def documents(n_docs: int, **more) -> dict:
    """Two questions with so many documents each."""
    return {"context_input_ids": {"ids": [3, 96], "shape": [2 * n_docs, 8]},
            "context_attention_mask": {"mask": [8, 5, 7, 6, 8, 3][: 2 * n_docs]},
            "doc_scores": {"shape": [2, n_docs], "lo": -1.0, "hi": 2.0}} | more


T5 = {"model_type": "t5", "d_kv": 8, "d_ff": 37, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0,
      "relative_attention_num_buckets": 8, "feed_forward_proj": "relu", "activation_function": ABSENT}
RAG = [
    Switch("RagTokenForGeneration", "marginalized", {"n_docs": 3, "do_marginalize": True, "decoder_start_token_id": 2},
           inputs=documents(3), decoder_length=4),
    Switch("RagTokenForGeneration", "t5", {"generator": T5, "decoder_start_token_id": 0}, inputs=documents(2)),
    Switch("RagModel", "shifted", inputs=documents(2, decoder_input_ids=None)),
    Switch("RagSequenceForGeneration", "one_document", {"n_docs": 1}, decoder_length=6,
           inputs=documents(1, decoder_attention_mask={"mask": [4, 6]})),
]

SEQ2SEQ = {"switch_transformers": SWITCH_TRANSFORMERS, "nllb-moe": NLLB_MOE, "prophetnet": PROPHETNET, "trocr": TROCR,
           "encoder-decoder": ENCODER_DECODER, "rag": RAG}
SEQ2SEQ_KEPT = {
    "switch_transformers": "full_experts no_steps untied",
    "prophetnet": "three_streams four_streams crossed pad_3 clamped",
    "trocr": "pads untied",
    "encoder-decoder": "types roberta_after_bert gpt2_after_electra trocr_after_bert",
    "rag": "marginalized t5 shifted one_document",
    "nllb-moe": "full_experts prioritized capacity steps outgrown pads",
}

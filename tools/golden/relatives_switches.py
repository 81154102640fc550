"""Switches of further relatives of BERT, BART and LLaMA: see `switch_table.py`. Each case turns what the class reads and
no size would show."""

from decoder_switches import LINEAR
from switches import ABSENT, Switch, crossed

STATES = {"encoder_hidden_states": {"shape": [2, 5, 16], "lo": -1.0, "hi": 1.0},
          "encoder_attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}
PACKED = {"position_ids": {"values": [[0, 1, 2, 0, 1, 0, 1], [4, 5, 6, 7, 1, 2, 3]]}, "attention_mask": None}
PADDED_TEXT = {"input_ids": {"values": [[9, 8, 0, 7, 0, 0, 0], [0, 4, 5, 0, 6, 7, 8]]}}


def chatty(prefix: str) -> list[Switch]:
    """BART's two halves, of which one may stand alone."""
    return [
        Switch(f"{prefix}ForConditionalGeneration", "scaled", {"scale_embedding": True, "activation_function": "relu"},
               length=9, decoder_length=11, mask="left"),
        Switch(f"{prefix}ForConditionalGeneration", "untied", {"tie_word_embeddings": False}),
        Switch(f"{prefix}ForCausalLM", "scaled_decoder", {"scale_embedding": True, "tie_word_embeddings": False}, length=9,
               mask="left"),
        Switch(f"{prefix}Decoder", "crossed", inputs=STATES),
        Switch(f"{prefix}Model", "layers", {"encoder_layers": 1, "decoder_layers": 3, "decoder_attention_heads": 2},
               length=9, decoder_length=4),
    ]


BLENDERBOT = chatty("Blenderbot")
BLENDERBOT_SMALL = chatty("BlenderbotSmall")
BERT_GENERATION = [
    Switch("BertGenerationDecoder", "decoder", {"is_decoder": True}, length=9, mask="left"),
    Switch("BertGenerationDecoder", "untied", {"tie_word_embeddings": False, "hidden_act": "gelu_new"}),
] + crossed("BertGenerationEncoder", 32, is_decoder=True)
DPR = [
    Switch("DPRContextEncoder", "projected", {"projection_dim": 21}, inputs=PADDED_TEXT),
    Switch("DPRQuestionEncoder", "other_pad", {"pad_token_id": 7}, inputs=PADDED_TEXT),
    Switch("DPRQuestionEncoder", "masked", inputs={"attention_mask": {"values": [[1] * 7, [1] * 4 + [0] * 3]}}),
    Switch("DPRQuestionEncoder", "types", inputs={"token_type_ids": {"values": [[0, 1, 2, 3, 0, 0, 0], [1] * 7]}}),
    Switch("DPRReader", "pads", inputs=PADDED_TEXT),
    Switch("DPRReader", "projected", {"projection_dim": 32}, inputs=PADDED_TEXT),
]
ROC_BERT = [
    Switch("RoCBertModel", "averaged", {"concat_input": False}),
    Switch("RoCBertModel", "not_given", inputs={"input_shape_ids": None, "input_pronunciation_ids": None}),
    Switch("RoCBertModel", "averaged_one", {"concat_input": False}, inputs={"input_shape_ids": None}),
    Switch("RoCBertForMaskedLM", "no_shape", {"enable_shape": False}, mask="left"),
    Switch("RoCBertForMaskedLM", "neither", {"enable_shape": False, "enable_pronunciation": False,
           "tie_word_embeddings": False}),
    Switch("RoCBertForCausalLM", "decoder", {"is_decoder": True}, length=9),
] + crossed("RoCBertModel", 32, is_decoder=True)
LANGUAGES = {"languages": ["de_DE", "en_XX", "fr_XX"], "default_language": "fr_XX"}
SPOKEN = {"lang_ids": {"values": [2, 0]}}
XMOD = [
    Switch("XmodModel", "languages", LANGUAGES, inputs=SPOKEN),
    Switch("XmodForMaskedLM", "default_language", LANGUAGES, mask="left"),
    Switch("XmodForMaskedLM", "pre_norm", {"pre_norm": True, "adapter_layer_norm": True, "ln_before_adapter": False}),
    Switch("XmodForMaskedLM", "bare", {"adapter_reuse_layer_norm": False, "adapter_reduction_factor": 5,
           "tie_word_embeddings": False}),
    Switch("XmodForCausalLM", "decoder", {"is_decoder": True, "default_language": None, **LANGUAGES}, inputs=SPOKEN, length=9),
    Switch("XmodModel", "pads", inputs={"input_ids": {"values": [[9, 8, 1, 7, 1, 1, 1], [1, 1, 5, 1, 6, 7, 8]]}}),
] + crossed("XmodModel", 32, is_decoder=True, pre_norm=True)
REMBERT = [
    Switch("RemBertForCausalLM", "decoder", {"is_decoder": True, "hidden_act": "relu"}, length=9),
    Switch("RemBertForMaskedLM", "tied", {"tie_word_embeddings": True}, mask="left"),
    Switch("RemBertModel", "same_width", {"input_embedding_size": 32}),
] + crossed("RemBertModel", 32, is_decoder=True)
QUESTIONS = {"input_ids": {"values": [[9, 1, 30, 1, 5, 1, 11], [1, 41, 8, 9, 40, 41, 42], [9, 8, 7, 6, 5, 1, 1]]}}
SPLINTER = [
    Switch("SplinterForPreTraining", "questions", {"pad_token_id": 3}, inputs=QUESTIONS, rows=3),
    Switch("SplinterForPreTraining", "given", inputs={"question_positions": {"values": [[0, 3, 6], [5, 5, 1]]}}, mask=None),
    Switch("SplinterForQuestionAnswering", "given", inputs={"question_positions": {"values": [[0, 3], [5, 5]]}}),
    Switch("SplinterForQuestionAnswering", "other_token", {"question_token_id": 41, "hidden_act": "relu"},
           inputs=QUESTIONS, rows=3, mask="left"),
]
XGLM = [
    Switch("XGLMForCausalLM", "unscaled", {"scale_embedding": False, "tie_word_embeddings": False}, length=9),
    Switch("XGLMForCausalLM", "outgrown", {"max_position_embeddings": 5, "d_model": 36, "activation_function": "relu"},
           length=12, rows=3),
    Switch("XGLMModel", "left", inputs={"attention_mask": {"values": [[1] * 7, [0] * 3 + [1] * 4]}}),
    Switch("XGLMModel", "positions", inputs={"position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0], [0, 0, 0, 1, 2, 3, 4]]}}),
    Switch("XGLMModel", "no_pad", {"pad_token_id": None}),
] + crossed("XGLMModel", 32)
GPT_NEOX_JAPANESE = [
    Switch("GPTNeoXJapaneseForCausalLM", "old_rope", {"rope_parameters": ABSENT, "rotary_pct": 0.5, "rotary_emb_base": 900},
           raw=True, mask="left"),
    Switch("GPTNeoXJapaneseForCausalLM", "untied", {"tie_word_embeddings": False, "intermediate_multiple_size": 3,
           "hidden_act": "relu", "num_hidden_layers": 3}),
    Switch("GPTNeoXJapaneseModel", "rope", {"rope_parameters": LINEAR}, mask="left", rows=3),
]

MULTIPLIED = {"embedding_multiplier": 3.0, "attention_multiplier": 0.3, "residual_multiplier": 0.4, "logits_scaling": 2.0}
GRANITEMOE = [
    Switch("GraniteMoeForCausalLM", "multiplied", {**MULTIPLIED, "num_local_experts": 5, "num_experts_per_tok": 3,
           "attention_bias": True}, mask="left"),
    Switch("GraniteMoeModel", "absent", {"num_local_experts": ABSENT, "num_experts_per_tok": ABSENT, "hidden_act": "gelu",
           "attention_multiplier": ABSENT, "rope_parameters": ABSENT}, raw=True, rows=3),
    Switch("GraniteMoeForCausalLM", "packed", inputs=PACKED),
]
GRANITEMOESHARED = [
    Switch("GraniteMoeSharedForCausalLM", "multiplied", {**MULTIPLIED, "shared_intermediate_size": 19, "hidden_act": "gelu"},
           mask="left"),
    Switch("GraniteMoeSharedForCausalLM", "not_shared", {"shared_intermediate_size": ABSENT, "tie_word_embeddings": True},
           raw=True),
]
VAULTGEMMA = [
    Switch("VaultGemmaForCausalLM", "no_caps", {"attn_logit_softcapping": None, "final_logit_softcapping": None,
           "attention_bias": True, "query_pre_attn_scalar": 30, "hidden_activation": "relu"}, length=9, mask="left"),
    Switch("VaultGemmaForCausalLM", "absent", {"layer_types": ABSENT, "rope_parameters": ABSENT, "num_hidden_layers": 3,
           "hidden_activation": ABSENT, "query_pre_attn_scalar": ABSENT, "tie_word_embeddings": ABSENT}, raw=True, length=9),
]
NANOCHAT = [
    Switch("NanoChatForCausalLM", "biased", {"attention_bias": True, "final_logit_softcapping": None, "hidden_act": "silu",
           "rms_norm_eps": 0.1}, mask="left"),
    Switch("NanoChatModel", "absent", {"hidden_act": ABSENT, "rope_parameters": ABSENT, "num_key_value_heads": ABSENT}, raw=True,
           rows=3),
    Switch("NanoChatForCausalLM", "rope", {"rope_parameters": LINEAR, "tie_word_embeddings": True}, length=9),
]
APERTUS = [
    Switch("ApertusForCausalLM", "plain", {"hidden_act": "relu2", "attention_bias": True}, mask="left"),
    Switch("ApertusModel", "absent", {"rope_parameters": ABSENT, "hidden_act": ABSENT, "rms_norm_eps": ABSENT}, raw=True, length=40),
    Switch("ApertusForCausalLM", "rope", {"rope_parameters": LINEAR, "tie_word_embeddings": True}, length=9),
]
SCALED = {"rope_type": "longrope", "rope_theta": 900.0, "short_factor": [1.0, 1.5, 2.0, 2.5], "long_factor": [4.0] * 4,
          "original_max_position_embeddings": 16, "factor": 4.0, "short_mscale": 1.3, "long_mscale": 1.3}
PHIMOE = [
    Switch("PhimoeForCausalLM", "noisy", {"router_jitter_noise": 0.4, "attention_bias": True, "lm_head_bias": True,
           "num_local_experts": 5, "num_experts_per_tok": 3}, mask="left"),
    Switch("PhimoeForCausalLM", "scaled", {"rope_parameters": SCALED}, length=40, mask="left"),
    Switch("PhimoeForCausalLM", "linear", {"rope_parameters": {**LINEAR, "short_mscale": 0.8, "long_mscale": 0.8,
           "original_max_position_embeddings": 16}}, length=9),
    Switch("PhimoeForCausalLM", "dynamic", {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 900.0, "factor": 4.0,
           "short_mscale": 0.8, "long_mscale": 0.8, "original_max_position_embeddings": 16}, "max_position_embeddings": 16},
           length=40),
    Switch("PhimoeForCausalLM", "window", {"sliding_window": 3, "hidden_act": "gelu"}, length=12),
    Switch("PhimoeModel", "quiet", {"router_jitter_noise": 0.0}, rows=3),
]
GLM4_MOE = [
    Switch("Glm4MoeForCausalLM", "groups", {"n_routed_experts": 12, "n_group": 4, "topk_group": 2, "num_experts_per_tok": 3,
           "use_qk_norm": True, "attention_bias": True, "routed_scaling_factor": 1.7}, mask="left"),
    Switch("Glm4MoeForCausalLM", "all_sparse", {"first_k_dense_replace": 0, "norm_topk_prob": False, "n_shared_experts": 2,
           "num_experts_per_tok": 2, "rope_parameters": {"partial_rotary_factor": 1.0}}),
    Switch("Glm4MoeModel", "absent", {"rope_parameters": ABSENT, "num_experts_per_tok": 3, "topk_group": ABSENT}, raw=True, rows=3),
]
ERNIE4_5_MOE = [
    Switch("Ernie4_5_MoeForCausalLM", "biased", {"use_bias": True, "moe_num_shared_experts": 1, "moe_norm_min": 0.3,
           "moe_layer_interval": 2, "num_hidden_layers": 3, "moe_layer_end_index": -1}, mask="left"),
    Switch("Ernie4_5_MoeForCausalLM", "alone", {"moe_num_shared_experts": 0, "moe_layer_start_index": 1,
           "moe_layer_end_index": 2, "num_hidden_layers": 4, "tie_word_embeddings": True}),
    Switch("Ernie4_5_MoeModel", "absent", {"moe_layer_start_index": ABSENT, "moe_layer_end_index": ABSENT, "moe_k": 3,
           "rope_parameters": ABSENT, "moe_num_shared_experts": ABSENT}, raw=True, rows=3),
]
HUNYUAN_V1_MOE = [
    Switch("HunYuanMoEV1ForCausalLM", "each", {"moe_topk": [1, 3], "num_experts": 5, "attention_bias": True}, mask="left"),
    Switch("HunYuanMoEV1ForCausalLM", "alpha", {"rope_parameters": {"rope_type": "dynamic", "alpha": 50.0, "factor": 1.0,
           "rope_theta": 900.0}}, length=9),
    Switch("HunYuanMoEV1Model", "one", {"num_experts": ABSENT, "moe_topk": ABSENT}, raw=True, rows=3),
]
EXAONE_MOE = [
    Switch("ExaoneMoeForCausalLM", "groups", {"num_experts": 12, "n_group": 4, "topk_group": 2, "num_experts_per_tok": 3,
           "mlp_layer_types": ["sparse", "sparse"], "num_shared_experts": 2, "norm_topk_prob": False}, length=9, mask="left"),
    Switch("ExaoneMoeForCausalLM", "absent", {"layer_types": ABSENT, "num_hidden_layers": 4, "sliding_window_pattern": 2,
           "mlp_layer_types": ABSENT, "first_k_dense_replace": 2, "rope_parameters": ABSENT}, raw=True, length=9),
]
AFMOE = [
    Switch("AfmoeForCausalLM", "scaled", {"mup_enabled": True, "attention_bias": True, "route_scale": 1.7, "num_dense_layers": 0,
           "num_shared_experts": 1, "head_dim": 12, "num_experts_per_tok": 3}, length=9, mask="left"),
    Switch("AfmoeForCausalLM", "absent", {"layer_types": ABSENT, "num_hidden_layers": 5, "global_attn_every_n_layers": ABSENT,
           "head_dim": 6, "num_key_value_heads": ABSENT, "rope_parameters": ABSENT}, raw=True, length=9),
    Switch("AfmoeModel", "packed", {"mup_enabled": True, "head_dim": 12}, inputs=PACKED),
]

PADS = {"input_ids": {"values": [[9, 8, 2, 7, 30, 2, 2], [11, 4, 5, 2, 6, 7, 8]]}, "lengths": None, "token_type_ids": None}
FLAUBERT = [
    Switch("FlaubertModel", "langs", {"gelu_activation": False}, inputs={"langs": {"values": [[0, 1, 1, 0, 1, 0, 1]] * 2}, "lengths": None}),
    Switch("FlaubertModel", "causal", {"causal": True, "use_lang_emb": False, "n_langs": 1}, inputs={"lengths": None}),
    Switch("FlaubertModel", "padded", mask=None, inputs=PADS),
    Switch("FlaubertWithLMHeadModel", "free", {"lang_id": 1}, mask=None, inputs=PADS),
]
MODERNBERT_DECODER = [
    Switch("ModernBertDecoderForCausalLM", "biased", {"attention_bias": True, "mlp_bias": True, "norm_bias": True,
           "classifier_bias": True, "decoder_bias": False, "classifier_activation": "relu"}, length=9, mask="left"),
    Switch("ModernBertDecoderForCausalLM", "absent", {"layer_types": ABSENT, "sliding_window": ABSENT, "local_attention": 6,
           "num_hidden_layers": 4, "rope_parameters": ABSENT, "local_rope_theta": 500.0, "global_rope_theta": 900.0,
           "tie_word_embeddings": ABSENT}, raw=True, length=12),
    Switch("ModernBertDecoderForCausalLM", "packed", inputs=PACKED),
    Switch("ModernBertDecoderForSequenceClassification", "biased", {"classifier_bias": True, "num_labels": 3,
           "hidden_activation": "relu"}, rows=3),
]
EACH_ONCE = {"input_ids": {"values": [[9 + (7 * i + 31 * row) % 101 for i in range(9)] for row in range(2)]}}  # no keys are tied
DOGE = [
    Switch("DogeModel", "few_keys", {"keep_window_size": 3, "num_key_value_heads": 2}, length=9, mask="left",
           inputs=EACH_ONCE),
    Switch("DogeForCausalLM", "few_keys_window", {"keep_window_size": 2, "sliding_window": 4}, length=9, inputs=EACH_ONCE),
    Switch("DogeForCausalLM", "experts", {"is_moe": True, "num_experts": 30, "num_experts_per_tok": 7, "mlp_bias": True,
           "norm_topk_prob": True}, mask="left"),
    Switch("DogeForCausalLM", "biased", {"attention_bias": True, "mlp_bias": True, "hidden_act": "gelu"}, length=9),
    Switch("DogeForCausalLM", "packed", {"keep_window_size": 2}, inputs=PACKED),
    Switch("DogeModel", "absent", {"keep_window_size": ABSENT, "rope_parameters": ABSENT, "is_moe": ABSENT}, raw=True, mask="holes"),
]
BLOCKS = {"attention_type": "block_sparse", "block_size": 2, "num_random_blocks": 1}
BIGBIRD_PEGASUS = [
    Switch("BigBirdPegasusModel", "blocks", BLOCKS, length=23, decoder_length=5, kwargs={"output_hidden_states": True}),
    Switch("BigBirdPegasusForConditionalGeneration", "blocks", {**BLOCKS, "use_bias": True, "scale_embedding": False}, length=17,
           decoder_length=6, mask="holes"),
    Switch("BigBirdPegasusForConditionalGeneration", "unmasked_blocks", {**BLOCKS, "num_random_blocks": 2}, length=20,
           decoder_length=6, mask=None),
    Switch("BigBirdPegasusForConditionalGeneration", "full", {"attention_type": "original_full", "tie_word_embeddings": False},
           length=9, decoder_length=11, mask="left"),
    Switch("BigBirdPegasusModel", "shifted", length=9, inputs={"decoder_input_ids": None, "decoder_attention_mask": None}),
    Switch("BigBirdPegasusDecoder", "crossed", {"use_bias": False}, inputs={"encoder_hidden_states":
           {"shape": [2, 5, 32], "lo": -1.0, "hi": 1.0}, "encoder_attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}),
]
BOTH_SIDES = {"attention_bias": True, "attn_logit_softcapping": None, "query_pre_attn_scalar": 30, "hidden_activation": "relu"}
UNSEEN = {"input_ids": {"values": [[9, 8, 0, 7, 1, 0, 0], [0, 4, 5, 0, 6, 7, 1]]},
          "decoder_input_ids": {"values": [[2, 8, 0, 7, 9, 0, 0], [2, 4, 5, 0, 6, 7, 8]]}}
T5GEMMA = [
    Switch("T5GemmaForConditionalGeneration", "biased", {"encoder": BOTH_SIDES, "decoder": {**BOTH_SIDES,
           "final_logit_softcapping": None}, "tie_word_embeddings": False}, length=9, decoder_length=12, mask="left"),
    Switch("T5GemmaForConditionalGeneration", "unmasked", mask=None, inputs=UNSEEN),
    Switch("T5GemmaModel", "positions", length=9, inputs={"decoder_position_ids": {"values": [[0, 1, 2, 0, 1, 0, 1],
           [4, 5, 6, 7, 1, 2, 3]]}, "decoder_attention_mask": None}, decoder_length=7),
    Switch("T5GemmaModel", "absent", {"encoder": {"layer_types": ABSENT, "num_hidden_layers": 3, "hidden_activation": ABSENT},
           "decoder": {"rope_parameters": ABSENT, "layer_types": ABSENT}}, raw=True, length=12, decoder_length=9),
    Switch("T5GemmaForSequenceClassification", "unmasked", mask=None, inputs=UNSEEN),
    Switch("T5GemmaForSequenceClassification", "shifted", {"num_labels": 3}, inputs={"decoder_input_ids": None,
           "decoder_attention_mask": None}),
    Switch("T5GemmaForSequenceClassification", "encoder_alone", {"is_encoder_decoder": False}, inputs={"decoder_input_ids": None,
           "decoder_attention_mask": None}),
    Switch("T5GemmaForTokenClassification", "encoder_alone", {"is_encoder_decoder": False}, inputs={"decoder_input_ids": None,
           "decoder_attention_mask": None}, kwargs={"output_hidden_states": True}),
    Switch("T5GemmaForTokenClassification", "states", kwargs={"output_hidden_states": True}),
]

YOUNGER = {
    "blenderbot": BLENDERBOT, "blenderbot-small": BLENDERBOT_SMALL, "bert-generation": BERT_GENERATION, "dpr": DPR,
    "roc_bert": ROC_BERT, "xmod": XMOD, "rembert": REMBERT, "splinter": SPLINTER, "xglm": XGLM,
    "gpt_neox_japanese": GPT_NEOX_JAPANESE, "granitemoe": GRANITEMOE, "granitemoeshared": GRANITEMOESHARED,
    "vaultgemma": VAULTGEMMA, "nanochat": NANOCHAT, "apertus": APERTUS, "phimoe": PHIMOE, "glm4_moe": GLM4_MOE,
    "ernie4_5_moe": ERNIE4_5_MOE, "hunyuan_v1_moe": HUNYUAN_V1_MOE, "exaone_moe": EXAONE_MOE, "afmoe": AFMOE,
    "flaubert": FLAUBERT, "modernbert-decoder": MODERNBERT_DECODER, "doge": DOGE, "bigbird_pegasus": BIGBIRD_PEGASUS,
    "t5gemma": T5GEMMA,
}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
YOUNGER_KEPT = {
    "blenderbot": "scaled", "blenderbot-small": "scaled", "bert-generation": "decoder", "dpr": "projected pads",
    "roc_bert": "averaged not_given", "xmod": "languages pre_norm bare", "rembert": "decoder", "splinter": "questions given",
    "xglm": "outgrown crossed", "gpt_neox_japanese": "old_rope",
    "granitemoe": "multiplied", "granitemoeshared": "multiplied not_shared", "vaultgemma": "no_caps absent", "nanochat": "biased",
    "apertus": "plain absent", "phimoe": "noisy scaled", "glm4_moe": "groups all_sparse", "ernie4_5_moe": "biased alone",
    "hunyuan_v1_moe": "each alpha", "exaone_moe": "groups absent", "afmoe": "scaled absent packed",
    "flaubert": "free causal", "modernbert-decoder": "biased absent", "doge": "few_keys few_keys_window experts",
    "bigbird_pegasus": "blocks unmasked_blocks", "t5gemma": "biased shifted encoder_alone",
}

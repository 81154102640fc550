"""Switches of further relatives of BERT, BART and LLaMA: see `switch_table.py`. Each case turns what the class reads and
no size would show."""

from decoder_switches import LINEAR
from switches import ABSENT, Switch, crossed

STATES = {"encoder_hidden_states": {"shape": [2, 5, 16], "lo": -1.0, "hi": 1.0},
          "encoder_attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}
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

YOUNGER = {
    "blenderbot": BLENDERBOT, "blenderbot-small": BLENDERBOT_SMALL, "bert-generation": BERT_GENERATION, "dpr": DPR,
    "roc_bert": ROC_BERT, "xmod": XMOD, "rembert": REMBERT, "splinter": SPLINTER, "xglm": XGLM,
    "gpt_neox_japanese": GPT_NEOX_JAPANESE,
}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
YOUNGER_KEPT = {
    "blenderbot": "scaled", "blenderbot-small": "scaled", "bert-generation": "decoder", "dpr": "projected pads",
    "roc_bert": "averaged not_given", "xmod": "languages pre_norm bare", "rembert": "decoder", "splinter": "questions given",
    "xglm": "outgrown crossed", "gpt_neox_japanese": "old_rope",
}

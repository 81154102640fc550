"""Switches of further text models and of models around them: see `switch_table.py`. Each case turns what the class reads and
no size would show."""

from switches import ABSENT, Switch
from younger_text_switches import EMBEDS, TWO_BASES, absent, decoder, masks, some

PADS = {"input_ids": {"values": [[9, 7, 30, 1, 5, 40, 1], [1, 1, 8, 9, 40, 41, 11]]},
        "decoder_input_ids": {"values": [[2, 9, 1, 7, 1, 1, 12], [2, 50, 51, 1, 6, 7, 8]]}}
FSMT = [
    Switch("FSMTForConditionalGeneration", "pads", inputs=PADS, mask=None),
    Switch("FSMTForConditionalGeneration", "shifted", inputs={"decoder_input_ids": None, "decoder_attention_mask": None,
           "input_ids": PADS["input_ids"]}, mask="right"),
    Switch("FSMTForConditionalGeneration", "outgrown", {"max_position_embeddings": 6, "scale_embedding": False}, length=15, rows=1, mask=None),
    Switch("FSMTModel", "masks", {"activation_function": "gelu", "decoder_layers": 1}, length=9, decoder_length=11, mask="left", rows=3),
    Switch("FSMTForConditionalGeneration", "tied", {"tie_word_embeddings": True}, mask="holes"),
]
PEGASUS_X = [
    Switch("PegasusXModel", "staggered", {"block_size": 4, "num_global_tokens": 3, "stagger_local_blocks": True, "encoder_layers": 3},
           length=13, decoder_length=6, mask="left", rows=3),
    Switch("PegasusXForConditionalGeneration", "whole", {"block_size": 5, "num_global_tokens": 2, "scale_embedding": False}, length=10,
           mask="holes"),
    Switch("PegasusXForConditionalGeneration", "unmasked", {"block_size": 6, "tie_word_embeddings": False}, length=11, mask=None),
    Switch("PegasusXDecoder", "one_token", length=1, mask=None, rows=3),
    Switch("PegasusXModel", "absent", {"block_size": 8, "stagger_local_blocks": ABSENT, "num_global_tokens": ABSENT, "activation_function": ABSENT,
           "scale_embedding": ABSENT}, raw=True, length=9),
]
GEMMA3N_TEXT = some("yarn embeds", decoder("Gemma3n", "Gemma3nTextModel", width=16, yarn=False)) + [
    Switch("Gemma3nForCausalLM", "streams", {"altup_num_inputs": 3, "altup_active_idx": 1, "altup_correct_scale": False,
           "intermediate_size": [22, 20, 18, 30], "activation_sparsity_pattern": [0.9, 0.0, 0.5, 0.95]}, length=9, mask="left", rows=3),
    Switch("Gemma3nForCausalLM", "unshared", {"num_kv_shared_layers": 0, "attention_bias": True, "rope_parameters": TWO_BASES["rope_parameters"]},
           length=20, mask="left", rows=3),
    Switch("Gemma3nTextModel", "few_words", {"vocab_size_per_layer_input": 40}, length=20),
    Switch("Gemma3nForCausalLM", "absent", {"layer_types": ABSENT, "num_hidden_layers": 10, "num_kv_shared_layers": 5, "intermediate_size": 22,
           "activation_sparsity_pattern": ABSENT, "rope_parameters": ABSENT, "final_logit_softcapping": ABSENT, "altup_correct_scale": ABSENT,
           "rms_norm_eps": ABSENT, "hidden_activation": ABSENT}, raw=True, length=9),
]
PLAIN4 = {"hidden_size_per_layer_input": 0, "enable_moe_block": False}
GEMMA4_TEXT = some("embeds", decoder("Gemma4", "Gemma4TextModel", yarn=False)) + [
    Switch("Gemma4ForCausalLM", "keys_values", {"attention_k_eq_v": True, "use_double_wide_mlp": True, "attention_bias": True,
           "per_layer_config": {"1": {"head_dim": 24, "num_key_value_heads": 1}, "3": {"head_dim": 24, "num_key_value_heads": 1}},
           "final_logit_softcapping": 3.0}, length=9, mask="left", rows=3),
    Switch("Gemma4ForCausalLM", "plain", {**PLAIN4, "num_kv_shared_layers": 0, "tie_word_embeddings": True,
           "rope_parameters": TWO_BASES["rope_parameters"]}, length=20, mask="left", rows=3),
    Switch("Gemma4TextModel", "both_ways", {"use_bidirectional_attention": "all", "sliding_window": 5, **PLAIN4}, length=12, mask="left", rows=3),
    Switch("Gemma4TextModel", "embeds", PLAIN4, inputs=EMBEDS),
    Switch("Gemma4ForCausalLM", "absent", {"layer_types": ABSENT, "num_hidden_layers": 7, "per_layer_config": ABSENT, "global_head_dim": 24,
           "num_global_key_value_heads": 1, "attention_k_eq_v": True, "rope_parameters": ABSENT, "num_kv_shared_layers": ABSENT,
           "use_bidirectional_attention": ABSENT, "rms_norm_eps": ABSENT, "hidden_activation": ABSENT}, raw=True, length=9),
]
GEMMA4_UNIFIED_TEXT = decoder("Gemma4Unified", "Gemma4UnifiedTextModel", yarn=False) + [
    Switch("Gemma4UnifiedForCausalLM", "keys_values", {"attention_k_eq_v": True, "use_double_wide_mlp": True, "attention_bias": True,
           "final_logit_softcapping": 3.0}, length=9, mask="left", rows=3),
    Switch("Gemma4UnifiedTextModel", "both_ways", {"use_bidirectional_attention": "all", "sliding_window": 5}, length=12, mask="left", rows=3),
    Switch("Gemma4UnifiedForCausalLM", "absent", {"layer_types": ABSENT, "num_hidden_layers": 7, "per_layer_config": ABSENT,
           "global_head_dim": 24, "rope_parameters": ABSENT, "num_kv_shared_layers": ABSENT, "use_bidirectional_attention": ABSENT},
           raw=True, length=9),
]
EMBEDDING_GEMMA2_TEXT = some("embeds one_token long", masks("EmbeddingGemma2TextModel", "EmbeddingGemma2TextModel")) + [
    Switch("EmbeddingGemma2TextModel", "embeds", inputs=EMBEDS),
    Switch("EmbeddingGemma2TextModel", "long", {"sliding_window": 3, "attention_bias": True, **TWO_BASES}, length=20, mask="left", rows=3),
    Switch("EmbeddingGemma2TextModel", "one_token", length=1, mask=None, rows=3),
    Switch("EmbeddingGemma2TextModel", "absent", {"layer_types": ABSENT, "num_hidden_layers": 7, "per_layer_config": ABSENT, "global_head_dim": 24,
           "rope_parameters": ABSENT, "rms_norm_eps": ABSENT}, raw=True, length=9),
]
IMAGE = {"lo": -1.0, "hi": 1.0}
# Two pictures of 2 x 4 and of 4 x 2 patches, the second with padding behind it.
WIDE = [[[x, y] for y in range(2) for x in range(4)] + [[-1, -1]] * 4, [[x, y] for y in range(6) for x in range(2)]]


def patches(name: str) -> dict:
    return {"pixel_values": {"shape": [2, 12, 48], **IMAGE}, name: {"values": WIDE}}


GEMMA4_VISION = [
    Switch("Gemma4VisionModel", "padded", {"standardize": True, "hidden_activation": "silu"}, inputs=patches("pixel_position_ids")),
    Switch("Gemma4VisionModel", "clipped", {"use_clipped_linears": True, "rope_parameters": {"rope_type": "axial", "rope_theta": 30.0}},
           inputs=patches("pixel_position_ids")),
    Switch("Gemma4VisionModel", "absent", {"rope_parameters": ABSENT, "rms_norm_eps": ABSENT, "hidden_activation": ABSENT, "standardize": ABSENT},
           raw=True, inputs=patches("pixel_position_ids")),
]
SOUND = {"input_features": {"shape": [2, 37, 16], **IMAGE}, "attention_mask": {"values": [[1] * 37, [1] * 18 + [0] * 19]}}
GEMMA4_AUDIO = [
    Switch("Gemma4AudioModel", "short", {"attention_chunk_size": 3, "attention_context_left": 4, "attention_context_right": 2}, inputs=SOUND),
    Switch("Gemma4AudioModel", "unmasked", {"use_clipped_linears": True, "gradient_clipping": 1.5, "hidden_act": "gelu"},
           inputs={**SOUND, "attention_mask": None}),
    Switch("Gemma4AudioModel", "absent", {"attention_chunk_size": ABSENT, "attention_context_left": ABSENT, "residual_weight": ABSENT,
           "attention_logit_cap": ABSENT, "conv_kernel_size": ABSENT, "attention_invalid_logits_value": ABSENT}, raw=True, inputs=SOUND),
]
SEEN = {"image_size": 8, "patch_size": 4, "hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 1, "intermediate_size": 20}
VISION4 = {"model_type": "gemma4_vision", "head_dim": 16, "hidden_size": 24, "intermediate_size": 40, "num_attention_heads": 4, "num_hidden_layers": 2,
           "num_key_value_heads": 2, "patch_size": 4, "pooling_kernel_size": 2, "position_embedding_size": 16,
           "rope_parameters": {"rope_theta": 100.0, "rope_type": "axial"}}
NOTHING = {"input_features": None, "input_features_mask": None, "attention_mask": None}
LOOKED = {"input_ids": {"values": [[20, 4, 4, 21, 22, 23, 24, 25], [30, 31, 4, 4, 4, 32, 33, 34]]},
          "mm_token_type_ids": {"values": [[0, 1, 1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0, 0]]}}
FILMED = {"input_ids": {"values": [[20, 10, 10, 21, 22, 23, 24, 25], [30, 31, 10, 10, 10, 32, 33, 34]]},
          "pixel_values_videos": patches("x")["pixel_values"], "video_position_ids": {"values": WIDE}, "num_frames_per_video": {"values": [1, 1]}}
HEARD = {"input_features": {"shape": [2, 20, 16], **IMAGE}, "input_features_mask": {"values": [[1] * 20, [1] * 10 + [0] * 10]},
         "input_ids": {"values": [[20, 7, 7, 7, 7, 7, 24, 25, 26], [30, 31, 7, 7, 7, 32, 33, 34, 35]]}, "attention_mask": None}
GEMMA4 = [
    Switch("Gemma4ForConditionalGeneration", "pictures", {"vision_config": VISION4, "text_config": {"use_bidirectional_attention": "vision"}},
           inputs={**NOTHING, **patches("image_position_ids"), **LOOKED}),
    Switch("Gemma4Model", "causal_pictures", {"vision_config": {**VISION4, "standardize": True}}, inputs={**NOTHING, **patches("image_position_ids"), **LOOKED}),
    Switch("Gemma4ForConditionalGeneration", "videos", {"vision_config": VISION4}, inputs={**NOTHING, **FILMED}),
    Switch("Gemma4ForConditionalGeneration", "short_sounds", {"text_config": {"final_logit_softcapping": 4.0}}, inputs=HEARD),
    Switch("Gemma4ForConditionalGeneration", "text_only", {"tie_word_embeddings": False}, inputs={key: NOTHING[key] for key in ("input_features", "input_features_mask")},
           length=9, mask="left", rows=3),
]
VISION_U = {"model_type": "gemma4_unified_vision", "patch_size": 2, "pooling_kernel_size": 2, "mm_embed_dim": 24, "mm_posemb_size": 16, "output_proj_dims": 24}
MANY = {"input_ids": {"values": [[20, *[4] * 8, 21, 22, 23, 24], [*[4] * 12, 30]]},
        "mm_token_type_ids": {"values": [[0, *[1] * 8, 0, 0, 0, 0], [*[1] * 12, 0]]}}
GEMMA4_UNIFIED = [
    Switch("Gemma4UnifiedForConditionalGeneration", "pictures", {"vision_config": VISION_U, "text_config": {"use_bidirectional_attention": "vision"}},
           inputs={**NOTHING, **patches("image_position_ids"), **MANY}),
    Switch("Gemma4UnifiedModel", "causal_pictures", {"vision_config": VISION_U}, inputs={**NOTHING, **patches("image_position_ids"), **MANY}),
    Switch("Gemma4UnifiedForConditionalGeneration", "short_sounds", {"audio_config": {"audio_embed_dim": 16}}, inputs={
        "input_features": {"shape": [2, 5, 16], **IMAGE}, "input_features_mask": {"values": [[1] * 5, [1] * 3 + [0] * 2]}, "mm_token_type_ids": None,
        "input_ids": HEARD["input_ids"], "attention_mask": None}),
    Switch("Gemma4UnifiedForConditionalGeneration", "text_only", {"tie_word_embeddings": False}, length=9, mask="left", rows=3,
           inputs={"input_features": None, "input_features_mask": None, "mm_token_type_ids": None}),
]
EMBEDDING_GEMMA2 = [
    Switch("EmbeddingGemma2Model", "padded", inputs={"attention_mask": None, **patches("image_position_ids"), "input_ids": {
        "values": [[20, 10, 10, 21, 22, 23, 24, 25], [30, 31, 10, 10, 10, 32, 33, 34]]}}),
    Switch("EmbeddingGemma2Model", "text_only", inputs={"pixel_values": None, "image_position_ids": None}, length=9, mask="left", rows=3),
]
PIXELS = {"pixel_values": {"shape": [2, 3, 8, 8], **IMAGE}}
T5_WORDS = {**PIXELS, "input_ids": {"values": [[20, 4, 6, 22, 23, 24, 25], [30, 31, 4, 6, 33, 34, 6]]}}
T5_SIDES = {"encoder": {"mm_tokens_per_image": 1, "vision_config": SEEN}}
NO_PIXELS = {"pixel_values": None}
T5GEMMA2 = [
    Switch("T5Gemma2ForConditionalGeneration", "pictures", T5_SIDES, mask="left", inputs=T5_WORDS),
    Switch("T5Gemma2Model", "windows", {"encoder": {"text_config": {"sliding_window": 3, "attention_bias": True, "query_pre_attn_scalar": 9}},
           "decoder": {"sliding_window": 2, "attention_bias": True, "layer_types": ["sliding_attention", "sliding_attention"]}}, length=12,
           decoder_length=9, mask="left", rows=3, inputs=NO_PIXELS),
    Switch("T5Gemma2ForConditionalGeneration", "caps", {"tie_word_embeddings": False, "decoder": {"final_logit_softcapping": 3.0,
           "num_hidden_layers": 1, "layer_types": ["full_attention"]}}, length=5, decoder_length=4, mask=None, inputs=NO_PIXELS),
    Switch("T5Gemma2ForSequenceClassification", "shifted", {"num_labels": 3, "pad_token_id": 0}, length=6, mask=None, inputs={
        **NO_PIXELS, "input_ids": {"values": [[7, 8, 9, 0, 0, 0], [0, 0, 11, 12, 13, 14]]}, "decoder_input_ids": None, "decoder_attention_mask": None}),
    Switch("T5Gemma2ForTokenClassification", "shifted_tokens", {"num_labels": 5}, length=6, mask="holes", inputs={
        **NO_PIXELS, "decoder_input_ids": None, "decoder_attention_mask": None}),
]
T5GEMMA2_ENCODER = [
    Switch("T5Gemma2Encoder", "wide_windows", {"text_config": {"sliding_window": 5}}, length=14, mask="left", rows=3, inputs=NO_PIXELS),
    Switch("T5Gemma2Encoder", "embeds", inputs={**NO_PIXELS, **EMBEDS}),
]
SHIELDGEMMA2 = [
    Switch("ShieldGemma2ForImageClassification", "text_only", {"yes_token_index": 7, "no_token_index": 90}, length=9, mask="left", rows=3,
           inputs={"pixel_values": None, "token_type_ids": None}),
]
BEAM = some("yarn", decoder("Beam", yarn=False)) + [
    Switch("BeamForCausalLM", "all_rotate", {**TWO_BASES, "attention_bias": True, "norm_topk_prob": False, "final_logit_softcapping": None},
           length=20, mask="left", rows=3),
    absent("BeamForCausalLM", "layer_types", "mlp_layer_types", "rope_parameters", "final_logit_softcapping", "norm_topk_prob",
           config={"num_hidden_layers": 7}, length=12),
]
FLINT = decoder("Flint") + [
    Switch("FlintForCausalLM", "biased", {"attention_bias": True, "decoder_sparse_step": 2, "mlp_only_layers": [], "norm_topk_prob": False,
           "num_experts_per_tok": 3}, length=9, mask="left", rows=3),
    absent("FlintForCausalLM", "layer_types", "mlp_only_layers", "rope_parameters", "norm_topk_prob", config={"num_hidden_layers": 7,
           "sliding_window": 3}, length=12),
]
ZAYA = decoder("Zaya", yarn=False) + [
    Switch("ZayaForCausalLM", "kernels", {"cca_time0": 3, "cca_time1": 1, "attention_bias": True, "lm_head_bias": True, "router_hidden_size": 14},
           length=9, mask="left", rows=3),
    Switch("ZayaForCausalLM", "absent", {"layer_types": ABSENT, "rope_parameters": ABSENT, "cca_time0": ABSENT, "rms_norm_eps": ABSENT,
           "lm_head_bias": ABSENT}, raw=True, length=12),
]
LFM3_TWO = {"grid_thw": {"values": [[2, 4, 2], [1, 2, 6]]}, "pixel_values": {"shape": [28, 96], **IMAGE}}
LFM3_VL_VISION = [
    Switch("Lfm3VlVisionModel", "frames", {"conv_kernel_size": 5, "rope_parameters": {"rope_type": "axial", "rope_theta": 55.0}}, inputs=LFM3_TWO),
    Switch("Lfm3VlVisionModel", "absent", {"layer_types": ABSENT, "num_hidden_layers": 3, "rope_parameters": ABSENT, "conv_kernel_size": ABSENT,
           "norm_eps": ABSENT}, raw=True, inputs=LFM3_TWO),
]
SEEN_WORDS = {"image_grid_thw": {"values": [[2, 4, 2], [1, 2, 6]]}, "pixel_values": LFM3_TWO["pixel_values"],
              "input_ids": {"values": [[20, 10, 10, 10, 10, 21, 22], [23, 10, 10, 10, 24, 25, 26]]}}
LFM3_VL = [
    Switch("Lfm3VlForConditionalGeneration", "frames", {"projector_bias": False, "projector_hidden_act": "relu"}, mask="right", inputs=SEEN_WORDS),
    Switch("Lfm3VlModel", "videos", inputs={"video_grid_thw": SEEN_WORDS["image_grid_thw"], "pixel_values_videos": LFM3_TWO["pixel_values"],
           "pixel_values": None, "image_grid_thw": None, "input_ids": {"values": [[20, 11, 11, 11, 11, 21, 22], [23, 11, 11, 11, 24, 25, 26]]}}),
    Switch("Lfm3VlForConditionalGeneration", "text_only", inputs={"pixel_values": None, "image_grid_thw": None}, mask="left"),
]
TEXT_DECODERS = {
    "fsmt": FSMT, "pegasus_x": PEGASUS_X, "gemma3n_text": GEMMA3N_TEXT, "gemma4_text": GEMMA4_TEXT, "gemma4_unified_text": GEMMA4_UNIFIED_TEXT,
    "embedding_gemma2_text": EMBEDDING_GEMMA2_TEXT, "gemma4_vision": GEMMA4_VISION, "gemma4_audio": GEMMA4_AUDIO, "gemma4": GEMMA4,
    "gemma4_unified": GEMMA4_UNIFIED, "embedding_gemma2": EMBEDDING_GEMMA2, "t5gemma2": T5GEMMA2, "t5gemma2_encoder": T5GEMMA2_ENCODER,
    "shieldgemma2": SHIELDGEMMA2, "beam": BEAM, "flint": FLINT, "zaya": ZAYA, "lfm3_vl_vision": LFM3_VL_VISION, "lfm3_vl": LFM3_VL,
}
TEXT_DECODERS_KEPT = {
    "fsmt": "pads shifted outgrown", "pegasus_x": "staggered", "gemma3n_text": "streams few_words", "gemma4_text": "keys_values both_ways",
    "gemma4_unified_text": "keys_values", "embedding_gemma2_text": "absent", "gemma4_vision": "padded clipped", "gemma4_audio": "short unmasked",
    "gemma4": "pictures short_sounds", "gemma4_unified": "pictures", "embedding_gemma2": "padded", "t5gemma2": "pictures windows shifted",
    "t5gemma2_encoder": "wide_windows", "shieldgemma2": "text_only", "beam": "all_rotate", "flint": "biased", "zaya": "kernels",
    "lfm3_vl_vision": "frames", "lfm3_vl": "frames videos",
}

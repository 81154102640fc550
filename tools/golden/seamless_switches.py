"""Switches of SeamlessM4T: see `switches.py`."""

from switches import ABSENT, Switch

PADDED = {"input_ids": {"values": [[5, 7, 9, 11, 3, 2], [8, 6, 3, 0, 0, 0]]}, "attention_mask": {"mask": [6, 3]},
          "decoder_input_ids": {"values": [[3, 4, 5], [3, 9, 0]]}}


def heard(frames: int, *lengths: int) -> dict:
    return {"input_features": {"shape": [len(lengths), frames, 160], "lo": -1.0, "hi": 1.0}, "attention_mask": {"mask": list(lengths)},
            "decoder_input_ids": {"values": [[3, 5, 9, 7], [3, 11, 2, 6]][: len(lengths)]}}


def words(name: str) -> list[Switch]:
    return [
        Switch(f"{name}ForTextToText", "padded", {"activation_function": "gelu", "encoder_layers": 1, "decoder_attention_heads": 3, "scale_embedding": False,
               "encoder_ffn_dim": 10}, inputs=PADDED),
        Switch(f"{name}ForTextToText", "untied", {"tie_word_embeddings": False, "hidden_size": 10, "pad_token_id": 2}, inputs=PADDED),
        Switch(f"{name}Model", "words", inputs={**PADDED, "input_features": None}),
    ]


V1 = words("SeamlessM4T") + [
    Switch("SeamlessM4TForSpeechToText", "rotary", {"position_embeddings_type": "rotary", "hidden_size": 12, "num_adapter_layers": 2, "adaptor_kernel_size": 5,
           "adaptor_stride": 3, "conv_depthwise_kernel_size": 5, "speech_encoder_hidden_act": "gelu", "tie_word_embeddings": False}, inputs=heard(23, 23, 14)),
    Switch("SeamlessM4TForSpeechToText", "placeless", {"position_embeddings_type": "none", "add_adapter": False, "feature_projection_input_dim": 160,
           "speech_encoder_intermediate_size": 9}, inputs=heard(9, 9, 4)),
    Switch("SeamlessM4TModel", "long", {"hidden_size": 8, "speech_encoder_layers": 1, "layer_norm_eps": 0.01}, inputs=heard(40, 40, 25)),
    Switch("SeamlessM4TTextToUnitForConditionalGeneration", "sizes", {"t2u_encoder_layers": 1, "t2u_decoder_attention_heads": 3, "t2u_decoder_ffn_dim": 9,
           "t2u_vocab_size": 31, "t2u_pad_token_id": 4}, inputs={"decoder_input_ids": {"values": [[2, 5, 30, 8, 11], [2, 6, 9, 4, 4]]}}),
    Switch("SeamlessM4TCodeHifiGan", "several", {"unit_embed_dim": 9, "lang_embed_dim": 5, "upsample_rates": [3, 2], "upsample_kernel_sizes": [7, 4],
           "resblock_kernel_sizes": [3, 5], "resblock_dilation_sizes": [[1, 3], [1, 2]], "leaky_relu_slope": 0.2}, inputs={
               "input_ids": {"values": [[5, 7, 9, 11, 3], [8, 6, 3, 1, 1]]}, "spkr_id": {"values": [[3], [0]]}, "lang_id": {"values": [[4], [1]]}}),
    Switch("SeamlessM4TForSpeechToText", "defaults", {"position_embeddings_type": ABSENT, "adaptor_kernel_size": ABSENT, "adaptor_stride": ABSENT,
           "speech_encoder_hidden_act": ABSENT, "conv_depthwise_kernel_size": ABSENT, "scale_embedding": ABSENT, "activation_function": ABSENT}, raw=True,
           inputs=heard(23, 23, 14)),
]
V2 = words("SeamlessM4Tv2") + [
    Switch("SeamlessM4Tv2ForSpeechToText", "whole", {"speech_encoder_chunk_size": 3, "speech_encoder_left_chunk_num": -1, "hidden_size": 12,
           "left_max_position_embeddings": 5, "right_max_position_embeddings": 3}, inputs=heard(23, 23, 14)),
    Switch("SeamlessM4Tv2ForSpeechToText", "placeless", {"position_embeddings_type": "none", "add_adapter": False, "speech_encoder_chunk_size": 4,
           "speech_encoder_left_chunk_num": 0, "conv_depthwise_kernel_size": 5}, inputs=heard(10, 10, 10)),
    Switch("SeamlessM4Tv2Model", "stretches", {"speech_encoder_left_chunk_num": 1, "speech_encoder_chunk_size": 5, "num_adapter_layers": 2, "adaptor_stride": 2,
           "adaptor_kernel_size": 4}, inputs=heard(24, 24, 21)),
]
SEAMLESS = {"seamless_m4t": V1, "seamless_m4t_v2": V2}
SEAMLESS_KEPT = {"seamless_m4t": "padded rotary placeless sizes several", "seamless_m4t_v2": "whole placeless"}

"""Switches of wav2vec 2.0's relatives: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from switches import ABSENT, Switch


def masked(samples: int) -> dict:
    """Rows of different lengths."""
    return {"input_values": {"shape": [2, samples], "lo": -1.0, "hi": 1.0},
            "attention_mask": {"values": [[1] * samples, [1] * (samples - 400) + [0] * 400]}}


def short(samples: int) -> dict:
    """A row that is shorter than a frame."""
    return {**masked(samples), "attention_mask": {"values": [[1] * samples, [1] * 5 + [0] * (samples - 5)]}}


def time_masked(samples: int, frames: int) -> dict:
    """Frames that the caller hides."""
    hidden = [[(i + row) % 4 == 1 for i in range(frames)] for row in range(2)]
    return {**masked(samples), "mask_time_indices": {"values": hidden, "dtype": "BOOL"}}


def features(frames: int, width: int, mask: list[int] | None = None) -> dict:
    """Frames of features, and which of the second row are none."""
    given = {"values": [[1] * frames, mask or [1] * (frames - 3) + [0] * 3]}
    return {"input_features": {"shape": [2, frames, width], "lo": -1.0, "hi": 1.0}, "attention_mask": given}


HUBERT = [
    Switch("HubertModel", "batch_norm", {"conv_pos_batch_norm": True, "feat_proj_layer_norm": False}, inputs=masked(1024)),
    Switch("HubertForSequenceClassification", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
    Switch("HubertForCTC", "stable", {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True},
           inputs=masked(1024)),
]
UNISPEECH = [
    Switch("UniSpeechForCTC", "stable", {"do_stable_layer_norm": True, "conv_bias": True}, inputs=masked(1024)),
    Switch("UniSpeechForPreTraining", "masked", inputs=masked(1024)),
]
UNISPEECH_SAT = [
    Switch("UniSpeechSatForXVector", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
    Switch("UniSpeechSatForAudioFrameClassification", "stable", {"do_stable_layer_norm": True, "feat_extract_norm": "layer"},
           inputs=masked(1024)),
]

# What the classes of a type do not read, though others of the family do.
UNREAD = {"feat_proj_layer_norm": False, "conv_pos_batch_norm": True, "adapter_attn_dim": 4}
ADAPTER = {"add_adapter": True, "num_adapter_layers": 1, "output_hidden_size": 12}
STABLE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}

WAVLM = [
    Switch("WavLMModel", "stable", {**STABLE, "num_buckets": 8, "max_bucket_distance": 6}, inputs=masked(1024)),
    Switch("WavLMModel", "buckets", {"num_buckets": 13, "max_bucket_distance": 9}, inputs=masked(2500)),
    Switch("WavLMModel", "long", inputs=masked(8000)),
    Switch("WavLMModel", "one_layer", {"num_hidden_layers": 1}, inputs=masked(1024)),
    Switch("WavLMModel", "unread", UNREAD, inputs=masked(1024)),
    Switch("WavLMModel", "short", inputs=short(1024)),
    Switch("WavLMModel", "time_masked", inputs=time_masked(1024, 14)),
    Switch("WavLMForCTC", "adapter", ADAPTER, inputs=masked(1024)),
    Switch("WavLMForSequenceClassification", "weighted", {"use_weighted_layer_sum": True, **STABLE}, inputs=masked(1024)),
    Switch("WavLMForAudioFrameClassification", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
    Switch("WavLMForXVector", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
]
DATA2VEC_AUDIO = [
    Switch("Data2VecAudioModel", "even_kernel", {"conv_pos_kernel_size": 4, "conv_bias": True,
           "feat_extract_activation": "relu"}, inputs=masked(1024)),
    Switch("Data2VecAudioModel", "no_positions", {"num_conv_pos_embeddings": 0}, inputs=masked(1024)),
    Switch("Data2VecAudioModel", "unread", {**UNREAD, "do_stable_layer_norm": True, "feat_extract_norm": "group"},
           inputs=masked(1024)),
    Switch("Data2VecAudioModel", "time_masked", inputs=time_masked(1024, 14)),
    Switch("Data2VecAudioForCTC", "adapter", ADAPTER, inputs=masked(1024)),
    Switch("Data2VecAudioForSequenceClassification", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
    Switch("Data2VecAudioForXVector", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1300)),
]
SPECTROGRAM = {"input_values": {"shape": [2, 24, 16], "lo": -1.0, "hi": 1.0}}
AUDIO_SPECTROGRAM_TRANSFORMER = [
    Switch("ASTModel", "overlapping", {"patch_size": 5, "frequency_stride": 3, "time_stride": 2}, inputs=SPECTROGRAM),
    Switch("ASTModel", "gaps", {"patch_size": 2, "frequency_stride": 4, "time_stride": 5}, inputs=SPECTROGRAM),
    Switch("ASTModel", "no_bias", {"qkv_bias": False, "head_dim": 6}, inputs=SPECTROGRAM),
    Switch("ASTModel", "masked", {"time_stride": 6}, inputs={**SPECTROGRAM, "attention_mask": {"values": [
           [1] * 34, [1] * 20 + [0] * 14]}}),
    Switch("ASTForAudioClassification", "one_label", {"num_labels": 1, "layer_norm_eps": 0.1}, inputs=SPECTROGRAM),
]
SEW = [
    Switch("SEWModel", "squeeze_3", {"squeeze_factor": 3, "num_conv_pos_embeddings": 8, "conv_dim": [64, 32, 24]},
           inputs=masked(1024)),
    Switch("SEWModel", "squeeze_1", {"squeeze_factor": 1}, inputs=masked(1024)),
    Switch("SEWModel", "layer", {"feat_extract_norm": "layer", "conv_bias": True}, inputs=masked(1030)),
    Switch("SEWModel", "short", inputs=short(1024)),
    Switch("SEWModel", "time_masked", inputs=time_masked(1024, 101)),
    Switch("SEWModel", "unread", {**UNREAD, "do_stable_layer_norm": True, "layer_norm_eps": 0.01}, inputs=masked(1024)),
    Switch("SEWForCTC", "no_mask", inputs={**masked(1024), "attention_mask": None}),
    Switch("SEWForSequenceClassification", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
    Switch("SEWForSequenceClassification", "no_mask", inputs={**masked(1024), "attention_mask": None}),
]
SEW_D = [
    Switch("SEWDModel", "squeeze_3", {"squeeze_factor": 3, "num_conv_pos_embeddings": 8, "conv_dim": [64, 32, 24]},
           inputs=masked(1024)),
    Switch("SEWDModel", "buckets", {"position_buckets": 8, "max_position_embeddings": 30, "share_att_key": False},
           inputs=masked(1024)),
    Switch("SEWDModel", "exact", {"position_buckets": -1, "max_relative_positions": 20, "pos_att_type": ["c2p"],
           "norm_rel_ebd": "none"}, inputs=masked(1024)),
    Switch("SEWDModel", "p2c", {"pos_att_type": ["p2c"], "share_att_key": False, "attention_head_size": 6},
           inputs=masked(1024)),
    Switch("SEWDModel", "contents", {"relative_attention": False}, inputs=masked(1024)),
    Switch("SEWDModel", "short", inputs=short(1024)),
    Switch("SEWDModel", "eps", {"layer_norm_eps": 0.01, "feature_layer_norm_eps": 0.1}, inputs=masked(1024)),
    Switch("SEWDModel", "defaults", {k: ABSENT for k in ("position_buckets", "share_att_key", "pos_att_type", "norm_rel_ebd",
           "relative_attention", "hidden_act", "layer_norm_eps", "feature_layer_norm_eps", "max_position_embeddings",
           "squeeze_factor")}, raw=True, inputs=masked(1024)),
    Switch("SEWDForCTC", "no_mask", inputs={**masked(1024), "attention_mask": None}),
    Switch("SEWDForSequenceClassification", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
]
WAV2VEC2_CONFORMER = [
    Switch("Wav2Vec2ConformerModel", "rotary", {"position_embeddings_type": "rotary", "rotary_embedding_base": 100,
           "conv_depthwise_kernel_size": 3}, inputs=masked(1024)),
    Switch("Wav2Vec2ConformerModel", "no_positions", {"position_embeddings_type": None}, inputs=masked(1024)),
    Switch("Wav2Vec2ConformerModel", "one_frame", inputs={**masked(1024), "attention_mask": None,
           "input_values": {"shape": [2, 190], "lo": -1.0, "hi": 1.0}}),
    Switch("Wav2Vec2ConformerModel", "beyond", {"max_source_positions": 5}, inputs=masked(1024)),
    Switch("Wav2Vec2ConformerModel", "long", inputs=masked(8000)),
    Switch("Wav2Vec2ConformerModel", "unread", {**UNREAD, "do_stable_layer_norm": True, "layer_norm_eps": 0.01},
           inputs=masked(1024)),
    Switch("Wav2Vec2ConformerModel", "short", inputs=short(1024)),
    Switch("Wav2Vec2ConformerModel", "time_masked", inputs=time_masked(1024, 14)),
    Switch("Wav2Vec2ConformerForCTC", "adapter", ADAPTER, inputs=masked(1024)),
    Switch("Wav2Vec2ConformerForPreTraining", "masked", inputs=masked(1024)),
    Switch("Wav2Vec2ConformerForSequenceClassification", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
    Switch("Wav2Vec2ConformerForAudioFrameClassification", "layer", {"feat_extract_norm": "layer", "conv_bias": True},
           inputs=masked(1024)),
    Switch("Wav2Vec2ConformerForXVector", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1300)),
]
SMALL = {"hidden_size": 24, "output_hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 2}
HOLES = [1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0]
WAV2VEC2_BERT = [
    Switch("Wav2Vec2BertModel", "relative_key", {**SMALL, "position_embeddings_type": "relative_key",
           "left_max_position_embeddings": 3, "right_max_position_embeddings": 2, "conv_depthwise_kernel_size": 3},
           inputs=features(15, 10)),
    Switch("Wav2Vec2BertModel", "rotary", {**SMALL, "position_embeddings_type": "rotary"}, inputs=features(15, 10)),
    Switch("Wav2Vec2BertModel", "no_positions", {**SMALL, "position_embeddings_type": None}, inputs=features(15, 10)),
    Switch("Wav2Vec2BertModel", "adapter", {**SMALL, "add_adapter": True, "num_adapter_layers": 2, "adapter_kernel_size": 5,
           "adapter_stride": 2, "output_hidden_size": 16, "adapter_act": "gelu"}, inputs=features(15, 10)),
    Switch("Wav2Vec2BertModel", "adapter_stride", {**SMALL, "add_adapter": True, "num_adapter_layers": 1,
           "adapter_kernel_size": 4, "adapter_stride": 3, "use_intermediate_ffn_before_adapter": True},
           inputs=features(15, 10, HOLES)),
    Switch("Wav2Vec2BertModel", "adapter_unmasked", {**SMALL, "add_adapter": True, "layer_norm_eps": 0.01},
           inputs={**features(15, 10), "attention_mask": None}),
    Switch("Wav2Vec2BertModel", "half_step", {**SMALL, "use_intermediate_ffn_before_adapter": True, "layer_norm_eps": 0.01},
           inputs=features(15, 10)),
    Switch("Wav2Vec2BertModel", "holes", SMALL, inputs=features(15, 10, HOLES)),
    Switch("Wav2Vec2BertModel", "zero_row", SMALL, inputs=features(15, 10, [0] * 15)),
    Switch("Wav2Vec2BertModel", "time_masked", {**SMALL, "mask_time_prob": 0.05}, inputs={**features(15, 10),
           "mask_time_indices": {"values": [[i % 4 == 1 for i in range(15)]] * 2, "dtype": "BOOL"}}),
    Switch("Wav2Vec2BertForCTC", "adapter", {**SMALL, "add_adapter": True, "output_hidden_size": 16}, inputs=features(15, 10)),
    Switch("Wav2Vec2BertForSequenceClassification", "weighted", {**SMALL, "use_weighted_layer_sum": True},
           inputs=features(15, 10, HOLES)),
    Switch("Wav2Vec2BertForAudioFrameClassification", "weighted", {**SMALL, "use_weighted_layer_sum": True},
           inputs=features(15, 10)),
    Switch("Wav2Vec2BertForXVector", "adapter", {**SMALL, "add_adapter": True, "num_adapter_layers": 1, "tdnn_dilation": [1, 1]},
           inputs=features(25, 10)),
    Switch("Wav2Vec2BertForXVector", "masked", SMALL, inputs=features(25, 10)),
    Switch("Wav2Vec2BertModel", "defaults", {**SMALL, **{k: ABSENT for k in ("position_embeddings_type", "hidden_act",
           "left_max_position_embeddings", "right_max_position_embeddings", "conv_depthwise_kernel_size")}}, raw=True,
           inputs=features(80, 10)),
]
S2T = "Speech2TextForConditionalGeneration"
SPEECH_TO_TEXT = [
    Switch(S2T, "one_convolution", {"num_conv_layers": 1, "conv_kernel_sizes": [4], "scale_embedding": False},
           inputs=features(13, 24), decoder_length=5),
    Switch(S2T, "three_convolutions", {"num_conv_layers": 3, "conv_kernel_sizes": [3, 6, 5], "conv_channels": 10,
           "input_channels": 2, "tie_word_embeddings": False}, inputs=features(21, 48), decoder_length=5),
    Switch(S2T, "pad_zero", {"pad_token_id": 0, "bos_token_id": 1}, inputs=features(13, 24), decoder_length=5),
    Switch(S2T, "unmasked", inputs={**features(13, 24), "attention_mask": None}, mask=None, decoder_length=5),
    Switch(S2T, "pads", inputs={**features(13, 24), "decoder_input_ids": {"values": [[2, 8, 1, 7, 1], [2, 1, 1, 5, 6]]}},
           decoder_length=5, mask="holes"),
    Switch(S2T, "beyond", {"max_source_positions": 3, "max_target_positions": 4}, inputs=features(40, 24), decoder_length=7),
    Switch("Speech2TextModel", "zero_row", inputs=features(13, 24, [0] * 13), decoder_length=5),
    Switch("Speech2TextModel", "left", inputs=features(13, 24, [0] * 4 + [1] * 9), decoder_length=5, mask="left"),
    Switch("Speech2TextModel", "layers", {"encoder_layers": 1, "decoder_layers": 1, "decoder_attention_heads": 2,
           "activation_function": "gelu"}, inputs=features(13, 24), decoder_length=1),
]

SPEECH = {"hubert": HUBERT, "unispeech": UNISPEECH, "unispeech-sat": UNISPEECH_SAT, "wavlm": WAVLM,
          "data2vec-audio": DATA2VEC_AUDIO, "audio-spectrogram-transformer": AUDIO_SPECTROGRAM_TRANSFORMER, "sew": SEW, "sew-d": SEW_D,
          "wav2vec2-conformer": WAV2VEC2_CONFORMER, "wav2vec2-bert": WAV2VEC2_BERT, "speech_to_text": SPEECH_TO_TEXT}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
SPEECH_KEPT = {"hubert": "batch_norm weighted", "unispeech": "masked", "unispeech-sat": "stable",
               "wavlm": "stable buckets", "data2vec-audio": "even_kernel unread",
               "audio-spectrogram-transformer": "overlapping masked", "sew": "squeeze_3 weighted short",
               "sew-d": "buckets exact short", "wav2vec2-conformer": "rotary one_frame beyond",
               "wav2vec2-bert": "relative_key adapter_stride", "speech_to_text": "three_convolutions pad_zero pads"}

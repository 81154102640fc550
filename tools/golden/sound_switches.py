"""Switches of models that read or write sounds: see `switch_table.py`. Each case turns what the class reads and no size would
show."""

from switches import ABSENT, Switch


def masked(samples: int) -> dict:
    """Rows of different lengths."""
    return {"input_values": {"shape": [2, samples], "lo": -1.0, "hi": 1.0},
            "attention_mask": {"values": [[1] * samples, [1] * (samples - 600) + [0] * 600]}}


def positions(values: list[list[int]]) -> dict:
    return {"decoder_position_ids": {"values": values}, "decoder_attention_mask": None}


M = "MoonshineForConditionalGeneration"
MOONSHINE = [
    Switch(M, "biased", {"attention_bias": True, "encoder_hidden_act": "relu", "decoder_hidden_act": "gelu",
           "pad_head_dim_to_multiple_of": 8}, inputs=masked(2000), decoder_length=5),
    Switch(M, "other_heads", {"decoder_num_attention_heads": 4, "decoder_num_key_value_heads": 4}, inputs=masked(2000),
           decoder_length=5),
    Switch(M, "head_dim", {"head_dim": 7, "tie_word_embeddings": False}, inputs=masked(1900), decoder_length=4),
    Switch(M, "whole", {"rope_parameters": {"rope_theta": 100.0, "rope_type": "default", "partial_rotary_factor": 1.0}},
           inputs=masked(2000), decoder_length=5),
    Switch(M, "linear", {"rope_parameters": {"rope_theta": 100.0, "rope_type": "linear", "factor": 3.0,
           "partial_rotary_factor": 0.9}}, inputs=masked(2000), decoder_length=5),
    Switch(M, "positions", inputs={**masked(2000), **positions([[3, 2, 1, 0, 5], [7, 8, 9, 10, 11]])}, decoder_length=5),
    Switch(M, "packed", inputs={**masked(2000), **positions([[0, 1, 0, 1, 2], [3, 4, 5, 6, 7]])}, decoder_length=5),
    Switch(M, "left", inputs={**masked(2500), "attention_mask": {"values": [[1] * 2500, [0] * 500 + [1] * 2000]}},
           decoder_length=5, mask="left"),
    Switch(M, "unmasked", inputs={**masked(1500), "attention_mask": None}, mask=None, decoder_length=3),
    Switch("MoonshineModel", "layers", {"encoder_num_hidden_layers": 1, "decoder_num_hidden_layers": 3}, inputs=masked(1000),
           decoder_length=1, kwargs={"output_hidden_states": True}),
    Switch("MoonshineModel", "no_encoder_layers", {"encoder_num_hidden_layers": 0, "decoder_num_attention_heads": 4,
           "decoder_num_key_value_heads": 4}, inputs=masked(1000), decoder_length=4),
    Switch("MoonshineModel", "defaults", {k: ABSENT for k in ("rope_parameters", "attention_bias", "encoder_hidden_act",
           "decoder_hidden_act", "encoder_num_key_value_heads", "decoder_num_key_value_heads", "max_position_embeddings",
           "tie_word_embeddings")}, raw=True, inputs=masked(1500), decoder_length=5),
]


def spectrograms(channels: int, frames: int, bins: int, longer: list[bool] | None = None) -> dict:
    """Sounds, and which of them are long."""
    marks = {"is_longer": {"values": [[mark] for mark in longer], "dtype": "BOOL"}} if longer else {}
    return {"input_features": {"shape": [2, channels, frames, bins], "lo": -1.0, "hi": 1.0}, **marks}


CLAP_AUDIO_MODEL = [
    Switch("ClapAudioModel", "fusion", {"enable_fusion": True}, inputs=spectrograms(4, 100, 16, [True, False])),
    Switch("ClapAudioModel", "fusion_all", {"enable_fusion": True, "aff_block_r": 3, "patch_size": 4, "fusion_type": "aff_2d"},
           inputs=spectrograms(4, 256, 16, [True, True])),
    Switch("ClapAudioModel", "fusion_none", {"enable_fusion": True}, inputs=spectrograms(4, 256, 16, [False, False])),
    Switch("ClapAudioModel", "wide_patches", {"patch_size": [4, 2], "patch_stride": [2, 2], "window_size": 5},
           inputs=spectrograms(1, 256, 16)),
    Switch("ClapAudioModel", "one_window", {"window_size": 16}, inputs=spectrograms(1, 256, 16)),
    Switch("ClapAudioModel", "few_bins", {"num_mel_bins": 15}, inputs=spectrograms(1, 256, 15)),
    Switch("ClapAudioModel", "two_channels", {"patch_embed_input_channels": 2, "enable_patch_layer_norm": False,
           "qkv_bias": False, "layer_norm_eps": 0.1, "hidden_act": "relu", "mlp_ratio": 1.3}, inputs=spectrograms(2, 50, 16)),
    Switch("ClapAudioModelWithProjection", "relu", {"projection_hidden_act": "silu", "projection_dim": 7},
           inputs=spectrograms(1, 77, 16)),
    Switch("ClapAudioModelWithProjection", "half", {"depths": [1, 1]}, inputs=spectrograms(1, 256, 16), weights="F16"),
    Switch("ClapAudioModel", "defaults", {k: ABSENT for k in ("hidden_act", "qkv_bias", "mlp_ratio", "layer_norm_eps",
           "enable_fusion", "enable_patch_layer_norm", "flatten_patch_embeds", "patch_embed_input_channels", "fusion_type",
           "aff_block_r")}, raw=True, inputs=spectrograms(1, 256, 16)),
]
PADS = {"input_ids": {"values": [[9, 8, 1, 7, 1, 1, 1], [1, 1, 5, 1, 6, 7, 8]]}}
CLAP_TEXT_MODEL = [
    Switch("ClapTextModel", "pads", inputs=PADS, mask="holes"),
    Switch("ClapTextModel", "pad_zero", {"pad_token_id": 0}, mask=None),
    Switch("ClapTextModel", "types", {"type_vocab_size": 3}, inputs={"token_type_ids": {"values": [[0, 1, 2, 0, 1, 2, 1]] * 2}}),
    Switch("ClapTextModel", "positions", inputs={"position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0]] * 2}}),
    Switch("ClapTextModel", "embeds", inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0}}),
    Switch("ClapTextModelWithProjection", "act", {"projection_hidden_act": "gelu", "projection_dim": 7, "hidden_act": "relu"},
           mask="left"),
    Switch("ClapTextModel", "decoder", {"is_decoder": True}, mask="right"),
    Switch("ClapTextModel", "defaults", {k: ABSENT for k in ("hidden_act", "layer_norm_eps", "pad_token_id", "type_vocab_size",
           "projection_dim")}, raw=True),
]
CLAP = [
    Switch("ClapModel", "projections", {"projection_dim": 9, "projection_hidden_act": "gelu"}, inputs=spectrograms(1, 256, 16),
           rows=2),
    Switch("ClapModel", "fusion", {"audio_config": {"enable_fusion": True}}, inputs=spectrograms(4, 200, 16, [False, True]),
           rows=2),
]

def waves(*shape: int, **more) -> dict:
    """Sounds to encode, and inputs beside them."""
    return {"input_values": {"shape": list(shape), "lo": -1.0, "hi": 1.0}, "audio_codes": None, **more}


def mask_of(rows: list[int], length: int) -> dict:
    return {"padding_mask": {"values": [[1] * row + [0] * (length - row) for row in rows]}}


E = "EncodecModel"
CHUNKS = {"sampling_rate": 1000, "chunk_length_s": 0.1, "target_bandwidths": [1.5, 3.0], "upsampling_ratios": [4, 2]}
ENCODEC = [
    Switch(E, "encode", inputs=waves(2, 2, 333)),
    Switch(E, "bandwidth", {"target_bandwidths": [3.0, 6.0, 24.0]}, kwargs={"bandwidth": 24}, inputs=waves(1, 2, 200)),
    Switch(E, "masked", {"normalize": True}, inputs=waves(2, 2, 300, **mask_of([300, 211], 300))),
    Switch(E, "not_causal", {"use_causal_conv": False, "pad_mode": "constant", "num_residual_layers": 3,
           "upsampling_ratios": [5, 3]}, inputs=waves(2, 2, 222)),
    Switch(E, "replicate", {"pad_mode": "replicate", "trim_right_ratio": 0.3, "use_conv_shortcut": False, "compress": 3,
           "dilation_growth_rate": 3, "num_residual_layers": 2}, inputs=waves(2, 2, 222)),
    Switch(E, "group_norm", {"norm_type": "time_group_norm", "num_lstm_layers": 2}, inputs=waves(2, 2, 222)),
    Switch(E, "short", {"kernel_size": 9}, inputs=waves(2, 2, 5)),
    Switch(E, "chunks", {**CHUNKS, "overlap": 0.1, "normalize": True}, inputs=waves(2, 2, 371, **mask_of([371, 200], 371))),
    Switch(E, "chunks_fit", {**CHUNKS, "overlap": 0.0}, inputs=waves(2, 2, 300)),
    Switch(E, "chunks_cut_off", {**CHUNKS, "overlap": 0.05, "chunk_length_s": 0.104, "normalize": True}, inputs=waves(2, 2, 200)),
    Switch(E, "one_chunk", {**CHUNKS, "overlap": 0.01, "audio_channels": 1}, inputs=waves(2, 1, 77)),
    Switch(E, "decode_chunks", {**CHUNKS, "overlap": 0.5}, kwargs={"audio_scales": [None] * 3, "last_frame_pad_length": 2}, inputs={
           **waves(2, 2, 180), "audio_codes": {"shape": [3, 2, 2, 13], "ids": [0, 60], "dtype": "I64"}}),
    Switch(E, "defaults", {k: ABSENT for k in ("norm_type", "pad_mode", "use_causal_conv", "trim_right_ratio", "normalize",
           "use_conv_shortcut", "kernel_size", "last_kernel_size", "residual_kernel_size", "compress", "num_residual_layers",
           "dilation_growth_rate", "codebook_dim", "target_bandwidths", "sampling_rate", "num_lstm_layers")}, raw=True,
           inputs=waves(1, 2, 222)),
]
MIMI = [
    Switch("MimiModel", "encode", inputs=waves(2, 1, 700)),
    Switch("MimiModel", "few", {"num_semantic_quantizers": 3}, kwargs={"num_quantizers": 5}, inputs=waves(1, 1, 500)),
    Switch("MimiModel", "semantic", kwargs={"num_quantizers": 1}, inputs=waves(1, 1, 500)),
    Switch("MimiModel", "reflect", {"pad_mode": "reflect", "use_conv_shortcut": True, "audio_channels": 2,
           "attention_bias": True, "sliding_window": 9}, inputs=waves(2, 2, 777)),
    Switch("MimiModel", "frame_rate", {"_frame_rate": 200.0, "upsample_groups": 8, "vector_quantization_hidden_dimension": 32,
           "codebook_dim": 32}, inputs=waves(2, 1, 600)),
    Switch("MimiModel", "frame_rate_raw", {"_frame_rate": ABSENT, "frame_rate": 150.5}, raw=True, inputs=waves(2, 1, 600)),
    Switch("MimiModel", "trimmed", {"trim_right_ratio": 0.4, "rope_parameters": {"rope_theta": 50.0, "rope_type": "linear",
           "factor": 2.0}}, inputs=waves(2, 1, 600, **mask_of([500, 300], 500))),
    Switch("MimiModel", "defaults", {k: ABSENT for k in ("pad_mode", "use_causal_conv", "trim_right_ratio", "sampling_rate",
           "use_conv_shortcut", "kernel_size", "last_kernel_size", "residual_kernel_size", "compress", "num_residual_layers",
           "dilation_growth_rate", "sliding_window", "hidden_act", "norm_eps", "attention_bias", "num_semantic_quantizers",
           "rope_parameters", "_frame_rate", "audio_channels", "head_dim", "num_quantizers")}, raw=True, inputs=waves(1, 1, 600)),
]
DAC = [
    Switch("DacModel", "odd", {"downsampling_ratios": [3, 5], "n_codebooks": 2}, inputs=waves(2, 1, 333)),
    Switch("DacModel", "few", kwargs={"n_quantizers": 2}, inputs=waves(2, 1, 500)),
    Switch("DacModel", "narrow", {"encoder_hidden_size": 5, "decoder_hidden_size": 27, "codebook_size": 32, "codebook_dim": 7,
           "downsampling_ratios": [2, 4]}, inputs=waves(1, 1, 257)),
    Switch("DacModel", "defaults", {k: ABSENT for k in ("n_codebooks", "codebook_dim", "codebook_size", "upsampling_ratios",
           "hop_length", "hidden_size", "sampling_rate")}, raw=True, inputs=waves(1, 1, 300)),
]

def spectrogram(*shape: int) -> dict:
    return {"spectrogram": {"shape": list(shape), "lo": -1.0, "hi": 1.0}}


def hifigan(architecture: str) -> list[Switch]:
    odd = {"upsample_rates": [3, 2], "upsample_kernel_sizes": [6, 7], "upsample_initial_channel": 13}
    return [Switch(architecture, "plain", {"model_in_dim": 8, "normalize_before": False, "leaky_relu_slope": 0.7}, inputs=spectrogram(2, 5, 8)),
            Switch(architecture, "odd", {**odd, "model_in_dim": 9, "resblock_kernel_sizes": [5, 1],
                   "resblock_dilation_sizes": [[1, 2], [4]]}, inputs=spectrogram(3, 11, 9)),
            Switch(architecture, "one", {"model_in_dim": 8, "upsample_initial_channel": 16}, inputs=spectrogram(6, 8)),
            Switch(architecture, "defaults", {"model_in_dim": 8, "upsample_initial_channel": 16, **{k: ABSENT for k in ("upsample_rates",
                   "upsample_kernel_sizes", "resblock_kernel_sizes", "resblock_dilation_sizes", "leaky_relu_slope",
                   "normalize_before")}}, raw=True, inputs=spectrogram(1, 3, 8))]


def noise(rows: int, frames: int, bins: int, channels: int, **more) -> dict:
    return {"input_features": {"shape": [rows, frames, bins], "lo": -1.0, "hi": 1.0},
            "noise_sequence": {"shape": [rows, frames, channels], "lo": -1.0, "hi": 1.0}, **more}


UNIVNET = [
    Switch("UnivNetModel", "odd", {"resblock_stride_sizes": [3, 5], "resblock_kernel_sizes": [5, 3], "leaky_relu_slope": 1.3,
           "resblock_dilation_sizes": [[1, 2, 4], [3]], "model_hidden_channels": 6}, inputs=noise(1, 9, 20, 8)),
    Switch("UnivNetModel", "kernels", {"kernel_predictor_conv_size": 5, "kernel_predictor_num_blocks": 1, "num_mel_bins": 7,
           "model_in_channels": 5, "kernel_predictor_hidden_channels": 5, "resblock_kernel_sizes": [1, 5, 7]},
           inputs=noise(2, 5, 7, 5, **mask_of([5, 3], 5))),
    Switch("UnivNetModel", "flat", inputs={"input_features": {"shape": [6, 20], "lo": -1.0, "hi": 1.0},
           "noise_sequence": {"shape": [6, 8], "lo": -1.0, "hi": 1.0}, "padding_mask": {"values": [1, 1, 1, 1, 0, 0]}}),
    Switch("UnivNetModel", "defaults", {k: ABSENT for k in ("resblock_stride_sizes", "resblock_kernel_sizes", "leaky_relu_slope",
           "resblock_dilation_sizes", "kernel_predictor_num_blocks", "kernel_predictor_conv_size")}, raw=True,
           inputs=noise(1, 4, 20, 8)),
]

F = "FastSpeech2ConformerModel"


def sides(**fields) -> dict:
    """Of both stacks, whose fields the configuration has twice."""
    return {f"{side}_config": fields for side in ("encoder", "decoder")}


ONES_AND_PAD = {"attention_mask": {"values": [[1] * 7, [1] * 4 + [0] * 3]}}
FASTSPEECH2_CONFORMER = [
    Switch(F, "masked", inputs=ONES_AND_PAD),
    Switch(F, "normalize_before", sides(normalize_before=True, layers=2), inputs=ONES_AND_PAD),
    Switch(F, "concat_after", {**sides(concat_after=True), "use_macaron_style_in_conformer": False, "convolution_bias": False},
           inputs=ONES_AND_PAD),
    Switch(F, "flat", {"encoder_config": ABSENT, "decoder_config": ABSENT, "encoder_kernel_size": 5, "decoder_kernel_size": 3,
           "encoder_layers": 2, "decoder_layers": 1, "encoder_num_attention_heads": 3, "encoder_linear_units": 11,
           "decoder_linear_units": 13, "decoder_normalize_before": True}, raw=True),
    Switch(F, "kernels", {"positionwise_conv_kernel_size": 1, "pitch_embed_kernel_size": 3, "energy_embed_kernel_size": 5,
           "duration_predictor_kernel_size": 5, "energy_predictor_layers": 2, "pitch_predictor_kernel_size": 3,
           "speech_decoder_postnet_kernel": 3, "speech_decoder_postnet_layers": 3}, inputs=ONES_AND_PAD),
    Switch(F, "fast", {"speaking_speed": 1.7, "reduction_factor": 2}, inputs=ONES_AND_PAD),
    Switch(F, "slow", {"speaking_speed": 0.1}),
    Switch(F, "voices", {"num_speakers": 3, "num_languages": 2, "speaker_embed_dim": 5}, inputs={
           "speaker_ids": {"values": [[2], [0]]}, "lang_ids": {"values": [[1], [1]]},
           "speaker_embedding": {"shape": [2, 5], "lo": -1.0, "hi": 1.0}}),
    Switch(F, "voices_not_given", {"num_speakers": 3, "num_languages": 2, "speaker_embed_dim": 5}),
    Switch(F, "long", rows=1, length=60),
    Switch(F, "one_token", rows=1, length=1),
]
FASTSPEECH2_CONFORMER_WITH_HIFIGAN = [
    Switch("FastSpeech2ConformerWithHifiGan", "long", inputs={"input_ids": {"shape": [1, 40], "ids": [1, 77]}}),
    Switch("FastSpeech2ConformerWithHifiGan", "masked", {"model_config": {"speaking_speed": 2.0}}, inputs={
           **ONES_AND_PAD, "input_ids": {"shape": [2, 7], "ids": [1, 77]}}),
]
FASTSPEECH2 = {"fastspeech2_conformer": FASTSPEECH2_CONFORMER,
               "fastspeech2_conformer_with_hifigan": FASTSPEECH2_CONFORMER_WITH_HIFIGAN}

V = "VitsModel"
VITS = [
    Switch(V, "plain_durations", {"use_stochastic_duration_prediction": False, "duration_predictor_kernel_size": 5}, mask="right"),
    Switch(V, "speaker", {"num_speakers": 3, "speaker_embedding_size": 6}, kwargs={"speaker_id": 2}),
    Switch(V, "speaker_plain", {"num_speakers": 3, "speaker_embedding_size": 6, "use_stochastic_duration_prediction": False},
           inputs={"speaker_id": {"values": [1]}}),
    Switch(V, "speaker_not_given", {"num_speakers": 3, "speaker_embedding_size": 6}),
    Switch(V, "wide_window", {"window_size": 9, "use_bias": False}, mask="left"),
    Switch(V, "even_kernel", {"ffn_kernel_size": 4, "hidden_act": "gelu", "window_size": 2, "num_attention_heads": 4,
           "layer_norm_eps": 0.1}, mask="holes"),
    Switch(V, "one_tap", {"ffn_kernel_size": 1, "wavenet_dilation_rate": 2, "wavenet_kernel_size": 3,
           "prior_encoder_num_flows": 3}),
    Switch(V, "flows", {"duration_predictor_num_flows": 4, "duration_predictor_flow_bins": 5, "duration_predictor_tail_bound": 2.0,
           "depth_separable_num_layers": 2, "duration_predictor_kernel_size": 5}),
    Switch(V, "slow", {"speaking_rate": 0.3}, rows=3, length=5),
    Switch(V, "unmasked", mask=None, rows=1, length=11),
    Switch(V, "zero_row", inputs={"attention_mask": {"values": [[1] * 7, [0] * 7]}}),
    Switch(V, "one_token", rows=1, length=1, mask=None),
]

T2S, S2T, S2S = "SpeechT5ForTextToSpeech", "SpeechT5ForSpeechToText", "SpeechT5ForSpeechToSpeech"


def written(frames: int, bins: int, **more) -> dict:
    """A spectrogram to go on from, the second row's shorter."""
    return {"decoder_input_values": {"shape": [2, frames, bins], "lo": -1.0, "hi": 1.0},
            "decoder_attention_mask": {"values": [[1] * frames, [1] * (frames - 2) + [0] * 2]}, **more}


SPEECHT5 = [
    Switch(S2T, "layer", {"feat_extract_norm": "layer", "conv_bias": True, "scale_embedding": True, "tie_word_embeddings": False,
           "encoder_max_relative_position": 3}, inputs=masked(1300), decoder_length=6),
    Switch(S2T, "pad_zero", {"pad_token_id": 0, "bos_token_id": 1}, inputs=masked(1300), decoder_length=6, mask="left"),
    Switch(S2T, "pads", inputs={**masked(1024), "decoder_input_ids": {"values": [[2, 8, 1, 7, 1], [2, 1, 1, 5, 6]]}},
           decoder_length=5, mask="holes"),
    Switch(S2T, "odd_kernel", {"num_conv_pos_embeddings": 7, "num_conv_pos_embedding_groups": 4, "max_speech_positions": 5,
           "max_text_positions": 3, "decoder_attention_heads": 4}, inputs={**masked(1300), "attention_mask": None}, decoder_length=9),
    Switch(T2S, "no_voice", {"reduction_factor": 1, "speech_decoder_prenet_layers": 1, "speech_decoder_postnet_layers": 1},
           inputs=written(6, 20), mask="right"),
    Switch(T2S, "voice", {"speaker_embedding_dim": 5, "reduction_factor": 3, "speech_decoder_postnet_kernel": 3,
           "hidden_act": "relu"}, inputs=written(5, 20, speaker_embeddings={"shape": [2, 5], "lo": -1.0, "hi": 1.0}), mask="left"),
    Switch(T2S, "no_prenet", {"speech_decoder_prenet_layers": 0, "num_mel_bins": 8, "speech_decoder_prenet_units": 8,
           "encoder_max_relative_position": 2}, inputs=written(7, 8), length=9, mask=None),
    Switch(S2S, "wave", {"speech_decoder_prenet_layers": 0, "num_mel_bins": 8, "speech_decoder_prenet_units": 8,
           "layer_norm_eps": 0.1, "encoder_layers": 1, "decoder_layers": 3}, inputs={**masked(1300), **written(5, 8)}),
    Switch("SpeechT5Model", "states", {"encoder_max_relative_position": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 11},
           inputs={"input_values": {"shape": [2, 9, 24], "lo": -1.0, "hi": 1.0}, "attention_mask": {"values": [[1] * 9, [0] * 3 + [1] * 6]},
           **written(4, 24)}, kwargs={"output_hidden_states": True}),
]


def spectra(frames: int, bins: int, length: int | None = None) -> dict:
    mask = {"values": [[1] * frames, [1] * (length or frames - 9) + [0] * (9 if length is None else frames - length)]}
    return {"input_features": {"shape": [2, frames, bins], "lo": -1.0, "hi": 1.0}, "attention_mask": mask}


P = "ParakeetEncoder"
PARAKEET_ENCODER = [
    Switch(P, "unbiased", {"attention_bias": False, "convolution_bias": False, "scale_input": False, "hidden_act": "gelu",
           "conv_kernel_size": 5}, inputs=spectra(70, 80)),
    Switch(P, "factor_4", {"subsampling_factor": 4, "subsampling_conv_kernel_size": 5, "num_mel_bins": 16}, inputs=spectra(41, 16)),
    Switch(P, "stride_3", {"subsampling_conv_stride": 3, "subsampling_factor": 2, "num_mel_bins": 18}, inputs=spectra(50, 18)),
    Switch(P, "unmasked", inputs={**spectra(33, 80), "attention_mask": None}),
    Switch(P, "short", inputs=spectra(40, 80, 3)),
    Switch(P, "zero_row", inputs={**spectra(40, 80), "attention_mask": {"values": [[1] * 40, [0] * 40]}}),
    Switch(P, "factor_2", {"subsampling_factor": 2, "num_mel_bins": 8, "num_attention_heads": 8}, inputs=spectra(21, 8),
           kwargs={"output_hidden_states": True}),
    Switch(P, "defaults", {k: ABSENT for k in ("hidden_act", "attention_bias", "convolution_bias", "conv_kernel_size",
           "subsampling_factor", "subsampling_conv_kernel_size", "subsampling_conv_stride", "num_mel_bins", "scale_input",
           "num_key_value_heads")}, raw=True, inputs=spectra(50, 80)),
]
PARAKEET_CTC = [
    Switch("ParakeetForCTC", "small", {"vocab_size": 19, "encoder_config": {"num_hidden_layers": 1, "scale_input": False}},
           inputs=spectra(70, 80)),
    Switch("ParakeetForCTC", "states", inputs=spectra(30, 80), kwargs={"output_hidden_states": True}),
]


def codebooks(rows: int, books: int, length: int, states: list[int] | None, mask: str | None = "right") -> dict:
    seen = {} if states is None else {"encoder_hidden_states": {"shape": [rows, *states], "lo": -1.0, "hi": 1.0}}
    marks = {"values": [[1] * length] + [[1] * (length - 2) + [0] * 2] * (rows - 1)}
    return {"input_ids": {"shape": [rows * books, length], "ids": [0, 99]}, "encoder_attention_mask": None,
            "encoder_hidden_states": None, "attention_mask": marks if mask else None, **seen}


MUSICGEN_DECODER = [
    Switch("MusicgenForCausalLM", "one_codebook", {"num_codebooks": 1, "ffn_dim": 20}, inputs=codebooks(3, 1, 6, [4, 16])),
    Switch("MusicgenForCausalLM", "alone", {"ffn_dim": 20, "activation_function": "relu", "scale_embedding": True},
           inputs=codebooks(2, 4, 5, None)),
    Switch("MusicgenModel", "odd", {"num_codebooks": 3, "hidden_size": 15, "num_attention_heads": 3, "ffn_dim": 20,
           "max_position_embeddings": 5}, inputs={**codebooks(2, 3, 9, [3, 15], None),
           "encoder_attention_mask": {"values": [[1, 1, 1], [1, 0, 0]]}}, kwargs={"output_hidden_states": True}),
    Switch("MusicgenModel", "stereo", {"audio_channels": 2, "num_codebooks": 8, "ffn_dim": 20}, inputs=codebooks(2, 8, 5, [3, 16])),
    Switch("MusicgenModel", "one_token", {"ffn_dim": 20}, inputs=codebooks(1, 4, 1, [3, 16], None)),
]

SOUNDS = {"speecht5": SPEECHT5, "parakeet_encoder": PARAKEET_ENCODER, "parakeet_ctc": PARAKEET_CTC,
          "musicgen_decoder": MUSICGEN_DECODER}
SOUNDS |= {"vits": VITS, **FASTSPEECH2}
SOUNDS |= {"univnet": UNIVNET, "speecht5_hifigan": hifigan("SpeechT5HifiGan"),
          "fastspeech2_conformer_hifigan": hifigan("FastSpeech2ConformerHifiGan")}
SOUNDS |= {"encodec": ENCODEC, "mimi": MIMI, "dac": DAC}
SOUNDS |= {"moonshine": MOONSHINE, "clap": CLAP, "clap_audio_model": CLAP_AUDIO_MODEL, "clap_text_model": CLAP_TEXT_MODEL}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
SOUNDS_KEPT = {"moonshine": "other_heads head_dim positions", "clap": "fusion", "clap_audio_model": "wide_patches few_bins",
               "clap_text_model": "pads", "encodec": "chunks replicate chunks_cut_off", "mimi": "few reflect",
               "dac": "odd few",
               "univnet": "odd flat", "speecht5_hifigan": "odd one", "fastspeech2_conformer_hifigan": "odd defaults",
               "fastspeech2_conformer": "flat fast voices", "fastspeech2_conformer_with_hifigan": "masked",
               "vits": "plain_durations speaker even_kernel",
               "speecht5": "layer voice wave", "parakeet_encoder": "unbiased stride_3 short", "parakeet_ctc": "small",
               "musicgen_decoder": "one_codebook odd"}

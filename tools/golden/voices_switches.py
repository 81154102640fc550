"""Switches of codecs of sounds, of models that hear and that speak: see `switch_table.py`. Each case turns what the class
reads and no size would show."""

from switches import ABSENT, Switch


def reals(name: str, *shape: int) -> dict:
    return {name: {"shape": list(shape), "lo": -1.0, "hi": 1.0}}


def marks(name: str, lengths: list[int], width: int, **more) -> dict:
    return {name: {"values": [[1] * n + [0] * (width - n) for n in lengths], **more}}


def absent(*fields: str) -> dict:
    return {field: ABSENT for field in fields}


SMALL = {"intermediate_size": 30}
E, D = "MimiEncoderModel", "MimiDecoderModel"
MIMI_DEFAULTS = absent("pad_mode", "use_causal_conv", "trim_right_ratio", "sampling_rate", "use_conv_shortcut", "kernel_size",
                       "last_kernel_size", "residual_kernel_size", "compress", "num_residual_layers", "dilation_growth_rate",
                       "sliding_window", "hidden_act", "norm_eps", "attention_bias", "rope_parameters", "_frame_rate", "audio_channels",
                       "head_dim")
MIMI_ENCODER = [
    Switch(E, "reflect", {**SMALL, "pad_mode": "reflect", "use_conv_shortcut": True, "audio_channels": 2, "attention_bias": True},
           inputs=reals("input_values", 2, 2, 777)),
    Switch(E, "frame_rate", {**SMALL, "_frame_rate": ABSENT, "frame_rate": 150.5}, raw=True, inputs=reals("input_values", 1, 1, 600)),
    Switch(E, "defaults", {**SMALL, **MIMI_DEFAULTS}, raw=True, inputs=reals("input_values", 1, 1, 600)),
]
MIMI_DECODER = [
    Switch(D, "masked", SMALL, inputs=reals("latents", 2, 32, 5) | marks("padding_mask", [300, 200], 300)),
    Switch(D, "trimmed", {**SMALL, "trim_right_ratio": 0.4, "upsample_groups": 8}, inputs=reals("latents", 2, 32, 5)),
    Switch(D, "defaults", {**SMALL, **MIMI_DEFAULTS}, raw=True, inputs=reals("latents", 1, 32, 4)),
]

X = "XcodecModel"
FEW_HOPS = {"acoustic_model_config": {"downsampling_ratios": [4, 4], "upsampling_ratios": [4, 4], "hop_length": 16},
            "semantic_model_config": {"conv_dim": [4, 4], "conv_kernel": [4, 4], "conv_stride": [4, 4], "num_feat_extract_layers": 2,
                                      "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2},
            "codebook_size": 16, "target_bandwidths": [4, 9, 12]}


def sounds(rows: int, length: int) -> dict:
    return reals("input_values", rows, 1, length) | {"audio_codes": None}


XCODEC = [
    Switch(X, "encode", FEW_HOPS, inputs=sounds(2, 160)),
    Switch(X, "bandwidth", FEW_HOPS, inputs=sounds(1, 100), kwargs={"bandwidth": 9}),
    Switch(X, "odd", {**FEW_HOPS, "acoustic_model_config": {"downsampling_ratios": [5, 3], "upsampling_ratios": [5, 3], "hop_length": 15},
           "semantic_model_config": {**FEW_HOPS["semantic_model_config"], "conv_stride": [5, 3], "conv_kernel": [5, 3]},
           "target_bandwidths": [5, 9]}, inputs=sounds(2, 150)),
    Switch(X, "wide", {**FEW_HOPS, "channel_ratios": [2, 1], "block_dilations": [2, 3, 1], "unit_kernel_size": 5, "kernel_size": 5},
           inputs=sounds(2, 160)),
    Switch(X, "wavlm", {**FEW_HOPS, "semantic_model_config": {**FEW_HOPS["semantic_model_config"], "model_type": "wavlm"}},
           inputs=sounds(2, 160)),
    Switch(X, "defaults", {**FEW_HOPS, **absent("channel_ratios", "strides", "block_dilations", "unit_kernel_size", "kernel_size",
           "sample_rate", "codebook_dim", "initializer_range")}, raw=True, inputs=sounds(1, 64)),
]


def codec(architecture: str) -> list[Switch]:
    small = {"semantic_model_config": {"num_hidden_layers": 1, "feature_projection_input_dim": 12, "conv_depthwise_kernel_size": 5},
             "downsampling_ratios": [2, 4], "intermediate_size": 30}

    def read(rows: int, frames: int) -> dict:
        return reals("input_values", rows, 1, 8 * frames) | reals("input_features", rows, frames, 12)

    return [
        Switch(architecture, "levels", {**small, "quantization_levels": [2, 3, 5], "attention_bias": True, "hidden_act": "gelu"},
               inputs=read(2, 9)),
        Switch(architecture, "masked", small, inputs=read(2, 10) | marks("input_features_mask", [10, 6], 10)),
        Switch(architecture, "padded", small, inputs=read(2, 10) | marks("padding_mask", [80, 41], 80)),
        Switch(architecture, "latents", small, inputs=read(1, 7), kwargs={"output_latents": True}),
        Switch(architecture, "one_frame", small, inputs=read(2, 1)),
        Switch(architecture, "rope", {**small, "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 50.0},
               "num_hidden_layers": 1}, inputs=read(2, 5)),
        Switch(architecture, "defaults", {**small, **absent("hidden_act", "rms_norm_eps", "attention_bias", "rope_parameters",
               "max_position_embeddings", "sampling_rate", "input_sampling_rate", "output_sampling_rate")}, raw=True, inputs=read(1, 5)),
    ]


G, GC = "GraniteSpeech5Encoder", "GraniteSpeech5ForCTC"


def frames(rows: int, length: int, lengths: list[int] | None = None, bins: int = 64) -> dict:
    return reals("input_features", rows, length, bins) | (marks("attention_mask", lengths, length) if lengths else {"attention_mask": None})


GRANITE_SPEECH5_ENCODER = [
    Switch(G, "unmasked", {"attention_bias": False, "hidden_act": "relu"}, inputs=frames(2, 21), kwargs={"output_hidden_states": True}),
    Switch(G, "whole_blocks", inputs=frames(2, 32), kwargs={"output_hidden_states": True}),
    Switch(G, "odd", {"subsample_layers": [0, 2], "context_size": 5}, inputs=frames(2, 23, [23, 10]), kwargs={"output_hidden_states": True}),
    Switch(G, "holes", inputs=reals("input_features", 2, 24, 64) | {"attention_mask": {"values": [[1] * 24, [0] * 10 + [1, 0] * 7]}}),
    Switch(G, "none", {"subsample_layers": []}, inputs=frames(1, 9)),
    Switch(G, "defaults", absent("hidden_act", "num_key_value_heads", "conv_kernel_size", "conv_expansion_factor", "attention_bias",
           "subsample_layers", "head_dim"), raw=True, inputs=frames(2, 24, [24, 13])),
]
GRANITE_SPEECH5_CTC = [
    Switch(GC, "untied", {"tie_word_embeddings": False}, inputs=frames(2, 24, [24, 13])),
    Switch(GC, "states", inputs=frames(2, 24), kwargs={"output_hidden_states": True}),
    Switch(GC, "no_middle", {"encoder_config": {"num_hidden_layers": 1, "subsample_layers": [0]}}, inputs=frames(2, 24, [24, 13])),
]

P = "PeAudioEncoder"


def waves(rows: int, length: int, lengths: list[int] | None = None) -> dict:
    return reals("input_values", rows, 1, length) | (marks("padding_mask", lengths, length, dtype="I32") if lengths else {"padding_mask": None})


PE_AUDIO_ENCODER = [
    Switch(P, "unmasked", {"attention_bias": True, "hidden_act": "gelu"}, inputs=waves(2, 160), kwargs={"output_hidden_states": True}),
    Switch(P, "left", inputs=reals("input_values", 2, 1, 160) | {"padding_mask": {"values": [[1] * 160, [0] * 64 + [1] * 96], "dtype": "I32"}}),
    Switch(P, "rope", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 100.0}, "num_key_value_heads": 4},
           inputs=waves(1, 96)),
    Switch(P, "defaults", absent("hidden_act", "num_key_value_heads", "rms_norm_eps", "rope_parameters", "attention_bias",
           "max_position_embeddings"), raw=True, inputs=waves(2, 160, [160, 70])),
]
PE_AUDIO = [
    Switch("PeAudioModel", "plain", inputs=waves(3, 96), length=5, mask="left"),
    Switch("PeAudioFrameLevelModel", "plain", inputs=waves(3, 96, [96, 50, 33]), mask=None),
    Switch("PeAudioModel", "states", inputs=waves(1, 96), kwargs={"output_hidden_states": True}),
]

ML, MLA = "MossTranscribeDiarizeForConditionalGeneration", "MossTranscribeDiarizeAudioModel"
MOSS_AUDIO = [
    Switch(MLA, "relu", {"activation_function": "relu"}),
    Switch(MLA, "biased", inputs={"attention_mask": {"shape": [2, 1, 16, 16], "lo": -2.0, "hi": 2.0}}),
    Switch(MLA, "no_layers", {"num_hidden_layers": 0}),
    Switch(MLA, "defaults", absent("activation_function"), raw=True),
]


def heard(token: int, counts: list[int], **more) -> dict:
    width = max(counts) + 4
    rows = [[20 + row] * 2 + [token] * count + [30 + row] * (width - 2 - count) for row, count in enumerate(counts)]
    return {"input_ids": {"values": rows}, "attention_mask": {"values": [[1] * width] * len(counts)}, **more}


def moss(lengths: list[int], counts: list[int]) -> dict:
    return heard(12, counts, **marks("input_features_mask", lengths, 32))


MOSS = [
    Switch(ML, "lengths", {"projector_bias": False, "projector_hidden_act": "gelu"}, inputs=moss([32, 9], [4, 2])),
    Switch(ML, "untied", {"tie_word_embeddings": False}, inputs=moss([17, 25], [3, 4])),
    Switch(ML, "text_only", inputs={"input_features": None, "input_features_mask": None, "padding_mask": None}, mask="left"),
    Switch("MossTranscribeDiarizeModel", "merge_2", {"audio_merge_size": 2}, inputs=moss([30, 3], [8, 1])),
    Switch(ML, "defaults", absent("projector_bias", "projector_hidden_act", "audio_merge_size", "tie_word_embeddings"), raw=True,
           inputs=moss([32, 9], [4, 2])),
]

VV, VA = "VibeVoiceModel", "VibeVoiceAsrModel"


def vibevoice(token: int, length: int, lengths: list[int], counts: list[int], dtype: str = "I64") -> dict:
    return heard(token, counts, **reals("input_values", len(counts), 1, length), **marks("padding_mask", lengths, length, dtype=dtype))


NO_SOUND = {"input_values": None, "padding_mask": None}
VIBEVOICE = [
    Switch(VV, "lengths", inputs=vibevoice(12, 40, [40, 17], [5, 3]), kwargs={"sample": False}),
    Switch(VV, "text_only", inputs=NO_SOUND, mask="left", kwargs={"sample": False}),
]
VIBEVOICE_ASR = [
    Switch(VA, "lengths", inputs=vibevoice(0, 20, [20, 7], [10, 4], "BOOL"), kwargs={"sample": False}),
    Switch(VA, "chunks", {"acoustic_tokenizer_chunk_size": 8}, inputs=vibevoice(0, 20, [20, 14], [10, 7], "BOOL"), kwargs={"sample": False}),
    Switch(VA, "unmasked", inputs={**vibevoice(0, 20, [20, 20], [10, 10]), "padding_mask": None}, kwargs={"sample": False}),
    Switch(VA, "left", inputs=vibevoice(0, 20, [20, 20], [6, 5], "BOOL"), kwargs={"sample": False}),
    Switch("VibeVoiceAsrForConditionalGeneration", "text_only", inputs=NO_SOUND, kwargs={"sample": False}),
]

QT, QK, QC = "Qwen2_5OmniThinkerTextModel", "Qwen2_5OmniTalkerModel", "Qwen2_5OmniTalkerForConditionalGeneration"
WORDS = {"position_ids": None, "inputs_embeds": None, "input_ids": {"values": [[9, 8, 7, 6, 5], [4, 3, 2, 8, 9]]}}
OMNI_TEXT = [
    Switch(QT, "words", inputs=WORDS, length=5, mask="left"),
    Switch(QT, "window", {"use_sliding_window": True, "sliding_window": 3, "layer_types": ABSENT, "max_window_layers": 1}, raw=True,
           inputs={"position_ids": None, **reals("inputs_embeds", 2, 7, 32)}),
    Switch(QT, "defaults", absent("hidden_act", "layer_types", "rms_norm_eps", "use_sliding_window", "sliding_window", "tie_word_embeddings"),
           raw=True, inputs={"position_ids": None, **reals("inputs_embeds", 2, 7, 32)}),
]
OMNI_TALKER = [
    Switch(QC, "unmasked", inputs={"attention_mask": None}),
    Switch(QC, "left", mask="left", kwargs={"output_hidden_states": True}),
    Switch(QC, "places", inputs={"position_ids": {"values": [[[0, 1, 2, 3, 3, 3, 4]] * 2, [[0, 1, 2, 3, 4, 5, 6]] * 2, [[1, 1, 2, 2, 5, 5, 6]] * 2]}}),
    Switch(QC, "two", inputs=reals("inputs_embeds", 2, 2, 24) | {"attention_mask": {"values": [[1, 1]] * 2}, "input_text_ids": None}),
    Switch(QK, "words", {"embedding_size": 32}, inputs={"inputs_embeds": None, "input_ids": {"values": [[9, 8, 7, 6, 5, 4, 3]] * 2}}),
]
D, B = "Qwen2_5OmniToken2WavDiTModel", "Qwen2_5OmniToken2WavBigVGANModel"
CODES = {"quantized_code": {"values": [[30, 4, 0, 17, 8], [1, 29, 3, 2, 12]]}, "time_step": {"values": [0.4, 0.6], "dtype": "F32"}}
OMNI_DIT = [
    Switch(D, "alone", inputs=CODES, kwargs={"apply_cfg": False}),
    Switch(D, "dropped", inputs=CODES, kwargs={"apply_cfg": False, "drop_code": True, "drop_audio_conditioning": True}),
    Switch(D, "times", inputs={**CODES, "time_step": {"values": [0.25, 0.75], "dtype": "F32"}}),
    Switch(D, "all_times", inputs={**CODES, "time_step": {"values": [0.25, 0.75, 0.5, 0.1], "dtype": "F32"}}),
    Switch(D, "parts", {"enc_res2net_scale": 4, "block_size": 3, "repeats": 1, "look_ahead_layers": [], "look_backward_layers": [0, 1]},
           inputs=CODES | reals("hidden_states", 2, 5, 20) | reals("speaker_embedding", 2, 5, 12)),
]
OMNI_BIGVGAN = [
    Switch(B, "single", inputs=reals("mel_spectrogram", 1, 20, 5)),
    Switch(B, "odd", {"upsample_rates": [3], "upsample_kernel_sizes": [6], "resblock_dilation_sizes": [[2, 1, 4], [3, 3, 1]]},
           inputs=reals("mel_spectrogram", 2, 20, 7)),
    Switch(B, "loud", inputs={"mel_spectrogram": {"shape": [2, 20, 6], "lo": -20.0, "hi": 4.0}}),
]
T3, TT, CP = "Qwen3OmniMoeThinkerTextModel", "Qwen3OmniMoeTalkerModel", "Qwen3OmniMoeTalkerCodePredictorModelForConditionalGeneration"
NO_PICTURES = {"deepstack_visual_embeds.0": None, "visual_pos_masks": None}
OMNI3_TEXT = [
    Switch(T3, "words", {"norm_topk_prob": False}, inputs={**WORDS, **NO_PICTURES}, length=5, mask="left"),
    Switch(T3, "some_dense", {"mlp_only_layers": [1], "decoder_sparse_step": 2, "attention_bias": True},
           inputs={**NO_PICTURES, "position_ids": None, **reals("inputs_embeds", 2, 7, 32)}),
]
OMNI3_TALKER = [
    Switch(TT, "normed", {"norm_topk_prob": True, "decoder_sparse_step": 2, "attention_bias": True}, mask="left"),
    Switch(TT, "unmasked", {"mlp_only_layers": [0]}, inputs={"attention_mask": None}),
]
OMNI3_CODES = [
    Switch(CP, "third", inputs=reals("inputs_embeds", 2, 4, 32)),
    Switch(CP, "biased", {"attention_bias": True}, inputs=reals("inputs_embeds", 1, 3, 32), kwargs={"output_hidden_states": True}),
]

ND, NA = "Nemotron3DiarizationForAudioFrameClassification", "Nemotron3DiarizationAudioModel"


def spectrum(rows: int, length: int, lengths: list[int] | None, mask: str = "attention_mask") -> dict:
    return reals("input_features", rows, length, 16) | (marks(mask, lengths, length) if lengths else {mask: None})


DIARIZATION = [
    Switch(ND, "unmasked", {"chunk_length": 4, "chunk_right_context": 2, "fifo_length": 3, "speaker_cache_update_period": 5},
           inputs=spectrum(2, 250, None)),
    Switch(ND, "silent", {"streaming_config": {"speaker_cache_silence_frames_per_speaker": 2, "min_positive_scores_rate": 1.0,
           "prediction_score_threshold": 0.1, "weak_boost_rate": 0.0}}, inputs=spectrum(2, 200, None)),
    Switch(ND, "one_chunk", inputs=spectrum(1, 50, None), kwargs={"num_lookahead_frames": 2}),
    Switch(ND, "states", inputs=spectrum(1, 72, [72]), kwargs={"output_hidden_states": True}),
    Switch("Nemotron3DiarizationModel", "embeds", inputs={"input_features": None, **reals("inputs_embeds", 2, 9, 32),
           "attention_mask": {"values": [[1] * 9, [0] * 3 + [1] * 6]}, "position_ids": {"values": [[3, 1, 4, 1, 5, 9, 2, 6, 5]]}}),
]
DIARIZATION_AUDIO = [
    Switch(NA, "odd", {"subsampling_factor": 5, "num_mel_bins": 16}, inputs=spectrum(2, 33, [33, 12])),
    Switch(NA, "partial", {"rope_parameters": {"rope_type": "default", "rope_theta": 100.0, "partial_rotary_factor": 0.5}, "hidden_act": "relu"},
           inputs=spectrum(1, 40, None)),
    Switch(NA, "defaults", absent("hidden_act", "num_key_value_heads", "rope_parameters", "max_position_embeddings", "subsampling_factor"),
           raw=True, inputs=spectrum(1, 40, None)),
]
AA, WT, TA = "Nemotron3_5TranscribeAsrAudioModel", "Nemotron3_5TranscribeWordTimestampModel", "Nemotron3_5TranscribeAudioModel"
TRANSCRIBE_ASR = [
    Switch(AA, "odd", {"subsampling_factor": 3}, inputs=spectrum(2, 32, [32, 12])),
    Switch(AA, "defaults", absent("hidden_act", "num_key_value_heads", "rope_parameters", "max_position_embeddings", "subsampling_factor"),
           raw=True, inputs=spectrum(2, 40, None)),
]
TRANSCRIBE_TIMES = [
    Switch(WT, "three", {"upsampling_factor": 3, "residual_scale": 0.7}, inputs={"attention_mask": None}),
    Switch(WT, "defaults", absent("hidden_act", "num_key_value_heads", "rope_parameters", "residual_scale", "upsampling_factor"), raw=True,
           inputs={"attention_mask": None}),
]
TRANSCRIBE_AUDIO = [
    Switch(TA, "masked", inputs=spectrum(2, 64, [64, 37], "input_features_mask")),
    Switch(TA, "unmasked", {"speaker_activity_threshold": 0.4, "diarization_config": {"chunk_length": 4, "chunk_left_context": 2}},
           inputs=spectrum(2, 80, None, "input_features_mask")),
]

def latents(token: int, voice: int, width: int, **more) -> dict:
    """Two rows of words with two or three places for a voice's latents, a start and three for what was said."""
    rows = [[20, voice, voice, 30, 31, 93, 91, 91, 91], [21, voice, voice, voice, 32, 93, 91, 91, 91]]
    return {"input_ids": {"values": rows}, "attention_mask": None, **reals("audio_prompt_latents", 2, 3, width),
            "audio_prompt_latents_mask": {"values": [[1, 1, 0], [1, 1, 1]], "dtype": "BOOL"}, **reals("audio_latents", 2, 3, 8), **more}


def tts(name: str, width: int) -> list[Switch]:
    model, head = f"{name}Model", f"{name}ForConditionalGeneration"
    return [
        Switch(model, "holes", {"hidden_act": "relu"},
               inputs=latents(93, 90, width, audio_prompt_latents_mask={"values": [[1, 0, 1], [1, 1, 1]], "dtype": "BOOL"})),
        Switch(model, "words", inputs={"audio_prompt_latents": None, "audio_prompt_latents_mask": None, "audio_latents": None}, mask="left"),
        Switch(model, "each", inputs=latents(93, 90, width, **reals("audio_latents", 2, 9, 8))),
        Switch(model, "marked", inputs=latents(93, 90, width, **reals("audio_latents", 2, 4, 8),
               audio_latents_mask={"values": [[1, 0, 1, 1], [1, 1, 1, 0]]})),
        Switch(model, "defaults", absent("hidden_act", "layer_norm_eps", "num_key_value_heads", "attention_bias", "rope_parameters",
               "max_position_embeddings", "head_dim"), raw=True, inputs=latents(93, 90, width)),
    ]


POCKET_TTS = tts("PocketTTS", 8) + [
    Switch("PocketTTSModel", "biased", {"attention_bias": True, "num_key_value_heads": 2}, inputs=latents(93, 90, 8))]
GRADIUM_TTS = tts("GradiumPhononTTS", 20) + [
    Switch("GradiumPhononTTSModel", "slow", {"duration_delta": 0.3, "num_speakers": 3, "duration_delta_max_period": 100.0}, inputs=latents(93, 90, 20))]
HM, HC = "HiggsAudioV2Model", "HiggsAudioV2ForConditionalGeneration"
HIGGS = [
    Switch(HM, "frames", inputs={"input_ids": None, "attention_mask": None, "audio_input_ids_mask": None,
           "audio_input_ids": {"values": [[[1, 2], [3, 4], [15, 0]], [[5, 6], [7, 8], [0, 15]]]}}),
    Switch(HM, "words", {"attention_bias": True, "mlp_bias": True}, inputs={"audio_input_ids": None, "audio_input_ids_mask": None}, mask="left"),
    Switch(HM, "unmarked", inputs={"input_ids": {"values": [[9, 98, 96, 8, 7], [98, 5, 98, 98, 6]]}, "attention_mask": None,
           "audio_input_ids_mask": None, "audio_input_ids": {"values": [[[1, 2], [3, 4], [15, 0]], [[5, 6], [7, 8], [0, 15]]]}}),
    Switch(HM, "defaults", absent("hidden_act", "rms_norm_eps", "attention_bias", "mlp_bias", "rope_parameters", "num_key_value_heads") |
           {"num_key_value_heads": 2, "max_position_embeddings": 4096}, raw=True, inputs={"audio_input_ids": None, "audio_input_ids_mask": None}),
]

def pocket_tokenizer(part: str) -> list[Switch]:
    name = f"PocketTTSAudioTokenizer{part}Model"
    sound = reals("latents", 2, 32, 5) if part == "Decoder" else reals("input_values", 2, 1, 133)
    return [
        Switch(name, "odd", {"latent_stride": 3, "pad_mode": "reflect", "use_conv_shortcut": True, "attention_bias": True, "upsample_groups": 8,
               "sliding_window": 2, "hidden_act": "relu"}, inputs=sound | marks("padding_mask", [100, 37], 100)),
        Switch(name, "defaults", absent("hidden_act", "pad_mode", "use_causal_conv", "trim_right_ratio", "use_conv_shortcut", "kernel_size",
               "last_kernel_size", "residual_kernel_size", "compress", "num_residual_layers", "dilation_growth_rate", "sliding_window",
               "norm_eps", "attention_bias", "rope_parameters", "audio_channels", "head_dim", "sampling_rate"), raw=True, inputs=sound),
    ]


VOICES = {"mimi_encoder": MIMI_ENCODER, "mimi_decoder": MIMI_DECODER, "xcodec": XCODEC, "xcodec2": codec("Xcodec2Model"),
          "neucodec": codec("NeuCodecModel"), "granite_speech5_encoder": GRANITE_SPEECH5_ENCODER,
          "granite_speech5_ctc": GRANITE_SPEECH5_CTC, "pe_audio_encoder": PE_AUDIO_ENCODER, "pe_audio": PE_AUDIO}
VOICES |= {"moss_transcribe_diarize": MOSS, "moss_transcribe_diarize_audio": MOSS_AUDIO, "vibevoice": VIBEVOICE, "vibevoice_asr": VIBEVOICE_ASR}
VOICES |= {"qwen2_5_omni_text": OMNI_TEXT, "qwen2_5_omni_talker": OMNI_TALKER, "qwen2_5_omni_dit": OMNI_DIT, "qwen2_5_omni_bigvgan": OMNI_BIGVGAN,
           "qwen3_omni_moe_text": OMNI3_TEXT, "qwen3_omni_moe_talker_text": OMNI3_TALKER, "qwen3_omni_moe_talker_code_predictor": OMNI3_CODES}
VOICES |= {"nemotron3_diarization": DIARIZATION, "nemotron3_diarization_audio": DIARIZATION_AUDIO,
           "nemotron3_5_transcribe_audio": TRANSCRIBE_AUDIO, "nemotron3_5_transcribe_asr_audio": TRANSCRIBE_ASR,
           "nemotron3_5_transcribe_word_timestamp": TRANSCRIBE_TIMES}
VOICES |= {"pocket_tts": POCKET_TTS, "gradium_phonon_tts": GRADIUM_TTS, "higgs_audio_v2": HIGGS}
VOICES |= {"pocket_tts_audio_tokenizer": pocket_tokenizer(""), "pocket_tts_audio_tokenizer_encoder": pocket_tokenizer("Encoder"),
           "pocket_tts_audio_tokenizer_decoder": pocket_tokenizer("Decoder")}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
VOICES_KEPT = {"mimi_encoder": "reflect", "mimi_decoder": "masked", "xcodec": "encode wide", "xcodec2": "masked", "neucodec": "padded",
               "granite_speech5_encoder": "odd holes", "granite_speech5_ctc": "untied", "pe_audio_encoder": "left", "pe_audio": "plain"}
VOICES_KEPT |= {"moss_transcribe_diarize": "lengths", "moss_transcribe_diarize_audio": "biased", "vibevoice": "lengths",
                "vibevoice_asr": "chunks unmasked", "qwen2_5_omni_text": "window", "qwen2_5_omni_talker": "left two",
                "qwen2_5_omni_dit": "dropped parts", "qwen2_5_omni_bigvgan": "odd", "qwen3_omni_moe_text": "some_dense",
                "qwen3_omni_moe_talker_text": "normed", "qwen3_omni_moe_talker_code_predictor": "third"}
VOICES_KEPT |= {"nemotron3_diarization": "unmasked silent", "nemotron3_diarization_audio": "odd", "nemotron3_5_transcribe_audio": "masked",
                "nemotron3_5_transcribe_asr_audio": "odd", "nemotron3_5_transcribe_word_timestamp": "three"}
VOICES_KEPT |= {"pocket_tts": "holes marked", "gradium_phonon_tts": "slow each", "higgs_audio_v2": "frames unmarked"}
VOICES_KEPT |= {"pocket_tts_audio_tokenizer": "odd", "pocket_tts_audio_tokenizer_encoder": "odd", "pocket_tts_audio_tokenizer_decoder": "odd"}

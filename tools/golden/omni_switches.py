"""Switches of models that see and hear: see `switches.py`."""

from multimodal_switches import SQUARES, grids
from switches import ABSENT, Switch

LETTERS = {"-": 0, "a": 1, "i": 2, "v": 3, "[": 4, "]": 5, "<": 7, ">": 8}


def told(*rows: str, **more) -> dict:
    """Texts in letters: a token of a sound a, of an image i, of a video v, what they stand between [] <>, padding -, words others."""
    ids = [[LETTERS.get(letter, 10 + ord(letter) % 60) for letter in row] for row in rows]
    mask = [[int(letter != "-") for letter in row] for row in rows]
    return {"input_ids": {"values": ids}, "attention_mask": {"values": mask}, **NOTHING, **more}


def sounds(lengths: list[int], frames: int = 0, bins: int = 20) -> dict:
    """Sounds of so many frames, padded to `frames`."""
    frames = frames or max(lengths)
    return {"input_features": {"shape": [len(lengths), bins, frames], "lo": -1.0, "hi": 1.0},
            "feature_attention_mask": {"values": [[1] * n + [0] * (frames - n) for n in lengths]}}


NOTHING = {name: None for name in ("pixel_values", "image_grid_thw", "input_features", "feature_attention_mask")}
FILM = {**grids("video", [[3, 4, 6], [2, 4, 2]]), "video_second_per_grid": {"values": [0.5, 1.7], "dtype": "F32"}}
STILLS = grids("image", [[1, 6, 10], [1, 2, 4]])


def heard(count: int) -> str:
    return f"[{'a' * count}]"


def seen(letter: str, count: int) -> str:
    return f"<{letter * count}>"


def level(*rows: str) -> list[str]:
    """Rows made equally long by words behind them. The last token of a row is a word: `make` turns rows round by one."""
    width = max(map(len, rows))
    return [row + "k" * (width - len(row)) for row in rows]


def omni(name: str, vision: dict, tokens, **more) -> list[Switch]:
    """tokens: how many a sound of so many frames has."""
    lm, model = f"{name}ThinkerForConditionalGeneration", f"{name}ThinkerModel"
    config = {"vision_config": vision, **more}

    def spoken(frames: int) -> str:
        return heard(tokens(frames))

    images = level("bc" + seen("i", 15) + "de" + spoken(30) + "j", spoken(17) + "f" + seen("i", 2) + "gh")
    whole = "b" + seen("v", 18) + "c" + spoken(23) + "d" + seen("i", 2) + seen("v", 4) + "e"
    return [
        Switch(lm, "both", config, inputs=told(*images, **STILLS, **sounds([30, 17]))),
        Switch(lm, "long", config, rows=1, inputs=told("b" + spoken(250) + "c" + spoken(8) + spoken(200) + "d", **sounds([250, 8, 200], 260))),
        Switch(lm, "text_only", inputs=NOTHING, mask="left"),
        Switch(model, "padded", config, inputs=told("---b" + seen("i", 15) + "cd" + spoken(30) + "e", *padded(spoken(17) + "f" + seen("i", 2) + "g", 24 + len(spoken(30))),
               **STILLS, **sounds([30, 17]))),
        Switch(model, "video", config, inputs=told(*level("bc" + seen("v", 18) + "d", "e" + seen("v", 4) + "f"), **FILM)),
        Switch(model, "all", config, rows=1, inputs=told(whole, **FILM, **grids("image", [[1, 2, 4]]), **sounds([23]))),
        Switch(model, "unplaced", config, rows=1, inputs={**told("b" + seen("i", 2) + "c", **grids("image", [[1, 2, 4]])), "attention_mask": None}),
        Switch(lm, "defaults", {"position_id_per_seconds": ABSENT, "tie_word_embeddings": ABSENT, "vision_config": {**vision, "hidden_act": ABSENT}, "audio_config": {
               "activation_function": ABSENT, "max_source_positions": ABSENT}}, raw=True, inputs=told(*images, **STILLS, **sounds([30, 17]))),
        Switch(model, "audio", {"audio_config": {"activation_function": "relu", "encoder_layers": 1, "encoder_attention_heads": 2}}, rows=1,
               inputs=told("b" + spoken(61) + "c" + spoken(60), **sounds([61, 60]))),
    ]


def padded(row: str, width: int) -> list[str]:
    return [row + "-" * (width - len(row))]


def convolved(frames: int) -> int:
    return (frames + 7) // 8


OMNI = {
    "qwen2_5_omni_thinker": omni("Qwen2_5Omni", {**SQUARES, "window_size": 16, "fullatt_block_indexes": [1]}, lambda frames: (frames + 1) // 4, text_config={
        "tie_word_embeddings": False}),
    "qwen3_omni_moe_thinker": omni("Qwen3OmniMoe", {**SQUARES, "num_position_embeddings": 25, "deepstack_visual_indexes": [1, 0]},
                                   lambda frames: frames // 100 * 13 + convolved(frames % 100), text_config={"sliding_window": None}),
}
PADDING = {"audio_mel_mask": {"values": [[0] * 37, [0] * 25 + [1] * 12], "dtype": "BOOL"}, "audio_mel": {"shape": [2, 37, 32], "lo": -1.0, "hi": 1.0}}
OMNI["gemma3n_audio"] = [
    Switch("Gemma3nAudioEncoder", "ahead", {"conf_attention_context_right": 2, "conf_attention_context_left": 3, "conf_attention_chunk_size": 3, "conf_reduction_factor": 1,
           "conf_attention_logit_cap": 2.0, "gradient_clipping": 1.5}, inputs=PADDING),
    Switch("Gemma3nAudioEncoder", "strides", {"sscp_conv_kernel_size": [[5, 3], [2, 4]], "sscp_conv_stride_size": [[1, 2], [3, 1]], "sscp_conv_channel_size": [5, 6],
           "conf_num_attention_heads": 2, "conf_conv_kernel_size": 4, "conf_residual_weight": 0.7, "sscp_conv_group_norm_eps": 0.1}, inputs=PADDING),
    Switch("Gemma3nAudioEncoder", "defaults", {"conf_attention_chunk_size": ABSENT, "conf_attention_context_left": ABSENT, "conf_attention_context_right": ABSENT,
           "conf_attention_logit_cap": ABSENT, "conf_reduction_factor": ABSENT, "conf_residual_weight": ABSENT, "sscp_conv_kernel_size": ABSENT,
           "sscp_conv_stride_size": ABSENT, "sscp_conv_group_norm_eps": ABSENT, "gradient_clipping": ABSENT, "rms_norm_eps": ABSENT}, raw=True, inputs=PADDING),
    Switch("Gemma3nAudioEncoder", "nearest", {"conf_attention_context_left": 1, "conf_attention_context_right": 0, "conf_reduction_factor": 2}, inputs=PADDING),
]
# Words from 80 on are of images, from 90 on of sounds.
TABLES = {"vision_config": {"vocab_offset": 80, "vocab_size": 10}, "audio_config": {"vocab_offset": 90, "vocab_size": 9}}
BOTH = {"input_ids": {"values": [[10, 85] + 4 * [3] + [89, 91] + 4 * [8] + [98, 11], 4 * [8] + [12, 90, 79] + 4 * [3] + [80, 13, 14]]},
        "token_type_ids": None, "attention_mask": None}
HEARD = {"input_features": {"shape": [2, 48, 32], "lo": -1.0, "hi": 1.0},
         "input_features_mask": {"values": [[1] * 48, [1] * 30 + [0] * 18], "dtype": "BOOL"}}
OMNI["gemma3n"] = [
    Switch("Gemma3nForConditionalGeneration", "both", TABLES, inputs={**BOTH, **HEARD}),
    Switch("Gemma3nModel", "padded", {**TABLES, "audio_soft_tokens_per_image": 5, "vision_config": {**TABLES["vision_config"], "rms_norm_eps": 0.01}}, inputs={
        **BOTH, **HEARD, "input_ids": {"values": [[0, 0, 85] + 4 * [3] + [89] + 5 * [8] + [11], 5 * [8] + [12] + 4 * [3] + [80, 0, 0, 0]]},
        "attention_mask": {"values": [[0, 0] + [1] * 12, [1] * 11 + [0] * 3]}}),
    Switch("Gemma3nForConditionalGeneration", "words", TABLES, mask="left", inputs={
        "pixel_values": None, "token_type_ids": None, "input_ids": {"values": [[10, 80, 89, 90, 98, 79, 12], [0, 97, 88, 11, 81, 91, 30]]}}),
]
NO_ARGS = {name: ABSENT for name in ("depth", "embed_dim", "global_pool", "img_size", "init_values", "ref_feat_shape", "use_post_transformer_norm")}


def mobilenet(name: str, height: int, width: int, **more) -> Switch:
    """With MobileNet V5's encoder in few channels."""
    args = {**NO_ARGS, "channel_multiplier": 0.0625, "msfa_output_resolution": 2}
    return Switch("Gemma3nModel", name, {"vision_config": {"architecture": "mobilenetv5_300m_enc", "model_args": args, "hidden_size": 2048, **more}}, rows=1, mask=None, inputs={
        "pixel_values": {"shape": [1, 3, height, width], "lo": -1.0, "hi": 1.0}, "token_type_ids": None, "input_ids": {"values": [[10] + 4 * [3] + [12, 13]]}})


OMNI["gemma3n"] += [mobilenet("resized", 90, 70), mobilenet("pooled", 64, 64)]
OMNI_KEPT = {"gemma3n": "both padded resized", "gemma3n_audio": "ahead strides", "qwen2_5_omni_thinker": "long padded all", "qwen3_omni_moe_thinker": "long padded all"}

"""Switches of Phi-4 multimodal: see `switches.py`. The cases that they are made of show and sound nothing that the texts have a place for."""

from switches import ABSENT, Switch

LM, MODEL, AUDIO, VISION = "Phi4MultimodalForCausalLM", "Phi4MultimodalModel", "Phi4MultimodalAudioModel", "Phi4MultimodalVisionModel"
PICTURE, SOUND = 245, 246
EYES = {"image_token_id": PICTURE, "image_size": 56, "crop_size": 56}
EARS = {"audio_token_id": SOUND, "ext_pw_out_channel": 32, "depthwise_separable_out_channel": 32, "nemo_conv_channels": 12, "bias_max_distance": 2}
NOTHING = {name: None for name in ("image_pixel_values", "image_attention_mask", "image_sizes", "audio_input_features", "audio_embed_sizes", "attention_mask")}


def text(*rows: list[tuple[int, int]]) -> dict:
    """Rows of tokens that stand so many times each, words between them and at the end."""
    made = [[i for token, count in row for i in [token] * count + [token - 220]] for row in rows]
    width = max(map(len, made)) + 1
    return {**NOTHING, "input_ids": {"values": [ids + [30 + i for i in range(width - len(ids))] for ids in made]}}


def marks(side: int, height: int, width: int) -> list[list[int]]:
    return [[int(y < height and x < width) for x in range(side)] for y in range(side)]


def pictures(side: int, patches: int, sizes: list[list[int]], masks: list) -> dict:
    """sizes: in pixels; masks: of each picture's tiles, the whole first."""
    return {"image_pixel_values": {"shape": [len(sizes), len(masks[0]), 3, side, side], "lo": -1.0, "hi": 1.0},
            "image_sizes": {"values": sizes},
            "image_attention_mask": {"values": [[marks(patches, *tile) for tile in tiles] for tiles in masks], "dtype": "F32"}}


def sounds(frames: int, tokens: list[int], lengths: list[int] | None = None) -> dict:
    mask = {"audio_attention_mask": {"values": [[1] * n + [0] * (frames - n) for n in lengths], "dtype": "BOOL"}} if lengths else {}
    return {"audio_input_features": {"shape": [len(tokens), frames, 80], "lo": -1.0, "hi": 1.0}, "audio_embed_sizes": {"values": tokens}} | mask


# Three rows of two patches and a mark, a mark, two such rows of the whole; two rows of three, ...
TILES = pictures(56, 4, [[112, 56], [56, 112]], [[(4, 4), (4, 4), (2, 4)], [(4, 4), (4, 4), (4, 1)]])
COUNTS = [3 * 3 + 1 + 2 * 3, 2 * 4 + 1 + 2 * 3]
ODD = pictures(42, 3, [[42, 84]], [[(3, 3), (3, 3), (3, 3)]])

PHI4 = {"phi4_multimodal": [
    Switch(LM, "pictures", {"vocab_size": 260, "vision_config": EYES}, inputs=text([(PICTURE, COUNTS[0])], [(PICTURE, COUNTS[1])]) | TILES),
    Switch(LM, "both", {"vocab_size": 260, "vision_config": EYES, "audio_config": EARS},
           inputs=text([(PICTURE, COUNTS[0]), (SOUND, 3)], [(SOUND, 2), (PICTURE, COUNTS[1])]) | TILES | sounds(20, [3, 2])),
    Switch(LM, "sounds", {"vocab_size": 260, "audio_config": {**EARS, "bias_max_distance": 9}}, inputs=text([(SOUND, 3), (SOUND, 2)], []) | sounds(20, [3, 2], [20, 13])),
    Switch(LM, "longrope", {"rope_parameters": {"rope_type": "longrope", "rope_theta": 500.0, "partial_rotary_factor": 1.0, "short_factor": [1.0, 1.5, 2.0, 3.0],
           "long_factor": [2.0, 3.0, 5.0, 9.0]}, "original_max_position_embeddings": 8, "max_position_embeddings": 64}, length=10, inputs=NOTHING),
    Switch(MODEL, "odd_side", {"vocab_size": 260, "vision_config": {**EYES, "image_size": 42, "crop_size": 42, "feature_layer": -1}, "sliding_window": 4},
           inputs=text([(PICTURE, 2 * 5 + 1 + 2 * 3)]) | ODD),
    Switch(MODEL, "defaults", {"vocab_size": 260, "vision_config": {**EYES, "feature_layer": ABSENT, "hidden_act": ABSENT, "layer_norm_eps": ABSENT, "patch_size": ABSENT,
           "num_channels": ABSENT}, "audio_config": {**EARS, "activation": ABSENT, "chunk_size": ABSENT, "left_chunk": ABSENT, "kernel_size": ABSENT,
           "input_size": ABSENT, "time_reduction": ABSENT, "nemo_activation": ABSENT, "conv_glu_type": ABSENT, "conv_activation": ABSENT,
           "depthwise_multiplier": ABSENT, "bias_symmetric": ABSENT}, "sliding_window": ABSENT, "rope_parameters": ABSENT}, raw=True,
           inputs=text([(PICTURE, COUNTS[0]), (SOUND, 3)], [(SOUND, 2), (PICTURE, COUNTS[1])]) | TILES | sounds(20, [3, 2])),
], "phi4_multimodal_vision": [
    Switch(VISION, "parts", {"image_size": 70, "hidden_act": "relu", "layer_norm_eps": 0.01, "num_hidden_layers": 3},
           inputs={"pixel_values": {"shape": [2, 3, 42, 56], "lo": -1.0, "hi": 1.0},
                   "patch_attention_mask": {"values": [marks(4, 3, 4)[:3], marks(4, 2, 3)[:3]], "dtype": "BOOL"}}),
    Switch(VISION, "unmasked", {"image_size": 70}, inputs={"pixel_values": {"shape": [2, 3, 42, 56], "lo": -1.0, "hi": 1.0}, "patch_attention_mask": None}),
], "phi4_multimodal_audio": [
    Switch(AUDIO, "chunks", {"chunk_size": 2, "left_chunk": 1, "bias_symmetric": True, "depthwise_multiplier": 2, "kernel_size": 5, "activation": "relu",
           "conv_glu_type": "sigmoid", "conv_activation": "gelu", "nemo_activation": "gelu"},
           inputs={"hidden_states": {"shape": [2, 60, 16], "lo": -1.0, "hi": 1.0}, "mask": {"values": [[1] * 60, [1] * 35 + [0] * 25], "dtype": "BOOL"}}),
    Switch(AUDIO, "stretches", {"time_reduction": 2, "nemo_final_size": ABSENT, "bias_max_distance": 300, "num_blocks": 1},
           inputs={"hidden_states": {"shape": [1, 1010, 16], "lo": -1.0, "hi": 1.0}, "mask": {"values": [[1] * 1002 + [0] * 8], "dtype": "BOOL"}}),
    Switch(AUDIO, "unmasked", {"time_reduction": 4, "nemo_final_size": ABSENT, "chunk_size": 3, "left_chunk": 0}, inputs={"hidden_states": {"shape": [2, 41, 16], "lo": -1.0, "hi": 1.0},
           "mask": None}, kwargs={"mask": None}),
]}
PHI4_KEPT = {"phi4_multimodal": "pictures both sounds odd_side", "phi4_multimodal_vision": "parts", "phi4_multimodal_audio": "chunks stretches unmasked"}

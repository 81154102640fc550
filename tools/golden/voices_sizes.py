"""Other sizes for codecs of sounds, models that hear, and models that speak, and inputs of such sizes: see `sizes.py` and
`vary.py`."""

import numpy as np

from sizes import ACTIVATIONS, choose, heads, modernbert
from sound_sizes import mimi

# --- codecs ---


def dac_encoder(c: dict, rng, ratios: list[list[int]]) -> None:
    choose(c, rng, encoder_hidden_size=[4, 6], downsampling_ratios=ratios, codebook_dim=[5, 8, 12])
    c["upsampling_ratios"], c["hop_length"] = c["downsampling_ratios"][::-1], int(np.prod(c["downsampling_ratios"]))
    c["decoder_hidden_size"] = rng.choice([8, 12]) * 2 ** (len(c["upsampling_ratios"]) - 1)


def xcodec(c: dict, rng) -> None:
    """The speech model's convolutions leave as many frames as the codec's."""
    acoustic, semantic = c["acoustic_model_config"], c["semantic_model_config"]
    dac_encoder(acoustic, rng, [[4, 4], [8, 2], [2, 2, 4]])
    choose(acoustic, rng, hidden_size=range(10, 20))
    heads(semantic, rng, "hidden_size", "num_attention_heads")
    semantic |= {"conv_dim": [rng.choice([5, 6]) for _ in range(2)], "conv_kernel": [4, 4], "conv_stride": [4, 4],
                 "num_feat_extract_layers": 2, "num_conv_pos_embedding_groups": 1}
    choose(semantic, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(10, 30), num_conv_pos_embeddings=[7, 8])
    choose(c, rng, kernel_size=[3, 5], unit_kernel_size=[3, 5], block_dilations=[[1], [1, 2], [2, 1, 3]], codebook_size=[16, 32])
    c["channel_ratios"] = [1] * rng.choice([1, 2])
    c["strides"] = [1] * len(c["channel_ratios"])
    c["target_bandwidths"] = [4, rng.choice([11, 16])]
    c["codebook_dim"] = acoustic["hidden_size"] + semantic["hidden_size"]


def xcodec2(c: dict, rng) -> None:
    semantic = c["semantic_model_config"]
    choose(c, rng, encoder_hidden_size=[4, 6], hidden_size=[32, 64], num_attention_heads=[1, 2, 4], head_dim=[4, 8, 10], num_hidden_layers=[1, 2],
           intermediate_size=range(20, 50), hidden_act=["silu", "gelu"], attention_bias=[False, True],
           downsampling_ratios=[[2, 4], [4, 2, 2], [3, 4]], quantization_levels=[[4, 4], [5, 3, 2], [8, 4, 7]])
    c["num_key_value_heads"] = c["num_attention_heads"]
    heads(semantic, rng, "hidden_size", "num_attention_heads", even=True)
    choose(semantic, rng, num_hidden_layers=[1, 2], intermediate_size=range(20, 50), feature_projection_input_dim=range(10, 20),
           conv_depthwise_kernel_size=[3, 7])
    semantic["output_hidden_size"] = semantic["hidden_size"]
    c["quantization_dim"] = c["hidden_size"] + semantic["hidden_size"]


# --- that hear ---


def granite_speech5_encoder(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    c["num_key_value_heads"], c["head_dim"] = c["num_attention_heads"], rng.choice([5, 6, 8])
    choose(c, rng, num_hidden_layers=[1, 2, 3, 4], intermediate_size=range(20, 50), num_mel_bins=range(4, 20), context_size=[3, 5, 8],
           max_position_embeddings=[8, 20], conv_kernel_size=[3, 5, 7], conv_expansion_factor=[1, 2, 3], attention_bias=[True, False],
           hidden_act=ACTIVATIONS, vocab_size=range(30, 60), subsample_layers=[[0], [1], [0, 1], []])


def granite_speech5_ctc(c: dict, rng) -> None:
    granite_speech5_encoder(c["encoder_config"], rng)
    c["vocab_size"] = c["encoder_config"]["vocab_size"]


def pe_audio_encoder(c: dict, rng) -> None:
    dac_encoder(c["dac_config"], rng, [[2, 4], [3, 4], [4, 2, 2]])
    c["dac_config"]["hidden_size"] = c["dac_config"]["encoder_hidden_size"] * 2 ** len(c["dac_config"]["downsampling_ratios"])
    c["num_key_value_heads"] = rng.choice([1, 2])
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([1, 2, 3])
    choose(c, rng, hidden_size=range(20, 50), head_dim=[6, 8, 10], num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 50),
           hidden_act=ACTIVATIONS, attention_bias=[True, False])


def pe_audio(c: dict, rng) -> None:
    modernbert(c["text_config"], rng)
    pe_audio_encoder(c["audio_config"], rng)


VOICES = {"mimi_encoder": mimi, "mimi_decoder": mimi, "xcodec": xcodec, "xcodec2": xcodec2, "neucodec": xcodec2,
          "granite_speech5_encoder": granite_speech5_encoder, "granite_speech5_ctc": granite_speech5_ctc,
          "pe_audio_encoder": pe_audio_encoder, "pe_audio": pe_audio}


# --- inputs ---


def codec_hop(c: dict) -> int:
    return int(np.prod(c["downsampling_ratios"]))


def mark(inputs, rows: int, length: int) -> np.ndarray:
    """Which of so many samples are no padding: all of one row, at least a third of the others."""
    lengths = [length] + [inputs.rng.randint(length // 3, length) for _ in range(rows - 1)]
    return (np.arange(length) < np.array(lengths)[:, None]).astype(int)


def voices_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is like other models' inputs."""
    c, name, rows, kind = inputs.config, entry["name"], inputs.rows, inputs.config["model_type"]
    if kind not in VOICES:
        return None
    uniform = {"lo": entry.get("lo"), "hi": entry.get("hi")}
    if kind == "mimi_encoder":
        return {"shape": [rows, c["audio_channels"], inputs.rng.randint(200, 500)], **uniform}
    if kind == "mimi_decoder":
        return {"shape": [rows, c["hidden_size"], inputs.rng.randint(3, 9)], **uniform}
    frames = inputs.width("text")
    if kind == "xcodec":
        if name == "audio_codes":
            return {"values": inputs.draw(range(c["codebook_size"]), (rows, 2, frames))}
        return {"shape": [rows, 1, 16 * frames], **uniform}
    if kind in ("xcodec2", "neucodec"):
        bins = c["semantic_model_config"]["feature_projection_input_dim"]
        return {"shape": [rows, frames, bins] if name == "input_features" else [rows, 1, frames * codec_hop(c)], **uniform}
    if name == "input_features":
        return {"shape": [rows, frames + 4, 4 * c.get("encoder_config", c)["num_mel_bins"]], **uniform}
    if kind.startswith("granite"):
        return {"values": mark(inputs, rows, frames + 4)}
    if kind.startswith("pe_audio") and name in ("input_values", "padding_mask"):
        inputs.samples = getattr(inputs, "samples", inputs.rng.randint(3, 9) * codec_hop(c.get("audio_config", c)["dac_config"]))
        values = {"shape": [rows, 1, inputs.samples], **uniform}
        return values if name == "input_values" else {"values": mark(inputs, rows, inputs.samples), "dtype": "I32"}
    if kind.startswith("pe_audio"):
        return {"values": inputs.tokens("text") if name == "input_ids" else inputs.mask("text").astype(int)}
    return None

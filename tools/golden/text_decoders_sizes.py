"""Other sizes for further text models and for models around them that see or hear, and inputs of such sizes: see `sizes.py`."""

import numpy as np
from sizes import ACTIVATIONS, bart, choose, rope
from younger_text_sizes import free, text


def fsmt(c: dict, rng) -> None:
    """Two vocabularies of one size or of two, the tables of positions as long as is said."""
    bart(c, rng)
    del c["vocab_size"]
    c["d_model"] = 6 * rng.choice([4, 6, 8])
    choose(c, rng, src_vocab_size=range(60, 140), tgt_vocab_size=range(60, 140), scale_embedding=[True, False],
           max_position_embeddings=range(20, 60))


def pegasus_x(c: dict, rng) -> None:
    """Blocks that are shorter than texts, or longer."""
    bart(c, rng)
    c["d_model"] = 6 * rng.choice([4, 6, 8])
    choose(c, rng, block_size=[4, 6, 32], num_global_tokens=[1, 3, 8], stagger_local_blocks=[True, False],
           scale_embedding=[True, False])


def shared_layers(c: dict, rng) -> None:
    """Each kind of layer before those that read earlier ones' keys; the last layer sees everything."""
    shared = rng.choice([0, 1, 2])
    c["layer_types"] = ["sliding_attention", "full_attention"] + [
        rng.choice(["sliding_attention", "full_attention"]) for _ in range(shared)]
    c["layer_types"][-1] = "full_attention"
    c["num_hidden_layers"], c["num_kv_shared_layers"] = len(c["layer_types"]), shared
    choose(c, rng, sliding_window=[2, 3, 5], final_logit_softcapping=[None, 5.0, 20.0], attention_bias=[False, True],
           hidden_activation=ACTIVATIONS)
    for kind in c["rope_parameters"].values():
        rope(kind, 8, rng)


def grouped(c: dict, rng) -> None:
    c["num_key_value_heads"] = rng.choice([1, 2])
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([2, 3])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([6, 8, 10])
    choose(c, rng, head_dim=[8, 12, 16], vocab_size=range(60, 140), rms_norm_eps=[1e-5, 1e-6])


def gemma3n_text(c: dict, rng) -> None:
    grouped(c, rng)
    shared_layers(c, rng)
    c["final_logit_softcapping"] = rng.choice([5.0, 20.0])
    c["vocab_size_per_layer_input"] = c["vocab_size"]
    c["intermediate_size"] = [rng.randint(20, 40) for _ in c["layer_types"]]
    c["activation_sparsity_pattern"] = [rng.choice([0.0, 0.3, 0.8]) for _ in c["layer_types"]]
    choose(c, rng, altup_num_inputs=[1, 2, 3], laurel_rank=range(5, 20), hidden_size_per_layer_input=range(6, 20),
           altup_correct_scale=[True, False])
    c["altup_active_idx"] = rng.randrange(c["altup_num_inputs"])


def gemma4_text(c: dict, rng) -> None:
    grouped(c, rng)
    shared_layers(c, rng)
    if "num_experts" in c:
        c["vocab_size_per_layer_input"] = c["vocab_size"]
        choose(c, rng, hidden_size_per_layer_input=[0, 7, 12], enable_moe_block=[True, False], num_experts=[4, 6],
               top_k_experts=[1, 2, 3], moe_intermediate_size=range(8, 30))
    choose(c, rng, attention_k_eq_v=[False, True], use_double_wide_mlp=[False, True], intermediate_size=range(20, 50))
    wide = {"head_dim": rng.choice([16, 24, 32]), "num_key_value_heads": rng.choice([1, c["num_key_value_heads"]])}
    c["per_layer_config"] = {str(i): dict(wide) for i, kind in enumerate(c["layer_types"]) if kind == "full_attention"}


def embedding_gemma2_text(c: dict, rng) -> None:
    gemma4_text(c, rng)
    for field in ("num_kv_shared_layers", "attention_k_eq_v", "use_double_wide_mlp", "final_logit_softcapping"):
        del c[field]
    choose(c, rng, hidden_size_per_layer_input=range(5, 14), embedding_dim=range(10, 30))


def gemma4_vision(c: dict, rng) -> None:
    c["num_key_value_heads"] = rng.choice([1, 2])
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([1, 2, 3])
    choose(c, rng, head_dim=[8, 12, 16], num_hidden_layers=[1, 2], intermediate_size=range(20, 50), patch_size=[2, 3, 5],
           pooling_kernel_size=[2, 3], hidden_activation=ACTIVATIONS, standardize=[False, True],
           use_clipped_linears=[False, True], rms_norm_eps=[1e-5, 1e-6], hidden_size=range(20, 50))
    c["rope_parameters"]["rope_theta"] = rng.choice([50.0, 100.0, 10000.0])


def gemma4_audio(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 3, 4])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([6, 8, 10])
    choose(c, rng, num_hidden_layers=[1, 2], attention_chunk_size=[2, 3, 4, 7], attention_context_left=[2, 4, 5, 9],
           attention_context_right=[0, 1, 3], attention_logit_cap=[5.0, 50.0], conv_kernel_size=[2, 3, 5],
           residual_weight=[0.5, 0.7], output_proj_dims=range(20, 50), hidden_act=["silu", "gelu"],
           rms_norm_eps=[1e-5, 1e-6], subsampling_conv_channels=[[16, 8], [12, 6], [8, 5]],
           use_clipped_linears=[False, True], gradient_clipping=[1e10, 2.0])


def beam(c: dict, rng) -> None:
    kinds = c["rope_parameters"]
    c["rope_parameters"] = {"sliding_attention": kinds["sliding_attention"]}
    text(c, rng, final_logit_softcapping=[None, 3.0, 30.0], head_dim=[8, 12])
    c["rope_parameters"]["full_attention"] = None


def flint(c: dict, rng) -> None:
    text(c, rng, shared_expert_intermediate_size=range(8, 40), norm_topk_prob=[False, True])
    c["mlp_only_layers"] = [rng.randrange(c["num_hidden_layers"])]


def zaya(c: dict, rng) -> None:
    """Half of each head is rotated."""
    text(c, rng, cca_time0=[1, 2, 3], cca_time1=[1, 2, 4], router_hidden_size=range(8, 30), lm_head_bias=[False, True])
    c["num_experts_per_tok"] = 1
    choose(c, rng, head_dim=[8, 12, 16])


def lfm3_vl_vision(c: dict, rng) -> None:
    c["num_key_value_heads"] = rng.choice([1, 2])
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([1, 2, 3])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 12])
    choose(c, rng, intermediate_size=range(20, 50), patch_size=[2, 3, 4], spatial_merge_size=[1, 2], temporal_patch_size=[1, 2],
           conv_kernel_size=[1, 3, 5], norm_eps=[1e-5, 1e-6], in_channels=[1, 3])
    c["layer_types"] = ["conv", "full_attention"] + [rng.choice(["conv", "full_attention"])] * rng.choice([0, 1])
    c["num_hidden_layers"] = len(c["layer_types"])
    rng.shuffle(c["layer_types"])
    free(c["rope_parameters"], rng, rope_theta=[10000.0, 77.0])


TEXT_DECODERS = {"fsmt": fsmt, "pegasus_x": pegasus_x, "gemma3n_text": gemma3n_text, "gemma4_text": gemma4_text,
                 "gemma4_unified_text": gemma4_text, "embedding_gemma2_text": embedding_gemma2_text,
                 "gemma4_vision": gemma4_vision, "gemma4_audio": gemma4_audio, "beam": beam, "flint": flint,
                 "zaya": zaya, "lfm3_vl_vision": lfm3_vl_vision}


def squares(inputs, c: dict) -> tuple[np.ndarray, int]:
    """Where patches of pictures of whole squares stand, and how many there are in a row with padding."""
    if not hasattr(inputs, "places"):
        k = c["pooling_kernel_size"]
        sides = inputs.draw([1, 2, 3], (inputs.rows, 2)) * k
        most = int(np.prod(sides, axis=1).max())
        places = np.full((inputs.rows, most + k * k * inputs.rng.choice([0, 1]), 2), -1)
        for row, (width, height) in zip(places, sides):
            row[: width * height] = [[x, y] for y in range(height) for x in range(width)]
        inputs.places = places
    return inputs.places, inputs.places.shape[1]


def grid(inputs, c: dict) -> np.ndarray:
    if not hasattr(inputs, "grid"):
        m = c["spatial_merge_size"]
        inputs.grid = np.concatenate([inputs.draw([1, 2], (inputs.rows, 1)), inputs.draw([m, 2 * m, 3 * m], (inputs.rows, 2))], axis=1)
    return inputs.grid


def text_decoders_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is like other models' inputs."""
    c, name = inputs.config, entry["name"]
    if c["model_type"] not in TEXT_DECODERS:
        return None
    ends = {"lo": entry.get("lo"), "hi": entry.get("hi")}
    if c["model_type"] == "fsmt" and name.endswith("input_ids"):
        side = "decoder" if name.startswith("decoder_") else "text"
        high = c["tgt_vocab_size" if side == "decoder" else "src_vocab_size"]
        return {"values": inputs.draw(set(range(high)) - {0, 1, 2}, inputs.mask(side).shape)}
    if c["model_type"] == "gemma4_vision":
        places, count = squares(inputs, c)
        return {"values": places} if name == "pixel_position_ids" else {
            "shape": [inputs.rows, count, 3 * c["patch_size"] ** 2], **ends}
    if c["model_type"] == "gemma4_audio":
        if not hasattr(inputs, "frames"):
            inputs.frames = inputs.rng.randint(9, 60)
            inputs.heard = inputs.draw(range(inputs.frames // 2, inputs.frames + 1), (inputs.rows, 1))
            inputs.heard[0] = inputs.frames
        if name == "attention_mask":
            return {"values": np.arange(inputs.frames) < inputs.heard}
        return {"shape": [inputs.rows, inputs.frames, c["subsampling_conv_channels"][0] // 4 * 4], **ends}
    if c["model_type"] == "lfm3_vl_vision":
        if name == "grid_thw":
            return {"values": grid(inputs, c)}
        numbers = c["in_channels"] * c["temporal_patch_size"] * c["patch_size"] ** 2
        return {"shape": [int(np.prod(grid(inputs, c), axis=1).sum()), numbers], **ends}
    return None

"""Other sizes for younger relatives of BERT, T5 and LLaMA: see `sizes.py`."""

from detection_sizes import DETECTION
from documents_sizes import DOCUMENTS
from image_text_sizes import IMAGE_TEXT
from keypoints_sizes import KEYPOINTS
from pyramid_sizes import PYRAMIDS
from segments_sizes import SEGMENTS
from series_sizes import SERIES
from sizes import (ACTIVATIONS, at_most, bart, bert, choose, cohere2, divided_rotary, gemma, gemma2, glm4, heads, llama,
                   modernbert, phi, rope, t5, vit, wav2vec2, xlm)
from sound_sizes import SOUNDS
from speech_chat_sizes import SPEECH_CHAT
from text_decoders_sizes import TEXT_DECODERS
from vision_chat_sizes import VISION_CHAT
from vision_sizes import VISION
from voices_sizes import VOICES
from younger_text_sizes import YOUNGER_TEXT


def helium(c: dict, rng) -> None:
    """The last projection of attention is square; pairs side by side are rotated."""
    llama(c, rng)
    choose(c, rng, head_dim=[6, 8, 10, 18], attention_bias=[False, True], mlp_bias=[False, True])
    c["hidden_size"] = c["num_attention_heads"] * c["head_dim"]


def olmo3(c: dict, rng) -> None:
    """Two kinds of rotary positions, by layer type."""
    parameters = c["rope_parameters"]
    c["rope_parameters"] = {}
    gemma(c, rng)
    c["rope_parameters"] = parameters
    for kind in parameters.values():
        rope(kind, c["hidden_size"] // c["num_attention_heads"], rng)


def smollm3(c: dict, rng) -> None:
    gemma(c, rng)
    c["no_rope_layers"] = [rng.choice([0, 1]) for _ in range(c["num_hidden_layers"])]


def starcoder2(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, use_bias=[True, False], norm_epsilon=[1e-5, 1e-6], hidden_act=ACTIVATIONS, sliding_window=[None, 3])


def stablelm(c: dict, rng) -> None:
    """A quarter of each head is rotated."""
    llama(c, rng)
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 16])
    choose(c, rng, layer_norm_eps=[1e-5, 1e-6], use_qkv_bias=[True, False])


def cohere(c: dict, rng) -> None:
    cohere2(c, rng)
    del c["head_dim"]


def nemotron(c: dict, rng) -> None:
    divided_rotary(c, rng)
    choose(c, rng, attention_bias=[False, True], mlp_bias=[False, True], norm_eps=[1e-5, 1e-6], hidden_act=["relu2", "silu"])


def jais2(c: dict, rng) -> None:
    gemma(c, rng)
    choose(c, rng, mlp_bias=[False, True], layer_norm_eps=[1e-5, 1e-6])


def ernie4_5(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, use_bias=[False, True])


def persimmon(c: dict, rng) -> None:
    phi(c | {"num_key_value_heads": 2}, rng)
    heads(c, rng, "hidden_size", "num_attention_heads")
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 12, 16])
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           layer_norm_eps=[1e-5, 1e-6], hidden_act=["relu2", *ACTIVATIONS])


def experts(c: dict, rng) -> None:
    """Mixtures: LLaMA's sizes, and how many experts there are and answer."""
    llama(c, rng)
    count = "num_experts" if "num_experts" in c else "num_local_experts"
    choose(c, rng, **{count: [4, 5, 7]}, num_experts_per_tok=[1, 2, 3])
    for field in ("moe_intermediate_size", "shared_expert_intermediate_size"):
        if field in c:
            c[field] = rng.randint(8, 40)
    if "norm_topk_prob" in c:
        choose(c, rng, norm_topk_prob=[False, True])


def dinov2(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], mlp_ratio=[1, 2, 3], patch_size=[3, 4, 5], num_channels=[1, 3],
           qkv_bias=[True, False], hidden_act=ACTIVATIONS, layer_norm_eps=[1e-5, 1e-6])
    c["image_size"] = c["patch_size"] * rng.choice([3, 4, 5])
    c["stage_names"] = ["stem"] + [f"stage{i + 1}" for i in range(c["num_hidden_layers"])]
    c["out_features"], c["out_indices"] = c["stage_names"][-1:], [c["num_hidden_layers"]]
    if "num_register_tokens" in c:
        choose(c, rng, num_register_tokens=[1, 3, 5])


def speech(c: dict, rng) -> None:
    """wav2vec 2.0's sizes, of those fields that the type has."""
    wide = {"add_adapter": False, **c}
    wav2vec2(wide, rng)
    c |= {field: wide[field] for field in c}


def wavlm(c: dict, rng) -> None:
    speech(c, rng)
    choose(c, rng, num_buckets=[8, 9, 12, 20], max_bucket_distance=[6, 12, 25])


def data2vec_audio(c: dict, rng) -> None:
    speech(c, rng)
    choose(c, rng, num_conv_pos_embeddings=[1, 2, 3], conv_pos_kernel_size=[3, 4, 7])


def audio_spectrogram_transformer(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), patch_size=[2, 3, 4],
           frequency_stride=[2, 3, 5], time_stride=[1, 2, 3], max_length=range(8, 20), num_mel_bins=range(7, 15),
           qkv_bias=[True, False], hidden_act=ACTIVATIONS, layer_norm_eps=[1e-12, 1e-5])


def sew(c: dict, rng) -> None:
    speech(c, rng)
    c["conv_dim"][-1] = rng.choice([c["hidden_size"], 24])
    choose(c, rng, squeeze_factor=[1, 2, 3])


def sew_d(c: dict, rng) -> None:
    sew(c, rng)
    choose(c, rng, position_buckets=[-1, 4, 8, 16], max_position_embeddings=[12, 20, 40], share_att_key=[True, False],
           pos_att_type=[["p2c", "c2p"], ["c2p"], ["p2c"]], norm_rel_ebd=["layer_norm", "none"])


def wav2vec2_conformer(c: dict, rng) -> None:
    speech(c, rng)
    c["hidden_size"] = c["output_hidden_size"] = c["num_attention_heads"] * rng.choice([6, 8, 10])
    choose(c, rng, conv_depthwise_kernel_size=[3, 5, 31], position_embeddings_type=["relative", "rotary", None],
           rotary_embedding_base=[10000, 100])


def wav2vec2_bert(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    c["output_hidden_size"] = c["hidden_size"]
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), feature_projection_input_dim=range(6, 15),
           conv_depthwise_kernel_size=[3, 5, 31], vocab_size=range(20, 50), classifier_proj_size=range(16, 50),
           position_embeddings_type=["relative", "rotary", "relative_key", "relative_key", None],
           left_max_position_embeddings=[2, 5, 64], right_max_position_embeddings=[0, 3, 8],
           use_weighted_layer_sum=[False, True], hidden_act=["swish", "gelu", "relu"], layer_norm_eps=[1e-5, 1e-6],
           xvector_output_dim=[18, 24])
    c["tdnn_dim"], c["tdnn_kernel"], c["tdnn_dilation"] = [21, 26], [3, 3], [1, rng.choice([1, 2])]


def speech_to_text(c: dict, rng) -> None:
    c["d_model"] = 12 * rng.choice([1, 2, 3])
    kernels = [rng.choice([3, 4, 5]) for _ in range(rng.choice([1, 2, 3]))]
    c["conv_kernel_sizes"], c["num_conv_layers"] = kernels, len(kernels)
    choose(c, rng, encoder_attention_heads=[2, 3, 4], decoder_attention_heads=[2, 3, 6], encoder_layers=[1, 2, 3],
           encoder_ffn_dim=range(20, 70), decoder_ffn_dim=range(20, 70), vocab_size=range(60, 140),
           conv_channels=[10, 24, 36], input_feat_per_channel=range(5, 20), input_channels=[1, 2],
           activation_function=ACTIVATIONS, scale_embedding=[True, False])
    choose(c, rng, decoder_layers=at_most(c["encoder_layers"]))


def eurobert(c: dict, rng) -> None:
    gemma(c, rng)
    choose(c, rng, classifier_pooling=["late", "mean", "bos"], mlp_bias=[False, True])


def rotary_bert(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           type_vocab_size=range(1, 6), layer_norm_eps=[1e-12, 1e-5], hidden_act=ACTIVATIONS)
    if "head_dim" in c:
        c["head_dim"] = c["hidden_size"] // c["num_attention_heads"]
    rope(c["rope_parameters"], 0, rng)


def vit_layers(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), num_channels=[1, 3, 4],
           hidden_act=ACTIVATIONS, layer_norm_eps=[1e-12, 1e-6])


def wide_image(c: dict, rng, height: int, width: int) -> None:
    c["image_size"] = [height * rng.choice([2, 3, 4]), width * rng.choice([2, 3, 4])]


def wide_vit(c: dict, rng) -> None:
    vit_layers(c, rng)
    choose(c, rng, patch_size=[3, 4, 5], qkv_bias=[True, False])
    wide_image(c, rng, c["patch_size"], c["patch_size"])


def mae_decoder(c: dict, rng, divisor: int) -> None:
    c["decoder_num_attention_heads"] = rng.choice([2, 3, 5])
    c["decoder_hidden_size"] = c["decoder_num_attention_heads"] * divisor * rng.choice([2, 3, 5])
    choose(c, rng, decoder_num_hidden_layers=[1, 2, 3], decoder_intermediate_size=range(20, 70))


def videomae(c: dict, rng) -> None:
    wide_vit(c, rng)
    del c["qkv_bias"]
    mae_decoder(c, rng, 1)
    choose(c, rng, tubelet_size=[1, 2, 3], qv_bias=[True, False], use_mean_pooling=[True, False])
    c["num_frames"] = c["tubelet_size"] * rng.choice([1, 2, 3])


def vivit(c: dict, rng) -> None:
    vit_layers(c, rng)
    tubelet = [rng.choice([1, 2, 3]), rng.choice([3, 4, 5]), rng.choice([3, 4, 5])]
    wide_image(c, rng, tubelet[1], tubelet[2])
    choose(c, rng, qkv_bias=[True, False], pooler_output_size=[c["hidden_size"], 21])
    c["num_frames"], c["tubelet_size"] = tubelet[0] * rng.choice([1, 2, 3]), tubelet


def timesformer(c: dict, rng) -> None:
    vit_layers(c, rng)
    choose(c, rng, patch_size=[3, 4, 5], qkv_bias=[True, False], num_frames=[1, 3, 4])
    c["image_size"] = c["patch_size"] * rng.choice([2, 3, 4])


def vit_mae(c: dict, rng) -> None:
    """Widths divide by four, since positions are sines and cosines of two axes before they are learned."""
    vit(c, rng)
    del c["encoder_stride"], c["pooler_output_size"]
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 12])
    mae_decoder(c, rng, 4)
    choose(c, rng, mask_ratio=[0.25, 0.5, 0.75])


def yolos(c: dict, rng) -> None:
    wide_vit(c, rng)
    choose(c, rng, num_detection_tokens=range(3, 12), use_mid_position_embeddings=[True, False])


def data2vec_vision(c: dict, rng) -> None:
    """Four feature maps of square images, and few channels beside."""
    vit_layers(c, rng)
    choose(c, rng, patch_size=[3, 4, 5], num_hidden_layers=[3, 4, 5], use_mean_pooling=[True, False],
           use_relative_position_bias=[True, False], use_absolute_position_embeddings=[True, False],
           layer_scale_init_value=[0.1, 0.0], pool_scales=[[1, 2, 3, 6], [1, 3], [2]])
    c["image_size"], c["auxiliary_channels"] = c["patch_size"] * rng.choice([3, 4, 5]), 8
    c["out_indices"] = sorted(rng.sample(range(1, c["num_hidden_layers"] + 2), 4))


def beit(c: dict, rng) -> None:
    data2vec_vision(c, rng)
    choose(c, rng, num_hidden_layers=[4, 5], vocab_size=range(60, 140))
    if c["architectures"] == ["BeitForMaskedImageModeling"]:
        c["use_mean_pooling"] = True  # else it has two norms, beit.layernorm and layernorm, which from_pretrained exchanges
    c["stage_names"] = ["stem"] + [f"stage{i + 1}" for i in range(c["num_hidden_layers"])]
    c["out_indices"] = sorted(rng.sample(range(c["num_hidden_layers"] + 1), 4))
    c["out_features"] = [c["stage_names"][i] for i in c["out_indices"]]
    if rng.random() < 0.5:
        c["use_absolute_position_embeddings"] = False  # they take squares
        wide_image(c, rng, c["patch_size"], c["patch_size"])


def bert_generation(c: dict, rng) -> None:
    bert(c, rng)
    del c["type_vocab_size"]


def dpr(c: dict, rng) -> None:
    bert(c, rng)
    if c["architectures"] != ["DPRReader"]:
        choose(c, rng, projection_dim=[0, 18, 45])


def roc_bert(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, shape_vocab_size=range(20, 60), shape_embed_dim=range(8, 40), pronunciation_vocab_size=range(20, 60),
           pronunciation_embed_dim=range(8, 40))


def xmod(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, pre_norm=[False, True], adapter_reduction_factor=[1, 2, 3], adapter_layer_norm=[False, True],
           adapter_reuse_layer_norm=[False, True], ln_before_adapter=[False, True],
           languages=[["de_DE", "en_XX", "fr_XX"], ["en_XX"], ["en_XX", "sw_KE"]])


def rembert(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, input_embedding_size=[c["hidden_size"], 18, 27], output_embedding_size=[c["hidden_size"], 19, 40])


def xglm(c: dict, rng) -> None:
    heads(c, rng, "d_model", "attention_heads")
    choose(c, rng, num_layers=[1, 2, 3], ffn_dim=range(20, 70), vocab_size=range(60, 140), scale_embedding=[True, False],
           max_position_embeddings=range(20, 60), activation_function=ACTIVATIONS)


def gpt_neox_japanese(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 3, 5])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 16])
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_multiple_size=[1, 2, 3], vocab_size=range(60, 140),
           hidden_act=ACTIVATIONS)
    choose(c["rope_parameters"], rng, partial_rotary_factor=[0.25, 0.5, 1.0], rope_theta=[10000.0, 25000.0])


def granitemoe(c: dict, rng) -> None:
    experts(c, rng)
    choose(c, rng, attention_bias=[False, True], embedding_multiplier=[3.0, 12.0], attention_multiplier=[0.1, 0.4],
           residual_multiplier=[0.22, 0.7], logits_scaling=[0.5, 4.0])
    if "shared_intermediate_size" in c:
        choose(c, rng, shared_intermediate_size=[0, 20, 37])


def vaultgemma(c: dict, rng) -> None:
    gemma2(c, rng)
    choose(c, rng, attention_bias=[False, True])


def nanochat(c: dict, rng) -> None:
    gemma(c, rng)
    choose(c, rng, hidden_act=["relu2", "silu"], final_logit_softcapping=[None, 3.0])


def apertus(c: dict, rng) -> None:
    gemma(c, rng)
    choose(c, rng, hidden_act=["xielu", "xielu", "relu2"])


def phimoe(c: dict, rng) -> None:
    experts(c, rng)
    choose(c, rng, num_experts_per_tok=[2], attention_bias=[False, True], lm_head_bias=[False, True], sliding_window=[None, 3, 5],
           router_jitter_noise=[0.01, 0.1, 0.4])


def deepseek_experts(c: dict, rng) -> None:
    """Experts in groups, of which some are looked at."""
    c["n_group"] = rng.choice([1, 2, 3])
    count = "n_routed_experts" if "n_routed_experts" in c else "num_experts"
    c[count] = c["n_group"] * rng.choice([2, 3, 4])
    choose(c, rng, topk_group=range(1, c["n_group"] + 1), num_experts_per_tok=[1, 2], norm_topk_prob=[False, True],
           routed_scaling_factor=[1.0, 2.5], moe_intermediate_size=range(8, 40),
           first_k_dense_replace=range(c["num_hidden_layers"]))


def glm4_moe(c: dict, rng) -> None:
    divided_rotary(c, rng)
    deepseek_experts(c, rng)
    choose(c, rng, attention_bias=[False, True], use_qk_norm=[False, True], n_shared_experts=[1, 2])


def ernie4_5_moe(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, use_bias=[False, True], moe_num_experts=[4, 5, 7], moe_k=[1, 2, 3], moe_num_shared_experts=[0, 1, 2],
           moe_intermediate_size=range(8, 40), moe_layer_start_index=[0, 1], moe_layer_interval=[1, 2])
    c["moe_layer_end_index"] = c["num_hidden_layers"] - 1


def hunyuan_v1_moe(c: dict, rng) -> None:
    gemma(c, rng)
    choose(c, rng, num_experts=[4, 5, 7], moe_topk=[1, 2, 3])


def exaone_moe(c: dict, rng) -> None:
    llama(c, rng)
    deepseek_experts(c, rng)
    choose(c, rng, num_shared_experts=[1, 2])
    c["mlp_layer_types"] = [rng.choice(["dense", "sparse"]) for _ in c["layer_types"]]


def afmoe(c: dict, rng) -> None:
    gemma(c, rng)
    choose(c, rng, num_dense_layers=range(c["num_hidden_layers"]), num_experts=[4, 5, 7], num_experts_per_tok=[1, 2, 3],
           num_shared_experts=[1, 2], route_scale=[1.0, 2.5], moe_intermediate_size=range(8, 40), mup_enabled=[False, True])


def modernbert_decoder(c: dict, rng) -> None:
    modernbert(c, rng)
    del c["classifier_pooling"]
    choose(c, rng, sliding_window=[2, 3, 5])


def doge(c: dict, rng) -> None:
    """Few keys are kept of a short text, and experts have one of few pairs of keys."""
    gemma(c, rng)
    choose(c, rng, mlp_bias=[False, True], keep_window_size=[2, 5, 2048], is_moe=[False, True], num_experts=[16, 30],
           num_experts_per_tok=[1, 3, 7], sliding_window=[None, 3])


def bigbird_pegasus(c: dict, rng) -> None:
    """Blocks so small that a short text has enough of them for sparse attention."""
    bart(c, rng)
    choose(c, rng, block_size=[1, 2], num_random_blocks=[1, 1, 2], use_bias=[True, False], scale_embedding=[True, False],
           attention_type=["block_sparse", "block_sparse", "original_full"])


def t5gemma(c: dict, rng) -> None:
    for side in ("encoder", "decoder"):
        gemma2(c[side], rng)
        choose(c[side], rng, attention_bias=[False, True])
    c["vocab_size"] = c["decoder"]["vocab_size"] = c["encoder"]["vocab_size"]
    c["decoder"]["num_hidden_layers"] = min(c["encoder"]["num_hidden_layers"], c["decoder"]["num_hidden_layers"])
    c["decoder"]["layer_types"] = c["decoder"]["layer_types"][:c["decoder"]["num_hidden_layers"]]
    c["decoder"]["cross_attention_hidden_size"] = c["encoder"]["hidden_size"]


RELATIVES = {"xlm-roberta": bert, "camembert": bert, "mt5": t5, "umt5": t5, "arcee": gemma, "ministral": llama,
             "seed_oss": gemma, "helium": helium, "cwm": llama, "exaone4": llama, "olmo3": olmo3, "olmo": gemma,
             "smollm3": smollm3, "starcoder2": starcoder2, "hunyuan_v1_dense": gemma, "stablelm": stablelm}
RELATIVES |= {"ernie": bert, "megatron-bert": bert, "data2vec-text": bert, "roberta-prelayernorm": bert, "xlm-roberta-xl": bert}
RELATIVES |= {"cohere": cohere, "glm": glm4, "nemotron": nemotron, "jais2": jais2, "ernie4_5": ernie4_5, "persimmon": persimmon,
             "qwen2_moe": experts, "olmoe": experts, "minimax_m2": experts}
RELATIVES |= {"dinov2": dinov2, "dinov2_with_registers": dinov2}
RELATIVES |= {"hubert": speech, "unispeech": speech, "unispeech-sat": speech}
RELATIVES |= {"eurobert": eurobert, "nomic_bert": rotary_bert, "gte": rotary_bert, "jina_embeddings_v3": rotary_bert}
RELATIVES |= {"wavlm": wavlm, "data2vec-audio": data2vec_audio, "audio-spectrogram-transformer": audio_spectrogram_transformer,
              "sew": sew, "sew-d": sew_d, "wav2vec2-conformer": wav2vec2_conformer, "wav2vec2-bert": wav2vec2_bert,
              "speech_to_text": speech_to_text}
RELATIVES |= {"videomae": videomae, "vivit": vivit, "timesformer": timesformer, "vit_msn": wide_vit, "ijepa": wide_vit,
              "yolos": yolos, "vit_mae": vit_mae, "beit": beit, "data2vec-vision": data2vec_vision}
RELATIVES |= {"blenderbot": bart, "blenderbot-small": bart, "bert-generation": bert_generation, "dpr": dpr, "roc_bert": roc_bert,
              "xmod": xmod, "rembert": rembert, "splinter": bert, "xglm": xglm, "gpt_neox_japanese": gpt_neox_japanese}
RELATIVES |= {"granitemoe": granitemoe, "granitemoeshared": granitemoe, "vaultgemma": vaultgemma, "nanochat": nanochat,
              "apertus": apertus, "phimoe": phimoe, "glm4_moe": glm4_moe, "ernie4_5_moe": ernie4_5_moe,
              "hunyuan_v1_moe": hunyuan_v1_moe, "exaone_moe": exaone_moe, "afmoe": afmoe}
RELATIVES |= {"flaubert": xlm, "modernbert-decoder": modernbert_decoder, "doge": doge, "bigbird_pegasus": bigbird_pegasus,
              "t5gemma": t5gemma}
RELATIVES |= VOICES
RELATIVES |= SERIES | PYRAMIDS | SOUNDS | IMAGE_TEXT | YOUNGER_TEXT | SPEECH_CHAT | DETECTION | VISION
RELATIVES |= TEXT_DECODERS | DOCUMENTS | SEGMENTS | VISION_CHAT | KEYPOINTS

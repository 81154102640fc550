"""Other sizes for each model type: what may be changed in a configuration, and what must change with it.

One function a model type: it is given a configuration (changed in place) and a random.Random. Head sizes,
widths and counts are deliberately not powers of two; what a case is about (a kind of rotary scaling, tied
embeddings, an order of norms) stays.
"""

ACTIVATIONS = ["gelu", "gelu_new", "relu", "silu"]


def heads(c: dict, rng, width: str, count: str, even: bool = False) -> None:
    """A number of heads and a width that is a multiple of it; with `even` the size of a head is even."""
    c[count] = rng.choice([2, 3, 4, 5, 6])
    c[width] = c[count] * rng.choice([6, 8, 10, 12] if even else [5, 6, 7, 8, 9, 12])


def choose(c: dict, rng, **choices) -> None:
    """Sets each field to one of its choices; a range is drawn from evenly."""
    for field, options in choices.items():
        c[field] = rng.choice(list(options))


def at_most(encoder_layers: int) -> range:
    """Numbers of decoder layers: the library sizes the cache of a generating decoder by the layers of the
    encoder."""
    return range(1, encoder_layers + 1)


def bert(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           max_position_embeddings=range(40, 90), type_vocab_size=range(1, 6), hidden_act=ACTIVATIONS,
           layer_norm_eps=[1e-12, 1e-5])


def electra(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, embedding_size=[c["hidden_size"], 18, 27], summary_activation=["gelu", "tanh"])


def albert(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, embedding_size=range(6, 20), num_hidden_layers=[2, 3, 4], inner_group_num=[1, 2])
    choose(c, rng, num_hidden_groups=range(1, c["num_hidden_layers"] + 1))


def distilbert(c: dict, rng) -> None:
    heads(c, rng, "dim", "n_heads")
    choose(c, rng, n_layers=[1, 2, 3], hidden_dim=range(20, 70), vocab_size=range(60, 140),
           max_position_embeddings=range(40, 90), activation=["gelu", "relu"])
    c["hidden_act"] = c["activation"]


def gpt2(c: dict, rng) -> None:
    heads(c, rng, "n_embd", "n_head")
    choose(c, rng, n_layer=[1, 2, 3], n_positions=range(40, 90), vocab_size=range(60, 140),
           n_inner=[None, 50, 67], activation_function=ACTIVATIONS, layer_norm_epsilon=[1e-5, 1e-6])


def gpt_neox(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 3, 5])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 16])
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(100, 140),
           hidden_act=ACTIVATIONS, attention_bias=[True, True, False])
    choose(c["rope_parameters"], rng, partial_rotary_factor=[0.25, 0.5, 1.0], rope_theta=[10000.0, 25000.0])


def opt(c: dict, rng) -> None:
    projected = c["word_embed_proj_dim"] != c["hidden_size"]
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], ffn_dim=range(20, 70), vocab_size=range(60, 140),
           max_position_embeddings=range(40, 90), activation_function=["relu", "gelu"],
           enable_bias=[True, True, False])
    c["word_embed_proj_dim"] = rng.choice([11, 13, 22]) if projected else c["hidden_size"]
    c["embed_dim"] = c["word_embed_proj_dim"]


def bloom(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "n_head")
    choose(c, rng, n_layer=[1, 2, 3], vocab_size=range(60, 140), layer_norm_epsilon=[1e-5, 1e-6],
           apply_residual_connection_post_layernorm=[False, True])


def rope(parameters: dict, head_dim: int, rng) -> None:
    """Other numbers for whichever kind of rotary positions there is."""
    choose(parameters, rng, rope_theta=[10000.0, 50000.0, 1000000.0])
    if "factor" in parameters:
        choose(parameters, rng, factor=[1.5, 2.5, 4.0, 6.0])
    for field in ("short_factor", "long_factor"):
        if field in parameters:
            parameters[field] = [rng.randint(4, 16) / 4 for _ in range(head_dim // 2)]


def llama(c: dict, rng) -> None:
    """LLaMA and its like: heads may have a size of their own, and share keys and values in groups."""
    one_group = c["num_key_value_heads"] == 1
    groups = 1 if one_group else rng.choice([2, 3])
    c["num_key_value_heads"], c["num_attention_heads"] = groups, groups * rng.choice([1, 2, 3])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([6, 8, 10])
    if c.get("head_dim"):
        choose(c, rng, head_dim=[6, 8, 10, 18])
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           rms_norm_eps=[1e-5, 1e-6])
    rope(c["rope_parameters"], c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"], rng)
    if c.get("sliding_window"):
        choose(c, rng, sliding_window=[2, 3, 5, 6])
    if "layer_types" in c:
        c["layer_types"] = layer_types(c, rng)


def layer_types(c: dict, rng) -> list[str]:
    """Which layers see a window only, where a configuration lists that: any order, each kind it had at least
    once."""
    kinds = sorted(set(c["layer_types"]))
    c["num_hidden_layers"] = max(c["num_hidden_layers"], len(kinds))
    types = kinds + [rng.choice(kinds) for _ in range(c["num_hidden_layers"] - len(kinds))]
    rng.shuffle(types)
    return types


def gemma2(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, query_pre_attn_scalar=[16, 64, 144])
    for field, options in (("attn_logit_softcapping", [5.0, 20.0]), ("final_logit_softcapping", [3.0, 10.0])):
        if c[field]:
            choose(c, rng, **{field: options})


def divided_rotary(c: dict, rng) -> None:
    """LLaMA's like that rotate half of each head, which must be an even number."""
    llama(c, rng)
    if c.get("head_dim"):
        choose(c, rng, head_dim=[8, 12, 16])
    else:
        c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 12, 16])


def gemma(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, attention_bias=[False, True])


def gemma3_text(c: dict, rng) -> None:
    """Two kinds of rotary positions, by layer type."""
    parameters = c["rope_parameters"]
    c["rope_parameters"] = {}
    gemma(c, rng)
    c["rope_parameters"] = parameters
    for kind in parameters.values():
        rope(kind, c["head_dim"], rng)
    choose(c, rng, query_pre_attn_scalar=[16, 64, 144], attn_logit_softcapping=[None, 5.0],
           final_logit_softcapping=[None, 3.0])


def granite(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, attention_bias=[False, True], mlp_bias=[False, True], embedding_multiplier=[3.0, 12.0],
           attention_multiplier=[0.1, 0.4], residual_multiplier=[0.22, 0.7], logits_scaling=[0.5, 4.0])


def phi3(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, sliding_window=[None, 3, 5])


def glm4(c: dict, rng) -> None:
    divided_rotary(c, rng)
    choose(c, rng, attention_bias=[True, False])


def phi(c: dict, rng) -> None:
    divided_rotary(c, rng)
    choose(c, rng, hidden_act=ACTIVATIONS, layer_norm_eps=[1e-5, 1e-6])


def cohere2(c: dict, rng) -> None:
    gemma(c, rng)
    c["head_dim"] = rng.choice([6, 8, 10])
    c["hidden_size"] = c["num_attention_heads"] * c["head_dim"]
    choose(c, rng, logit_scale=[0.0625, 0.3, 1.5], layer_norm_eps=[1e-5, 1e-6])


def diffllama(c: dict, rng) -> None:
    """Values are halved by their heads, so that both counts of heads are even."""
    gemma(c, rng)
    c["num_key_value_heads"] *= 2
    c["num_attention_heads"] *= 2
    c["hidden_size"] *= 2


def gptj(c: dict, rng) -> None:
    heads(c, rng, "n_embd", "n_head", even=True)
    choose(c, rng, n_layer=[1, 2, 3], n_positions=range(40, 90), vocab_size=range(100, 140),
           n_inner=[None, 50, 67], rotary_dim=[2, 4, 6], activation_function=ACTIVATIONS,
           layer_norm_epsilon=[1e-5, 1e-6])


def codegen(c: dict, rng) -> None:
    """Heads are laid out in four parts."""
    gptj(c, rng)
    c["vocab_size"] = rng.randint(256, 280)
    c["n_head"] = rng.choice([4, 8])
    c["n_embd"] = c["n_head"] * rng.choice([6, 8, 10])


def biogpt(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           max_position_embeddings=range(40, 90), hidden_act=ACTIVATIONS, scale_embedding=[True, False])


def openai_gpt(c: dict, rng) -> None:
    heads(c, rng, "n_embd", "n_head")
    choose(c, rng, n_layer=[1, 2, 3], n_positions=range(40, 90), vocab_size=range(100, 140),
           afn=["gelu", "silu", "relu"], layer_norm_epsilon=[1e-5, 1e-6],
           summary_type=["cls_index", "first", "mean", "last"], summary_activation=[None, "tanh"],
           summary_proj_to_labels=[True, False])


def ctrl(c: dict, rng) -> None:
    heads(c, rng, "n_embd", "n_head", even=True)
    choose(c, rng, n_layer=[1, 2, 3], n_positions=range(40, 90), vocab_size=range(100, 140),
           dff=range(20, 70), layer_norm_epsilon=[1e-5, 1e-6])


def gpt_bigcode(c: dict, rng) -> None:
    gpt2(c, rng)
    choose(c, rng, vocab_size=range(100, 140), multi_query=[True, False], scale_attn_weights=[True, True, False])
    c.pop("num_key_value_heads")


def mpt(c: dict, rng) -> None:
    heads(c, rng, "d_model", "n_heads")
    choose(c, rng, n_layers=[1, 2, 3], vocab_size=range(100, 140), layer_norm_epsilon=[1e-5, 1e-6])
    choose(c["attn_config"], rng, clip_qkv=[None, 0.4, 0.8], softmax_scale=[None, 0.2, 0.6])


def falcon(c: dict, rng) -> None:
    """Its three layouts of a layer: one after the other stays, the parallel ones change into one another."""
    llama_like = {"num_key_value_heads": 2, "hidden_size": 0, "rope_parameters": c["rope_parameters"]}
    llama(llama_like, rng)
    c["num_attention_heads"], c["hidden_size"] = llama_like["num_attention_heads"], llama_like["hidden_size"]
    c["num_kv_heads"] = llama_like["num_key_value_heads"]
    choose(c, rng, num_hidden_layers=[1, 2, 3], ffn_hidden_size=range(20, 70), vocab_size=range(60, 140),
           layer_norm_epsilon=[1e-5, 1e-6], activation=ACTIVATIONS, bias=[False, True])
    if c["parallel_attn"]:
        choose(c, rng, new_decoder_architecture=[True, False], num_ln_in_parallel_attn=[1, 2])
    if not c["new_decoder_architecture"]:
        choose(c, rng, multi_query=[True, False])
        c["num_kv_heads"], c["num_ln_in_parallel_attn"] = c["num_attention_heads"], None


def t5(c: dict, rng) -> None:
    choose(c, rng, d_model=range(24, 60), num_heads=[2, 3, 5], d_kv=[5, 8, 11], d_ff=range(20, 70),
           num_layers=[1, 2, 3], relative_attention_num_buckets=[8, 12, 32], vocab_size=range(60, 140),
           relative_attention_max_distance=[16, 20, 128])
    if c["relative_attention_num_buckets"] == 32 and c["relative_attention_max_distance"] == 16:
        c["relative_attention_max_distance"] = 20  # the decoder has a bucket for each of the first 16
    choose(c, rng, num_decoder_layers=at_most(c["num_layers"]))


def switch_transformers(c: dict, rng) -> None:
    t5(c, rng)
    choose(c, rng, num_experts=[2, 3, 5], encoder_sparse_step=[0, 1, 2], decoder_sparse_step=[0, 1, 2],
           dense_act_fn=["relu", "silu"])


def bart(c: dict, rng) -> None:
    head_dim = rng.choice([5, 6, 8])
    c["d_model"] = 6 * head_dim
    choose(c, rng, encoder_attention_heads=[2, 3, 6], decoder_attention_heads=[2, 3, 6],
           encoder_layers=[1, 2, 3], encoder_ffn_dim=range(20, 70), decoder_ffn_dim=range(20, 70),
           vocab_size=range(60, 140), max_position_embeddings=range(40, 90), activation_function=ACTIVATIONS)
    choose(c, rng, decoder_layers=at_most(c["encoder_layers"]))


def nllb_moe(c: dict, rng) -> None:
    bart(c, rng)
    c["d_model"] = 6 * rng.choice([4, 6, 8])
    choose(c, rng, num_experts=[2, 3, 5], encoder_sparse_step=[0, 1, 2], decoder_sparse_step=[1, 2],
           moe_token_dropout=[0.0, 0.3], activation_function=["relu", "gelu"])


def prophetnet(c: dict, rng) -> None:
    head_dim = rng.choice([5, 6, 8])
    c["hidden_size"] = 6 * head_dim
    choose(c, rng, num_encoder_attention_heads=[2, 3, 6], num_decoder_attention_heads=[2, 3, 6],
           num_encoder_layers=[1, 2, 3], encoder_ffn_dim=range(20, 70), decoder_ffn_dim=range(20, 70),
           vocab_size=range(60, 140), max_position_embeddings=range(40, 60), ngram=[1, 2, 3],
           num_buckets=[6, 9, 32], relative_max_distance=[7, 11, 40], activation_function=ACTIVATIONS)
    if c["num_buckets"] == 32:
        c["relative_max_distance"] = 40
    choose(c, rng, num_decoder_layers=at_most(c["num_encoder_layers"]))


def trocr(c: dict, rng) -> None:
    c["d_model"] = c["hidden_size"] = 6 * rng.choice([5, 6, 8])
    choose(c, rng, decoder_attention_heads=[2, 3, 6], decoder_layers=[1, 2, 3], decoder_ffn_dim=range(20, 70),
           vocab_size=range(60, 140), max_position_embeddings=range(40, 90), activation_function=ACTIVATIONS)


def encoder_decoder(c: dict, rng) -> None:
    for side in ("encoder", "decoder"):
        bert(c[side], rng)
    c["encoder"]["vocab_size"] = c["decoder"]["vocab_size"]
    c["decoder"]["num_hidden_layers"] = rng.choice(at_most(c["encoder"]["num_hidden_layers"]))
    c["vocab_size"] = c["encoder"]["vocab_size"]


def rag(c: dict, rng) -> None:
    bart(c["generator"], rng)
    c["vocab_size"] = c["generator"]["vocab_size"]
    choose(c, rng, n_docs=[1, 2, 3], decoder_start_token_id=[2])


def vit(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), num_channels=[1, 3, 4],
           patch_size=[3, 4, 5], qkv_bias=[True, False], hidden_act=ACTIVATIONS, layer_norm_eps=[1e-12, 1e-6])
    c["image_size"] = c["patch_size"] * rng.choice([3, 4, 5])
    c["encoder_stride"] = c["patch_size"]
    c["pooler_output_size"] = rng.choice([c["hidden_size"], 21])


def stages(c: dict, rng, backbone: bool) -> None:
    """Depths and widths of a model in stages; a backbone also chooses whose outputs it returns."""
    count = rng.choice([3, 4])
    c["hidden_sizes"] = sorted(rng.choice(range(8, 40)) for _ in range(count))
    c["depths"] = [rng.choice([1, 2]) for _ in range(count)]
    for derived in ("stage_names", "out_features", "out_indices"):
        c.pop(derived, None)
    if "num_stages" in c:
        c["num_stages"] = count
    if backbone:
        names = ["stem"] + [f"stage{i + 1}" for i in range(count)]
        c["out_features"] = [name for name in names if name in rng.sample(names, 2)]


def convnext(c: dict, rng) -> None:
    stages(c, rng, "ConvNextBackbone" in c["architectures"])
    choose(c, rng, patch_size=[2, 4], num_channels=[1, 3], hidden_act=ACTIVATIONS,
           layer_scale_init_value=[1e-6, 1e-6, 0.0])


def resnet(c: dict, rng) -> None:
    stages(c, rng, "ResNetBackbone" in c["architectures"])
    choose(c, rng, embedding_size=range(8, 40), num_channels=[1, 3], downsample_in_first_stage=[False, True],
           downsample_in_bottleneck=[False, True], hidden_act=["relu", "silu"])


def clip_text_model(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           max_position_embeddings=range(20, 60), projection_dim=range(16, 50),
           hidden_act=["quick_gelu", "gelu"])
    if c["eos_token_id"] != 2:  # 2 is a mistake of the first published models, and read as "the largest id"
        c["eos_token_id"], c["bos_token_id"] = c["vocab_size"] - 1, c["vocab_size"] - 2


def clip_vision_model(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), num_channels=[1, 3],
           patch_size=[3, 4, 5], projection_dim=range(16, 50), hidden_act=["quick_gelu", "gelu"])
    c["image_size"] = c["patch_size"] * rng.choice([3, 4, 5])


def clip(c: dict, rng) -> None:
    clip_text_model(c["text_config"], rng)
    clip_vision_model(c["vision_config"], rng)
    choose(c, rng, projection_dim=range(16, 50), logit_scale_init_value=[2.0, 2.6592])


def wav2vec2(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    layers = rng.choice([2, 3, 4])
    c["num_feat_extract_layers"] = layers
    c["conv_dim"] = [rng.choice([10, 16, 24]) for _ in range(layers)]
    c["conv_kernel"] = [rng.choice([3, 4, 5, 8]) for _ in range(layers)]
    c["conv_stride"] = [rng.choice([2, 3]) for _ in range(layers)]
    c["num_conv_pos_embedding_groups"] = c["num_attention_heads"]
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70),
           num_conv_pos_embeddings=[5, 8, 13], conv_bias=[False, True], vocab_size=range(20, 50),
           classifier_proj_size=range(16, 50), use_weighted_layer_sum=[False, True],
           num_adapter_layers=[1, 2], num_codevectors_per_group=[20, 33], codevector_dim=[24, 36],
           proj_codevector_dim=[20, 30], xvector_output_dim=[18, 24], hidden_act=["gelu", "relu"])
    c["output_hidden_size"] = rng.choice([c["hidden_size"], 22]) if c["add_adapter"] else c["hidden_size"]
    c["tdnn_dim"] = [21, 26]
    c["tdnn_kernel"], c["tdnn_dilation"] = [rng.choice([3, 5]), 3], [1, rng.choice([1, 2])]


def whisper(c: dict, rng) -> None:
    head_dim = rng.choice([5, 6, 8])
    c["d_model"] = 6 * head_dim
    choose(c, rng, encoder_attention_heads=[2, 3, 6], decoder_attention_heads=[2, 3, 6],
           encoder_layers=[1, 2, 3], encoder_ffn_dim=range(20, 70), decoder_ffn_dim=range(20, 70),
           vocab_size=range(60, 140), max_source_positions=range(10, 30), max_target_positions=range(30, 60),
           num_mel_bins=[16, 20, 40], activation_function=["gelu", "relu"], classifier_proj_size=range(8, 30))
    choose(c, rng, decoder_layers=at_most(c["encoder_layers"]))
    c["begin_suppress_tokens"] = None
    c["bos_token_id"] = c["eos_token_id"] = c["vocab_size"] - 1
    c["decoder_start_token_id"], c["pad_token_id"] = c["vocab_size"] - 2, c["vocab_size"] - 3


def mpnet(c: dict, rng) -> None:
    bert(c, rng)
    del c["type_vocab_size"]


def roformer(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           max_position_embeddings=range(40, 90), type_vocab_size=range(1, 6), hidden_act=ACTIVATIONS,
           layer_norm_eps=[1e-12, 1e-5], embedding_size=[c["hidden_size"], 18, 27], rotary_value=[False, True])


def layoutlm(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, max_2d_position_embeddings=range(60, 120))


def lilt(c: dict, rng) -> None:
    layoutlm(c, rng)
    choose(c, rng, num_attention_heads=[2, 3, 6], channel_shrink_ratio=[2, 4])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 12, 24]) * 3


def squeezebert(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, num_attention_heads=[2, 3, 6], intermediate_size=[24, 36, 60])
    c["hidden_size"] = c["embedding_size"] = rng.choice([24, 36, 48])
    choose(c, rng, **{f"{part}_groups": [1, 2, 3, 4] for part in
                      ("q", "k", "v", "post_attention", "intermediate", "output")})


def ibert(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, hidden_act=["gelu"], quant_mode=[False, True])


def mobilebert(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, embedding_size=[9, 12, 18], trigram_input=[False, True],
           use_bottleneck=[True, True, False], use_bottleneck_attention=[False, True],
           key_query_shared_bottleneck=[False, True, True], num_feedforward_networks=[1, 2, 3],
           normalization_type=["no_norm", "layer_norm"], classifier_activation=[False, True, True])
    c["intra_bottleneck_size"] = c["num_attention_heads"] * rng.choice([6, 8, 9])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([10, 12, 14])
    if c["key_query_shared_bottleneck"] is False and c["use_bottleneck_attention"] is False:
        c["intra_bottleneck_size"] = c["hidden_size"]  # queries are projected from that width, but given this one
    c["true_hidden_size"] = c["intra_bottleneck_size"] if c["use_bottleneck"] else c["hidden_size"]


def modernbert(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    choose(c, rng, num_hidden_layers=[2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           local_attention=[4, 6, 9], norm_eps=[1e-5, 1e-3], hidden_activation=ACTIVATIONS,
           classifier_activation=ACTIVATIONS, classifier_pooling=["cls", "mean"],
           **{f"{part}_bias": [False, True] for part in ("norm", "attention", "mlp", "decoder", "classifier")})
    c["layer_types"] = layer_types(c, rng)
    for parameters in c["rope_parameters"].values():
        choose(parameters, rng, rope_theta=[10000.0, 50000.0, 160000.0])


def tapas(c: dict, rng) -> None:
    bert(c, rng)
    del c["type_vocab_size"]
    c["type_vocab_sizes"] = [rng.randint(3, 9) for _ in range(7)]
    choose(c, rng, reset_position_index_per_cell=[True, True, False], num_aggregation_labels=[0, 3, 5],
           temperature=[1.0, 0.5], max_num_rows=[4, 6, 16], max_num_columns=[4, 5, 16],
           allow_empty_column_selection=[False, True])


def xlm(c: dict, rng) -> None:
    heads(c, rng, "emb_dim", "n_heads")
    choose(c, rng, n_layers=[1, 2, 3], vocab_size=range(60, 140), max_position_embeddings=range(40, 90),
           gelu_activation=[False, True], causal=[False, True], layer_norm_eps=[1e-12, 1e-5], n_langs=[1, 3],
           summary_type=["first", "last", "mean"], summary_use_proj=[True], start_n_top=[2, 3], end_n_top=[2, 3])


def deberta(c: dict, rng) -> None:
    """What a case is about, its kinds of scores, stays; how far positions reach changes."""
    bert(c, rng)
    choose(c, rng, type_vocab_size=[0, 3], max_relative_positions=[-1, 4, 7], hidden_act=ACTIVATIONS,
           position_biased_input=[False, True], embedding_size=[c["hidden_size"], 18])
    c["pooler_hidden_size"] = c["hidden_size"]
    if c["relative_attention"]:
        choose(c, rng, pos_att_type=[["c2p"], ["p2c"], ["p2c", "c2p"], "c2p|p2c"])


def deberta_v2(c: dict, rng) -> None:
    deberta(c, rng)
    if c["relative_attention"]:
        choose(c, rng, share_att_key=[False, True], norm_rel_ebd=["none", "layer_norm"])
    if c.get("position_buckets", 0) > 0:
        choose(c, rng, position_buckets=[4, 6, 8], max_relative_positions=[-1, 30])
    if c.get("conv_kernel_size", 0) > 0:
        choose(c, rng, conv_kernel_size=[3, 5], conv_act=["tanh", "gelu"], conv_groups=[1, 1])


def xlnet(c: dict, rng) -> None:
    heads(c, rng, "d_model", "n_head", even=True)
    c["d_head"] = c["d_model"] // c["n_head"]
    choose(c, rng, n_layer=[1, 2, 3], d_inner=range(20, 70), vocab_size=range(60, 140), clamp_len=[-1, 4],
           ff_activation=ACTIVATIONS, layer_norm_eps=[1e-12, 1e-5], start_n_top=[2, 3], end_n_top=[2, 3],
           mem_len=[None, 8, 10], reuse_len=[None], summary_type=["first", "last", "mean"])


def luke(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, entity_vocab_size=range(10, 30), use_entity_aware_attention=[False, True, True],
           entity_emb_size=[c["hidden_size"], 13, 22])


def attention_windows(c: dict, rng, layers: int) -> None:
    """One for each layer, from shorter to longer than a text; the library wants each to divide the largest."""
    windows = rng.choice([[4, 8, 16], [6, 12], [4, 20], [10]])
    c["attention_window"] = [rng.choice(windows) for _ in range(layers)]


def longformer(c: dict, rng) -> None:
    bert(c, rng)
    attention_windows(c, rng, c["num_hidden_layers"])


def led(c: dict, rng) -> None:
    bart(c, rng)
    choose(c, rng, max_encoder_position_embeddings=range(40, 90), max_decoder_position_embeddings=range(40, 90))
    attention_windows(c, rng, c["encoder_layers"])


def longt5(c: dict, rng) -> None:
    t5(c, rng)
    choose(c, rng, relative_attention_max_distance=[20, 128], local_radius=[1, 2, 3, 6, 20],
           global_block_size=[1, 2, 4, 8],
           encoder_attention_type=["local", "transient-global"])


def big_bird(c: dict, rng) -> None:
    """Blocks so small that a short text has enough of them for sparse attention."""
    bert(c, rng)
    choose(c, rng, block_size=[1, 2], num_random_blocks=[1, 1, 2], use_bias=[True, False],
           rescale_embeddings=[False, True], attention_type=["block_sparse", "block_sparse", "original_full"])
    if "BigBirdForCausalLM" in c["architectures"]:  # what was seen in blocks is forgotten in generating
        c["block_size"], c["num_random_blocks"] = 2, 3


def esm(c: dict, rng) -> None:
    """Rotary or learned positions stay as they are."""
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(40, 70),
           max_position_embeddings=range(40, 90), emb_layer_norm_before=[None, True], layer_norm_eps=[1e-12, 1e-5],
           token_dropout=[False, True])
    c["mask_token_id"] = c["vocab_size"] - 1
    if c.get("is_folding_model"):
        c["vocab_size"] = len(c["vocab_list"])
        c["mask_token_id"] = c["vocab_list"].index("<mask>")
        folding(c["esmfold_config"], rng)


def folding(c: dict, rng) -> None:
    trunk, structure = c["trunk"], c["trunk"]["structure_module"]
    choose(c, rng, lddt_head_hid_dim=range(5, 20))
    choose(trunk, rng, num_blocks=[1, 2], position_bins=range(2, 9), max_recycles=[1, 2, 3], sequence_head_width=[3, 6],
           pairwise_head_width=[2, 5], chunk_size=[None, 3])
    trunk["sequence_state_dim"] = trunk["sequence_head_width"] * rng.choice([5, 8])
    trunk["pairwise_state_dim"] = trunk["pairwise_head_width"] * rng.choice([2, 4])
    choose(structure, rng, sequence_dim=range(20, 40), pairwise_dim=range(8, 20), ipa_dim=range(5, 12),
           resnet_dim=range(8, 20), num_heads_ipa=[2, 3], num_qk_points=[3, 5], num_v_points=[2, 6], num_blocks=[1, 3],
           num_transition_layers=[1, 2], num_resnet_blocks=[1, 3], trans_scale_factor=[8, 10], epsilon=[1e-8, 1e-5])


def mamba(c: dict, rng) -> None:
    """Mamba and Falcon Mamba."""
    choose(c, rng, hidden_size=range(18, 50), num_hidden_layers=[1, 2, 3], state_size=range(3, 20), conv_kernel=[2, 3, 5],
           expand=[1, 2, 3], time_step_rank=range(1, 6), use_bias=[False, True], use_conv_bias=[False, True],
           hidden_act=["silu", "gelu"], layer_norm_epsilon=[1e-5, 1e-6], vocab_size=range(100, 140))
    c["intermediate_size"] = c["expand"] * c["hidden_size"]


def mamba2(c: dict, rng) -> None:
    groups = rng.choice([1, 2, 3])
    c["n_groups"], c["num_heads"] = groups, groups * rng.choice([2, 4])
    choose(c, rng, expand=[1, 2], head_dim=[4, 6, 10], num_hidden_layers=[1, 2, 3], state_size=range(3, 12),
           conv_kernel=[2, 3, 5], chunk_size=[3, 4, 16], use_bias=[False, True], use_conv_bias=[False, True],
           hidden_act=["silu", "gelu"], layer_norm_epsilon=[1e-5, 1e-6], vocab_size=range(100, 140))
    c["hidden_size"] = c["num_heads"] * c["head_dim"] // c["expand"]
    c["time_step_limit"] = [0.01, 0.5]


def jamba(c: dict, rng) -> None:
    groups = rng.choice([1, 2, 3])
    c["num_key_value_heads"], c["num_attention_heads"] = groups, groups * rng.choice([1, 2, 3])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([6, 8, 10])
    choose(c, rng, num_hidden_layers=[3, 4], attn_layer_period=[2, 3], expert_layer_period=[2, 3], num_experts=[3, 5],
           intermediate_size=range(20, 50), mamba_d_state=range(3, 12), mamba_d_conv=[2, 3, 5], mamba_expand=[1, 2],
           mamba_dt_rank=range(1, 6), mamba_conv_bias=[False, True], mamba_proj_bias=[False, True],
           vocab_size=range(60, 140))
    choose(c, rng, attn_layer_offset=range(c["attn_layer_period"]), expert_layer_offset=range(c["expert_layer_period"]))


def falcon_h1(c: dict, rng) -> None:
    llama(c, rng)
    groups = rng.choice([1, 2])
    c["mamba_n_groups"], c["mamba_n_heads"] = groups, groups * rng.choice([2, 3])
    choose(c, rng, mamba_d_head=[4, 6, 10], mamba_d_state=range(3, 12), mamba_d_conv=[2, 3, 5], mamba_chunk_size=[3, 4, 16],
           mamba_conv_bias=[False, True], mamba_proj_bias=[False, True], projectors_bias=[False, True],
           mamba_norm_before_gate=[False, True], attention_bias=[False, True], mlp_bias=[False, True],
           embedding_multiplier=[1.0, 1.5], lm_head_multiplier=[0.75, 1.25], key_multiplier=[0.5, 1.25],
           attention_in_multiplier=[0.75, 1.5], attention_out_multiplier=[0.5, 1.25], ssm_in_multiplier=[0.75, 1.25],
           ssm_out_multiplier=[0.5, 1.5])
    c["mamba_rms_norm"], c["time_step_limit"] = True, [0.01, 0.5]
    c["mamba_d_ssm"] = c["mamba_n_heads"] * c["mamba_d_head"]
    c["mlp_multipliers"] = [rng.choice([0.5, 1.25]), rng.choice([0.75, 1.5])]
    c["ssm_multipliers"] = [rng.choice([0.5, 0.75, 1.25]) for _ in range(5)]


def recurrent_gemma(c: dict, rng) -> None:
    groups = rng.choice([1, 2])
    c["num_key_value_heads"], c["num_attention_heads"] = groups, groups * rng.choice([2, 3])
    c["head_dim"] = rng.choice([8, 12])
    c["hidden_size"] = c["lru_width"] = c["num_attention_heads"] * c["head_dim"]
    choose(c, rng, num_hidden_layers=[3, 4], conv1d_width=[2, 3, 5], attention_window_size=[2, 3, 5],
           logits_soft_cap=[15.0, 30.0], attention_bias=[False, True], hidden_activation=["gelu_pytorch_tanh", "silu"],
           vocab_size=range(60, 140))
    c["intermediate_size"] = 2 * rng.choice([17, 25, 40])
    c["block_types"] = rng.choice([["recurrent", "recurrent", "attention"], ["attention", "recurrent"]])


def zamba2(c: dict, rng) -> None:
    c["num_attention_heads"] = c["num_key_value_heads"] = c["num_query_groups"] = rng.choice([2, 3])
    c["kv_channels"] = rng.choice([6, 8])
    c["hidden_size"] = width = c["num_attention_heads"] * c["kv_channels"]
    c["attention_hidden_size"], c["attention_head_dim"] = 2 * width, 2 * c["kv_channels"]
    c["mamba_ngroups"] = rng.choice([1, 2])
    c["n_mamba_heads"] = 2 * c["num_attention_heads"]
    c["mamba_headdim"] = 2 * width // c["n_mamba_heads"]
    c["num_hidden_layers"], c["num_mem_blocks"] = 5, 2
    c["layers_block_type"] = ["linear_attention", "hybrid", "hybrid", "linear_attention", "hybrid"]
    c["hybrid_layer_ids"] = [1, 2, 4]
    choose(c, rng, intermediate_size=range(9, 30), mamba_d_state=range(3, 8), mamba_d_conv=[2, 3, 5],
           adapter_rank=[3, 5, 7], chunk_size=[3, 4, 16], use_shared_attention_adapter=[True],
           use_mem_rope=[False, True], add_bias_linear=[False, True], vocab_size=range(60, 140))


def xlstm(c: dict, rng) -> None:
    choose(c, rng, num_heads=[1, 2, 4])
    c["num_hidden_layers"] = c["num_blocks"] = rng.choice([1, 3])
    choose(c, rng, ffn_proj_factor=[0.6, 1.3], use_bias=[False, True],
           gate_soft_cap=[7.0, 15.0], output_logit_soft_cap=[15.0, 30.0], vocab_size=range(100, 140))


def convbert(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, num_attention_heads=[2, 3, 4], conv_kernel_size=[1, 3, 5, 9], head_ratio=[1, 2, 3])
    groups = c["num_groups"] = rng.choice([1, 2, 3])
    kept = max(1, c["num_attention_heads"] // c["head_ratio"])
    c["hidden_size"] = 2 * kept * c["num_attention_heads"] * groups * rng.choice([1, 2])
    c["intermediate_size"] = groups * rng.choice([13, 17, 22])
    choose(c, rng, embedding_size=[c["hidden_size"], 18, 27])


def nystromformer(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, conv_kernel_size=[1, 3, 5, 9])


def yoso(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, conv_window=[None, 1, 3, 5], hash_code_len=[3, 5, 9])


def funnel(c: dict, rng) -> None:
    choose(c, rng, d_model=range(20, 50, 2), n_head=[1, 2, 3, 5], d_head=range(4, 12), d_inner=range(20, 70),
           num_decoder_layers=[1, 2], hidden_act=ACTIVATIONS, vocab_size=range(60, 140), pooling_type=["mean", "max"],
           attention_type=["relative_shift", "factorized"], truncate_seq=[False, True], pool_q_only=[False, True])
    c["block_sizes"] = [rng.choice([1, 2]) for _ in range(rng.choice([1, 2, 2, 3]))]
    c["block_repeats"] = [rng.choice([1, 1, 2]) for _ in c["block_sizes"]]


def fnet(c: dict, rng) -> None:
    choose(c, rng, hidden_size=range(20, 50), num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70),
           vocab_size=range(60, 140), max_position_embeddings=range(40, 90), type_vocab_size=range(1, 6),
           hidden_act=ACTIVATIONS, layer_norm_eps=[1e-12, 1e-5])


def rwkv(c: dict, rng) -> None:
    """The cache of a generating model has room for hidden_size values a token, so attention is as wide."""
    choose(c, rng, hidden_size=range(18, 50), intermediate_size=range(20, 70), num_hidden_layers=[2, 3, 4],
           rescale_every=[0, 1, 2], layer_norm_epsilon=[1e-5, 1e-6], vocab_size=range(60, 140))
    c["attention_hidden_size"] = c["hidden_size"]


def canine(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hash_functions=[n for n in range(2, 17) if c["hidden_size"] % n == 0] or [1],
           num_hash_buckets=range(20, 60), num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70),
           hidden_act=ACTIVATIONS, downsampling_rate=[2, 3, 4], upsampling_kernel_size=[1, 2, 3, 5],
           local_transformer_stride=range(3, 8), type_vocab_size=[2, 5], max_position_embeddings=range(17, 40))


def perceiver(c: dict, rng) -> None:
    """Latents are as wide as values, and the masked language model's decoder has 8 heads."""
    selves, crosses = rng.choice([1, 2, 3]), rng.choice([1, 2, 4])
    c["num_self_attention_heads"], c["num_cross_attention_heads"] = selves, crosses
    c["d_latents"] = c["v_channels"] = selves * crosses * rng.choice([3, 4, 5])
    c["qk_channels"] = selves * crosses * rng.choice([2, 3, 5])
    choose(c, rng, num_latents=range(5, 14), d_model=[16, 24, 40], num_blocks=[1, 2], num_self_attends_per_block=[1, 2],
           self_attention_widening_factor=[1, 2, 3], cross_attention_widening_factor=[1, 2, 3], hidden_act=ACTIVATIONS,
           use_query_residual=[False, True], cross_attention_shape_for_attention=["q", "kv"], vocab_size=range(60, 140),
           max_position_embeddings=range(16, 24), image_size=[12, 16, 20], num_frames=[2, 3], samples_per_patch=[5, 8],
           output_num_channels=range(10, 40), _label_trainable_num_channels=range(5, 30))
    c["audio_samples_per_frame"] = c["samples_per_patch"] * rng.choice([6, 7])
    c["train_size"] = [rng.randint(9, 20), rng.randint(9, 20)]
    c["output_shape"] = [1, rng.randint(2, 4), rng.randint(10, 20), rng.randint(10, 20)]


def reformer(c: dict, rng) -> None:
    """Positions of two axes have room for a text filled up to whole chunks."""
    choose(c, rng, num_attention_heads=[1, 2, 3], attention_head_size=range(5, 13), feed_forward_size=range(20, 70),
           hidden_act=ACTIVATIONS, layer_norm_eps=[1e-12, 1e-5], local_attn_chunk_length=range(2, 6),
           local_num_chunks_before=[0, 1], vocab_size=range(60, 140), hash_seed=range(9))
    c["axial_pos_embds_dim"] = [rng.randint(7, 20), rng.randint(7, 20)]
    c["hidden_size"] = sum(c["axial_pos_embds_dim"])
    c["axial_pos_shape"] = [rng.randint(4, 7), rng.randint(5, 8)]
    c["attn_layers"] = ["local"] * rng.choice([1, 2, 3])
    c["num_hidden_layers"] = len(c["attn_layers"])
    if not c["is_decoder"]:
        c["local_num_chunks_after"] = rng.choice([0, 1])


SIZES = {"bert": bert, "roberta": bert, "distilbert": distilbert, "electra": electra, "albert": albert,
         "gpt2": gpt2, "gpt_neox": gpt_neox, "opt": opt, "bloom": bloom, "llama": llama, "mistral": llama,
         "qwen2": llama, "qwen3": llama, "gemma2": gemma2, "gemma": gemma,
         "gemma3_text": gemma3_text, "granite": granite, "olmo2": gemma, "phi3": phi3, "glm4": glm4, "phi": phi,
         "cohere2": cohere2, "bitnet": gemma, "diffllama": diffllama, "gptj": gptj, "codegen": codegen,
         "biogpt": biogpt, "openai-gpt": openai_gpt, "ctrl": ctrl, "gpt_bigcode": gpt_bigcode, "mpt": mpt,
         "falcon": falcon, "mamba": mamba, "falcon_mamba": mamba, "mamba2": mamba2, "jamba": jamba,
         "falcon_h1": falcon_h1, "recurrent_gemma": recurrent_gemma, "zamba2": zamba2, "xlstm": xlstm, "t5": t5, "bart": bart, "vit": vit, "deit": vit,
         "convnext": convnext, "resnet": resnet, "clip": clip, "clip_text_model": clip_text_model,
         "clip_vision_model": clip_vision_model, "wav2vec2": wav2vec2, "whisper": whisper, "mpnet": mpnet, "roformer": roformer, "layoutlm": layoutlm,
         "lilt": lilt, "squeezebert": squeezebert, "ibert": ibert, "mobilebert": mobilebert,
         "modernbert": modernbert, "tapas": tapas, "xlm": xlm, "deberta": deberta, "deberta-v2": deberta_v2,
         "xlnet": xlnet, "luke": luke, "esm": esm,
         "fnet": fnet, "convbert": convbert, "nystromformer": nystromformer, "yoso": yoso, "mra": bert,
         "funnel": funnel}
SIZES |= {"longformer": longformer, "led": led, "longt5": longt5, "big_bird": big_bird}
SIZES |= {"switch_transformers": switch_transformers, "nllb-moe": nllb_moe, "prophetnet": prophetnet, "trocr": trocr,
          "encoder-decoder": encoder_decoder, "rag": rag}
SIZES |= {"rwkv": rwkv, "canine": canine, "perceiver": perceiver, "reformer": reformer}

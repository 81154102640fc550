#include "models/blocks/moshi.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    options.q = "q_proj.linear";
    options.k = "k_proj.linear";
    options.v = "v_proj.linear";
    options.out = "o_proj.linear";
    return am_self_attention(b, x, &options);
}

/* fc1 gives the gate, then what it gates. */
static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int64_t half = o->intermediate_size / 2;
    x = am_linear(b, "fc1", x, 2 * half, AM_NO_BIAS);
    x = am_gated_activation(b, o->hidden_act, am_slice(b, x, 2, 0, half), am_slice(b, x, 2, half, 2 * half));
    return am_linear(b, "fc2", x, o->hidden_size, AM_NO_BIAS);
}

void am_moshi_adapt(const am_config *c, am_decoder_options *o)
{
    o->intermediate_size = am_config_size(c, "ffn_dim", o->intermediate_size);
    if (o->intermediate_size % 2 != 0) am_config_fail(c, "ffn_dim", "expected an even number");
    /* No window of the class's, but transformers' cache keeps no more than it says. */
    o->cache_window = am_decoder_size_or_none(c, "sliding_window", 3000);
    o->attention = attention;
    o->mlp = mlp;
}

const am_decoder_family am_moshi_family = {.defaults = {.vocab_size = 32000,
                                                        .hidden_size = 4096,
                                                        .intermediate_size = 22528,
                                                        .num_hidden_layers = 32,
                                                        .num_attention_heads = 32,
                                                        .max_position_embeddings = 3000,
                                                        .rms_norm_eps = 1e-8,
                                                        .whole_heads = true},
                                           .adapt = am_moshi_adapt};

const am_decoder_family am_kyutai_family = {.defaults = {.vocab_size = 4001,
                                                         .hidden_size = 2048,
                                                         .intermediate_size = 11264,
                                                         .num_hidden_layers = 48,
                                                         .num_attention_heads = 32,
                                                         .max_position_embeddings = 750,
                                                         .rms_norm_eps = 1e-8,
                                                         .whole_heads = true},
                                            .adapt = am_moshi_adapt};

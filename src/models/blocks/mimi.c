#include "models/blocks/mimi.h"

#include "models/blocks/vision.h"

#include <inttypes.h>

static am_attention_options read_attention(const am_config *c, int64_t C)
{
    bool unbiased = !am_config_flag(c, "attention_bias", false);
    am_attention_options o = {.heads = am_config_size(c, "num_attention_heads", 8),
                              .kv_heads = am_config_size(c, "num_key_value_heads", 8),
                              .out = "o_proj",
                              .no_q_bias = unbiased,
                              .no_k_bias = unbiased,
                              .no_v_bias = unbiased,
                              .no_out_bias = unbiased,
                              .causal = true,
                              .window = am_config_size(c, "sliding_window", 250)};
    am_config_check_divides(c, "num_attention_heads", o.heads, "hidden_size", C);
    am_config_check_divides(c, "num_key_value_heads", o.kv_heads, "num_attention_heads", o.heads);
    o.head_dim = am_config_size(c, "head_dim", C / o.heads);
    return o;
}

am_mimi am_mimi_read(const am_config *c, const am_mimi *absent)
{
    am_mimi r = {.seanet = am_seanet_read(c, &absent->seanet),
                 .layers = am_config_count(c, "num_hidden_layers", absent->layers),
                 .intermediate_size = am_config_size(c, "intermediate_size", 2048),
                 .upsample_groups = am_config_size(c, "upsample_groups", 512),
                 .hidden_act = am_config_activation(c, "hidden_act", absent->hidden_act),
                 .norm_eps = am_config_real(c, "norm_eps", 1e-5)};
    int64_t C = r.seanet.hidden_size;
    r.attention = read_attention(c, C);
    r.rope =
        am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, r.attention.head_dim, 10000, 1, 8000);
    am_config_check_divides(c, "upsample_groups", r.upsample_groups, "hidden_size", C);
    if (am_config_flag(c, "use_streaming", false))
        am_config_unsupported(c, "use_streaming", "sounds are read as a whole, not going on from another");
    return r;
}

static am_value scaled(am_builder *b, const char *name, am_value x)
{
    am_scope(b, "%s", name);
    x = am_mul(b, x, am_parameter(b, "scale", am_shape_of(am_dim(b, x, 2)), x));
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const am_mimi *c, const am_attention_options *attention)
{
    am_value h = am_layer_norm(b, "input_layernorm", x, c->norm_eps);
    am_scope(b, "self_attn");
    h = am_self_attention(b, h, attention);
    am_end_scope(b);
    x = am_add(b, x, scaled(b, "self_attn_layer_scale", h));
    h = am_layer_norm(b, "post_attention_layernorm", x, c->norm_eps);
    h = am_linear_activation(b, "mlp.fc1", h, c->intermediate_size, AM_NO_BIAS, c->hidden_act);
    h = am_linear(b, "mlp.fc2", h, am_dim(b, x, 2), AM_NO_BIAS);
    return am_add(b, x, scaled(b, "mlp_layer_scale", h));
}

/* The layers below NAME over x: [B, C, T] -> [B, C, T]; shows: hidden states are outputs. */
static am_value transformer(am_builder *b, const char *name, am_value x, const am_mimi *c, bool shows)
{
    am_attention_options attention = c->attention;
    am_rope rope = am_rope_tables(b, &c->rope, am_dim(b, x, 2));
    attention.rope = &rope;
    x = am_transpose(b, x, 1, 2);
    am_scope(b, "%s", name);
    if (shows) am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c->layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = layer(b, x, c, &attention);
        am_end_scope(b);
        if (shows) am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return am_transpose(b, x, 1, 2);
}

am_value am_mimi_encode(am_builder *b, am_value x, const char *scope, int64_t width, const am_mimi *m, bool shows)
{
    am_seanet_conv_options halving = {.kernel = 2 * m->latent_stride, .stride = m->latent_stride, .unbiased = true};
    am_scope(b, "%s", scope);
    x = am_seanet_encode(b, x, &m->seanet);
    am_end_scope(b);
    x = transformer(b, "encoder_transformer", x, m, shows);
    return am_seanet_conv(b, "downsample", x, width, &halving, AM_PAD_REPLICATE, &m->seanet);
}

am_value am_mimi_decode(am_builder *b, am_value x, const char *scope, const am_mimi *m, int64_t longest, bool shows)
{
    if (x.id && am_dim(b, x, 1) != m->seanet.hidden_size)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "latents have %" PRId64 " channels, expected %" PRId64,
                                    am_dim(b, x, 1), m->seanet.hidden_size));
    x = am_seanet_upsample(b, "upsample", x, m->seanet.hidden_size, m->latent_stride, m->upsample_groups, AM_NO_BIAS,
                           &m->seanet);
    x = transformer(b, "decoder_transformer", x, m, shows);
    am_scope(b, "%s", scope);
    x = am_seanet_decode(b, x, &m->seanet);
    am_end_scope(b);
    return longest && am_dim(b, x, 2) > longest ? am_slice(b, x, 2, 0, longest) : x;
}

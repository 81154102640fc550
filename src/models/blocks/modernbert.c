#include "models/blocks/modernbert.h"

#include <string.h>

am_modernbert_config am_modernbert_config_read(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_modernbert_config m = {
        .vocab_size = am_config_size(c, "vocab_size", 50368),
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .intermediate_size = am_config_size(c, "intermediate_size", 1152),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 22),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 12),
        .sliding_window = am_config_count(c, "local_attention", 128) / 2,
        .norm_eps = am_config_real(c, "norm_eps", 1e-5),
        .hidden_activation = am_config_activation(c, "hidden_activation", AM_GELU),
        .classifier_activation = am_config_activation(c, "classifier_activation", AM_GELU),
        .norm_bias = am_config_flag(c, "norm_bias", false),
        .attention_bias = am_config_flag(c, "attention_bias", false),
        .mlp_bias = am_config_flag(c, "mlp_bias", false),
        .decoder_bias = am_config_flag(c, "decoder_bias", true),
        .classifier_bias = am_config_flag(c, "classifier_bias", false),
        .pools_mean = am_config_is(c, "classifier_pooling", "mean"),
        .global_every = am_config_size(c, "global_attn_every_n_layers", 3),
    };
    am_config_check_divides(c, "num_attention_heads", m.num_attention_heads, "hidden_size", m.hidden_size);
    return m;
}

am_value am_modernbert_norm(am_builder *b, const char *name, am_value x, const am_modernbert_config *c)
{
    return c->norm_bias ? am_layer_norm(b, name, x, c->norm_eps) : am_layer_norm_no_bias(b, name, x, c->norm_eps);
}

bool am_modernbert_is_local(am_builder *b, const am_modernbert_config *c, int layer)
{
    const am_config *config = am_model_config(b);
    const char *type = am_config_list_text(config, "layer_types", layer);
    return type ? strcmp(type, "sliding_attention") == 0 : layer % c->global_every != 0;
}

am_rope am_modernbert_rotations(am_builder *b, const am_modernbert_config *c, bool local, int64_t T)
{
    const am_config *config = am_model_config(b);
    double theta =
        local ? am_config_real(config, "local_rope_theta", 10000) : am_config_real(config, "global_rope_theta", 160000);
    am_rope_config r = am_rope_config_read(config, local ? "sliding_attention" : "full_attention",
                                           c->hidden_size / c->num_attention_heads, theta, 1, 8192);
    return am_rope_tables(b, &r, T);
}

am_value am_modernbert_feed_forward(am_builder *b, am_value x, const am_modernbert_config *c)
{
    am_scope(b, "mlp");
    x = am_linear(b, "Wi", x, 2 * c->intermediate_size, c->mlp_bias);
    x = am_linear(b, "Wo", am_gated_activation(b, c->hidden_activation, x, AM_NONE), c->hidden_size, c->mlp_bias);
    am_end_scope(b);
    return x;
}

am_value am_modernbert_head(am_builder *b, const char *name, am_value x)
{
    am_modernbert_config c = am_modernbert_config_read(b);
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "dense", x, c.hidden_size, c.classifier_bias, c.classifier_activation);
    x = am_modernbert_norm(b, "norm", x, &c);
    am_end_scope(b);
    return x;
}

#include "models/blocks/pix2struct.h"

#include "models/blocks/heads.h"
#include "models/blocks/t5.h"

static am_attention_options attention_of(int64_t heads, int64_t head_dim)
{
    return (am_attention_options){.heads = heads,
                                  .head_dim = head_dim,
                                  .q = "query",
                                  .k = "key",
                                  .v = "value",
                                  .out = "output",
                                  .no_q_bias = true,
                                  .no_k_bias = true,
                                  .no_v_bias = true,
                                  .no_out_bias = true,
                                  .scale = 1};
}

/* wo(activation(wi_0(x)) * wi_1(x)) below the scope NAME. */
static am_value gated(am_builder *b, const char *name, am_value x, int64_t inner, am_unary_fn activation)
{
    int64_t C = am_dim(b, x, -1);
    am_scope(b, "%s", name);
    am_value gate = am_linear(b, "wi_0", x, inner, AM_NO_BIAS), up = am_linear(b, "wi_1", x, inner, AM_NO_BIAS);
    x = am_linear(b, "wo", am_gated_activation(b, activation, gate, up), C, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* --- the encoder --- */

const am_pix2struct_vision am_pix2struct_encoder = {.inner = "d_ff",
                                                    .head_dim = "d_kv",
                                                    .places = "seq_len",
                                                    .hidden_size = 768,
                                                    .inner_size = 2048,
                                                    .layers = 12,
                                                    .heads = 12};

static am_value embed_patches(am_builder *b, am_value patches, const am_config *c, const am_pix2struct_vision *m,
                              int64_t C)
{
    static const char *const tables[] = {"row_embedder", "column_embedder"};
    int64_t places = am_config_size(c, m->places, 4096), width = am_config_size(c, "patch_embed_hidden_size", 768);
    if (patches.id && am_dim(b, patches, 2) != 2 + width) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "flattened_patches has %lld numbers a patch, expected %lld",
                                    (long long)am_dim(b, patches, 2), (long long)(2 + width)));
        return AM_NONE;
    }
    am_scope(b, "embeddings");
    am_value x = am_linear(b, "patch_projection", am_slice(b, patches, 2, 2, AM_SLICE_END), C, AM_BIAS);
    for (int i = 0; i < 2; i++) {
        am_value at = am_cast(b, am_index(b, patches, 2, i), AM_I32);
        x = am_add(b, x, am_embedding(b, tables[i], at, places, C));
    }
    am_end_scope(b);
    return x;
}

/* Patches that are not all zeros, where no mask says which. */
static am_value patch_mask(am_builder *b, am_value patches, const am_pix2struct_vision *m)
{
    if (!m->no_mask && am_has_input(b, "attention_mask")) return am_padding_mask(b, "attention_mask");
    am_value sum = am_reduce(b, AM_REDUCE_SUM, patches, am_shape_of(2), false);
    return am_padding_mask_of(b, am_binary_number(b, AM_NOT_EQUAL, sum, 0));
}

am_value am_pix2struct_encode(am_builder *b, const am_config *c, const am_pix2struct_vision *m,
                              const char *hidden_states)
{
    int64_t C = am_config_size(c, "hidden_size", m->hidden_size),
            layers = am_config_count(c, "num_hidden_layers", m->layers),
            inner = am_config_size(c, m->inner, m->inner_size);
    double eps = am_config_real(c, "layer_norm_eps", 1e-6);
    am_unary_fn act = am_config_activation(c, "dense_act_fn", AM_GELU_TANH);
    am_value patches = am_input(b, "flattened_patches", 3), x = embed_patches(b, patches, c, m, C);
    am_attention_options attention =
        attention_of(am_config_size(c, "num_attention_heads", m->heads), am_config_size(c, m->head_dim, 64));
    attention.mask = patch_mask(b, patches, m);
    if (m->scales) attention.scale = 0;
    for (int i = 0; i < layers && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, hidden_states, i, x);
        am_scope(b, "encoder.layer.%d", i);
        am_value h = am_rms_norm(b, "pre_attention_layer_norm", x, eps, 0);
        am_scope(b, "attention");
        x = am_add(b, x, am_self_attention(b, h, &attention));
        am_end_scope(b);
        x = am_add(b, x, gated(b, "mlp", am_rms_norm(b, "pre_mlp_layer_norm", x, eps, 0), inner, act));
        am_end_scope(b);
    }
    if (hidden_states) am_output_hidden_state(b, hidden_states, (int)layers, x);
    return am_rms_norm(b, "layernorm", x, eps, 0);
}

/* --- the decoder --- */

typedef struct text_options {
    am_t5_config t5;
    bool is_decoder;
} text_options;

static text_options read_text(const am_config *c)
{
    text_options o = {
        .t5 = {.vocab_size = am_config_size(c, "vocab_size", 50244),
               .d_model = am_config_size(c, "hidden_size", 768),
               .d_kv = am_config_size(c, "d_kv", 64),
               .d_ff = am_config_size(c, "d_ff", 2048),
               .num_layers = am_config_count(c, am_config_either(c, "num_layers", "num_hidden_layers"), 12),
               .num_heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 12),
               .buckets = am_config_count(c, "relative_attention_num_buckets", 32),
               .max_distance = am_config_count(c, "relative_attention_max_distance", 128),
               .layer_norm_epsilon = am_config_real(c, "layer_norm_epsilon", 1e-6),
               .dense_act_fn = am_config_activation(c, "dense_act_fn", AM_GELU_TANH)},
        .is_decoder = am_config_flag(c, "is_decoder", true),
    };
    if (o.t5.d_kv * o.t5.num_heads != o.t5.d_model) am_config_fail(c, "d_kv", "expected hidden_size / num_heads");
    return o;
}

/* NAME.layer_norm, NAME.attention; of encoded states where `text` is not null. */
static am_value attend(am_builder *b, const char *name, am_value x, const text_options *o,
                       const am_attention_options *attention, const am_pix2struct_text *text)
{
    am_scope(b, "%s", name);
    am_value h = am_rms_norm(b, "layer_norm", x, o->t5.layer_norm_epsilon, 0);
    am_scope(b, "attention");
    h = text ? am_cross_attention(b, h, text->encoded, attention) : am_self_attention(b, h, attention);
    am_end_scope(b);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value text_layers(am_builder *b, am_value x, const text_options *o, const am_pix2struct_text *text)
{
    const am_t5_config *c = &o->t5;
    am_attention_options self = attention_of(c->num_heads, c->d_kv), cross = self;
    self.mask = text->mask;
    self.causal = o->is_decoder;
    cross.mask = text->encoded_mask;
    if (c->num_layers)
        self.bias = am_t5_position_bias(b, c, "layer.0.self_attention.attention.relative_attention_bias",
                                        am_dim(b, x, 1), false);
    for (int i = 0; i < c->num_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, text->hidden_states, i, x);
        am_scope(b, "layer.%d", i);
        x = attend(b, "self_attention", x, o, &self, NULL);
        if (text->crosses) x = attend(b, "encoder_decoder_attention", x, o, &cross, text);
        am_value h = am_rms_norm(b, "mlp.layer_norm", x, c->layer_norm_epsilon, 0);
        x = am_add(b, x, gated(b, "mlp.DenseReluDense", h, c->d_ff, c->dense_act_fn));
        am_end_scope(b);
    }
    x = am_rms_norm(b, "final_layer_norm", x, c->layer_norm_epsilon, 0);
    am_output_hidden_state(b, text->hidden_states, (int)c->num_layers, x);
    return x;
}

am_value am_pix2struct_decode(am_builder *b, const am_config *c, const am_pix2struct_text *text, bool tied)
{
    text_options o = read_text(c);
    am_value x = text->embedded;
    if (!x.id) x = am_embedding(b, "embed_tokens", text->ids, o.t5.vocab_size, o.t5.d_model);
    x = am_last_position_if_wanted(b, text_layers(b, x, &o, text));
    am_value weight =
        am_weight(b, tied ? "embed_tokens.weight" : "lm_head.weight", am_shape_of(o.t5.vocab_size, o.t5.d_model));
    return am_linear_with(b, x, weight, AM_NONE);
}

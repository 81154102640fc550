/* PEGASUS-X: Pegasus whose encoder reads long texts in blocks. A few global tokens see all of the text, the others see
   them and their own block; every other layer has its blocks moved by half of one.
   transformers: models/pegasus_x/modeling_pegasus_x.py */
#include "models/blocks/attention.h"
#include "models/blocks/bart.h"
#include "models/blocks/sinusoids.h"

#include <stdio.h>

static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

enum { LONGEST_TEXT = 1 << 24 };

typedef struct blocks {
    const am_bart_encoder *e;
    int64_t size, globals;
    bool stagger;
    am_value seen; /* BOOL [B, T], T a multiple of size */
} blocks;

typedef struct streams {
    am_value text, global; /* [B, T, C], [B, G, C] */
} streams;

static am_value heads_of(am_builder *b, const char *name, am_value x, const blocks *k)
{
    return am_split_heads(b, am_linear(b, name, x, k->e->d_model, AM_NO_BIAS), k->e->heads);
}

static am_value attend(am_builder *b, am_value q, am_value k, am_value v, am_value mask)
{
    am_attention_inputs in = {.q = q, .k = k, .v = v, .mask = mask};
    return am_merge_heads(b, am_attention_op(b, &in, &(am_attention_attributes){0}));
}

/* x: [B, T, ..] -> [B * T / size, size, ..] */
static am_value cut(am_builder *b, am_value x, int64_t size)
{
    am_shape shape = am_shape_of_value(b, x);
    shape.dims[0] = shape.dims[0] * shape.dims[1] / size;
    shape.dims[1] = size;
    return am_reshape(b, x, shape);
}

/* x: [B, G, ..] -> [B * count, G, ..], each row `count` times. */
static am_value repeat(am_builder *b, am_value x, int64_t count)
{
    am_shape shape = am_shape_of_value(b, x), wide = shape;
    for (int i = wide.rank++; i > 1; i--) wide.dims[i] = wide.dims[i - 1];
    wide.dims[1] = count;
    shape.dims[0] *= count;
    return am_reshape(b, am_broadcast(b, am_unsqueeze(b, x, 1), wide), shape);
}

/* Which keys are seen, G global ones before those of x: BOOL [B, T] -> [B, 1, 1, G + T]. */
static am_value behind_globals(am_builder *b, am_value seen, int64_t G)
{
    am_value all = am_broadcast(b, am_scalar(b, AM_BOOL, 1), am_shape_of(am_dim(b, seen, 0), G));
    return am_padding_mask_of(b, am_concat2(b, all, seen, 1));
}

/* Attention of both: global tokens see everything, a block's tokens the global ones and their block. */
static streams attention(am_builder *b, streams x, am_value seen, const blocks *k)
{
    int64_t B = am_dim(b, x.text, 0), T = am_dim(b, x.text, 1), count = T / k->size;
    am_value q = heads_of(b, "q_proj", x.text, k), key = heads_of(b, "k_proj", x.text, k),
             value = heads_of(b, "v_proj", x.text, k), gq = heads_of(b, "q_proj", x.global, k),
             gk = heads_of(b, "k_proj", x.global, k), gv = heads_of(b, "v_proj", x.global, k);
    am_value global =
        attend(b, gq, am_concat2(b, gk, key, 1), am_concat2(b, gv, value, 1), behind_globals(b, seen, k->globals));
    am_value keys = am_concat2(b, repeat(b, gk, count), cut(b, key, k->size), 1),
             values = am_concat2(b, repeat(b, gv, count), cut(b, value, k->size), 1);
    am_value text = attend(b, cut(b, q, k->size), keys, values, behind_globals(b, cut(b, seen, k->size), k->globals));
    text = am_reshape(b, text, am_shape_of(B, T, k->e->d_model));
    return (streams){am_linear(b, "out_proj", text, k->e->d_model, AM_NO_BIAS),
                     am_linear(b, "out_proj", global, k->e->d_model, AM_NO_BIAS)};
}

/* The same with blocks moved by half of one. */
static streams moved_attention(am_builder *b, streams x, const blocks *k)
{
    int64_t half = k->size / 2;
    am_value seen = am_cast(b, am_pad_zero(b, am_cast(b, k->seen, AM_I32), 1, half, half), AM_BOOL);
    streams y = attention(b, (streams){am_pad_zero(b, x.text, 1, half, half), x.global}, seen, k);
    y.text = am_slice(b, y.text, 1, half, half + am_dim(b, x.text, 1));
    return y;
}

static am_value feed_forward(am_builder *b, am_value x, const blocks *k)
{
    am_value h = am_layer_norm(b, "final_layer_norm", x, LAYER_NORM_EPS);
    h = am_linear_activation(b, "fc1", h, k->e->ffn_dim, AM_BIAS, k->e->activation);
    return am_add(b, x, am_linear(b, "fc2", h, k->e->d_model, AM_BIAS));
}

static streams layer(am_builder *b, streams x, const blocks *k, int64_t index)
{
    streams h = {am_layer_norm(b, "self_attn_layer_norm", x.text, LAYER_NORM_EPS),
                 am_layer_norm(b, "global_self_attn_layer_norm", x.global, LAYER_NORM_EPS)};
    am_scope(b, "self_attn");
    h = k->stagger && index % 2 == 1 ? moved_attention(b, h, k) : attention(b, h, k->seen, k);
    am_end_scope(b);
    return (streams){feed_forward(b, am_add(b, x.text, h.text), k), feed_forward(b, am_add(b, x.global, h.global), k)};
}

/* Which of T tokens are attended, of `padding` ones behind them none: BOOL [B, T + padding]. */
static am_value seen_tokens(am_builder *b, int64_t B, int64_t T, int64_t padding)
{
    am_value given = am_input_optional(b, "attention_mask", 2);
    am_value seen = given.id ? am_cast(b, am_binary_number(b, AM_NOT_EQUAL, given, 0), AM_I32)
                             : am_iota(b, AM_I32, am_shape_of(B, T), 1, 1, 0);
    return am_cast(b, am_pad_zero(b, seen, 1, 0, padding), AM_BOOL);
}

static blocks read_blocks(am_builder *b, const am_bart_encoder *e)
{
    const am_config *c = am_model_config(b);
    blocks k = {.e = e,
                .size = am_config_size(c, "block_size", 512),
                .globals = am_config_size(c, "num_global_tokens", 32),
                .stagger = am_config_flag(c, "stagger_local_blocks", true)};
    if (k.size > LONGEST_TEXT) am_config_fail(c, "block_size", "%lld is too large", (long long)k.size);
    if (k.stagger && k.size % 2 != 0)
        am_config_fail(c, "block_size", "%lld cannot be halved, as stagger_local_blocks asks", (long long)k.size);
    return k;
}

/* x: [B, T, C] -> [B, T, C]; hidden states have whole blocks, the last of them the global tokens beside. */
static am_value encoder_layers(am_builder *b, am_value x, const am_bart_encoder *e)
{
    blocks k = read_blocks(b, e);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), padding = (k.size - T % k.size) % k.size;
    k.seen = seen_tokens(b, B, T, padding);
    am_value global = am_weight(b, "embed_global.weight", am_shape_of(k.globals, e->d_model));
    global = am_cast_like(b, global, x);
    streams s = {am_pad_zero(b, x, 1, 0, padding), am_broadcast(b, global, am_shape_of(B, k.globals, e->d_model))};
    for (int i = 0; i < e->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "encoder_hidden_states", i, s.text);
        am_scope(b, "layers.%d", i);
        s = layer(b, s, &k, i);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "layer_norm", am_slice(b, s.text, 1, 0, T), LAYER_NORM_EPS);
    char name[64];
    snprintf(name, sizeof name, "encoder_hidden_states.%d", (int)e->layers);
    am_output_hidden_state(b, name, 0, x);
    am_output_hidden_state(b, name, 1, s.global);
    return x;
}

/* Made, not kept: as many rows as a text has. */
static am_value positions(am_builder *b, const am_bart_places *p)
{
    int64_t longest = am_has_cache(b) ? am_cache_capacity(b) : p->T;
    am_value rows = am_iota(b, AM_I32, am_shape_of(1, p->T), 1, 0, 1);
    if (am_has_cache(b)) rows = am_add(b, rows, am_cache_offset(b));
    if (p->d_model < 4) am_config_fail(am_model_config(b), "d_model", "%lld is too small", (long long)p->d_model);
    return am_embedding_op(b, am_sinusoid_table(b, longest, p->d_model, (double)(p->d_model / 2 - 1), -1), rows);
}

static const am_architecture architectures[] = {
    {"PegasusXModel", am_bart_model, NULL, AM_ENCODER_DECODER},
    {"PegasusXForConditionalGeneration", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"PegasusXDecoder", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {.vocab_size = 96103,
                                      .layers = 16,
                                      .max_positions = 16384,
                                      .scale_embedding = true,
                                      .eos_token_id = 1,
                                      .pre_norm = true,
                                      .no_embedding_norm = true,
                                      .shift = AM_BART_SHIFT_NONE,
                                      .own_positions = positions,
                                      .encoder_layers = encoder_layers,
                                      .no_decoder_bias = true};

const am_model_type am_model_pegasus_x = {
    .name = "pegasus_x", .base_prefix = "model", .architectures = architectures, .family = &family};

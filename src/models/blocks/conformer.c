#include "models/blocks/conformer.h"

#include "models/blocks/transformer_xl.h"

#include <math.h>
#include <string.h>

static const double FRAME_NORM_EPS = 1e-5; /* not configurable */
static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

static am_conformer_positions read_positions(const am_config *c, am_conformer_positions absent)
{
    static const char *const names[] = {"", "relative", "rotary", "relative_key"};
    const char *key = "position_embeddings_type";
    if (am_config_is_null(c, key)) return AM_CONFORMER_NO_POSITIONS;
    const char *name = am_config_text(c, key, names[absent]);
    for (int i = 1; i < 4; i++)
        if (strcmp(name, names[i]) == 0) return (am_conformer_positions)i;
    if (name[0]) am_config_unsupported(c, key, "\"%s\" is none of relative, rotary and relative_key", name);
    return AM_CONFORMER_NO_POSITIONS;
}

am_conformer_options am_conformer_options_read(const am_config *c, const am_wav2vec2_options *o,
                                               am_conformer_positions positions)
{
    am_conformer_options r = {.heads = o->num_attention_heads,
                              .intermediate_size = o->intermediate_size,
                              .kernel_size = am_config_size(c, "conv_depthwise_kernel_size", 31),
                              .activation = o->hidden_act,
                              .positions = read_positions(c, positions),
                              .rotary_base = am_config_real(c, "rotary_embedding_base", 10000),
                              .left = am_config_count(c, "left_max_position_embeddings", 64),
                              .right = am_config_count(c, "right_max_position_embeddings", 8)};
    if (r.kernel_size % 2 == 0)
        am_config_fail(c, "conv_depthwise_kernel_size", "expected an odd number, found %lld", (long long)r.kernel_size);
    return r;
}

/* --- positions --- */

/* What the attention of all layers reads; one of them. */
typedef struct places {
    am_value sinusoids; /* [1, 2 * T - 1, C] of the distances T - 1 .. 1 - T */
    am_value rows;      /* of query t to key s: I32 [T, T] */
    am_value chunks;    /* which keys queries see: BOOL [1, 1, T, T]; AM_NONE: all */
    am_rope rope;
} places;

/* In float, as the models were trained with; sine and cosine of a frequency stand side by side. */
am_value am_conformer_sinusoids(am_builder *b, int64_t T, int64_t C)
{
    am_shape shape = am_shape_of(1, 2 * T - 1, C);
    if (am_builder_failed(b)) return AM_NONE;
    float *table =
        am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)((2 * T - 1) * C), sizeof *table) : NULL;
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t r = 0; r < 2 * T - 1; r++)
        for (int64_t i = 0; i < C; i++) {
            float angle = (float)(T - 1 - r) * expf((float)(i / 2 * 2) * (float)-(log(10000) / (double)C));
            table[r * C + i] = i % 2 ? cosf(angle) : sinf(angle);
        }
    return am_constant_copy(b, AM_F32, shape, table);
}

/* Row of the learned distances key - query, limited: I32 [T, T]. */
static am_value limited_distances(am_builder *b, int64_t T, const am_conformer_options *o)
{
    am_value key = am_iota(b, AM_I32, am_shape_of(T, T), 1, 0, 1);
    am_value distance = am_sub(b, key, am_iota(b, AM_I32, am_shape_of(T, T), 0, 0, 1));
    distance = am_binary_number(b, AM_MAX, am_add_number(b, distance, (double)o->left), 0);
    return am_binary_number(b, AM_MIN, distance, (double)(o->left + o->right));
}

static am_rope rotation(am_builder *b, int64_t T, int64_t D, const am_conformer_options *o)
{
    const char *name = "embed_positions.inv_freq";
    am_rope_config computed = am_rope_config_default(am_model_config(b), D, o->rotary_base, T);
    if (!o->stored_frequencies || !am_has_weight(b, name)) return am_rope_tables(b, &computed, T);
    am_value frequency = am_cast(b, am_weight(b, name, am_shape_of(D / 2)), AM_F32);
    am_value angle = am_mul(b, am_iota(b, AM_F32, am_shape_of(1, T, 1), 1, 0, 1), frequency);
    return (am_rope){.cos = am_unary(b, AM_COS, angle), .sin = am_unary(b, AM_SIN, angle)};
}

/* Which frames a frame sees: those of its own stretch, and of some before: BOOL [1, 1, T, T]. */
static am_value chunk_mask(am_builder *b, int64_t T, const am_conformer_options *o)
{
    am_shape shape = am_shape_of(1, 1, T, T);
    uint8_t *data = am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(T * T), 1) : NULL;
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < T * T; i++) {
        int64_t query = i / T / o->chunk, key = i % T / o->chunk;
        data[i] = key <= query && (o->left_chunks < 0 || query - key <= o->left_chunks);
    }
    return am_constant_copy(b, AM_BOOL, shape, data);
}

static places places_of(am_builder *b, am_value x, const am_conformer_options *o)
{
    int64_t T = am_dim(b, x, 1), C = am_dim(b, x, 2);
    places p = {0};
    if (o->positions == AM_CONFORMER_RELATIVE) p.sinusoids = am_conformer_sinusoids(b, T, C);
    if (o->positions == AM_CONFORMER_RELATIVE_KEY) p.rows = limited_distances(b, T, o);
    if (o->positions == AM_CONFORMER_ROTARY) p.rope = rotation(b, T, C / o->heads, o);
    if (o->chunk > 0 && T > o->chunk) p.chunks = chunk_mask(b, T, o);
    return p;
}

/* --- attention --- */

static am_value rotated(am_builder *b, am_value x, int64_t heads, const places *p)
{
    return p->rope.cos.id ? am_merge_heads(b, am_rope_apply(b, &p->rope, am_split_heads(b, x, heads))) : x;
}

/* x: [B, T, C] -> [B, T, H, D] */
static am_value heads_of(am_builder *b, const char *name, am_value x, int64_t heads, int bias)
{
    return am_split_heads(b, am_linear(b, name, x, am_dim(b, x, 2), bias), heads);
}

/* What positions add to the scores of *q: [B, T, H, D] before they are scaled, or AM_NONE; *q becomes what meets the
   keys. */
static am_value position_scores(am_builder *b, am_value *q, const places *p, const am_conformer_options *o)
{
    int64_t D = am_dim(b, *q, 3);
    if (p->sinusoids.id) {
        am_value rows = am_index(b, heads_of(b, "linear_pos", p->sinusoids, o->heads, AM_NO_BIAS), 0, 0);
        am_value scores = am_xl_shifted(b, am_xl_products(b, am_xl_biased(b, *q, "pos_bias_v"), rows));
        *q = am_xl_biased(b, *q, "pos_bias_u");
        return scores;
    }
    if (!p->rows.id) return AM_NONE;
    int64_t count = o->left + o->right + 1;
    am_value table = am_cast(b, am_weight(b, "distance_embedding.weight", am_shape_of(count, D)), AM_F32);
    table = am_broadcast(b, am_unsqueeze(b, table, 1), am_shape_of(count, o->heads, D));
    return am_xl_scores(b, *q, table, p->rows);
}

static am_value attention(am_builder *b, am_value x, am_value mask, const places *p, const am_conformer_options *o)
{
    am_value turned = rotated(b, x, o->heads, p);
    am_attention_inputs inputs = {.q = heads_of(b, "linear_q", turned, o->heads, AM_BIAS),
                                  .k = heads_of(b, "linear_k", turned, o->heads, AM_BIAS),
                                  .v = heads_of(b, "linear_v", x, o->heads, AM_BIAS),
                                  .mask = am_padding_mask_of(b, mask)};
    double scale = 1 / sqrt((double)am_dim(b, inputs.q, 3));
    if (p->chunks.id) inputs.mask = inputs.mask.id ? am_binary(b, AM_LOGICAL_AND, inputs.mask, p->chunks) : p->chunks;
    inputs.bias = position_scores(b, &inputs.q, p, o);
    if (inputs.bias.id) inputs.bias = am_mul_number(b, inputs.bias, scale);
    am_value attended = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){.scale = scale}));
    return am_linear(b, "linear_out", attended, am_dim(b, x, 2), AM_BIAS);
}

am_value am_conformer_plain_attention(am_builder *b, am_value x, am_value mask, int64_t heads)
{
    return attention(b, x, mask, &(places){0}, &(am_conformer_options){.heads = heads});
}

am_value am_conformer_relative_attention(am_builder *b, am_value x, am_value mask, am_value sinusoids, int64_t heads)
{
    return attention(b, x, mask, &(places){.sinusoids = sinusoids}, &(am_conformer_options){.heads = heads});
}

/* --- layers --- */

/* A convolution of one tap is a linear layer: x: [B, T, C] -> [B, T, out] by NAME.weight: [out, C, 1]. */
static am_value one_tap(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(out, am_dim(b, x, 2), 1));
    am_end_scope(b);
    return am_linear_with(b, x, am_squeeze(b, weight, 2), AM_NONE);
}

/* x: [B, T, C] -> [B, T, C], normed */
static am_value depthwise(am_builder *b, am_value x, const am_conformer_options *o)
{
    int64_t C = am_dim(b, x, 2), before = o->causal ? o->kernel_size - 1 : o->kernel_size / 2;
    am_convolution_attributes options = {
        .groups = C, .padding_before = am_shape_of(before), .padding_after = am_shape_of(o->kernel_size - 1 - before)};
    x = am_conv(b, "depthwise_conv", am_transpose(b, x, 1, 2), C, am_shape_of(o->kernel_size), AM_NO_BIAS, &options);
    if (o->causal) return am_layer_norm(b, "depthwise_layer_norm", am_transpose(b, x, 1, 2), o->norm_eps);
    return am_transpose(b, am_batch_norm(b, "batch_norm", x, BATCH_NORM_EPS), 1, 2);
}

static am_value convolution(am_builder *b, am_value x, am_value mask, const am_conformer_options *o)
{
    int64_t C = am_dim(b, x, 2);
    am_scope(b, "conv_module");
    x = am_layer_norm(b, "layer_norm", x, o->norm_eps);
    if (o->causal || o->hides_padding) x = am_zero_outside(b, x, mask);
    x = one_tap(b, "pointwise_conv1", x, 2 * C);
    x = am_gated_activation(b, AM_SIGMOID, am_slice(b, x, 2, C, 2 * C), am_slice(b, x, 2, 0, C));
    x = one_tap(b, "pointwise_conv2", am_unary(b, o->activation, depthwise(b, x, o)), C);
    am_end_scope(b);
    return x;
}

/* x and half of what the feed-forward part NAME makes of it. */
static am_value half_step(am_builder *b, const char *name, const char *norm, am_value x, const am_conformer_options *o)
{
    am_value h = am_layer_norm(b, norm, x, o->norm_eps);
    h = am_speech_feed_forward(b, name, h, o->intermediate_size, o->activation);
    return am_add(b, x, am_mul_number(b, h, 0.5));
}

static am_value layer(am_builder *b, am_value x, am_value mask, const places *p, const am_conformer_options *o)
{
    x = half_step(b, "ffn1", "ffn1_layer_norm", x, o);
    am_value h = am_layer_norm(b, "self_attn_layer_norm", x, o->norm_eps);
    am_scope(b, "self_attn");
    x = am_add(b, x, attention(b, h, mask, p, o));
    am_end_scope(b);
    x = am_add(b, x, convolution(b, x, mask, o));
    return am_layer_norm(b, "final_layer_norm", half_step(b, "ffn2", "ffn2_layer_norm", x, o), o->norm_eps);
}

static void keep_state(am_builder *b, const am_conformer_options *o, am_value *states, int64_t i, am_value x)
{
    if (o->hidden_states) am_output_hidden_state(b, o->hidden_states, (int)i, x);
    else am_wav2vec2_keep_state(b, states, i, x);
}

am_value am_conformer_layers(am_builder *b, am_value x, am_value mask, const am_conformer_options *o, int64_t count,
                             am_value *states)
{
    if (!x.id) return AM_NONE;
    places p = places_of(b, x, o);
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        keep_state(b, o, states, i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, mask, &p, o);
        am_end_scope(b);
    }
    if (!o->hidden_states) am_wav2vec2_keep_state(b, states, count, x);
    return x;
}

/* --- adapter --- */

am_value am_conformer_adapted_lengths(am_builder *b, am_value lengths, int64_t kernel, int64_t stride)
{
    return am_convolved_length(b, lengths, kernel - kernel / 2 * 2, stride);
}

/* x: [B, T, C] normed -> [B, T', C] */
static am_value pooled(am_builder *b, const char *norm, const char *name, am_value x, const am_conformer_adapter *o)
{
    am_convolution_attributes options = {.stride = am_shape_of(o->stride),
                                         .padding_before = am_shape_of(o->stride / 2),
                                         .padding_after = am_shape_of(o->stride / 2)};
    am_value y = am_transpose(b, am_layer_norm(b, norm, x, o->norm_eps), 1, 2);
    y = am_gated_convolution(b, name, y, am_dim(b, x, 2), o->kernel, &options);
    return am_transpose(b, y, 1, 2);
}

am_value am_conformer_adapter_layer(am_builder *b, am_value x, am_value lengths, const am_conformer_adapter *o)
{
    am_value kept = pooled(b, "residual_layer_norm", "residual_conv", x, o);
    am_value h = pooled(b, "self_attn_layer_norm", "self_attn_conv", x, o);
    am_value mask = lengths.id ? am_frames_before(b, lengths, am_dim(b, h, 1)) : AM_NONE;
    am_scope(b, "self_attn");
    x = am_add(b, kept, am_conformer_plain_attention(b, h, mask, o->heads));
    am_end_scope(b);
    h = am_layer_norm(b, "ffn_layer_norm", x, o->norm_eps);
    return am_add(b, x, am_speech_feed_forward(b, "ffn", h, o->intermediate_size, o->activation));
}

typedef struct gated_convolution {
    int64_t kernel;
    bool biased, causal;
    am_unary_fn activation;
} gated_convolution;

static am_value norm_frames(am_builder *b, am_value x, bool causal)
{
    if (causal) return am_layer_norm_channels_first(b, "norm", x, FRAME_NORM_EPS);
    return am_batch_norm(b, am_has_weight(b, "batch_norm.weight") ? "batch_norm" : "norm", x, BATCH_NORM_EPS);
}

static am_value convolve_gated(am_builder *b, am_value x, am_value mask, const gated_convolution *o)
{
    int64_t C = am_dim(b, x, 2), before = o->causal ? o->kernel - 1 : (o->kernel - 1) / 2;
    int bias = o->biased ? AM_BIAS : AM_NO_BIAS;
    am_shape one = am_shape_of(1);
    am_convolution_attributes plain = {0}, each = {.groups = C,
                                                   .padding_before = am_shape_of(before),
                                                   .padding_after = am_shape_of(o->kernel - 1 - before)};
    x = am_conv(b, "pointwise_conv1", am_transpose(b, x, 1, 2), 2 * C, one, bias, &plain);
    x = am_gated_activation(b, AM_SIGMOID, am_slice(b, x, 1, C, 2 * C), am_slice(b, x, 1, 0, C));
    if (mask.id) x = am_select(b, am_unsqueeze(b, mask, 1), x, am_scalar(b, am_dtype_of(b, x), 0));
    x = am_conv(b, "depthwise_conv", x, C, am_shape_of(o->kernel), bias, &each);
    x = am_unary(b, o->activation, norm_frames(b, x, o->causal));
    return am_transpose(b, am_conv(b, "pointwise_conv2", x, C, one, bias, &plain), 1, 2);
}

am_value am_conformer_convolution(am_builder *b, am_value x, am_value mask, int64_t kernel, bool biased,
                                  am_unary_fn activation)
{
    gated_convolution o = {.kernel = kernel, .biased = biased, .activation = activation};
    return convolve_gated(b, x, mask, &o);
}

am_value am_conformer_causal_convolution(am_builder *b, am_value x, am_value mask, int64_t kernel, bool biased,
                                         am_unary_fn activation)
{
    gated_convolution o = {.kernel = kernel, .biased = biased, .causal = true, .activation = activation};
    return convolve_gated(b, x, mask, &o);
}

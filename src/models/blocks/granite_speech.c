#include "models/blocks/granite_speech.h"

#include "models/blocks/attention.h"

#include <inttypes.h>
#include <math.h>

static const double NORM_EPS = 1e-5; /* not configurable */
static const char marks[] = "input_features_mask";
enum { LAYERS_LIMIT = 512 };

const am_shaping_input am_granite_speech_shaping_inputs[] = {{.name = marks, .kind = AM_SHAPED_BY_STARTS}, {0}};

typedef struct encoder {
    int64_t bins, layers, width, inner, heads, head_dim, out, context, positions, kernel, expanded;
    bool is_cat[LAYERS_LIMIT + 1]; /* states that stand before the last one's */
} encoder;

static void read_cat_layers(const am_config *c, encoder *e)
{
    am_json list = am_json_get(c->object, "cat_hidden_layers");
    if (!am_config_has(c, "cat_hidden_layers")) return;
    if (am_json_kind_of(list) != AM_JSON_ARRAY) am_config_fail(c, "cat_hidden_layers", "expected a list");
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        int64_t layer = am_json_int(i.value, -1);
        if (layer < 0 || layer >= e->layers)
            am_config_fail(c, "cat_hidden_layers", "%" PRId64 " is no layer of %" PRId64, layer, e->layers);
        else e->is_cat[layer] = true;
    }
}

static encoder read_encoder(const am_config *c, bool plus)
{
    encoder r = {.bins = am_config_size(c, am_config_either(c, "input_dim", "num_mel_bins"), 160),
                 .layers = am_config_count(c, am_config_either(c, "num_layers", "num_hidden_layers"), 10),
                 .width = am_config_size(c, am_config_either(c, "hidden_dim", "hidden_size"), 1024),
                 .heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 8),
                 .out = am_config_size(c, "output_dim", 42),
                 .context = am_config_size(c, "context_size", 200),
                 .positions = am_config_size(c, "max_pos_emb", 512),
                 .kernel = am_config_size(c, "conv_kernel_size", 15)};
    int64_t inner = am_config_size(c, "feedforward_mult", 4), expanded = am_config_size(c, "conv_expansion_factor", 2);
    r.head_dim = am_config_size(c, "dim_head", r.width / r.heads);
    if (r.head_dim < 1) am_config_fail(c, "num_heads", "more than hidden_dim");
    if (inner > INT32_MAX / r.width || expanded > INT32_MAX / 2 / r.width)
        am_config_fail(c, "feedforward_mult", "parts of %" PRId64 " times hidden_dim are too wide", inner);
    r.inner = inner * r.width;
    r.expanded = expanded * r.width;
    if (r.context > r.positions || r.context > 16384)
        am_config_fail(c, "context_size", "more than max_pos_emb, %" PRId64 ", or 16384", r.positions);
    if (r.layers > LAYERS_LIMIT) am_config_fail(c, "num_layers", "expected %d at most", LAYERS_LIMIT);
    if (plus && r.layers <= LAYERS_LIMIT) read_cat_layers(c, &r);
    return r;
}

/* --- layers --- */

/* x and half of what the part NAME makes of it. */
static am_value feed_forward(am_builder *b, const char *name, am_value x, const encoder *e)
{
    am_scope(b, "%s", name);
    am_value h = am_layer_norm(b, "pre_norm", x, NORM_EPS);
    h = am_linear(b, "down_proj", am_linear_activation(b, "up_proj", h, e->inner, AM_BIAS, AM_SILU), e->width, AM_BIAS);
    am_end_scope(b);
    return am_add(b, x, am_mul_number(b, h, 0.5));
}

am_value am_granite_distance_bias(am_builder *b, am_value q, int64_t positions)
{
    int64_t N = am_dim(b, q, 0), c = am_dim(b, q, 1), H = am_dim(b, q, 2), D = am_dim(b, q, 3);
    am_value distance = am_sub(b, am_iota(b, AM_I32, am_shape_of(c, 1), 0, (double)positions, 1),
                               am_iota(b, AM_I32, am_shape_of(1, c), 1, 0, 1));
    am_value rows = am_embedding(b, "rel_pos_emb", distance, 2 * positions + 1, D); /* [c, c, D] */
    am_value products = am_reshape(b, am_permute(b, q, am_shape_of(1, 0, 2, 3)), am_shape_of(c, N * H, D));
    products = am_matmul(b, products, rows, false, true); /* [c, N * H, c] */
    products = am_permute(b, am_reshape(b, products, am_shape_of(c, N, H, c)), am_shape_of(1, 2, 0, 3));
    return am_mul_number(b, products, 1 / sqrt((double)D));
}

/* Which of a block's frames are none of the sound's T, padded to N blocks of each of B: BOOL [B * N, 1, 1, c]; AM_NONE
   where all are. */
static am_value block_mask(am_builder *b, int64_t B, int64_t N, int64_t T, int64_t c)
{
    if (N * c == T) return AM_NONE;
    am_value frame = am_iota(b, AM_I32, am_shape_of(1, N * c), 1, 0, 1);
    am_value is = am_broadcast(b, am_binary_number(b, AM_LESS, frame, (double)T), am_shape_of(B, N * c));
    return am_reshape(b, is, am_shape_of(B * N, 1, 1, c));
}

/* Attention within blocks of context_size frames: x: [B, T, C] -> [B, T, C]. */
static am_value attention(am_builder *b, am_value x, const encoder *e)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), c = e->context, N = (T + c - 1) / c,
            inner = e->heads * e->head_dim;
    am_value h = am_pad_zero(b, am_layer_norm(b, "pre_norm", x, NORM_EPS), 1, 0, N * c - T);
    am_shape blocks = am_shape_of(B * N, c, e->heads, e->head_dim);
    am_value q = am_reshape(b, am_linear(b, "to_q", h, inner, AM_NO_BIAS), blocks);
    am_value kv = am_linear(b, "to_kv", h, 2 * inner, AM_NO_BIAS);
    am_attention_options options = {.heads = e->heads, .mask = block_mask(b, B, N, T, c)};
    options.bias = am_granite_distance_bias(b, q, e->positions);
    h = am_attend_cached(b, q, am_reshape(b, am_slice(b, kv, 2, 0, inner), blocks),
                         am_reshape(b, am_slice(b, kv, 2, inner, 2 * inner), blocks), &options);
    h = am_slice(b, am_reshape(b, h, am_shape_of(B, N * c, inner)), 1, 0, T);
    return am_linear(b, "to_out", h, e->width, AM_BIAS);
}

/* A gated convolution over time: x: [B, T, C] -> [B, T, C]. */
static am_value convolution(am_builder *b, am_value x, const encoder *e)
{
    int64_t C = e->expanded, half = e->kernel / 2;
    am_convolution_attributes plain = {0}, each = {.groups = C,
                                                   .padding_before = am_shape_of(half),
                                                   .padding_after = am_shape_of(half - (e->kernel + 1) % 2)};
    x = am_transpose(b, am_layer_norm(b, "norm", x, NORM_EPS), 1, 2);
    x = am_conv(b, "up_conv", x, 2 * C, am_shape_of(1), AM_BIAS, &plain);
    x = am_gated_activation(b, AM_SIGMOID, am_slice(b, x, 1, C, 2 * C), am_slice(b, x, 1, 0, C));
    x = am_conv(b, "depth_conv.conv", x, C, am_shape_of(e->kernel), AM_NO_BIAS, &each);
    x = am_unary(b, AM_SILU, am_batch_norm(b, "batch_norm", x, NORM_EPS));
    return am_transpose(b, am_conv(b, "down_conv", x, e->width, am_shape_of(1), AM_BIAS, &plain), 1, 2);
}

static am_value layer(am_builder *b, am_value x, const encoder *e)
{
    x = feed_forward(b, "ff1", x, e);
    am_scope(b, "attn");
    x = am_add(b, x, attention(b, x, e));
    am_end_scope(b);
    am_scope(b, "conv");
    x = am_add(b, x, convolution(b, x, e));
    am_end_scope(b);
    return am_layer_norm(b, "post_norm", feed_forward(b, "ff2", x, e), NORM_EPS);
}

/* frames: [B, T, bins] below the scope -> [B, T, C]; what the middle layer would say is added to its states. */
static am_value encode(am_builder *b, am_value frames, const encoder *e)
{
    am_value kept[LAYERS_LIMIT + 1];
    int count = 0;
    if (frames.id && am_dim(b, frames, 2) != e->bins)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "frames of %" PRId64 " numbers, expected %" PRId64,
                                    am_dim(b, frames, 2), e->bins));
    am_value x = am_linear(b, "input_linear", frames, e->width, AM_BIAS);
    if (e->is_cat[0]) kept[count++] = x;
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 1; i <= e->layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i - 1);
        x = layer(b, x, e);
        am_end_scope(b);
        am_value said = AM_NONE;
        if (i == e->layers / 2) said = am_softmax(b, am_linear(b, "out", x, e->out, AM_BIAS), 2);
        if (said.id) x = am_add(b, x, am_linear(b, "out_mid", said, e->width, AM_BIAS));
        if (e->is_cat[i]) kept[count++] = x;
        if (i < e->layers) am_output_hidden_state(b, "hidden_states", i, x);
    }
    kept[count++] = x;
    x = count > 1 ? am_concat(b, kept, count, 2) : x;
    if (e->layers > 0) am_output_hidden_state(b, "hidden_states", (int)e->layers, x);
    return x;
}

void am_granite_speech_encoder(am_builder *b, bool plus)
{
    encoder e = read_encoder(am_model_config(b), plus);
    am_output(b, "last_hidden_state", encode(b, am_input(b, "hidden_states", 3), &e));
}

/* --- among words --- */

/* Rows of a text for windows of x: [B, T, C]: [B, windows * queries, width of the words]. */
static am_value project(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    am_config config = am_config_child(c, "projector_config");
    int64_t window = am_config_size(c, "window_size", 15), B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    int64_t N = (T + window - 1) / window, queries = window / am_config_size(c, "downsample_rate", 5);
    if (queries < 1) am_config_fail(c, "downsample_rate", "more than window_size, %" PRId64, window);
    if (am_builder_failed(b) || c->root->error) return AM_NONE;
    x = am_reshape(b, am_pad_zero(b, x, 1, 0, N * window - T), am_shape_of(B * N, window, am_dim(b, x, 2)));
    am_scope(b, "projector");
    am_value query = am_cast(b, am_weight(b, "query", am_shape_of(1, queries, -1)), AM_F32);
    am_part_input inputs[] = {
        {.name = "query_embeds", .value = am_broadcast(b, query, am_shape_of(B * N, queries, am_dim(b, query, 2)))},
        {.name = "encoder_hidden_states", .value = x},
        {.name = "attention_mask"}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "blip_2_qformer",
                    .config = &config,
                    .inputs = inputs,
                    .input_count = 3};
    am_scope(b, "qformer");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    x = am_part_output(&outputs, "last_hidden_state");
    x = am_linear(b, "linear", am_reshape(b, x, am_shape_of(B, N * queries, am_dim(b, x, 2))), am_audio_text_width(b),
                  AM_BIAS);
    am_end_scope(b);
    return x;
}

am_audio_rows am_granite_speech_features(am_builder *b, bool plus)
{
    am_config config = am_config_child(am_model_config(b), "encoder_config");
    encoder e = read_encoder(&config, plus);
    int first = am_output_count(b);
    const am_named_value *unused;
    am_scope(b, "encoder");
    am_value x = encode(b, am_input(b, "input_features", 3), &e);
    am_end_scope(b);
    am_outputs_take(b, first, &unused);
    x = project(b, x);
    if (!am_has_input(b, marks)) return (am_audio_rows){.rows = am_flatten(b, x, 0, 1), .shown = x};
    return (am_audio_rows){.rows = am_audio_frames(b, x, am_audio_lengths(b, marks)), .shown = x};
}

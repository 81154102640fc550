#include "models/blocks/nemotron3.h"

#include "models/blocks/attention.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5; /* not configurable */

const am_nemotron3_defaults am_nemotron3_diarization_defaults = {
    .width = 512, .intermediate_size = 2048, .layers = 31, .heads = 8, .rotated = 1};

const am_nemotron3_defaults am_nemotron3_asr_defaults = {
    .width = 1280, .intermediate_size = 5120, .layers = 32, .heads = 10, .rotated = 0.5, .norms_heads = true};

am_nemotron3_encoder am_nemotron3_encoder_read(const am_config *c, const am_nemotron3_defaults *a)
{
    am_nemotron3_encoder r = {.width = am_config_size(c, "hidden_size", a->width),
                              .intermediate_size = am_config_size(c, "intermediate_size", a->intermediate_size),
                              .layers = am_config_count(c, "num_hidden_layers", a->layers),
                              .heads = am_config_size(c, "num_attention_heads", a->heads),
                              .bins = am_config_size(c, "num_mel_bins", 128),
                              .stacked = am_config_size(c, "subsampling_factor", 8),
                              .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                              .norms_heads = a->norms_heads};
    am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", r.width);
    if (am_config_size(c, "num_key_value_heads", r.heads) != r.heads)
        am_config_fail(c, "num_key_value_heads", "expected num_attention_heads, %" PRId64, r.heads);
    if (r.bins > INT32_MAX / r.stacked) am_config_fail(c, "subsampling_factor", "too much");
    r.rope =
        am_rope_config_read_fields(c, &(am_rope_fields){.rounds_up = true}, r.width / r.heads, 10000, a->rotated, 5000);
    return r;
}

am_value am_nemotron3_embed(am_builder *b, am_value x, const am_nemotron3_encoder *e)
{
    int64_t L = am_dim(b, x, 1), T = (L + e->stacked - 1) / e->stacked;
    if (!am_builder_failed(b) && am_dim(b, x, 2) != e->bins)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_features of %" PRId64 " bins, expected %" PRId64,
                                    am_dim(b, x, 2), e->bins));
    x = am_pad_zero(b, x, 1, 0, T * e->stacked - L);
    x = am_reshape(b, x, am_shape_of(am_dim(b, x, 0), T, e->stacked * e->bins));
    return am_linear(b, "embedder.projection", x, e->width, AM_NO_BIAS);
}

static am_value attention(am_builder *b, am_value x, const am_attention_options *options, const am_rope *rope,
                          const am_nemotron3_encoder *e)
{
    am_value qkv[3];
    am_attention_heads(b, x, options, qkv);
    if (e->norms_heads) {
        qkv[0] = am_layer_norm(b, "q_norm", qkv[0], NORM_EPS);
        qkv[1] = am_layer_norm(b, "k_norm", qkv[1], NORM_EPS);
    }
    x = am_attend_cached(b, am_rope_apply(b, rope, qkv[0]), am_rope_apply(b, rope, qkv[1]), qkv[2], options);
    return am_linear(b, "o_proj", am_merge_heads(b, x), e->width, AM_BIAS);
}

static am_value layer(am_builder *b, am_value x, const am_attention_options *options, const am_rope *rope,
                      const am_nemotron3_encoder *e)
{
    am_value h = am_layer_norm(b, "layer_norm1", x, NORM_EPS);
    am_scope(b, "self_attn");
    x = am_add(b, x, attention(b, h, options, rope, e));
    am_end_scope(b);
    h = am_layer_norm(b, "layer_norm2", x, NORM_EPS);
    h = am_linear_activation(b, "mlp.fc1", h, e->intermediate_size, AM_BIAS, e->hidden_act);
    return am_add(b, x, am_linear(b, "mlp.fc2", h, e->width, AM_BIAS));
}

am_value am_nemotron3_encode(am_builder *b, am_value x, am_value mask, am_value positions,
                             const am_nemotron3_encoder *e, int first)
{
    am_attention_options options = {.heads = e->heads,
                                    .no_q_bias = true,
                                    .no_k_bias = true,
                                    .no_v_bias = true,
                                    .mask = am_padding_mask_of(b, mask)};
    am_rope rope =
        positions.id ? am_rope_tables_at(b, &e->rope, positions) : am_rope_tables(b, &e->rope, am_dim(b, x, 1));
    x = am_layer_norm(b, "input_layer_norm", x, NORM_EPS);
    for (int i = 0; i < e->layers && !am_builder_failed(b); i++) {
        if (first >= 0) am_output_hidden_state(b, "hidden_states", first + i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, &options, &rope, e);
        am_end_scope(b);
    }
    return am_layer_norm(b, "layer_norm", x, NORM_EPS);
}

am_value am_nemotron3_mask(am_builder *b, am_value mask, const am_nemotron3_encoder *e)
{
    return mask.id ? am_slice_step(b, mask, 1, 0, AM_SLICE_END, e->stacked) : AM_NONE;
}

void am_nemotron3_model(am_builder *b, const am_nemotron3_defaults *absent)
{
    am_nemotron3_encoder e = am_nemotron3_encoder_read(am_model_config(b), absent);
    am_value x = am_input_optional(b, "inputs_embeds", 3), mask = am_input_optional(b, "attention_mask", 2);
    if (!x.id) {
        x = am_nemotron3_embed(b, am_input(b, "input_features", 3), &e);
        mask = am_nemotron3_mask(b, mask, &e);
    }
    x = am_nemotron3_encode(b, x, mask, am_input_optional(b, "position_ids", 2), &e, 0);
    if (e.layers > 0) am_output_hidden_state(b, "hidden_states", (int)e.layers, x);
    am_output(b, "last_hidden_state", x);
}

am_nemotron3_chunks am_nemotron3_chunks_read(const am_config *c)
{
    am_nemotron3_chunks r = {.length = am_config_size(c, "chunk_length", 340),
                             .left = am_config_int(c, "chunk_left_context", 0),
                             .right = am_config_int(c, "chunk_right_context", 40)};
    if (r.left < 0 || r.left > INT32_MAX) am_config_fail(c, "chunk_left_context", "expected 0 or more");
    if (r.right < 0 || r.right >= r.length)
        am_config_fail(c, "chunk_right_context", "expected less than chunk_length, %" PRId64, r.length);
    return r;
}

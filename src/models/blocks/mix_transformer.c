#include "models/blocks/mix_transformer.h"

#include "models/blocks/pyramid.h"

#include <stdio.h>

static const double LAYER_NORM_EPS = 1e-5; /* layer_norm_eps is not read */
static const am_pyramid_names names = {"self.query",   "self.key", "self.value",
                                       "output.dense", "self.sr",  "self.layer_norm"};
static const am_stages default_stages = {4, {2, 2, 2, 2}, {32, 64, 160, 256}};

am_mix_options am_mix_options_read(const am_config *c)
{
    am_mix_options r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .stages = am_stages_read(c, &default_stages),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
    };
    int count = r.stages.count;
    am_stage_sizes(c, "sr_ratios", count, 1, (const int64_t[]){8, 4, 2, 1}, 4, r.sr_ratios);
    am_stage_sizes(c, "patch_sizes", count, 1, (const int64_t[]){7, 3, 3, 3}, 4, r.patch_sizes);
    am_stage_sizes(c, "strides", count, 1, (const int64_t[]){4, 2, 2, 2}, 4, r.strides);
    am_stage_sizes(c, "num_attention_heads", count, 1, (const int64_t[]){1, 2, 5, 8}, 4, r.heads);
    am_stage_sizes(c, "mlp_ratios", count, 1, (const int64_t[]){4, 4, 4, 4}, 4, r.mlp_ratios);
    for (int i = 0; i < count; i++)
        am_config_check_divides(c, "num_attention_heads", r.heads[i], "hidden_sizes", r.stages.hidden_sizes[i]);
    const char *blocks = am_config_either(c, "num_encoder_blocks", "num_hidden_layers");
    if (am_config_count(c, blocks, 4) != count) am_config_fail(c, blocks, "expected as many as depths, %d", count);
    return r;
}

static am_value layer(am_builder *b, am_value x, const am_mix_options *c, const int64_t size[2], int i)
{
    int64_t C = am_dim(b, x, -1);
    am_pyramid_layer_options options = {
        .names = &names,
        .heads = c->heads[i],
        .reduction = c->sr_ratios[i],
        .intermediate_size = am_scaled_size(am_model_config(b), "mlp_ratios", C, (double)c->mlp_ratios[i]),
        .layer_norm_eps = LAYER_NORM_EPS,
        .hidden_act = c->hidden_act,
        .mixes = true};
    return am_pyramid_layer(b, x, size, &options);
}

/* x: [B, C', H, W] -> [B, C, H', W'], or of the last stage, where last_in_a_row, [B, H' * W', C] */
static am_value stage(am_builder *b, am_value x, const am_mix_options *c, int i)
{
    int64_t patch = c->patch_sizes[i];
    am_shape stride = am_shape_of(c->strides[i], c->strides[i]), padding = am_shape_of(patch / 2, patch / 2);
    am_convolution_attributes options = {.stride = stride, .padding_before = padding, .padding_after = padding};
    char norm[32];
    snprintf(norm, sizeof norm, "layer_norm.%d", i);
    am_scope(b, "patch_embeddings.%d", i);
    x = am_conv(b, "proj", x, c->stages.hidden_sizes[i], am_shape_of(patch, patch), AM_BIAS, &options);
    const int64_t size[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    x = am_layer_norm(b, "layer_norm", am_image_tokens(b, x), LAYER_NORM_EPS);
    am_end_scope(b);
    for (int j = 0; j < c->stages.depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "block.%d.%d", i, j);
        x = layer(b, x, c, size, i);
        am_end_scope(b);
    }
    x = am_layer_norm(b, norm, x, LAYER_NORM_EPS);
    return i < c->stages.count - 1 || !c->last_in_a_row ? am_tokens_image(b, x, size[0], size[1]) : x;
}

am_value am_mix_body(am_builder *b, const am_mix_options *c, const char *prefix, am_value *states)
{
    am_value x = am_pixel_values(b, c->num_channels);
    am_scope(b, "%s", prefix);
    am_scope(b, "encoder");
    for (int i = 0; i < c->stages.count; i++) {
        x = states[i] = stage(b, x, c, i);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

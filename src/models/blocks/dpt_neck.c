#include "models/blocks/dpt_neck.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { LARGEST_FACTOR = 1024 };

/* --- configuration --- */

static bool is_factor(double x)
{
    return x > 0 && x <= LARGEST_FACTOR && (x < 1 || x == floor(x));
}

static void read_factors(const am_config *c, am_dpt_neck *r)
{
    static const double defaults[] = {4, 2, 1, 0.5};
    int count = 0;
    for (; count < 4 && !am_config_has(c, "reassemble_factors"); count++) r->factors[count] = defaults[count];
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, "reassemble_factors"));
         count < AM_STAGES_LIMIT && am_json_next(&it); count++) {
        r->factors[count] = am_json_real(it.value, 0);
        if (is_factor(r->factors[count])) continue;
        am_config_fail(c, "reassemble_factors", "expected whole numbers up to %d, or parts of 1", LARGEST_FACTOR);
        r->factors[count] = 1;
    }
    if (count < r->count) am_config_fail(c, "reassemble_factors", "expected %d, found %d", r->count, count);
    for (; count < AM_STAGES_LIMIT; count++) r->factors[count] = 1;
}

am_dpt_neck am_dpt_neck_read(const am_config *c, int64_t fusion_hidden_size, const int64_t default_sizes[4])
{
    am_dpt_neck r = {.fusion_hidden_size = am_config_size(c, "fusion_hidden_size", fusion_hidden_size),
                     .head_in_index = am_config_int(c, "head_in_index", -1)};
    r.count = am_config_sizes(c, "neck_hidden_sizes", r.hidden_sizes, AM_STAGES_LIMIT, default_sizes, 4);
    if (r.count < 1) am_config_fail(c, "neck_hidden_sizes", "expected 1 or more");
    read_factors(c, &r);
    if (r.head_in_index >= r.count || r.head_in_index < -r.count)
        am_config_fail(c, "head_in_index", "%" PRId64 " is none of %d maps", r.head_in_index, r.count);
    return r;
}

void am_dpt_neck_read_more(const am_config *c, am_dpt_neck *r)
{
    static const char *const names[] = {"ignore", "add", "project"};
    r->readout = AM_READOUT_PROJECT;
    for (int i = 0; i < 3 && am_config_has(c, "readout_type"); i++)
        if (am_config_is(c, "readout_type", names[i])) r->readout = (am_readout)i;
    if (am_config_has(c, "readout_type") && !am_config_is(c, "readout_type", names[r->readout]))
        am_config_fail(c, "readout_type", "expected \"ignore\", \"add\" or \"project\", found \"%s\"",
                       am_config_text(c, "readout_type", ""));
    r->hidden_act = am_config_activation(c, "hidden_act", AM_GELU);
    r->norms = am_config_flag(c, "use_batch_norm_in_fusion_residual", false);
    r->no_bias = !am_config_flag(c, "use_bias_in_fusion_residual", !r->norms);
    r->norm_eps = 1e-5;
}

/* --- convolutions --- */

am_value am_resize_corners(am_builder *b, am_value x, int64_t height, int64_t width)
{
    am_resize_attributes options = {
        .size = am_shape_of(height, width), .mode = AM_RESIZE_LINEAR, .align_corners = true};
    return am_resize(b, x, &options);
}

static am_value padded_conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t side, int64_t stride,
                            int bias)
{
    am_shape padding = am_shape_of(side / 2, side / 2);
    am_convolution_attributes options = {
        .stride = am_shape_of(stride, stride), .padding_before = padding, .padding_after = padding};
    return am_conv(b, name, x, out, am_shape_of(side, side), bias, &options);
}

am_value am_same_conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t side)
{
    return padded_conv(b, name, x, out, side, 1, AM_BIAS);
}

/* A transposed convolution whose windows do not overlap: [B, C, h, w] -> [B, C, factor h, factor w]. */
static am_value enlarge(am_builder *b, am_value x, int64_t factor)
{
    int64_t C = am_dim(b, x, 1);
    am_scope(b, "resize");
    am_value weight = am_weight(b, "weight", am_shape_of(C, C, factor, factor));
    x = am_conv_transpose(b, x, weight, am_weight(b, "bias", am_shape_of(C)),
                          &(am_convolution_attributes){.stride = am_shape_of(factor, factor)});
    am_end_scope(b);
    return x;
}

/* --- reassembly --- */

/* The tokens behind the class token, [B, N, C], which they may know of. */
static am_value read_out(am_builder *b, const am_dpt_neck *n, am_value x, int i)
{
    char name[32];
    am_value class_token = am_slice(b, x, 1, 0, 1);
    x = am_slice(b, x, 1, 1, AM_SLICE_END);
    if (n->readout == AM_READOUT_IGNORE) return x;
    if (n->readout == AM_READOUT_ADD) return am_add(b, x, class_token);
    snprintf(name, sizeof name, "readout_projects.%d.0", i);
    am_value both = am_concat2(b, x, am_broadcast(b, class_token, am_shape_of_value(b, x)), 2);
    return am_linear_activation(b, name, both, am_dim(b, x, 2), AM_BIAS, n->hidden_act);
}

static am_value reassemble(am_builder *b, const am_dpt_neck *n, am_value x, int64_t height, int64_t width, int i)
{
    double factor = n->factors[i];
    x = am_transpose(b, read_out(b, n, x, i), 1, 2);
    x = am_reshape(b, x, am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), height, width));
    am_scope(b, "layers.%d", i);
    x = am_same_conv(b, "projection", x, n->hidden_sizes[i], 1);
    if (factor > 1) x = enlarge(b, x, (int64_t)factor);
    if (factor < 1) x = padded_conv(b, "resize", x, n->hidden_sizes[i], 3, (int64_t)(1 / factor), AM_BIAS);
    am_end_scope(b);
    return x;
}

static void check_rank(am_builder *b, const am_dpt_neck *n, am_value x, int i)
{
    int rank = n->takes_maps || i < n->ready ? 4 : 3;
    if (am_builder_failed(b) || am_rank(b, x) == rank) return;
    am_builder_fail(b, am_error(AM_UNSUPPORTED, rank == 3 ? "the backbone gives maps, not tokens with a class token "
                                                            "(reshape_hidden_states)"
                                                          : "the backbone gives tokens, not maps"));
}

void am_dpt_reassemble(am_builder *b, const am_dpt_neck *n, const am_value *stages, int64_t height, int64_t width,
                       am_value *out)
{
    char name[32];
    for (int i = 0; i < n->count; i++) {
        check_rank(b, n, stages[i], i);
        out[i] = stages[i];
        am_scope(b, "reassemble_stage");
        if (!n->takes_maps && i >= n->ready && !am_builder_failed(b))
            out[i] = reassemble(b, n, stages[i], height, width, i);
        am_end_scope(b);
        snprintf(name, sizeof name, "convs.%d", i);
        out[i] = padded_conv(b, name, out[i], n->fusion_hidden_size, 3, 1, AM_NO_BIAS);
    }
}

/* --- fusion --- */

am_value am_dpt_residual_layer(am_builder *b, const am_dpt_neck *n, const char *name, am_value x)
{
    am_value h = x;
    int bias = n->no_bias ? AM_NO_BIAS : AM_BIAS;
    am_scope(b, "%s", name);
    h = padded_conv(b, "convolution1", am_unary(b, AM_RELU, h), n->fusion_hidden_size, 3, 1, bias);
    if (n->norms) h = am_batch_norm(b, "batch_norm1", h, n->norm_eps);
    h = padded_conv(b, "convolution2", am_unary(b, AM_RELU, h), n->fusion_hidden_size, 3, 1, bias);
    if (n->norms) h = am_batch_norm(b, "batch_norm2", h, n->norm_eps);
    am_end_scope(b);
    return am_add(b, h, x);
}

static am_value see_prompt(am_builder *b, const am_dpt_neck *n, am_value x)
{
    int64_t C = n->fusion_hidden_size;
    am_value h = am_image_resized(b, n->prompt, am_dim(b, x, 2), am_dim(b, x, 3));
    am_scope(b, "prompt_depth_layer");
    h = am_unary(b, AM_RELU, am_same_conv(b, "convolution1", h, C, 3));
    h = am_unary(b, AM_RELU, am_same_conv(b, "convolution2", h, C, 3));
    h = am_same_conv(b, "convolution3", h, C, 3);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* x, which is fused, with a finer map, or AM_NONE; next: the map that is fused then. */
static am_value fusion_layer(am_builder *b, const am_dpt_neck *n, am_value x, am_value finer, am_value next)
{
    if (finer.id) {
        finer = am_image_resized(b, finer, am_dim(b, x, 2), am_dim(b, x, 3));
        x = am_add(b, x, am_dpt_residual_layer(b, n, "residual_layer1", finer));
    }
    x = am_dpt_residual_layer(b, n, "residual_layer2", x);
    if (n->prompt.id) x = see_prompt(b, n, x);
    bool sized = n->sized && next.id;
    x = am_resize_corners(b, x, sized ? am_dim(b, next, 2) : 2 * am_dim(b, x, 2),
                          sized ? am_dim(b, next, 3) : 2 * am_dim(b, x, 3));
    return am_same_conv(b, "projection", x, n->fusion_hidden_size, 1);
}

void am_dpt_fuse(am_builder *b, const am_dpt_neck *n, const am_value *maps, am_value *out)
{
    for (int i = 0; i < n->count && !am_builder_failed(b); i++) {
        am_value map = maps[n->count - 1 - i], next = i < n->count - 1 ? maps[n->count - 2 - i] : AM_NONE;
        am_scope(b, "fusion_stage.layers.%d", i);
        out[i] = fusion_layer(b, n, i ? out[i - 1] : map, i ? map : AM_NONE, next);
        am_end_scope(b);
    }
}

am_value am_dpt_head_map(const am_dpt_neck *n, const am_value *fused)
{
    return fused[n->head_in_index < 0 ? n->head_in_index + n->count : n->head_in_index];
}

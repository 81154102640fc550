#include "models/blocks/cosmos3_edge.h"

#include "models/blocks/attention.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { GRIDS_LIMIT = 4096 };

typedef struct tower {
    const am_config *config;
    int64_t hidden_size, intermediate_size, heads, layers;
    am_unary_fn hidden_act;
    double eps;
} tower;

static tower read_tower(const am_config *c)
{
    tower t = {.config = c,
               .hidden_size = am_config_size(c, "hidden_size", 1152),
               .intermediate_size = am_config_size(c, "intermediate_size", 4304),
               .heads = am_config_size(c, "num_attention_heads", 16),
               .layers = am_config_count(c, "num_hidden_layers", 27),
               .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
               .eps = am_config_real(c, "layer_norm_eps", 1e-6)};
    am_config_check_divides(c, "num_attention_heads", t.heads, "hidden_size", t.hidden_size);
    return t;
}

/* The square of positions, [1, C, side, side], resized for a grid: [t * h * w, C] in the order of its patches. */
static am_value positions_of(am_builder *b, am_value square, const am_grid *g, int64_t m)
{
    int64_t C = am_dim(b, square, 1);
    am_resize_attributes options = {.size = am_shape_of(g->h, g->w), .mode = AM_RESIZE_LINEAR, .antialias = true};
    am_value x = am_permute(b, am_squeeze(b, am_resize(b, square, &options), 0), am_shape_of(1, 2, 0));
    x = am_reshape(b, x, am_shape_of(g->h / m, m, g->w / m, m, C));
    x = am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(1, g->h * g->w, C));
    return am_reshape(b, am_broadcast(b, x, am_shape_of(g->t, g->h * g->w, C)), am_shape_of(g->t * g->h * g->w, C));
}

static am_value positions(am_builder *b, const tower *t, am_value x, const am_grids *grids)
{
    int64_t count = am_config_size(t->config, "num_patches", 256), side = 1, C = t->hidden_size;
    while ((side + 1) * (side + 1) <= count) side++;
    if (side * side != count) am_config_fail(t->config, "num_patches", "%" PRId64 " is no square", count);
    am_value square = am_parameter(b, "position_embedding.weight", am_shape_of(count, C), x), parts[GRIDS_LIMIT];
    square = am_tokens_image(b, am_unsqueeze(b, square, 0), side, side);
    for (int i = 0; i < grids->count && !am_builder_failed(b); i++)
        parts[i] = positions_of(b, square, &grids->items[i], grids->merge);
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, grids->count, 0);
}

static am_value embed(am_builder *b, const tower *t, am_value x, const am_grids *grids)
{
    am_image_options image = am_image_options_read(t->config, 1, 16);
    int64_t numbers = image.num_channels * image.patch_size[0] * image.patch_size[1];
    if (am_dim(b, x, 0) != grids->patches || am_dim(b, x, 1) != numbers || grids->count < 1 ||
        grids->count > GRIDS_LIMIT)
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT,
                                 "%" PRId64 " patches of %" PRId64 " numbers, expected %" PRId64 " of %" PRId64
                                 " for %d pictures of at most %d",
                                 am_dim(b, x, 0), am_dim(b, x, 1), grids->patches, numbers, grids->count, GRIDS_LIMIT));
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "embeddings");
    x = am_linear(b, "patch_embedding", x, t->hidden_size, AM_BIAS);
    x = am_add(b, x, positions(b, t, x, grids));
    am_end_scope(b);
    return x;
}

/* Which patches see one another: those of a frame. */
static am_segments frames_of(am_builder *b, const am_grids *grids)
{
    am_grids frames = am_grid_frames(b, grids);
    int64_t *lengths = am_arena_array(am_builder_arena(b), (size_t)frames.count + 1, sizeof *lengths);
    if (!lengths) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return (am_segments){0};
    for (int i = 0; i < frames.count; i++) lengths[i] = frames.items[i].h * frames.items[i].w;
    return am_segments_make(b, lengths, frames.count);
}

/* x: [1, N, C] */
static am_value layer(am_builder *b, am_value x, const tower *t, const am_segments *frames)
{
    am_value qkv[3], h = am_layer_norm(b, "layer_norm1", x, t->eps);
    am_scope(b, "self_attn");
    am_attention_heads(b, h, &(am_attention_options){.heads = t->heads}, qkv);
    h = am_linear(b, "out_proj", am_segments_attend(b, frames, qkv, t->heads), t->hidden_size, AM_BIAS);
    am_end_scope(b);
    x = am_add(b, x, h);
    h = am_layer_norm(b, "layer_norm2", x, t->eps);
    am_scope(b, "mlp");
    h = am_linear_activation(b, "fc1", h, t->intermediate_size, AM_BIAS, t->hidden_act);
    h = am_linear(b, "fc2", h, t->hidden_size, AM_BIAS);
    am_end_scope(b);
    return am_add(b, x, h);
}

am_value am_cosmos3_edge_tower(am_builder *b, const am_config *c, am_value x, const am_grids *grids, bool hidden_states)
{
    tower t = read_tower(c);
    x = am_unsqueeze(b, embed(b, &t, x, grids), 0);
    am_segments frames = frames_of(b, grids);
    for (int i = 0; i < t.layers && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, am_squeeze(b, x, 0));
        am_scope(b, "encoder.layers.%d", i);
        x = layer(b, x, &t, &frames);
        am_end_scope(b);
    }
    x = am_squeeze(b, x, 0);
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)t.layers, x);
    return am_layer_norm(b, "post_layernorm", x, t.eps);
}

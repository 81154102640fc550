/* VidEoMT: EoMT for videos, whose queries go on from frame to frame. transformers: models/videomt/modeling_videomt.py
 */
#include "models/blocks/detr.h"
#include "models/blocks/eomt.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct videomt_config {
    am_image_options image;
    int64_t C, registers;
    am_eomt eomt;
} videomt_config;

static videomt_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    videomt_config r = {.image = am_image_options_read(c, 640, 16),
                        .C = am_config_size(c, "hidden_size", 1024),
                        .registers = am_config_count(c, "num_register_tokens", 4)};
    am_pre_norm_options layers = am_eomt_layers_read(c, r.C);
    r.eomt = am_eomt_read(c, &r.image, layers.num_hidden_layers);
    r.eomt.layers = layers;
    r.eomt.prefix = 1 + r.registers;
    return r;
}

/* Hidden states in the order in which layers are run; the last is held back, since it is normed. */
typedef struct states {
    am_value last;
    int count;
} states;

static void add_state(am_builder *b, states *s, am_value x)
{
    if (s->last.id) am_output_hidden_state(b, "hidden_states", s->count++, s->last);
    s->last = x;
}

static am_value run_layers(am_builder *b, const videomt_config *c, am_value x, int64_t from, int64_t to, states *s)
{
    for (int64_t i = from; i < to && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", (int)i);
        x = am_pre_norm_layer(b, x, &c->eomt.layers);
        am_end_scope(b);
        add_state(b, s, x);
    }
    return x;
}

/* Queries of a frame, with what those of the frame before, x: [B, Q, C] or AM_NONE, make of it: [B, Q, C]. */
static am_value queries_of(am_builder *b, const videomt_config *c, am_value x, int64_t B)
{
    am_value own = am_cast(b, am_weight(b, "query.weight", am_shape_of(c->eomt.queries, c->C)), AM_F32);
    own = am_broadcast(b, am_unsqueeze(b, own, 0), am_shape_of(B, c->eomt.queries, c->C));
    return x.id ? am_add(b, am_linear(b, "query_updater", x, c->C, AM_BIAS), own) : own;
}

/* Tokens of all frames: [B * frames, T, C]. */
static am_value embed_video(am_builder *b, const videomt_config *c, am_value video)
{
    am_shape s = am_shape_of_value(b, video);
    const int64_t *size = c->image.image_size;
    if (!am_builder_failed(b) && (s.dims[2] != c->image.num_channels || s.dims[3] != size[0] || s.dims[4] != size[1]))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values_videos has pictures of %" PRId64 " x %" PRId64 " x %" PRId64
                                    ", expected %" PRId64 " x %" PRId64 " x %" PRId64,
                                    s.dims[2], s.dims[3], s.dims[4], c->image.num_channels, size[0], size[1]));
    return am_eomt_embed(b, am_flatten(b, video, 0, 1), &c->image, c->C, c->registers);
}

static void output_all(am_builder *b, const videomt_config *c, const am_states *frames, const states *s)
{
    am_states classes = am_states_make(b, frames->count), masks = am_states_make(b, frames->count);
    for (int i = 0; i < frames->count && !am_builder_failed(b); i++) {
        am_value x = frames->items[i], queries = am_slice(b, x, 1, 0, c->eomt.queries);
        am_states_add(&classes, am_linear(b, "class_predictor", queries, c->eomt.labels + 1, AM_BIAS));
        am_states_add(&masks, am_eomt_masks(b, x, &c->eomt));
    }
    if (am_builder_failed(b)) return;
    am_value last = am_concat(b, frames->items, frames->count, 0);
    am_output(b, "class_queries_logits", am_concat(b, classes.items, classes.count, 0));
    am_output(b, "masks_queries_logits", am_concat(b, masks.items, masks.count, 0));
    am_output(b, "last_hidden_state", last);
    am_output_hidden_state(b, "hidden_states", s->count, last);
}

static void for_universal_segmentation(am_builder *b)
{
    videomt_config c = read_config(b);
    am_value video = am_input(b, "pixel_values_videos", 5), queries = AM_NONE;
    int64_t B = am_dim(b, video, 0), frames = am_dim(b, video, 1), all = c.eomt.layers.num_hidden_layers,
            first = all - c.eomt.blocks;
    states s = {AM_NONE, 0};
    am_value x = embed_video(b, &c, video);
    am_states outputs = am_states_make(b, frames);
    if (am_builder_failed(b)) return;
    if (first > 0) add_state(b, &s, x);
    x = run_layers(b, &c, x, 0, first, &s);
    x = am_reshape(b, x, am_shape_of(B, frames, am_dim(b, x, 1), c.C));
    for (int64_t i = 0; i < frames && !am_builder_failed(b); i++) {
        am_value frame = am_concat2(b, queries_of(b, &c, queries, B), am_index(b, x, 1, i), 1);
        if (!s.last.id) add_state(b, &s, frame);
        frame = run_layers(b, &c, frame, first, all, &s);
        am_states_add(&outputs, am_layer_norm(b, "layernorm", frame, c.eomt.layers.layer_norm_eps));
        queries = am_slice(b, frame, 1, 0, c.eomt.queries);
    }
    output_all(b, &c, &outputs, &s);
}

static const am_architecture architectures[] = {
    {"VideomtForUniversalSegmentation", for_universal_segmentation, NULL, 0},
    {0},
};

const am_model_type am_model_videomt = {.name = "videomt", .base_prefix = "videomt", .architectures = architectures};

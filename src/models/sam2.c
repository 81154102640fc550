/* Segment Anything 2, for images: a Hiera of windows, whose stages halve the map by pooling queries, a neck of maps in
   one width, prompts and a decoder. transformers: models/sam2/modeling_sam2.py */
#include "models/blocks/sam2.h"

#include "models/blocks/attention.h"
#include "models/blocks/sine_positions.h"
#include "models/blocks/vision.h"
#include "models/blocks/windows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { BLOCKS_LIMIT = 256 };

/* --- Hiera --- */

typedef struct hiera_config {
    int64_t num_channels, hidden_size, kernel[2], stride[2], padding[2], query_stride[2], background[2];
    int stages;
    int64_t blocks[AM_STAGES_LIMIT], dims[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT], windows[AM_STAGES_LIMIT];
    int64_t query_stages;
    bool is_global[BLOCKS_LIMIT];
    double mlp_ratio, layer_norm_eps;
    am_unary_fn hidden_act;
} hiera_config;

static void check_blocks(const am_config *c, hiera_config *r)
{
    int64_t total = 0;
    for (int i = 0; i < r->stages; i++) {
        total += r->blocks[i];
        am_config_check_divides(c, "num_attention_heads_per_stage", r->heads[i], "embed_dim_per_stage", r->dims[i]);
    }
    if (total > BLOCKS_LIMIT) {
        am_config_fail(c, "blocks_per_stage", "more than %d blocks", BLOCKS_LIMIT);
        r->stages = 0;
        return;
    }
    int64_t found[BLOCKS_LIMIT];
    int count = am_config_sizes(c, "global_attention_blocks", found, BLOCKS_LIMIT, (const int64_t[]){5, 7, 9}, 3);
    for (int i = 0; i < count; i++)
        if (found[i] < total) r->is_global[found[i]] = true;
}

static hiera_config read_hiera(const am_config *c)
{
    static const int64_t blocks[] = {1, 2, 7, 2}, dims[] = {96, 192, 384, 768}, heads[] = {1, 2, 4, 8},
                         windows[] = {8, 4, 14, 7};
    hiera_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .hidden_size = am_config_size(c, "hidden_size", 96),
        .query_stages = am_config_count(c, "num_query_pool_stages", 3),
        .mlp_ratio = am_config_real(c, "mlp_ratio", 4),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
    };
    am_config_pair(c, "patch_kernel_size", 7, r.kernel);
    am_config_pair(c, "patch_stride", 4, r.stride);
    am_config_pair(c, "patch_padding", 3, r.padding);
    am_config_pair(c, "query_stride", 2, r.query_stride);
    am_config_pair(c, "window_positional_embedding_background_size", 7, r.background);
    r.stages = am_config_sizes(c, "blocks_per_stage", r.blocks, AM_STAGES_LIMIT, blocks, 4);
    am_stage_sizes(c, "embed_dim_per_stage", r.stages, 1, dims, 4, r.dims);
    am_stage_sizes(c, "num_attention_heads_per_stage", r.stages, 1, heads, 4, r.heads);
    am_stage_sizes(c, "window_size_per_stage", r.stages, 1, windows, 4, r.windows);
    if (r.stages == 0) am_config_fail(c, "blocks_per_stage", "the list is empty");
    if (r.query_stride[0] != r.query_stride[1])
        am_config_unsupported(c, "query_stride", "of another height than width");
    check_blocks(c, &r);
    return r;
}

/* A map of tokens: x: [B, height * width, C]. */
typedef struct map {
    am_value x;
    int64_t height, width;
} map;

/* The largest in squares of `stride` tokens: x: [N, height * width, C]. */
static map pool(am_builder *b, map m, int64_t stride)
{
    am_pool_attributes options = {.fn = AM_POOL_MAX, .kernel = am_shape_of(stride, stride)};
    am_value x = am_pool(b, am_tokens_image(b, m.x, m.height, m.width), &options);
    return (map){am_image_tokens(b, x), am_dim(b, x, 2), am_dim(b, x, 3)};
}

/* Attention within x: [N, height * width, C], queries pooled where stride is not 0. */
static map attend(am_builder *b, map m, int64_t C, int64_t heads, int64_t stride)
{
    am_value qkv[3];
    am_scope(b, "attn");
    am_value x = am_linear(b, "qkv", m.x, 3 * C, AM_BIAS);
    for (int i = 0; i < 3; i++) qkv[i] = am_slice(b, x, 2, i * C, (i + 1) * C);
    map q = {qkv[0], m.height, m.width};
    if (stride) q = pool(b, q, stride);
    am_attention_inputs inputs = {.q = am_split_heads(b, q.x, heads),
                                  .k = am_split_heads(b, qkv[1], heads),
                                  .v = am_split_heads(b, qkv[2], heads)};
    x = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){0}));
    q.x = am_linear(b, "proj", x, C, AM_BIAS);
    am_end_scope(b);
    return q;
}

typedef struct block_config {
    int64_t C, heads, window, stride; /* window 0: the whole map; stride 0: no pooling */
} block_config;

/* The same within windows; `out` is how large the map becomes. */
static am_value attend_windows(am_builder *b, const am_config *c, map m, const block_config *o, map out)
{
    am_windows before = am_windows_of(m.height, m.width, o->window, 0);
    int64_t side = o->stride ? o->window / o->stride : o->window;
    if (side < 1)
        am_config_fail(c, "window_size_per_stage", "a window of %" PRId64 " tokens is pooled away", o->window);
    if (side < 1 || am_builder_failed(b)) return m.x;
    am_windows after = am_windows_of(out.height, out.width, side, 0);
    if (after.rows != before.rows || after.columns != before.columns) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "windows of %" PRId64 " tokens do not fit a map of %" PRId64 " x %" PRId64
                                    " that is pooled",
                                    o->window, m.height, m.width));
        return m.x;
    }
    map inside = {am_windows_split(b, m.x, &before), o->window, o->window};
    return am_windows_join(b, attend(b, inside, o->C, o->heads, o->stride).x, &after);
}

static map block(am_builder *b, const am_config *c, const hiera_config *r, map m, const block_config *o)
{
    map h = {am_layer_norm(b, "layer_norm1", m.x, r->layer_norm_eps), m.height, m.width}, rest = m;
    if (am_dim(b, m.x, 2) != o->C) {
        rest.x = am_linear(b, "proj", h.x, o->C, AM_BIAS);
        if (o->stride) rest = pool(b, rest, o->stride);
    } else if (o->stride) {
        am_config_fail(c, "embed_dim_per_stage", "a stage that pools has another width than the one before");
    }
    am_value x = o->window ? attend_windows(b, c, h, o, rest) : attend(b, h, o->C, o->heads, o->stride).x;
    int64_t inner = am_scaled_size(c, "mlp_ratio", o->C, r->mlp_ratio);
    rest.x = am_add(b, rest.x, x);
    x = am_layer_norm(b, "layer_norm2", rest.x, r->layer_norm_eps);
    x = am_linear_activation(b, "mlp.proj_in", x, inner, AM_BIAS, r->hidden_act);
    rest.x = am_add(b, rest.x, am_linear(b, "mlp.proj_out", x, o->C, AM_BIAS));
    return rest;
}

/* Places: those of the whole image, and those within each window of the first stage: [1, C, height, width]. */
static am_value places(am_builder *b, const hiera_config *r, int64_t height, int64_t width)
{
    int64_t side = r->windows[0], C = r->hidden_size;
    am_value x = am_weight(b, "pos_embed", am_shape_of(1, C, r->background[0], r->background[1]));
    x = am_resize(b, am_cast(b, x, AM_F32),
                  &(am_resize_attributes){.size = am_shape_of(height, width), .mode = AM_RESIZE_CUBIC});
    am_value window = am_cast(b, am_weight(b, "pos_embed_window", am_shape_of(1, C, side, side)), AM_F32);
    if (height % side || width % side) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "a map of %" PRId64 " x %" PRId64 " is not made of windows of %" PRId64 " tokens",
                                    height, width, side));
        return x;
    }
    window = am_broadcast(b, am_reshape(b, window, am_shape_of(C, 1, side, 1, side)),
                          am_shape_of(C, height / side, side, width / side, side));
    return am_add(b, x, am_reshape(b, window, am_shape_of(1, C, height, width)));
}

static map embed(am_builder *b, const hiera_config *r)
{
    am_shape padding = am_shape_of(r->padding[0], r->padding[1]);
    am_convolution_attributes options = {
        .stride = am_shape_of(r->stride[0], r->stride[1]), .padding_before = padding, .padding_after = padding};
    am_value x = am_conv(b, "patch_embed.projection", am_pixel_values(b, r->num_channels), r->hidden_size,
                         am_shape_of(r->kernel[0], r->kernel[1]), AM_BIAS, &options);
    int64_t height = am_dim(b, x, 2), width = am_dim(b, x, 3);
    if (!am_builder_failed(b)) x = am_add(b, x, places(b, r, height, width));
    return (map){am_image_tokens(b, x), height, width};
}

static am_value as_map(am_builder *b, map m)
{
    return am_reshape(b, m.x, am_shape_of(am_dim(b, m.x, 0), m.height, m.width, am_dim(b, m.x, 2)));
}

/* Stages over the input pixel_values, below the scope; ends receives what comes out of each. */
static hiera_config run_hiera(am_builder *b, const am_config *c, const char *hidden_states, map *ends)
{
    hiera_config r = read_hiera(c);
    int index = 0;
    map m = embed(b, &r);
    am_output_hidden_state(b, hidden_states, 0, as_map(b, m));
    for (int i = 0; i < r.stages; i++) {
        for (int j = 0; j < r.blocks[i] && !am_builder_failed(b); j++, index++) {
            bool begins = i > 0 && j == 0;
            block_config o = {.C = r.dims[i],
                              .heads = r.heads[i],
                              .window = r.is_global[index] ? 0 : r.windows[begins ? i - 1 : i],
                              .stride = begins && i <= r.query_stages ? r.query_stride[0] : 0};
            if (!o.window && o.stride)
                am_config_fail(c, "global_attention_blocks", "block %d pools within windows", index);
            am_scope(b, "blocks.%d", index);
            m = block(b, c, &r, m, &o);
            am_end_scope(b);
            am_output_hidden_state(b, hidden_states, index + 1, as_map(b, m));
        }
        ends[i] = m;
    }
    return r;
}

static void hiera_model(am_builder *b)
{
    map ends[AM_STAGES_LIMIT];
    char name[48];
    hiera_config r = run_hiera(b, am_model_config(b), "hidden_states", ends);
    if (am_builder_failed(b)) return;
    am_output(b, "last_hidden_state", as_map(b, ends[r.stages - 1]));
    for (int i = 0; i < r.stages; i++) {
        snprintf(name, sizeof name, "intermediate_hidden_states.%d", i);
        am_output(b, name, as_map(b, ends[i]));
    }
}

/* --- the neck --- */

typedef struct vision {
    map last;
    am_value maps[AM_STAGES_LIMIT]; /* [B, C, h, w], the finest first */
    int count;
} vision;

/* Maps of all stages in one width, below the scope; coarse ones are added to finer ones at some levels. */
static void run_neck(am_builder *b, const am_config *c, const map *ends, int stages, vision *v)
{
    int64_t C = am_config_size(c, "fpn_hidden_size", 256), kernel = am_config_size(c, "fpn_kernel_size", 1),
            stride = am_config_size(c, "fpn_stride", 1), padding = am_config_count(c, "fpn_padding", 0);
    int64_t channels[AM_STAGES_LIMIT], levels[AM_STAGES_LIMIT];
    int count =
        am_config_sizes(c, "backbone_channel_list", channels, AM_STAGES_LIMIT, (const int64_t[]){768, 384, 192, 96}, 4);
    int level_count = am_config_sizes(c, "fpn_top_down_levels", levels, AM_STAGES_LIMIT, (const int64_t[]){2, 3}, 2);
    am_shape pad = am_shape_of(padding, padding);
    am_convolution_attributes options = {
        .stride = am_shape_of(stride, stride), .padding_before = pad, .padding_after = pad};
    am_value x = AM_NONE;
    char name[32];
    if (count < 1 || count > stages) am_config_fail(c, "backbone_channel_list", "%d maps of %d stages", count, stages);
    if (am_builder_failed(b) || count < 1 || count > stages) return;
    v->count = count;
    for (int i = count - 1; i >= 0 && !am_builder_failed(b); i--) {
        bool adds = false;
        for (int j = 0; j < level_count; j++) adds |= i < count - 1 && levels[j] == i;
        snprintf(name, sizeof name, "convs.%d", count - 1 - i);
        am_value own = am_conv(b, name, am_tokens_image(b, ends[i].x, ends[i].height, ends[i].width), C,
                               am_shape_of(kernel, kernel), AM_BIAS, &options);
        if (adds) {
            am_resize_attributes twice = {.size = am_shape_of(2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3)),
                                          .mode = AM_RESIZE_NEAREST};
            own = am_add(b, own, am_resize(b, x, &twice));
        }
        v->maps[i] = x = own;
    }
}

/* The finest num_feature_levels maps of a vision configuration, below `scope`. */
static vision run_vision(am_builder *b, const am_config *c, const char *scope, const char *hidden_states)
{
    map ends[AM_STAGES_LIMIT];
    vision v = {.count = 0};
    am_config backbone = am_config_child(c, "backbone_config");
    if (am_config_has(&backbone, "model_type") && !am_config_is(&backbone, "model_type", "sam2_hiera_det_model"))
        am_config_unsupported(&backbone, "model_type", "the backbone is not SAM 2's own");
    am_scope(b, "%s", scope);
    am_scope(b, "backbone");
    hiera_config r = run_hiera(b, &backbone, hidden_states, ends);
    am_end_scope(b);
    am_scope(b, "neck");
    if (!am_builder_failed(b)) {
        v.last = ends[r.stages - 1];
        run_neck(b, c, ends, r.stages, &v);
    }
    am_end_scope(b);
    am_end_scope(b);
    int64_t levels = am_config_size(c, "num_feature_levels", 3);
    if (levels < v.count) v.count = (int)levels;
    return v;
}

static void vision_model(am_builder *b)
{
    char name[48];
    vision v = run_vision(b, am_model_config(b), "", "hidden_states");
    am_sine_options sine = {.features = am_dim(b, v.maps[0], 1) / 2, .temperature = 10000, .scale = 2 * acos(-1)};
    if (am_builder_failed(b)) return;
    am_output(b, "last_hidden_state", as_map(b, v.last));
    for (int i = 0; i < v.count; i++) {
        snprintf(name, sizeof name, "fpn_hidden_states.%d", i);
        am_output(b, name, v.maps[i]);
        am_shape s = am_shape_of_value(b, v.maps[i]);
        am_value ones = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of(s.dims[0], s.dims[2], s.dims[3]));
        snprintf(name, sizeof name, "fpn_position_encoding.%d", i);
        am_output(b, name, am_tokens_image(b, am_sine_positions(b, ones, &sine), s.dims[2], s.dims[3]));
    }
}

static void sam2_model(am_builder *b)
{
    am_value image[AM_SAM2_LEVELS];
    if (am_has_input(b, "pixel_values")) {
        am_config c = am_config_child(am_model_config(b), "vision_config");
        if (am_config_has(&c, "model_type") && !am_config_is(&c, "model_type", "sam2_vision_model"))
            am_config_unsupported(&c, "model_type", "the vision encoder is not SAM 2's own");
        vision v = run_vision(b, &c, "vision_encoder", "vision_hidden_states");
        if (am_builder_failed(b)) return;
        am_sam2_embed(b, v.maps, v.count, image);
    } else {
        am_sam2_embed(b, NULL, 0, image);
    }
    am_sam2_segment(b, image);
}

static const am_architecture architectures[] = {
    {"Sam2Model", sam2_model, NULL, 0},
    {"Sam2VisionModel", vision_model, NULL, 0},
    {"Sam2HieraDetModel", hiera_model, NULL, 0},
    {0},
};

const am_model_type am_model_sam2 = {
    .name = "sam2 sam2_vision_model sam2_hiera_det_model", .base_prefix = "sam2", .architectures = architectures};

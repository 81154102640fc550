#include "models/blocks/depth_anything.h"

#include "models/blocks/dpt_neck.h"

typedef struct depth_config {
    const am_depth_anything_family *family;
    am_dpt_neck neck;
    int64_t patch_size, head_hidden_size;
    bool is_metric;
    double max_depth;
} depth_config;

static depth_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    depth_config r = {.family = am_model_family(b),
                      .neck = am_dpt_neck_read(c, 64, (const int64_t[]){48, 96, 192, 384}),
                      .patch_size = am_config_size(c, "patch_size", 14),
                      .head_hidden_size = am_config_size(c, "head_hidden_size", 32),
                      .is_metric = am_config_is(c, "depth_estimation_type", "metric"),
                      .max_depth = am_config_real(c, "max_depth", 1)};
    r.neck.sized = true;
    if (!r.is_metric && am_config_has(c, "depth_estimation_type") &&
        !am_config_is(c, "depth_estimation_type", "relative"))
        am_config_fail(c, "depth_estimation_type", "expected \"relative\" or \"metric\", found \"%s\"",
                       am_config_text(c, "depth_estimation_type", ""));
    if (!am_config_has(c, "backbone_config")) am_config_unsupported(c, "backbone_config", "has to be given");
    return r;
}

/* The backbone's stages; their width has to be the one that the neck is said to read. */
static void read_stages(am_builder *b, const depth_config *c, am_value *stages)
{
    const am_config *config = am_model_config(b);
    am_config child = am_config_child(config, "backbone_config");
    int64_t width = am_config_size(config, "reassemble_hidden_size", 384);
    am_scope(b, "backbone");
    am_feature_maps maps = am_backbone_maps_of(b, &child, c->neck.count, c->neck.count);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    for (int i = 0; i < maps.count; i++) stages[i] = maps.maps[i];
    if (am_dim(b, stages[0], -1) != width && am_rank(b, stages[0]) == 3)
        am_config_fail(config, "reassemble_hidden_size", "the backbone has %lld", (long long)am_dim(b, stages[0], -1));
    am_output_part_list(b, &maps.outputs, "hidden_states", "hidden_states");
}

/* The prompt from 0 to 1, and what makes depths of that again: [B, 1, 1] each. */
typedef struct prompt {
    am_value x, least, range;
} prompt;

static prompt read_prompt(am_builder *b)
{
    prompt r = {.x = am_input(b, "prompt_depth", 4)};
    am_value least = am_reduce(b, AM_REDUCE_MIN, r.x, am_shape_of(1, 2, 3), true);
    am_value range = am_sub(b, am_reduce(b, AM_REDUCE_MAX, r.x, am_shape_of(1, 2, 3), true), least);
    r.x = am_div(b, am_sub(b, r.x, least), range);
    r.least = am_squeeze(b, least, 1);
    r.range = am_squeeze(b, range, 1);
    return r;
}

static am_value head(am_builder *b, const depth_config *c, am_value x, int64_t height, int64_t width)
{
    am_scope(b, "head");
    x = am_same_conv(b, "conv1", x, c->neck.fusion_hidden_size / 2, 3);
    x = am_resize_corners(b, x, height, width);
    x = am_unary(b, AM_RELU, am_same_conv(b, "conv2", x, c->head_hidden_size, 3));
    x = am_same_conv(b, "conv3", x, 1, 1);
    am_end_scope(b);
    x = am_unary(b, c->is_metric ? AM_SIGMOID : AM_RELU, am_squeeze(b, x, 1));
    return c->family->has_prompt ? x : am_mul_number(b, x, c->max_depth);
}

void am_depth_anything_for_depth_estimation(am_builder *b)
{
    depth_config c = read_config(b);
    prompt given = {0};
    am_value stages[AM_STAGES_LIMIT], maps[AM_STAGES_LIMIT], fused[AM_STAGES_LIMIT];
    read_stages(b, &c, stages);
    if (c.family->has_prompt && am_has_input(b, "prompt_depth")) given = read_prompt(b);
    c.neck.prompt = given.x;
    if (am_builder_failed(b)) return;
    am_value pixels = am_input(b, "pixel_values", 4);
    int64_t rows = am_dim(b, pixels, 2) / c.patch_size, columns = am_dim(b, pixels, 3) / c.patch_size;
    am_scope(b, "neck");
    am_dpt_reassemble(b, &c.neck, stages, rows, columns, maps);
    am_dpt_fuse(b, &c.neck, maps, fused);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    am_value last = c.family->has_prompt ? fused[c.neck.count - 1] : am_dpt_head_map(&c.neck, fused);
    am_value depth = head(b, &c, last, rows * c.patch_size, columns * c.patch_size);
    if (given.x.id) depth = am_add(b, am_mul(b, depth, given.range), given.least);
    am_output(b, "predicted_depth", depth);
}

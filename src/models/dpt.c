/* DPT: a vision transformer whose layers are read at several depths, a neck that makes maps of their tokens and fuses
   them, and heads for depths or classes of pixels. DPT-Hybrid has a convolutional backbone before the transformer.
   transformers: models/dpt/modeling_dpt.py */
#include "models/blocks/dpt_neck.h"
#include "models/blocks/vit.h"

#include <inttypes.h>

enum { LAYERS_LIMIT = 256, HYBRID_MAPS = 3, HYBRID_READY = 2, DEPTH_CHANNELS = 32, PROJECTION_CHANNELS = 256 };

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

static const am_vit_family layers_family = {.derives_head_dim = true};

typedef struct dpt_config {
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size, pooler_output_size;
    am_unary_fn pooler_act;
    bool is_hybrid, has_backbone, add_projection;
    bool read_layers[LAYERS_LIMIT + 1]; /* what the neck reads of the layers, the first being layer 0 */
    am_dpt_neck neck;
} dpt_config;

/* The layers that backbone_out_indices names, without the first two in a hybrid, which come of the backbone. */
static void read_out_indices(const am_config *c, dpt_config *r)
{
    static const int64_t defaults[] = {2, 5, 8, 11};
    int position = 0;
    am_json list = am_json_get(c->object, "backbone_out_indices");
    for (int i = r->is_hybrid ? HYBRID_READY : 0; i < 4 && !am_config_has(c, "backbone_out_indices"); i++)
        r->read_layers[defaults[i]] = true;
    for (am_json_iterator it = am_json_iterate(list); am_json_next(&it); position++) {
        int64_t i = am_json_int(it.value, -1);
        bool is_skipped = r->is_hybrid && position < HYBRID_READY;
        if (i >= 0 && i < LAYERS_LIMIT && !is_skipped) r->read_layers[i] = true;
    }
}

static void check_hybrid(const am_config *c, const dpt_config *r)
{
    am_json ready = am_json_get(c->object, "neck_ignore_stages");
    am_json_iterator it = am_json_iterate(ready);
    bool is_usual = !am_config_has(c, "neck_ignore_stages") || am_json_count(ready) == HYBRID_READY;
    for (int64_t i = 0; am_json_next(&it); i++) is_usual = is_usual && am_json_int(it.value, -1) == i;
    if (!am_config_has(c, "backbone_config"))
        am_config_unsupported(c, "backbone_config", "has to be given where is_hybrid is true");
    if (r->neck.readout != AM_READOUT_PROJECT) am_config_fail(c, "readout_type", "expected \"project\" in a hybrid");
    if (!is_usual) am_config_unsupported(c, "neck_ignore_stages", "expected [0, 1] in a hybrid");
    if (r->neck.count <= HYBRID_READY)
        am_config_fail(c, "neck_hidden_sizes", "expected more than %d in a hybrid", HYBRID_READY);
}

static dpt_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t hidden_size = am_config_size(c, "hidden_size", 768);
    dpt_config r = {
        .image = am_image_options_read(c, 384, 16),
        .encoder = am_vit_layers_read(c, &layers_family, hidden_size),
        .hidden_size = hidden_size,
        .pooler_output_size = am_config_size(c, "pooler_output_size", hidden_size),
        .pooler_act = am_config_activation(c, "pooler_act", AM_TANH),
        .is_hybrid = am_config_flag(c, "is_hybrid", false),
        .add_projection = am_config_flag(c, "add_projection", false),
        .neck = am_dpt_neck_read(c, 256, (const int64_t[]){96, 192, 384, 768}),
    };
    am_dpt_neck_read_more(c, &r.neck);
    r.has_backbone = !r.is_hybrid && am_config_has(c, "backbone_config");
    if (r.is_hybrid) r.neck.ready = HYBRID_READY;
    read_out_indices(c, &r);
    if (r.is_hybrid) check_hybrid(c, &r);
    if (r.encoder.num_hidden_layers > LAYERS_LIMIT)
        am_config_unsupported(c, "num_hidden_layers", "at most %d are supported", LAYERS_LIMIT);
    return r;
}

/* --- the transformer --- */

/* Positions of the class token and of rows x columns patches, linear between those of the configured image. */
static am_value positions(am_builder *b, const dpt_config *c, am_value x, int64_t rows, int64_t columns)
{
    int64_t count = am_image_patches(&c->image), side = c->image.image_size[0] / c->image.patch_size[0],
            C = c->hidden_size;
    am_value all = am_parameter(b, "position_embeddings", am_shape_of(1, 1 + count, C), x);
    if (side * side != count) am_config_unsupported(am_model_config(b), "image_size", "expected a square");
    if (side * side != count || (rows == side && columns == side)) return all;
    am_value grid =
        am_reshape(b, am_transpose(b, am_slice(b, all, 1, 1, AM_SLICE_END), 1, 2), am_shape_of(1, C, side, side));
    return am_concat2(b, am_slice(b, all, 1, 0, 1), am_image_tokens(b, am_image_resized(b, grid, rows, columns)), 1);
}

/* The class token and the patches: [B, T, C]; maps: what the backbone of a hybrid gives. */
static am_value embed(am_builder *b, const dpt_config *c, am_feature_maps *maps)
{
    am_value pixels = am_pixel_values(b, c->image.num_channels), x;
    int64_t rows = am_dim(b, pixels, 2) / c->image.patch_size[0],
            columns = am_dim(b, pixels, 3) / c->image.patch_size[1];
    am_scope(b, "embeddings");
    if (c->is_hybrid) {
        am_config child = am_config_child(am_model_config(b), "backbone_config");
        am_pixel_values_sized(b, &c->image);
        am_scope(b, "backbone");
        *maps = am_backbone_maps_of(b, &child, HYBRID_MAPS, HYBRID_MAPS);
        am_end_scope(b);
        x = am_same_conv(b, "projection", maps->maps[HYBRID_MAPS - 1], c->hidden_size, 1);
    } else {
        x = am_patch_convolution(b, "patch_embeddings.projection", pixels, c->hidden_size, c->image.patch_size,
                                 AM_BIAS);
    }
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, c->hidden_size), am_image_tokens(b, x));
    x = am_add(b, x, positions(b, c, x, rows, columns));
    am_end_scope(b);
    return x;
}

/* The model under `prefix`. stages receives what the neck reads, says how many; null: nothing. */
static am_value body(am_builder *b, const dpt_config *c, const char *prefix, am_value *stages, int *count)
{
    am_feature_maps maps = {0};
    am_value states[LAYERS_LIMIT + 1];
    am_pre_norm_options encoder = c->encoder;
    encoder.out_states = states;
    if (c->encoder.num_hidden_layers > LAYERS_LIMIT || am_builder_failed(b)) return AM_NONE;
    am_scope(b, "%s", prefix);
    am_value x = am_pre_norm_layers(b, embed(b, c, &maps), &encoder);
    x = am_layer_norm(b, "layernorm", x, c->encoder.layer_norm_eps);
    am_end_scope(b);
    if (!stages) return x;
    for (int i = 0; c->is_hybrid && i < HYBRID_READY; i++) stages[(*count)++] = maps.maps[i];
    for (int i = 0; i < c->encoder.num_hidden_layers && *count < AM_STAGES_LIMIT; i++)
        if (c->read_layers[i]) stages[(*count)++] = states[i + 1];
    return x;
}

static void dpt_model(am_builder *b)
{
    dpt_config c = read_config(b);
    am_value x = body(b, &c, "", NULL, NULL);
    am_output(b, "last_hidden_state", x);
    am_output(
        b, "pooler_output",
        am_linear_activation(b, "pooler.dense", am_index(b, x, 1, 0), c.pooler_output_size, AM_BIAS, c.pooler_act));
}

/* --- heads --- */

/* Stages of a backbone that the configuration names, as tokens; rows and columns are those of its patches. */
static int backbone_stages(am_builder *b, dpt_config *c, am_value *stages, int64_t grid[2])
{
    am_config child = am_config_child(am_model_config(b), "backbone_config");
    am_image_options image = am_image_options_read(&child, 224, 16);
    am_value pixels = am_input(b, "pixel_values", 4);
    c->neck.takes_maps = am_config_is(&child, "model_type", "swinv2");
    am_scope(b, "backbone");
    am_feature_maps maps = am_backbone_maps_of(b, &child, 1, AM_STAGES_LIMIT);
    am_end_scope(b);
    for (int i = 0; i < maps.count; i++) stages[i] = maps.maps[i];
    for (int i = 0; i < 2; i++) grid[i] = am_dim(b, pixels, 2 + i) / image.patch_size[i];
    am_output_part_list(b, &maps.outputs, "hidden_states", "hidden_states");
    return maps.count;
}

/* Tokens of the model's own layers stand in a square. */
static int own_stages(am_builder *b, dpt_config *c, am_value *stages, int64_t grid[2])
{
    int count = 0;
    body(b, c, "dpt", stages, &count);
    grid[0] = grid[1] = 1;
    if (!count || am_builder_failed(b)) return count;
    int64_t tokens = am_dim(b, stages[count - 1], 1) - 1;
    while ((grid[0] + 1) * (grid[0] + 1) <= tokens) grid[0]++;
    grid[1] = grid[0];
    if (grid[0] * grid[0] != tokens)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "expected images of as many patches in rows as in columns"));
    return count;
}

/* Fused maps: fused[neck.count]. False: it failed. */
static bool fuse(am_builder *b, dpt_config *c, am_value *fused)
{
    am_value stages[AM_STAGES_LIMIT + 1], maps[AM_STAGES_LIMIT];
    int64_t grid[2];
    int count = c->has_backbone ? backbone_stages(b, c, stages, grid) : own_stages(b, c, stages, grid);
    if (!am_builder_failed(b) && count != c->neck.count)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "%d stages, of which neck_hidden_sizes has %d", count, c->neck.count));
    if (am_builder_failed(b)) return false;
    am_scope(b, "neck");
    am_dpt_reassemble(b, &c->neck, stages, grid[0], grid[1], maps);
    am_dpt_fuse(b, &c->neck, maps, fused);
    am_end_scope(b);
    return !am_builder_failed(b);
}

static void for_depth_estimation(am_builder *b)
{
    dpt_config c = read_config(b);
    am_value fused[AM_STAGES_LIMIT];
    if (!fuse(b, &c, fused)) return;
    am_value x = am_dpt_head_map(&c.neck, fused);
    am_scope(b, "head");
    if (c.add_projection) x = am_unary(b, AM_RELU, am_same_conv(b, "projection", x, PROJECTION_CHANNELS, 3));
    x = am_same_conv(b, "head.0", x, c.neck.fusion_hidden_size / 2, 3);
    x = am_resize_corners(b, x, 2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3));
    x = am_unary(b, AM_RELU, am_same_conv(b, "head.2", x, DEPTH_CHANNELS, 3));
    x = am_unary(b, AM_RELU, am_same_conv(b, "head.4", x, 1, 1));
    am_end_scope(b);
    am_output(b, "predicted_depth", am_squeeze(b, x, 1));
}

static void for_semantic_segmentation(am_builder *b)
{
    dpt_config c = read_config(b);
    am_value fused[AM_STAGES_LIMIT];
    if (c.has_backbone)
        am_config_unsupported(am_model_config(b), "backbone_config", "this class has layers of its own");
    if (c.has_backbone || !fuse(b, &c, fused)) return;
    am_value x = am_dpt_head_map(&c.neck, fused);
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes options = {.padding_before = one, .padding_after = one};
    am_scope(b, "head.head");
    x = am_conv(b, "0", x, c.neck.fusion_hidden_size, am_shape_of(3, 3), AM_NO_BIAS, &options);
    x = am_unary(b, AM_RELU, am_batch_norm(b, "1", x, BATCH_NORM_EPS));
    x = am_same_conv(b, "4", x, am_config_labels(am_model_config(b)), 1);
    am_end_scope(b);
    am_output(b, "logits", am_resize_corners(b, x, 2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3)));
}

static const am_architecture architectures[] = {
    {"DPTModel", dpt_model, "image-feature-extraction", 0},
    {"DPTForDepthEstimation", for_depth_estimation, "depth-estimation", 0},
    {"DPTForSemanticSegmentation", for_semantic_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_dpt = {.name = "dpt", .base_prefix = "dpt", .architectures = architectures};

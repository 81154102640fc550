#include "models/blocks/sam3_vision.h"

#include "models/blocks/pre_norm.h"
#include "models/blocks/sam.h"
#include "models/blocks/sine_positions.h"
#include "models/blocks/windows.h"

#include <inttypes.h>
#include <math.h>

enum { LAYERS_LIMIT = 512, PAIRS_LIMIT = 1024 };

/* --- the transformer --- */

static const am_pre_norm_names names = {.attention = "attention",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

typedef struct vit_config {
    int64_t num_channels, C, patch_size, window_size, head_dim;
    int64_t grid[2];    /* rows and columns that layers without windows count places by */
    int64_t pretrained; /* tokens along each side of what has places of its own */
    double theta;
    bool is_global[LAYERS_LIMIT];
    am_pre_norm_options layers;
} vit_config;

static void read_global(const am_config *c, vit_config *r)
{
    int64_t found[LAYERS_LIMIT];
    int count = am_config_sizes(c, "global_attn_indexes", found, LAYERS_LIMIT, (const int64_t[]){7, 15, 23, 31}, 4);
    for (int i = 0; i < r->layers.num_hidden_layers; i++) r->is_global[i] = r->window_size == 0;
    for (int i = 0; i < count; i++)
        if (found[i] < LAYERS_LIMIT) r->is_global[found[i]] = true;
}

static void read_rope(const am_config *c, vit_config *r)
{
    am_config rope = am_config_child(c, "rope_parameters");
    r->theta = am_config_real(&rope, "rope_theta", 10000);
    if (am_config_has(&rope, "rope_type") && !am_config_is(&rope, "rope_type", "axial"))
        am_config_fail(&rope, "rope_type", "expected \"axial\"");
    if (r->theta <= 0) am_config_fail(&rope, "rope_theta", "expected a number above 0");
    if (r->head_dim % 4 || r->head_dim / 4 > PAIRS_LIMIT)
        am_config_fail(c, "hidden_size", "heads of %" PRId64 " numbers do not turn by rows and columns", r->head_dim);
}

static vit_config read_vit(const am_config *c)
{
    int64_t C = am_config_size(c, "hidden_size", 1024), heads = am_config_size(c, "num_attention_heads", 16), image[2],
            pretrained[2];
    vit_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .C = C,
        .patch_size = am_config_size(c, "patch_size", 14),
        .window_size = am_config_count(c, "window_size", 24),
        .head_dim = am_config_has(c, "head_dim") ? am_config_size(c, "head_dim", 64) : C / heads,
        .layers = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 32),
                   .intermediate_size = am_config_size(c, "intermediate_size", 4736),
                   .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                   .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                   .attention = {.heads = heads, .out = "o_proj"},
                   .names = &names},
    };
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (r.head_dim != C / heads) am_config_fail(c, "head_dim", "expected hidden_size over num_attention_heads");
    am_config_pair(c, "image_size", 1008, image);
    am_config_pair(c, "pretrain_image_size", 336, pretrained);
    for (int i = 0; i < 2; i++) r.grid[i] = image[1 - i] / r.patch_size;
    int64_t patches = (pretrained[0] / r.patch_size) * (pretrained[1] / r.patch_size);
    r.pretrained = (int64_t)sqrt((double)patches);
    if (r.pretrained < 1 || r.pretrained * r.pretrained != patches)
        am_config_fail(c, "pretrain_image_size", "expected a square of whole patches");
    if (r.grid[0] < 1 || r.grid[1] < 1) am_config_fail(c, "image_size", "leaves no patches");
    if (r.layers.num_hidden_layers > LAYERS_LIMIT) {
        am_config_fail(c, "num_hidden_layers", "more than %d", LAYERS_LIMIT);
        r.layers.num_hidden_layers = 0;
    }
    read_global(c, &r);
    read_rope(c, &r);
    return r;
}

/* A quarter of a head's numbers, half of its pairs, turn by column, the others by row, `scale` for each step. */
static am_rope axial_rope(am_builder *b, const vit_config *r, int64_t rows, int64_t columns, double scale)
{
    float frequencies[PAIRS_LIMIT];
    int64_t half = r->head_dim / 4;
    for (int64_t i = 0; i < half; i++)
        frequencies[i] = (float)(scale * pow(r->theta, -4.0 * (double)i / (double)r->head_dim));
    am_value steps = am_constant_copy(b, AM_F32, am_shape_of(half), frequencies), parts[2];
    for (int i = 0; i < 2; i++) {
        am_value place = am_iota(b, AM_F32, am_shape_of(rows, columns), 1 - i, 0, 1);
        parts[i] = am_mul(b, am_reshape(b, place, am_shape_of(1, rows * columns, 1)), steps);
    }
    am_value angles = am_concat2(b, parts[0], parts[1], 2);
    return (am_rope){am_unary(b, AM_COS, angles), am_unary(b, AM_SIN, angles), true};
}

/* Places of the pretrained square, laid side by side: [1, rows * columns, C]. */
static am_value tiled_places(am_builder *b, const vit_config *r, int64_t rows, int64_t columns)
{
    int64_t side = r->pretrained, down = rows / side + 1, across = columns / side + 1;
    am_value x = am_cast(b, am_weight(b, "position_embeddings", am_shape_of(1, side * side, r->C)), AM_F32);
    if (rows == side && columns == side) return x;
    x = am_broadcast(b, am_reshape(b, x, am_shape_of(1, side, 1, side, r->C)),
                     am_shape_of(down, side, across, side, r->C));
    x = am_reshape(b, x, am_shape_of(1, down * side, across * side, r->C));
    x = am_slice(b, am_slice(b, x, 1, 0, rows), 2, 0, columns);
    return am_reshape(b, x, am_shape_of(1, rows * columns, r->C));
}

static am_sam3_image embed(am_builder *b, const vit_config *r)
{
    const int64_t patch[] = {r->patch_size, r->patch_size};
    am_value x = am_pixel_values(b, r->num_channels);
    am_sam3_image image = {.rows = am_dim(b, x, 2) / r->patch_size, .columns = am_dim(b, x, 3) / r->patch_size};
    am_scope(b, "embeddings");
    am_convolution_attributes options = {.stride = am_shape_of(patch[0], patch[1])};
    x = am_conv(b, "patch_embeddings.projection", x, r->C, am_shape_of(patch[0], patch[1]), AM_NO_BIAS, &options);
    x = am_image_tokens(b, x);
    if (!am_builder_failed(b)) x = am_add(b, x, tiled_places(b, r, image.rows, image.columns));
    am_end_scope(b);
    image.tokens = am_layer_norm(b, "layer_norm", x, r->layers.layer_norm_eps);
    return image;
}

/* A layer's attention is within windows, or over the whole map. */
static am_value layer(am_builder *b, const vit_config *r, const am_sam3_image *image, bool is_global)
{
    const am_pre_norm_options *o = &r->layers;
    int64_t rows = is_global ? r->grid[0] : r->window_size, columns = is_global ? r->grid[1] : r->window_size;
    am_rope rope = axial_rope(b, r, rows, columns, (double)r->window_size / (double)columns);
    am_attention_options attention = o->attention;
    am_windows windows = am_windows_of(image->rows, image->columns, is_global ? 1 : r->window_size, 0);
    attention.rope = &rope;
    am_value h = am_layer_norm(b, names.norm_before, image->tokens, o->layer_norm_eps);
    if (is_global && am_dim(b, h, 1) != rows * columns && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "pixel_values has %" PRId64 " patches, image_size %" PRId64,
                                    am_dim(b, h, 1), rows * columns));
    if (am_builder_failed(b)) return h;
    if (!is_global) h = am_windows_split(b, h, &windows);
    am_scope(b, "%s", names.attention);
    h = am_self_attention(b, h, &attention);
    am_end_scope(b);
    if (!is_global) h = am_windows_join(b, h, &windows);
    am_value x = am_add(b, image->tokens, h);
    h = am_layer_norm(b, names.norm_after, x, o->layer_norm_eps);
    h = am_linear_activation(b, names.up, h, o->intermediate_size, AM_BIAS, o->hidden_act);
    return am_add(b, x, am_linear(b, names.down, h, r->C, AM_BIAS));
}

static void output_state(am_builder *b, const char *name, int i, const am_sam3_image *image)
{
    am_value x = image->tokens;
    am_output_hidden_state(
        b, name, i, am_reshape(b, x, am_shape_of(am_dim(b, x, 0), image->rows, image->columns, am_dim(b, x, 2))));
}

am_sam3_image am_sam3_vit(am_builder *b, const am_config *c, const char *hidden_states)
{
    vit_config r = read_vit(c);
    am_sam3_image image = embed(b, &r);
    output_state(b, hidden_states, 0, &image);
    for (int i = 0; i < r.layers.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        image.tokens = layer(b, &r, &image, r.is_global[i]);
        am_end_scope(b);
        output_state(b, hidden_states, i + 1, &image);
    }
    return image;
}

/* --- the neck --- */

/* x: [B, C, h, w] `factor` times as large, or half as large: in less channels the larger it is. */
static am_value rescale(am_builder *b, const am_config *c, am_value x, double factor)
{
    int64_t C = am_dim(b, x, 1);
    if (factor == 4) {
        x = am_unary(b, AM_GELU, am_sam_double(b, "scale_layers.0", x, C / 2));
        return am_sam_double(b, "scale_layers.2", x, C / 4);
    }
    if (factor == 2) return am_sam_double(b, "scale_layers.0", x, C / 2);
    if (factor == 0.5) return am_pool(b, x, &(am_pool_attributes){.fn = AM_POOL_MAX, .kernel = am_shape_of(2, 2)});
    if (factor != 1) am_config_fail(c, "scale_factors", "expected 4, 2, 1 or 0.5, found %g", factor);
    return x;
}

static int read_factors(const am_config *c, double *out)
{
    static const double defaults[] = {4, 2, 1, 0.5};
    am_json list = am_json_get(c->object, "scale_factors");
    int count = am_config_has(c, "scale_factors") ? (int)am_json_count(list) : 4;
    for (int i = 0; i < 4; i++) out[i] = defaults[i];
    if (!am_config_has(c, "scale_factors")) return 4;
    if (count < 1 || count > AM_STAGES_LIMIT) {
        am_config_fail(c, "scale_factors", "expected 1 to %d numbers", AM_STAGES_LIMIT);
        return 0;
    }
    am_config_reals(c, "scale_factors", count, 1, out);
    return count;
}

static void run_neck(am_builder *b, const am_config *c, am_sam3_image *image)
{
    int64_t C = am_config_size(c, "fpn_hidden_size", 256);
    double factors[AM_STAGES_LIMIT];
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes plain = {0}, around = {.padding_before = one, .padding_after = one};
    am_value map = am_tokens_image(b, image->tokens, image->rows, image->columns);
    image->count = read_factors(c, factors);
    for (int i = 0; i < image->count && !am_builder_failed(b); i++) {
        am_scope(b, "fpn_layers.%d", i);
        am_value x = am_conv(b, "proj1", rescale(b, c, map, factors[i]), C, one, AM_BIAS, &plain);
        image->maps[i] = am_conv(b, "proj2", x, C, am_shape_of(3, 3), AM_BIAS, &around);
        am_end_scope(b);
    }
}

am_sam3_image am_sam3_vision(am_builder *b, const am_config *c, const char *backbone, const char *neck,
                             const char *hidden_states)
{
    am_config vit = am_config_child(c, "backbone_config");
    if (am_config_has(&vit, "model_type") && !am_config_is(&vit, "model_type", "sam3_vit_model"))
        am_config_unsupported(&vit, "model_type", "the backbone is not SAM 3's own");
    am_scope(b, "%s", backbone);
    am_sam3_image image = am_sam3_vit(b, &vit, hidden_states);
    am_end_scope(b);
    am_scope(b, "%s", neck);
    if (!am_builder_failed(b)) run_neck(b, c, &image);
    am_end_scope(b);
    return image;
}

am_value am_sam3_places(am_builder *b, am_value map)
{
    am_shape s = am_shape_of_value(b, map);
    am_sine_options sine = {.features = s.dims[1] / 2, .temperature = 10000, .scale = 2 * acos(-1)};
    am_value ones = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of(s.dims[0], s.dims[2], s.dims[3]));
    return am_sine_positions(b, ones, &sine);
}

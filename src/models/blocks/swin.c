#include "models/blocks/swin.h"

#include "base/memory.h"
#include "models/blocks/vision.h"
#include "models/blocks/windows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { WINDOW_LIMIT = 64, POSITION_WIDTH = 512 };

static const double NORM_EPS = 1e-5; /* of the norms that layer_norm_eps is not for */
static const double APART = -100;    /* added to scores of tokens that only the shift brought together */

typedef struct swin_config {
    const am_swin_family *family;
    am_image_options image;
    int stages;
    int64_t depths[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT], pretrained_windows[AM_STAGES_LIMIT];
    int64_t embed_dim, window_size, encoder_stride;
    double mlp_ratio, layer_norm_eps;
    am_unary_fn hidden_act;
    bool no_qkv_bias, absolute, keeps_windows;
    int64_t labels;
} swin_config;

typedef am_swin_map swin_map;

/* The stem's map, then each stage's before and after patches are merged. */
typedef struct swin_maps {
    swin_map before[AM_STAGES_LIMIT + 1], after[AM_STAGES_LIMIT + 1];
} swin_maps;

static void check(const am_config *c, const swin_config *r)
{
    if (r->window_size > WINDOW_LIMIT) am_config_unsupported(c, "window_size", "at most %d is supported", WINDOW_LIMIT);
    if (r->absolute && !r->family->has_positions)
        am_config_unsupported(c, "use_absolute_embeddings", "the class has a position more than patches");
    for (int i = 0; i < r->stages; i++) {
        am_config_check_divides(c, "num_heads", r->heads[i], "embed_dim of the stage", r->embed_dim << i);
        if (r->pretrained_windows[i] == 1)
            am_config_fail(c, "pretrained_window_sizes", "element %d is 1, which gives no distances", i);
    }
}

static swin_config read_config(am_builder *b)
{
    static const int64_t depths[] = {2, 2, 6, 2}, heads[] = {3, 6, 12, 24}, none[AM_STAGES_LIMIT] = {0};
    const am_config *c = am_model_config(b);
    const am_swin_family *family = am_model_family(b);
    swin_config r = {
        .family = family,
        .image = am_image_options_read(c, 224, 4),
        .embed_dim = am_config_size(c, "embed_dim", 96),
        .window_size = am_config_size(c, "window_size", 7),
        .encoder_stride = am_config_size(c, "encoder_stride", 32),
        .mlp_ratio = am_config_real(c, "mlp_ratio", 4),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .no_qkv_bias = !am_config_flag(c, "qkv_bias", true),
        .absolute = am_config_flag(c, "use_absolute_embeddings", false),
        .keeps_windows = family->keeps_windows,
        .labels = am_config_labels(c),
    };
    r.stages = am_stage_depths(c, depths, 4, r.depths);
    am_stage_sizes(c, am_config_either(c, "num_heads", "num_attention_heads"), r.stages, 1, heads, 4, r.heads);
    int windows = am_config_sizes(c, "pretrained_window_sizes", r.pretrained_windows, AM_STAGES_LIMIT, none, r.stages);
    if (family->is_second_version && windows < r.stages) /* more are not read */
        am_config_fail(c, "pretrained_window_sizes", "expected %d elements, found %d", r.stages, windows);
    check(c, &r);
    return r;
}

/* --- layers --- */

/* F32 [(2 side - 1)^2, 2]: rows and columns from a token to another on a logarithmic scale on which the largest
   distance of windows of `pretrained` tokens, or of these, is about 1. */
static am_value distances(am_builder *b, int64_t side, int64_t pretrained)
{
    int64_t reach = 2 * side - 1, largest = pretrained ? pretrained - 1 : side > 1 ? side - 1 : 1;
    float *table = am_alloc_zeroed((size_t)(2 * reach * reach), sizeof *table);
    if (!table) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; i < 2 * reach * reach && table; i++) {
        int64_t way = i % 2 ? i / 2 % reach : i / 2 / reach;
        double d = (double)(way - (side - 1)) / (double)largest * 8;
        table[i] = (float)(copysign(log2(fabs(d) + 1), d) / 3);
    }
    am_value distances = table ? am_constant_copy(b, AM_F32, am_shape_of(reach * reach, 2), table) : AM_NONE;
    am_free(table);
    return distances;
}

/* What the relative positions in a window are worth, below the scope: [1, H, T, T]. */
static am_value position_bias(am_builder *b, const swin_config *c, int stage, int64_t side)
{
    int64_t H = c->heads[stage], ways = (2 * side - 1) * (2 * side - 1);
    if (!c->family->is_second_version)
        return am_windows_bias(b, am_weight(b, "relative_position_bias_table", am_shape_of(ways, H)), side);
    am_value table = distances(b, side, c->pretrained_windows[stage]);
    am_scope(b, "continuous_position_bias_mlp");
    table = am_linear(b, "2", am_linear_activation(b, "0", table, POSITION_WIDTH, AM_BIAS, AM_RELU), H, AM_NO_BIAS);
    am_end_scope(b);
    return am_windows_bias(b, am_mul_number(b, am_unary(b, AM_SIGMOID, table), 16), side);
}

/* Heads that are compared by direction, each at a scale of its own, of at most 100. */
static void compare_directions(am_builder *b, am_value qkv[3], int64_t heads)
{
    am_value scale = am_parameter(b, "logit_scale", am_shape_of(heads, 1, 1), qkv[0]);
    scale = am_unary(b, AM_EXP, am_binary_number(b, AM_MIN, scale, log(100)));
    qkv[0] = am_mul(b, am_unit_length(b, qkv[0], 1e-12), am_reshape(b, scale, am_shape_of(heads, 1)));
    qkv[1] = am_unit_length(b, qkv[1], 1e-12);
}

/* x: [N, T, C], N windows */
static am_value attend(am_builder *b, am_value x, const swin_config *c, int stage, const am_windows *w)
{
    bool second = c->family->is_second_version;
    am_attention_options o = {.heads = c->heads[stage],
                              .q = "query",
                              .k = "key",
                              .v = "value",
                              .no_q_bias = c->no_qkv_bias,
                              .no_k_bias = c->no_qkv_bias || second,
                              .no_v_bias = c->no_qkv_bias,
                              .scale = second ? 1 : 0};
    am_value qkv[3];
    am_scope(b, "self");
    am_attention_heads(b, x, &o, qkv);
    if (second) compare_directions(b, qkv, o.heads);
    o.bias = position_bias(b, c, stage, w->side);
    am_end_scope(b);
    am_value h = am_windows_attend(b, qkv, w, &o, second ? 2 * APART : APART);
    return am_linear(b, "output.dense", h, am_dim(b, x, -1), AM_BIAS);
}

static am_value mlp(am_builder *b, am_value x, const swin_config *c)
{
    int64_t C = am_dim(b, x, -1), inner = am_scaled_size(am_model_config(b), "mlp_ratio", C, c->mlp_ratio);
    x = am_linear_activation(b, "intermediate.dense", x, inner, AM_BIAS, c->hidden_act);
    return am_linear(b, "output.dense", x, C, AM_BIAS);
}

static am_value norm_if(am_builder *b, bool wanted, const char *name, am_value x, const swin_config *c)
{
    return wanted ? am_layer_norm(b, name, x, c->layer_norm_eps) : x;
}

/* x: [B, height * width, C] */
static am_value layer(am_builder *b, am_value x, const swin_config *c, int stage, const am_windows *w)
{
    bool after = c->family->is_second_version;
    am_value h = norm_if(b, !after, "layernorm_before", x, c);
    am_scope(b, "attention");
    h = am_windows_join(b, attend(b, am_windows_split(b, h, w), c, stage, w), w);
    am_end_scope(b);
    x = am_add(b, x, norm_if(b, after, "layernorm_before", h, c));
    h = mlp(b, norm_if(b, !after, "layernorm_after", x, c), c);
    return am_add(b, x, norm_if(b, after, "layernorm_after", h, c));
}

am_value am_swin_second_layer(am_builder *b, am_value x, const am_swin_stages *stages, int stage,
                              const am_windows *windows)
{
    static const am_swin_family second = {.is_second_version = true};
    swin_config c = {.family = &second,
                     .mlp_ratio = stages->mlp_ratio,
                     .layer_norm_eps = stages->layer_norm_eps,
                     .hidden_act = stages->hidden_act,
                     .no_qkv_bias = stages->no_qkv_bias};
    c.heads[stage] = stages->heads[stage];
    return layer(b, x, &c, stage, windows);
}

/* --- stages --- */

/* The windows of a stage's layers, shifted as every other layer has them. The second version fits them to maps of the
   configured image, the first one to those that come. */
static am_windows windows_of(am_builder *b, const swin_config *c, const swin_map *map, int stage)
{
    int64_t least = map->height < map->width ? map->height : map->width, side = c->window_size, shift = side / 2;
    if (c->family->is_second_version) {
        least = (c->image.image_size[0] / c->image.patch_size[0]) >> stage;
        if (least < 1) am_config_fail(am_model_config(b), "image_size", "leaves nothing to stage %d", stage + 1);
    } else if (!c->keeps_windows && least < side)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "stage %d has %" PRId64 " x %" PRId64 " tokens, expected windows of %" PRId64
                                    " or more (window_size)",
                                    stage + 1, map->height, map->width, side));
    if (!c->keeps_windows && least <= side) {
        side = least < 1 ? 1 : least;
        shift = 0;
    }
    return am_windows_of(map->height, map->width, side, shift);
}

/* Squares of four tokens as one: column by column, beside each other. Odd maps are padded with zeros. */
static swin_map merge(am_builder *b, swin_map map, const swin_config *c)
{
    int64_t B = am_dim(b, map.x, 0), C = am_dim(b, map.x, 2), H = (map.height + 1) / 2, W = (map.width + 1) / 2;
    am_value x = am_reshape(b, map.x, am_shape_of(B, map.height, map.width, C));
    if (map.height % 2) x = am_pad_zero(b, x, 1, 0, 1);
    if (map.width % 2) x = am_pad_zero(b, x, 2, 0, 1);
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, H, 2, W, 2, C)), am_shape_of(0, 1, 3, 4, 2, 5));
    x = am_reshape(b, x, am_shape_of(B, H * W, 4 * C));
    am_scope(b, "downsample");
    if (!c->family->is_second_version) x = am_layer_norm(b, "norm", x, NORM_EPS);
    x = am_linear(b, "reduction", x, 2 * C, AM_NO_BIAS);
    if (c->family->is_second_version) x = am_layer_norm(b, "norm", x, NORM_EPS);
    am_end_scope(b);
    return (swin_map){x, H, W};
}

static swin_map layers(am_builder *b, swin_map map, const swin_config *c, int stage)
{
    am_windows shifted = windows_of(b, c, &map, stage), windows = shifted;
    windows.shift = 0;
    for (int j = 0; j < c->depths[stage] && !am_builder_failed(b); j++) {
        am_scope(b, "blocks.%d", j);
        map.x = layer(b, map.x, c, stage, j % 2 ? &shifted : &windows);
        am_end_scope(b);
    }
    return map;
}

/* x: [B, N, C] with mask_token where the input bool_masked_pos: [B, N] says so. */
static am_value mask_patches(am_builder *b, am_value x, const swin_config *c)
{
    am_value masked = am_input_optional(b, "bool_masked_pos", 2);
    if (!masked.id) return x;
    if (am_dtype_of(b, masked) != AM_BOOL) masked = am_binary_number(b, AM_NOT_EQUAL, masked, 0);
    am_value token = am_parameter(b, "mask_token", am_shape_of(1, 1, c->embed_dim), x);
    return am_select(b, am_unsqueeze(b, masked, 2), token, x);
}

/* Images are padded with zeros to whole patches. */
static swin_map embed(am_builder *b, const swin_config *c)
{
    am_value x = am_pixel_values(b, c->image.num_channels);
    for (int i = 0; i < 2; i++) {
        int64_t patch = c->image.patch_size[i], over = am_dim(b, x, 2 + i) % patch;
        if (over) x = am_pad_zero(b, x, 2 + i, 0, patch - over);
    }
    am_scope(b, "embeddings");
    x = am_patch_convolution(b, "patch_embeddings.projection", x, c->embed_dim, c->image.patch_size, AM_BIAS);
    swin_map map = {.height = am_dim(b, x, 2), .width = am_dim(b, x, 3)};
    x = mask_patches(b, am_layer_norm(b, "norm", am_image_tokens(b, x), NORM_EPS), c);
    if (c->absolute) {
        am_shape places = am_shape_of(1, am_image_patches(&c->image), c->embed_dim);
        x = am_add(b, x, am_parameter(b, "position_embeddings", places, x));
    }
    am_end_scope(b);
    map.x = x;
    return map;
}

/* What the stages make of the stem's map, layers.N below the scope. */
static void run_stages(am_builder *b, const swin_config *c, swin_maps *maps)
{
    for (int i = 0; i < c->stages; i++) {
        am_scope(b, "layers.%d", i);
        maps->before[i + 1] = maps->after[i + 1] = layers(b, maps->after[i], c, i);
        if (i < c->stages - 1) maps->after[i + 1] = merge(b, maps->before[i + 1], c);
        am_end_scope(b);
    }
}

void am_swin_run_stages(am_builder *b, const am_config *config, const am_swin_stages *stages, am_swin_map *maps)
{
    static const am_swin_family plain = {0};
    swin_config c = {.family = &plain,
                     .stages = stages->count,
                     .embed_dim = am_dim(b, maps[0].x, -1),
                     .window_size = stages->window_size,
                     .mlp_ratio = stages->mlp_ratio,
                     .layer_norm_eps = stages->layer_norm_eps,
                     .hidden_act = stages->hidden_act,
                     .no_qkv_bias = stages->no_qkv_bias};
    swin_maps all = {.after = {maps[0]}};
    for (int i = 0; i < c.stages; i++) {
        c.depths[i] = stages->depths[i];
        c.heads[i] = stages->heads[i];
    }
    check(config, &c);
    run_stages(b, &c, &all);
    for (int i = 1; i <= c.stages; i++) maps[i] = all.after[i];
}

/* The maps of the body below the scope. */
static void body(am_builder *b, const swin_config *c, swin_maps *maps)
{
    maps->before[0] = maps->after[0] = embed(b, c);
    am_scope(b, "encoder");
    run_stages(b, c, maps);
    am_end_scope(b);
}

/* What comes out of the last stage, normed where the member norms it, under `prefix`: [B, N, C]. */
static am_value last_state(am_builder *b, const swin_config *c, const char *prefix, swin_maps *maps)
{
    am_scope(b, "%s", prefix);
    body(b, c, maps);
    am_value x = maps->after[c->stages].x;
    if (!c->family->no_last_norm) x = am_layer_norm(b, "layernorm", x, c->layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* [B, C, height, width] */
static am_value as_image(am_builder *b, am_value x, const swin_map *map)
{
    return am_reshape(b, am_transpose(b, x, 1, 2),
                      am_shape_of(am_dim(b, x, 0), am_dim(b, x, 2), map->height, map->width));
}

static void output_states(am_builder *b, const swin_config *c, const swin_maps *maps)
{
    for (int i = 0; i <= c->stages && !c->family->hides_states; i++) {
        am_output_hidden_state(b, "hidden_states", i, maps->after[i].x);
        am_output_hidden_state(b, "reshaped_hidden_states", i, as_image(b, maps->after[i].x, &maps->after[i]));
    }
}

/* --- classes --- */

void am_swin_model(am_builder *b)
{
    swin_config c = read_config(b);
    swin_maps maps;
    am_value x = last_state(b, &c, "", &maps);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false));
    output_states(b, &c, &maps);
}

void am_swin_for_image_classification(am_builder *b)
{
    swin_config c = read_config(b);
    swin_maps maps;
    am_value x = am_reduce(b, AM_REDUCE_MEAN, last_state(b, &c, c.family->prefix, &maps), am_shape_of(1), false);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
    output_states(b, &c, &maps);
}

/* Each token of the last stage gives the pixels of a square of encoder_stride; tokens stand in a square. */
void am_swin_for_masked_image_modeling(am_builder *b)
{
    swin_config c = read_config(b);
    swin_maps maps;
    am_value x = last_state(b, &c, c.family->prefix, &maps);
    const swin_map *last = &maps.after[c.stages];
    if (last->height != last->width)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "this class takes square images, found %" PRId64 " x %" PRId64
                                    " tokens in the last stage",
                                    last->height, last->width));
    x = am_conv(b, "decoder.0", as_image(b, x, last), c.encoder_stride * c.encoder_stride * c.image.num_channels,
                am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
    am_output(b, "reconstruction", am_pixel_shuffle(b, x, c.encoder_stride));
    output_states(b, &c, &maps);
}

/* The map of the stem (0) or of a stage, before patches are merged: [B, C, H, W]; the first version's are normed. */
static am_value feature_map(am_builder *b, const swin_config *c, const swin_map *map, int i)
{
    char stage[32], norm[64];
    if (c->family->is_second_version) return as_image(b, map->x, map);
    if (c->family->numbers_norms) snprintf(norm, sizeof norm, "hidden_states_norms.%d", i - 1);
    else snprintf(norm, sizeof norm, "hidden_states_norms.%s", am_stage_name(i, stage, sizeof stage));
    return as_image(b, am_layer_norm(b, norm, map->x, NORM_EPS), map);
}

void am_swin_backbone(am_builder *b)
{
    swin_config c = read_config(b);
    swin_maps maps;
    bool wanted[AM_STAGES_LIMIT + 1];
    char output[64], probe[96];
    c.keeps_windows = !c.family->is_second_version;
    /* MaskFormer's has its body below a name of its own */
    snprintf(probe, sizeof probe, "%s.embeddings.patch_embeddings.projection.weight", c.family->prefix);
    am_scope(b, "%s", am_has_weight(b, probe) ? c.family->prefix : "");
    body(b, &c, &maps);
    am_end_scope(b);
    am_backbone_stages(am_model_config(b), c.stages, wanted);
    if (wanted[0] && c.family->numbers_norms)
        am_config_fail(am_model_config(b), "out_features", "the stem's map is none of this class");
    for (int i = 0, map = 0; i <= c.stages && !am_builder_failed(b); i++) {
        snprintf(output, sizeof output, "feature_maps.%d", map);
        if (wanted[i]) am_output(b, output, feature_map(b, &c, &maps.before[i], i));
        map += wanted[i];
        if (c.family->hides_states) continue;
        am_value x = maps.before[i].x;
        am_output_hidden_state(b, "hidden_states", i,
                               c.family->is_second_version ? x : as_image(b, x, &maps.before[i]));
    }
}

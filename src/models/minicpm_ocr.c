/* MiniCPM-OCR: a ViT over the patches of pictures of any size, all in one row, that may merge squares of them on its
   way, and again behind it, among the words of a Qwen3.5. transformers: models/minicpm_ocr/modeling_minicpm_ocr.py */
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>
#include <stdio.h>

enum { IMAGES_LIMIT = 4096, PATCHES_LIMIT = 1 << 24, MERGE = 2, MERGED = MERGE * MERGE, TIMES_LIMIT = 16 };

static const double MERGER_EPS = 1e-6;

static const am_pre_norm_names names = {.layers = "encoder.layers",
                                        .attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

/* Rows and columns of patches of each picture: the shaping input target_sizes. */
typedef struct picture_sizes {
    int64_t (*items)[2]; /* in the builder's arena */
    int count;
    int64_t patches; /* of all */
} picture_sizes;

static bool fits(int64_t height, int64_t width)
{
    return height > 0 && width > 0 && height < PATCHES_LIMIT && width < PATCHES_LIMIT && height * width < PATCHES_LIMIT;
}

static picture_sizes read_sizes(am_builder *b)
{
    picture_sizes s = {0};
    am_value given = am_input(b, "target_sizes", 2);
    if (am_builder_failed(b)) return s;
    if (am_dim(b, given, 0) > IMAGES_LIMIT || am_dim(b, given, 1) != 2) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "target_sizes must have height and width of up to %d pictures",
                                    IMAGES_LIMIT));
        return s;
    }
    s.count = (int)am_dim(b, given, 0);
    s.items = am_arena_array(am_builder_arena(b), (size_t)s.count + 1, sizeof *s.items);
    if (!s.items) am_builder_fail(b, am_out_of_memory());
    for (int i = 0; i < s.count && s.items; i++) {
        for (int k = 0; k < 2; k++) s.items[i][k] = am_shaping_number(b, "target_sizes", 2 * i + k);
        if (fits(s.items[i][0], s.items[i][1]) && (s.patches += s.items[i][0] * s.items[i][1]) < PATCHES_LIMIT)
            continue;
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT, "target_sizes: picture %d has %" PRId64 " x %" PRId64 " patches",
                                 i, s.items[i][0], s.items[i][1]));
        return s;
    }
    return s;
}

/* The same of pictures half as high and wide. */
static picture_sizes halved(am_builder *b, const picture_sizes *s)
{
    picture_sizes r = {.items = am_arena_array(am_builder_arena(b), (size_t)s->count + 1, sizeof *r.items),
                       .count = s->count};
    if (!r.items) am_builder_fail(b, am_out_of_memory());
    for (int i = 0; i < s->count && r.items; i++) {
        if (s->items[i][0] % MERGE || s->items[i][1] % MERGE)
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                        "target_sizes: %" PRId64 " x %" PRId64 " patches are no squares of %d",
                                        s->items[i][0], s->items[i][1], MERGE));
        for (int k = 0; k < 2; k++) r.items[i][k] = s->items[i][k] / MERGE;
        r.patches += r.items[i][0] * r.items[i][1];
    }
    return r;
}

/* Squares of patches side by side: x: [1, S, C] -> [1, S / 4, 4 C]; square by square, row by row. */
static am_value fold(am_builder *b, am_value x, const picture_sizes *s)
{
    int64_t C = am_dim(b, x, 2), start = 0;
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)s->count + 1, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    for (int i = 0; i < s->count && !am_builder_failed(b); i++) {
        int64_t h = s->items[i][0], w = s->items[i][1];
        am_value part = am_slice(b, x, 1, start, start + h * w);
        part = am_reshape(b, part, am_shape_of(h / MERGE, MERGE, w / MERGE, MERGE, C));
        part = am_permute(b, part, am_shape_of(0, 2, 1, 3, 4));
        parts[i] = am_reshape(b, part, am_shape_of(1, h * w / MERGED, MERGED * C));
        start += h * w;
    }
    if (am_builder_failed(b)) return AM_NONE;
    am_value sum = parts[0];
    for (int i = 1; i < s->count; i++) sum = am_concat2(b, sum, parts[i], 1);
    return sum;
}

/* --- tower --- */

typedef struct tower_options {
    am_pre_norm_options layers;
    int64_t C, image_size, patch_size, channels, insert; /* insert: the layer behind which squares are merged */
} tower_options;

static tower_options read_tower(const am_config *c)
{
    int64_t window[AM_STAGES_LIMIT], C = am_config_size(c, "hidden_size", 768),
                                     heads = am_config_size(c, "num_attention_heads", 12);
    tower_options o = {
        .layers = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
                   .intermediate_size = am_config_size(c, "intermediate_size", 3072),
                   .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
                   .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                   .attention = {.heads = heads},
                   .names = &names},
        .C = C,
        .image_size = am_config_size(c, "image_size", 224),
        .patch_size = am_config_size(c, "patch_size", 16),
        .channels = am_config_size(c, "num_channels", 3),
        .insert = am_config_int(c, "insert_layer_id", 6),
    };
    int count = am_config_sizes(c, "window_kernel_size", window, AM_STAGES_LIMIT, (const int64_t[]){MERGE, MERGE}, 2);
    if (count != 2 || window[0] != MERGE || window[1] != MERGE)
        am_config_unsupported(c, "window_kernel_size", "expected [%d, %d]", MERGE, MERGE);
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (o.image_size < o.patch_size) am_config_fail(c, "image_size", "is less than a patch");
    return o;
}

/* How many of the borders 1 / n, 2 / n .. below 1 lie at or before i / size, in float as transformers has them. */
static int64_t nearest(int64_t i, int64_t size, int64_t n)
{
    int64_t found = 0;
    float at = (float)i / (float)size;
    while (found < n - 1 && (float)((double)(found + 1) / (double)n) <= at) found++;
    return found;
}

/* Rows of the table of positions, a square of n x n: I32 [S]. */
static am_value position_rows(am_builder *b, const picture_sizes *s, int64_t n)
{
    int32_t *rows = am_arena_array(am_builder_arena(b), (size_t)s->patches + 1, sizeof *rows), *at = rows;
    if (!rows) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return AM_NONE;
    for (int i = 0; i < s->count; i++)
        for (int64_t y = 0; y < s->items[i][0]; y++)
            for (int64_t x = 0; x < s->items[i][1]; x++)
                *at++ = (int32_t)(nearest(y, s->items[i][0], n) * n + nearest(x, s->items[i][1], n));
    return am_constant_copy(b, AM_I32, am_shape_of(s->patches), rows);
}

/* Patches see those of their own picture: BOOL [1, 1, S, S]; AM_NONE of one picture. */
static am_value picture_mask(am_builder *b, const picture_sizes *s)
{
    int32_t *of = am_arena_array(am_builder_arena(b), (size_t)s->patches + 1, sizeof *of), *at = of;
    if (!of) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b) || s->count == 1) return AM_NONE;
    for (int i = 0; i < s->count; i++)
        for (int64_t k = 0; k < s->items[i][0] * s->items[i][1]; k++) *at++ = i;
    am_value columns = am_constant_copy(b, AM_I32, am_shape_of(1, 1, 1, s->patches), of);
    return am_binary(b, AM_EQUAL, am_transpose(b, columns, 2, 3), columns);
}

static am_value embed(am_builder *b, const tower_options *o, const picture_sizes *s)
{
    const int64_t patch[] = {o->patch_size, o->patch_size};
    int64_t n = o->image_size / o->patch_size;
    am_value pixels = am_slice(b, am_pixel_values(b, o->channels), 0, 0, 1);
    am_scope(b, "embeddings");
    am_value x = am_image_tokens(b, am_patch_convolution(b, "patch_embedding", pixels, o->C, patch, AM_BIAS));
    if (x.id && am_dim(b, x, 1) != s->patches)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "pixel_values has %" PRId64 " patches, target_sizes %" PRId64,
                                    am_dim(b, x, 1), s->patches));
    x = am_add(b, x, am_unsqueeze(b, am_embedding(b, "position_embedding", position_rows(b, s, n), n * n, o->C), 0));
    am_end_scope(b);
    return x;
}

/* Each square attends within itself, and becomes one token: [1, S, C] -> [1, S / 4, C]. */
static am_value merge_windows(am_builder *b, am_value x, const tower_options *o, const picture_sizes *s)
{
    int64_t C = o->C, inner = MERGED * o->layers.intermediate_size;
    am_scope(b, "vit_merger");
    x = am_reshape(b, fold(b, x, s), am_shape_of(-1, MERGED, C));
    am_value h = am_layer_norm(b, "layer_norm1", x, o->layers.layer_norm_eps);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, &o->layers.attention));
    am_end_scope(b);
    am_value mean = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    h = am_layer_norm(b, "pre_norm", am_flatten(b, x, 1, 2), o->layers.layer_norm_eps);
    h = am_linear(b, "linear_2", am_linear_activation(b, "linear_1", h, inner, AM_BIAS, AM_GELU_TANH), C, AM_BIAS);
    am_end_scope(b);
    return am_unsqueeze(b, am_add(b, h, mean), 0);
}

/* Last hidden state [1, S, C] below the scope; *s becomes what is left of the pictures. states: names hidden states. */
static am_value tower(am_builder *b, const tower_options *o, picture_sizes *s, bool merges, bool states)
{
    am_pre_norm_options layer = o->layers;
    am_value x = embed(b, o, s);
    layer.attention.mask = picture_mask(b, s);
    for (int i = 0; i < layer.num_hidden_layers && !am_builder_failed(b); i++) {
        if (states) am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "%s.%d", names.layers, i);
        x = am_pre_norm_layer(b, x, &layer);
        am_end_scope(b);
        if (!merges || i != o->insert) continue;
        picture_sizes half = halved(b, s);
        if (am_builder_failed(b)) return AM_NONE;
        x = merge_windows(b, x, o, s);
        *s = half;
        layer.attention.mask = picture_mask(b, s);
    }
    x = am_layer_norm(b, "post_layernorm", x, o->layers.layer_norm_eps);
    if (states) am_output_hidden_state(b, "hidden_states", (int)layer.num_hidden_layers, x);
    return x;
}

static void vision_model(am_builder *b)
{
    tower_options o = read_tower(am_model_config(b));
    picture_sizes s = read_sizes(b);
    bool merges = am_model_argument(b, "use_vit_merger", 1);
    am_value x = am_builder_failed(b) ? AM_NONE : tower(b, &o, &s, merges, true);
    am_output(b, "last_hidden_state", x);
}

/* --- beside the text model --- */

/* merger_times squares of squares, each through an mlp; the last gives the width of the words: [S', C]. */
static am_value merge(am_builder *b, am_value x, picture_sizes s)
{
    const am_config *c = am_model_config(b);
    int64_t kernel[AM_STAGES_LIMIT], times = am_config_size(c, "merger_times", 1), C = am_dim(b, x, 2);
    int count = am_config_sizes(c, "merge_kernel_size", kernel, AM_STAGES_LIMIT, (const int64_t[]){MERGE, MERGE}, 2);
    if (count != 2 || kernel[0] != MERGE || kernel[1] != MERGE)
        am_config_unsupported(c, "merge_kernel_size", "expected [%d, %d]", MERGE, MERGE);
    if (times > TIMES_LIMIT) am_config_fail(c, "merger_times", "more than %d", TIMES_LIMIT);
    for (int i = 0; i < times && i < TIMES_LIMIT && !am_builder_failed(b); i++) {
        picture_sizes half = halved(b, &s);
        am_scope(b, "merger.mlp.%d", i);
        x = am_layer_norm(b, "pre_norm", fold(b, x, &s), MERGER_EPS);
        x = am_linear_activation(b, "linear_1", x, MERGED * C, AM_BIAS, AM_GELU);
        x = am_linear(b, "linear_2", x, i + 1 == times ? am_text_width(b) : C, AM_BIAS);
        am_end_scope(b);
        s = half;
    }
    return x;
}

static am_value features(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    tower_options o = read_tower(&vision);
    picture_sizes s = read_sizes(b);
    o.insert = am_config_int(c, "insert_layer_id", 6);
    bool merges = am_config_has(c, "downsample_mode") && !am_config_is(c, "downsample_mode", "4x");
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "vision_tower");
    am_value x = tower(b, &o, &s, merges && o.insert >= 0, false);
    am_end_scope(b);
    /* the sizes are halved whether or not the tower came to the layer that merges */
    return am_builder_failed(b) ? AM_NONE : merge(b, x, s);
}

static const am_shaping_input shaping_inputs[] = {{.name = "target_sizes", .kind = AM_SHAPED_BY_NUMBERS}, {0}};

static const am_vision_language_family family = {
    .features = features, .image_token = -1, .tied = true, .text_type = "qwen3_5_text", .hides_features = true};

static const am_architecture architectures[] = {
    {"MiniCPMOcrModel", am_vision_language_model, NULL, 0},
    {"MiniCPMOcrForConditionalGeneration", am_vision_language_for_conditional_generation, NULL, AM_GENERATES},
    {"MiniCPMOcrVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_minicpm_ocr = {.name = "minicpm_ocr minicpm_ocr_vision",
                                            .base_prefix = "model",
                                            .architectures = architectures,
                                            .family = &family,
                                            .shaping_inputs = shaping_inputs};

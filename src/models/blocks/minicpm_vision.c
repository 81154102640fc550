#include "models/blocks/minicpm_vision.h"

#include "models/blocks/attention.h"
#include "models/blocks/grids.h"
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <string.h>

enum { PICTURES_LIMIT = 1024, WINDOW = 2 };
static const double MERGER_NORM_EPS = 1e-6; /* not configurable */

const am_shaping_input am_minicpm_shaping_inputs[] = {{.name = "target_sizes"}, {.name = "target_sizes_videos"}, {0}};

/* A tower as its configuration has it. */
typedef struct tower {
    int64_t width, inner, heads, depth, channels, patch, side, middle;
    am_unary_fn act;
    double eps;
} tower;

/* Patches of each picture. */
typedef struct pictures {
    int64_t sizes[PICTURES_LIMIT][2];
    int count;
    int64_t patches;
} pictures;

static tower read_tower(const am_config *c)
{
    am_image_options image = am_image_options_read(c, 224, 16);
    tower t = {.width = am_config_size(c, "hidden_size", 768),
               .inner = am_config_size(c, "intermediate_size", 3072),
               .heads = am_config_size(c, "num_attention_heads", 12),
               .depth = am_config_count(c, "num_hidden_layers", 12),
               .channels = image.num_channels,
               .patch = image.patch_size[0],
               .side = image.image_size[0] / image.patch_size[0],
               .middle = am_config_int(c, "insert_layer_id", 6),
               .act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
               .eps = am_config_real(c, "layer_norm_eps", 1e-6)};
    am_config_check_divides(c, "num_attention_heads", t.heads, "hidden_size", t.width);
    if (t.side < 1 || t.side > INT16_MAX) {
        am_config_fail(c, "image_size", "has %" PRId64 " patches a side", t.side);
        t.side = 1;
    }
    return t;
}

static pictures read_pictures(am_builder *b, const char *name)
{
    pictures p = {.count = 0};
    am_value sizes = am_input(b, name, 2);
    int64_t count = am_dim(b, sizes, 0);
    if ((count < 1 || count > PICTURES_LIMIT || am_dim(b, sizes, 1) != 2) && !am_builder_failed(b))
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT, "%s: expected 1 to %d heights and widths", name, PICTURES_LIMIT));
    for (int64_t i = 0; i < count && !am_builder_failed(b); i++) {
        int64_t h = am_shaping_number(b, name, 2 * i), w = am_shaping_number(b, name, 2 * i + 1);
        if (h < 1 || w < 1 || h > INT16_MAX || w > INT16_MAX || h * w > INT32_MAX - p.patches)
            am_builder_fail(b,
                            am_error(AM_INVALID_ARGUMENT,
                                     "%s: picture %" PRId64 " has %" PRId64 " x %" PRId64 " patches", name, i, h, w));
        p.sizes[i][0] = h;
        p.sizes[i][1] = w;
        p.patches += h * w;
        p.count++;
    }
    return p;
}

/* --- places --- */

/* Which of `side` equal parts of a length begins last before place i of n. */
static int64_t part_of(int64_t i, int64_t n, int64_t side)
{
    float place = (float)i / (float)n;
    int64_t part = 0;
    double step = 1 / (double)side;
    while (part + 1 < side && (float)(step + (double)part * step) <= place) part++;
    return part;
}

/* The row of the table of positions that each patch has: I32 [N]. */
static am_value places(am_builder *b, const tower *t, const pictures *p)
{
    int32_t *ids = am_arena_array(am_builder_arena(b), (size_t)p->patches + 1, sizeof *ids);
    int64_t at = 0;
    if (!ids) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return AM_NONE;
    for (int i = 0; i < p->count; i++)
        for (int64_t y = 0; y < p->sizes[i][0]; y++) {
            int64_t row = part_of(y, p->sizes[i][0], t->side) * t->side;
            for (int64_t x = 0; x < p->sizes[i][1]; x++)
                ids[at++] = (int32_t)(row + part_of(x, p->sizes[i][1], t->side));
        }
    return am_constant_copy(b, AM_I32, am_shape_of(p->patches), ids);
}

static am_segments segments_of(am_builder *b, const pictures *p)
{
    int64_t lengths[PICTURES_LIMIT];
    for (int i = 0; i < p->count; i++) lengths[i] = p->sizes[i][0] * p->sizes[i][1];
    return am_segments_make(b, lengths, p->count);
}

/* Squares of kh x kw patches of each picture one behind the other, x: [N, C] -> [N / (kh * kw), kh * kw, C]. */
static am_value squares(am_builder *b, am_value x, const pictures *p, int64_t kh, int64_t kw)
{
    am_value parts[PICTURES_LIMIT];
    int64_t at = 0, C = am_dim(b, x, -1);
    for (int i = 0; i < p->count && !am_builder_failed(b); i++) {
        int64_t h = p->sizes[i][0], w = p->sizes[i][1];
        if (h % kh || w % kw) {
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                        "%" PRId64 " x %" PRId64 " patches are no squares of %" PRId64 " x %" PRId64, h,
                                        w, kh, kw));
            return AM_NONE;
        }
        am_value own = am_slice(b, x, 0, at, at + h * w);
        own = am_reshape(b, own, (am_shape){.rank = 5, .dims = {h / kh, kh, w / kw, kw, C}});
        own = am_permute(b, own, (am_shape){.rank = 5, .dims = {0, 2, 1, 3, 4}});
        parts[i] = am_reshape(b, own, am_shape_of(h * w / (kh * kw), kh * kw, C));
        at += h * w;
    }
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, p->count, 0);
}

static void shrink(pictures *p, int64_t h, int64_t w)
{
    for (int i = 0; i < p->count; i++) {
        p->sizes[i][0] /= h;
        p->sizes[i][1] /= w;
    }
}

/* --- layers --- */

/* x: [1, N, C], which attends within segments. */
static am_value attend(am_builder *b, am_value x, const tower *t, const am_segments *segments)
{
    am_value qkv[3];
    am_scope(b, "self_attn");
    am_attention_heads(b, x, &(am_attention_options){.heads = t->heads}, qkv);
    x = am_linear(b, "out_proj", am_segments_attend(b, segments, qkv, t->heads), t->width, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const tower *t, const am_segments *segments)
{
    x = am_add(b, x, attend(b, am_layer_norm(b, "layer_norm1", x, t->eps), t, segments));
    am_value h = am_layer_norm(b, "layer_norm2", x, t->eps);
    h = am_linear_activation(b, "mlp.fc1", h, t->inner, AM_BIAS, t->act);
    return am_add(b, x, am_linear(b, "mlp.fc2", h, t->width, AM_BIAS));
}

/* Windows of four patches, which attend within them, become one each: x: [1, N, C] -> [1, N / 4, C]. */
static am_value merge_windows(am_builder *b, am_value x, const tower *t, const pictures *p)
{
    int64_t area = WINDOW * WINDOW, C = t->width;
    am_scope(b, "vit_merger");
    x = squares(b, am_squeeze(b, x, 0), p, WINDOW, WINDOW); /* [n, 4, C] */
    am_value qkv[3], h = am_layer_norm(b, "layer_norm1", x, t->eps);
    am_attention_options options = {.heads = t->heads};
    am_scope(b, "self_attn");
    am_attention_heads(b, h, &options, qkv);
    h = am_merge_heads(b, am_attend_cached(b, qkv[0], qkv[1], qkv[2], &options));
    h = am_linear(b, "out_proj", h, C, AM_BIAS);
    am_end_scope(b);
    x = am_add(b, x, h);
    am_value mean = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    x = am_layer_norm(b, "pre_norm", am_reshape(b, x, am_shape_of(-1, area * C)), t->eps);
    x = am_linear_activation(b, "linear_1", x, area * t->inner, AM_BIAS, AM_GELU_TANH);
    x = am_add(b, am_linear(b, "linear_2", x, C, AM_BIAS), mean);
    am_end_scope(b);
    return am_unsqueeze(b, x, 0);
}

/* The input `pixels`: [1, channels, height, width] -> [1, N, C], embedded. */
static am_value embed(am_builder *b, const tower *t, const pictures *p, const char *pixels)
{
    const int64_t patch[2] = {t->patch, t->patch};
    am_value x = am_slice(b, am_input(b, pixels, 4), 0, 0, 1);
    am_scope(b, "embeddings");
    x = am_image_tokens(b, am_patch_convolution(b, "patch_embedding", x, t->width, patch, AM_BIAS));
    if (am_dim(b, x, 1) != p->patches && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s has %" PRId64 " patches, the sizes ask for %" PRId64,
                                    pixels, am_dim(b, x, 1), p->patches));
    x = am_add(b, x,
               am_unsqueeze(b, am_embedding(b, "position_embedding", places(b, t, p), t->side * t->side, t->width), 0));
    am_end_scope(b);
    return x;
}

/* Last hidden state: [1, N, C]; sizes of what is merged shrink with it. */
static am_value run_tower(am_builder *b, const tower *t, pictures *p, const char *pixels, bool merges,
                          bool hidden_states)
{
    am_value x = embed(b, t, p, pixels);
    if (am_builder_failed(b)) return AM_NONE;
    am_segments segments = segments_of(b, p);
    if (hidden_states) am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < t->depth && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layers.%d", i);
        x = layer(b, x, t, &segments);
        am_end_scope(b);
        if (hidden_states && i + 1 < t->depth) am_output_hidden_state(b, "hidden_states", i + 1, x);
        if (!merges || i != t->middle) continue;
        x = merge_windows(b, x, t, p);
        shrink(p, WINDOW, WINDOW);
        segments = segments_of(b, p);
    }
    x = am_layer_norm(b, "post_layernorm", x, t->eps);
    if (hidden_states && t->depth > 0) am_output_hidden_state(b, "hidden_states", (int)t->depth, x);
    return x;
}

static void check_window(const am_config *c)
{
    int64_t window[2];
    am_config_pair(c, "window_kernel_size", WINDOW, window);
    if (window[0] != WINDOW || window[1] != WINDOW)
        am_config_fail(c, "window_kernel_size", "expected 2 x 2, found %" PRId64 " x %" PRId64, window[0], window[1]);
}

void am_minicpm_vision_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    tower t = read_tower(c);
    pictures p = read_pictures(b, "target_sizes");
    bool merges = am_model_argument(b, "use_vit_merger", 1) != 0 && t.middle >= 0;
    check_window(c);
    am_output(b, "last_hidden_state", run_tower(b, &t, &p, "pixel_values", merges, true));
}

/* --- rows of the text --- */

/* merger.mlp.I of squares x: [n, area, C'] -> [n, out]. */
static am_value narrow(am_builder *b, int i, am_value x, int64_t out)
{
    int64_t wide = am_dim(b, x, 1) * am_dim(b, x, 2);
    am_scope(b, "merger.mlp.%d", i);
    x = am_layer_norm(b, "pre_norm", am_reshape(b, x, am_shape_of(-1, wide)), MERGER_NORM_EPS);
    x = am_linear(b, "linear_2", am_linear_activation(b, "linear_1", x, wide, AM_BIAS, AM_GELU), out, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value rows(am_builder *b, const char *pixels, const char *sizes)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    tower t = read_tower(&vision);
    pictures p = read_pictures(b, sizes);
    int64_t kernel[2], times = am_config_count(c, "merger_times", 1);
    bool merges = strcmp(am_config_text(c, "downsample_mode", "16x"), "4x") != 0;
    t.middle = am_config_int(c, "insert_layer_id", 6);
    am_config_pair(c, "merge_kernel_size", 2, kernel);
    check_window(&vision);
    if (kernel[0] * kernel[1] != 4) am_config_fail(c, "merge_kernel_size", "expected squares of 4 patches");
    if (merges && (t.middle < 0 || t.middle >= t.depth))
        am_config_fail(c, "insert_layer_id", "%" PRId64 " is none of %" PRId64 " layers", t.middle, t.depth);
    if (times < 1) am_config_fail(c, "merger_times", "is 0");
    am_scope(b, "vision_tower");
    am_value x = run_tower(b, &t, &p, pixels, merges, false);
    am_end_scope(b);
    if (am_builder_failed(b)) return AM_NONE;
    x = am_squeeze(b, x, 0);
    for (int i = 0; i < times && !am_builder_failed(b); i++, shrink(&p, kernel[0], kernel[1]))
        x = narrow(b, i, squares(b, x, &p, kernel[0], kernel[1]), i + 1 < times ? t.width : am_text_width(b));
    return x;
}

am_value am_minicpm_features(am_builder *b)
{
    return rows(b, "pixel_values", "target_sizes");
}

am_value am_minicpm_video_features(am_builder *b)
{
    return rows(b, "pixel_values_videos", "target_sizes_videos");
}

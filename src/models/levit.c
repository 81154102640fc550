/* LeViT: convolutions halve the image four times; then come stages of attention whose scores have a bias for how far
   rows and columns lie apart, with batch norms behind all linears. Between stages queries are every other place.
   transformers: models/levit/modeling_levit.py */
#include "models/blocks/attention.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STAGES = 3, EMBEDDINGS = 4 };

static const double NORM_EPS = 1e-5;

/* How a stage ends. */
typedef struct shrinking {
    int64_t key_dim, heads, attention_ratio, mlp_ratio, stride;
} shrinking;

typedef struct levit_config {
    int64_t num_channels, kernel, stride, padding, resolution, labels;
    int64_t sizes[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT], depths[AM_STAGES_LIMIT], key_dims[AM_STAGES_LIMIT],
        mlp_ratios[AM_STAGES_LIMIT], attention_ratios[AM_STAGES_LIMIT];
    shrinking ends[STAGES - 1];
} levit_config;

/* down_ops: lists of "Subsample" and five numbers. */
static void read_ends(const am_config *c, levit_config *r)
{
    int at = 0;
    for (int i = 0; i < STAGES - 1; i++)
        r->ends[i] = (shrinking){r->key_dims[0], r->sizes[i] / r->key_dims[0], 4, 2, 2};
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, "down_ops")); am_json_next(&it); at++) {
        int64_t numbers[6] = {0};
        int count = 0;
        bool subsamples = false;
        if (at >= STAGES - 1) break;
        for (am_json_iterator in = am_json_iterate(it.value); am_json_next(&in); count++)
            if (count == 0) subsamples = am_json_equals(in.value, "Subsample");
            else if (count < 6) numbers[count] = am_json_int(in.value, -1);
        r->ends[at] = (shrinking){numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
        if (!subsamples || count < 6)
            am_config_unsupported(c, "down_ops", "element %d is none of \"Subsample\" and five numbers", at);
    }
    for (int i = 0; i < STAGES - 1; i++) {
        shrinking *e = &r->ends[i];
        bool fits = e->key_dim > 0 && e->key_dim < 65536 && e->heads > 0 && e->heads < 65536 &&
                    e->attention_ratio > 0 && e->attention_ratio < 1024 && e->mlp_ratio >= 0 && e->mlp_ratio < 1024 &&
                    e->stride > 0 && e->stride < 65536;
        if (fits) continue;
        am_config_fail(c, "down_ops", "element %d has numbers that are no sizes", i);
        *e = (shrinking){1, 1, 1, 1, 1};
    }
}

static levit_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    levit_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .kernel = am_config_size(c, "kernel_size", 3),
        .stride = am_config_size(c, "stride", 2),
        .padding = am_config_count(c, "padding", 1),
        .resolution = am_config_size(c, "image_size", 224) / am_config_size(c, "patch_size", 16),
        .labels = am_config_labels(c),
    };
    static const int64_t two[] = {2, 2, 2};
    am_stage_sizes(c, "hidden_sizes", STAGES, 8, (const int64_t[]){128, 256, 384}, 3, r.sizes);
    am_stage_sizes(c, "num_attention_heads", STAGES, 1, (const int64_t[]){4, 8, 12}, 3, r.heads);
    am_stage_sizes(c, "key_dim", STAGES, 1, (const int64_t[]){16, 16, 16}, 3, r.key_dims);
    am_stage_sizes(c, "mlp_ratio", STAGES, 0, two, 3, r.mlp_ratios);
    am_stage_sizes(c, "attention_ratio", STAGES, 1, two, 3, r.attention_ratios);
    if (am_stage_depths(c, (const int64_t[]){4, 4, 4}, 3, r.depths) != STAGES)
        am_config_unsupported(c, "depths", "this class has %d stages", STAGES);
    read_ends(c, &r);
    return r;
}

/* NAME.linear without bias, NAME.batch_norm: x: [B, T, K] -> [B, T, out]. */
static am_value linear(am_builder *b, const char *name, am_value x, int64_t out)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    am_scope(b, "%s", name);
    x = am_flatten(b, am_linear(b, "linear", x, out, AM_NO_BIAS), 0, 1);
    x = am_reshape(b, am_batch_norm(b, "batch_norm", x, NORM_EPS), am_shape_of(B, T, out));
    am_end_scope(b);
    return x;
}

/* The weight attention_biases, which has one for each distance in rows and columns, as [1, H, queries, keys]; queries
   stand on every stride-th row and column of resolution. */
static am_value distance_bias(am_builder *b, int64_t heads, int64_t resolution, int64_t stride)
{
    int64_t side = (resolution - 1) / stride + 1, keys = resolution * resolution, queries = side * side;
    am_shape shape = am_shape_of(queries, keys);
    am_value biases = am_weight(b, "attention_biases", am_shape_of(heads, keys));
    if (am_builder_failed(b)) return AM_NONE;
    int32_t *places =
        am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(queries * keys), sizeof *places) : NULL;
    if (!places) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t q = 0; q < queries; q++)
        for (int64_t k = 0; k < keys; k++) {
            int64_t rows = llabs(q / side * stride - k / resolution),
                    columns = llabs(q % side * stride - k % resolution);
            places[q * keys + k] = (int32_t)(rows * resolution + columns);
        }
    return am_unsqueeze(b, am_gather(b, biases, am_constant_copy(b, AM_I32, shape, places), 1, false), 0);
}

/* Heads of x: [B, T, heads * widths], each `counts` parts of these widths beside each other: [B, T, heads, width]. */
static void split(am_builder *b, am_value x, int64_t heads, const int64_t *widths, int count, am_value *out)
{
    int64_t begin = 0;
    x = am_split_heads(b, x, heads);
    for (int i = 0; i < count; begin += widths[i++]) out[i] = am_slice(b, x, -1, begin, begin + widths[i]);
}

static am_value finish(am_builder *b, const am_value qkv[3], am_value bias, int64_t C)
{
    am_value x = am_attend(b, qkv[0], qkv[1], qkv[2], &(am_attention_options){.bias = bias});
    return linear(b, "projection", am_unary(b, AM_HARD_SWISH, x), C);
}

static am_value attend(am_builder *b, am_value x, const levit_config *c, int i, int64_t resolution)
{
    int64_t D = c->key_dims[i], E = c->attention_ratios[i] * D, H = c->heads[i];
    am_value qkv[3];
    split(b, linear(b, "queries_keys_values", x, H * (2 * D + E)), H, (const int64_t[]){D, D, E}, 3, qkv);
    return finish(b, qkv, distance_bias(b, H, resolution, 1), am_dim(b, x, -1));
}

static am_value shrink(am_builder *b, am_value x, const shrinking *e, int64_t resolution, int64_t C)
{
    int64_t D = e->key_dim, E = e->attention_ratio * D, B = am_dim(b, x, 0);
    am_value qkv[3], seen = am_reshape(b, x, am_shape_of(B, resolution, resolution, am_dim(b, x, 2)));
    split(b, linear(b, "keys_values", x, e->heads * (D + E)), e->heads, (const int64_t[]){D, E}, 2, qkv + 1);
    for (int axis = 1; axis <= 2; axis++) seen = am_slice_step(b, seen, axis, 0, AM_SLICE_END, e->stride);
    qkv[0] = am_split_heads(b, linear(b, "queries", am_flatten(b, seen, 1, 2), e->heads * D), e->heads);
    return finish(b, qkv, distance_bias(b, e->heads, resolution, e->stride), C);
}

static am_value mlp(am_builder *b, am_value x, int64_t inner, int layer)
{
    int64_t C = am_dim(b, x, -1);
    am_scope(b, "layers.%d.module", layer);
    am_value h = am_unary(b, AM_HARD_SWISH, linear(b, "linear_up", x, inner));
    h = linear(b, "linear_down", h, C);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value stage(am_builder *b, am_value x, const levit_config *c, int i, int64_t *resolution)
{
    int layer = 0;
    for (int j = 0; j < c->depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "layers.%d.module", layer++);
        am_value h = attend(b, x, c, i, *resolution);
        am_end_scope(b);
        x = am_add(b, x, h);
        if (c->mlp_ratios[i]) x = mlp(b, x, c->sizes[i] * c->mlp_ratios[i], layer++);
    }
    if (i == STAGES - 1) return x;
    const shrinking *end = &c->ends[i];
    am_scope(b, "layers.%d", layer++);
    x = shrink(b, x, end, *resolution, c->sizes[i + 1]);
    am_end_scope(b);
    *resolution = (*resolution - 1) / end->stride + 1;
    return end->mlp_ratio ? mlp(b, x, c->sizes[i + 1] * end->mlp_ratio, layer) : x;
}

static am_value embed(am_builder *b, const levit_config *c)
{
    am_shape kernel = am_shape_of(c->kernel, c->kernel), padding = am_shape_of(c->padding, c->padding);
    am_convolution_attributes options = {
        .stride = am_shape_of(c->stride, c->stride), .padding_before = padding, .padding_after = padding};
    am_value x = am_pixel_values(b, c->num_channels);
    for (int i = 0; i < EMBEDDINGS; i++) {
        am_scope(b, "patch_embeddings.embedding_layer_%d", i + 1);
        x = am_conv(b, "convolution", x, c->sizes[0] >> (EMBEDDINGS - 1 - i), kernel, AM_NO_BIAS, &options);
        x = am_batch_norm(b, "batch_norm", x, NORM_EPS);
        am_end_scope(b);
        if (i < EMBEDDINGS - 1) x = am_unary(b, AM_HARD_SWISH, x);
    }
    int64_t rows = am_dim(b, x, 2), columns = am_dim(b, x, 3);
    if (!am_builder_failed(b) && rows * columns != c->resolution * c->resolution)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values gives %" PRId64 " x %" PRId64 " places, expected %" PRId64
                                    " x %" PRId64 " (image_size, patch_size)",
                                    rows, columns, c->resolution, c->resolution));
    return am_image_tokens(b, x);
}

/* [B, T, C] of the last stage. */
static am_value body(am_builder *b, const levit_config *c, const char *prefix)
{
    int64_t resolution = c->resolution;
    am_scope(b, "%s", prefix);
    am_value x = embed(b, c);
    for (int i = 0; i < STAGES; i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "encoder.stages.%d", i);
        x = stage(b, x, c, i, &resolution);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "hidden_states", STAGES, x);
    am_end_scope(b);
    return x;
}

static am_value mean(am_builder *b, am_value x)
{
    return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
}

static am_value classify(am_builder *b, const char *name, am_value x, const levit_config *c)
{
    am_scope(b, "%s", name);
    x = am_linear(b, "linear", am_batch_norm(b, "batch_norm", x, NORM_EPS), c->labels, AM_BIAS);
    am_end_scope(b);
    return x;
}

static void levit_model(am_builder *b)
{
    levit_config c = read_config(b);
    am_value x = body(b, &c, "");
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", mean(b, x));
}

static void for_image_classification(am_builder *b)
{
    levit_config c = read_config(b);
    am_output(b, "logits", classify(b, "classifier", mean(b, body(b, &c, "levit")), &c));
}

static void for_image_classification_with_teacher(am_builder *b)
{
    levit_config c = read_config(b);
    am_value x = mean(b, body(b, &c, "levit"));
    am_value own = classify(b, "classifier", x, &c), teachers = classify(b, "classifier_distill", x, &c);
    am_output(b, "logits", am_mul_number(b, am_add(b, own, teachers), 0.5));
    am_output(b, "cls_logits", own);
    am_output(b, "distillation_logits", teachers);
}

static const am_architecture architectures[] = {
    {"LevitModel", levit_model, "image-feature-extraction", 0},
    {"LevitForImageClassification", for_image_classification, "image-classification", 0},
    {"LevitForImageClassificationWithTeacher", for_image_classification_with_teacher, "image-classification", 0},
    {0},
};

const am_model_type am_model_levit = {.name = "levit", .base_prefix = "levit", .architectures = architectures};

/* EfficientLoFTR: which places of two images are the same point of the scene, without keypoints. Convolutions (RepVGG)
   make maps of either image; their coarsest places attend, in groups, to those of their image and of the other. Places
   that are each other's best are matches, which finer maps, around either place, move by parts of a place.
   transformers: models/efficientloftr/modeling_efficientloftr.py, whose indices are followed where they look like
   slips. */
#include "models/blocks/attention.h"
#include "models/blocks/keypoint_pairs.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

typedef struct loftr {
    const am_config *config;
    int stages;
    int64_t blocks[AM_STAGES_LIMIT], strides[AM_STAGES_LIMIT], widths[AM_STAGES_LIMIT];
    int64_t hidden, heads, layers, inner;
    int64_t q_kernel, q_stride, kv_kernel, kv_stride;
    bool bias;
    double eps;
    am_unary_fn activation;
    int states;   /* hidden states that were given */
    am_rope rope; /* of the coarse places of an image that attend */
} loftr;

/* The coarse map, after attention, and the finer ones but for the first stage's, the finest first: [2 B, C, H, W]. */
typedef struct maps {
    am_value coarse, finer[AM_STAGES_LIMIT];
    int count;
} maps;

static void read_stages(const am_config *c, loftr *l)
{
    static const int64_t blocks[] = {1, 2, 4, 14}, strides[] = {2, 1, 2, 2}, widths[] = {64, 64, 128, 256};
    l->stages = am_config_sizes(c, "stage_stride", l->strides, AM_STAGES_LIMIT, strides, 4);
    int counted = am_config_sizes(c, "stage_num_blocks", l->blocks, AM_STAGES_LIMIT, blocks, 4);
    int wide = am_config_sizes(c, "out_features", l->widths, AM_STAGES_LIMIT, widths, 4);
    if (l->stages < 2) am_config_fail(c, "stage_stride", "expected 2 stages or more");
    if (counted != l->stages) am_config_fail(c, "stage_num_blocks", "expected %d numbers", l->stages);
    if (wide != l->stages) am_config_fail(c, "out_features", "expected %d numbers", l->stages);
    for (int i = 0; i < counted; i++)
        if (l->blocks[i] > 1024) am_config_fail(c, "stage_num_blocks", "%" PRId64 " blocks", l->blocks[i]);
    if (wide > 0 && l->widths[wide - 1] != l->hidden)
        am_config_fail(c, "hidden_size", "expected the last of out_features, %" PRId64, l->widths[wide - 1]);
}

/* What files say beside the lists that it follows from. */
static void check_list(const am_config *c, const char *key, int stage, const int64_t *expected, int count)
{
    int64_t found[1024];
    int n = stage < 0 ? am_config_sizes(c, key, found, 1024, expected, count)
                      : am_config_inner_sizes(c, key, stage, found, 1024, expected, count);
    bool is_same = n == count;
    for (int i = 0; i < n && is_same; i++) is_same = found[i] == expected[i];
    if (!is_same) am_config_unsupported(c, key, "other numbers than follow from out_features and stage_stride");
}

static void check_derived(const am_config *c, const loftr *l)
{
    int64_t ins[AM_STAGES_LIMIT] = {1}, fine[AM_STAGES_LIMIT], list[1024];
    for (int i = 0; i + 1 < l->stages; i++) {
        ins[i + 1] = l->widths[i];
        fine[i] = l->widths[l->stages - 1 - i];
    }
    check_list(c, "fine_fusion_dims", -1, fine, l->stages - 1);
    for (int i = 0; i < l->stages; i++) {
        int count = (int)l->blocks[i];
        for (int k = 0; k < count; k++) list[k] = k ? 1 : l->strides[i];
        check_list(c, "stage_block_stride", i, list, count);
        for (int k = 0; k < count; k++) list[k] = l->widths[i];
        check_list(c, "stage_block_out_channels", i, list, count);
        list[0] = ins[i];
        check_list(c, "stage_block_in_channels", i, list, count);
    }
    if (am_config_size(c, "num_key_value_heads", l->heads) != l->heads)
        am_config_unsupported(c, "num_key_value_heads", "expected as many as num_attention_heads");
}

static loftr read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    loftr l = {.config = c,
               .hidden = am_config_size(c, "hidden_size", 256),
               .heads = am_config_size(c, "num_attention_heads", 8),
               .layers = am_config_count(c, "num_attention_layers", 4),
               .q_kernel = am_config_size(c, "q_aggregation_kernel_size", 4),
               .q_stride = am_config_size(c, "q_aggregation_stride", 4),
               .kv_kernel = am_config_size(c, "kv_aggregation_kernel_size", 4),
               .kv_stride = am_config_size(c, "kv_aggregation_stride", 4),
               .bias = am_config_flag(c, "attention_bias", false),
               .eps = am_config_real(c, "batch_norm_eps", 1e-5),
               .activation = am_config_activation(c, "activation_function", AM_RELU)};
    l.inner = am_config_size(c, "intermediate_size", 2 * l.hidden);
    read_stages(c, &l);
    if (!c->root->error) check_derived(c, &l);
    am_config_check_divides(c, "num_attention_heads", l.heads, "hidden_size", l.hidden);
    return l;
}

/* mlp_activation_function. */
static am_value activate(am_builder *b, const loftr *l, am_value x)
{
    const char *key = "mlp_activation_function";
    if (!am_config_has(l->config, key) || am_config_is(l->config, key, "leaky_relu")) return am_leaky_relu(b, x, 0.01);
    return am_unary(b, am_config_activation(l->config, key, AM_RELU), x);
}

static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t stride)
{
    am_shape padding = am_shape_of(kernel / 2, kernel / 2);
    return am_conv(b, name, x, out, am_shape_of(kernel, kernel), AM_NO_BIAS,
                   &(am_convolution_attributes){
                       .stride = am_shape_of(stride, stride), .padding_before = padding, .padding_after = padding});
}

/* --- maps --- */

static am_value normed_conv(am_builder *b, const loftr *l, const char *name, am_value x, int64_t out,
                            const int64_t kernel_stride[2])
{
    am_scope(b, "%s", name);
    x = am_batch_norm(b, "norm", conv(b, "conv", x, out, kernel_stride[0], kernel_stride[1]), l->eps);
    am_end_scope(b);
    return x;
}

static am_value repvgg_block(am_builder *b, const loftr *l, am_value x, int64_t out, int64_t stride)
{
    am_value y = normed_conv(b, l, "conv1", x, out, (int64_t[]){3, stride});
    y = am_add(b, y, normed_conv(b, l, "conv2", x, out, (int64_t[]){1, stride}));
    if (x.id && stride == 1 && am_dim(b, x, 1) == out) y = am_add(b, y, am_batch_norm(b, "identity", x, 1e-5));
    return am_unary(b, l->activation, y);
}

static am_value stage(am_builder *b, loftr *l, am_value x, int i)
{
    for (int64_t k = 0; k < l->blocks[i] && !am_builder_failed(b); k++) {
        am_scope(b, "stages.%d.blocks.%d", i, (int)k);
        x = repvgg_block(b, l, x, l->widths[i], k ? 1 : l->strides[i]);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", ++l->states, x);
    }
    return x;
}

/* --- attention among coarse places --- */

/* cos or sin of rows and columns in turn: [1, N, C / 4] of each -> [1, N, C / 2]. */
static am_value in_turn(am_builder *b, am_value rows, am_value columns)
{
    return am_flatten(b, am_concat2(b, am_unsqueeze(b, rows, 3), am_unsqueeze(b, columns, 3), 3), 2, 3);
}

static am_rope rope_of(am_builder *b, const loftr *l, int64_t height, int64_t width)
{
    const am_config *c = l->config;
    am_rope_config rope = am_rope_config_read(c, NULL, l->hidden / l->heads, 10000, 4, 2048);
    int64_t h = (height - l->q_kernel) / l->q_stride + 1, w = (width - l->q_kernel) / l->q_stride + 1;
    if (rope.type != AM_ROPE_DEFAULT) am_config_unsupported(c, "rope_parameters", "scaled rotations");
    if (l->hidden % 4 || rope.pairs * 4 != l->hidden)
        am_config_fail(c, "partial_rotary_factor", "turns %" PRId64 " pairs, expected a quarter of hidden_size",
                       rope.pairs);
    if (height < l->q_kernel || width < l->q_kernel)
        am_config_fail(c, "q_aggregation_kernel_size", "maps have %" PRId64 " x %" PRId64 " places", height, width);
    if (c->root->error || am_builder_failed(b)) return (am_rope){0};
    am_shape shape = am_shape_of(h, w), flat = am_shape_of(1, h * w);
    am_rope rows = am_rope_tables_at(b, &rope, am_reshape(b, am_iota(b, AM_I32, shape, 0, 1, 1), flat));
    am_rope columns = am_rope_tables_at(b, &rope, am_reshape(b, am_iota(b, AM_I32, shape, 1, 1, 1), flat));
    return (am_rope){
        .cos = in_turn(b, rows.cos, columns.cos), .sin = in_turn(b, rows.sin, columns.sin), .interleaved = true};
}

/* Heads of a projection of x: [B, N, C], turned before they are cut where there is a rope. */
static am_value heads(am_builder *b, const loftr *l, const char *name, am_value x, const am_rope *rope)
{
    x = am_linear(b, name, x, l->hidden, l->bias);
    if (rope) x = am_squeeze(b, am_rope_apply(b, rope, am_unsqueeze(b, x, 2)), 2);
    return am_split_heads(b, x, l->heads);
}

/* x, seen: [B, N, C] of as many places. */
static am_value attention(am_builder *b, const loftr *l, am_value x, am_value seen, const am_rope *rope)
{
    if (x.id && seen.id && am_dim(b, x, 1) != am_dim(b, seen, 1))
        am_config_fail(l->config, "kv_aggregation_kernel_size", "%" PRId64 " places for %" PRId64 " queries",
                       am_dim(b, seen, 1), am_dim(b, x, 1));
    am_scope(b, "attention");
    am_attention_inputs in = {.q = heads(b, l, "q_proj", x, rope),
                              .k = heads(b, l, "k_proj", seen, rope),
                              .v = heads(b, l, "v_proj", seen, NULL)};
    x = am_merge_heads(b, am_attention_op(b, &in, &(am_attention_attributes){0}));
    x = am_linear(b, "o_proj", x, l->hidden, l->bias);
    am_end_scope(b);
    return x;
}

/* Groups of places of either map, as tokens: out[0] of x, out[1] of seen. Gives the rows of x's groups. */
static int64_t aggregate(am_builder *b, const loftr *l, am_value x, am_value seen, am_value out[2])
{
    am_convolution_attributes by_group = {.stride = am_shape_of(l->q_stride, l->q_stride), .groups = l->hidden};
    am_pool_attributes largest = {.fn = AM_POOL_MAX,
                                  .kernel = am_shape_of(l->kv_kernel, l->kv_kernel),
                                  .stride = am_shape_of(l->kv_stride, l->kv_stride)};
    am_scope(b, "aggregation");
    x = am_conv(b, "q_aggregation", x, l->hidden, am_shape_of(l->q_kernel, l->q_kernel), AM_NO_BIAS, &by_group);
    out[0] = am_layer_norm(b, "norm", am_image_tokens(b, x), 1e-5);
    out[1] = am_layer_norm(b, "norm", am_image_tokens(b, am_pool(b, seen, &largest)), 1e-5);
    am_end_scope(b);
    return x.id ? am_dim(b, x, 2) : 1;
}

static am_value mlp(am_builder *b, const loftr *l, am_value x)
{
    am_scope(b, "mlp");
    x = activate(b, l, am_linear(b, "fc1", x, l->inner, AM_NO_BIAS));
    x = am_layer_norm(b, "layer_norm", am_linear(b, "fc2", x, l->hidden, AM_NO_BIAS), 1e-5);
    am_end_scope(b);
    return x;
}

/* x: [B, C, h, w] and what it takes of `seen`, of that shape. */
static am_value aggregated_attention(am_builder *b, const loftr *l, const char *name, am_value x, am_value seen,
                                     const am_rope *rope)
{
    am_value groups[2];
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "%s", name);
    int64_t h = am_dim(b, x, 2), w = am_dim(b, x, 3), rows = aggregate(b, l, x, seen, groups);
    am_value taken = attention(b, l, groups[0], groups[1], rope);
    if (am_builder_failed(b)) return AM_NONE;
    taken = am_tokens_image(b, taken, rows, am_dim(b, taken, 1) / rows);
    taken = am_image_resized(b, taken, rows * l->q_kernel, am_dim(b, taken, 3) * l->q_kernel);
    taken = mlp(b, l, am_image_tokens(b, am_concat2(b, x, taken, 1)));
    x = am_add(b, x, am_tokens_image(b, taken, h, w));
    am_end_scope(b);
    return x;
}

/* x: [2 B, C, h, w]. The second image looks at what the first has become, as in the authors' code. */
static am_value transform(am_builder *b, const loftr *l, am_value x)
{
    for (int i = 0; i < l->layers && !am_builder_failed(b); i++) {
        am_scope(b, "local_feature_transformer.layers.%d", i);
        x = aggregated_attention(b, l, "self_attention", x, x, &l->rope);
        am_value first = am_images_of_pairs(b, x, 0), second = am_images_of_pairs(b, x, 1);
        first = aggregated_attention(b, l, "cross_attention", first, second, NULL);
        second = aggregated_attention(b, l, "cross_attention", second, first, NULL);
        x = am_join_pairs(b, first, second);
        am_end_scope(b);
    }
    return x;
}

/* Maps of images: [B, 2, C, H, W]. */
static maps make_maps(am_builder *b, loftr *l, am_value images)
{
    maps m = {.count = l->stages - 2};
    am_value x = am_slice(b, am_flatten(b, images, 0, 1), 1, 0, 1);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < l->stages && !am_builder_failed(b); i++) {
        am_scope(b, "backbone");
        x = stage(b, l, x, i);
        am_end_scope(b);
        if (i > 0 && i + 1 < l->stages) m.finer[i - 1] = x;
    }
    if (am_builder_failed(b)) return m;
    l->rope = rope_of(b, l, am_dim(b, x, 2), am_dim(b, x, 3));
    m.coarse = transform(b, l, x);
    return m;
}

static void loftr_model(am_builder *b)
{
    loftr l = read_config(b);
    am_value images = am_pair_of_images(b);
    if (am_builder_failed(b)) return;
    maps m = make_maps(b, &l, images);
    if (am_builder_failed(b)) return;
    am_shape shape = am_shape_of_value(b, m.coarse);
    am_value states[AM_STAGES_LIMIT];
    states[0] = am_reshape(b, m.coarse, am_shape_of(shape.dims[0] / 2, 2, shape.dims[1], shape.dims[2], shape.dims[3]));
    for (int i = 0; i < m.count; i++) states[i + 1] = m.finer[i];
    for (int i = 0; i <= m.count; i++) {
        char name[32];
        snprintf(name, sizeof name, "feature_maps.%d", i);
        am_output(b, name, states[i]);
    }
}

/* --- coarse matches --- */

typedef struct matches {
    am_value places, scores; /* I32 [B, 2, N], -1 where there is no match; [B, 2, N] */
    int64_t pairs, rows, columns;
} matches;

/* BOOL [rows * columns]: places that are no border. */
static am_value inner_places(am_builder *b, int64_t rows, int64_t columns, int64_t border)
{
    am_shape shape = am_shape_of(rows, columns);
    am_value is = am_broadcast(b, am_scalar(b, AM_BOOL, 1), shape);
    for (int axis = 0; axis < 2; axis++) {
        int64_t size = shape.dims[axis], cut = border < 0 ? 0 : border < size ? border : size;
        am_value at = am_iota(b, AM_I32, shape, axis, 0, 1);
        is = am_binary(b, AM_LOGICAL_AND, is, am_binary_number(b, AM_GREATER_EQUAL, at, (double)cut));
        is = am_binary(b, AM_LOGICAL_AND, is, am_binary_number(b, AM_LESS, at, (double)(size - cut)));
    }
    return am_flatten(b, is, 0, 1);
}

/* softmax along an axis that is not the last. */
static am_value softmax_along(am_builder *b, am_value x, int axis)
{
    return am_transpose(b, am_softmax(b, am_transpose(b, x, axis, -1), -1), axis, -1);
}

/* x: [2 B, C, h, w] -> how sure each place of the first image is of each of the second: [B, N, N]. */
static am_value confidence(am_builder *b, const loftr *l, am_value x)
{
    double warmth = am_config_real(l->config, "coarse_matching_temperature", 0.1);
    x = am_mul_number(b, am_image_tokens(b, x), 1 / sqrt((double)l->hidden));
    x = am_matmul(b, am_images_of_pairs(b, x, 0), am_images_of_pairs(b, x, 1), false, true);
    x = am_mul_number(b, x, 1 / warmth);
    if (am_config_flag(l->config, "coarse_matching_skip_softmax", false)) return x;
    return am_mul(b, softmax_along(b, x, 1), am_softmax(b, x, 2));
}

static matches coarse_matches(am_builder *b, const loftr *l, am_value map)
{
    matches m = {.pairs = am_dim(b, map, 0) / 2, .rows = am_dim(b, map, 2), .columns = am_dim(b, map, 3)};
    am_value x = confidence(b, l, map), best[2], sure[2];
    am_value is = am_binary_number(b, AM_GREATER, x, am_config_real(l->config, "coarse_matching_threshold", 0.2));
    am_value inner = inner_places(b, m.rows, m.columns, am_config_int(l->config, "coarse_matching_border_removal", 2));
    is = am_binary(b, AM_LOGICAL_AND, is, am_unsqueeze(b, inner, 1));
    is = am_binary(b, AM_LOGICAL_AND, is, inner);
    for (int axis = 1; axis < 3; axis++) {
        am_value most = am_reduce(b, AM_REDUCE_MAX, x, am_shape_of(axis), true);
        is = am_binary(b, AM_LOGICAL_AND, is, am_binary(b, AM_EQUAL, x, most));
    }
    x = am_select(b, is, x, am_scalar(b, AM_F32, 0));
    for (int axis = 1; axis < 3; axis++) {
        best[axis - 1] = am_arg_reduce(b, x, axis, false);
        sure[axis - 1] = am_unsqueeze(b, am_reduce(b, AM_REDUCE_MAX, x, am_shape_of(axis), false), 1);
    }
    /* places stand behind each other by image, then by pair, and are read by pair */
    am_shape shape = am_shape_of(m.pairs, 2, m.rows * m.columns);
    m.scores = am_concat(b, sure, 2, 1);
    m.places = am_select(b, am_binary_number(b, AM_GREATER, m.scores, 0),
                         am_reshape(b, am_concat(b, best, 2, 0), shape), am_scalar(b, AM_I32, -1));
    return m;
}

/* --- finer places --- */

static am_value doubled(am_builder *b, am_value x)
{
    return x.id ? am_image_resized(b, x, 2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3)) : AM_NONE;
}

/* x: the coarse map, [2 B, C, h, w], joined with finer ones -> [2 B, C', h', w']. */
static am_value fuse(am_builder *b, const loftr *l, am_value x, const maps *m)
{
    x = doubled(b, conv(b, "out_conv", x, l->hidden, 1, 1));
    for (int i = 0; i < m->count && !am_builder_failed(b); i++) {
        int64_t wide = l->widths[l->stages - 1 - i], narrow = l->widths[l->stages - 2 - i];
        am_scope(b, "out_conv_layers.%d", i);
        x = am_add(b, conv(b, "out_conv1", m->finer[m->count - 1 - i], wide, 1, 1), x);
        x = activate(b, l, am_batch_norm(b, "batch_norm", conv(b, "out_conv2", x, wide, 3, 1), 1e-5));
        x = doubled(b, conv(b, "out_conv3", x, narrow, 3, 1));
        am_end_scope(b);
    }
    return x;
}

/* Windows of kernel x kernel places around the coarse places that `places`, I32 [B, N], names (-1: the last):
   x: [B, C, h', w'] -> [B, N, kernel * kernel, C]. */
static am_value windows(am_builder *b, am_value x, am_value places, int64_t kernel, int64_t stride, int64_t padding)
{
    am_unfold_attributes options = {.kernel = am_shape_of(kernel, kernel),
                                    .stride = am_shape_of(stride, stride),
                                    .padding_before = am_shape_of(padding, padding),
                                    .padding_after = am_shape_of(padding, padding)};
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1);
    x = am_unfold(b, x, &options);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t N = am_dim(b, x, 2);
    if (N < am_dim(b, places, 1)) {
        am_config_fail(am_model_config(b), "fine_kernel_size", "%" PRId64 " windows for %" PRId64 " places", N,
                       am_dim(b, places, 1));
        return AM_NONE;
    }
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, C, kernel * kernel, N)), am_shape_of(0, 3, 2, 1));
    am_value none = am_binary_number(b, AM_LESS, places, 0), last = am_scalar(b, AM_I32, (double)(N - 1));
    places = am_add(b, am_select(b, none, last, places), am_iota(b, AM_I32, am_shape_of(B, 1), 0, 0, (double)N));
    return am_gather(b, am_flatten(b, x, 0, 1), places, 0, false);
}

/* Windows of either image: [B, N, W, C], and the second's with a margin of one place: [B, N, (kernel + 2)^2, C]. */
typedef struct fine {
    am_value first, second;
    int64_t kernel, first_part, second_part; /* of channels: those that choose a place, and that move it */
} fine;

static fine fine_windows(am_builder *b, const loftr *l, const maps *m, const matches *found)
{
    fine f = {.kernel = am_config_size(l->config, "fine_kernel_size", 8)};
    int64_t slice = am_config_size(l->config, "fine_matching_slice_dim", 8);
    am_scope(b, "refinement_layer");
    am_value x = fuse(b, l, am_mul_number(b, m->coarse, 1 / sqrt((double)l->hidden)), m);
    am_end_scope(b);
    if (am_builder_failed(b)) return f;
    f.first_part = am_dim(b, x, 1) - slice;
    f.second_part = f.first_part < slice ? f.first_part : slice;
    if (f.first_part < 1)
        am_config_fail(l->config, "fine_matching_slice_dim", "maps have %" PRId64 " channels", am_dim(b, x, 1));
    if (f.kernel > am_dim(b, x, 2) || f.kernel > am_dim(b, x, 3))
        am_config_fail(l->config, "fine_kernel_size", "more than the %" PRId64 " x %" PRId64 " places", am_dim(b, x, 2),
                       am_dim(b, x, 3));
    if (l->config->root->error) return f;
    int64_t stride = am_dim(b, x, 2) / found->rows;
    f.first = windows(b, am_images_of_pairs(b, x, 0), am_index(b, found->places, 1, 0), f.kernel, stride, 0);
    f.second = windows(b, am_images_of_pairs(b, x, 1), am_index(b, found->places, 1, 1), f.kernel + 2, stride, 1);
    return f;
}

/* Windows [B, N, (kernel + 2)^2, C] without their margin. */
static am_value without_margin(am_builder *b, am_value x, int64_t kernel)
{
    am_shape shape = am_shape_of_value(b, x);
    x = am_reshape(b, x, am_shape_of(shape.dims[0], shape.dims[1], kernel + 2, kernel + 2, shape.dims[3]));
    x = am_slice(b, am_slice(b, x, 2, 1, -1), 3, 1, -1);
    return am_flatten(b, x, 2, 3);
}

/* Which place of the second window goes with which of the first: I32 [B, N], first * W + second. Softmaxes are over
   matches, and over the first window. */
static am_value pair_of_places(am_builder *b, const fine *f)
{
    am_value first = am_slice(b, f->first, 3, 0, f->first_part);
    am_value second = am_slice(b, without_margin(b, f->second, f->kernel), 3, 0, f->first_part);
    am_value x = am_mul_number(b, am_matmul(b, first, second, false, true), 1 / (double)f->first_part);
    x = am_mul(b, softmax_along(b, x, 1), softmax_along(b, x, 2));
    return am_arg_reduce(b, am_flatten(b, x, 2, 3), 2, false);
}

/* Places of a square of three around (row, column) of the second window, which has side x side places: I32 [B, N, 9];
   a place before the first is the last. */
static am_value square_around(am_builder *b, am_value place, int64_t kernel, int64_t side)
{
    am_value row = am_unsqueeze(b, am_binary_number(b, AM_DIV, place, (double)kernel), 2);
    am_value column = am_unsqueeze(b, am_binary_number(b, AM_MOD, place, (double)kernel), 2);
    am_shape shape = am_shape_of(3, 3);
    row = am_add(b, row, am_flatten(b, am_iota(b, AM_I32, shape, 0, -1, 1), 0, 1));
    column = am_add(b, column, am_flatten(b, am_iota(b, AM_I32, shape, 1, -1, 1), 0, 1));
    row = am_binary_number(b, AM_MOD, row, (double)side);
    column = am_binary_number(b, AM_MOD, column, (double)side);
    return am_add(b, am_mul_number(b, row, (double)side), column);
}

/* How far a match's second place moves, in fine places to the right and down: [N, 2], the first pair's for all pairs.
 */
static am_value shift(am_builder *b, const loftr *l, const fine *f, am_value pair)
{
    double slice = (double)am_config_size(l->config, "fine_matching_slice_dim", 8), W = (double)(f->kernel * f->kernel);
    double warmth = am_config_real(l->config, "fine_matching_regress_temperature", 10);
    int64_t from = f->first_part, to = from + f->second_part;
    am_value at = am_binary_number(b, AM_DIV, pair, W), place = am_binary_number(b, AM_MOD, pair, W);
    am_shape one = am_shape_of(am_dim(b, pair, 0), am_dim(b, pair, 1), 1, f->second_part);
    at = am_broadcast(b, am_unsqueeze(b, am_unsqueeze(b, at, 2), 3), one);
    am_value x = am_gather(b, am_slice(b, f->first, 3, from, to), at, 2, true);
    x = am_matmul(b, x, am_slice(b, f->second, 3, from, to), false, true);
    x = am_squeeze(b, am_mul_number(b, x, 1 / sqrt(slice)), 2);
    x = am_gather(b, x, square_around(b, place, f->kernel, f->kernel + 2), 2, true);
    x = am_index(b, am_softmax(b, am_mul_number(b, x, 1 / warmth), 2), 0, 0);
    am_value right = am_reshape(b, am_iota(b, AM_F32, am_shape_of(3, 3), 1, -1, 1), am_shape_of(9, 1));
    am_value down = am_reshape(b, am_iota(b, AM_F32, am_shape_of(3, 3), 0, -1, 1), am_shape_of(9, 1));
    return am_matmul(b, x, am_concat2(b, right, down, 1), false, false);
}

/* Matches in parts of the images' sides: [B, 2, N, 2]. The place within the first window is its corner for all. */
static am_value keypoints(am_builder *b, const loftr *l, const matches *found, const fine *f, const int64_t size[2])
{
    double height = (double)size[0], scale = height / (double)found->rows;
    double finer = height / trunc((double)found->rows * scale), corner = (0.5 - (double)(f->kernel / 2)) * finer;
    float sides[] = {(float)size[1], (float)size[0]};
    am_value x = am_binary_number(b, AM_MOD, found->places, (double)found->columns);
    am_value y = am_binary_number(b, AM_DIV, found->places, (double)found->columns);
    am_value at = am_cast(b, am_concat2(b, am_unsqueeze(b, x, 3), am_unsqueeze(b, y, 3), 3), AM_F32);
    at = am_add_number(b, am_mul_number(b, at, scale), corner);
    am_value moved = am_mul_number(b, shift(b, l, f, pair_of_places(b, f)), finer);
    am_value first = am_slice(b, at, 1, 0, 1), second = am_add(b, am_slice(b, at, 1, 1, 2), moved);
    return am_div(b, am_concat2(b, first, second, 1), am_constant_copy(b, AM_F32, am_shape_of(2), sides));
}

static void keypoint_matching(am_builder *b)
{
    loftr l = read_config(b);
    am_value images = am_pair_of_images(b);
    if (am_builder_failed(b)) return;
    am_scope(b, "efficientloftr");
    maps m = make_maps(b, &l, images);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    matches found = coarse_matches(b, &l, m.coarse);
    fine f = fine_windows(b, &l, &m, &found);
    if (am_builder_failed(b) || !f.second.id) return;
    am_output(b, "matches", found.places);
    am_output(b, "matching_scores", found.scores);
    am_output(b, "keypoints", keypoints(b, &l, &found, &f, (int64_t[]){am_dim(b, images, 3), am_dim(b, images, 4)}));
}

static const am_architecture architectures[] = {
    {"EfficientLoFTRModel", loftr_model, NULL, 0},
    {"EfficientLoFTRForKeypointMatching", keypoint_matching, NULL, 0},
    {0},
};

const am_model_type am_model_efficientloftr = {
    .name = "efficientloftr", .base_prefix = "efficientloftr", .architectures = architectures};

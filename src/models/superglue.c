/* SuperGlue: which keypoints of two images are the same point of the scene. A detector's descriptors, with what a small
   network makes of places and scores added, attend to those of their own image and of the other in turn; products of
   what comes out are turned into probabilities of matches by Sinkhorn's iterations, which scale rows and columns until
   either has its share, a bin for keypoints without a match beside them. transformers:
   models/superglue/modeling_superglue.py */
#include "models/blocks/attention.h"
#include "models/blocks/keypoint_pairs.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIZES_LIMIT = 64, MOST_ITERATIONS = 1000 };

typedef struct superglue {
    const am_config *config;
    am_keypoint_pairs pairs;
    am_value masks[2]; /* [2 B, 1, 1, L]: of keypoints of an image, and of the other of its pair */
    int64_t hidden, heads;
    int states; /* hidden states that were given */
} superglue;

/* x: [2 B, L, C] as the next hidden state: [B, 2, C, L]. */
static am_value give_state(am_builder *b, superglue *s, am_value x)
{
    if (!am_wants_hidden_states(b) || !x.id) return x;
    am_value state = am_reshape(b, x, am_shape_of(s->pairs.pairs, 2, s->pairs.length, am_dim(b, x, 2)));
    am_output_hidden_state(b, "hidden_states", s->states++, am_transpose(b, state, 2, 3));
    return x;
}

/* relu(batch_norm(linear(x))) below the scope: [2 B, L, C] -> [2 B, L, out]. */
static am_value layer(am_builder *b, am_value x, int64_t out)
{
    am_value h = am_linear(b, "linear", x, out, AM_BIAS);
    if (!h.id) return AM_NONE;
    am_shape shape = am_shape_of_value(b, h);
    h = am_batch_norm(b, "batch_norm", am_flatten(b, h, 0, 1), 1e-5);
    return am_unary(b, AM_RELU, am_reshape(b, h, shape));
}

static am_value last_layer(am_builder *b, am_value x, int i, int64_t out)
{
    char name[16];
    snprintf(name, sizeof name, "%d", i);
    return am_linear(b, name, x, out, AM_BIAS);
}

/* Layers of `sizes`, and one to the hidden size that is linear alone, below the scope. */
static am_value network(am_builder *b, superglue *s, am_value x, const int64_t *sizes, int count)
{
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_scope(b, "%d", i);
        x = give_state(b, s, layer(b, x, sizes[i]));
        am_end_scope(b);
    }
    return give_state(b, s, last_layer(b, x, count, s->hidden));
}

static am_value encode_keypoints(am_builder *b, superglue *s)
{
    static const int64_t fallback[] = {32, 64, 128, 256};
    int64_t sizes[SIZES_LIMIT];
    int count = am_config_sizes(s->config, "keypoint_encoder_sizes", sizes, SIZES_LIMIT, fallback, 4);
    am_value x = am_centred_keypoints(b, &s->pairs, 0.7);
    x = am_concat2(b, x, am_unsqueeze(b, s->pairs.scores, 2), 2);
    am_scope(b, "keypoint_encoder.encoder");
    x = network(b, s, x, sizes, count);
    am_end_scope(b);
    return x;
}

/* What a layer adds to x: [2 B, L, C]. */
static am_value propagate(am_builder *b, superglue *s, am_value x, bool crosses)
{
    am_attention_options options = {.heads = s->heads,
                                    .q = "self.query",
                                    .k = "self.key",
                                    .v = "self.value",
                                    .out = "output.dense",
                                    .mask = s->masks[crosses]};
    am_scope(b, "attention");
    am_value seen =
        crosses ? am_cross_attention(b, x, am_swap_pairs(b, x), &options) : am_self_attention(b, x, &options);
    am_end_scope(b);
    am_scope(b, "mlp");
    x = network(b, s, am_concat2(b, x, seen, 2), (int64_t[]){2 * s->hidden}, 1);
    am_end_scope(b);
    return x;
}

/* Which of the layers cross; -1 beyond the last. */
static int crosses(const superglue *s, int i)
{
    size_t count = am_json_count(am_json_get(s->config->object, "gnn_layers_types"));
    if (!am_config_has(s->config, "gnn_layers_types")) return i < 18 ? i % 2 : -1;
    const char *type = am_config_list_text(s->config, "gnn_layers_types", i);
    if ((size_t)i >= count) return -1;
    if (!type) type = "";
    if (strcmp(type, "self") != 0 && strcmp(type, "cross") != 0)
        am_config_fail(s->config, "gnn_layers_types", "expected \"self\" or \"cross\", found \"%s\"", type);
    return strcmp(type, "cross") == 0;
}

static am_value attend(am_builder *b, superglue *s, am_value x)
{
    give_state(b, s, x);
    for (int i = 0; crosses(s, i) >= 0 && !am_builder_failed(b); i++) {
        am_scope(b, "gnn.layers.%d", i);
        x = am_add(b, x, propagate(b, s, x, crosses(s, i) == 1));
        am_end_scope(b);
    }
    return x;
}

/* x: [B, R, R], and one number of each column: [B, R, 1]. What each row takes so that its exponentials sum up to its
   share: [B, R, 1]. */
static am_value scaled_rows(am_builder *b, am_value x, am_value columns, am_value share)
{
    if (columns.id) x = am_add(b, x, am_transpose(b, columns, 1, 2));
    am_value sum =
        am_sub(b, am_slice(b, x, 2, -1, AM_SLICE_END),
               am_slice(b, am_log_softmax(b, x, 2), 2, -1, AM_SLICE_END)); /* the bin's: it is never masked */
    return am_sub(b, share, sum);
}

/* Logarithms of the shares of L rows, all alike, and of the bin: [1, L + 1, 1]. */
static am_value shares(am_builder *b, int64_t L, double each)
{
    am_value rows = am_broadcast(b, am_scalar(b, AM_F32, each), am_shape_of(1, L, 1));
    return am_concat2(b, rows, am_broadcast(b, am_scalar(b, AM_F32, log((double)L) + each), am_shape_of(1, 1, 1)), 1);
}

/* scores: [B, L, L] -> logarithms of probabilities, [B, L, L]. */
static am_value transport(am_builder *b, am_value scores, int64_t iterations)
{
    int64_t B = am_dim(b, scores, 0), L = am_dim(b, scores, 1);
    double each = -log(2 * (double)L);
    am_value bin = am_weight(b, "bin_score", (am_shape){0}), rows = AM_NONE, columns = AM_NONE;
    if (am_builder_failed(b)) return AM_NONE;
    bin = am_cast(b, bin, AM_F32);
    am_value all = am_concat2(b, scores, am_broadcast(b, bin, am_shape_of(B, L, 1)), 2);
    all = am_concat2(b, all, am_broadcast(b, bin, am_shape_of(B, 1, L + 1)), 1);
    am_value turned = am_transpose(b, all, 1, 2), share = shares(b, L, each);
    for (int64_t i = 0; i < iterations && !am_builder_failed(b); i++) {
        rows = scaled_rows(b, all, columns, share);
        columns = scaled_rows(b, turned, rows, share);
    }
    if (rows.id) all = am_add(b, am_add(b, all, rows), am_transpose(b, columns, 1, 2));
    return am_slice(b, am_slice(b, am_add_number(b, all, -each), 1, 0, L), 2, 0, L);
}

/* Products of keypoints of either image: [B, L, L]. */
static am_value similarity(am_builder *b, const superglue *s, am_value x)
{
    am_value first = am_images_of_pairs(b, x, 0), second = am_images_of_pairs(b, x, 1);
    am_value scores = am_mul_number(b, am_matmul(b, first, second, false, true), 1 / sqrt((double)s->hidden));
    am_value is = am_binary_number(b, AM_NOT_EQUAL, s->pairs.mask, 0);
    am_value rows = am_unsqueeze(b, am_images_of_pairs(b, is, 0), 2);
    am_value columns = am_unsqueeze(b, am_images_of_pairs(b, is, 1), 1);
    is = am_binary(b, AM_LOGICAL_AND, rows, columns);
    return am_select(b, is, scores, am_scalar(b, AM_F32, -FLT_MAX));
}

static void give_matches(am_builder *b, const superglue *s, am_value scores)
{
    double threshold = am_config_real(s->config, "matching_threshold", 0);
    am_mutual_matches found = am_mutual_matches_of(b, scores);
    am_value zero = am_scalar(b, AM_F32, 0), enough = am_binary_number(b, AM_GREATER, found.probabilities, threshold);
    found.probabilities = am_select(b, enough, found.probabilities, zero);
    am_keypoint_matches m = am_counted_matches(b, &found, am_binary(b, AM_GREATER, found.probabilities, zero));
    am_shape shape = am_shape_of(s->pairs.pairs, 2, s->pairs.length);
    am_output(b, "matches", am_reshape(b, m.matches, shape));
    am_output(b, "matching_scores", am_reshape(b, m.scores, shape));
    am_output(b, "keypoints", am_reshape(b, s->pairs.keypoints, am_shape_of(shape.dims[0], 2, shape.dims[2], 2)));
    am_output(b, "mask", am_reshape(b, s->pairs.mask, shape));
}

static void keypoint_matching(am_builder *b)
{
    const am_config *c = am_model_config(b);
    superglue s = {.config = c,
                   .hidden = am_config_size(c, "hidden_size", 256),
                   .heads = am_config_size(c, "num_attention_heads", 4)};
    int64_t iterations = am_config_count(c, "sinkhorn_iterations", 100);
    if (iterations > MOST_ITERATIONS)
        am_config_unsupported(c, "sinkhorn_iterations", "more than %d iterations", MOST_ITERATIONS);
    am_config_check_divides(c, "num_attention_heads", s.heads, "hidden_size", s.hidden);
    if (am_builder_failed(b) || !am_detect_keypoints(b, &s.pairs) || am_give_no_matches(b, &s.pairs)) return;
    if (am_dim(b, s.pairs.descriptors, 2) != s.hidden)
        am_config_fail(c, "hidden_size", "descriptors have %lld numbers", (long long)am_dim(b, s.pairs.descriptors, 2));
    s.masks[0] = am_padding_mask_of(b, s.pairs.mask);
    s.masks[1] = am_swap_pairs(b, s.masks[0]);
    if (am_builder_failed(b)) return;
    am_value x = attend(b, &s, am_add(b, s.pairs.descriptors, encode_keypoints(b, &s)));
    x = give_state(b, &s, am_linear(b, "final_projection.final_proj", x, s.hidden, AM_BIAS));
    if (am_builder_failed(b)) return;
    am_value scores = transport(b, similarity(b, &s, x), iterations);
    if (!am_builder_failed(b)) give_matches(b, &s, scores);
}

static const am_architecture architectures[] = {
    {"SuperGlueForKeypointMatching", keypoint_matching, NULL, AM_MEASURES},
    {0},
};

const am_model_type am_model_superglue = {
    .name = "superglue", .base_prefix = "superglue", .architectures = architectures};

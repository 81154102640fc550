/* LightGlue: which keypoints of two images are the same point of the scene. In each layer a detector's descriptors
   attend to those of their image, turned by their places, and to those of the other image. After a layer the pairs
   whose keypoints are sure of themselves stop, and of the others keypoints that have no match drop out; a pair's
   matches are those of the layer that it stopped at. Here keypoints that dropped out keep their places, masked, and
   pairs that stopped go on unread. transformers: models/lightglue/modeling_lightglue.py */
#include "models/blocks/attention.h"
#include "models/blocks/keypoint_pairs.h"

#include <float.h>
#include <math.h>

typedef struct lightglue {
    const am_config *config;
    am_keypoint_pairs pairs;
    int64_t layers, hidden, heads, kv_heads;
    double depth, width, threshold;
    am_unary_fn activation;
    bool bias;
} lightglue;

/* Of 2 B images with L keypoints. */
typedef struct matcher {
    am_value x;       /* [2 B, L, C] */
    am_value turn[2]; /* cosines and sines: [2 B, L, D / 2] */
    am_value alive;   /* BOOL [2 B, L]: keypoints that did not drop out */
} matcher;

/* What is kept of the layer that a pair stops at. */
enum {
    STOP_PROJECTED,    /* [2 B, L, C] */
    STOP_MATCHABILITY, /* [2 B, L] */
    STOP_ALIVE,        /* BOOL [2 B, L] */
    STOP_ROUNDS,       /* I32 [2 B, L]: how often a keypoint was kept, and 1 */
    STOP_LENGTH,       /* I32 [2 B, 1]: transformers' number of places, those behind the kept ones empty */
    STOP_LAYER,        /* I32 [2 B, 1] */
    STOP_VALUES
};

static am_value meet(am_builder *b, am_value x, am_value y)
{
    return am_binary(b, AM_LOGICAL_AND, x, y);
}

static am_value invert(am_builder *b, am_value x)
{
    return am_unary(b, AM_LOGICAL_NOT, x);
}

static am_value count(am_builder *b, am_value is)
{
    return am_reduce(b, AM_REDUCE_SUM, am_cast(b, is, AM_I32), am_shape_of(1), true);
}

static lightglue read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    lightglue g = {.config = c,
                   .layers = am_config_count(c, "num_hidden_layers", 9),
                   .hidden = am_config_size(c, "descriptor_dim", 256),
                   .heads = am_config_size(c, "num_attention_heads", 4),
                   .depth = am_config_real(c, "depth_confidence", 0.95),
                   .width = am_config_real(c, "width_confidence", 0.99),
                   .threshold = am_config_real(c, "filter_threshold", 0.1),
                   .activation = am_config_activation(c, "hidden_act", AM_GELU),
                   .bias = am_config_flag(c, "attention_bias", true)};
    g.kv_heads = am_config_size(c, "num_key_value_heads", g.heads);
    if (g.layers < 1 + (g.depth > 0)) /* transformers fails at one layer where pairs may stop */
        am_config_fail(c, "num_hidden_layers", "expected %d or more", 1 + (g.depth > 0));
    am_config_check_divides(c, "num_attention_heads", g.heads, "descriptor_dim", g.hidden);
    am_config_check_divides(c, "num_key_value_heads", g.kv_heads, "num_attention_heads", g.heads);
    if (g.hidden / g.heads % 2) am_config_fail(c, "descriptor_dim", "heads of an odd size");
    if (am_config_int(c, "head_dim", g.hidden / g.heads) != g.hidden / g.heads)
        am_config_fail(c, "head_dim", "expected descriptor_dim over num_attention_heads");
    if ((g.depth > 0) != (g.width > 0))
        am_config_fail(c, "width_confidence",
                       "expected a number above 0 where depth_confidence is that, and only there");
    if (g.depth > 0 && am_wants_hidden_states(b))
        am_config_unsupported(c, "depth_confidence", "hidden states of pairs that stop early");
    return g;
}

static am_value mlp(am_builder *b, const lightglue *g, am_value x)
{
    x = am_layer_norm(b, "layer_norm", am_linear(b, "fc1", x, 2 * g->hidden, AM_BIAS), 1e-5);
    return am_linear(b, "fc2", am_unary(b, g->activation, x), g->hidden, AM_BIAS);
}

/* Half a layer: x and what its attention, of its own image or the other, adds; states: three more hidden states. */
static am_value half(am_builder *b, const lightglue *g, const matcher *m, am_value x, bool crosses, am_value states[3])
{
    am_rope rope = {.cos = m->turn[0], .sin = m->turn[1], .interleaved = true};
    am_value mask = am_padding_mask_of(b, m->alive);
    am_attention_options options = {.heads = g->heads,
                                    .kv_heads = g->kv_heads,
                                    .out = "o_proj",
                                    .no_q_bias = !g->bias,
                                    .no_k_bias = !g->bias,
                                    .no_v_bias = !g->bias,
                                    .no_out_bias = !g->bias,
                                    .mask = crosses ? am_swap_pairs(b, mask) : mask,
                                    .rope = crosses ? NULL : &rope};
    am_scope(b, crosses ? "cross_attention" : "self_attention");
    am_value seen =
        crosses ? am_cross_attention(b, x, am_swap_pairs(b, x), &options) : am_self_attention(b, x, &options);
    am_end_scope(b);
    am_scope(b, crosses ? "cross_mlp" : "self_mlp");
    states[1] = am_concat2(b, x, seen, 2);
    states[2] = mlp(b, g, states[1]);
    am_end_scope(b);
    return states[0] = am_add(b, x, states[2]);
}

static void layer(am_builder *b, const lightglue *g, matcher *m, int i)
{
    am_value states[7] = {m->x};
    am_scope(b, "transformer_layers.%d", i);
    am_value x = half(b, g, m, m->x, false, states + 1);
    m->x = half(b, g, m, x, true, states + 4);
    am_end_scope(b);
    for (int k = 0; k < 7; k++) am_output_hidden_state(b, "hidden_states", 7 * i + k, states[k]);
}

static matcher begin(am_builder *b, const lightglue *g)
{
    am_value x = g->pairs.descriptors, places = am_centred_keypoints(b, &g->pairs, 0.5);
    if (am_dim(b, x, 2) != g->hidden) x = am_linear(b, "input_projection", x, g->hidden, AM_BIAS);
    places = am_linear(b, "positional_encoder.projector", places, g->hidden / g->heads / 2, AM_NO_BIAS);
    return (matcher){.x = x,
                     .turn = {am_unary(b, AM_COS, places), am_unary(b, AM_SIN, places)},
                     .alive = am_binary_number(b, AM_NOT_EQUAL, g->pairs.mask, 0)};
}

/* What decides matches after layer i. */
static void project(am_builder *b, const lightglue *g, const matcher *m, int i, am_value out[STOP_VALUES])
{
    am_scope(b, "match_assignment_layers.%d", i);
    am_value x = am_linear(b, "final_projection", m->x, g->hidden, AM_BIAS);
    out[STOP_PROJECTED] = am_mul_number(b, x, pow((double)g->hidden, -0.25));
    out[STOP_MATCHABILITY] = am_squeeze(b, am_linear(b, "matchability", m->x, 1, AM_BIAS), 2);
    am_end_scope(b);
    out[STOP_ALIVE] = m->alive;
}

/* x of the first images beside y of the second: [B, L, 1], [B, 1, L]. */
static void facing(am_builder *b, am_value x, am_value out[2])
{
    out[0] = am_unsqueeze(b, am_images_of_pairs(b, x, 0), 2);
    out[1] = am_unsqueeze(b, am_images_of_pairs(b, x, 1), 1);
}

static am_value both(am_builder *b, am_value is)
{
    am_value side[2];
    facing(b, is, side);
    return meet(b, side[0], side[1]);
}

/* Logarithms of probabilities of matches among the places that exist (BOOL [2 B, L]): [B, L, L]. */
static am_value match_scores(am_builder *b, const am_value at[STOP_VALUES], am_value exists)
{
    am_value sure[2], none = am_scalar(b, AM_F32, -INFINITY), is = both(b, exists);
    am_value first = am_images_of_pairs(b, at[STOP_PROJECTED], 0),
             second = am_images_of_pairs(b, at[STOP_PROJECTED], 1);
    am_value x = am_matmul(b, first, second, false, true);
    x = am_select(b, both(b, at[STOP_ALIVE]), x, am_scalar(b, AM_F32, -FLT_MAX));
    x = am_select(b, is, x, none);
    facing(b, am_unary(b, AM_LOG_SIGMOID, at[STOP_MATCHABILITY]), sure);
    x = am_add(b, am_log_softmax(b, x, 2), am_log_softmax(b, x, 1));
    return am_select(b, is, am_add(b, x, am_add(b, sure[0], sure[1])), none);
}

static am_keypoint_matches matches_of(am_builder *b, const lightglue *g, const am_value at[STOP_VALUES],
                                      am_value exists)
{
    am_mutual_matches found = am_mutual_matches_of(b, match_scores(b, at, exists));
    return am_counted_matches(b, &found, am_binary_number(b, AM_GREATER, found.probabilities, g->threshold));
}

static void give_matches(am_builder *b, const lightglue *g, am_keypoint_matches m, am_value rounds)
{
    int64_t B = g->pairs.pairs, L = g->pairs.length;
    am_output(b, "matches", m.matches);
    am_output(b, "matching_scores", m.scores);
    am_output(b, "keypoints", am_reshape(b, g->pairs.keypoints, am_shape_of(B, 2, L, 2)));
    am_output(b, "prune", rounds);
    am_output(b, "mask", am_reshape(b, g->pairs.mask, am_shape_of(B, 2, L)));
}

/* --- all layers for all keypoints --- */

static void match_wholly(am_builder *b, const lightglue *g)
{
    am_value at[STOP_VALUES], all, rounds;
    int64_t B = g->pairs.pairs, L = g->pairs.length;
    matcher m = begin(b, g);
    for (int i = 0; i < g->layers && !am_builder_failed(b); i++) layer(b, g, &m, i);
    if (am_builder_failed(b)) return;
    project(b, g, &m, (int)g->layers - 1, at);
    all = am_broadcast(b, am_scalar(b, AM_BOOL, 1), am_shape_of(2 * B, L));
    rounds = am_broadcast(b, am_scalar(b, AM_F32, (double)g->layers), am_shape_of(B, 2, L));
    give_matches(b, g, matches_of(b, g, at, all), rounds);
}

/* --- pairs that stop, keypoints that drop out --- */

static double sure_enough(const lightglue *g, int i)
{
    return 0.8 + 0.1 * exp(-4.0 * i / (double)g->layers);
}

/* Which pairs stop after layer i, for both of their images: BOOL [2 B, 1]. */
static am_value stops(am_builder *b, const lightglue *g, const matcher *m, am_value confidence, int i)
{
    int64_t B = g->pairs.pairs, L = g->pairs.length;
    am_value unsure = meet(b, m->alive, am_binary_number(b, AM_LESS, confidence, sure_enough(g, i)));
    am_value found = count(b, am_reshape(b, unsure, am_shape_of(B, 2 * L)));
    am_value points =
        am_reduce(b, AM_REDUCE_SUM, am_reshape(b, g->pairs.mask, am_shape_of(B, 2 * L)), am_shape_of(1), true);
    am_value share = am_div(b, am_cast(b, found, AM_F32), am_cast(b, points, AM_F32));
    am_value is = am_binary_number(b, AM_GREATER, am_sub(b, am_scalar(b, AM_F32, 1), share), g->depth);
    return am_join_pairs(b, is, is);
}

/* Keypoints that are sure to have no match drop out: zeros stand in their places. */
static void drop(am_builder *b, const lightglue *g, matcher *m, am_value matchability, am_value confidence, int i)
{
    am_value zero = am_scalar(b, AM_F32, 0);
    am_value keeps = am_binary_number(b, AM_GREATER, am_unary(b, AM_SIGMOID, matchability), 1 - g->width);
    am_value unsure = am_binary_number(b, AM_LESS_EQUAL, confidence, sure_enough(g, i));
    m->alive = meet(b, m->alive, am_binary(b, AM_LOGICAL_OR, keeps, unsure));
    am_value is = am_unsqueeze(b, m->alive, 2);
    m->x = am_select(b, is, m->x, zero);
    for (int k = 0; k < 2; k++) m->turn[k] = am_select(b, is, m->turn[k], zero);
}

/* How many places the images of pairs that go on need: the most that one keeps. */
static am_value places_left(am_builder *b, am_value alive, am_value stopped)
{
    am_value counts = am_select(b, stopped, am_scalar(b, AM_I32, 0), count(b, alive));
    return am_broadcast(b, am_reduce(b, AM_REDUCE_MAX, counts, am_shape_of(0), true), am_shape_of_value(b, counts));
}

static void keep_stopped(am_builder *b, am_value stopped, am_value new[STOP_VALUES], am_value kept[STOP_VALUES])
{
    for (int k = 0; k < STOP_VALUES; k++) {
        am_value is = stopped.id && k == STOP_PROJECTED ? am_unsqueeze(b, stopped, 2) : stopped;
        kept[k] = stopped.id ? am_select(b, is, kept[k], new[k]) : new[k];
    }
}

static am_value everywhere(am_builder *b, double value, int64_t rows, int64_t columns)
{
    return am_broadcast(b, am_scalar(b, AM_I32, value), am_shape_of(rows, columns));
}

/* Runs the layers; kept: the values that each pair stops with. */
static void run_layers(am_builder *b, const lightglue *g, am_value kept[STOP_VALUES])
{
    int64_t images = 2 * g->pairs.pairs, L = g->pairs.length;
    am_value now[STOP_VALUES] = {
        [STOP_ROUNDS] = everywhere(b, 1, images, L), [STOP_LENGTH] = everywhere(b, (double)L, images, 1)};
    am_value stopped = AM_NONE, stop, confidence;
    matcher m = begin(b, g);
    for (int i = 0; i < g->layers && !am_builder_failed(b); i++) {
        layer(b, g, &m, i);
        project(b, g, &m, i, now);
        now[STOP_LAYER] = everywhere(b, i, images, 1);
        keep_stopped(b, stopped, now, kept);
        if (i + 1 == g->layers) break;
        am_scope(b, "token_confidence.%d", i);
        confidence = am_unary(b, AM_SIGMOID, am_squeeze(b, am_linear(b, "token", m.x, 1, AM_BIAS), 2));
        am_end_scope(b);
        stop = stops(b, g, &m, confidence, i);
        stopped = stopped.id ? am_binary(b, AM_LOGICAL_OR, stopped, stop) : stop;
        drop(b, g, &m, now[STOP_MATCHABILITY], confidence, i);
        now[STOP_ROUNDS] = am_add(b, now[STOP_ROUNDS], am_cast(b, m.alive, AM_I32));
        now[STOP_LENGTH] = places_left(b, m.alive, stopped);
    }
}

/* How many keypoints that dropped out stand before each: I32 [2 B, L]. */
static am_value rank_of_dead(am_builder *b, am_value alive)
{
    return am_scan(b, AM_REDUCE_SUM, am_cast(b, invert(b, alive), AM_I32), 1, true, false);
}

/* transformers moves the kept keypoints together, with empty places behind them, and writes results back to their
   places before: those of empty places all to the last place, the last of them at last. So the last keypoint has what
   is found for the last empty place of its image, where there is one; keypoints that dropped out have no match. Pairs
   that stopped after the first layer were never moved. */
static am_keypoint_matches put_back(am_builder *b, const am_value at[STOP_VALUES], am_keypoint_matches m)
{
    int64_t L = am_dim(b, m.matches, 1);
    am_value none = am_scalar(b, AM_I32, -1), zero = am_scalar(b, AM_F32, 0), alive = at[STOP_ALIVE];
    am_value others = am_cast(b, am_swap_pairs(b, alive), AM_I32), kept = count(b, alive);
    am_value known = am_gather(b, others, am_binary_number(b, AM_MAX, m.matches, 0), 1, true);
    am_value matches = am_select(b, am_binary_number(b, AM_NOT_EQUAL, known, 0), m.matches, none);
    am_value longest = am_reduce(b, AM_REDUCE_MAX, at[STOP_LENGTH], am_shape_of(0), true);
    am_value ends = am_binary_number(b, AM_ADD, am_sub(b, at[STOP_LENGTH], kept), -1);
    am_value last = meet(b, invert(b, alive), am_binary(b, AM_EQUAL, rank_of_dead(b, alive), ends));
    last = meet(b, last, am_binary(b, AM_EQUAL, at[STOP_LENGTH], longest));
    am_value match = am_select(b, last, am_add_number(b, matches, 1), am_scalar(b, AM_I32, 0));
    match = am_add_number(b, am_reduce(b, AM_REDUCE_SUM, match, am_shape_of(1), true), -1);
    am_value score = am_reduce(b, AM_REDUCE_SUM, am_select(b, last, m.scores, zero), am_shape_of(1), true);
    am_value is_last = am_binary_number(b, AM_EQUAL, am_iota(b, AM_I32, am_shape_of(1, L), 1, 0, 1), (double)(L - 1));
    am_value takes = meet(b, is_last, am_binary(b, AM_LESS, kept, longest));
    am_value moved = am_binary_number(b, AM_GREATER, at[STOP_LAYER], 0);
    matches = am_select(b, takes, match, am_select(b, alive, matches, none));
    am_value scores = am_select(b, takes, score, am_select(b, alive, m.scores, zero));
    return (am_keypoint_matches){am_select(b, moved, matches, m.matches), am_select(b, moved, scores, m.scores)};
}

/* transformers collects pairs as they stop, takes the list of their numbers of itself for the way back to their order,
   and orders them by that: x: [2 B, L] -> [B, 2, L]. */
static am_value in_order(am_builder *b, am_value x, am_value layers)
{
    int64_t B = am_dim(b, x, 0) / 2, L = am_dim(b, x, 1);
    am_value order, from;
    x = am_reshape(b, x, am_shape_of(B, 2, L));
    am_sort(b, am_squeeze(b, am_images_of_pairs(b, layers, 0), 1), 0, false, &order);
    from = am_gather(b, order, am_gather(b, order, order, 0, false), 0, false);
    return am_gather(b, x, from, 0, false);
}

static void match_adaptively(am_builder *b, const lightglue *g)
{
    am_value at[STOP_VALUES];
    run_layers(b, g, at);
    if (am_builder_failed(b)) return;
    am_value empty = am_sub(b, at[STOP_LENGTH], count(b, at[STOP_ALIVE]));
    am_value exists = am_binary(b, AM_LESS, rank_of_dead(b, at[STOP_ALIVE]), empty);
    exists = am_binary(b, AM_LOGICAL_OR, at[STOP_ALIVE], exists);
    am_keypoint_matches m = put_back(b, at, matches_of(b, g, at, exists));
    m.matches = in_order(b, m.matches, at[STOP_LAYER]);
    m.scores = in_order(b, m.scores, at[STOP_LAYER]);
    give_matches(b, g, m, in_order(b, at[STOP_ROUNDS], at[STOP_LAYER]));
}

static void keypoint_matching(am_builder *b)
{
    lightglue g = read_config(b);
    if (am_builder_failed(b) || !am_detect_keypoints(b, &g.pairs)) return;
    if (am_give_no_matches(b, &g.pairs))
        am_output(b, "prune", am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(g.pairs.pairs, 2, 0)));
    else if (g.depth > 0) match_adaptively(b, &g);
    else match_wholly(b, &g);
}

static const am_architecture architectures[] = {
    {"LightGlueForKeypointMatching", keypoint_matching, NULL, AM_MEASURES},
    {0},
};

const am_model_type am_model_lightglue = {
    .name = "lightglue", .base_prefix = "lightglue", .architectures = architectures};

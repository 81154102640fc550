/* ZoeDepth: DPT's neck and head say how far pixels are from one another; from there on depths are sought among bins,
   whose centres are seeded by the coarsest map and drawn to attractors by each finer one. With several bin
   configurations a classifier says which of them the batch is of. transformers: models/zoedepth/modeling_zoedepth.py */
#include "models/blocks/dpt_neck.h"
#include "models/blocks/attention.h"
#include "models/blocks/sinusoids.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum {
    LEVELS = 4,         /* at most, of projectors and attractors */
    BINS_LIMIT = 2,     /* of configurations: there are classes for so many */
    DOMAIN_WIDTH = 128, /* not configurable */
    DOMAIN_LAYERS = 4,  /* the same: of the classifier, whatever num_patch_transformer_layers is */
    ATTRACTORS = 16,    /* of each level, where there are several configurations */
    SEED_WIDTH = 256,   /* within the regressor and the projectors, where there is one */
    PROJECTOR_WIDTH = 128,
    PROJECTION_CHANNELS = 256,
};

static const double ALPHA = 300, LEAST = 1e-3, P_EPS = 1e-4, BINOMIAL_EPS = 1e-7, LAYER_NORM_EPS = 1e-5; /* the same */

typedef struct bins {
    const char *name;
    int64_t count;
    double least, most; /* depths */
} bins;

typedef struct zoe_config {
    am_dpt_neck neck;
    int64_t relative_features, bottleneck, embedding, attractors[LEVELS];
    bool add_projection, is_normed, is_sum;
    double least_temperature, most_temperature;
    bins bins[BINS_LIMIT];
    int configurations;
    int64_t domain_heads, domain_inner;
} zoe_config;

/* --- configuration --- */

static void read_bins(const am_config *c, zoe_config *r)
{
    am_json list = am_json_get(c->object, "bin_configurations");
    r->bins[0] = (bins){"", 64, 0.001, 10};
    r->configurations = 1;
    if (!am_json_count(list)) return;
    int i = 0;
    for (am_json_iterator it = am_json_iterate(list); i <= BINS_LIMIT && am_json_next(&it); i++) {
        am_config one = {.root = c->root, .object = it.value, .path = "bin_configurations."};
        if (i == BINS_LIMIT) am_config_fail(c, "bin_configurations", "expected at most %d", BINS_LIMIT);
        else
            r->bins[i] = (bins){.name = am_config_text(&one, "name", ""),
                                .count = am_config_size(&one, "n_bins", 64),
                                .least = am_config_real(&one, "min_depth", 0.001),
                                .most = am_config_real(&one, "max_depth", 10)};
    }
    r->configurations = i > BINS_LIMIT ? BINS_LIMIT : i;
}

static void check(const am_config *c, zoe_config *r)
{
    r->is_normed = am_config_is(c, "bin_centers_type", "normed");
    if (!r->is_normed && am_config_has(c, "bin_centers_type") && !am_config_is(c, "bin_centers_type", "softplus"))
        am_config_fail(c, "bin_centers_type", "expected \"normed\" or \"softplus\", found \"%s\"",
                       am_config_text(c, "bin_centers_type", ""));
    r->is_sum = am_config_is(c, "attractor_kind", "sum");
    if (!r->is_sum && am_config_has(c, "attractor_kind") && !am_config_is(c, "attractor_kind", "mean"))
        am_config_fail(c, "attractor_kind", "expected \"mean\" or \"sum\", found \"%s\"",
                       am_config_text(c, "attractor_kind", ""));
    if (r->configurations > 1) {
        int64_t width = am_config_size(c, "patch_transformer_hidden_size", DOMAIN_WIDTH);
        r->domain_heads = am_config_size(c, "patch_transformer_num_attention_heads", 4);
        r->domain_inner = am_config_size(c, "patch_transformer_intermediate_size", 1024);
        if (width != DOMAIN_WIDTH) am_config_fail(c, "patch_transformer_hidden_size", "expected %d", DOMAIN_WIDTH);
        if (am_config_count(c, "num_patch_transformer_layers", DOMAIN_LAYERS) < DOMAIN_LAYERS)
            am_config_fail(c, "num_patch_transformer_layers", "expected %d", DOMAIN_LAYERS);
        am_config_check_divides(c, "patch_transformer_num_attention_heads", r->domain_heads,
                                "patch_transformer_hidden_size", width);
    }
    if (r->neck.readout != AM_READOUT_PROJECT)
        am_config_unsupported(c, "readout_type", "expected \"project\", the only one that transformers computes with");
    if (!am_config_has(c, "backbone_config")) am_config_unsupported(c, "backbone_config", "has to be given");
}

static zoe_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    zoe_config r = {
        .neck = am_dpt_neck_read(c, 256, (const int64_t[]){96, 192, 384, 768}),
        .relative_features = am_config_size(c, "num_relative_features", 32),
        .bottleneck = am_config_size(c, "bottleneck_features", 256),
        .embedding = am_config_size(c, "bin_embedding_dim", 128),
        .add_projection = am_config_flag(c, "add_projection", false),
        .least_temperature = am_config_real(c, "min_temp", 0.0212),
        .most_temperature = am_config_real(c, "max_temp", 50),
    };
    am_dpt_neck_read_more(c, &r.neck);
    r.neck.norm_eps = am_config_real(c, "batch_norm_eps", 1e-5);
    int count = am_config_sizes(c, "num_attractors", r.attractors, LEVELS, (const int64_t[]){16, 8, 4, 1}, LEVELS);
    if (count < LEVELS) am_config_fail(c, "num_attractors", "expected %d", LEVELS);
    read_bins(c, &r);
    for (int i = 0; i < LEVELS && r.configurations > 1; i++) r.attractors[i] = ATTRACTORS;
    check(c, &r);
    return r;
}

/* --- bins --- */

/* The scope NAME, of a configuration where there are several. */
static void open_head(am_builder *b, const zoe_config *c, const bins *n, const char *name)
{
    if (c->configurations > 1) am_scope(b, "%s.%s", name, n->name);
    else am_scope(b, "%s", name);
}

/* conv2(relu(conv1(x))) below the scope; both see single pixels. */
static am_value two_layers(am_builder *b, am_value x, int64_t inner, int64_t out)
{
    return am_same_conv(b, "conv2", am_unary(b, AM_RELU, am_same_conv(b, "conv1", x, inner, 1)), out, 1);
}

static am_value project(am_builder *b, const zoe_config *c, const char *name, am_value x)
{
    am_scope(b, "%s", name);
    x = two_layers(b, x, c->configurations > 1 ? c->embedding / 2 : PROJECTOR_WIDTH, c->embedding);
    am_end_scope(b);
    return x;
}

/* Centres of bins of the coarsest map, from 0 to 1 where they are normed: [B, bins, h, w]. */
static am_value seed(am_builder *b, const zoe_config *c, const bins *n, am_value x)
{
    double range = n->most - n->least;
    open_head(b, c, n, c->configurations > 1 ? "seed_bin_regressors" : "seed_bin_regressor");
    x = two_layers(b, x, c->configurations > 1 ? c->embedding / 2 : SEED_WIDTH, n->count);
    am_end_scope(b);
    x = am_unary(b, c->is_normed ? AM_RELU : AM_SOFTPLUS, x);
    if (!c->is_normed) return x;
    x = am_add_number(b, x, LEAST);
    x = am_mul_number(b, am_div(b, x, am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(1), true)), range);
    am_pad_attributes before = {.before = am_shape_of(0, 1, 0, 0), .after = am_shape_of(0, 0, 0, 0), .value = n->least};
    am_value edges = am_scan(b, AM_REDUCE_SUM, am_pad(b, x, &before), 1, false, false);
    am_value centres = am_add(b, am_slice(b, edges, 1, 0, -1), am_slice(b, edges, 1, 1, AM_SLICE_END));
    return am_mul_number(b, am_add_number(b, am_mul_number(b, centres, 0.5), -n->least), 1 / range);
}

/* How far centres are drawn: those of attractors: [B, A, h, w] that are near draw most. */
static am_value pull(am_builder *b, const zoe_config *c, am_value attractors, am_value centres)
{
    am_value sum = AM_NONE;
    int64_t count = am_dim(b, attractors, 1);
    for (int64_t i = 0; i < count && !am_builder_failed(b); i++) {
        am_value d = am_sub(b, am_slice(b, attractors, 1, i, i + 1), centres);
        am_value weight = am_add_number(b, am_mul_number(b, am_unary(b, AM_SQUARE, d), ALPHA), 1);
        d = am_div(b, d, weight);
        sum = sum.id ? am_add(b, sum, d) : d;
    }
    return c->is_sum ? sum : am_mul_number(b, sum, 1 / (double)count);
}

/* One level: centres drawn to its attractors. *depths: the centres as depths. */
static am_value attract(am_builder *b, const zoe_config *c, const bins *n, int level, am_value x, am_value centres,
                        am_value *depths)
{
    char name[32];
    int64_t height = am_dim(b, x, 2), width = am_dim(b, x, 3), count = c->attractors[level];
    snprintf(name, sizeof name, "%d", level);
    open_head(b, c, n, "attractors");
    am_scope(b, "%s", name);
    x = two_layers(b, x, c->embedding, c->is_normed ? 2 * count : count);
    am_end_scope(b);
    am_end_scope(b);
    x = am_unary(b, c->is_normed ? AM_RELU : AM_SOFTPLUS, x);
    if (c->is_normed) x = am_add_number(b, am_slice_step(b, x, 1, 0, AM_SLICE_END, 2), LEAST);
    centres = am_resize_corners(b, centres, height, width);
    centres = *depths = am_add(b, centres, pull(b, c, x, centres));
    if (!c->is_normed) return centres;
    am_value scaled = am_add_number(b, am_mul_number(b, centres, n->most - n->least), n->least);
    scaled = am_sort(b, scaled, 1, false, NULL);
    *depths = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, scaled, n->least), n->most);
    return centres;
}

/* Logarithms of binomial coefficients, by Stirling's approximation: F32 [1, count, 1, 1]; and k: the same shape. */
static am_value binomials(am_builder *b, int64_t count)
{
    double n = (double)(count - 1) + BINOMIAL_EPS;
    float *data = am_arena_array(am_builder_arena(b), (size_t)count + 1, sizeof *data);
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < count; i++) {
        double k = (double)i + BINOMIAL_EPS;
        data[i] = (float)(n * log(n) - k * log(k) - (n - k) * log(n - k + BINOMIAL_EPS));
    }
    return am_constant_copy(b, AM_F32, am_shape_of(1, count, 1, 1), data);
}

/* Channel 0 of a pair as a share of both: [B, 2, h, w] -> [B, 1, h, w]. */
static am_value share(am_builder *b, am_value pair)
{
    pair = am_add_number(b, pair, P_EPS);
    return am_div(b, am_slice(b, pair, 1, 0, 1), am_reduce(b, AM_REDUCE_SUM, pair, am_shape_of(1), true));
}

/* log(p) within P_EPS .. 1. */
static am_value log_of(am_builder *b, am_value p)
{
    return am_unary(b, AM_LOG, am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, p, P_EPS), 1));
}

/* How likely each bin is at each pixel: a binomial distribution of which p and the temperature are computed. */
static am_value likelihoods(am_builder *b, const zoe_config *c, const bins *n, am_value features, am_value embedding)
{
    am_value x = am_concat2(b, features, embedding, 1);
    int64_t inner = am_dim(b, x, 1) / (c->configurations > 1 ? 4 : 2);
    open_head(b, c, n, "conditional_log_binomial");
    x = am_unary(b, AM_GELU, am_same_conv(b, "mlp.0", x, inner, 1));
    x = am_unary(b, AM_SOFTPLUS, am_same_conv(b, "mlp.2", x, 4, 1));
    am_end_scope(b);
    am_value p = share(b, am_slice(b, x, 1, 0, 2)), temperature = share(b, am_slice(b, x, 1, 2, 4));
    temperature = am_add_number(b, am_mul_number(b, temperature, c->most_temperature - c->least_temperature),
                                c->least_temperature);
    am_value k = am_iota(b, AM_F32, am_shape_of(1, n->count, 1, 1), 1, 0, 1),
             rest = am_iota(b, AM_F32, am_shape_of(1, n->count, 1, 1), 1, (double)(n->count - 1), -1);
    am_value q = am_add_number(b, am_unary(b, AM_NEG, p), 1);
    am_value y = am_add(b, am_mul(b, k, log_of(b, p)), am_mul(b, rest, log_of(b, q)));
    return am_softmax(b, am_div(b, am_add(b, y, binomials(b, n->count)), temperature), 1);
}

/* What the heads read. */
typedef struct features {
    am_value last, bottleneck; /* [B, C, H, W], [B, C', h, w] */
    am_value relative;         /* [B, 1, H, W] */
    am_value blocks[AM_STAGES_LIMIT];
} features;

/* Depths by one configuration's bins: [B, 1, H, W]. */
static am_value measure(am_builder *b, const zoe_config *c, const bins *n, const features *f, am_value x)
{
    char name[32];
    int64_t height = am_dim(b, f->last, 2), width = am_dim(b, f->last, 3);
    am_value centres = seed(b, c, n, x), depths = AM_NONE, embedding = project(b, c, "seed_projector", x);
    for (int i = 0; i < c->neck.count && i < LEVELS; i++) {
        snprintf(name, sizeof name, "projectors.%d", i);
        am_value own = project(b, c, name, f->blocks[i]);
        am_value before = am_resize_corners(b, embedding, am_dim(b, own, 2), am_dim(b, own, 3));
        centres = attract(b, c, n, i, am_add(b, own, before), centres, &depths);
        embedding = own;
    }
    am_value last = c->configurations > 1 ? f->last : am_concat2(b, f->last, f->relative, 1);
    am_value p = likelihoods(b, c, n, last, am_resize_corners(b, embedding, height, width));
    return am_reduce(b, AM_REDUCE_SUM, am_mul(b, p, am_resize_corners(b, depths, height, width)), am_shape_of(1), true);
}

/* --- which configuration --- */

static am_value domain_layer(am_builder *b, const zoe_config *c, am_value x)
{
    am_attention_options attention = {.heads = c->domain_heads, .q = "query", .k = "key", .v = "value"};
    am_scope(b, "self_attn");
    am_value h = am_self_attention(b, x, &attention);
    am_end_scope(b);
    x = am_layer_norm(b, "norm1", am_add(b, x, h), LAYER_NORM_EPS);
    h = am_linear_activation(b, "linear1", x, c->domain_inner, AM_BIAS, AM_RELU);
    return am_layer_norm(b, "norm2", am_add(b, x, am_linear(b, "linear2", h, DOMAIN_WIDTH, AM_BIAS)), LAYER_NORM_EPS);
}

/* Logits of both configurations: [B, 2]. */
static am_value domain_logits(am_builder *b, const zoe_config *c, am_value x)
{
    am_scope(b, "patch_transformer");
    x = am_image_tokens(b, am_same_conv(b, "embedding_convPxP", x, DOMAIN_WIDTH, 1));
    x = am_pad_zero(b, x, 1, 1, 0);
    x = am_add(b, x, am_sinusoid_table(b, am_dim(b, x, 1), DOMAIN_WIDTH, DOMAIN_WIDTH / 2, -1));
    for (int i = 0; i < DOMAIN_LAYERS; i++) {
        am_scope(b, "transformer_encoder.%d", i);
        x = domain_layer(b, c, x);
        am_end_scope(b);
    }
    am_end_scope(b);
    x = am_linear_activation(b, "mlp_classifier.linear1", am_index(b, x, 1, 0), DOMAIN_WIDTH, AM_BIAS, AM_RELU);
    return am_linear(b, "mlp_classifier.linear2", x, BINS_LIMIT, AM_BIAS);
}

/* --- the class --- */

/* Depths from one another, [B, 1, H, W], and what they are made of. */
static void relative_head(am_builder *b, const zoe_config *c, am_value x, features *f)
{
    am_scope(b, "relative_head");
    if (c->add_projection) x = am_unary(b, AM_RELU, am_same_conv(b, "projection", x, PROJECTION_CHANNELS, 3));
    x = am_same_conv(b, "conv1", x, c->neck.fusion_hidden_size / 2, 3);
    x = am_resize_corners(b, x, 2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3));
    f->last = am_unary(b, AM_RELU, am_same_conv(b, "conv2", x, c->relative_features, 3));
    f->relative = am_unary(b, AM_RELU, am_same_conv(b, "conv3", f->last, 1, 1));
    am_end_scope(b);
}

/* Fused maps and the bottleneck. False: it failed. */
static bool run_neck(am_builder *b, zoe_config *c, features *f)
{
    am_config child = am_config_child(am_model_config(b), "backbone_config");
    am_image_options image = am_image_options_read(&child, 224, 16);
    am_value maps[AM_STAGES_LIMIT], pixels = am_input(b, "pixel_values", 4);
    c->neck.takes_maps = am_config_is(&child, "model_type", "swinv2");
    am_scope(b, "backbone");
    am_feature_maps stages = am_backbone_maps_of(b, &child, c->neck.count, c->neck.count);
    am_end_scope(b);
    if (am_builder_failed(b)) return false;
    am_scope(b, "neck");
    am_dpt_reassemble(b, &c->neck, stages.maps, am_dim(b, pixels, 2) / image.patch_size[0],
                      am_dim(b, pixels, 3) / image.patch_size[1], maps);
    am_dpt_fuse(b, &c->neck, maps, f->blocks);
    am_end_scope(b);
    f->bottleneck = maps[c->neck.count - 1];
    am_output_part_list(b, &stages.outputs, "hidden_states", "hidden_states");
    return !am_builder_failed(b);
}

static void for_depth_estimation(am_builder *b)
{
    zoe_config c = read_config(b);
    features f = {0};
    if (am_builder_failed(b) || !run_neck(b, &c, &f)) return;
    relative_head(b, &c, am_dpt_head_map(&c.neck, f.blocks), &f);
    am_scope(b, "metric_head");
    am_value x = am_same_conv(b, "conv2", f.bottleneck, c.bottleneck, 1), logits = AM_NONE;
    am_value depth = measure(b, &c, &c.bins[0], &f, x);
    if (c.configurations > 1) {
        logits = domain_logits(b, &c, x);
        am_value votes = am_reduce(b, AM_REDUCE_SUM, logits, am_shape_of(0), false);
        am_value first = am_binary_number(b, AM_EQUAL, am_arg_reduce(b, votes, 0, false), 0);
        depth = am_select(b, first, depth, measure(b, &c, &c.bins[1], &f, x));
    }
    am_end_scope(b);
    am_output(b, "predicted_depth", am_squeeze(b, depth, 1));
    if (logits.id) am_output(b, "domain_logits", logits);
}

static const am_architecture architectures[] = {
    {"ZoeDepthForDepthEstimation", for_depth_estimation, "depth-estimation", 0},
    {0},
};

const am_model_type am_model_zoedepth = {.name = "zoedepth", .architectures = architectures};

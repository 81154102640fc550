/* Hiera: stages of transformer layers over patches; attention stays within mask units in the first stages, and between
   stages the largest of each query_stride of queries stands for all. Tokens are ordered so that those of a unit, and of
   a stride, lie apart by equal steps. Pretraining reads the units of least noise and paints all.
   transformers: models/hiera/modeling_hiera.py */
#include "models/blocks/attention.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { SIDE_LIMIT = 65536 };

static const double BACKBONE_NORM_EPS = 1e-5;

typedef struct pair {
    int64_t y, x;
} pair;

typedef struct hiera_config {
    int64_t num_channels, embed_dim, query_pools, labels;
    pair image, patch, stride, padding, query_stride, unit;
    int stages;
    int64_t depths[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT], widths[AM_STAGES_LIMIT];
    bool in_units[AM_STAGES_LIMIT]; /* attention of a stage */
    double mlp_ratio, layer_norm_eps, mask_ratio;
    am_unary_fn hidden_act;
} hiera_config;

/* Masked units of a run of pretraining. */
typedef struct masking {
    am_value kept;    /* BOOL [B, units] */
    am_value restore; /* I32 [B, units]: the place of each unit among the shuffled ones */
    am_value places;  /* I32 [B, count]: the kept units, in their order */
} masking;

/* What the encoder gives: 1 + stages states, [B, T, C], and as maps. */
typedef struct hiera_states {
    am_value states[AM_STAGES_LIMIT + 1];
    am_value maps[AM_STAGES_LIMIT + 1]; /* [B, H, W, C], or of kept units [B, units, h, w, C] */
} hiera_states;

static pair read_pair(const am_config *c, const char *key, int64_t fallback, int64_t least)
{
    const int64_t two[] = {fallback, fallback};
    int64_t found[2] = {0};
    int count = am_config_sizes(c, key, found, 2, two, 2);
    if (count == 2 && found[0] >= least && found[1] >= least && found[0] <= SIDE_LIMIT && found[1] <= SIDE_LIMIT)
        return (pair){found[0], found[1]};
    am_config_fail(c, key, "expected height and width");
    return (pair){fallback, fallback};
}

static int64_t area(pair p)
{
    return p.y * p.x;
}

static pair divided(pair p, pair by)
{
    return (pair){p.y / by.y, p.x / by.x};
}

/* Tokens in the embedded image, and in a stage's map. */
static pair tokens_of(const hiera_config *c, int stage)
{
    pair size = divided(c->image, c->stride);
    for (int i = 0; i < stage && i < c->query_pools; i++) size = divided(size, c->query_stride);
    return size;
}

static void check(const am_config *c, hiera_config *r)
{
    int64_t step = 1, side[2] = {1, 1};
    for (int i = 0; i + 1 < r->stages && step < (1 << 20); i++) {
        step *= area(r->query_stride);
        side[0] *= r->query_stride.y;
        side[1] *= r->query_stride.x;
    }
    if (r->unit.y % side[0] != 0 || r->unit.x % side[1] != 0)
        am_config_fail(c, "masked_unit_size", "expected multiples of query_stride to the power of %d", r->stages - 1);
    if (r->query_pools >= r->stages) am_config_fail(c, "num_query_pool", "expected less than %d", r->stages);
    pair size = tokens_of(r, 0);
    if (size.y % r->unit.y != 0 || size.x % r->unit.x != 0)
        am_config_fail(c, "masked_unit_size", "expected to divide the image's %" PRId64 " x %" PRId64 " patches",
                       size.y, size.x);
}

static hiera_config read_config(am_builder *b)
{
    static const int64_t depths[] = {2, 3, 16, 3}, heads[] = {1, 2, 4, 8};
    const am_config *c = am_model_config(b);
    hiera_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .embed_dim = am_config_size(c, "embed_dim", 96),
        .query_pools = am_config_count(c, "num_query_pool", 3),
        .labels = am_config_labels(c),
        .image = read_pair(c, "image_size", 224, 1),
        .patch = read_pair(c, "patch_size", 7, 1),
        .stride = read_pair(c, "patch_stride", 4, 1),
        .padding = read_pair(c, "patch_padding", 3, 0),
        .query_stride = read_pair(c, "query_stride", 2, 1),
        .unit = read_pair(c, "masked_unit_size", 8, 1),
        .mlp_ratio = am_config_real(c, "mlp_ratio", 4),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .mask_ratio = am_config_real(c, "mask_ratio", 0.6),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
    };
    double times = am_config_real(c, "embed_dim_multiplier", 2);
    r.stages = am_stage_depths(c, depths, 4, r.depths);
    am_stage_sizes(c, "num_heads", r.stages, 1, heads, 4, r.heads);
    am_config_flags(c, "masked_unit_attention", r.stages, false, r.in_units);
    if (!am_config_has(c, "masked_unit_attention")) r.in_units[0] = r.in_units[1] = true;
    for (int i = 0; i < r.stages; i++) {
        r.widths[i] = am_scaled_size(c, "embed_dim_multiplier", r.embed_dim, pow(times, i));
        am_config_check_divides(c, "num_heads", r.heads[i], "embed_dim", r.widths[i]);
        if (r.depths[i] == 0) am_config_fail(c, "depths", "element %d is 0", i);
    }
    check(c, &r);
    return r;
}

/* --- layers --- */

typedef struct layer_options {
    int64_t C, heads;   /* of what comes out */
    int64_t pooled;     /* queries of which the largest stands for all; 1: none */
    int64_t per_window; /* tokens that attend to each other; 0: all */
} layer_options;

/* The largest of x: [B, n * T, ..] at the same place of each of n parts: [B, T, ..]. */
static am_value largest(am_builder *b, am_value x, int64_t n)
{
    am_shape s = am_shape_of_value(b, x), split = {.rank = s.rank + 1, .dims = {s.dims[0], n, n ? s.dims[1] / n : 0}};
    if (n == 1) return x;
    for (int i = 2; i < s.rank; i++) split.dims[i + 1] = s.dims[i];
    return am_reduce(b, AM_REDUCE_MAX, am_reshape(b, x, split), am_shape_of(1), false);
}

/* Windows lie beside each other: token t of window w is the (t windows + w)-th. */
static am_value attend(am_builder *b, am_value x, const layer_options *o)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), n = o->per_window ? o->per_window : T, windows = n ? T / n : 0,
            D = o->C / o->heads;
    am_value qkv[3];
    am_scope(b, "attn");
    x = am_reshape(b, am_linear(b, "qkv", x, 3 * o->C, AM_BIAS), am_shape_of(B, n, windows, 3, o->heads, D));
    x = am_permute(b, x, am_shape_of(3, 0, 2, 1, 4, 5));
    for (int i = 0; i < 3; i++) qkv[i] = am_reshape(b, am_index(b, x, 0, i), am_shape_of(B * windows, n, o->heads, D));
    qkv[0] = largest(b, qkv[0], o->pooled);
    x = am_attend(b, qkv[0], qkv[1], qkv[2], &(am_attention_options){0});
    int64_t queries = o->pooled ? n / o->pooled : 0;
    x = am_transpose(b, am_reshape(b, x, am_shape_of(B, windows, queries, o->C)), 1, 2);
    x = am_linear(b, "proj", am_flatten(b, x, 1, 2), o->C, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const hiera_config *c, const layer_options *o)
{
    am_value h = am_layer_norm(b, "layernorm_before", x, c->layer_norm_eps);
    if (am_dim(b, x, 2) != o->C) x = largest(b, am_linear(b, "proj", h, o->C, AM_BIAS), o->pooled);
    x = am_add(b, x, attend(b, h, o));
    h = am_layer_norm(b, "layernorm_after", x, c->layer_norm_eps);
    int64_t inner = am_scaled_size(am_model_config(b), "mlp_ratio", o->C, c->mlp_ratio);
    h = am_linear_activation(b, "mlp.fc1", h, inner, AM_BIAS, c->hidden_act);
    return am_add(b, x, am_linear(b, "mlp.fc2", h, o->C, AM_BIAS));
}

/* --- order of tokens --- */

/* x: [B, H * W, C], row by row, in the order of the encoder: at each stride its tokens lie one behind the other. */
static am_value unroll(am_builder *b, am_value x, const hiera_config *c)
{
    pair size = tokens_of(c, 0), q = c->query_stride;
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 2), rows = B, T = area(size);
    for (int i = 0; i + 1 < c->stages; i++) {
        size = divided(size, q);
        x = am_reshape(b, x, am_shape_of(rows, size.y, q.y, size.x, q.x, C));
        x = am_permute(b, x, am_shape_of(0, 2, 4, 1, 3, 5));
        rows *= area(q);
    }
    return am_reshape(b, x, am_shape_of(B, T, C));
}

/* Units of side `unit` as maps: x: [B, units, h, w, C] -> [B, H, W, C]. */
static am_value join_units(am_builder *b, am_value x, pair size, pair unit)
{
    pair units = divided(size, unit);
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 4);
    x = am_reshape(b, x, am_shape_of(B, units.y, units.x, unit.y, unit.x, C));
    return am_reshape(b, am_permute(b, x, am_shape_of(0, 1, 3, 2, 4, 5)), am_shape_of(B, size.y, size.x, C));
}

/* What comes out of a stage, x: [B, T, C], as a map; of masked images, as units. */
static am_value reroll(am_builder *b, am_value x, const hiera_config *c, int stage, bool masked)
{
    pair q = c->query_stride, unit = {1, 1};
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), C = am_dim(b, x, 2), pools = c->query_pools;
    for (int i = stage < pools ? stage : (int)pools; i + 1 < c->stages; i++) {
        T /= area(q);
        x = am_permute(b, am_reshape(b, x, am_shape_of(B, q.y, q.x, T, unit.y, unit.x, C)),
                       am_shape_of(0, 3, 1, 4, 2, 5, 6));
        unit = (pair){unit.y * q.y, unit.x * q.x};
        x = am_reshape(b, x, am_shape_of(B, T, unit.y, unit.x, C));
    }
    x = am_reshape(b, x, am_shape_of(B, T, unit.y, unit.x, C));
    return masked ? x : join_units(b, x, tokens_of(c, stage), unit);
}

/* --- the body --- */

static void run_stage(am_builder *b, const hiera_config *c, hiera_states *s, int i)
{
    int64_t window = area(c->unit);
    am_value x = s->states[i];
    for (int n = 0; n < i; n++) window /= area(c->query_stride);
    for (int j = 0; j < c->depths[i] && !am_builder_failed(b); j++) {
        bool pools = i > 0 && i <= c->query_pools && j == 0,
             in_units = c->in_units[i] || (j == 0 && c->in_units[i > 0 ? i - 1 : 0]);
        layer_options o = {.C = c->widths[i], .heads = c->heads[i], .pooled = pools ? area(c->query_stride) : 1};
        o.per_window = in_units ? o.pooled * window : 0;
        am_scope(b, "stages.%d.layers.%d", i, j);
        x = layer(b, x, c, &o);
        am_end_scope(b);
    }
    s->states[i + 1] = x;
}

/* x: [B, T, C] through "encoder"; names hidden states. */
static hiera_states encode(am_builder *b, am_value x, const hiera_config *c, bool masked)
{
    hiera_states s = {.states = {x}, .maps = {reroll(b, x, c, 0, masked)}};
    am_scope(b, "encoder");
    for (int i = 0; i < c->stages; i++) {
        run_stage(b, c, &s, i);
        s.maps[i + 1] = reroll(b, s.states[i + 1], c, i, masked);
    }
    am_end_scope(b);
    for (int i = 0; i <= c->stages; i++) am_output_hidden_state(b, "hidden_states", i, s.states[i]);
    return s;
}

static void output_maps(am_builder *b, const hiera_config *c, const hiera_states *s)
{
    for (int i = 0; i <= c->stages; i++) am_output_hidden_state(b, "reshaped_hidden_states", i, s->maps[i]);
}

/* Which units are kept: those of least noise, given or drawn. */
static masking draw_units(am_builder *b, const hiera_config *c, int64_t B)
{
    int64_t units = area(divided(tokens_of(c, 0), c->unit)), kept = (int64_t)((double)units * (1 - c->mask_ratio));
    masking m = {AM_NONE, AM_NONE, AM_NONE};
    am_value noise = am_input_optional(b, "noise", 2), shuffle = AM_NONE;
    if (!(c->mask_ratio >= 0 && c->mask_ratio < 1) || kept < 1) {
        am_config_fail(am_model_config(b), "mask_ratio", "%g leaves nothing of %" PRId64 " units", c->mask_ratio,
                       units);
        return m;
    }
    if (!noise.id) noise = am_random(b, am_shape_of(B, units), 0, false);
    if (am_dim(b, noise, 0) != B || am_dim(b, noise, 1) != units)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "noise has another shape than [%" PRId64 ", %" PRId64 "]", B, units));
    am_sort(b, noise, 1, false, &shuffle);
    am_sort(b, shuffle, 1, false, &m.restore);
    m.kept = am_binary_number(b, AM_LESS, m.restore, (double)kept);
    m.places = am_sort(b, am_slice(b, shuffle, 1, 0, kept), 1, false, NULL);
    return m;
}

/* Pixels of units that are not kept are zeros. */
static am_value blank(am_builder *b, am_value pixels, const hiera_config *c, am_value kept)
{
    pair units = divided(tokens_of(c, 0), c->unit);
    am_shape shape = am_shape_of(am_dim(b, kept, 0), 1, units.y, units.x);
    am_resize_attributes nearest = {.size = am_shape_of(am_dim(b, pixels, 2), am_dim(b, pixels, 3)),
                                    .mode = AM_RESIZE_NEAREST};
    return am_mul(b, pixels, am_resize(b, am_reshape(b, am_cast(b, kept, am_dtype_of(b, pixels)), shape), &nearest));
}

/* Patches with their positions, row by row: [B, H * W, C]. */
static am_value embed(am_builder *b, const hiera_config *c, masking *m)
{
    pair size = tokens_of(c, 0);
    am_image_options image = {.num_channels = c->num_channels, .image_size = {c->image.y, c->image.x}};
    am_convolution_attributes options = {.stride = am_shape_of(c->stride.y, c->stride.x),
                                         .padding_before = am_shape_of(c->padding.y, c->padding.x),
                                         .padding_after = am_shape_of(c->padding.y, c->padding.x)};
    am_value x = am_pixel_values_sized(b, &image);
    if (m) {
        *m = draw_units(b, c, am_dim(b, x, 0));
        x = blank(b, x, c, m->kept);
    }
    am_scope(b, "embeddings");
    x = am_conv(b, "patch_embeddings.projection", x, c->embed_dim, am_shape_of(c->patch.y, c->patch.x), AM_BIAS,
                &options);
    if (!am_builder_failed(b) && (am_dim(b, x, 2) != size.y || am_dim(b, x, 3) != size.x))
        am_config_fail(am_model_config(b), "patch_padding",
                       "leaves %" PRId64 " x %" PRId64 " patches of an image, expected %" PRId64 " x %" PRId64,
                       am_dim(b, x, 2), am_dim(b, x, 3), size.y, size.x);
    x = am_image_tokens(b, x);
    x = am_add(b, x, am_parameter(b, "position_embeddings", am_shape_of(1, area(size), c->embed_dim), x));
    am_end_scope(b);
    return x;
}

/* x: [B, T, C] with the tokens of kept units only: [B, units * T / all units, C]. */
static am_value keep(am_builder *b, am_value x, const hiera_config *c, am_value places)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 2), n = area(c->unit), kept = am_dim(b, places, 1),
            units = n ? am_dim(b, x, 1) / n : 0;
    am_shape shape = am_shape_of(B, n, kept, C);
    places = am_broadcast(b, am_reshape(b, places, am_shape_of(B, 1, kept, 1)), shape);
    x = am_gather(b, am_reshape(b, x, am_shape_of(B, n, units, C)), places, 2, true);
    return am_reshape(b, x, am_shape_of(B, n * kept, C));
}

static hiera_states body(am_builder *b, const hiera_config *c, const char *prefix, masking *m)
{
    am_scope(b, "%s", prefix);
    am_value x = unroll(b, embed(b, c, m), c);
    hiera_states s = encode(b, m ? keep(b, x, c, m->places) : x, c, m != NULL);
    am_end_scope(b);
    return s;
}

/* --- classes --- */

static am_value pooled(am_builder *b, am_value x, const hiera_config *c, const char *norm)
{
    return am_layer_norm(b, norm, am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false), c->layer_norm_eps);
}

static void hiera_model(am_builder *b)
{
    hiera_config c = read_config(b);
    hiera_states s = body(b, &c, "", NULL);
    am_output(b, "last_hidden_state", s.states[c.stages]);
    am_output(b, "pooler_output", pooled(b, s.states[c.stages], &c, "pooler.layernorm"));
    output_maps(b, &c, &s);
}

static void for_image_classification(am_builder *b)
{
    hiera_config c = read_config(b);
    hiera_states s = body(b, &c, "hiera", NULL);
    am_value x = pooled(b, s.states[c.stages], &c, "hiera.pooler.layernorm");
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
    output_maps(b, &c, &s);
}

/* Tokens go into the layers row by row, and maps come out as though they had been ordered. */
static void backbone(am_builder *b)
{
    hiera_config c = read_config(b);
    hiera_states s = encode(b, embed(b, &c, NULL), &c, false);
    bool wanted[AM_STAGES_LIMIT + 1];
    char stage[32], norm[64], output[64];
    am_backbone_stages(am_model_config(b), c.stages, wanted);
    for (int i = 0, map = 0; i <= c.stages; i++) {
        if (!wanted[i]) continue;
        snprintf(norm, sizeof norm, "hidden_states_norms.%s", am_stage_name(i, stage, sizeof stage));
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output,
                  am_permute(b, am_layer_norm(b, norm, s.maps[i], BACKBONE_NORM_EPS), am_shape_of(0, 3, 1, 2)));
    }
}

/* --- pretraining --- */

/* A unit's side in the last stage. */
static pair last_unit(const hiera_config *c)
{
    pair unit = c->unit;
    for (int i = 0; i < c->query_pools; i++) unit = divided(unit, c->query_stride);
    return unit;
}

/* Units of a map, x: [B, units, h, w, C], by a convolution at the last stage's size: [B, units, h', w', C']. */
static am_value fuse_one(am_builder *b, am_value x, const hiera_config *c, int i)
{
    pair unit = last_unit(c);
    int64_t B = am_dim(b, x, 0), n = am_dim(b, x, 1), C = c->widths[c->stages - 1],
            kernel[] = {am_dim(b, x, 2) / unit.y, am_dim(b, x, 3) / unit.x};
    char name[64];
    snprintf(name, sizeof name, "multi_scale_fusion_heads.%d", i);
    x = am_permute(b, am_flatten(b, x, 0, 1), am_shape_of(0, 3, 1, 2));
    x = am_permute(b, am_patch_convolution(b, name, x, C, kernel, AM_BIAS), am_shape_of(0, 2, 3, 1));
    return am_reshape(b, x, am_shape_of(B, n, unit.y, unit.x, C));
}

static am_value fuse(am_builder *b, const hiera_states *s, const hiera_config *c)
{
    am_value sum = s->maps[c->stages];
    am_scope(b, "multiscale_fusion");
    for (int i = 0; i < c->query_pools; i++) sum = am_add(b, sum, fuse_one(b, s->maps[i + 1], c, i));
    am_end_scope(b);
    return am_layer_norm(b, "encoder_norm", sum, c->layer_norm_eps);
}

/* Kept units x: [B, kept, h, w, C] at their places, and the mask token at those of the others: [B, units, h, w, C]. */
static am_value spread(am_builder *b, am_value x, const masking *m)
{
    int64_t B = am_dim(b, x, 0), units = am_dim(b, m->kept, 1), C = am_dim(b, x, 4);
    am_shape shape = am_shape_of(B, units, am_dim(b, x, 2), am_dim(b, x, 3), C), one = am_shape_of(B, units, 1, 1, 1);
    am_value rank = am_scan(b, AM_REDUCE_SUM, am_cast(b, m->kept, AM_I32), 1, false, false);
    rank = am_binary_number(b, AM_MAX, am_add_number(b, rank, -1), 0);
    x = am_gather(b, x, am_broadcast(b, am_reshape(b, rank, one), shape), 1, true);
    am_value token = am_reshape(b, am_parameter(b, "mask_token", am_shape_of(1, 1, C), x), am_shape_of(1, 1, 1, 1, C));
    return am_select(b, am_reshape(b, m->kept, one), x, token);
}

/* The kept units as a map of the last stage's tokens: BOOL [B, T]. */
static am_value kept_tokens(am_builder *b, const hiera_config *c, const masking *m)
{
    pair unit = last_unit(c), size = tokens_of(c, c->stages - 1);
    int64_t B = am_dim(b, m->kept, 0), units = am_dim(b, m->kept, 1);
    am_value kept = am_broadcast(b, am_reshape(b, m->kept, am_shape_of(B, units, 1, 1, 1)),
                                 am_shape_of(B, units, unit.y, unit.x, 1));
    return am_reshape(b, join_units(b, kept, size, unit), am_shape_of(B, area(size)));
}

static am_value decode(am_builder *b, am_value x, const hiera_config *c, const masking *m)
{
    const am_config *config = am_model_config(b);
    pair size = tokens_of(c, c->stages - 1);
    int64_t side = c->stride.x, T = area(size);
    for (int i = 0; i < c->query_pools && side < 65536; i++) side *= c->query_stride.x;
    layer_options o = {.C = am_config_size(config, "decoder_hidden_size", 1),
                       .heads = am_config_size(config, "decoder_num_heads", 1),
                       .pooled = 1};
    int64_t layers = am_config_count(config, "decoder_depth", 0);
    am_config_check_divides(config, "decoder_num_heads", o.heads, "decoder_hidden_size", o.C);
    am_scope(b, "decoder");
    x = spread(b, am_linear(b, "decoder_embeddings", x, o.C, AM_BIAS), m);
    x = am_reshape(b, join_units(b, x, size, last_unit(c)), am_shape_of(am_dim(b, x, 0), T, o.C));
    x = am_add(b, x, am_parameter(b, "decoder_position_embeddings", am_shape_of(1, T, o.C), x));
    for (int i = 0; i < layers && !am_builder_failed(b); i++) {
        am_scope(b, "decoder_block.layers.%d", i);
        x = layer(b, x, c, &o);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "decoder_norm", x, c->layer_norm_eps);
    x = am_linear(b, "decoder_pred", x, side * side * c->num_channels, AM_BIAS);
    am_end_scope(b);
    return x;
}

static void for_pre_training(am_builder *b)
{
    const am_config *config = am_model_config(b);
    hiera_config c = read_config(b);
    masking m;
    if (!am_config_has(config, "decoder_hidden_size") || !am_config_has(config, "decoder_depth") ||
        !am_config_has(config, "decoder_num_heads"))
        am_config_fail(config, "decoder_hidden_size", "this class needs the decoder's width, depth and heads");
    if (area(last_unit(&c)) != 1)
        am_config_fail(config, "masked_unit_size", "this class takes units that are one token in the last stage");
    hiera_states s = body(b, &c, "hiera", &m);
    if (am_builder_failed(b)) return;
    am_output(b, "logits", decode(b, fuse(b, &s, &c), &c, &m));
    am_output(b, "bool_masked_pos", kept_tokens(b, &c, &m));
    am_output(b, "ids_restore", m.restore);
    output_maps(b, &c, &s);
}

static const am_architecture architectures[] = {
    {"HieraModel", hiera_model, "image-feature-extraction", 0},
    {"HieraForImageClassification", for_image_classification, "image-classification", 0},
    {"HieraForPreTraining", for_pre_training, NULL, 0},
    {"HieraBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_hiera = {.name = "hiera", .base_prefix = "hiera", .architectures = architectures};

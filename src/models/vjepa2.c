/* V-JEPA 2: a transformer over tubelets of a video, whose heads turn by frame, row and column; a predictor says from
   some tubelets what others would be, and a pooler reads all of them for a class. transformers:
   models/vjepa2/modeling_vjepa2.py */
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>

enum { PAIRS_LIMIT = 4096, MASK_INDEX = 1, POOLER_RATIO = 4 };

static const double THETA = 10000;

static const am_pre_norm_names pooler_names = {.attention = "self_attn",
                                               .norm_before = "layer_norm1",
                                               .norm_after = "layer_norm2",
                                               .up = "mlp.fc1",
                                               .down = "mlp.fc2"};

/* Layers of the encoder, or of the predictor. */
typedef struct layers_config {
    int64_t C, layers, inner;
    am_attention_options attention;
    am_unary_fn act;
    double eps;
} layers_config;

typedef struct vjepa2_config {
    int64_t patch_size, grid, tubelet_size, channels, labels, pooler_layers, mask_tokens;
    layers_config encoder, predictor;
} vjepa2_config;

static layers_config read_layers(const am_config *c, const char *const keys[4], const int64_t defaults[3])
{
    int64_t C = am_config_size(c, keys[0], defaults[0]), heads = am_config_size(c, keys[1], defaults[1]);
    bool qkv_bias = am_config_flag(c, "qkv_bias", true);
    am_config_check_divides(c, keys[1], heads, keys[0], C);
    if (C / heads > PAIRS_LIMIT) am_config_fail(c, keys[1], "heads are wider than %d", PAIRS_LIMIT);
    return (layers_config){
        .C = C,
        .layers = am_config_count(c, keys[2], defaults[2]),
        .inner = am_scaled_size(c, keys[3], C, am_config_real(c, keys[3], 4)),
        .attention = {.heads = heads,
                      .q = "query",
                      .k = "key",
                      .v = "value",
                      .no_q_bias = !qkv_bias,
                      .no_k_bias = !qkv_bias,
                      .no_v_bias = !qkv_bias},
        .act = am_config_activation(c, "hidden_act", AM_GELU),
        .eps = am_config_real(c, "layer_norm_eps", 1e-6),
    };
}

static vjepa2_config read_config(am_builder *b)
{
    static const char *const encoder[] = {"hidden_size", "num_attention_heads", "num_hidden_layers", "mlp_ratio"};
    static const char *const predictor[] = {"pred_hidden_size", "pred_num_attention_heads", "pred_num_hidden_layers",
                                            "pred_mlp_ratio"};
    const am_config *c = am_model_config(b);
    vjepa2_config r = {
        .patch_size = am_config_size(c, "patch_size", 16),
        .tubelet_size = am_config_size(c, "tubelet_size", 2),
        .channels = am_config_size(c, "in_chans", 3),
        .labels = am_config_labels(c),
        .pooler_layers = am_config_count(c, "num_pooler_layers", 3),
        .mask_tokens = am_config_size(c, "pred_num_mask_tokens", 10),
        .encoder = read_layers(c, encoder, (const int64_t[]){1024, 16, 24}),
        .predictor = read_layers(c, predictor, (const int64_t[]){384, 12, 12}),
    };
    r.grid = am_config_size(c, "crop_size", 256) / r.patch_size;
    if (r.grid < 1) am_config_fail(c, "crop_size", "leaves no patches");
    return r;
}

/* --- rotation --- */

/* Cosines and sines for each number of a head: [1 or B, T, 1, D]. */
typedef struct tables {
    am_value cos, sin;
} tables;

/* Angles of `count` numbers for places: [1 or B, T]: the frequencies fall twice from first to last. */
static am_value angles(am_builder *b, am_value places, int64_t count)
{
    float omega[PAIRS_LIMIT];
    for (int64_t i = 0; i < count; i++) omega[i] = (float)pow(THETA, -2.0 * (double)(i % (count / 2)) / (double)count);
    am_value x = am_unsqueeze(b, am_unsqueeze(b, am_cast(b, places, AM_F32), 2), 3);
    return am_mul(b, x, am_constant_copy(b, AM_F32, am_shape_of(count), omega));
}

/* For tubelets by their numbers, ids: I32 [1 or B, T]. */
static tables rotation(am_builder *b, am_value ids, int64_t grid, int64_t D)
{
    if (am_builder_failed(b)) return (tables){AM_NONE, AM_NONE};
    int64_t part = D / 3 / 2 * 2, rest = D - 3 * part;
    am_value frame = am_binary_number(b, AM_DIV, ids, (double)(grid * grid));
    am_value within = am_binary_number(b, AM_MOD, ids, (double)(grid * grid));
    am_value places[] = {frame, am_binary_number(b, AM_DIV, within, (double)grid),
                         am_binary_number(b, AM_MOD, within, (double)grid)};
    am_value parts[4];
    int count = 0;
    if (part)
        for (; count < 3; count++) parts[count] = angles(b, places[count], part);
    am_shape none = am_shape_of(am_dim(b, ids, 0), am_dim(b, ids, 1), 1, rest);
    if (rest) parts[count++] = am_broadcast(b, am_scalar(b, AM_F32, 0), none);
    am_value x = am_concat(b, parts, count, 3);
    return (tables){am_unary(b, AM_COS, x), am_unary(b, AM_SIN, x)};
}

/* Numbers side by side turn, each of the two by an angle of its own: x: [B, T, H, D]. */
static am_value rotate(am_builder *b, am_value x, const tables *t)
{
    am_shape s = am_shape_of_value(b, x);
    int64_t D = s.dims[3], even = D / 2 * 2;
    am_value pairs =
        am_reshape(b, am_slice(b, x, 3, 0, even), am_shape_of(s.dims[0], s.dims[1], s.dims[2], even / 2, 2));
    am_value turned = am_concat2(b, am_unary(b, AM_NEG, am_slice(b, pairs, 4, 1, 2)), am_slice(b, pairs, 4, 0, 1), 4);
    turned = am_reshape(b, turned, am_shape_of(s.dims[0], s.dims[1], s.dims[2], even));
    if (even < D) turned = am_pad_zero(b, turned, 3, 0, 1);
    return am_add(b, am_mul(b, x, t->cos), am_mul(b, turned, t->sin));
}

/* --- layers --- */

static am_value attend(am_builder *b, am_value x, const layers_config *o, const tables *t)
{
    am_value qkv[3];
    am_scope(b, "attention");
    am_attention_heads(b, x, &o->attention, qkv);
    am_attention_inputs inputs = {.q = rotate(b, qkv[0], t), .k = rotate(b, qkv[1], t), .v = qkv[2]};
    x = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){0}));
    x = am_linear(b, "proj", x, o->C, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* layer.N and layernorm below the scope; hidden_states: their name, or null. */
static am_value run_layers(am_builder *b, am_value x, const layers_config *o, const tables *t,
                           const char *hidden_states)
{
    if (hidden_states) am_output_hidden_state(b, hidden_states, 0, x);
    for (int i = 0; i < o->layers && !am_builder_failed(b); i++) {
        am_scope(b, "layer.%d", i);
        x = am_add(b, x, attend(b, am_layer_norm(b, "norm1", x, o->eps), o, t));
        am_value h = am_layer_norm(b, "norm2", x, o->eps);
        h = am_linear_activation(b, "mlp.fc1", h, o->inner, AM_BIAS, o->act);
        x = am_add(b, x, am_linear(b, "mlp.fc2", h, o->C, AM_BIAS));
        am_end_scope(b);
        if (hidden_states) am_output_hidden_state(b, hidden_states, i + 1, x);
    }
    return am_layer_norm(b, "layernorm", x, o->eps);
}

/* The input pixel_values_videos: [B, frames, channels, H, W], frames repeated where they are less than a tubelet. */
static am_value read_video(am_builder *b, const vjepa2_config *c)
{
    am_value x = am_input(b, "pixel_values_videos", 5), all[64];
    int64_t frames = am_dim(b, x, 1);
    if (!am_builder_failed(b) && am_dim(b, x, 2) != c->channels)
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT, "pixel_values_videos has %" PRId64 " channels, expected %" PRId64,
                                 am_dim(b, x, 2), c->channels));
    if (am_builder_failed(b) || frames >= c->tubelet_size) return x;
    int64_t times = c->tubelet_size < 64 ? c->tubelet_size : 64;
    for (int64_t i = 0; i < times; i++) all[i] = x;
    return am_concat(b, all, (int)times, 1);
}

static am_value encode(am_builder *b, const vjepa2_config *c)
{
    am_scope(b, "encoder");
    am_value x = read_video(b, c);
    am_scope(b, "embeddings.patch_embeddings");
    x = am_tubelet_tokens(b, "proj", x, c->encoder.C, am_shape_of(c->tubelet_size, c->patch_size, c->patch_size));
    am_end_scope(b);
    am_value ids = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, x, 1)), 1, 0, 1);
    tables t = rotation(b, ids, c->grid, c->encoder.C / c->encoder.attention.heads);
    x = run_layers(b, x, &c->encoder, &t, "hidden_states");
    am_end_scope(b);
    return x;
}

/* Which tubelets are read, or asked for: I32 [B, n]; AM_NONE where it is not given: all. */
static am_value read_mask(am_builder *b, const char *name)
{
    am_value mask = am_input_optional(b, name, 2);
    return mask.id ? am_cast(b, mask, AM_I32) : AM_NONE;
}

static am_value rows_of(am_builder *b, am_value x, am_value mask)
{
    if (!mask.id) return x;
    am_shape s = am_shape_of(am_dim(b, mask, 0), am_dim(b, mask, 1), am_dim(b, x, 2));
    return am_gather(b, x, am_broadcast(b, am_unsqueeze(b, mask, 2), s), 1, true);
}

static am_value all_ids(am_builder *b, am_value x, am_value mask)
{
    int64_t B = am_dim(b, x, 0), N = am_dim(b, x, 1);
    return mask.id ? mask : am_broadcast(b, am_iota(b, AM_I32, am_shape_of(1, N), 1, 0, 1), am_shape_of(B, N));
}

/* What the tubelets of `target` would be, seen from those of `context`. */
static am_value predict(am_builder *b, const vjepa2_config *c, am_value encoded, am_value context, am_value target)
{
    const layers_config *o = &c->predictor;
    context = all_ids(b, encoded, context);
    target = all_ids(b, encoded, target);
    int64_t B = am_dim(b, encoded, 0), before = am_dim(b, context, 1), count = am_dim(b, target, 1);
    am_scope(b, "predictor");
    am_scope(b, "embeddings");
    am_value x = am_linear(b, "predictor_embeddings", rows_of(b, encoded, context), o->C, AM_BIAS);
    am_value token = am_parameter(b, "mask_tokens", am_shape_of(c->mask_tokens, 1, 1, o->C), x);
    token = am_index(b, token, 0, MASK_INDEX % c->mask_tokens);
    x = am_concat2(b, x, am_broadcast(b, token, am_shape_of(B, count, o->C)), 1);
    am_end_scope(b);
    /* the order of tokens changes nothing, so they are not sorted */
    tables t = rotation(b, am_concat2(b, context, target, 1), c->grid, o->C / o->attention.heads);
    x = run_layers(b, x, o, &t, NULL);
    x = am_linear(b, "proj", am_slice(b, x, 1, before, AM_SLICE_END), c->encoder.C, AM_BIAS);
    am_end_scope(b);
    return x;
}

static void vjepa2_model(am_builder *b)
{
    vjepa2_config c = read_config(b);
    am_value x = encode(b, &c), context = read_mask(b, "context_mask.0"), target = read_mask(b, "target_mask.0");
    if (!context.id != !target.id)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "context_mask and target_mask come together"));
    if (am_builder_failed(b)) return;
    am_output(b, "last_hidden_state", x);
    am_output(b, "masked_hidden_state", rows_of(b, x, context));
    if (am_model_argument(b, "skip_predictor", 0)) return;
    am_output(b, "predictor_output.last_hidden_state", predict(b, &c, x, context, target));
    am_output(b, "predictor_output.target_hidden_state", rows_of(b, x, target));
}

/* --- classes of videos --- */

/* What a learned query reads of x: [B, T, C] -> [B, C]. */
static am_value pool(am_builder *b, const vjepa2_config *c, am_value x)
{
    const layers_config *o = &c->encoder;
    int64_t B = am_dim(b, x, 0), inner = POOLER_RATIO * o->C;
    am_pre_norm_options layers = {.num_hidden_layers = c->pooler_layers,
                                  .intermediate_size = inner,
                                  .hidden_act = o->act,
                                  .layer_norm_eps = o->eps,
                                  .attention = {.heads = o->attention.heads},
                                  .names = &pooler_names};
    am_attention_options cross = {.heads = o->attention.heads, .out = ""};
    am_scope(b, "pooler");
    for (int i = 0; i < c->pooler_layers && !am_builder_failed(b); i++) {
        am_scope(b, "self_attention_layers.%d", i);
        x = am_pre_norm_layer(b, x, &layers);
        am_end_scope(b);
    }
    am_value query =
        am_broadcast(b, am_parameter(b, "query_tokens", am_shape_of(1, 1, o->C), x), am_shape_of(B, 1, o->C));
    am_scope(b, "cross_attention_layer");
    x = am_layer_norm(b, "layer_norm1", x, o->eps);
    am_scope(b, "cross_attn");
    x = am_cross_attention(b, query, x, &cross);
    am_end_scope(b);
    x = am_add(b, query, x);
    am_value h = am_layer_norm(b, "layer_norm2", x, o->eps);
    h = am_linear_activation(b, "mlp.fc1", h, inner, AM_BIAS, o->act);
    x = am_add(b, x, am_linear(b, "mlp.fc2", h, o->C, AM_BIAS));
    am_end_scope(b);
    am_end_scope(b);
    return am_squeeze(b, x, 1);
}

static void for_video_classification(am_builder *b)
{
    vjepa2_config c = read_config(b);
    am_scope(b, "vjepa2");
    am_value x = encode(b, &c);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier", pool(b, &c, x), c.labels, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"VJEPA2Model", vjepa2_model, NULL, 0},
    {"VJEPA2ForVideoClassification", for_video_classification, NULL, 0},
    {0},
};

const am_model_type am_model_vjepa2 = {.name = "vjepa2", .base_prefix = "vjepa2", .architectures = architectures};

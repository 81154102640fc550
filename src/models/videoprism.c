/* VideoPrism: layers over the patches of each frame, then over the frames at each place, and a pooler; beside a text
   encoder, whose products with videos are the logits. transformers: models/videoprism/modeling_videoprism.py */
#include "models/blocks/attention.h"
#include "models/blocks/clip.h"
#include "models/blocks/heads.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>

static const double UNIT_EPS = 1e-6, SOFTPLUS_SCALE = 1.442695041;

typedef struct layers_config {
    int64_t C, inner, heads;
    am_unary_fn act;
    double eps;
    bool qkv_bias, is_unit;
    am_attention_options attention;
} layers_config;

typedef struct vision_config {
    layers_config layers;
    int64_t image[2], channels, frames, tubelet[3], spatial, temporal, auxiliary;
} vision_config;

static layers_config read_layers(const am_config *c, am_unary_fn act)
{
    layers_config r = {
        .C = am_config_size(c, "hidden_size", 768),
        .inner = am_config_size(c, "intermediate_size", 3072),
        .heads = am_config_size(c, "num_attention_heads", 12),
        .act = am_config_activation(c, "hidden_act", act),
        .eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .qkv_bias = am_config_flag(c, "qkv_bias", true),
        .is_unit = am_config_flag(c, "apply_l2norm", true),
    };
    am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", r.C);
    r.attention = (am_attention_options){.heads = r.heads,
                                         .out = "o_proj",
                                         .no_q_bias = !r.qkv_bias,
                                         .no_k_bias = !r.qkv_bias,
                                         .no_v_bias = !r.qkv_bias,
                                         .soft_cap = am_config_real(c, "attn_logit_softcapping", 50)};
    if (!(r.attention.soft_cap > 0)) am_config_fail(c, "attn_logit_softcapping", "expected a number above 0");
    return r;
}

static vision_config read_vision(const am_config *c)
{
    vision_config r = {
        .layers = read_layers(c, AM_GELU),
        .channels = am_config_size(c, "num_channels", 3),
        .frames = am_config_size(c, "num_frames", 16),
        .spatial = am_config_count(c, "num_spatial_layers", 12),
        .temporal = am_config_count(c, "num_temporal_layers", 4),
        .auxiliary = am_config_count(c, "num_auxiliary_layers", 2),
    };
    int64_t tubelet[AM_STAGES_LIMIT];
    am_stage_sizes(c, "tubelet_size", 3, 1, (const int64_t[]){1, 18, 18}, 3, tubelet);
    for (int i = 0; i < 3; i++) r.tubelet[i] = tubelet[i];
    am_config_pair(c, "image_size", 288, r.image);
    if (r.layers.inner < r.layers.heads) am_config_fail(c, "intermediate_size", "less than num_attention_heads");
    return r;
}

/* LayerNorm whose weight counts from 1. */
static am_value norm(am_builder *b, const char *name, am_value x, double eps)
{
    am_norm_attributes options = {.kind = AM_NORM_LAYER, .eps = eps, .weight_offset = 1};
    int64_t C = am_dim(b, x, -1);
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(C)), bias = am_weight(b, "bias", am_shape_of(C));
    am_end_scope(b);
    return am_norm_op(b, x, weight, bias, AM_NONE, AM_NONE, &options);
}

static am_value layer(am_builder *b, am_value x, const layers_config *o)
{
    am_value h = norm(b, "layernorm_before", x, o->eps);
    am_scope(b, "attention");
    x = am_add(b, x, am_self_attention(b, h, &o->attention));
    am_end_scope(b);
    h = am_linear_activation(b, "mlp.fc1", norm(b, "layernorm_after", x, o->eps), o->inner, AM_BIAS, o->act);
    return am_add(b, x, am_linear(b, "mlp.fc2", h, o->C, AM_BIAS));
}

/* `count` layers NAME.N; states receives what comes out of each, or is null. */
static am_value run_layers(am_builder *b, const char *name, am_value x, const layers_config *o, int64_t count,
                           am_value *states)
{
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_scope(b, "%s.%d", name, i);
        x = layer(b, x, o);
        am_end_scope(b);
        if (states) states[i] = x;
    }
    return x;
}

static am_value unit_length(am_builder *b, am_value x)
{
    am_value squares = am_reduce_last(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, x));
    return am_mul(b, x, am_unary(b, AM_RSQRT, am_add_number(b, squares, UNIT_EPS)));
}

/* --- videos --- */

static am_value resized(am_builder *b, am_value x, int64_t height, int64_t width)
{
    return am_resize(
        b, x, &(am_resize_attributes){.size = am_shape_of(height, width), .mode = AM_RESIZE_LINEAR, .antialias = true});
}

/* [1, rows * columns, C]; those of another image in another size. */
static am_value places(am_builder *b, const vision_config *c, int64_t rows, int64_t columns)
{
    int64_t own[] = {c->image[0] / c->tubelet[1], c->image[1] / c->tubelet[2]}, count = own[0] * own[1],
            C = c->layers.C;
    am_value x = am_cast(b, am_weight(b, "position_embeddings", am_shape_of(1, count, C)), AM_F32);
    if (rows == own[0] && columns == own[1]) return x;
    int64_t side = (int64_t)sqrt((double)count);
    if (side * side != count)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "places of an image that is no square are not resized"));
    if (am_builder_failed(b)) return x;
    return am_image_tokens(b, resized(b, am_tokens_image(b, x, side, side), rows, columns));
}

/* Patches of each frame with their places: [B * frames, N, C]. */
static am_value embed_frames(am_builder *b, const vision_config *c, am_value video, bool resizes)
{
    am_shape s = am_shape_of_value(b, video), tubelet = am_shape_of(c->tubelet[0], c->tubelet[1], c->tubelet[2]);
    if (!am_builder_failed(b) &&
        (s.dims[2] != c->channels || (!resizes && (s.dims[3] != c->image[0] || s.dims[4] != c->image[1]))))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values_videos has pictures of %" PRId64 " x %" PRId64 " x %" PRId64
                                    ", expected %" PRId64 " x %" PRId64 " x %" PRId64,
                                    s.dims[2], s.dims[3], s.dims[4], c->channels, c->image[0], c->image[1]));
    am_scope(b, "spatial_embeddings");
    am_value x = am_conv(b, "patch_embeddings.projection", am_transpose(b, video, 1, 2), c->layers.C, tubelet, AM_BIAS,
                         &(am_convolution_attributes){.stride = tubelet});
    int64_t rows = am_dim(b, x, 3), columns = am_dim(b, x, 4);
    x = am_flatten(b, am_permute(b, am_flatten(b, x, 3, 4), am_shape_of(0, 2, 3, 1)), 0, 1);
    if (!am_builder_failed(b)) x = am_add(b, x, places(b, c, rows, columns));
    am_end_scope(b);
    return x;
}

/* x: [B * frames, N, C] -> [B * N, frames, C], with places in time. */
static am_value embed_times(am_builder *b, const vision_config *c, am_value x, int64_t frames, bool resizes)
{
    int64_t N = am_dim(b, x, 1), C = c->layers.C;
    am_scope(b, "temporal_embeddings");
    am_value times = am_cast(b, am_weight(b, "position_embeddings", am_shape_of(1, c->frames, C)), AM_F32);
    if (resizes && frames != c->frames) times = am_squeeze(b, resized(b, am_unsqueeze(b, times, 1), frames, C), 1);
    x = am_transpose(b, am_reshape(b, x, am_shape_of(-1, frames, N, C)), 1, 2);
    x = am_add(b, am_flatten(b, x, 0, 1), times);
    am_end_scope(b);
    return x;
}

typedef struct vision {
    am_value x, temporal, spatial; /* [B, frames * N, C], [B * N, frames, C], [B * frames, N, C] */
} vision;

/* Hidden states, the last of which is what the encoder gives. */
static void output_states(am_builder *b, const char *name, const am_value *states, int64_t count, am_value last)
{
    for (int i = 0; i < count; i++) am_output_hidden_state(b, name, i, i == count - 1 ? last : states[i]);
}

/* Below the scope; hidden_states: the name of its states. */
static vision encode(am_builder *b, const vision_config *c, const char *hidden_states)
{
    bool resizes = am_model_argument(b, "interpolate_pos_encoding", 0) != 0;
    int64_t count = c->spatial + c->temporal + 1;
    am_value video = am_input(b, "pixel_values_videos", 5),
             *states = am_arena_array(am_builder_arena(b), (size_t)count, sizeof *states);
    int64_t B = am_dim(b, video, 0), frames = am_dim(b, video, 1);
    vision r = {AM_NONE, AM_NONE, AM_NONE};
    if (!states) {
        am_builder_fail(b, am_out_of_memory());
        return r;
    }
    states[0] = embed_frames(b, c, video, resizes);
    r.spatial = run_layers(b, "spatial_layers", states[0], &c->layers, c->spatial, states + 1);
    am_value x = embed_times(b, c, norm(b, "layernorm1", r.spatial, c->layers.eps), frames, resizes);
    r.temporal = run_layers(b, "temporal_layers", x, &c->layers, c->temporal, states + 1 + c->spatial);
    x = norm(b, "layernorm2", r.temporal, c->layers.eps);
    x = am_transpose(b, am_reshape(b, x, am_shape_of(B, -1, frames, c->layers.C)), 1, 2);
    r.x = am_flatten(b, x, 1, 2);
    if (!am_builder_failed(b)) output_states(b, hidden_states, states, count, r.x);
    return r;
}

/* What a learned query reads of x: [B, T, C] -> [B, 1, C]. */
static am_value pool(am_builder *b, const vision_config *c, am_value x)
{
    const layers_config *o = &c->layers;
    int64_t D = o->inner / o->heads, width = D * o->heads, B = am_dim(b, x, 0);
    int bias = o->qkv_bias ? AM_BIAS : AM_NO_BIAS;
    am_scope(b, "head");
    am_value query = am_parameter(b, "pooling_attention_query", am_shape_of(1, 1, o->C), x);
    am_value q = am_split_heads(b, am_linear(b, "q_proj", query, width, bias), o->heads);
    am_value factors = am_unary(b, AM_SOFTPLUS, am_parameter(b, "per_dim_scale", am_shape_of(D), x));
    q = am_mul(b, q, am_mul_number(b, factors, SOFTPLUS_SCALE / sqrt((double)D)));
    am_attention_inputs inputs = {.q = am_broadcast(b, q, am_shape_of(B, 1, o->heads, D)),
                                  .k = am_split_heads(b, am_linear(b, "k_proj", x, width, bias), o->heads),
                                  .v = am_split_heads(b, am_linear(b, "v_proj", x, width, bias), o->heads)};
    x = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){.scale = 1}));
    x = am_linear(b, "o_proj", x, o->C, AM_BIAS);
    am_end_scope(b);
    return norm(b, "head_layernorm", x, o->eps);
}

/* A video's tokens and its vector, [B, T, C] and [B, 1, C]. */
static am_clip_output video_tower(am_builder *b, const vision_config *c, const char *hidden_states)
{
    am_scope(b, "vision_model");
    am_value x = encode(b, c, hidden_states).x;
    am_end_scope(b);
    x = run_layers(b, "auxiliary_layers", x, &c->layers, c->auxiliary, NULL);
    am_value pooled = pool(b, c, x);
    return (am_clip_output){x, c->layers.is_unit ? unit_length(b, pooled) : pooled};
}

static void vision_model(am_builder *b)
{
    vision_config c = read_vision(am_model_config(b));
    vision r = encode(b, &c, "hidden_states");
    if (am_builder_failed(b)) return;
    am_output(b, "last_hidden_state", r.x);
    am_output(b, "last_temporal_hidden_state", r.temporal);
    am_output(b, "last_spatial_hidden_state", r.spatial);
}

static void video_model(am_builder *b)
{
    vision_config c = read_vision(am_model_config(b));
    am_clip_output r = video_tower(b, &c, "hidden_states");
    am_output(b, "last_hidden_state", r.last_hidden_state);
    am_output(b, "pooler_output", r.pooled);
}

static void for_video_classification(am_builder *b)
{
    const am_config *config = am_model_config(b);
    vision_config c = read_vision(config);
    am_scope(b, "vision_model");
    am_value x = encode(b, &c, "hidden_states").x;
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier", pool(b, &c, x), am_config_labels(config), AM_BIAS));
}

/* --- texts --- */

/* Tokens with their places, and behind them the one whose state is the text's vector: [B, T + 1, C]. */
static am_value embed_text(am_builder *b, const am_config *config, const layers_config *c)
{
    double scale = sqrt((double)c->C);
    int64_t limit = am_config_size(config, "max_position_embeddings", 64);
    am_scope(b, "embeddings");
    am_value x = am_input_embeddings(b, "token_embedding", am_config_size(config, "vocab_size", 32000), c->C);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    am_value table = am_cast(b, am_weight(b, "position_embedding", am_shape_of(limit, c->C)), AM_F32);
    x = am_add(b, am_mul_number(b, x, scale), am_gather(b, table, am_position_ids(b, T), 0, false));
    am_value end = am_mul_number(b, am_parameter(b, "cls_emb", am_shape_of(1, 1, c->C), x), scale);
    x = am_concat2(b, x, am_broadcast(b, end, am_shape_of(B, 1, c->C)), 1);
    am_end_scope(b);
    return x;
}

/* Without a mask every token sees all. */
static am_clip_output text_tower(am_builder *b, const am_config *config, const char *hidden_states)
{
    layers_config c = read_layers(config, AM_RELU);
    int64_t layers = am_config_count(config, "num_hidden_layers", 12);
    am_value x = embed_text(b, config, &c), attended = am_input_optional(b, "attention_mask", 2),
             *states = am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *states);
    if (!states) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return (am_clip_output){x, x};
    c.attention.causal = attended.id != 0;
    c.attention.mask = am_padding_mask_of(b, am_join_attended(b, attended, am_dim(b, x, 1) - 1, AM_NONE, 1));
    states[0] = x;
    x = norm(b, "layernorm", run_layers(b, "layers", x, &c, layers, states + 1), c.eps);
    if (!am_builder_failed(b)) output_states(b, hidden_states, states, layers + 1, x);
    am_value pooled = am_index(b, x, 1, -1);
    return (am_clip_output){x, c.is_unit ? unit_length(b, pooled) : pooled};
}

static void text_model(am_builder *b)
{
    am_clip_output r = text_tower(b, am_model_config(b), "hidden_states");
    am_output(b, "last_hidden_state", r.last_hidden_state);
    am_output(b, "pooler_output", r.pooled);
}

/* x: [N, M] over the sums of its columns. */
static am_value shares(am_builder *b, am_value x)
{
    return am_div(b, x, am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(0), true));
}

static void clip_model(am_builder *b)
{
    const am_config *config = am_model_config(b);
    am_config vision_part = am_config_child(config, "vision_config"),
              text_part = am_config_child(config, "text_config");
    vision_config c = read_vision(&vision_part);
    am_scope(b, "video_model");
    am_clip_output video = video_tower(b, &c, "video_model_output.hidden_states");
    am_end_scope(b);
    am_scope(b, "text_model");
    am_clip_output text = text_tower(b, &text_part, "text_model_output.hidden_states");
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    am_value videos = am_squeeze(b, video.pooled, 1);
    am_value similarity = am_unary(b, AM_EXP, am_matmul(b, videos, text.pooled, false, true));
    am_output(b, "logits_per_video", shares(b, similarity));
    am_output(b, "logits_per_text", shares(b, am_transpose(b, similarity, 0, 1)));
    am_output(b, "video_embeds", videos);
    am_output(b, "text_embeds", text.pooled);
    am_clip_output_tower(b, "video_model_output", &video);
    am_clip_output_tower(b, "text_model_output", &text);
}

static const am_architecture architectures[] = {
    {"VideoPrismClipModel", clip_model, NULL, 0},
    {"VideoPrismTextModel", text_model, NULL, 0},
    {"VideoPrismVisionModel", vision_model, NULL, 0},
    {"VideoPrismVideoModel", video_model, NULL, 0},
    {"VideoPrismForVideoClassification", for_video_classification, NULL, 0},
    {0},
};

const am_model_type am_model_videoprism = {.name = "videoprism videoprism_text_model videoprism_vision_model",
                                           .base_prefix = "vision_model",
                                           .architectures = architectures};

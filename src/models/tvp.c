/* TVP: finds when in a video happens what a text says. Learned frames are added to the borders of pictures, whose maps
   of a ResNet are averaged over time, and BERT's layers read a learned prompt, the text and the map. transformers:
   models/tvp/modeling_tvp.py */
#include "models/blocks/attention.h"
#include "models/blocks/encoder.h"
#include "models/blocks/feature_maps.h"

#include <inttypes.h>

enum { PROMPT_LENGTH = 10 };

typedef struct tvp_config {
    int64_t prompt_size, image_size, frames, max_rows, max_columns;
    int64_t vocab_size, type_vocab_size, C, inner, layers, heads, max_positions;
    am_unary_fn act;
    double eps;
    bool is_down_pad, adds, removes; /* the prompt: below only; it is added; what it covers is taken away before */
} tvp_config;

static void read_prompter(const am_config *c, tvp_config *r)
{
    bool replaces = !am_config_has(c, "visual_prompter_apply") || am_config_is(c, "visual_prompter_apply", "replace"),
         adds = am_config_is(c, "visual_prompter_apply", "add"),
         removes = am_config_is(c, "visual_prompter_apply", "remove");
    r->is_down_pad = am_config_is(c, "visual_prompter_type", "framedownpad");
    r->adds = replaces || adds;
    r->removes = (replaces || removes) && r->is_down_pad; /* the other kind takes nothing away */
    if (!replaces && !adds && !removes)
        am_config_fail(c, "visual_prompter_apply", "expected \"add\", \"replace\" or \"remove\"");
    if (!r->is_down_pad && am_config_has(c, "visual_prompter_type") &&
        !am_config_is(c, "visual_prompter_type", "framepad"))
        am_config_fail(c, "visual_prompter_type", "expected \"framepad\" or \"framedownpad\"");
    if (r->is_down_pad && !am_config_has(c, "frame_num")) am_config_fail(c, "frame_num", "\"framedownpad\" needs it");
    r->frames = r->is_down_pad ? am_config_size(c, "frame_num", 48) : am_config_size(c, "num_frames", 48);
    if (r->prompt_size * (r->is_down_pad ? 1 : 2) >= r->image_size)
        am_config_fail(c, "visual_prompt_size", "%" PRId64 " leaves nothing of max_img_size, %" PRId64, r->prompt_size,
                       r->image_size);
}

static tvp_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    tvp_config r = {
        .prompt_size = am_config_size(c, "visual_prompt_size", 96),
        .image_size = am_config_size(c, "max_img_size", 448),
        .max_rows = am_config_size(c, "max_grid_row_position_embeddings", 100),
        .max_columns = am_config_size(c, "max_grid_col_position_embeddings", 100),
        .vocab_size = am_config_size(c, "vocab_size", 30522),
        .type_vocab_size = am_config_size(c, "type_vocab_size", 2),
        .C = am_config_size(c, "hidden_size", 768),
        .inner = am_config_size(c, "intermediate_size", 3072),
        .layers = am_config_count(c, "num_hidden_layers", 12),
        .heads = am_config_size(c, "num_attention_heads", 12),
        .max_positions = am_config_size(c, "max_position_embeddings", 512),
        .act = am_config_activation(c, "hidden_act", AM_GELU),
        .eps = am_config_real(c, "layer_norm_eps", 1e-12),
    };
    am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_size", r.C);
    if (!am_config_has(c, "backbone_config"))
        am_config_unsupported(c, "backbone_config", "a default is not known for it");
    read_prompter(c, &r);
    return r;
}

/* --- frames around pictures --- */

static am_value pad_weight(am_builder *b, const char *name, const tvp_config *c, int64_t height, int64_t width)
{
    return am_cast(b, am_weight(b, name, am_shape_of(1, c->frames, 3, height, width)), AM_F32);
}

/* [1, frames, 3, image_size, image_size], zeros within. */
static am_value frame_prompt(am_builder *b, const tvp_config *c)
{
    int64_t pad = c->prompt_size, side = c->image_size, inner = side - 2 * pad;
    if (c->is_down_pad) return am_pad_zero(b, pad_weight(b, "pad_down", c, pad, side), 3, side - pad, 0);
    am_value base = am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(1, c->frames, 3, inner, inner));
    am_value middle[] = {pad_weight(b, "pad_left", c, inner, pad), base, pad_weight(b, "pad_right", c, inner, pad)};
    am_value rows[] = {pad_weight(b, "pad_up", c, pad, side), am_concat(b, middle, 3, 4),
                       pad_weight(b, "pad_down", c, pad, side)};
    return am_concat(b, rows, 3, 3);
}

/* The prompt in the size of pictures: [1, frames, 3, height, width]. */
static am_value resized_prompt(am_builder *b, am_value prompt, const tvp_config *c, int64_t height, int64_t width)
{
    double side = (double)c->image_size;
    am_resize_attributes options = {.size = am_shape_of(height, width),
                                    .mode = AM_RESIZE_CUBIC,
                                    .scale = {(double)height / side, (double)width / side}};
    prompt = am_resize(b, am_reshape(b, prompt, am_shape_of(c->frames, 3, c->image_size, c->image_size)), &options);
    return am_reshape(b, prompt, am_shape_of(1, c->frames, 3, height, width));
}

static am_value prompt_frames(am_builder *b, am_value x, const tvp_config *c, bool resizes)
{
    int64_t kept = c->image_size - c->prompt_size;
    am_scope(b, "visual_prompter");
    if (c->removes && !am_builder_failed(b))
        x = am_pad_zero(b, am_slice(b, x, 3, 0, kept), 3, 0, am_dim(b, x, 3) > kept ? am_dim(b, x, 3) - kept : 0);
    if (c->adds) {
        am_value prompt = frame_prompt(b, c);
        if (resizes && !c->is_down_pad) prompt = resized_prompt(b, prompt, c, am_dim(b, x, 3), am_dim(b, x, 4));
        x = am_add(b, x, prompt);
    }
    am_end_scope(b);
    return x;
}

/* --- tokens --- */

/* Maps of all frames, averaged: [B, h, w, C]. */
static am_value read_map(am_builder *b, const tvp_config *c, am_value video)
{
    am_shape s = am_shape_of_value(b, video), one = am_shape_of(1, 1);
    am_config backbone = am_config_child(am_model_config(b), "backbone_config");
    am_part_input pixels = {.name = "pixel_values", .value = am_flatten(b, video, 0, 1)};
    am_part part = {
        .auto_class = "AutoBackbone", .model_type = "", .config = &backbone, .inputs = &pixels, .input_count = 1};
    am_scope(b, "vision_model");
    am_scope(b, "backbone");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = am_part_output(&outputs, "feature_maps.0");
    if (!x.id && !am_builder_failed(b)) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "the backbone gives no maps"));
    x = am_conv(b, "grid_encoder_conv", x, c->C, am_shape_of(3, 3), AM_NO_BIAS,
                &(am_convolution_attributes){.padding_before = one, .padding_after = one});
    am_end_scope(b);
    x = am_unary(b, AM_RELU, am_pool(b, x, &(am_pool_attributes){.fn = AM_POOL_MAX, .kernel = am_shape_of(2, 2)}));
    am_shape grid = am_shape_of(s.dims[0], s.dims[1], c->C, am_dim(b, x, 2), am_dim(b, x, 3));
    x = am_reduce(b, AM_REDUCE_MEAN, am_reshape(b, x, grid), am_shape_of(1), false);
    return am_permute(b, x, am_shape_of(0, 2, 3, 1));
}

/* The first rows of the table NAME.weight, as many as there are of `count`. */
static am_value first_rows(am_builder *b, const char *name, int64_t count, int64_t limit, int64_t C)
{
    am_value table = am_cast(b, am_weight(b, name, am_shape_of(limit, C)), AM_F32);
    return am_slice(b, table, 0, 0, count < limit ? count : limit);
}

/* A place for each token of a map: [1, height, width, C]; larger maps than tables have places for take resized ones. */
static am_value grid_places(am_builder *b, const tvp_config *c, int64_t height, int64_t width, bool resizes)
{
    am_value rows = first_rows(b, "row_position_embeddings.weight", height, c->max_rows, c->C);
    am_value columns = first_rows(b, "col_position_embeddings.weight", width, c->max_columns, c->C);
    am_value x = am_add(b, am_unsqueeze(b, rows, 1), am_unsqueeze(b, columns, 0));
    if (resizes && (height > c->max_rows || width > c->max_columns)) {
        am_resize_attributes options = {.size = am_shape_of(height, width),
                                        .mode = AM_RESIZE_CUBIC,
                                        .scale = {height > c->max_rows ? (double)height / (double)c->max_rows : 1,
                                                  width > c->max_columns ? (double)width / (double)c->max_columns : 1}};
        x = am_unsqueeze(b, am_permute(b, x, am_shape_of(2, 0, 1)), 0);
        return am_permute(b, am_resize(b, x, &options), am_shape_of(0, 2, 3, 1));
    }
    return am_unsqueeze(b, x, 0);
}

static am_value embed_map(am_builder *b, const tvp_config *c, am_value x, bool resizes)
{
    am_scope(b, "visual_embeddings");
    x = am_add(b, x, grid_places(b, c, am_dim(b, x, 1), am_dim(b, x, 2), resizes));
    x = am_flatten(b, x, 1, 2);
    x = am_add(b, x, am_parameter(b, "token_type_embeddings.weight", am_shape_of(1, c->C), x));
    x = am_layer_norm(b, "layer_norm", x, c->eps);
    am_end_scope(b);
    return x;
}

static am_value embed_text(am_builder *b, const tvp_config *c)
{
    am_value ids = am_input(b, "input_ids", 2);
    int64_t T = am_dim(b, ids, 1);
    am_scope(b, "embeddings");
    am_value x = am_embedding(b, "word_embeddings", ids, c->vocab_size, c->C);
    am_value places = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1),
             kinds = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 0);
    x = am_add(b, x, am_embedding(b, "position_embeddings", places, c->max_positions, c->C));
    x = am_add(b, x, am_embedding(b, "token_type_embeddings", kinds, c->type_vocab_size, c->C));
    x = am_layer_norm(b, "layer_norm", x, c->eps);
    am_end_scope(b);
    return x;
}

/* --- layers --- */

static am_value layer(am_builder *b, am_value x, const tvp_config *c, am_value mask)
{
    am_attention_options attention = {
        .heads = c->heads, .q = "query", .k = "key", .v = "value", .out = "dense", .mask = mask};
    am_scope(b, "attention");
    x = am_layer_norm(b, "layer_norm", am_add(b, am_self_attention(b, x, &attention), x), c->eps);
    am_end_scope(b);
    am_value h = am_linear_activation(b, "intermediate.dense", x, c->inner, AM_BIAS, c->act);
    h = am_linear(b, "output.dense", h, c->C, AM_BIAS);
    return am_layer_norm(b, "output.layer_norm", am_add(b, h, x), c->eps);
}

static am_value encode(am_builder *b, am_value x, const tvp_config *c, am_value mask)
{
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c->layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = layer(b, x, c, mask);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    return x;
}

/* [B, prompt + text + map, C] below `prefix`. */
static am_value body(am_builder *b, const tvp_config *c, const char *prefix)
{
    bool resizes = am_model_argument(b, "interpolate_pos_encoding", 0) != 0;
    am_value video = am_input(b, "pixel_values", 5);
    am_scope(b, "%s", prefix);
    am_value parts[3], attended = am_input_optional(b, "attention_mask", 2);
    parts[1] = embed_text(b, c);
    parts[2] = embed_map(b, c, read_map(b, c, prompt_frames(b, video, c, resizes)), resizes);
    am_value prompt = am_parameter(b, "text_prompt", am_shape_of(1, PROMPT_LENGTH, c->C), parts[1]);
    parts[0] = am_broadcast(b, prompt, am_shape_of(am_dim(b, parts[1], 0), PROMPT_LENGTH, c->C));
    int64_t T = am_dim(b, parts[1], 1), N = am_dim(b, parts[2], 1);
    attended = am_join_attended(b, AM_NONE, PROMPT_LENGTH, attended, T);
    attended = am_join_attended(b, attended, PROMPT_LENGTH + T, AM_NONE, N);
    am_value x = encode(b, am_concat(b, parts, 3, 1), c, am_padding_mask_of(b, attended));
    am_end_scope(b);
    return x;
}

static void tvp_model(am_builder *b)
{
    tvp_config c = read_config(b);
    am_value x = body(b, &c, "");
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_bert_pooler(b, "", x));
}

static void for_video_grounding(am_builder *b)
{
    tvp_config c = read_config(b);
    am_value x = am_bert_pooler(b, "model", body(b, &c, "model"));
    am_scope(b, "video_grounding_head");
    x = am_linear_activation(b, "layer_0", x, 2 * c.C, AM_BIAS, AM_RELU);
    am_output(b, "logits", am_linear_activation(b, "layer_1", x, 2, AM_BIAS, AM_SIGMOID));
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"TvpModel", tvp_model, NULL, 0},
    {"TvpForVideoGrounding", for_video_grounding, NULL, 0},
    {0},
};

const am_model_type am_model_tvp = {.name = "tvp", .base_prefix = "model", .architectures = architectures};

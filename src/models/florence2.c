/* Florence-2: a network of stages whose blocks let places of a window attend to each other and then channels of the
   whole map (DaViT, arXiv 2204.03645); its places are words of a BART's encoder. transformers:
   models/florence2/modeling_florence2.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/vision.h"
#include "models/blocks/windows.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5; /* not configurable */

typedef struct davit {
    int stages;
    int64_t depths[AM_STAGES_LIMIT], patch[AM_STAGES_LIMIT], stride[AM_STAGES_LIMIT], padding[AM_STAGES_LIMIT],
        widths[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT], groups[AM_STAGES_LIMIT];
    bool norm_first[AM_STAGES_LIMIT];
    int64_t window_size, in_channels;
    double mlp_ratio;
    bool qkv_bias;
    am_unary_fn activation;
    const am_config *c;
} davit;

static void read_norms(const am_config *c, davit *d)
{
    int count = 0;
    for (int i = 0; i < d->stages; i++) d->norm_first[i] = i > 0;
    if (!am_config_has(c, "patch_prenorm")) return;
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, "patch_prenorm")); am_json_next(&i); count++)
        if (count < d->stages) d->norm_first[count] = am_json_bool(i.value, false);
    if (count != d->stages) am_config_fail(c, "patch_prenorm", "expected %d elements, found %d", d->stages, count);
}

static davit read_config(const am_config *c)
{
    static const int64_t depths[] = {1, 1, 9, 1}, patch[] = {7, 3, 3, 3}, stride[] = {4, 2, 2, 2},
                         padding[] = {3, 1, 1, 1}, widths[] = {128, 256, 512, 1024}, heads[] = {4, 8, 16, 32};
    davit d = {.window_size = am_config_size(c, "window_size", 12),
               .in_channels = am_config_size(c, "in_channels", 3),
               .mlp_ratio = am_config_real(c, "mlp_ratio", 4),
               .qkv_bias = am_config_flag(c, "qkv_bias", true),
               .activation = am_config_activation(c, "activation_function", AM_GELU),
               .c = c};
    d.stages = am_stage_depths(c, depths, 4, d.depths);
    am_stage_sizes(c, "patch_size", d.stages, 1, patch, 4, d.patch);
    am_stage_sizes(c, "patch_stride", d.stages, 1, stride, 4, d.stride);
    am_stage_sizes(c, "patch_padding", d.stages, 0, padding, 4, d.padding);
    am_stage_sizes(c, "embed_dim", d.stages, 1, widths, 4, d.widths);
    am_stage_sizes(c, "num_heads", d.stages, 1, heads, 4, d.heads);
    am_stage_sizes(c, "num_groups", d.stages, 1, heads, 4, d.groups);
    read_norms(c, &d);
    for (int i = 0; i < d.stages; i++) {
        am_config_check_divides(c, "num_heads", d.heads[i], "embed_dim", d.widths[i]);
        am_config_check_divides(c, "num_groups", d.groups[i], "embed_dim", d.widths[i]);
    }
    return d;
}

/* A map of tokens, x: [B, height * width, C]. */
typedef struct map {
    am_value x;
    int64_t height, width;
} map;

/* x plus the convolution NAME over each channel by itself. */
static am_value add_around(am_builder *b, const char *name, const map *m)
{
    int64_t C = am_dim(b, m->x, 2);
    am_convolution_attributes options = {
        .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1), .groups = C};
    am_shape image = {.rank = 4, .dims = {am_dim(b, m->x, 0), C, m->height, m->width}};
    if (am_builder_failed(b)) return AM_NONE;
    am_value x = am_reshape(b, am_transpose(b, m->x, 1, 2), image);
    x = am_conv(b, name, x, C, am_shape_of(3, 3), AM_BIAS, &options);
    return am_add(b, am_image_tokens(b, x), m->x);
}

/* Places of each window attend to each other; those that fill windows up are zeros, and are attended. */
static am_value attend_places(am_builder *b, am_value x, const map *m, const davit *d, int stage)
{
    am_value qkv[3];
    am_windows windows = am_windows_of(m->height, m->width, d->window_size, 0);
    am_attention_options options = {.heads = d->heads[stage], .qkv = "qkv", .no_q_bias = !d->qkv_bias};
    am_scope(b, "window_attn");
    am_attention_heads(b, am_windows_split(b, x, &windows), &options, qkv);
    x = am_merge_heads(b, am_attend_cached(b, qkv[0], qkv[1], qkv[2], &options));
    x = am_windows_join(b, am_linear(b, "proj", x, d->widths[stage], AM_BIAS), &windows);
    am_end_scope(b);
    return x;
}

/* Channels of a group attend to each other, each being what it is at all places. */
static am_value attend_channels(am_builder *b, am_value x, const davit *d, int stage)
{
    int64_t C = d->widths[stage];
    am_shape turned = am_shape_of(0, 3, 2, 1);
    am_value qkv[3];
    am_attention_options options = {.heads = d->groups[stage], .qkv = "qkv", .no_q_bias = !d->qkv_bias};
    am_scope(b, "channel_attn");
    am_attention_heads(b, x, &options, qkv);
    for (int i = 0; i < 3; i++) qkv[i] = am_permute(b, qkv[i], turned); /* [B, C / groups, groups, places] */
    x = am_permute(b, am_attend_cached(b, qkv[0], qkv[1], qkv[2], &options), turned);
    x = am_linear(b, "proj", am_merge_heads(b, x), C, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* One half of a block, below NAME. */
static am_value half(am_builder *b, const char *name, map m, const davit *d, int stage, bool of_channels)
{
    int64_t C = d->widths[stage], inner = am_scaled_size(d->c, "mlp_ratio", C, d->mlp_ratio);
    am_scope(b, "%s", name);
    m.x = add_around(b, "conv1", &m);
    am_value h = am_layer_norm(b, "norm1", m.x, NORM_EPS);
    h = of_channels ? attend_channels(b, h, d, stage) : attend_places(b, h, &m, d, stage);
    m.x = am_add(b, m.x, h);
    m.x = add_around(b, "conv2", &m);
    h = am_linear_activation(b, "ffn.fc1", am_layer_norm(b, "norm2", m.x, NORM_EPS), inner, AM_BIAS, d->activation);
    m.x = am_add(b, m.x, am_linear(b, "ffn.fc2", h, C, AM_BIAS));
    am_end_scope(b);
    return m.x;
}

static am_value image_of(am_builder *b, const map *m)
{
    if (am_builder_failed(b)) return AM_NONE;
    am_shape image = {.rank = 4, .dims = {am_dim(b, m->x, 0), am_dim(b, m->x, 2), m->height, m->width}};
    return am_reshape(b, am_transpose(b, m->x, 1, 2), image);
}

/* A stage's first map of x: [B, C', H, W]. */
static map embed(am_builder *b, am_value x, const davit *d, int stage)
{
    int64_t s = d->stride[stage], p = d->padding[stage];
    am_convolution_attributes options = {
        .stride = am_shape_of(s, s), .padding_before = am_shape_of(p, p), .padding_after = am_shape_of(p, p)};
    am_scope(b, "convs.%d", stage);
    if (d->norm_first[stage]) x = am_layer_norm_channels_first(b, "norm", x, NORM_EPS);
    x = am_conv(b, "conv", x, d->widths[stage], am_shape_of(d->patch[stage], d->patch[stage]), AM_BIAS, &options);
    map m = {am_image_tokens(b, x), am_dim(b, x, 2), am_dim(b, x, 3)};
    if (!d->norm_first[stage]) m.x = am_layer_norm(b, "norm", m.x, NORM_EPS);
    am_end_scope(b);
    return m;
}

/* x: [B, channels, height, width] -> [B, C, rows, columns] */
static am_value backbone(am_builder *b, const davit *d, am_value x, bool hidden_states)
{
    int states = 0;
    if (!am_builder_failed(b) && am_dim(b, x, 1) != d->in_channels)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "an image has %" PRId64 " channels, expected %" PRId64,
                                    am_dim(b, x, 1), d->in_channels));
    for (int stage = 0; stage < d->stages && !am_builder_failed(b); stage++) {
        map m = embed(b, x, d, stage);
        for (int i = 0; i < d->depths[stage] && !am_builder_failed(b); i++) {
            if (hidden_states && states == 0) am_output_hidden_state(b, "hidden_states", states++, image_of(b, &m));
            am_scope(b, "blocks.%d.%d", stage, i);
            m.x = half(b, "spatial_block", m, d, stage, false);
            m.x = half(b, "channel_block", m, d, stage, true);
            am_end_scope(b);
            bool is_last = stage == d->stages - 1 && i == d->depths[stage] - 1;
            if (hidden_states && !is_last) am_output_hidden_state(b, "hidden_states", states++, image_of(b, &m));
        }
        x = image_of(b, &m);
    }
    if (hidden_states) am_output_hidden_state(b, "hidden_states", states, x);
    return x;
}

static void vision_backbone(am_builder *b)
{
    davit d = read_config(am_model_config(b));
    am_output(b, "last_hidden_state", backbone(b, &d, am_input(b, "hidden_states", 4), true));
}

/* --- beside the text model --- */

/* Learned places of rows and columns: [1, rows * columns, C]. */
static am_value positions(am_builder *b, const am_config *c, int64_t rows, int64_t columns, int64_t C)
{
    int64_t count = am_config_size(c, "max_position_embeddings", 50), half_width = C / 2;
    am_scope(b, "image_position_embed");
    am_value across = am_embedding(b, "column_embeddings", am_iota(b, AM_I32, am_shape_of(1, columns), 1, 0, 1), count,
                                   C - half_width),
             down = am_embedding(b, "row_embeddings", am_iota(b, AM_I32, am_shape_of(rows, 1), 0, 0, 1), count,
                                 half_width);
    am_end_scope(b);
    across = am_broadcast(b, across, am_shape_of(rows, columns, C - half_width));
    down = am_broadcast(b, down, am_shape_of(rows, columns, half_width));
    return am_unsqueeze(b, am_flatten(b, am_concat2(b, across, down, 2), 0, 1), 0);
}

/* Rows for the text of the input pixel_values: [B, 1 + places, C], the mean of all places first. */
static am_value rows(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    davit d = read_config(&c);
    am_value pixels = am_input(b, "pixel_values", 4);
    am_scope(b, "vision_tower");
    am_value map_of = backbone(b, &d, pixels, false), x = am_image_tokens(b, map_of);
    am_end_scope(b);
    int64_t C = am_dim(b, x, 2), times = am_config_size(&c, "max_temporal_embeddings", 100);
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "multi_modal_projector");
    x = am_add(b, x, positions(b, &c, am_dim(b, map_of, 2), am_dim(b, map_of, 3), C));
    am_value time = am_weight(b, "visual_temporal_embed.pos_idx_to_embed", am_shape_of(times, C));
    x = am_add(b, x, am_unsqueeze(b, am_slice(b, am_cast(b, time, AM_F32), 0, 0, 1), 0));
    x = am_concat2(b, am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), true), x, 1);
    x = am_linear(b, "image_projection", x, am_config_size(&c, "projection_dim", 1024), AM_NO_BIAS);
    x = am_layer_norm(b, "image_proj_norm", x, NORM_EPS);
    am_end_scope(b);
    return x;
}

/* Last hidden state of the decoder, AM_NONE in a graph of the encoder alone; the base model's weights lie under
   `prefix`. */
static am_value body(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    am_feature_rows features = {.token = am_config_int(c, "image_token_id", 51289)};
    am_part part = {.auto_class = "AutoModel", .model_type = "bart", .config = &text, .features = &features};
    am_scope(b, "%s", prefix);
    if (am_model_stage(b) != AM_STAGE_DECODE && am_has_input(b, "pixel_values")) {
        am_value x = rows(b);
        features.rows = am_reshape(b, x, am_shape_of(-1, am_dim(b, x, -1)));
        features.ids = am_input(b, "input_ids", 2);
        part.feature_count = 1;
    }
    am_scope(b, "language_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_end_scope(b);
    am_value encoded = am_part_output(&outputs, "encoder_last_hidden_state");
    if (encoded.id) am_output(b, "encoder_last_hidden_state", encoded);
    am_output_part_list(b, &outputs, "encoder_hidden_states", "encoder_hidden_states");
    am_output_part_list(b, &outputs, "decoder_hidden_states", "decoder_hidden_states");
    return am_part_output(&outputs, "last_hidden_state");
}

static void model(am_builder *b)
{
    am_value x = body(b, "");
    if (x.id) am_output(b, "last_hidden_state", x);
}

static void for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    bool tied = am_config_flag(c, "tie_word_embeddings", true);
    am_value x = body(b, "model");
    if (!x.id) return;
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, am_config_size(&text, "vocab_size", 50265), tied,
                         "model.language_model.shared.weight", AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"Florence2Model", model, NULL, 0},
    {"Florence2ForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"Florence2VisionBackbone", vision_backbone, NULL, 0},
    {0},
};

const am_model_type am_model_florence2 = {
    .name = "florence2 florence_vision", .base_prefix = "model", .architectures = architectures};

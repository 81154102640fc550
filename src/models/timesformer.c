/* TimeSformer (arXiv 2102.05095): patches of all frames behind a class token, read by layers in which a patch attends
   to its place in other frames, then to the other places in its frame; or as ViT reads them. transformers:
   models/timesformer/modeling_timesformer.py */
#include "models/blocks/vit.h"

#include <inttypes.h>
#include <string.h>

typedef struct timesformer_config {
    const am_config *c;
    am_image_options image;
    am_pre_norm_options layers;
    int64_t hidden_size, num_frames;
    bool divided, space_only;
} timesformer_config;

static timesformer_config read_config(am_builder *b)
{
    static const am_vit_family family = {.derives_head_dim = true, .layer_norm_eps = 1e-6};
    const am_config *c = am_model_config(b);
    const char *type = am_config_text(c, "attention_type", "divided_space_time");
    timesformer_config t = {
        .c = c,
        .image = am_image_options_read(c, 224, 16),
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .num_frames = am_config_size(c, "num_frames", 8),
        .divided = strcmp(type, "divided_space_time") == 0,
        .space_only = strcmp(type, "space_only") == 0,
    };
    if (!t.divided && !t.space_only && strcmp(type, "joint_space_time") != 0)
        am_config_fail(c, "attention_type",
                       "expected \"divided_space_time\", \"space_only\" or \"joint_space_time\", found \"%s\"", type);
    t.layers = am_vit_layers_read(c, &family, t.hidden_size);
    t.layers.attention.qkv = "attention.qkv";
    return t;
}

/* --- embeddings --- */

/* The positions of the class token and of a frame's patches: those of other images are copies of the nearest. */
static am_value places(am_builder *b, const timesformer_config *t, am_value like, const int64_t patches[2])
{
    int64_t C = t->hidden_size, count = am_image_patches(&t->image),
            side = t->image.image_size[0] / t->image.patch_size[0];
    am_value all = am_parameter(b, "position_embeddings", am_shape_of(1, 1 + count, C), like);
    if (patches[0] * patches[1] == count) return all;
    if (side * side != count) am_config_unsupported(t->c, "image_size", "positions are resized from squares only");
    am_resize_attributes nearest = {.size = am_shape_of(patches[0], patches[1]), .mode = AM_RESIZE_NEAREST};
    am_value grid = am_transpose(b, am_slice(b, all, 1, 1, AM_SLICE_END), 1, 2);
    grid = am_resize(b, am_reshape(b, grid, am_shape_of(1, C, side, side)), &nearest);
    return am_concat2(b, am_slice(b, all, 1, 0, 1), am_image_tokens(b, grid), 1);
}

/* The embeddings of frames: [1, frames, C], those of another number of them being copies of the nearest. */
static am_value times(am_builder *b, const timesformer_config *t, am_value like, int64_t frames)
{
    am_value all = am_parameter(b, "time_embeddings", am_shape_of(1, t->num_frames, t->hidden_size), like);
    if (frames == t->num_frames) return all;
    am_resize_attributes nearest = {.size = am_shape_of(frames), .mode = AM_RESIZE_NEAREST};
    return am_transpose(b, am_resize(b, am_transpose(b, all, 1, 2), &nearest), 1, 2);
}

/* x: [B * F, 1 + P, C] -> [B, 1 + P * F, C]: one class token, then the frames of each patch. */
static am_value join_frames(am_builder *b, const timesformer_config *t, am_value x, int64_t B)
{
    int64_t P = am_dim(b, x, 1) - 1, F = am_dim(b, x, 0) / B, C = t->hidden_size;
    am_value token = am_slice(b, am_slice(b, x, 0, 0, B), 1, 0, 1);
    x = am_reshape(b, am_slice(b, x, 1, 1, AM_SLICE_END), am_shape_of(B, F, P, C));
    x = am_add(b, am_transpose(b, x, 1, 2), am_unsqueeze(b, times(b, t, x, F), 0));
    return am_concat2(b, token, am_reshape(b, x, am_shape_of(B, P * F, C)), 1);
}

static am_value embed(am_builder *b, const timesformer_config *t)
{
    am_value x = am_video_values(b, t->image.num_channels);
    int64_t B = am_dim(b, x, 0), frames = am_dim(b, x, 1), patches[2];
    if (x.id && t->divided && frames != t->num_frames)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has %" PRId64 " frames, expected %" PRId64 " (num_frames)", frames,
                                    t->num_frames));
    am_scope(b, "embeddings");
    x = am_patch_convolution(b, "patch_embeddings.projection", am_flatten(b, x, 0, 1), t->hidden_size,
                             t->image.patch_size, AM_BIAS);
    patches[0] = am_dim(b, x, 2);
    patches[1] = am_dim(b, x, 3);
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, t->hidden_size), am_image_tokens(b, x));
    x = am_add(b, x, places(b, t, x, patches));
    if (!t->space_only && B > 0) x = join_frames(b, t, x, B);
    am_end_scope(b);
    return x;
}

/* --- divided layers --- */

static am_value attend(am_builder *b, const char *name, am_value x, const timesformer_config *t)
{
    am_scope(b, "%s", name);
    x = am_self_attention(b, x, &t->layers.attention);
    am_end_scope(b);
    return x;
}

/* What a patch finds in other frames: x: [B, P * F, C] -> the same. */
static am_value across_time(am_builder *b, am_value x, const timesformer_config *t)
{
    am_shape shape = am_shape_of_value(b, x);
    am_value h = am_reshape(b, x, am_shape_of(-1, t->num_frames, t->hidden_size));
    h = am_layer_norm(b, "temporal_layernorm", h, t->layers.layer_norm_eps);
    h = am_reshape(b, attend(b, "temporal_attention", h, t), shape);
    return am_linear(b, "temporal_dense", h, t->hidden_size, AM_BIAS);
}

/* What a patch finds in its frame, which the class token is in, too: token: [B, 1, C], x: [B, P * F, C] ->
   [B, 1 + P * F, C]. The class token has the mean of what it finds in each frame. */
static am_value across_space(am_builder *b, am_value token, am_value x, const timesformer_config *t)
{
    int64_t B = am_dim(b, x, 0), F = t->num_frames, P = am_dim(b, x, 1) / F, C = t->hidden_size;
    am_value h = am_transpose(b, am_reshape(b, x, am_shape_of(B, P, F, C)), 1, 2);
    h = am_concat2(b, am_broadcast(b, am_unsqueeze(b, token, 1), am_shape_of(B, F, 1, C)), h, 2);
    h = am_reshape(b, h, am_shape_of(B * F, 1 + P, C));
    h = attend(b, "attention", am_layer_norm(b, "layernorm_before", h, t->layers.layer_norm_eps), t);
    h = am_reshape(b, h, am_shape_of(B, F, 1 + P, C));
    am_value found = am_reduce(b, AM_REDUCE_MEAN, am_index(b, h, 2, 0), am_shape_of(1), true);
    h = am_transpose(b, am_slice(b, h, 2, 1, AM_SLICE_END), 1, 2);
    return am_concat2(b, found, am_reshape(b, h, am_shape_of(B, P * F, C)), 1);
}

static am_value divided_layer(am_builder *b, am_value x, const timesformer_config *t)
{
    am_value token = am_slice(b, x, 1, 0, 1), patches = am_slice(b, x, 1, 1, AM_SLICE_END);
    patches = am_add(b, patches, across_time(b, patches, t));
    x = am_add(b, am_concat2(b, token, patches, 1), across_space(b, token, patches, t));
    am_value h = am_layer_norm(b, "layernorm_after", x, t->layers.layer_norm_eps);
    h = am_linear_activation(b, "intermediate.dense", h, t->layers.intermediate_size, AM_BIAS, t->layers.hidden_act);
    return am_add(b, x, am_linear(b, "output.dense", h, t->hidden_size, AM_BIAS));
}

static am_value divided_layers(am_builder *b, am_value x, const timesformer_config *t)
{
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < t->layers.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = divided_layer(b, x, t);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    return x;
}

/* --- classes --- */

/* Normed last hidden state under `prefix`: [B, 1 + patches * frames, C], or, space only, [B * frames, 1 + patches, C].
 */
static am_value body(am_builder *b, const char *prefix)
{
    timesformer_config t = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = embed(b, &t);
    x = t.divided ? divided_layers(b, x, &t) : am_pre_norm_layers(b, x, &t.layers);
    x = am_layer_norm(b, "layernorm", x, t.layers.layer_norm_eps);
    am_end_scope(b);
    return x;
}

static void timesformer_model(am_builder *b)
{
    am_output(b, "last_hidden_state", body(b, ""));
}

static void for_video_classification(am_builder *b)
{
    am_value token = am_index(b, body(b, "timesformer"), 1, 0);
    am_output(b, "logits", am_linear(b, "classifier", token, am_config_labels(am_model_config(b)), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"TimesformerModel", timesformer_model, NULL, 0},
    {"TimesformerForVideoClassification", for_video_classification, "video-classification", 0},
    {0},
};

const am_model_type am_model_timesformer = {
    .name = "timesformer", .base_prefix = "timesformer", .architectures = architectures};

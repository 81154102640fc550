/* CLIP: a causal text tower, whose vector is the state of the first end token, and an image tower, whose
   vector is that of the class token; both have the same pre-norm layers. Projected to one space and normed,
   their products are the logits. Each class reads its tower's configuration from text_config or
   vision_config, or where there is none from the file itself. transformers: models/clip/modeling_clip.py */
#include "models/blocks/heads.h"
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

enum { EOS_OF_OLD_FILES = 2 }; /* a wrong number in configurations: the end token is the largest id then */

static const am_pre_norm_names names = {.layers = "encoder.layers",
                                        .attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

/* What a tower gives. */
typedef struct clip_output {
    am_value last_hidden_state; /* [B, T, C] */
    am_value pooled;            /* [B, C] */
} clip_output;

/* A part's own configuration: KEY_dict, which files of old versions have and which overrides all of KEY, KEY,
   or the whole where it has neither. */
static am_config part_config(const am_config *c, const char *key)
{
    char old[64];
    snprintf(old, sizeof old, "%s_dict", key);
    const char *found = am_config_has(c, old) ? old : key;
    return am_config_has(c, found) || am_config_is(c, "model_type", "clip") ? am_config_child(c, found) : *c;
}

/* The scope of a tower's weights: a tower alone has them with or without its name. */
static const char *tower_scope(am_builder *b, const char *name, const char *weight)
{
    char path[128];
    snprintf(path, sizeof path, "%s.%s", name, weight);
    return am_has_weight(b, path) ? name : "";
}

static am_pre_norm_options read_encoder(const am_config *c, int64_t intermediate_size, int64_t heads,
                                        const char *hidden_states)
{
    return (am_pre_norm_options){
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
        .intermediate_size = am_config_size(c, "intermediate_size", intermediate_size),
        .hidden_act = am_config_activation(c, "hidden_act", AM_QUICK_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .attention = {.heads = am_config_size(c, "num_attention_heads", heads)},
        .names = &names,
        .hidden_states = hidden_states,
    };
}

/* --- text tower --- */

static am_value embed_text(am_builder *b, const am_config *c, am_value ids, int64_t C)
{
    int64_t T = am_dim(b, ids, 1), limit = am_config_size(c, "max_position_embeddings", 77);
    if (T > limit)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_ids has %" PRId64 " tokens, at most %" PRId64
                                    " are possible (max_position_embeddings)",
                                    T, limit));
    am_scope(b, "embeddings");
    am_value x = am_embedding(b, "token_embedding", ids, am_config_size(c, "vocab_size", 49408), C);
    x = am_add(b, x, am_embedding(b, "position_embedding", am_position_ids(b, T), limit, C));
    am_end_scope(b);
    return x;
}

/* I32 [B]: where the first end token of ids: [B, T] stands; 0 in a row without one. */
static am_value end_of_text(am_builder *b, const am_config *c, am_value ids)
{
    int64_t eos = am_config_int(c, "eos_token_id", 49407);
    if (eos != EOS_OF_OLD_FILES) ids = am_cast(b, am_binary_number(b, AM_EQUAL, ids, (double)eos), AM_I32);
    return am_arg_reduce(b, ids, 1, false);
}

static clip_output text_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_pre_norm_options encoder = read_encoder(c, 2048, 8, hidden_states);
    int64_t C = am_config_size(c, "hidden_size", 512);
    am_config_check_divides(c, "num_attention_heads", encoder.attention.heads, "hidden_size", C);
    encoder.attention.causal = true;
    encoder.attention.mask = am_padding_mask(b, "attention_mask");
    am_value ids = am_input(b, "input_ids", 2);
    am_scope(b, "%s", tower_scope(b, "text_model", "final_layer_norm.weight"));
    am_value x = am_pre_norm_layers(b, embed_text(b, c, ids, C), &encoder);
    x = am_layer_norm(b, "final_layer_norm", x, encoder.layer_norm_eps);
    am_end_scope(b);
    return (clip_output){x, am_rows_at(b, x, end_of_text(b, c, ids))};
}

/* --- vision tower --- */

static am_value embed_image(am_builder *b, const am_config *c, int64_t C)
{
    am_image_options image = am_image_options_read(c, 224, 32);
    am_value x = am_pixel_values_sized(b, &image);
    am_scope(b, "embeddings");
    x = am_patch_convolution(b, "patch_embedding", x, C, image.patch_size, AM_NO_BIAS);
    x = am_prepend_token(b, "class_embedding", am_shape_of(C), am_image_tokens(b, x));
    am_shape places = am_shape_of(am_image_patches(&image) + 1, C);
    x = am_add(b, x, am_parameter(b, "position_embedding.weight", places, x));
    am_end_scope(b);
    return x;
}

static clip_output vision_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_pre_norm_options encoder = read_encoder(c, 3072, 12, hidden_states);
    int64_t C = am_config_size(c, "hidden_size", 768);
    am_config_check_divides(c, "num_attention_heads", encoder.attention.heads, "hidden_size", C);
    am_scope(b, "%s", tower_scope(b, "vision_model", "post_layernorm.weight"));
    am_value x = embed_image(b, c, C);
    x = am_layer_norm(b, "pre_layrnorm", x, encoder.layer_norm_eps); /* the weight is spelled so */
    x = am_pre_norm_layers(b, x, &encoder);
    am_value pooled = am_layer_norm(b, "post_layernorm", am_index(b, x, 1, 0), encoder.layer_norm_eps);
    am_end_scope(b);
    return (clip_output){x, pooled};
}

/* --- classes --- */

static am_value project(am_builder *b, const char *name, am_value pooled, const am_config *c)
{
    return am_linear(b, name, pooled, am_config_size(c, "projection_dim", 512), AM_NO_BIAS);
}

static am_value unit_length(am_builder *b, am_value x)
{
    am_value square = am_reduce_last(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, x));
    return am_div(b, x, am_unary(b, AM_SQRT, square));
}

static void clip_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text_config = part_config(c, "text_config"), vision_config = part_config(c, "vision_config");
    clip_output text = text_tower(b, &text_config, "text_model_output.hidden_states");
    clip_output vision = vision_tower(b, &vision_config, "vision_model_output.hidden_states");
    text.pooled = project(b, "text_projection", text.pooled, c);
    vision.pooled = project(b, "visual_projection", vision.pooled, c);
    am_value words = unit_length(b, text.pooled), images = unit_length(b, vision.pooled);
    am_value scale = am_unary(b, AM_EXP, am_parameter(b, "logit_scale", (am_shape){0}, words));
    am_value logits = am_mul(b, am_matmul(b, words, images, false, true), scale);
    am_output(b, "logits_per_image", am_transpose(b, logits, 0, 1));
    am_output(b, "logits_per_text", logits);
    am_output(b, "text_embeds", words);
    am_output(b, "image_embeds", images);
    am_output(b, "text_model_output.last_hidden_state", text.last_hidden_state);
    am_output(b, "text_model_output.pooler_output", text.pooled);
    am_output(b, "vision_model_output.last_hidden_state", vision.last_hidden_state);
    am_output(b, "vision_model_output.pooler_output", vision.pooled);
}

static void text_model(am_builder *b)
{
    am_config c = part_config(am_model_config(b), "text_config");
    clip_output text = text_tower(b, &c, NULL);
    am_output(b, "last_hidden_state", text.last_hidden_state);
    am_output(b, "pooler_output", text.pooled);
}

static void text_model_with_projection(am_builder *b)
{
    am_config c = part_config(am_model_config(b), "text_config");
    clip_output text = text_tower(b, &c, NULL);
    am_output(b, "text_embeds", project(b, "text_projection", text.pooled, &c));
    am_output(b, "last_hidden_state", text.last_hidden_state);
}

static void vision_model(am_builder *b)
{
    am_config c = part_config(am_model_config(b), "vision_config");
    clip_output vision = vision_tower(b, &c, NULL);
    am_output(b, "last_hidden_state", vision.last_hidden_state);
    am_output(b, "pooler_output", vision.pooled);
}

static void vision_model_with_projection(am_builder *b)
{
    am_config c = part_config(am_model_config(b), "vision_config");
    clip_output vision = vision_tower(b, &c, NULL);
    am_output(b, "image_embeds", project(b, "visual_projection", vision.pooled, &c));
    am_output(b, "last_hidden_state", vision.last_hidden_state);
}

/* Mean of the patches, without the class token and before the norm. */
static void for_image_classification(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config vision_config = part_config(c, "vision_config");
    clip_output vision = vision_tower(b, &vision_config, NULL);
    am_value patches = am_slice(b, vision.last_hidden_state, 1, 1, AM_SLICE_END);
    am_value mean = am_reduce(b, AM_REDUCE_MEAN, patches, am_shape_of(1), false);
    am_output(b, "logits", am_linear(b, "classifier", mean, am_config_labels(c), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"CLIPModel", clip_model, "zero-shot-image-classification", 0},
    {"CLIPTextModel", text_model, NULL, 0},
    {"CLIPTextModelWithProjection", text_model_with_projection, NULL, 0},
    {"CLIPVisionModel", vision_model, "image-feature-extraction", 0},
    {"CLIPVisionModelWithProjection", vision_model_with_projection, NULL, 0},
    {"CLIPForImageClassification", for_image_classification, "image-classification", 0},
    {0},
};

const am_model_type am_model_clip = {
    .name = "clip clip_text_model clip_vision_model", .base_prefix = "clip", .architectures = architectures};

#include "models/blocks/clip.h"

#include "models/blocks/heads.h"

#include <inttypes.h>
#include <stdio.h>

enum { EOS_OF_OLD_FILES = 2 }; /* a wrong number in configurations: the end token is the largest id then */

const am_pre_norm_names am_clip_names = {.layers = "encoder.layers",
                                         .attention = "self_attn",
                                         .norm_before = "layer_norm1",
                                         .norm_after = "layer_norm2",
                                         .up = "mlp.fc1",
                                         .down = "mlp.fc2"};

/* The same where a file calls the list "layer", as AltCLIP's may. */
static const am_pre_norm_names singular_names = {.layers = "encoder.layer",
                                                 .attention = "self_attn",
                                                 .norm_before = "layer_norm1",
                                                 .norm_after = "layer_norm2",
                                                 .up = "mlp.fc1",
                                                 .down = "mlp.fc2"};

static const am_clip_family *family_of(am_builder *b)
{
    return am_model_family(b);
}

static int64_t or_default(int64_t number, int64_t fallback)
{
    return number ? number : fallback;
}

am_config am_clip_part_config(am_builder *b, const char *key)
{
    const am_config *c = am_model_config(b);
    char old[64];
    snprintf(old, sizeof old, "%s_dict", key);
    const char *found = am_config_has(c, old) ? old : key;
    bool has_parts = am_config_has(c, found) || am_config_is(c, "model_type", family_of(b)->name);
    return has_parts ? am_config_child(c, found) : *c;
}

const char *am_clip_tower_scope(am_builder *b, const char *name, const char *weight)
{
    char path[128];
    snprintf(path, sizeof path, "%s.%s", name, weight);
    return am_has_weight(b, path) ? name : "";
}

am_pre_norm_options am_clip_layers_read(const am_config *c, int64_t hidden_size, int64_t intermediate_size,
                                        int64_t heads, const char *hidden_states)
{
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
        .intermediate_size = am_config_size(c, "intermediate_size", intermediate_size),
        .hidden_act = am_config_activation(c, "hidden_act", AM_QUICK_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .attention = {.heads = am_config_size(c, "num_attention_heads", heads)},
        .names = &am_clip_names,
        .hidden_states = hidden_states,
    };
    am_config_check_divides(c, "num_attention_heads", o.attention.heads, "hidden_size", hidden_size);
    return o;
}

/* --- text tower --- */

am_value am_clip_embed_text(am_builder *b, const am_config *c, int64_t C, int64_t vocab_size, int64_t positions)
{
    am_value ids = am_input(b, "input_ids", 2);
    int64_t T = am_dim(b, ids, 1), limit = am_config_size(c, "max_position_embeddings", positions);
    if (T > limit)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_ids has %" PRId64 " tokens, at most %" PRId64
                                    " are possible (max_position_embeddings)",
                                    T, limit));
    am_scope(b, "embeddings");
    am_value x = am_embedding(b, "token_embedding", ids, am_config_size(c, "vocab_size", vocab_size), C);
    x = am_add(b, x, am_embedding(b, "position_embedding", am_position_ids(b, T), limit, C));
    am_end_scope(b);
    return x;
}

/* I32 [B]: where each text ends; 0 in a row without an end token. */
static am_value end_of_text(am_builder *b, const am_config *c)
{
    am_value ids = am_input(b, "input_ids", 2);
    am_clip_end end = family_of(b)->end;
    int64_t eos = am_config_int(c, "eos_token_id", 49407);
    bool largest = end == AM_CLIP_END_LARGEST || (end == AM_CLIP_END_TOKEN && eos == EOS_OF_OLD_FILES);
    if (!largest) ids = am_cast(b, am_binary_number(b, AM_EQUAL, ids, (double)eos), AM_I32);
    return am_arg_reduce(b, ids, 1, false);
}

am_clip_output am_clip_text_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    const am_clip_family *f = family_of(b);
    int64_t C = am_config_size(c, "hidden_size", or_default(f->text_hidden_size, 512));
    am_pre_norm_options encoder = am_clip_layers_read(c, C, or_default(f->text_intermediate_size, 2048),
                                                      or_default(f->text_heads, 8), hidden_states);
    encoder.attention.causal = true;
    encoder.attention.mask = am_padding_mask(b, "attention_mask");
    am_scope(b, "%s", am_clip_tower_scope(b, "text_model", "final_layer_norm.weight"));
    am_value x = am_clip_embed_text(b, c, C, 49408, or_default(f->text_positions, 77));
    x = am_pre_norm_layers(b, x, &encoder);
    x = am_layer_norm(b, "final_layer_norm", x, encoder.layer_norm_eps);
    am_end_scope(b);
    return (am_clip_output){x, am_rows_at(b, x, end_of_text(b, c))};
}

/* --- image tower --- */

static am_image_options read_image(am_builder *b, const am_config *c)
{
    const am_clip_family *f = family_of(b);
    return am_image_options_read(c, or_default(f->image_size, 224), or_default(f->patch_size, 32));
}

am_value am_clip_pixels(am_builder *b, const am_config *c)
{
    am_image_options image = read_image(b, c);
    return family_of(b)->resizes_positions ? am_pixel_values(b, image.num_channels) : am_pixel_values_sized(b, &image);
}

/* Positions of class token and patches for images of pixels: [1 + N, C] as they are, or resized [1, 1 + N, C]. */
static am_value positions(am_builder *b, const am_image_options *image, am_value pixels, am_value x)
{
    int64_t count = am_image_patches(image), side = image->image_size[0] / image->patch_size[0], from[] = {side, side};
    int64_t height = am_dim(b, pixels, 2), width = am_dim(b, pixels, 3),
            to[] = {height / image->patch_size[0], width / image->patch_size[1]};
    am_value all = am_parameter(b, "position_embedding.weight", am_shape_of(count + 1, am_dim(b, x, 2)), x);
    if (to[0] * to[1] == count && (height == width || !family_of(b)->resizes_positions)) return all;
    if (side * side != count)
        am_config_unsupported(am_model_config(b), "image_size", "positions are resized from squares only");
    all = am_unsqueeze(b, all, 0);
    am_value patches = am_resize_patches(b, am_slice(b, all, 1, 1, AM_SLICE_END), from, to, false);
    return am_concat2(b, am_slice(b, all, 1, 0, 1), patches, 1);
}

am_value am_clip_embed_image(am_builder *b, const am_config *c, am_value pixels, int64_t C)
{
    am_image_options image = read_image(b, c);
    am_scope(b, "embeddings");
    am_value x = am_patch_convolution(b, "patch_embedding", pixels, C, image.patch_size, AM_NO_BIAS);
    x = am_prepend_token(b, "class_embedding", am_shape_of(C), am_image_tokens(b, x));
    x = am_add(b, x, positions(b, &image, pixels, x));
    am_end_scope(b);
    return x;
}

am_clip_output am_clip_image_tower_of(am_builder *b, const am_config *c, am_value pixels, const char *hidden_states,
                                      am_value *out_states)
{
    const char *norm = family_of(b)->image_norm ? family_of(b)->image_norm : "pre_layrnorm"; /* CLIP spells it so */
    int64_t C = am_config_size(c, "hidden_size", 768);
    am_pre_norm_options encoder = am_clip_layers_read(c, C, 3072, 12, hidden_states);
    encoder.out_states = out_states;
    am_scope(b, "%s", am_clip_tower_scope(b, "vision_model", "post_layernorm.weight"));
    if (am_has_weight(b, "encoder.layer.0.layer_norm1.weight")) encoder.names = &singular_names;
    am_value x = am_layer_norm(b, norm, am_clip_embed_image(b, c, pixels, C), encoder.layer_norm_eps);
    x = am_pre_norm_layers(b, x, &encoder);
    am_value pooled = am_layer_norm(b, "post_layernorm", am_index(b, x, 1, 0), encoder.layer_norm_eps);
    am_end_scope(b);
    return (am_clip_output){x, pooled};
}

am_clip_output am_clip_image_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    return am_clip_image_tower_of(b, c, am_clip_pixels(b, c), hidden_states, NULL);
}

/* --- both --- */

am_clip_output am_clip_text(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_clip_tower *tower = family_of(b)->text;
    return (tower ? tower : am_clip_text_tower)(b, c, hidden_states);
}

am_clip_output am_clip_image(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_clip_tower *tower = family_of(b)->image;
    return (tower ? tower : am_clip_image_tower)(b, c, hidden_states);
}

am_value am_clip_project(am_builder *b, const char *name, am_value pooled, const am_config *c)
{
    const am_clip_family *f = family_of(b);
    if (f->project) return f->project(b, name, pooled, c);
    return am_linear(b, name, pooled, am_config_size(c, "projection_dim", or_default(f->projection_dim, 512)),
                     AM_NO_BIAS);
}

void am_clip_output_logits(am_builder *b, am_value texts, am_value images)
{
    am_value scale = am_unary(b, AM_EXP, am_parameter(b, "logit_scale", (am_shape){0}, texts));
    am_value logits = am_mul(b, am_matmul(b, texts, images, false, true), scale);
    am_output(b, "logits_per_image", am_transpose(b, logits, 0, 1));
    am_output(b, "logits_per_text", logits);
    am_output(b, "text_embeds", texts);
    am_output(b, "image_embeds", images);
}

void am_clip_output_tower(am_builder *b, const char *prefix, const am_clip_output *tower)
{
    char name[128];
    snprintf(name, sizeof name, "%s.last_hidden_state", prefix);
    am_output(b, name, tower->last_hidden_state);
    snprintf(name, sizeof name, "%s.pooler_output", prefix);
    am_output(b, name, tower->pooled);
}

/* --- classes --- */

void am_clip_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text_config = am_clip_part_config(b, "text_config"),
              vision_config = am_clip_part_config(b, "vision_config");
    am_clip_output text = am_clip_text(b, &text_config, "text_model_output.hidden_states");
    am_clip_output image = am_clip_image(b, &vision_config, "vision_model_output.hidden_states");
    am_value words = am_clip_project(b, "text_projection", text.pooled, c),
             pictures = am_clip_project(b, "visual_projection", image.pooled, c);
    if (!family_of(b)->gives_unprojected) {
        text.pooled = words;
        image.pooled = pictures;
    }
    am_clip_output_logits(b, am_unit_length(b, words, 0), am_unit_length(b, pictures, 0));
    am_clip_output_tower(b, "text_model_output", &text);
    am_clip_output_tower(b, "vision_model_output", &image);
}

void am_clip_text_model(am_builder *b)
{
    am_config c = am_clip_part_config(b, "text_config");
    am_clip_output text = am_clip_text(b, &c, NULL);
    am_output(b, "last_hidden_state", text.last_hidden_state);
    am_output(b, "pooler_output", text.pooled);
}

void am_clip_text_model_with_projection(am_builder *b)
{
    am_config c = am_clip_part_config(b, "text_config");
    am_clip_output text = am_clip_text(b, &c, NULL);
    am_output(b, "text_embeds", am_clip_project(b, "text_projection", text.pooled, &c));
    am_output(b, "last_hidden_state", text.last_hidden_state);
}

void am_clip_vision_model(am_builder *b)
{
    am_config c = am_clip_part_config(b, "vision_config");
    am_clip_output image = am_clip_image(b, &c, NULL);
    am_output(b, "last_hidden_state", image.last_hidden_state);
    am_output(b, "pooler_output", image.pooled);
}

void am_clip_vision_model_with_projection(am_builder *b)
{
    am_config c = am_clip_part_config(b, "vision_config");
    am_clip_output image = am_clip_image(b, &c, NULL);
    am_output(b, "image_embeds", am_clip_project(b, "visual_projection", image.pooled, &c));
    am_output(b, "last_hidden_state", image.last_hidden_state);
}

/* Mean of the patches, without the class token and before the norm. */
void am_clip_for_image_classification(am_builder *b)
{
    am_config c = am_clip_part_config(b, "vision_config");
    am_value patches = am_slice(b, am_clip_image(b, &c, NULL).last_hidden_state, 1, 1, AM_SLICE_END);
    am_value mean = am_reduce(b, AM_REDUCE_MEAN, patches, am_shape_of(1), false);
    am_output(b, "logits", am_linear(b, "classifier", mean, am_config_labels(am_model_config(b)), AM_BIAS));
}

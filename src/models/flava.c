/* FLAVA: pre-norm layers over the words of a text, the same over the patches of an image, and such layers over the
   unnormed last states of both; a codebook of images by convolution. transformers: models/flava/modeling_flava.py */
#include "models/blocks/clip.h"
#include "models/blocks/detr.h"
#include "models/blocks/encoder.h"
#include "models/blocks/vit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const am_vit_family family = {.derives_head_dim = true};

/* What a tower computes, of B texts, images or pairs. */
typedef struct tower {
    am_value last;         /* what came out of the last layer: [B, N, C] */
    am_clip_output output; /* the same through the norm, and pooled */
} tower;

/* Outputs NAME.0 .., wanted or not. */
static void output_states(am_builder *b, const char *name, const am_value *states, int64_t count)
{
    char each[64];
    for (int64_t i = 0; i < count && !am_builder_failed(b); i++) {
        snprintf(each, sizeof each, "%s.%" PRId64, name, i);
        am_output(b, each, states[i]);
    }
}

/* The layers over x: [B, N, C] and what stands behind them, below the tower's scope; hidden_states: their name, which
   all of them have that are part of an output ("text_output.hidden_states"). */
static tower encode(am_builder *b, am_value x, am_pre_norm_options *o, const char *hidden_states)
{
    bool always = strchr(hidden_states, '.');
    o->hidden_states = always ? "" : hidden_states;
    if (always) o->out_states = am_states_make(b, o->num_hidden_layers).items;
    am_value last = am_pre_norm_layers(b, x, o);
    if (o->out_states) output_states(b, hidden_states, o->out_states, o->num_hidden_layers + 1);
    am_value normed = am_layer_norm(b, "layernorm", last, o->layer_norm_eps);
    return (tower){last, {normed, am_bert_pooler(b, "", normed)}};
}

static tower text_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    am_bert_options words = am_bert_options_read(c);
    am_pre_norm_options o = am_vit_layers_read(c, &family, words.hidden_size);
    o.attention.mask = am_padding_mask(b, "attention_mask");
    return encode(b, am_bert_embeddings(b, &words), &o, hidden_states);
}

/* x: [B, rows * columns, C] with a token of its own where the input bool_masked_pos, of [B, rows, columns] or flat,
   says so. */
static am_value mask_patches(am_builder *b, am_value x)
{
    int64_t B = am_dim(b, x, 0), N = am_dim(b, x, 1), C = am_dim(b, x, 2);
    am_value masked = am_input_optional(b, "bool_masked_pos", -1);
    if (!masked.id) return x;
    if (am_rank(b, masked) == 3) masked = am_flatten(b, masked, 1, 2);
    masked = am_binary_number(b, AM_NOT_EQUAL, am_cast(b, masked, AM_I32), 0);
    am_value token = am_parameter(b, "mask_token", am_shape_of(1, 1, C), x);
    return am_select(b, am_reshape(b, masked, am_shape_of(B, N, 1)), token, x);
}

static tower image_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    int64_t C = am_config_size(c, "hidden_size", 768);
    am_image_options image = am_image_options_read(c, 224, 16);
    am_pre_norm_options o = am_vit_layers_read(c, &family, C);
    am_shape token = am_shape_of(1, 1, C);
    am_scope(b, "embeddings");
    am_value x = am_pixel_values_sized(b, &image);
    x = am_image_tokens(b, am_patch_convolution(b, "patch_embeddings.projection", x, C, image.patch_size, AM_BIAS));
    x = am_prepend_token(b, "cls_token", token, mask_patches(b, x));
    x = am_add(b, x, am_parameter(b, "position_embeddings", am_shape_of(1, 1 + am_image_patches(&image), C), x));
    am_end_scope(b);
    return encode(b, x, &o, hidden_states);
}

static bool takes_token(const am_config *c)
{
    return am_config_flag(c, "use_cls_token", true);
}

/* x: [B, N, C] of the tower's width; attended: [B, 1 + N], without the 1 where no token stands first, or AM_NONE. */
static tower joint_tower(am_builder *b, const am_config *c, am_value x, am_value attended, const char *hidden_states)
{
    int64_t C = am_config_size(c, "hidden_size", 768);
    am_pre_norm_options o = am_vit_layers_read(c, &family, C);
    if (takes_token(c)) x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, C), x);
    o.attention.mask = am_padding_mask_of(b, attended);
    return encode(b, x, &o, hidden_states);
}

static void output_tower(am_builder *b, const tower *t)
{
    am_output(b, "last_hidden_state", t->output.last_hidden_state);
    am_output(b, "pooler_output", t->output.pooled);
}

/* --- classes of one tower, whose checkpoints may hold all of them --- */

static void text_model(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "flava", "text_config");
    am_scope(b, "%s", am_clip_tower_scope(b, "text_model", "layernorm.weight"));
    tower text = text_tower(b, &c, "hidden_states");
    am_end_scope(b);
    output_tower(b, &text);
}

static void image_model(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "flava", "image_config");
    am_scope(b, "%s", am_clip_tower_scope(b, "image_model", "layernorm.weight"));
    tower image = image_tower(b, &c, "hidden_states");
    am_end_scope(b);
    output_tower(b, &image);
}

static void multimodal_model(am_builder *b)
{
    am_config c = am_config_part(am_model_config(b), "flava", "multimodal_config");
    am_value x = am_input(b, "hidden_states", 3);
    am_scope(b, "%s", am_clip_tower_scope(b, "multimodal_model", "layernorm.weight"));
    tower joint = joint_tower(b, &c, x, am_input_optional(b, "attention_mask", 2), "hidden_states");
    am_end_scope(b);
    output_tower(b, &joint);
}

/* --- all towers --- */

static void output_part(am_builder *b, const char *embeddings, const char *output, const tower *t)
{
    am_output(b, embeddings, t->output.last_hidden_state);
    am_clip_output_tower(b, output, &t->output);
}

/* image, text: [B, N, C], [B, T, C'], unnormed. */
static void join(am_builder *b, const am_config *c, am_value image, am_value text)
{
    int64_t C = am_config_size(c, "hidden_size", 768), token = takes_token(c);
    image = am_linear(b, "image_to_mm_projection", image, C, AM_BIAS);
    text = am_linear(b, "text_to_mm_projection", text, C, AM_BIAS);
    am_value attended = am_join_attended(b, AM_NONE, token + am_dim(b, image, 1),
                                         am_input_optional(b, "attention_mask", 2), am_dim(b, text, 1));
    am_scope(b, "multimodal_model");
    tower joint = joint_tower(b, c, am_concat2(b, image, text, 1), attended, "");
    am_end_scope(b);
    output_part(b, "multimodal_embeddings", "multimodal_output", &joint);
}

static void flava_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config image_config = am_config_child(c, "image_config"), text_config = am_config_child(c, "text_config"),
              joint_config = am_config_child(c, "multimodal_config");
    bool sees = am_has_input(b, "pixel_values"), reads = am_has_input(b, "input_ids") || !sees;
    tower image = {0}, text = {0};
    if (sees) {
        am_scope(b, "image_model");
        image = image_tower(b, &image_config, "image_output.hidden_states");
        am_end_scope(b);
        output_part(b, "image_embeddings", "image_output", &image);
    }
    if (reads) {
        am_scope(b, "text_model");
        text = text_tower(b, &text_config, "text_output.hidden_states");
        am_end_scope(b);
        output_part(b, "text_embeddings", "text_output", &text);
    }
    if (sees && reads) join(b, &joint_config, image.last, text.last);
}

/* --- codebook --- */

static am_value square_convolution(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel)
{
    int64_t half = kernel / 2;
    am_convolution_attributes options = {.padding_before = am_shape_of(half, half),
                                         .padding_after = am_shape_of(half, half)};
    return am_conv(b, name, x, out, am_shape_of(kernel, kernel), AM_BIAS, &options);
}

/* x: [B, in, rows, columns] -> [B, out, rows, columns]. */
static am_value codebook_block(am_builder *b, am_value x, int64_t out, double gain)
{
    am_value kept = am_dim(b, x, 1) == out ? x : square_convolution(b, "id_path", x, out, 1);
    am_scope(b, "res_path.path");
    x = square_convolution(b, "conv_1", am_unary(b, AM_RELU, x), out / 4, 3);
    x = square_convolution(b, "conv_2", am_unary(b, AM_RELU, x), out / 4, 3);
    x = square_convolution(b, "conv_3", am_unary(b, AM_RELU, x), out / 4, 3);
    x = square_convolution(b, "conv_4", am_unary(b, AM_RELU, x), out, 1);
    am_end_scope(b);
    return am_add(b, kept, am_mul_number(b, x, gain));
}

/* Scores of each of the vocabulary's tokens at each place: [B, vocabulary, rows / 8, columns / 8]. There are four
   groups, whatever num_groups says. */
static void image_codebook(am_builder *b)
{
    enum { GROUPS = 4 };
    am_config c = am_config_part(am_model_config(b), "flava", "image_codebook_config");
    int64_t width = am_config_size(&c, "hidden_size", 256), blocks = am_config_count(&c, "num_blocks_per_group", 2);
    double layers = (double)am_config_size(&c, "num_groups", GROUPS) * (double)blocks;
    am_pool_attributes halving = {.fn = AM_POOL_MAX, .kernel = am_shape_of(2, 2)};
    if (width < GROUPS) am_config_fail(&c, "hidden_size", "expected %d or more", GROUPS);
    am_value x = am_pixel_values(b, am_config_size(&c, "input_channels", 3));
    am_scope(b, "%s", am_clip_tower_scope(b, "image_codebook", "blocks.input.weight"));
    am_scope(b, "blocks");
    x = square_convolution(b, "input", x, width, 7);
    for (int group = 0; group < GROUPS && !am_builder_failed(b); group++) {
        for (int i = 0; i < blocks && !am_builder_failed(b); i++) {
            am_scope(b, "group_%d.group.block_%d", group + 1, i + 1);
            x = codebook_block(b, x, width << group, 1 / (layers * layers));
            am_end_scope(b);
        }
        if (group + 1 < GROUPS) x = am_pool(b, x, &halving);
    }
    int64_t vocabulary = am_config_size(&c, "vocab_size", 8192);
    am_output(b, "output", square_convolution(b, "output.conv", am_unary(b, AM_RELU, x), vocabulary, 1));
    am_end_scope(b);
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"FlavaModel", flava_model, NULL, 0},
    {"FlavaTextModel", text_model, NULL, 0},
    {"FlavaImageModel", image_model, NULL, 0},
    {"FlavaMultimodalModel", multimodal_model, NULL, 0},
    {"FlavaImageCodebook", image_codebook, NULL, 0},
    {0},
};

const am_model_type am_model_flava = {
    .name = "flava flava_text_model flava_image_model flava_multimodal_model flava_image_codebook",
    .base_prefix = "flava",
    .architectures = architectures};

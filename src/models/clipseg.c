/* CLIPSeg: CLIP, and a decoder that makes a mask of what its image tower had in some layers, told by a text or another
   image what to look for. transformers: models/clipseg/modeling_clipseg.py */
#include "models/blocks/clip.h"
#include "models/blocks/heads.h"
#include "models/blocks/vision_language.h"

#include <stdio.h>

enum { LAYERS_LIMIT = 64 };

typedef struct decoder {
    am_config vision;
    am_pre_norm_options layer; /* its fields; norms stand after attention and mlp */
    int64_t reduce_dim, projection_dim, conditional_layer;
    int64_t patch_size;
    int64_t extract_layers[LAYERS_LIMIT];
    int count;
    bool complex; /* three convolutions in place of one */
} decoder;

static decoder read_decoder(am_builder *b)
{
    static const int64_t layers[] = {3, 6, 9};
    const am_config *c = am_model_config(b);
    decoder d = {.vision = am_clip_part_config(b, "vision_config"),
                 .reduce_dim = am_config_size(c, "reduce_dim", 64),
                 .projection_dim = am_config_size(c, "projection_dim", 512),
                 .conditional_layer = am_config_count(c, "conditional_layer", 0),
                 .complex = am_config_flag(c, "use_complex_transposed_convolution", false)};
    d.count = am_config_sizes(c, "extract_layers", d.extract_layers, LAYERS_LIMIT, layers, 3);
    d.patch_size = am_image_options_read(&d.vision, 224, 32).patch_size[0];
    d.layer = am_clip_layers_read(&d.vision, am_config_size(&d.vision, "hidden_size", 768), 3072, 12, "");
    for (int i = 0; i < d.count; i++)
        if (d.extract_layers[i] >= d.layer.num_hidden_layers)
            am_config_fail(c, "extract_layers", "the image tower has %lld layers",
                           (long long)d.layer.num_hidden_layers);
    if (d.count == 0) am_config_fail(c, "extract_layers", "expected one or more");
    if (d.complex && d.patch_size / 4 < 1)
        am_config_fail(c, "use_complex_transposed_convolution", "a patch is too small");
    d.layer.attention.heads = am_config_size(c, "decoder_num_attention_heads", 4);
    d.layer.intermediate_size = am_config_size(c, "decoder_intermediate_size", 2048);
    d.layer.hidden_act = AM_RELU;
    am_config_check_divides(c, "decoder_num_attention_heads", d.layer.attention.heads, "reduce_dim", d.reduce_dim);
    return d;
}

/* x: [B, T, C] -> [B, T, C], below layers.<i>. */
static am_value decoder_layer(am_builder *b, am_value x, int i, const am_pre_norm_options *o)
{
    int64_t C = am_dim(b, x, 2);
    am_scope(b, "layers.%d", i);
    am_scope(b, "self_attn");
    am_value h = am_self_attention(b, x, &o->attention);
    am_end_scope(b);
    x = am_layer_norm(b, "layer_norm1", am_add(b, x, h), o->layer_norm_eps);
    h = am_linear_activation(b, "mlp.fc1", x, o->intermediate_size, AM_BIAS, o->hidden_act);
    x = am_layer_norm(b, "layer_norm2", am_add(b, x, am_linear(b, "mlp.fc2", h, C, AM_BIAS)), o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* NAME.weight: [C, out, k, k] by steps of k: x: [B, C, H, W] -> [B, out, H k, W k]. */
static am_value enlarge(am_builder *b, const char *name, am_value x, int64_t out, int64_t k)
{
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, 1), out, k, k)),
             bias = am_weight(b, "bias", am_shape_of(out));
    am_end_scope(b);
    return am_conv_transpose(b, x, weight, bias, &(am_convolution_attributes){.stride = am_shape_of(k, k)});
}

/* x: [B, R, rows, columns] -> [B, height, width] */
static am_value draw(am_builder *b, am_value x, const decoder *d)
{
    int64_t R = d->reduce_dim, k = d->patch_size / 4;
    if (!d->complex) return am_squeeze(b, enlarge(b, "transposed_convolution", x, 1, d->patch_size), 1);
    am_convolution_attributes around = {.padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    am_scope(b, "transposed_convolution");
    x = am_unary(b, AM_RELU, am_conv(b, "0", x, R, am_shape_of(3, 3), AM_BIAS, &around));
    x = am_unary(b, AM_RELU, enlarge(b, "2", x, R / 2, k));
    x = am_squeeze(b, enlarge(b, "4", x, 1, k), 1);
    am_end_scope(b);
    return x;
}

/* states: those of all layers of the image tower; sought: [B, projection_dim]; out_states: what goes into the decoder's
   first layer, and what comes out of each. */
static am_value decode(am_builder *b, const decoder *d, const am_value *states, am_value sought, am_value *out_states)
{
    int64_t R = d->reduce_dim;
    am_value x = AM_NONE;
    am_scope(b, "decoder");
    for (int i = 0; i < d->count && !am_builder_failed(b); i++) {
        char name[32];
        snprintf(name, sizeof name, "reduces.%d", i);
        am_value h = am_linear(b, name, states[d->extract_layers[d->count - 1 - i] + 1], R, AM_BIAS);
        x = x.id ? am_add(b, h, x) : h;
        if (i == d->conditional_layer) {
            x = am_mul(b, x, am_unsqueeze(b, am_linear(b, "film_mul", sought, R, AM_BIAS), 1));
            x = am_add(b, x, am_unsqueeze(b, am_linear(b, "film_add", sought, R, AM_BIAS), 1));
        }
        if (i == 0) out_states[0] = x;
        x = decoder_layer(b, x, i, &d->layer);
        out_states[i + 1] = x;
    }
    x = am_transpose(b, am_slice(b, x, 1, 1, AM_SLICE_END), 1, 2);
    int64_t side = am_square_side(b, am_dim(b, x, 2));
    x = draw(b, am_reshape(b, x, am_shape_of(am_dim(b, x, 0), R, side, side)), d);
    am_end_scope(b);
    return x;
}

/* What is looked for, [B, projection_dim]: the inputs conditional_embeddings, input_ids or conditional_pixel_values. */
static am_value sought(am_builder *b, const decoder *d)
{
    if (am_has_input(b, "conditional_embeddings")) return am_input(b, "conditional_embeddings", 2);
    am_config text = am_clip_part_config(b, "text_config");
    am_scope(b, "clip");
    am_value x;
    if (am_has_input(b, "input_ids") || !am_has_input(b, "conditional_pixel_values"))
        x = am_clip_project(b, "text_projection", am_clip_text(b, &text, "").pooled, am_model_config(b));
    else {
        am_value pixels = am_input(b, "conditional_pixel_values", 4);
        x = am_clip_image_tower_of(b, &d->vision, pixels, "", NULL).pooled;
        x = am_clip_project(b, "visual_projection", x, am_model_config(b));
    }
    am_end_scope(b);
    return x;
}

/* Whether state i is one after a layer that the decoder reads. */
static bool is_read(const decoder *d, int64_t i)
{
    for (int j = 0; j < d->count; j++)
        if (d->extract_layers[j] + 1 == i) return true;
    return false;
}

/* Outputs PREFIX.hidden_states.<i>: all where they are wanted, else those whose numbers are read. */
static void output_states(am_builder *b, const decoder *d, const char *prefix, const am_value *states, int64_t layers)
{
    for (int64_t i = 0; i <= layers; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.hidden_states.%d", prefix, (int)i);
        if (am_wants_hidden_states(b) || is_read(d, i)) am_output(b, name, states[i]);
    }
}

static void for_image_segmentation(am_builder *b)
{
    decoder d = read_decoder(b);
    am_value *states = am_arena_array(am_builder_arena(b), (size_t)d.layer.num_hidden_layers + 1, sizeof *states);
    if (!states) {
        am_builder_fail(b, am_out_of_memory());
        return;
    }
    am_scope(b, "clip");
    am_clip_output image = am_clip_image_tower_of(b, &d.vision, am_clip_pixels(b, &d.vision), "", states);
    image.pooled = am_clip_project(b, "visual_projection", image.pooled, am_model_config(b));
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    am_value own_states[LAYERS_LIMIT + 1];
    am_value embeddings = sought(b, &d), logits = decode(b, &d, states, embeddings, own_states);
    if (am_builder_failed(b)) return;
    am_output(b, "logits", logits);
    am_output(b, "conditional_embeddings", embeddings);
    am_output(b, "pooled_output", image.pooled);
    am_clip_output_tower(b, "vision_model_output", &image);
    output_states(b, &d, "vision_model_output", states, d.layer.num_hidden_layers);
    am_output(b, "decoder_output.logits", logits);
    output_states(b, &d, "decoder_output", own_states, d.count);
}

static const am_architecture architectures[] = {
    {"CLIPSegModel", am_clip_model, "zero-shot-image-classification", 0},
    {"CLIPSegTextModel", am_clip_text_model, NULL, 0},
    {"CLIPSegVisionModel", am_clip_vision_model, NULL, 0},
    {"CLIPSegForImageSegmentation", for_image_segmentation, NULL, 0},
    {0},
};

static const am_clip_family family = {.name = "clipseg", .resizes_positions = true};

const am_model_type am_model_clipseg = {.name = "clipseg clipseg_text_model clipseg_vision_model",
                                        .base_prefix = "clip",
                                        .architectures = architectures,
                                        .family = &family};

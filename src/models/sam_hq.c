/* SAM-HQ: SAM with one more token, whose mask is finer: it is made of the image encoder's first states without windows,
   too, and added to SAM's. transformers: models/sam_hq/modeling_sam_hq.py */
#include "models/blocks/sam.h"

#include "models/blocks/layers.h"
#include "models/blocks/masked_autoencoder.h"
#include "models/blocks/vision.h"

#include <stdio.h>

static const double NORM_EPS = 1e-6;

static void output_states(am_builder *b, const am_sam_image *image)
{
    char name[64];
    for (int i = 0; i < image->count; i++) {
        snprintf(name, sizeof name, "intermediate_embeddings.%d", i);
        am_output(b, name, image->states[i]);
    }
}

static void vision_model(am_builder *b)
{
    am_sam_image image = am_sam_encode_image(b, am_model_config(b), "vision_encoder", "hidden_states", 0);
    am_output(b, "last_hidden_state", image.embeddings);
    output_states(b, &image);
}

/* conv2(gelu(norm(conv1(x)))), both doubling: x: [B, C', h, w] -> [B, out, 4 h, 4 w]. */
static am_value upscale(am_builder *b, am_value x, const char *conv1, const char *norm, const char *conv2,
                        int64_t inner, int64_t out)
{
    x = am_unary(b, AM_GELU, am_layer_norm_channels_first(b, norm, am_sam_double(b, conv1, x, inner), NORM_EPS));
    return am_sam_double(b, conv2, x, out);
}

/* The features of fine masks: [B, C / 8, 4 h, 4 w]. states: [B, h, w, C'] or AM_NONE. */
static am_value fine_features(am_builder *b, am_value image, am_value states, int64_t C)
{
    am_value x = upscale(b, image, "encoder_conv1", "encoder_norm", "encoder_conv2", C / 4, C / 8);
    if (!states.id) return x;
    states = am_permute(b, states, am_shape_of(0, 3, 1, 2));
    return am_add(b, x, upscale(b, states, "compress_vit_conv1", "compress_vit_norm", "compress_vit_conv2", C, C / 8));
}

/* Maps of the fine mask: [B P, C / 8, 4 h, 4 w]. */
static am_value fine_maps(am_builder *b, const am_sam_decoded *d, am_value features, int64_t C)
{
    am_shape one = am_shape_of(1, 1), kernel = am_shape_of(3, 3);
    am_convolution_attributes around = {.padding_before = one, .padding_after = one};
    am_value x = am_conv(b, "mask_conv1", d->upscaled, C / 4, kernel, AM_BIAS, &around);
    x = am_unary(b, AM_GELU, am_layer_norm_channels_first(b, "mask_norm", x, NORM_EPS));
    x = am_conv(b, "mask_conv2", x, C / 8, kernel, AM_BIAS, &around);
    am_shape s = am_shape_of_value(b, x), split = am_shape_of(d->B, d->P, s.dims[1], s.dims[2], s.dims[3]);
    return am_reshape(b, am_add(b, am_reshape(b, x, split), am_unsqueeze(b, features, 1)), s);
}

/* Masks [B, P, n, H, W] and scores [B, P, n], the best first. */
static void sort_masks(am_builder *b, am_value *masks, am_value *scores)
{
    am_value order = AM_NONE;
    am_shape s = am_shape_of_value(b, *masks);
    *scores = am_sort(b, *scores, 2, true, &order);
    am_value rows = am_reshape(b, *masks, am_shape_of(s.dims[0] * s.dims[1], s.dims[2], s.dims[3] * s.dims[4]));
    *masks = am_reshape(b, am_tokens_at(b, rows, am_flatten(b, order, 0, 1)), s);
}

static void sam_hq_model(am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    bool several = am_model_argument(b, "multimask_output", 1) != 0;
    am_sam_image image = {.count = 0};
    if (am_has_input(b, "pixel_values"))
        image = am_sam_encode_image(b, &vision, "vision_encoder", "vision_hidden_states", 0);
    else {
        image.embeddings = am_input(b, "image_embeddings", 4);
        image.states[0] = am_input_optional(b, "intermediate_embeddings.0", 4);
    }
    am_value states = image.states[0];
    am_sam_prompts prompts = am_sam_read_prompts(b);
    am_sam_decoded decoded = am_sam_decode(b, image.embeddings, &prompts, "hq_token.weight");
    int64_t C = am_dim(b, decoded.tokens, -1), n = decoded.masks;
    am_scope(b, "mask_decoder");
    am_value masks = am_sam_masks(b, &decoded, am_sam_hyper(b, &decoded), decoded.upscaled),
             scores = am_sam_scores(b, &decoded), token = am_slice(b, decoded.tokens, 1, 1 + n, 2 + n),
             maps = fine_maps(b, &decoded, fine_features(b, image.embeddings, states, C), C);
    am_value fine = am_sam_masks(b, &decoded, am_sam_feed_forward(b, "hq_mask_mlp", token, C, C / 8, 3), maps);
    am_end_scope(b);
    scores = am_slice(b, am_reshape(b, scores, am_shape_of(decoded.B, decoded.P, n)), 2, several, several ? n : 1);
    masks = am_slice(b, masks, 2, several, several ? n : 1);
    if (several) sort_masks(b, &masks, &scores);
    am_output(b, "iou_scores", scores);
    am_output(b, "pred_masks", am_model_argument(b, "hq_token_only", 0) ? fine : am_add(b, masks, fine));
}

static const am_architecture architectures[] = {
    {"SamHQModel", sam_hq_model, NULL, 0},
    {"SamHQVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_sam_hq = {
    .name = "sam_hq sam_hq_vision_model", .base_prefix = "sam_hq", .architectures = architectures};

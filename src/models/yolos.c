/* YOLOS (arXiv 2106.00666): ViT with detection tokens behind the patches, whose states two small networks read, and
   with positions that are added again between layers. transformers: models/yolos/modeling_yolos.py */
#include "models/blocks/vit.h"

#include <inttypes.h>
#include <stdio.h>

enum { HEAD_LAYERS = 3 };

typedef struct yolos_config {
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size, tokens; /* to detect with */
    bool mid_positions;
    int64_t patches[2]; /* rows and columns of the images given */
} yolos_config;

static yolos_config read_config(am_builder *b)
{
    static const am_vit_family family = {.derives_head_dim = true};
    const am_config *c = am_model_config(b);
    yolos_config y = {
        .image = am_image_options_read(c, 512, 16),
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .tokens = am_config_size(c, "num_detection_tokens", 100),
        .mid_positions = am_config_flag(c, "use_mid_position_embeddings", true),
    };
    if (!am_config_has(c, "image_size")) y.image.image_size[1] = 864;
    y.encoder = am_vit_layers_read(c, &family, y.hidden_size);
    return y;
}

/* Positions of the class token, the patches of image_size, and the detection tokens, as those of the images given:
   x: [1, T, C] -> [1, T', C]. */
static am_value fit_positions(am_builder *b, am_value x, const yolos_config *y)
{
    const am_image_options *o = &y->image;
    int64_t from[] = {o->image_size[0] / o->patch_size[0], o->image_size[1] / o->patch_size[1]};
    if (from[0] == y->patches[0] && from[1] == y->patches[1]) return x;
    am_value patches = am_slice(b, x, 1, 1, -y->tokens);
    am_value parts[] = {am_slice(b, x, 1, 0, 1), am_resize_patches(b, patches, from, y->patches, false),
                        am_slice(b, x, 1, -y->tokens, AM_SLICE_END)};
    return am_concat(b, parts, 3, 1);
}

static int64_t position_count(const yolos_config *y)
{
    return 1 + am_image_patches(&y->image) + y->tokens;
}

static am_value embed(am_builder *b, yolos_config *y)
{
    int64_t C = y->hidden_size;
    am_value x = am_pixel_values(b, y->image.num_channels);
    am_scope(b, "embeddings");
    x = am_patch_convolution(b, "patch_embeddings.projection", x, C, y->image.patch_size, AM_BIAS);
    y->patches[0] = am_dim(b, x, 2);
    y->patches[1] = am_dim(b, x, 3);
    x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, C), am_image_tokens(b, x));
    am_value tokens = am_parameter(b, "detection_tokens", am_shape_of(1, y->tokens, C), x);
    x = am_concat2(b, x, am_broadcast(b, tokens, am_shape_of(am_dim(b, x, 0), y->tokens, C)), 1);
    am_value places = am_parameter(b, "position_embeddings", am_shape_of(1, position_count(y), C), x);
    x = am_add(b, x, fit_positions(b, places, y));
    am_end_scope(b);
    return x;
}

/* x with the positions that follow layer i - 1. */
static am_value add_mid_positions(am_builder *b, am_value x, int i, const am_pre_norm_options *o)
{
    const yolos_config *y = o->context;
    am_shape shape = am_shape_of(o->num_hidden_layers - 1, 1, position_count(y), y->hidden_size);
    am_value all = am_parameter(b, "encoder.mid_position_embeddings", shape, x);
    return am_add(b, x, fit_positions(b, am_index(b, all, 0, i - 1), y));
}

/* Normed last hidden state under `prefix`: [B, 1 + patches + detection tokens, C]. */
static am_value body(am_builder *b, yolos_config *y, const char *prefix)
{
    am_pre_norm_options encoder = y->encoder;
    encoder.context = y;
    if (y->mid_positions) encoder.between = add_mid_positions;
    am_scope(b, "%s", prefix);
    am_value x = am_pre_norm_layers(b, embed(b, y), &encoder);
    x = am_layer_norm(b, "layernorm", x, encoder.layer_norm_eps);
    am_end_scope(b);
    return x;
}

static void yolos_model(am_builder *b)
{
    yolos_config y = read_config(b);
    am_value x = body(b, &y, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.dense.weight")) /* checkpoints of detectors have none */
        am_output(b, "pooler_output",
                  am_linear_activation(b, "pooler.dense", am_index(b, x, 1, 0), y.hidden_size, AM_BIAS, AM_TANH));
}

/* NAME.layers: x: [B, T, C] -> [B, T, out]. */
static am_value head(am_builder *b, const char *name, am_value x, int64_t out)
{
    char layer[32];
    am_scope(b, "%s", name);
    for (int i = 0; i < HEAD_LAYERS; i++) {
        bool last = i == HEAD_LAYERS - 1;
        snprintf(layer, sizeof layer, "layers.%d", i);
        x = am_linear_activation(b, layer, x, last ? out : am_dim(b, x, -1), AM_BIAS, last ? AM_IDENTITY : AM_RELU);
    }
    am_end_scope(b);
    return x;
}

static void for_object_detection(am_builder *b)
{
    yolos_config y = read_config(b);
    int64_t labels = am_config_labels(am_model_config(b));
    am_value x = body(b, &y, "vit"), found = am_slice(b, x, 1, -y.tokens, AM_SLICE_END);
    am_output(b, "logits", head(b, "class_labels_classifier", found, labels + 1)); /* and no object */
    am_output(b, "pred_boxes", am_unary(b, AM_SIGMOID, head(b, "bbox_predictor", found, 4)));
    am_output(b, "last_hidden_state", x);
}

static const am_architecture architectures[] = {
    {"YolosModel", yolos_model, "image-feature-extraction", 0},
    {"YolosForObjectDetection", for_object_detection, "object-detection", 0},
    {0},
};

const am_model_type am_model_yolos = {.name = "yolos", .base_prefix = "vit", .architectures = architectures};

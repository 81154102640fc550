/* ViT and what differs from it little: patches by convolution behind a class token, learned positions,
   pre-norm layers, a norm. A member names its family, and its table of classes the builders below; others take the
   layers only. */
#ifndef AM_MODELS_BLOCKS_VIT_H
#define AM_MODELS_BLOCKS_VIT_H

#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

typedef struct am_vit_options am_vit_options;

/* What a member's descriptor carries as its family. */
typedef struct am_vit_family {
    const char *prefix;     /* of the body in classes with heads: "vit" */
    bool distilled;         /* a distillation token stands behind the class token (DeiT) */
    bool no_class_token;    /* patches alone, whose mean classifiers read (I-JEPA) */
    bool no_pooler;         /* the base model has none, whatever the file has */
    bool derives_head_dim;  /* from hidden_size always */
    double layer_norm_eps;  /* what an absent field stands for; 0: 1e-12 */
    am_unary_fn hidden_act; /* the same; IDENTITY: GELU */

    /* The patches of the class's input, [B, N, C], below the scope embeddings; null: of the images pixel_values. */
    am_value (*patches)(am_builder *b, const am_vit_options *options);
} am_vit_family;

struct am_vit_options {
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size;
    int64_t encoder_stride; /* pixels that the decoder of masked images makes of a patch, along each side */
    int64_t pooler_output_size;
    am_unary_fn pooler_act;
    int64_t labels;
    const am_vit_family *family;
};

/* What ViT calls the weights of a layer. */
extern const am_pre_norm_names am_vit_names;

/* The layers' fields as ViTConfig names them. */
am_pre_norm_options am_vit_layers_read(const am_config *c, const am_vit_family *family, int64_t hidden_size);

/* The fields as ViTConfig names and defaults them. */
am_vit_options am_vit_options_read(am_builder *b);

/* Below the body's scope: layers and norm over tokens x: [B, N, C], which the input attention_mask may mask. */
am_value am_vit_encode(am_builder *b, am_value x, const am_pre_norm_options *options);

/* Normed last hidden state [B, special tokens + patches, C] of the body under `prefix` ("" in the base
   model), from pixel_values, bool_masked_pos and attention_mask. */
am_value am_vit_body(am_builder *b, const am_vit_options *options, const char *prefix);

/* Builders for the rows of a member's table. */
void am_vit_model(am_builder *b);
void am_vit_for_masked_image_modeling(am_builder *b);
void am_vit_for_image_classification(am_builder *b);

#endif

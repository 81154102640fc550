/* Swin (arXiv 2103.14030): a transformer over windows of patches, every other layer over windows that reach into their
   neighbours; between stages four patches become one of twice the width. Its second version (arXiv 2111.09883) norms
   what its parts give instead of what they take, compares directions of queries and keys, and computes what relative
   positions are worth. transformers: models/swin/modeling_swin.py, models/swinv2/modeling_swinv2.py */
#ifndef AM_MODELS_BLOCKS_SWIN_H
#define AM_MODELS_BLOCKS_SWIN_H

#include "models/blocks/vision.h"
#include "models/blocks/windows.h"

/* What a member's descriptor carries as its family. */
typedef struct am_swin_family {
    const char *prefix; /* of the body in classes with heads: "swin" */
    bool is_second_version;
    bool has_positions; /* use_absolute_embeddings is possible */
    bool no_last_norm;  /* of what comes out of the last stage (Donut) */
    bool keeps_windows; /* of window_size where maps are smaller, too; else such maps are one window */
    bool numbers_norms; /* of feature maps, of which the stem's is none (MaskFormer); else they have names */
    bool hides_states;  /* hidden states are no outputs */
} am_swin_family;

/* A map of tokens, x: [B, height * width, C]. */
typedef struct am_swin_map {
    am_value x;
    int64_t height, width;
} am_swin_map;

/* Stages of the first version, for models that have a stem and an end of their own. */
typedef struct am_swin_stages {
    int count;
    int64_t depths[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT], window_size;
    double mlp_ratio, layer_norm_eps;
    am_unary_fn hidden_act;
    bool no_qkv_bias;
} am_swin_stages;

/* Stages layers.N below the scope over the stem's map, maps[0]; maps[i] receives what comes out of the i-th, patches
   merged in all but the last: [B, height * width, C]. maps has 1 + count elements. Sizes that do not divide are errors
   of `config`. */
void am_swin_run_stages(am_builder *b, const am_config *config, const am_swin_stages *stages, am_swin_map *maps);

/* A layer of the second version, of that stage, below its scope: x: [B, height * width, C]. */
am_value am_swin_second_layer(am_builder *b, am_value x, const am_swin_stages *stages, int stage,
                              const am_windows *windows);

/* Builders for the rows of a member's table. */
void am_swin_model(am_builder *b);
void am_swin_for_image_classification(am_builder *b);
void am_swin_for_masked_image_modeling(am_builder *b);
void am_swin_backbone(am_builder *b);

#endif

/* Mask2Former: deformable attention over three maps of a backbone, and queries that look where the layer before found
   their segments. transformers: models/mask2former/modeling_mask2former.py */
#include "models/blocks/masked_queries.h"

#include <stdio.h>

static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

static const am_masked_names names = {.cross = "cross_attn",
                                      .cross_norm = "cross_attn_layer_norm",
                                      .self = "self_attn",
                                      .self_norm = "self_attn_layer_norm",
                                      .up = "fc1",
                                      .down = "fc2",
                                      .last_norm = "final_layer_norm",
                                      .norm = "layernorm",
                                      .masks = "mask_predictor.mask_embedder"};

typedef struct mask2former_config {
    am_pixel_options pixels;
    am_masked_options decoder;
    int64_t num_queries, labels;
    bool output_auxiliary_logits;
} mask2former_config;

/* The layers are counted with the prediction before the first of them. */
static int64_t read_layers(const am_config *c)
{
    int64_t count = am_config_count(c, am_config_either(c, "decoder_layers", "num_hidden_layers"), 10);
    return count > 0 ? count - 1 : 0;
}

static mask2former_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, am_config_either(c, "hidden_dim", "hidden_size"), 256),
            heads = am_config_size(c, "num_attention_heads", 8), masks = am_config_size(c, "mask_feature_size", 256);
    mask2former_config r = {
        .pixels = {.C = am_config_size(c, "feature_size", 256),
                   .mask_channels = masks,
                   .heads = heads,
                   .inner = am_config_size(c, "encoder_feedforward_dim", 1024),
                   .layers = am_config_count(c, "encoder_layers", 6),
                   .fine_levels = am_fine_levels_read(c, "feature_strides"),
                   .layer_norm_eps = LAYER_NORM_EPS},
        .decoder = {.names = &names,
                    .C = C,
                    .mask_channels = masks,
                    .heads = heads,
                    .inner = am_config_size(c, "dim_feedforward", 2048),
                    .layers = read_layers(c),
                    .activation = am_config_activation(c, "activation_function", AM_RELU),
                    .pre_norm = am_config_flag(c, "pre_norm", false),
                    .layer_norm_eps = LAYER_NORM_EPS},
        .num_queries = am_config_size(c, "num_queries", 100),
        .labels = am_config_labels(c),
        .output_auxiliary_logits = am_config_flag(c, "output_auxiliary_logits", false),
    };
    am_config_check_divides(c, "num_attention_heads", heads, "feature_size", r.pixels.C);
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_dim", C);
    r.decoder.projects = r.pixels.C != C || am_config_flag(c, "enforce_input_projection", false);
    return r;
}

typedef struct result {
    am_pixels pixels;
    am_masked_decoding decoding;
    am_value x; /* [B, Q, C] */
} result;

static result run(am_builder *b, const mask2former_config *c, const char *prefix)
{
    result r = {0};
    int64_t B = am_dim(b, am_input(b, "pixel_values", 4), 0), C = c->decoder.C;
    am_scope(b, "%s", prefix);
    r.pixels = am_read_pixels(b, &c->pixels);
    am_scope(b, "transformer_module");
    if (!am_builder_failed(b)) {
        am_masked_read(b, &c->decoder, &r.pixels, &r.decoding);
        r.decoding.queries = am_repeated_rows(b, "queries_features.weight", B, c->num_queries, C);
        r.decoding.query_places = am_repeated_rows(b, "queries_embedder.weight", B, c->num_queries, C);
        am_scope(b, "decoder");
        r.x = am_masked_decode(b, &c->decoder, &r.decoding);
        am_end_scope(b);
    }
    am_end_scope(b);
    am_end_scope(b);
    return r;
}

/* Hidden states of the decoder have queries before rows. */
static void output_query_states(am_builder *b, const char *name, const am_states *states)
{
    for (int i = 0; i < states->count; i++) am_output_hidden_state(b, name, i, am_transpose(b, states->items[i], 0, 1));
}

static void output_states(am_builder *b, const result *r)
{
    const am_feature_maps *found = &r->pixels.found;
    if (am_builder_failed(b)) return;
    am_output(b, "encoder_last_hidden_state", found->maps[found->count - 1]);
    am_output(b, "pixel_decoder_last_hidden_state", r->pixels.vectors);
    am_output(b, "transformer_decoder_last_hidden_state", r->x);
    for (int i = 0; i < found->count; i++) am_output_hidden_state(b, "encoder_hidden_states", i, found->maps[i]);
    for (int i = 0; i < AM_PIXEL_LEVELS; i++)
        am_output_hidden_state(b, "pixel_decoder_hidden_states", i, r->pixels.maps[i]);
    output_query_states(b, "transformer_decoder_hidden_states", &r->decoding.states);
}

static void mask2former_model(am_builder *b)
{
    char name[48];
    mask2former_config c = read_config(b);
    result r = run(b, &c, "");
    output_states(b, &r);
    if (am_builder_failed(b)) return;
    output_query_states(b, "transformer_decoder_intermediate_states", &r.decoding.normed);
    for (int i = 0; i < r.decoding.masks.count; i++) {
        snprintf(name, sizeof name, "masks_queries_logits.%d", i);
        am_output(b, name, r.decoding.masks.items[i]);
    }
}

/* Without use_auxiliary_loss transformers computes this class only where hidden states are wanted. */
static void for_universal_segmentation(am_builder *b)
{
    mask2former_config c = read_config(b);
    result r = run(b, &c, "model");
    const am_states *normed = &r.decoding.normed, *masks = &r.decoding.masks;
    am_states classes = am_states_make(b, normed->count);
    if (am_builder_failed(b)) return;
    for (int i = 0; i < normed->count; i++)
        am_states_add(&classes, am_linear(b, "class_predictor", normed->items[i], c.labels + 1, AM_BIAS));
    am_output(b, "class_queries_logits", classes.items[classes.count - 1]);
    am_output(b, "masks_queries_logits", masks->items[masks->count - 1]);
    if (c.output_auxiliary_logits) am_output_early_masks(b, "auxiliary_logits", &classes, masks);
    output_states(b, &r);
}

static const am_architecture architectures[] = {
    {"Mask2FormerModel", mask2former_model, NULL, 0},
    {"Mask2FormerForUniversalSegmentation", for_universal_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_mask2former = {
    .name = "mask2former", .base_prefix = "model", .architectures = architectures};

/* SegFormer: linears and one convolution over the maps of all stages of a mix transformer make the segments.
   transformers: models/segformer/modeling_segformer.py */
#include "models/blocks/mix_transformer.h"

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

typedef struct segformer_config {
    am_mix_options encoder;
    int64_t decoder_hidden_size, labels;
} segformer_config;

static segformer_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    segformer_config r = {.encoder = am_mix_options_read(c),
                          .decoder_hidden_size = am_config_size(c, "decoder_hidden_size", 256),
                          .labels = am_config_labels(c)};
    r.encoder.last_in_a_row = !am_config_flag(c, "reshape_last_stage", true);
    return r;
}

static void segformer_model(am_builder *b)
{
    segformer_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT];
    am_output(b, "last_hidden_state", am_mix_body(b, &c.encoder, "", states));
}

static void for_image_classification(am_builder *b)
{
    segformer_config c = read_config(b);
    am_value states[AM_STAGES_LIMIT], x = am_mix_body(b, &c.encoder, "segformer", states);
    x = c.encoder.last_in_a_row ? am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false) : am_image_mean(b, x, false);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
}

/* A stage's map in the decoder's width and the first one's size. */
static am_value project(am_builder *b, const segformer_config *c, am_value x, int i, const int64_t size[2])
{
    const int64_t own[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    am_scope(b, "linear_c.%d", i);
    x = am_linear(b, "proj", am_image_tokens(b, x), c->decoder_hidden_size, AM_BIAS);
    x = am_tokens_image(b, x, own[0], own[1]);
    am_end_scope(b);
    return am_image_resized(b, x, size[0], size[1]);
}

/* The last stage stands first among the channels that are fused. */
static void for_semantic_segmentation(am_builder *b)
{
    segformer_config c = read_config(b);
    am_convolution_attributes options = {0};
    am_value states[AM_STAGES_LIMIT], maps[AM_STAGES_LIMIT];
    if (c.encoder.last_in_a_row) {
        am_config_unsupported(am_model_config(b), "reshape_last_stage", "this class takes maps of all stages");
        return;
    }
    am_mix_body(b, &c.encoder, "segformer", states);
    const int64_t size[] = {am_dim(b, states[0], 2), am_dim(b, states[0], 3)};
    am_scope(b, "decode_head");
    for (int i = 0; i < c.encoder.stages.count; i++)
        maps[c.encoder.stages.count - 1 - i] = project(b, &c, states[i], i, size);
    am_value x = am_concat(b, maps, c.encoder.stages.count, 1);
    x = am_conv(b, "linear_fuse", x, c.decoder_hidden_size, am_shape_of(1, 1), AM_NO_BIAS, &options);
    x = am_unary(b, AM_RELU, am_batch_norm(b, "batch_norm", x, BATCH_NORM_EPS));
    x = am_conv(b, "classifier", x, c.labels, am_shape_of(1, 1), AM_BIAS, &options);
    am_end_scope(b);
    am_output(b, "logits", x);
}

static const am_architecture architectures[] = {
    {"SegformerModel", segformer_model, "image-feature-extraction", 0},
    {"SegformerForImageClassification", for_image_classification, "image-classification", 0},
    {"SegformerForSemanticSegmentation", for_semantic_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_segformer = {
    .name = "segformer", .base_prefix = "segformer", .architectures = architectures};

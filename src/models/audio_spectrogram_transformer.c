/* Audio Spectrogram Transformer: DeiT over a spectrogram, whose patches may overlap. transformers:
   models/audio_spectrogram_transformer/modeling_audio_spectrogram_transformer.py */
#include "models/blocks/vit.h"

#include <inttypes.h>

typedef struct ast_config {
    int64_t hidden_size, patch_size, strides[2], sizes[2]; /* of frequency, of time */
    am_pre_norm_options encoder;
    int64_t labels;
} ast_config;

static ast_config read_config(am_builder *b)
{
    static const char *const names[] = {"num_mel_bins", "max_length"};
    static const am_vit_family family = {0};
    const am_config *c = am_model_config(b);
    ast_config r = {
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .patch_size = am_config_size(c, "patch_size", 16),
        .strides = {am_config_size(c, "frequency_stride", 10), am_config_size(c, "time_stride", 10)},
        .sizes = {am_config_size(c, names[0], 128), am_config_size(c, names[1], 1024)},
        .labels = am_config_labels(c),
    };
    r.encoder = am_vit_layers_read(c, &family, r.hidden_size);
    for (int i = 0; i < 2; i++)
        if (r.sizes[i] < r.patch_size)
            am_config_fail(c, names[i], "%" PRId64 " is less than patch_size %" PRId64, r.sizes[i], r.patch_size);
    return r;
}

/* input_values: [B, max_length, num_mel_bins] -> [B, 1, num_mel_bins, max_length] */
static am_value spectrogram(am_builder *b, const ast_config *c)
{
    am_value x = am_input(b, "input_values", 3);
    if (x.id && (am_dim(b, x, 1) != c->sizes[1] || am_dim(b, x, 2) != c->sizes[0]))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_values has %" PRId64 " frames of %" PRId64 " bins, expected %" PRId64
                                    " (max_length) of %" PRId64 " (num_mel_bins)",
                                    am_dim(b, x, 1), am_dim(b, x, 2), c->sizes[1], c->sizes[0]));
    return am_unsqueeze(b, am_transpose(b, x, 1, 2), 1);
}

/* Class token, distillation token and patches, with positions. */
static am_value embed(am_builder *b, const ast_config *c)
{
    am_shape token = am_shape_of(1, 1, c->hidden_size), patch = am_shape_of(c->patch_size, c->patch_size);
    am_convolution_attributes options = {.stride = am_shape_of(c->strides[0], c->strides[1])};
    am_value x = spectrogram(b, c);
    am_scope(b, "embeddings");
    x = am_conv(b, "patch_embeddings.projection", x, c->hidden_size, patch, AM_BIAS, &options);
    x = am_prepend_token(b, "distillation_token", token, am_image_tokens(b, x));
    x = am_prepend_token(b, "cls_token", token, x);
    x = am_add(b, x, am_parameter(b, "position_embeddings", am_shape_of(1, am_dim(b, x, 1), c->hidden_size), x));
    am_end_scope(b);
    return x;
}

/* Normed last hidden state below `prefix`: [B, 2 + patches, C], and the mean of its first two: [B, C]. */
static am_value body(am_builder *b, const ast_config *c, const char *prefix, am_value *out_pooled)
{
    am_scope(b, "%s", prefix);
    am_value x = am_vit_encode(b, embed(b, c), &c->encoder);
    am_end_scope(b);
    *out_pooled = am_mul_number(b, am_add(b, am_index(b, x, 1, 0), am_index(b, x, 1, 1)), 0.5);
    return x;
}

static void model(am_builder *b)
{
    ast_config c = read_config(b);
    am_value pooled;
    am_output(b, "last_hidden_state", body(b, &c, "", &pooled));
    am_output(b, "pooler_output", pooled);
}

static void for_audio_classification(am_builder *b)
{
    ast_config c = read_config(b);
    am_value pooled;
    body(b, &c, "audio_spectrogram_transformer", &pooled);
    pooled = am_layer_norm(b, "classifier.layernorm", pooled, c.encoder.layer_norm_eps);
    am_output(b, "logits", am_linear(b, "classifier.dense", pooled, c.labels, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"ASTModel", model, "feature-extraction", 0},
    {"ASTForAudioClassification", for_audio_classification, "audio-classification", 0},
    {0},
};

const am_model_type am_model_audio_spectrogram_transformer = {.name = "audio-spectrogram-transformer",
                                                              .base_prefix = "audio_spectrogram_transformer",
                                                              .architectures = architectures};

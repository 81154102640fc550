/* Speech2Text: M2M-100 whose encoder reads log-mel features through gated convolutions, each of which halves their
   number. transformers: models/speech_to_text/modeling_speech_to_text.py */
#include "models/blocks/bart.h"
#include "models/blocks/speech.h"

#include <inttypes.h>

enum { CONVOLUTIONS_LIMIT = 64 };

typedef struct subsampler {
    int count;
    int64_t kernels[CONVOLUTIONS_LIMIT];
    int64_t channels; /* between convolutions, half of which gate the others */
} subsampler;

static subsampler read_subsampler(const am_config *c)
{
    static const int64_t kernels[] = {5, 5};
    subsampler s = {.channels = am_config_size(c, "conv_channels", 1024)};
    int64_t wanted = am_config_count(c, "num_conv_layers", 2);
    s.count = am_config_sizes(c, "conv_kernel_sizes", s.kernels, CONVOLUTIONS_LIMIT, kernels, 2);
    if (s.count != wanted || s.count == 0)
        am_config_fail(c, "conv_kernel_sizes", "%d sizes, expected %" PRId64 " (num_conv_layers)", s.count, wanted);
    if (s.channels % 2 != 0) am_config_fail(c, "conv_channels", "expected an even number, found %" PRId64, s.channels);
    return s;
}

/* input_features: [B, T, F] */
static am_value features(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t F = am_config_size(c, "input_feat_per_channel", 80) * am_config_size(c, "input_channels", 1);
    am_value x = am_input(b, "input_features", 3);
    if (x.id && am_dim(b, x, 2) != F)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_features has %" PRId64 " numbers a frame, expected %" PRId64
                                    " (input_feat_per_channel * input_channels)",
                                    am_dim(b, x, 2), F));
    return x;
}

/* Frames that the convolutions leave of the rows, or AM_NONE: as transformers counts them, whatever the kernels. */
static am_value mask(am_builder *b, int64_t T)
{
    subsampler s = read_subsampler(am_model_config(b));
    am_value lengths = am_attended_lengths(b);
    if (!lengths.id) return AM_NONE;
    for (int i = 0; i < s.count; i++) lengths = am_convolved_length(b, lengths, 1, 2);
    return am_frame_mask(b, lengths, T);
}

/* Positions count frames by a table of 0 for each and 1 for padding as if these were tokens. */
static am_value places(am_builder *b, am_value x)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    am_value kept = mask(b, T);
    if (!kept.id) return am_iota(b, AM_I32, am_shape_of(B, T), 1, 0, 0);
    return am_cast(b, am_unary(b, AM_LOGICAL_NOT, kept), AM_I32);
}

static am_bart_frames frames(am_builder *b, int64_t d_model)
{
    subsampler s = read_subsampler(am_model_config(b));
    am_value x = am_transpose(b, features(b), 1, 2);
    am_scope(b, "conv");
    for (int i = 0; i < s.count && !am_builder_failed(b); i++) {
        am_convolution_attributes options = {.stride = am_shape_of(2),
                                             .padding_before = am_shape_of(s.kernels[i] / 2),
                                             .padding_after = am_shape_of(s.kernels[i] / 2)};
        am_scope(b, "conv_layers.%d", i);
        x = am_gated_convolution(b, "", x, i + 1 < s.count ? s.channels / 2 : d_model, s.kernels[i], &options);
        am_end_scope(b);
    }
    am_end_scope(b);
    x = am_transpose(b, x, 1, 2);
    return (am_bart_frames){.x = x, .ids = places(b, x)};
}

static const am_architecture architectures[] = {
    {"Speech2TextModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    /* no task: the one for speech recognition generates as Whisper does, in segments with times */
    {"Speech2TextForConditionalGeneration", am_bart_for_conditional_generation, NULL,
     AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

static const am_bart_family family = {.vocab_size = 10000,
                                      .d_model = 256,
                                      .layers = 12,
                                      .decoder_layers = 6,
                                      .heads = 4,
                                      .ffn_dim = 2048,
                                      .pad_token_id = 1,
                                      .activation = AM_RELU,
                                      .scale_embedding = true,
                                      .start_token_id = 2,
                                      .pre_norm = true,
                                      .no_embedding_norm = true,
                                      .positions = AM_BART_AFTER_PADS,
                                      .encoder_positions = "max_source_positions",
                                      .decoder_positions = "max_target_positions",
                                      .encoder_frames = frames,
                                      .encoder_mask = mask};

const am_model_type am_model_speech_to_text = {
    .name = "speech_to_text", .base_prefix = "model", .architectures = architectures, .family = &family};

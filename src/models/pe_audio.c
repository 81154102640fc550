/* Perception Encoder for sounds (PE-A): DAC's convolutions make frames of a wave, a transformer with a token of its own
   reads them; products of what projections make of a text's and a sound's first token, or of each frame, are logits.
   transformers: models/pe_audio/modeling_pe_audio.py */
#include "models/blocks/dac.h"
#include "models/blocks/pe_encoder.h"

typedef struct encoder {
    am_dac dac;
    int64_t codebook_dim;
    am_pe_encoder layers;
} encoder;

static encoder read_encoder(const am_config *c)
{
    static const am_dac absent = {
        .encoder_hidden_size = 64, .decoder_hidden_size = 1536, .down_count = 4, .downsampling_ratios = {2, 8, 10, 12}};
    am_config dac = am_config_child(c, "dac_config");
    return (encoder){.dac = am_dac_read(&dac, &absent),
                     .codebook_dim = am_config_size(&dac, "codebook_dim", 128),
                     .layers = am_pe_encoder_read(c)};
}

/* --- frames --- */

/* A frame of the mask for each hop of the input padding_mask: [B, L] -> [B, T]; AM_NONE without it. */
static am_value frame_mask(am_builder *b, const encoder *e)
{
    am_value mask = am_input_optional(b, "padding_mask", 2);
    if (!mask.id) return AM_NONE;
    return am_slice_step(b, mask, 1, 0, AM_SLICE_END, e->dac.hop_length);
}

/* Frames of the input input_values: [B, 1, L]: [B, T, C]. */
static am_value embedded(am_builder *b, const encoder *e)
{
    am_scope(b, "embedder.dac_encoder");
    am_value x = am_dac_encode(b, am_input(b, "input_values", 3), &e->dac);
    am_end_scope(b);
    am_scope(b, "embedder");
    x = am_conv(b, "bottleneck", x, e->codebook_dim, am_shape_of(1), AM_BIAS, &(am_convolution_attributes){0});
    x = am_linear(b, "data_proj", am_transpose(b, x, 1, 2), e->layers.width, AM_BIAS);
    am_end_scope(b);
    return x;
}

static void audio_encoder(am_builder *b)
{
    encoder e = read_encoder(am_model_config(b));
    am_value mask = frame_mask(b, &e), x = embedded(b, &e);
    if (mask.id && !am_builder_failed(b) && am_dim(b, mask, 1) != am_dim(b, x, 1))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "padding_mask and input_values differ in frames"));
    am_pe_encode(b, x, mask, &e.layers);
    if (mask.id) am_output(b, "output_mask", mask);
}

/* --- beside a text --- */

static void build(am_builder *b, const char *read)
{
    am_pe_beside sound = {
        .name = "audio", .class_name = "PeAudioEncoder", .inputs = {"input_values", "padding_mask"}, .read = read};
    am_pe_beside_text(b, &sound);
}

static void pe_audio_model(am_builder *b)
{
    build(b, "pooler_output");
}

static void frame_level_model(am_builder *b)
{
    build(b, "last_hidden_state");
}

static const am_architecture architectures[] = {
    {"PeAudioModel", pe_audio_model, NULL, 0},
    {"PeAudioFrameLevelModel", frame_level_model, NULL, 0},
    {"PeAudioEncoder", audio_encoder, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_pe_audio = {
    .name = "pe_audio pe_audio_encoder", .base_prefix = "audio_model", .architectures = architectures};

/* Pocket TTS's tokenizer of sounds: Mimi's encoder and decoder with latents of few numbers between them in place of
   codes. transformers: models/pocket_tts_audio_tokenizer/modeling_pocket_tts_audio_tokenizer.py */
#include "models/blocks/mimi.h"
#include "models/blocks/speech.h"

#include <inttypes.h>

typedef struct tokenizer {
    am_mimi mimi;
    int64_t latent_dim;
} tokenizer;

static tokenizer read_config(am_builder *b)
{
    static const am_mimi absent = {.seanet = {.audio_channels = 1,
                                              .num_filters = 64,
                                              .hidden_size = 512,
                                              .num_residual_layers = 1,
                                              .kernel_size = 7,
                                              .last_kernel_size = 3,
                                              .residual_kernel_size = 3,
                                              .dilation_growth_rate = 2,
                                              .compress = 2,
                                              .ratio_count = 3,
                                              .upsampling_ratios = {6, 5, 4},
                                              .use_causal_conv = true,
                                              .pad_mode = AM_PAD_CONSTANT,
                                              .trim_right_ratio = 1},
                                   .layers = 2,
                                   .hidden_act = AM_GELU_TANH};
    const am_config *c = am_model_config(b);
    tokenizer r = {.mimi = am_mimi_read(c, &absent), .latent_dim = am_config_size(c, "latent_dim", 32)};
    r.mimi.latent_stride = am_config_size(c, "latent_stride", 16);
    double rate = (double)am_config_size(c, "sampling_rate", 24000);
    if (r.mimi.latent_stride < 2 || r.mimi.latent_stride > INT32_MAX / 2 / r.mimi.seanet.hop ||
        rate / (double)(r.mimi.seanet.hop * r.mimi.latent_stride) ==
            (double)(((int64_t)rate + r.mimi.seanet.hop - 1) / r.mimi.seanet.hop))
        am_config_fail(c, "latent_stride", "%" PRId64 " frames of upsampling_ratios are no latent",
                       r.mimi.latent_stride);
    if (r.mimi.latent_stride > INT32_MAX / 2) r.mimi.latent_stride = 2;
    return r;
}

static void encoder_model(am_builder *b)
{
    tokenizer t = read_config(b);
    am_value x = am_input(b, "input_values", 3);
    am_input_optional(b, "padding_mask", -1); /* hides nothing */
    am_output(b, "latents", am_mimi_encode(b, x, "encoder_seanet", t.latent_dim, &t.mimi, true));
}

static void decoder_model(am_builder *b)
{
    tokenizer t = read_config(b);
    am_value x = am_input(b, "latents", 3), mask = am_input_optional(b, "padding_mask", -1);
    int64_t longest = mask.id ? am_dim(b, mask, -1) : 0;
    am_output(b, "audio_values", am_mimi_decode(b, x, "decoder_seanet", &t.mimi, longest, true));
}

/* Which of T latents the input padding_mask: [B, L] counts: I32 [B, T]; AM_NONE without it. */
static am_value latents_mask(am_builder *b, int64_t T, const tokenizer *t)
{
    if (!am_has_input(b, "padding_mask")) return AM_NONE;
    am_value lengths = am_marked_lengths(b, "padding_mask");
    for (int i = t->mimi.seanet.ratio_count - 1; i >= 0; i--)
        lengths = am_convolved_length(b, lengths, 1, t->mimi.seanet.upsampling_ratios[i]);
    lengths = am_convolved_length(b, lengths, 1, t->mimi.latent_stride);
    return am_cast(b, am_frames_before(b, lengths, T), AM_I32);
}

static void tokenizer_model(am_builder *b)
{
    tokenizer t = read_config(b);
    am_value x = am_input(b, "input_values", 3);
    am_scope(b, "encoder");
    x = am_mimi_encode(b, x, "encoder_seanet", t.latent_dim, &t.mimi, true);
    am_end_scope(b);
    am_value mask = latents_mask(b, am_dim(b, x, 2), &t);
    am_output(b, "latents", am_transpose(b, x, 1, 2));
    if (mask.id) am_output(b, "latents_mask", mask);
    x = am_conv(b, "latent_proj", x, t.mimi.seanet.hidden_size, am_shape_of(1), AM_NO_BIAS,
                &(am_convolution_attributes){0});
    am_scope(b, "decoder");
    am_output(b, "audio_values", am_mimi_decode(b, x, "decoder_seanet", &t.mimi, 0, false));
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"PocketTTSAudioTokenizerModel", tokenizer_model, "feature-extraction", 0},
    {"PocketTTSAudioTokenizerEncoderModel", encoder_model, NULL, 0},
    {"PocketTTSAudioTokenizerDecoderModel", decoder_model, NULL, 0},
    {0},
};

const am_model_type am_model_pocket_tts_audio_tokenizer = {
    .name = "pocket_tts_audio_tokenizer pocket_tts_audio_tokenizer_encoder pocket_tts_audio_tokenizer_decoder",
    .base_prefix = "audio_tokenizer",
    .architectures = architectures};

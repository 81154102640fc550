/* Gradium Phonon TTS: Pocket TTS whose latents are told how many speak and how long it may take. transformers:
   models/gradium_phonon_tts/modeling_gradium_phonon_tts.py */
#include "models/blocks/pocket_tts.h"

#include <inttypes.h>
#include <math.h>

#define CONDITIONS "flow_lm.condition_provider.conditioners."

/* Those that the library's own files of the model without a head have, and those of all files with one. */
static const am_pocket_tts_names own = {.words = "embed_tokens",
                                        .voice = "audio_prompt_proj",
                                        .latent = "audio_latent_proj",
                                        .start = "bos_latent",
                                        .prefix = "",
                                        .norms = {"input_layernorm", "post_attention_layernorm"},
                                        .qkv = "in_proj",
                                        .out = "o_proj",
                                        .mlp = "mlp",
                                        .up = "fc1",
                                        .down = "fc2"},
                                 flow = {.words = CONDITIONS "transcript_in_segment.embed",
                                         .voice = CONDITIONS "speaker_wavs.output_proj",
                                         .latent = "flow_lm.input_linear",
                                         .start = "flow_lm.bos_emb",
                                         .end = "flow_lm.out_eos",
                                         .prefix = "flow_lm.transformer",
                                         .norms = {"norm1", "norm2"},
                                         .final_norm = "flow_lm.out_norm",
                                         .qkv = "in_proj",
                                         .out = "out_proj",
                                         .mlp = "",
                                         .up = "linear1",
                                         .down = "linear2"};

static const am_pocket_tts_names *names(am_builder *b, bool has_head)
{
    return has_head || am_has_weight(b, "flow_lm.bos_emb") ? &flow : &own;
}

/* Cosines, then sines, of how much longer or shorter it is to take: [1, C]. */
static am_value duration_row(am_builder *b, const am_config *c, int64_t C)
{
    double phase = am_config_real(c, "duration_delta_scale", 1000) * am_config_real(c, "duration_delta", 0);
    double period = am_config_real(c, "duration_delta_max_period", 10000);
    int64_t half = C / 2;
    float *row = am_arena_array(am_builder_arena(b), (size_t)C + 1, sizeof *row);
    if (!row) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < half; i++) {
        double angle = phase / pow(period, (double)i / (double)(half - 1));
        row[i] = (float)cos(angle);
        row[half + i] = (float)sin(angle);
    }
    return am_constant_copy(b, AM_F32, am_shape_of(1, C), row);
}

static am_value condition(am_builder *b, bool has_head)
{
    const am_config *c = am_model_config(b);
    bool hub = names(b, has_head) == &flow;
    int64_t width = am_config_size(c, "hidden_size", 768), count = am_config_size(c, "num_speakers_vocab_size", 32);
    int64_t C = am_config_size(c, "num_speakers_embedding_dim", 16), speakers = am_config_int(c, "num_speakers", 1);
    int64_t D = am_config_size(c, "duration_delta_embedding_dim", 128);
    if (speakers < 0 || speakers >= count) am_config_fail(c, "num_speakers", "expected less than %" PRId64, count);
    if (D < 4 || D % 2) am_config_fail(c, "duration_delta_embedding_dim", "expected an even number from 4 on");
    am_value id = am_reshape(b, am_scalar(b, AM_I32, (double)speakers), am_shape_of(1));
    am_value x = am_embedding(b, hub ? CONDITIONS "num_speakers.embed" : "num_speakers_embed", id, count, C);
    x = am_linear(b, hub ? CONDITIONS "num_speakers.output_proj" : "num_speakers_proj", x, width, AM_NO_BIAS);
    am_value time = am_linear(b, hub ? CONDITIONS "duration_delta.output_proj" : "duration_delta_proj",
                              duration_row(b, c, D), width, AM_NO_BIAS);
    return am_reshape(b, am_add(b, x, time), am_shape_of(width));
}

static const am_pocket_tts_family family = {.decoder = {.defaults = {.vocab_size = 4001,
                                                                     .hidden_size = 768,
                                                                     .intermediate_size = 3072,
                                                                     .num_hidden_layers = 6,
                                                                     .num_attention_heads = 12,
                                                                     .max_position_embeddings = 8192,
                                                                     .whole_heads = true}},
                                            .activation = AM_GELU,
                                            .prompt_token = 5,
                                            .latent_token = 6,
                                            .bos_token = 4,
                                            .latent_dim = 32,
                                            .voice_dim = "audio_prompt_dim",
                                            .voice_width = 512,
                                            .names = names,
                                            .condition = condition};

static const am_architecture architectures[] = {
    {"GradiumPhononTTSModel", am_pocket_tts_model, NULL, 0},
    {"GradiumPhononTTSForConditionalGeneration", am_pocket_tts_for_conditional_generation, NULL, 0},
    {0},
};

const am_model_type am_model_gradium_phonon_tts = {
    .name = "gradium_phonon_tts", .base_prefix = "model", .architectures = architectures, .family = &family};

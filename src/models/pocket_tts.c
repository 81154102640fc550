/* Pocket TTS: a decoder of words and latents of sound. transformers: models/pocket_tts/modeling_pocket_tts.py */
#include "models/blocks/pocket_tts.h"

static const am_pocket_tts_names own = {.words = "embed_tokens",
                                        .voice = "audio_prompt_proj",
                                        .latent = "audio_latent_proj",
                                        .start = "bos_latent",
                                        .prefix = "",
                                        .norms = {"input_layernorm", "post_attention_layernorm"},
                                        .out = "o_proj",
                                        .mlp = "mlp",
                                        .up = "fc1",
                                        .down = "fc2"},
                                 inside = {.words = "model.embed_tokens",
                                           .voice = "model.audio_prompt_proj",
                                           .latent = "model.audio_latent_proj",
                                           .start = "model.bos_latent",
                                           .end = "eos_head",
                                           .prefix = "model",
                                           .norms = {"input_layernorm", "post_attention_layernorm"},
                                           .out = "o_proj",
                                           .mlp = "mlp",
                                           .up = "fc1",
                                           .down = "fc2"};

static const am_pocket_tts_names *names(am_builder *b, bool has_head)
{
    (void)b;
    return has_head ? &inside : &own;
}

static const am_pocket_tts_family family = {.decoder = {.defaults = {.vocab_size = 4004,
                                                                     .hidden_size = 1024,
                                                                     .intermediate_size = 4096,
                                                                     .num_hidden_layers = 6,
                                                                     .num_attention_heads = 16,
                                                                     .max_position_embeddings = 8192,
                                                                     .whole_heads = true}},
                                            .activation = AM_GELU_TANH,
                                            .prompt_token = 4000,
                                            .latent_token = 4001,
                                            .bos_token = 4003,
                                            .latent_dim = 32,
                                            .names = names};

static const am_architecture architectures[] = {
    {"PocketTTSModel", am_pocket_tts_model, NULL, 0},
    {"PocketTTSForConditionalGeneration", am_pocket_tts_for_conditional_generation, NULL, 0},
    {0},
};

const am_model_type am_model_pocket_tts = {
    .name = "pocket_tts", .base_prefix = "model", .architectures = architectures, .family = &family};

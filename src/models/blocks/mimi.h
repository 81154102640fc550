/* Mimi's codec without its codebooks (arXiv 2410.00037), which Pocket TTS has, too: SEANet, causal transformers that
   look back so far, and one more convolution that leaves one of some frames. transformers:
   models/mimi/modeling_mimi.py, models/pocket_tts_audio_tokenizer/modeling_pocket_tts_audio_tokenizer.py */
#ifndef AM_MODELS_BLOCKS_MIMI_H
#define AM_MODELS_BLOCKS_MIMI_H

#include "models/blocks/attention.h"
#include "models/blocks/seanet.h"

typedef struct am_mimi {
    am_seanet seanet;
    int64_t layers, intermediate_size, upsample_groups;
    int64_t latent_stride; /* frames of SEANet that a latent is; the caller's */
    am_unary_fn hidden_act;
    double norm_eps;
    am_attention_options attention;
    am_rope_config rope;
} am_mimi;

/* The fields of the configuration; `absent` has the class's defaults of seanet, layers and hidden_act. */
am_mimi am_mimi_read(const am_config *c, const am_mimi *absent);

/* Samples x: [B, channels, L] by SEANet below `scope`, encoder_transformer and downsample: [B, width, T]; shows: hidden
   states are outputs. */
am_value am_mimi_encode(am_builder *b, am_value x, const char *scope, int64_t width, const am_mimi *m, bool shows);

/* Latents x: [B, hidden_size, T] by upsample, decoder_transformer and SEANet below `scope`: [B, channels, L'], no
   longer than `longest` samples where that is not 0. */
am_value am_mimi_decode(am_builder *b, am_value x, const char *scope, const am_mimi *m, int64_t longest, bool shows);

#endif

/* Pocket TTS and Gradium Phonon TTS: a decoder that reads words, latents of a voice and latents of what was said so
   far, and whose states a flow head, which no class here runs, turns into the next latent. transformers:
   models/pocket_tts/modeling_pocket_tts.py, models/gradium_phonon_tts/modeling_gradium_phonon_tts.py */
#ifndef AM_MODELS_BLOCKS_POCKET_TTS_H
#define AM_MODELS_BLOCKS_POCKET_TTS_H

#include "models/blocks/decoder.h"

/* What files call the weights, whole names but for the body's. */
typedef struct am_pocket_tts_names {
    const char *words, *voice, *latent, *start, *end; /* tables and projections; `end` is the head of classes */
    const char *prefix;                               /* of the body's layers */
    const char *norms[2];                             /* of a layer: before attention, before the MLP */
    const char *final_norm;                           /* whole name; null: "norm" of the body */
    const char *qkv, *out;                            /* of attention; qkv null: q_proj, k_proj and v_proj */
    const char *mlp, *up, *down;                      /* scope of the MLP ("" none) and its linears */
} am_pocket_tts_names;

/* What a member's descriptor carries as its family. */
typedef struct am_pocket_tts_family {
    am_decoder_family decoder;
    am_unary_fn activation;
    int64_t prompt_token, latent_token, bos_token, latent_dim; /* what absent fields stand for; so too activation */
    const char *voice_dim;                                     /* field of a voice's width; null: latent_dim */
    int64_t voice_width;                                       /* what it stands for where it is absent */
    /* The names of a file, below the scope of the class. */
    const am_pocket_tts_names *(*names)(am_builder *b, bool has_head);
    /* Null, or what is added to each latent: [C]. */
    am_value (*condition)(am_builder *b, bool has_head);
} am_pocket_tts_family;

/* Builders for the rows of a member's table. */
void am_pocket_tts_model(am_builder *b);
void am_pocket_tts_for_conditional_generation(am_builder *b);

#endif

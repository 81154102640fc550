/* Gemma 4's models of texts with pictures, videos and sounds: rows of each take the places of a token of their own
   among the text's embeddings, where those of a picture may see one another in both directions. transformers:
   models/gemma4/modeling_gemma4.py */
#ifndef AM_MODELS_BLOCKS_GEMMA4_MULTIMODAL_H
#define AM_MODELS_BLOCKS_GEMMA4_MULTIMODAL_H

#include "models/blocks/gemma4_towers.h"
#include "models/blocks/gemma_audio.h"

/* What a member's descriptor carries as its family. */
typedef struct am_gemma4_multimodal {
    const char *text_type; /* of a text_config that names none */
    /* Rows [n, width] for the pictures of the inputs `pixels` and `places`, by vision_config c. */
    am_value (*pictures)(am_builder *b, const am_config *c, const char *pixels, const char *places, int64_t width);
    /* The same for the sounds of input_features and input_features_mask, by audio_config c. */
    am_value (*sounds)(am_builder *b, const am_config *c, int64_t width);
    bool embeds; /* no text is written, and tokens see one another in both directions anyway */
} am_gemma4_multimodal;

/* Gemma 4's own, by its towers. */
am_value am_gemma4_pictures(am_builder *b, const am_config *c, const char *pixels, const char *places, int64_t width);
am_value am_gemma4_sounds(am_builder *b, const am_config *c, int64_t width);

/* How many frames of each sound there are, which input_features_mask tells: one number for each of its rows. */
int64_t *am_gemma4_sound_lengths(am_builder *b);

/* Inputs whose numbers decide shapes. */
extern const am_shaping_input am_gemma4_shaping_inputs[];

/* Blocks of tokens that are pictures or videos, from mm_token_type_ids: I32 [B, T]; AM_NONE without that input. */
am_value am_gemma4_blocks(am_builder *b);

/* Builders for the rows of a member's table. */
void am_gemma4_model(am_builder *b);
void am_gemma4_for_conditional_generation(am_builder *b);

#endif

/* Pix2Struct and what it is made of: an encoder of patches, each of which says its row and column, and T5's decoder
   with other names. transformers: models/pix2struct/modeling_pix2struct.py */
#ifndef AM_MODELS_BLOCKS_PIX2STRUCT_H
#define AM_MODELS_BLOCKS_PIX2STRUCT_H

#include "models/model.h"

/* What members call the fields of an encoder, and what absent ones stand for. */
typedef struct am_pix2struct_vision {
    const char *inner, *head_dim, *places; /* fields: of the mlp, of a head, of rows and columns */
    int64_t hidden_size, inner_size, layers, heads;
    bool scales;  /* scores are divided by the root of a head's size */
    bool no_mask; /* attention_mask is not of patches: those are none that are all zeros */
} am_pix2struct_vision;

extern const am_pix2struct_vision am_pix2struct_encoder;

/* Normed states of the inputs flattened_patches: [B, N, 2 + C'] and attention_mask below the scope: [B, N, C]. c: of
   the encoder; hidden_states: their name among the outputs, or null. */
am_value am_pix2struct_encode(am_builder *b, const am_config *c, const am_pix2struct_vision *member,
                              const char *hidden_states);

/* What the decoder reads. */
typedef struct am_pix2struct_text {
    am_value ids;      /* I32 [B, T], or AM_NONE */
    am_value embedded; /* [B, T, C] in place of ids */
    am_value mask;     /* of padding, as am_padding_mask gives it */
    bool crosses;      /* it attends to encoded: [B, S, C'] (AM_NONE where that is cached) */
    am_value encoded, encoded_mask;
    const char *hidden_states; /* their name among the outputs */
} am_pix2struct_text;

/* Logits [B, T, vocab] below the scope; of the last position where these are enough. c: of the decoder. tied: its head
   reads the table of words. */
am_value am_pix2struct_decode(am_builder *b, const am_config *c, const am_pix2struct_text *text, bool tied);

#endif

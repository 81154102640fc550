/* What ESM's folding class shares with the others. */
#ifndef AM_MODELS_ESM_H
#define AM_MODELS_ESM_H

#include "models/model.h"

/* A text that ESM reads. */
typedef struct am_esm_text {
    am_value ids;         /* I32 [B, T] */
    am_value attended;    /* [B, T], nonzero where a token is; AM_NONE: everywhere */
    am_value positions;   /* I32 [B or 1, T]; AM_NONE: counted */
    am_value *out_states; /* null, or receives num_hidden_layers + 1 hidden states: [B, T, C] */
} am_esm_text;

/* EsmModel below the scope PREFIX ("": here): its last hidden state [B, T, C]. */
am_value am_esm_body(am_builder *b, const char *prefix, const am_esm_text *text);

/* EsmForProteinFolding. */
void am_esm_for_protein_folding(am_builder *b);

#endif

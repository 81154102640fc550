/* Encoders of text among whose words stand pictures: SigLIP's patches, squares of them side by side through one matrix.
 */
#ifndef AM_MODELS_BLOCKS_VBERT_H
#define AM_MODELS_BLOCKS_VBERT_H

#include "models/blocks/layers.h"

typedef struct am_vbert_family {
    const char *text_type; /* the model type of text_config */
    int64_t image_token;   /* what absent image_token_id stands for */
    int64_t hidden_size;   /* what absent hidden_size of text_config stands for */
    bool norms;            /* connector.norm, an RMS norm, after the matrix */
} am_vbert_family;

/* Final hidden states of the base model under `prefix`: [B, T, C]. Reads the member's family. */
am_value am_vbert_body(am_builder *b, const char *prefix, bool shows_images);

/* x: [B, T, C] -> [B, C], as classifier_pooling says. */
am_value am_vbert_pool(am_builder *b, am_value x);

#endif

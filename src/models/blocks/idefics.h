/* What the Idefics line shares: SigLIP's tower for images of any size, whose patches count their places as parts of the
   image's sides, and the connector that lays squares of patches side by side. */
#ifndef AM_MODELS_BLOCKS_IDEFICS_H
#define AM_MODELS_BLOCKS_IDEFICS_H

#include "models/model.h"

/* The defaults of a tower's configuration. */
typedef struct am_idefics_tower {
    int64_t hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, image_size, patch_size;
} am_idefics_tower;

/* Pixels: [B, channels, height, width]; which patches belong to the image: BOOL [B, rows, columns], or AM_NONE: all. */
typedef struct am_idefics_images {
    am_value pixels, attended;
} am_idefics_images;

/* Last hidden state [B, P, C] of the tower of configuration c, below the scope. hidden_states: their name among the
   outputs, as in am_pre_norm_options. */
am_value am_idefics_vision(am_builder *b, const am_config *c, const am_idefics_tower *defaults,
                           const am_idefics_images *images, const char *hidden_states);

/* The input pixel_values: [B, N, channels, height, width] as [B * N, ..], and what pixel_attention_mask: [B, N, height,
   width], where it is given, says of their patches. belonging: a patch is the image's when any of its pixels is
   (AM_REDUCE_ANY) or when all are (AM_REDUCE_ALL). */
am_idefics_images am_idefics_read_images(am_builder *b, const am_config *vision, int64_t patch_size,
                                         am_reduce_fn belonging);

/* Defaults of Idefics3's and SmolVLM's tower. */
extern const am_idefics_tower am_idefics3_tower;

/* The builder of Idefics3's and SmolVLM's tower alone. */
void am_idefics3_vision_model(am_builder *b);

/* Their rows for the text: [B * N, rows, C]; *last_hidden_state: of the tower. */
am_value am_idefics3_rows(am_builder *b, am_value *last_hidden_state);

#endif

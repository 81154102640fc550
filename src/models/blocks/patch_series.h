/* Series cut into patches, as PatchTST and PatchTSMixer read them: scaled, windows of steps that may be masked, and the
   heads that they have in common. */
#ifndef AM_MODELS_BLOCKS_PATCH_SERIES_H
#define AM_MODELS_BLOCKS_PATCH_SERIES_H

#include "models/blocks/time_series.h"

/* What absent fields stand for. */
typedef struct am_patch_series_defaults {
    int64_t patch_size;    /* patch_length and patch_stride */
    int64_t targets;       /* num_targets */
    bool masks_alike;      /* channel_consistent_masking */
    am_series_scaling yes; /* what scaling: true stands for */
} am_patch_series_defaults;

typedef struct am_patch_series {
    int64_t context_length, patch_length, patch_stride, channels, targets;
    int64_t patches;  /* how many windows of patch_length there are, the last one at the end */
    bool masks_alike; /* random masks are those of all channels */
    am_series_scaling scaling;
} am_patch_series;

/* The fields of the configuration. */
am_patch_series am_patch_series_read(const am_config *c, const am_patch_series_defaults *defaults);

typedef struct am_patches {
    am_value scaled; /* [B, channels, patches, patch_length] */
    am_value read;   /* the same with mask_value where masked */
    am_value mask;   /* BOOL [B, channels, patches], true where masked; AM_NONE: nothing is */
    am_series_scale scale;
} am_patches;

/* From the input past_values: [B, context_length, C] and `observed`, the name of one of its shape or null. Masked as
   mask_type says: patches drawn at random, from a stream that starts anew at each run, or the last ones. */
am_patches am_patches_read(am_builder *b, const am_patch_series *s, const char *observed, bool masks);

/* Whether the class predicts parameters of a distribution: loss is not "mse". */
bool am_series_has_distribution(const am_config *c);

/* The linear NAME of x: [B, K], within output_range where there is one: [B, num_targets]. */
am_value am_patch_series_targets(am_builder *b, const am_patch_series *s, const char *name, am_value x);

/* Output NAMED of those; or the parameters of a distribution by linears of x, outputs NAMED.0 .. */
void am_patch_series_output_targets(am_builder *b, const am_patch_series *s, const char *name, am_value x,
                                    const char *named);

#endif

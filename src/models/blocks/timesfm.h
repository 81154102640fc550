/* What TimesFM and TimesFM 2.5 share: decoders over the patches of a series, which forecast from its last patch. */
#ifndef AM_MODELS_BLOCKS_TIMESFM_H
#define AM_MODELS_BLOCKS_TIMESFM_H

#include "models/blocks/layers.h"

/* NAME.output_layer(activation(NAME.input_layer(x))) + NAME.residual_layer(x): x: [.., K] -> [.., out]. */
am_value am_timesfm_residual(am_builder *b, const char *name, am_value x, int64_t hidden, int64_t out,
                             am_unary_fn activation, int bias);

/* How many numbers there are of each step of a forecast: its mean, and those of quantiles; an empty list is an error.
 */
int64_t am_timesfm_columns(const am_config *c);

/* Queries [B, T, H, D] times a factor for each of D, of the weight scaling, for attention of scale 1. */
am_value am_timesfm_scale_queries(am_builder *b, am_value q);

/* What a forecast is made from. */
typedef struct am_timesfm_context {
    am_value values;  /* [rows, length], zeros before a series that is shorter */
    am_value padding; /* F32 [rows, length], 1 at those zeros */
    am_value least;   /* scalar: the least value that was given */
    int64_t window;   /* rows are series, or where it is not 0 moving averages over it and what they leave, in turn */
} am_timesfm_context;

/* From the input past_values: [B, T], of which the last `last` count, padded or cut to `length`; the argument
   window_size is read here. */
am_timesfm_context am_timesfm_context_read(am_builder *b, int64_t last, int64_t length);

/* Outputs mean_predictions: [B, T] and full_predictions: [B, T, Q] from those of the rows, at least 0 where `clamps`
   and no given value was less. */
void am_timesfm_output_predictions(am_builder *b, const am_timesfm_context *context, am_value mean, am_value full,
                                   bool clamps);

#endif

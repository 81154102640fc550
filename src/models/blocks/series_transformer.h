/* Forecasting by an encoder that reads the past of a series and a decoder that reads what is known of its future:
   BART's layers over lagged values and features. */
#ifndef AM_MODELS_BLOCKS_SERIES_TRANSFORMER_H
#define AM_MODELS_BLOCKS_SERIES_TRANSFORMER_H

#include "models/blocks/bart.h"
#include "models/blocks/time_series.h"

/* The linear value_embedding of x: [B, T, feature_size] and rows `first` on of embed_positions, normed, below the
   scope: [B, T, d_model]. */
am_value am_series_embed(am_builder *b, const am_series_config *s, am_value x, int64_t first);

/* Outputs params.0 ..: what parameter_projection of x: [B, prediction_length, K], the decoder's last hidden state, says
   of the values to come. Loss must be "nll". */
void am_series_output_prediction(am_builder *b, const am_series_config *s, const am_series_inputs *inputs, am_value x);

/* Builders for the rows of a member's table; its descriptor's family is the am_bart_family of its layers. */
void am_series_transformer_model(am_builder *b);
void am_series_transformer_for_prediction(am_builder *b);

#endif

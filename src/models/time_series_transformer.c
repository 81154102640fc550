/* Time Series Transformer: blocks/series_transformer.h with nothing added. transformers:
   models/time_series_transformer/modeling_time_series_transformer.py */
#include "models/blocks/series_transformer.h"

static const am_architecture architectures[] = {
    {"TimeSeriesTransformerModel", am_series_transformer_model, NULL, 0},
    {"TimeSeriesTransformerForPrediction", am_series_transformer_for_prediction, NULL, 0},
    {0},
};

static const am_bart_family family = {.d_model = 64, .layers = 2, .heads = 2, .ffn_dim = 32};

const am_model_type am_model_time_series_transformer = {
    .name = "time_series_transformer", .base_prefix = "model", .architectures = architectures, .family = &family};

/* What forecasters of time series share: scaling by what was observed, lagged values and features of a step, the
   parameters of a distribution. transformers: time_series_utils.py and the forecasters' own copies. */
#ifndef AM_MODELS_BLOCKS_TIME_SERIES_H
#define AM_MODELS_BLOCKS_TIME_SERIES_H

#include "models/model.h"

typedef enum am_series_scaling {
    AM_SERIES_UNSCALED,
    AM_SERIES_MEAN, /* by the mean of absolute values */
    AM_SERIES_STD,  /* by mean and standard deviation */
} am_series_scaling;

/* The field scaling: "mean", "std", true, which stands for `yes`, or something else, which stands for no scaling;
   `fallback` where it is absent. */
am_series_scaling am_series_scaling_read(const am_config *c, am_series_scaling yes, am_series_scaling fallback);

typedef struct am_series_scale {
    am_value loc, scale; /* [B, 1] or [B, 1, C] */
} am_series_scale;

/* Of values: [B, T] or [B, T, C], over T. observed: the same shape, any dtype, zero where nothing was; AM_NONE:
   everything was. Reads minimum_scale and default_scale of the configuration. */
am_series_scale am_series_scale_of(am_builder *b, am_value values, am_value observed, am_series_scaling scaling);

/* (values - loc) / scale, and back. */
am_value am_series_scaled(am_builder *b, am_value values, const am_series_scale *s);
am_value am_series_unscaled(am_builder *b, am_value x, const am_series_scale *s);

/* --- distributions --- */

enum { AM_SERIES_PARAMETERS = 3 };

/* Parameters of the distribution that distribution_output names, each by a linear NAME.proj.<i> of x: [.., K]: out[i]:
   [.., dim], or [..] where dim is 1. Gives how many there are; a name that no class knows is an error. */
int am_series_parameters(am_builder *b, const char *name, am_value x, int64_t dim, am_value out[AM_SERIES_PARAMETERS]);

/* What becomes of parameters when a scaled distribution is made of them: logits of a negative binomial one gain
   log(scale). */
void am_series_scale_parameters(am_builder *b, am_value *parameters, am_value scale);

/* Outputs NAME.0, NAME.1 .. */
void am_series_output_parameters(am_builder *b, const char *name, const am_value *parameters, int count);

/* --- lags and features --- */

enum { AM_SERIES_LAGS = 1024, AM_SERIES_CATEGORIES = 64 };

typedef struct am_series_config {
    int64_t context_length, prediction_length, input_size;
    int64_t lags[AM_SERIES_LAGS], cardinality[AM_SERIES_CATEGORIES], embedding_dimension[AM_SERIES_CATEGORIES];
    int lag_count, categories;
    int64_t longest_lag;
    int64_t feature_size; /* numbers of a step: lagged values and features */
    am_series_scaling scaling;
} am_series_config;

/* The fields, with the defaults that the classes have in common; `scaling` where that field is absent. */
am_series_config am_series_config_read(const am_config *c, am_series_scaling scaling);

typedef struct am_series_inputs {
    am_value lagged;          /* [B, S, input_size * lags]: scaled values before each of S steps */
    am_value features;        /* [B, S, ..]: static features, and those of the time */
    am_value static_features; /* [B, ..] */
    am_series_scale scale;
    bool has_future; /* S is context_length, and prediction_length more where future_values are given */
} am_series_inputs;

/* From the inputs past_values, past_observed_mask, past_time_features, static_categorical_features (embedded by
   embedder.embedders.<i> below the scope), static_real_features, future_values and future_time_features. */
am_series_inputs am_series_inputs_read(am_builder *b, const am_series_config *config);

/* Outputs loc, scale and static_features. */
void am_series_output_inputs(am_builder *b, const am_series_inputs *inputs);

#endif

#include "models/blocks/timesfm.h"

#include <math.h>

am_value am_timesfm_residual(am_builder *b, const char *name, am_value x, int64_t hidden, int64_t out,
                             am_unary_fn activation, int bias)
{
    am_scope(b, "%s", name);
    am_value h = am_linear_activation(b, "input_layer", x, hidden, bias, activation);
    x = am_add(b, am_linear(b, "output_layer", h, out, bias), am_linear(b, "residual_layer", x, out, bias));
    am_end_scope(b);
    return x;
}

int64_t am_timesfm_columns(const am_config *c)
{
    enum { DEFAULT = 9 };
    int64_t quantiles =
        am_config_has(c, "quantiles") ? (int64_t)am_json_count(am_json_get(c->object, "quantiles")) : DEFAULT;
    if (quantiles == 0) am_config_fail(c, "quantiles", "expected a list of at least one number");
    return quantiles + 1;
}

am_value am_timesfm_scale_queries(am_builder *b, am_value q)
{
    static const double log2_e = 1.442695041; /* as the model has it */
    int64_t D = am_dim(b, q, 3);
    am_value factors = am_unary(b, AM_SOFTPLUS, am_cast(b, am_weight(b, "scaling", am_shape_of(D)), AM_F32));
    return am_mul(b, q, am_mul_number(b, factors, log2_e / sqrt((double)D)));
}

/* x: [B, T] -> [2 B, T]: of each row its average over the last `window` steps, zeros before it counted, and the rest.
 */
static am_value averaged(am_builder *b, am_value x, int64_t window)
{
    am_pool_attributes average = {.fn = AM_POOL_AVERAGE, .kernel = am_shape_of(window), .stride = am_shape_of(1)};
    am_value slow = am_pool(b, am_unsqueeze(b, am_pad_zero(b, x, 1, window - 1, 0), 1), &average);
    x = am_unsqueeze(b, x, 1);
    return am_flatten(b, am_concat2(b, slow, am_sub(b, x, slow), 1), 0, 1);
}

am_timesfm_context am_timesfm_context_read(am_builder *b, int64_t last, int64_t length)
{
    am_value x = am_input(b, "past_values", 2);
    am_timesfm_context context = {.window = am_model_argument(b, "window_size", 0)};
    if (am_dim(b, x, 1) > last) x = am_slice(b, x, 1, -last, AM_SLICE_END);
    context.least = am_reduce(b, AM_REDUCE_MIN, x, am_shape_of(0, 1), false);
    if (context.window > 0) x = averaged(b, x, context.window);
    int64_t rows = am_dim(b, x, 0), T = am_dim(b, x, 1), missing = length > T ? length - T : 0;
    am_value places = am_iota(b, AM_I32, am_shape_of(rows, length), 1, 0, 1);
    context.padding = am_cast(b, am_binary_number(b, AM_LESS, places, (double)missing), AM_F32);
    context.values = missing > 0   ? am_pad_zero(b, x, 1, missing, 0)
                     : T == length ? x
                                   : am_slice(b, x, 1, -length, AM_SLICE_END);
    return context;
}

/* Sums of the rows that one series gave. */
static am_value joined(am_builder *b, am_value x, const am_timesfm_context *context)
{
    if (context->window <= 0) return x;
    am_shape s = am_shape_of_value(b, x), pairs = {.rank = s.rank + 1, .dims = {s.dims[0] / 2, 2}};
    for (int i = 1; i < s.rank; i++) pairs.dims[i + 1] = s.dims[i];
    return am_reduce(b, AM_REDUCE_SUM, am_reshape(b, x, pairs), am_shape_of(1), false);
}

static am_value clamped(am_builder *b, am_value x, const am_timesfm_context *context)
{
    am_value is_positive = am_binary_number(b, AM_GREATER_EQUAL, context->least, 0);
    return am_select(b, is_positive, am_binary_number(b, AM_MAX, x, 0), x);
}

void am_timesfm_output_predictions(am_builder *b, const am_timesfm_context *context, am_value mean, am_value full,
                                   bool clamps)
{
    am_input_optional(b, "future_values", -1); /* the loss reads it */
    mean = joined(b, mean, context);
    full = joined(b, full, context);
    am_output(b, "mean_predictions", clamps ? clamped(b, mean, context) : mean);
    am_output(b, "full_predictions", clamps ? clamped(b, full, context) : full);
}

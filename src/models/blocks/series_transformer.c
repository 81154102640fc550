#include "models/blocks/series_transformer.h"

#include "models/blocks/layers.h"
#include "models/blocks/seq2seq.h"

typedef struct forecaster {
    am_series_config config;
    am_series_inputs inputs;
    const char *prefix; /* of the body's weights, or "" */
} forecaster;

am_value am_series_embed(am_builder *b, const am_series_config *s, am_value x, int64_t first)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 64);
    am_value rows = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, x, 1)), 1, (double)first, 1);
    x = am_linear(b, "value_embedding.value_projection", x, C, AM_NO_BIAS);
    x = am_add(b, x, am_embedding(b, "embed_positions", rows, s->context_length + s->prediction_length, C));
    return am_layer_norm(b, "layernorm_embedding", x, 1e-5);
}

/* The steps from `from` up to `to` as the layers read them. */
static am_value steps(am_builder *b, const forecaster *f, int64_t from, int64_t to)
{
    return am_slice(b, am_concat2(b, f->inputs.lagged, f->inputs.features, 2), 1, from, to);
}

static am_value encode(am_builder *b, const void *model)
{
    const forecaster *f = model;
    am_scope(b, "%s", f->prefix);
    am_scope(b, "encoder");
    am_value x = am_series_embed(b, &f->config, steps(b, f, 0, f->config.context_length), 0);
    x = am_bart_encoder_layers(b, am_model_family(b), x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* Without a future the decoder reads one step of zeros. */
static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const forecaster *f = model;
    int64_t first = f->config.context_length, B = am_dim(b, f->inputs.lagged, 0);
    am_value x = f->inputs.has_future ? steps(b, f, first, AM_SLICE_END)
                                      : am_iota(b, AM_F32, am_shape_of(B, 1, f->config.feature_size), 0, 0, 0);
    am_scope(b, "%s", f->prefix);
    am_scope(b, "decoder");
    x = am_bart_decoder_layers(b, am_model_family(b), am_series_embed(b, &f->config, x, first), encoded);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static forecaster read_inputs(am_builder *b, const char *prefix)
{
    forecaster f = {.config = am_series_config_read(am_model_config(b), AM_SERIES_MEAN), .prefix = prefix};
    am_scope(b, "%s", prefix);
    f.inputs = am_series_inputs_read(b, &f.config);
    am_end_scope(b);
    am_series_output_inputs(b, &f.inputs);
    return f;
}

void am_series_transformer_model(am_builder *b)
{
    forecaster f = read_inputs(b, "");
    am_output(b, "last_hidden_state", am_seq2seq_run(b, &(am_seq2seq){encode, decode, &f}));
}

void am_series_output_prediction(am_builder *b, const am_series_config *s, const am_series_inputs *inputs, am_value x)
{
    am_value parameters[AM_SERIES_PARAMETERS];
    const am_config *c = am_model_config(b);
    if (am_config_has(c, "loss") && !am_config_is(c, "loss", "nll")) am_config_fail(c, "loss", "expected nll");
    am_input_optional(b, "future_observed_mask", -1); /* the loss reads it */
    int count = am_series_parameters(b, "parameter_projection", x, s->input_size, parameters);
    am_series_scale_parameters(b, parameters, inputs->scale.scale);
    am_series_output_parameters(b, "params", parameters, count);
}

void am_series_transformer_for_prediction(am_builder *b)
{
    forecaster f = read_inputs(b, "model");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &f});
    if (f.inputs.has_future) am_series_output_prediction(b, &f.config, &f.inputs, x);
}

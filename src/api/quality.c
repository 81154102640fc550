#include "api/arguments.h"
#include "api/json_writer.h"
#include "api/model_internal.h"

#include <math.h>
#include <string.h>

enum { WINDOW = 256 };

/* Two forms of one model, and what was compared so far. */
typedef struct comparison {
    am_model *as_shipped, *rounded;
    int64_t tokens, judged, windows, same_top;
    double divergence, largest, loss_as_shipped, loss_rounded;
} comparison;

/* --- one token --- */

static int64_t top_of(const float *logits, int64_t count)
{
    int64_t top = 0;
    for (int64_t i = 1; i < count; i++)
        if (logits[i] > logits[top]) top = i;
    return top;
}

/* Logarithm of the sum of exponentials. */
static double normalizer(const float *logits, int64_t count)
{
    double most = (double)logits[top_of(logits, count)], sum = 0;
    for (int64_t i = 0; i < count; i++) sum += exp((double)logits[i] - most);
    return most + log(sum);
}

static void compare_token(comparison *c, const float *p, const float *q, int64_t count, int32_t next)
{
    double of_p = normalizer(p, count), of_q = normalizer(q, count), divergence = 0;
    for (int64_t i = 0; i < count; i++) {
        double log_p = (double)p[i] - of_p, probability = exp(log_p);
        if (probability > 0) divergence += probability * (log_p - ((double)q[i] - of_q));
    }
    c->tokens++;
    c->same_top += top_of(p, count) == top_of(q, count);
    c->divergence += divergence;
    if (!(divergence <= c->largest)) c->largest = divergence;
    if (next < 0 || next >= count) return;
    c->judged++;
    c->loss_as_shipped -= (double)p[next] - of_p;
    c->loss_rounded -= (double)q[next] - of_q;
}

/* --- windows --- */

/* Logits [1, length, vocabulary] of a window; borrowed. */
static am_status run_window(am_model *model, const int32_t *ids, int64_t length, am_tensor *out)
{
    am_named_array input = {"input_ids", {AM_I32, am_shape_of(1, length), (void *)(uintptr_t)ids}};
    const am_named_array *outputs;
    size_t count;
    char text[AM_SHAPE_TEXT];
    AM_TRY(am_model_forward(model, &input, 1, false, &outputs, &count));
    if (!am_session_find_output(model->pipeline->session, "logits", out))
        return am_error(AM_UNSUPPORTED, "%s gives no logits", am_model_architecture(model));
    if (out->dtype == AM_F32 && out->shape.rank == 3 && out->shape.dims[0] == 1 && out->shape.dims[1] == length)
        return NULL;
    return am_error(AM_UNSUPPORTED, "%s gives logits %s for %lld tokens", am_model_architecture(model),
                    am_shape_text(&out->shape, text), (long long)length);
}

static am_status compare_window(comparison *c, const int32_t *ids, int64_t length)
{
    am_tensor p, q;
    AM_TRY(run_window(c->as_shipped, ids, length, &p));
    AM_TRY(run_window(c->rounded, ids, length, &q));
    int64_t vocabulary = p.shape.dims[2];
    for (int64_t t = 0; t < length; t++)
        compare_token(c, (const float *)p.data + t * vocabulary, (const float *)q.data + t * vocabulary, vocabulary,
                      t + 1 < length ? ids[t + 1] : -1);
    c->windows++;
    return NULL;
}

/* A last window of one token, after which nothing is known, is left out. */
static am_status compare_text(comparison *c, const char *text, int64_t window)
{
    am_encoding encoding;
    struct am_tokenizer *tokenizer;
    am_text whole = {text, strlen(text)};
    int64_t context = am_pipeline_context_length(c->as_shipped->pipeline);
    if (!window) window = WINDOW;
    if (window > context) window = context;
    AM_TRY(am_pipeline_tokenizer(c->as_shipped->pipeline, &tokenizer));
    AM_TRY(am_tokenizer_encode_texts(tokenizer, &whole, NULL, 1, NULL, &encoding));
    am_status status = NULL;
    int64_t count = (int64_t)encoding.count;
    if (count < 2 || window < 2)
        status = am_error(AM_INVALID_ARGUMENT, "a text of %lld tokens in windows of %lld; expected at least two",
                          (long long)count, (long long)window);
    for (int64_t at = 0; at + 1 < count && !status; at += window)
        status = compare_window(c, encoding.ids + at, at + window < count ? window : count - at);
    am_encoding_deinit(&encoding);
    return status;
}

/* --- results --- */

static int64_t weight_bytes(const am_model *model)
{
    const am_loaded_model *m = model->pipeline->model;
    am_quantized_summary rounded = am_quantized_weights_summary(m->quantized);
    size_t bytes = rounded.bytes;
    for (size_t i = 0; i < m->weights.count; i++)
        if (m->used[i]) bytes += am_tensor_bytes(m->weights.tensors[i].dtype, &m->weights.tensors[i].shape);
    return (int64_t)(bytes - rounded.replaced_bytes);
}

static void put_pair(am_buffer *out, const char *name, double as_shipped, double rounded)
{
    am_put_open(out, name, '{');
    am_put_real(out, "as_shipped", as_shipped);
    am_put_real(out, "rounded", rounded);
    am_put_close(out, '}');
}

static void put_comparison(am_buffer *out, const comparison *c, const am_model_options *options)
{
    double tokens = (double)c->tokens, judged = (double)c->judged;
    am_put_open(out, NULL, '{');
    am_put_text(out, "architecture", am_model_architecture(c->as_shipped));
    am_put_text(out, "weights", options->weights ? options->weights : "auto");
    am_put_text(out, "dtype", options->dtype ? options->dtype : "auto");
    am_put_integer(out, "tokens", c->tokens);
    am_put_integer(out, "windows", c->windows);
    am_put_real(out, "kl_divergence", c->divergence / tokens);
    am_put_real(out, "kl_divergence_largest", c->largest);
    am_put_real(out, "same_top_token", (double)c->same_top / tokens);
    put_pair(out, "perplexity", exp(c->loss_as_shipped / judged), exp(c->loss_rounded / judged));
    am_put_open(out, "weight_bytes", '{');
    am_put_integer(out, "as_shipped", weight_bytes(c->as_shipped));
    am_put_integer(out, "rounded", weight_bytes(c->rounded));
    am_put_close(out, '}');
    am_put_integer(out, "rounded_weights", am_quantized_weights_summary(c->rounded->pipeline->model->quantized).count);
    am_put_close(out, '}');
}

static am_status open_both(comparison *c, const char *directory, const am_model_options *options)
{
    am_session_options rounding = {0};
    am_model_options as_shipped = *options;
    as_shipped.weights = as_shipped.dtype = NULL;
    AM_TRY(am_read_precision(options->weights, options->dtype, &rounding));
    if (!rounding.weights.format.bits && !rounding.program.allows_bf16)
        return am_error(AM_INVALID_ARGUMENT, "weights: expected int8, int4 or int4-asymmetric; or dtype: bf16");
    AM_TRY(am_model_open(directory, &as_shipped, &c->as_shipped));
    AM_TRY(am_model_open(directory, options, &c->rounded));
    if (c->as_shipped->pipeline->model->architecture->flags & AM_GENERATES) return NULL;
    return am_error(AM_UNSUPPORTED, "%s writes no text", am_model_architecture(c->as_shipped));
}

am_status am_quality(const char *directory, const am_model_options *options, const char *text, int window,
                     char **out_json)
{
    static const am_model_options none = {0};
    comparison c = {0};
    am_buffer out = {0};
    *out_json = NULL;
    if (!directory || !text) return am_error(AM_INVALID_ARGUMENT, "a model directory and a text are needed");
    if (window < 0) return am_error(AM_INVALID_ARGUMENT, "window: expected at least 2, found %d", window);
    am_status status = open_both(&c, directory, options ? options : &none);
    if (!status) status = compare_text(&c, text, window);
    if (!status) put_comparison(&out, &c, options);
    am_model_close(c.as_shipped);
    am_model_close(c.rounded);
    return am_put_finish(&out, status, out_json);
}

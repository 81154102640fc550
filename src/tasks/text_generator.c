#include "tasks/text_generator.h"

#include "base/memory.h"
#include "tasks/task.h"
#include "tensor/shape.h"
#include "text/tokenizer.h"

#include <string.h>

/* --- prompts --- */

static bool is_encoder_decoder(const am_pipeline *p)
{
    return (p->model->architecture->flags & AM_ENCODER_DECODER) != 0;
}

static am_status encode_prompt(am_tokenizer *tokenizer, am_arena *arena, const char *prompt,
                               const am_encode_options *options, am_text_inputs *out)
{
    am_encoding encoding = {0};
    AM_TRY(am_tokenizer_encode(tokenizer, (am_text){prompt, strlen(prompt)}, NULL, options, &encoding));
    am_status status = am_inputs_of_encodings(tokenizer, arena, &encoding, 1, out);
    am_encoding_deinit(&encoding);
    return status;
}

am_status am_text_job_prompt(am_pipeline *p, am_arena *arena, const char *prompt, const am_encode_options *options,
                             am_text_job *job)
{
    am_tokenizer *tokenizer;
    am_text_inputs encoded;
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    AM_TRY(encode_prompt(tokenizer, arena, prompt, options, &encoded));
    if (!is_encoder_decoder(p)) {
        job->ids = encoded.ids;
        job->length = encoded.length;
        return NULL;
    }
    if (!am_config_has(am_pipeline_config(p), "relative_attention_num_buckets"))
        AM_TRY(am_check_length(p, encoded.length));
    am_session_input *inputs = am_arena_array(arena, 2, sizeof *inputs);
    if (!inputs) return am_out_of_memory();
    for (int i = 0; i < 2; i++)
        inputs[i] = encoded.inputs[i]; /* input_ids and attention_mask; decoders have no token types */
    job->inputs = inputs;
    job->input_count = 2;
    return NULL;
}

/* --- text that grows --- */

typedef struct growth {
    const am_text_job *job;
    const am_tokenizer *tokenizer;
    am_token_stream *stream;
    am_buffer text;
    size_t given; /* bytes that on_text has seen */
    am_status error;
    bool stopped, cancelled;
} growth;

/* Where the earliest stop text begins; the text's length when there is none. */
static size_t find_stop(const growth *g, bool *found)
{
    size_t best = g->text.length;
    for (size_t i = 0; i < g->job->stop_count; i++) {
        const char *stop = g->job->stop[i];
        const char *at = *stop && g->text.length ? strstr(am_buffer_text(&g->text), stop) : NULL;
        if (at && (size_t)(at - g->text.bytes) <= best) {
            best = (size_t)(at - g->text.bytes);
            *found = true;
        }
    }
    return best;
}

/* Bytes at the end that may yet become a stop text. */
static size_t held_back(const growth *g)
{
    size_t most = 0;
    for (size_t i = 0; i < g->job->stop_count; i++) {
        size_t length = strlen(g->job->stop[i]);
        for (size_t part = length ? length - 1 : 0; part > most; part--)
            if (part <= g->text.length && memcmp(g->text.bytes + g->text.length - part, g->job->stop[i], part) == 0)
                most = part;
    }
    return most;
}

static void give(growth *g, size_t end)
{
    if (end <= g->given) return;
    if (g->job->on_text && !g->job->on_text(g->job->context, g->text.bytes + g->given, end - g->given))
        g->cancelled = true;
    g->given = end;
}

static void grow(growth *g, am_text piece, bool last)
{
    am_buffer_append(&g->text, piece.bytes, piece.length);
    if (g->text.failed || g->stopped) return;
    size_t end = find_stop(g, &g->stopped);
    if (g->stopped) g->text.length = end;
    if (g->stopped && g->text.bytes) g->text.bytes[end] = 0;
    give(g, g->stopped || last ? g->text.length : g->text.length - held_back(g));
}

/* --- what ends a sequence --- */

typedef struct generation {
    const am_text_job *job;
    const am_generation_config *config;
    const am_tokenizer *tokenizer;
    bool is_live; /* text is given while it grows */
    growth *live;
    am_status error;
} generation;

static size_t longest(const char *const *texts, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++) most = strlen(texts[i]) > most ? strlen(texts[i]) : most;
    return most;
}

static am_status decode(const generation *g, const int32_t *ids, int64_t count, bool special, char **text,
                        size_t *length)
{
    am_decode_options options = {.skip_special_tokens = !special, .clean_up = -1};
    return am_tokenizer_decode(g->tokenizer, ids, (size_t)count, &options, text, length);
}

/* Whether one of the texts ends within the text of the last token. */
static bool completes(const char *text, size_t before, const char *const *stops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(stops[i]);
        for (const char *at = text; *stops[i] && (at = strstr(at, stops[i])); at++)
            if ((size_t)(at - text) + length > before) return true;
    }
    return false;
}

/* Only as many tokens are read as may hold the longest text, each having at least a byte. */
static am_status check_stops(const generation *g, const int32_t *ids, int64_t length, bool special,
                             const char *const *stops, size_t count, bool *found)
{
    enum { MORE_TOKENS = 4 };
    char *text = NULL, *without = NULL;
    size_t text_length, before;
    int64_t window = (int64_t)longest(stops, count) + MORE_TOKENS;
    if (!count || !length) return NULL;
    if (length > window) ids += length - window;
    if (length > window) length = window;
    am_status status = decode(g, ids, length, special, &text, &text_length);
    if (!status) status = decode(g, ids, length - 1, special, &without, &before);
    if (!status && completes(text, before, stops, count)) *found = true;
    am_free(text);
    am_free(without);
    return status;
}

/* stop_strings count over the prompt's end too, as in transformers; the caller's texts in what is new. */
static bool stops(void *context, const int32_t *ids, int64_t length, int64_t prompt)
{
    generation *g = context;
    const am_stop_texts *strings = &g->config->stop_strings;
    bool found = false;
    if (g->error) return true;
    g->error = check_stops(g, ids, length, true, strings->items, (size_t)strings->count, &found);
    if (!g->error && !g->is_live)
        g->error = check_stops(g, ids + prompt, length - prompt, false, g->job->stop, g->job->stop_count, &found);
    return found || g->error;
}

/* --- a sequence's text --- */

static bool feed(growth *g, int32_t token)
{
    am_text piece;
    g->error = am_token_stream_feed(g->stream, token, &piece);
    if (g->error) return false;
    grow(g, piece, false);
    return !g->stopped && !g->cancelled && !g->text.failed;
}

static bool on_token(void *context, int64_t row, int32_t token)
{
    const generation *g = context;
    (void)row;
    return feed(g->live, token);
}

static am_status finish_text(growth *g)
{
    am_text piece;
    if (g->error) return g->error;
    if (!g->stopped) {
        AM_TRY(am_token_stream_flush(g->stream, &piece));
        grow(g, piece, true);
    }
    am_buffer_append(&g->text, "", 0);
    return am_buffer_status(&g->text);
}

static const char *reason(const growth *g, const am_generation_config *c, const int32_t *ids, int64_t count,
                          int64_t limit)
{
    if (g->cancelled) return "cancelled";
    bool ends = count && am_generation_config_stops(c, ids[count - 1]);
    return g->stopped || ends || count < limit ? "stop" : "length";
}

static am_status keep(growth *g, const am_generation_config *c, const am_generated *made, int64_t i,
                      am_text_sequence *out)
{
    const int32_t *ids = made->ids + i * made->stride;
    int64_t count = made->lengths[i];
    out->ids = am_alloc_zeroed((size_t)count + 1, sizeof *out->ids);
    if (!out->ids) return am_out_of_memory();
    memcpy(out->ids, ids, (size_t)count * sizeof *ids);
    out->id_count = count;
    out->finish_reason = reason(g, c, ids, count, made->stride);
    out->score = made->scores ? (double)made->scores[i] : 0;
    out->length = g->text.length;
    out->is_cut = g->stopped;
    out->text = g->text.length ? am_buffer_take(&g->text) : am_copy_string("", 0);
    return out->text ? NULL : am_out_of_memory();
}

static am_status growth_init(growth *g, const am_text_job *job, const am_tokenizer *tokenizer)
{
    *g = (growth){.job = job, .tokenizer = tokenizer};
    return am_token_stream_create(tokenizer, true, &g->stream);
}

static void growth_deinit(growth *g)
{
    am_buffer_deinit(&g->text);
    am_token_stream_destroy(g->stream);
}

/* A sequence that was not given while it grew: the first is given now. */
static am_status read_sequence(const generation *g, const am_generated *made, int64_t i, am_text_sequence *out)
{
    growth text;
    am_text_job silent = *g->job;
    silent.on_text = i ? NULL : silent.on_text;
    AM_TRY(growth_init(&text, &silent, g->tokenizer));
    for (int64_t k = 0; k < made->lengths[i]; k++)
        if (!feed(&text, made->ids[i * made->stride + k])) break;
    am_status status = finish_text(&text);
    if (!status) status = keep(&text, g->config, made, i, out);
    growth_deinit(&text);
    return status;
}

/* --- */

/* New tokens end where the context does. */
static am_status limit_length(am_pipeline *p, const am_text_job *job, am_generation_config *c)
{
    int64_t context = am_pipeline_context_length(p), prompt = job->ids ? job->length : 1;
    if (is_encoder_decoder(p) && am_config_has(am_pipeline_config(p), "relative_attention_num_buckets")) return NULL;
    if (prompt >= context)
        return am_error(AM_OUT_OF_RANGE,
                        "the prompt has %lld tokens, and the model's context holds %lld with the answer",
                        (long long)prompt, (long long)context);
    if (am_generation_config_end(c, prompt) > context) c->max_new_tokens = context - prompt;
    return NULL;
}

static am_status keep_all(generation *g, const am_generated *made, am_text_answer *out)
{
    int64_t encoded = g->job->input_count ? g->job->inputs[0].tensor.shape.dims[1] : made->prompt_tokens;
    *out = (am_text_answer){.prompt_tokens = encoded,
                            .has_scores = made->scores != NULL,
                            .prefill_ms = made->prefill_ms,
                            .decode_ms = made->decode_ms};
    out->sequences = am_alloc_zeroed((size_t)made->batch, sizeof *out->sequences);
    if (!out->sequences) return am_out_of_memory();
    out->count = made->batch;
    if (g->is_live) {
        AM_TRY(finish_text(g->live));
        return keep(g->live, g->config, made, 0, &out->sequences[0]);
    }
    for (int64_t i = 0; i < out->count; i++) AM_TRY(read_sequence(g, made, i, &out->sequences[i]));
    return NULL;
}

/* A problem met in a callback, which ended generation, goes before what became of it. */
static am_status first_error(am_status met, am_status status)
{
    if (met) am_status_free(status);
    return met ? met : status;
}

am_status am_generate_text(am_pipeline *p, const am_text_job *job, am_text_answer *out)
{
    am_generation_config config = *job->config;
    am_generated made = {0};
    am_tokenizer *tokenizer;
    growth live;
    *out = (am_text_answer){0};
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    AM_TRY(limit_length(p, job, &config));
    AM_TRY(growth_init(&live, job, tokenizer));
    generation g = {.job = job, .config = &config, .tokenizer = tokenizer, .live = &live};
    g.is_live = config.num_beams <= 1 && config.num_return_sequences <= 1;
    am_generate_request request = {.inputs = job->inputs,
                                   .input_count = job->input_count,
                                   .ids = job->ids,
                                   .batch = 1,
                                   .length = job->length,
                                   .config = &config,
                                   .on_token = g.is_live ? on_token : NULL,
                                   .stops = stops,
                                   .context = &g};
    am_status status = am_generate(p->session, &request, &made);
    status = first_error(g.error, status);
    if (!status) status = keep_all(&g, &made, out);
    if (status) am_text_answer_deinit(out);
    am_generated_deinit(&made);
    growth_deinit(&live);
    return status;
}

void am_text_answer_deinit(am_text_answer *answer)
{
    for (int64_t i = 0; i < answer->count; i++) {
        am_free(answer->sequences[i].text);
        am_free(answer->sequences[i].ids);
    }
    am_free(answer->sequences);
    *answer = (am_text_answer){0};
}

am_status am_append_answer(const am_text_answer *answer, const char *field, const char *prefix, am_buffer *out)
{
    for (int64_t i = 0; i < answer->count; i++) {
        am_buffer text = {0};
        am_buffer_append_string(&text, prefix);
        am_buffer_append(&text, answer->sequences[i].text, answer->sequences[i].length);
        am_buffer_printf(out, "%s{\"%s\": ", i ? ", " : "[", field);
        am_buffer_append_json_string(out, am_buffer_text(&text), text.length);
        am_buffer_append_char(out, '}');
        am_status status = am_buffer_status(&text);
        am_buffer_deinit(&text);
        if (status) return status;
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

/* --- settings --- */

static bool is_given(am_json object, const char *key)
{
    return am_json_kind_of(am_json_get(object, key)) > AM_JSON_NULL;
}

am_status am_read_generation(am_pipeline *p, const am_generation_config *base, am_json section, am_json options,
                             am_arena *arena, am_generation_config *out)
{
    am_generation_config unlimited = *base;
    unlimited.max_new_tokens = 0;
    AM_TRY(am_generation_config_read(p->model, &unlimited, arena, out));
    if (!out->max_length && !out->max_new_tokens) out->max_new_tokens = base->max_new_tokens;
    AM_TRY(am_generation_config_merge(section, "config.json: task_specific_params", AM_INVALID_FILE, arena, out));
    AM_TRY(am_check_option(options, "seed", AM_JSON_INTEGER));
    out->seed = (uint64_t)am_json_int(am_json_get(options, "seed"), 0);
    /* a max_length that is given goes before a max_new_tokens that is not */
    if (is_given(options, "max_length") && !is_given(options, "max_new_tokens")) out->max_new_tokens = 0;
    return am_generation_config_merge(options, "options", AM_INVALID_ARGUMENT, arena, out);
}

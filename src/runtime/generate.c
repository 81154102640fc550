#include "runtime/generate.h"

#include "base/clock.h"
#include "base/memory.h"
#include "runtime/decoder_feed.h"

#include <string.h>

/* --- what the rows begin with --- */

static const am_session_input *find_input(const am_generate_request *request, const char *name)
{
    for (int i = 0; i < request->input_count; i++)
        if (strcmp(request->inputs[i].name, name) == 0) return &request->inputs[i];
    return NULL;
}

/* An input's [batch, T] numbers as tokens, in the arena; null when there is none. */
static am_status input_tokens(const am_generate_request *request, const char *name, am_arena *arena, int32_t **out,
                              int64_t *length)
{
    const am_session_input *input = find_input(request, name);
    *out = NULL;
    *length = 0;
    if (!input || input->tensor.shape.rank != 2 || input->tensor.shape.dims[0] != request->batch) return NULL;
    int64_t count = am_shape_count(&input->tensor.shape);
    *out = am_arena_array(arena, (size_t)count + 1, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) (*out)[i] = (int32_t)am_load_int(input->tensor.dtype, input->tensor.data, i);
    *length = input->tensor.shape.dims[1];
    return NULL;
}

static int64_t leading_zeros(const int32_t *mask, int64_t length)
{
    int64_t count = 0;
    while (count < length && !mask[count]) count++;
    return count == length ? 0 : count;
}

/* The prompt of each row; the source is what generate was given first: input_ids of the encoder, or the prompt. */
static am_status make_prompts(const am_generate_request *request, bool encoder_decoder, am_arena *arena,
                              am_history **out)
{
    int32_t *source, *mask = NULL;
    int64_t source_length, mask_length = 0;
    *out = am_arena_array(arena, (size_t)request->batch, sizeof **out);
    if (!*out) return am_out_of_memory();
    AM_TRY(input_tokens(request, "input_ids", arena, &source, &source_length));
    if (!encoder_decoder) AM_TRY(input_tokens(request, "attention_mask", arena, &mask, &mask_length));
    for (int64_t r = 0; r < request->batch; r++) {
        am_history *h = &(*out)[r];
        *h = (am_history){.ids = request->ids + r * request->length, .length = request->length};
        h->prompt = request->length;
        h->padding = mask && mask_length == request->length ? leading_zeros(mask + r * mask_length, mask_length) : 0;
        h->source_ids = encoder_decoder ? (source ? source + r * source_length : NULL) : h->ids;
        h->source_length = encoder_decoder ? source_length : h->length;
    }
    return NULL;
}

/* The logits that a decoder gives after the prompts; from then on each prompt has `times` rows. logits: [batch * times,
   vocab], in the arena. */
static am_status read_prompts(am_decoder_feed *f, int64_t times, am_arena *arena, const float **logits, int64_t *vocab)
{
    const float *first;
    int64_t batch = f->rows;
    AM_TRY(am_decoder_feed_run(f, f->request->ids, f->request->length, &first, vocab));
    *logits = first;
    if (times == 1) return NULL;
    size_t count = (size_t)*vocab;
    float *repeated = am_arena_array(arena, (size_t)(batch * times) * count, sizeof *repeated);
    if (!repeated) return am_out_of_memory();
    for (int64_t r = 0; r < batch * times; r++)
        memcpy(repeated + (size_t)r * count, first + (size_t)(r / times) * count, count * sizeof *repeated);
    *logits = repeated;
    return am_decoder_feed_repeat(f, times);
}

/* --- one token after another --- */

typedef struct sequence_set {
    const am_generate_request *request;
    am_history *histories; /* [rows]: ids are in `ids` */
    int32_t *ids;          /* [rows, stride]: prompt and new tokens */
    int64_t rows, stride;
    bool *done;
    int32_t *next;
    bool cancelled;
} sequence_set;

static am_status make_sequences(const am_generate_request *request, const am_history *prompts, int64_t times,
                                int64_t new_tokens, am_arena *arena, sequence_set *s)
{
    *s = (sequence_set){.request = request, .rows = request->batch * times, .stride = request->length + new_tokens};
    size_t rows = (size_t)s->rows;
    s->ids = am_arena_array(arena, rows * (size_t)s->stride, sizeof *s->ids);
    s->histories = am_arena_array(arena, rows, sizeof *s->histories);
    s->done = am_arena_array(arena, rows, sizeof *s->done);
    s->next = am_arena_array(arena, rows, sizeof *s->next);
    if (!s->ids || !s->histories || !s->done || !s->next) return am_out_of_memory();
    for (int64_t r = 0; r < s->rows; r++) {
        const am_history *prompt = &prompts[r / times];
        memcpy(s->ids + r * s->stride, prompt->ids, (size_t)prompt->length * sizeof *s->ids);
        s->histories[r] = *prompt;
        s->histories[r].ids = s->ids + r * s->stride;
    }
    return NULL;
}

static am_status choose(sequence_set *s, int64_t r, am_sampler *sampler, const float *logits, int64_t vocab,
                        am_generated *out)
{
    const am_generate_request *request = s->request;
    am_history *h = &s->histories[r];
    int32_t pad = request->config->pad_token_id, token = pad >= 0 ? pad : 0;
    if (!s->done[r]) {
        int64_t at = r * out->stride + out->lengths[r]++;
        float *log_probability = out->log_probabilities ? out->log_probabilities + at : NULL;
        AM_TRY(am_sampler_choose(sampler, logits, vocab, h, (uint64_t)r, &token, log_probability));
        out->ids[at] = token;
    }
    s->ids[r * s->stride + h->length++] = s->next[r] = token;
    if (s->done[r]) return NULL;
    s->done[r] = am_generation_config_stops(request->config, token) ||
                 (request->stops && request->stops(request->context, h->ids, h->length, h->prompt));
    if (request->on_token && !request->on_token(request->context, r, token)) s->cancelled = true;
    return NULL;
}

static bool all_done(const sequence_set *s)
{
    for (int64_t r = 0; r < s->rows; r++)
        if (!s->done[r]) return s->cancelled;
    return true;
}

static am_status token_loop(am_decoder_feed *f, sequence_set *s, am_sampler *sampler, const float *logits,
                            int64_t vocab, am_generated *out)
{
    double start = am_clock_ms();
    am_status status = NULL;
    for (int64_t i = 0; i < out->stride && !status; i++) {
        for (int64_t r = 0; r < s->rows && !status; r++) status = choose(s, r, sampler, logits + r * vocab, vocab, out);
        if (status || all_done(s) || i + 1 == out->stride) break;
        status = am_decoder_feed_run(f, s->next, 1, &logits, &vocab);
        out->decode_steps++;
    }
    out->decode_ms = am_clock_ms() - start;
    return status;
}

static am_status generate_tokens(am_decoder_feed *f, const am_history *prompts, am_arena *arena, am_generated *out)
{
    const am_generation_config *c = f->request->config;
    const float *logits;
    int64_t vocab;
    sequence_set s;
    am_sampler *sampler;
    double start = am_clock_ms();
    AM_TRY(make_sequences(f->request, prompts, c->num_return_sequences, out->stride, arena, &s));
    AM_TRY(read_prompts(f, c->num_return_sequences, arena, &logits, &vocab));
    out->prefill_ms = am_clock_ms() - start;
    AM_TRY(am_sampler_create(c, &sampler));
    am_status status = token_loop(f, &s, sampler, logits, vocab, out);
    am_sampler_destroy(sampler);
    return status;
}

/* --- beams --- */

static void keep_hypotheses(const am_beam_search *search, const am_generate_request *request, am_generated *out)
{
    int64_t each = request->config->num_return_sequences;
    for (int64_t i = 0; i < out->batch; i++) {
        am_hypothesis h = am_beam_search_result(search, i / each, i % each);
        memcpy(out->ids + i * out->stride, h.ids, (size_t)h.length * sizeof *out->ids);
        out->lengths[i] = h.length;
        out->scores[i] = h.score;
        if (out->log_probabilities)
            memcpy(out->log_probabilities + i * out->stride, h.log_probabilities, (size_t)h.length * sizeof(float));
    }
}

static am_status beam_loop(am_decoder_feed *f, am_beam_search *search, const float *logits, int64_t vocab,
                           am_generated *out)
{
    const int32_t *next, *origin;
    bool done;
    double start = am_clock_ms();
    AM_TRY(am_beam_search_step(search, logits, vocab, &next, &origin, &done));
    while (!done) {
        AM_TRY(am_decoder_feed_reorder(f, origin));
        AM_TRY(am_decoder_feed_run(f, next, 1, &logits, &vocab));
        AM_TRY(am_beam_search_step(search, logits, vocab, &next, &origin, &done));
        out->decode_steps++;
    }
    out->decode_ms = am_clock_ms() - start;
    keep_hypotheses(search, f->request, out);
    return NULL;
}

static am_status generate_beams(am_decoder_feed *f, const am_history *prompts, am_arena *arena, am_generated *out)
{
    const am_generate_request *request = f->request;
    const float *logits;
    int64_t vocab;
    am_beam_search *search;
    am_beam_problem problem = {.config = request->config,
                               .prompts = prompts,
                               .batch = request->batch,
                               .stops = request->stops,
                               .context = request->context,
                               .wants_log_probabilities = request->wants_log_probabilities};
    double start = am_clock_ms();
    out->scores = am_alloc_zeroed((size_t)out->batch, sizeof *out->scores);
    if (!out->scores) return am_out_of_memory();
    AM_TRY(read_prompts(f, request->config->num_beams, arena, &logits, &vocab));
    out->prefill_ms = am_clock_ms() - start;
    AM_TRY(am_beam_search_create(&problem, &search));
    am_status status = beam_loop(f, search, logits, vocab, out);
    am_beam_search_destroy(search);
    return status;
}

/* --- */

static am_status start_tokens(const am_generate_request *request, am_arena *arena, int32_t **out)
{
    int32_t start = request->config->decoder_start_token_id;
    if (start < 0)
        return am_error(AM_INVALID_ARGUMENT, "the configuration names no decoder_start_token_id and none was given");
    *out = am_arena_array(arena, (size_t)request->batch, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t r = 0; r < request->batch; r++) (*out)[r] = start;
    return NULL;
}

static am_status prepare(am_session *session, am_generate_request *request, am_arena *arena, am_generated *out)
{
    int flags = am_session_model(session)->architecture->flags;
    *out = (am_generated){.batch = request->batch * request->config->num_return_sequences};
    if (!(flags & AM_GENERATES))
        return am_error(AM_UNSUPPORTED, "class %s does not generate text",
                        am_session_model(session)->architecture->name);
    if (!request->ids && (flags & AM_ENCODER_DECODER)) {
        int32_t *start;
        AM_TRY(start_tokens(request, arena, &start));
        request->ids = start;
        request->length = 1;
    }
    if (!request->ids || request->length < 1 || request->batch < 1)
        return am_error(AM_INVALID_ARGUMENT, "the prompt is empty");
    AM_TRY(am_generation_config_check(request->config, request->length));
    out->prompt_tokens = request->length;
    out->stride = am_generation_config_end(request->config, request->length) - request->length;
    out->ids = am_alloc_zeroed((size_t)(out->batch * out->stride), sizeof *out->ids);
    out->lengths = am_alloc_zeroed((size_t)out->batch, sizeof *out->lengths);
    if (!out->ids || !out->lengths) return am_out_of_memory();
    if (!request->wants_log_probabilities) return NULL;
    out->log_probabilities = am_alloc_zeroed((size_t)(out->batch * out->stride), sizeof *out->log_probabilities);
    return out->log_probabilities ? NULL : am_out_of_memory();
}

static am_status generate(am_session *session, const am_generate_request *request, am_arena *arena, am_generated *out)
{
    am_decoder_feed feed;
    am_history *prompts;
    am_status status = am_decoder_feed_init(&feed, session, request);
    if (!status) status = make_prompts(request, feed.encoder_decoder, arena, &prompts);
    if (!status) {
        bool beams = request->config->num_beams > 1;
        status = (beams ? generate_beams : generate_tokens)(&feed, prompts, arena, out);
    }
    am_decoder_feed_deinit(&feed);
    return status;
}

am_status am_generate(am_session *session, const am_generate_request *given, am_generated *out)
{
    am_arena arena = {0};
    am_generate_request request = *given;
    am_status status = prepare(session, &request, &arena, out);
    if (!status) status = generate(session, &request, &arena, out);
    am_arena_deinit(&arena);
    if (status) am_generated_deinit(out);
    return status;
}

void am_generated_deinit(am_generated *g)
{
    am_free(g->ids);
    am_free(g->lengths);
    am_free(g->scores);
    am_free(g->log_probabilities);
    *g = (am_generated){0};
}

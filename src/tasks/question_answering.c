#include "tasks/answer_spans.h"

#include "base/memory.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_WINDOW = 384, LONGEST_STRIDE = 128, ANSWER_TOKENS = 15, MORE_CANDIDATES = 10 };

typedef struct settings {
    int64_t top_k, max_answer_len, max_seq_len, doc_stride;
    bool impossible; /* "no answer" is one, too */
    bool align;      /* answers are whole words */
} settings;

typedef struct span {
    double score;
    int64_t start, end; /* code points */
    am_text_range bytes;
} span;

typedef struct job {
    am_pipeline *p;
    am_tokenizer *tokenizer;
    am_arena arena;
    const char *question, *context;
    settings settings;
    span *answers;
    int64_t count, capacity;
    double null_score;
} job;

/* --- settings --- */

static am_status read_settings(job *j, am_json options)
{
    settings *s = &j->settings;
    int64_t limit = am_pipeline_context_length(j->p);
    AM_TRY(am_option_count(options, "top_k", 1, &s->top_k));
    AM_TRY(am_option_count(options, "max_answer_len", ANSWER_TOKENS, &s->max_answer_len));
    AM_TRY(am_option_count(options, "max_seq_len", limit < LONGEST_WINDOW ? limit : LONGEST_WINDOW, &s->max_seq_len));
    AM_TRY(am_option_count(options, "doc_stride",
                           s->max_seq_len / 2 < LONGEST_STRIDE ? s->max_seq_len / 2 : LONGEST_STRIDE, &s->doc_stride));
    AM_TRY(am_check_option(options, "handle_impossible_answer", AM_JSON_BOOL));
    AM_TRY(am_check_option(options, "align_to_words", AM_JSON_BOOL));
    s->impossible = am_json_bool(am_json_get(options, "handle_impossible_answer"), false);
    s->align = am_json_bool(am_json_get(options, "align_to_words"), true);
    if (s->max_seq_len > limit) return am_check_length(j->p, s->max_seq_len);
    if (s->doc_stride < s->max_seq_len) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "option doc_stride: expected less than max_seq_len (%lld), found %lld",
                    (long long)s->max_seq_len, (long long)s->doc_stride);
}

/* --- answers --- */

static int by_score(const void *a, const void *b)
{
    const span *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

/* The first, or last, token of the word that token `at` is in. */
static size_t word_edge(const job *j, const am_encoding *e, size_t at, bool last)
{
    size_t edge = at;
    if (!j->settings.align || e->word_ids[at] < 0) return at;
    for (size_t i = 0; i < e->count; i++)
        if (e->word_ids[i] == e->word_ids[at] && e->sequence_ids[i] == e->sequence_ids[at] &&
            (last ? i > edge : i < edge))
            edge = i;
    return edge;
}

static bool same_text(const job *j, const span *a, const span *b)
{
    size_t length = a->bytes.end - a->bytes.start;
    return length == b->bytes.end - b->bytes.start &&
           strncasecmp(j->context + a->bytes.start, j->context + b->bytes.start, length) == 0;
}

static am_status add_answer(job *j, span answer)
{
    for (int64_t i = 0; i < j->count; i++)
        if (same_text(j, &j->answers[i], &answer)) {
            j->answers[i].score += answer.score;
            return NULL;
        }
    if (j->count == j->capacity) {
        int64_t larger = j->capacity ? 2 * j->capacity : 32;
        span *grown = am_arena_array(&j->arena, (size_t)larger, sizeof *grown);
        if (!grown) return am_out_of_memory();
        if (j->count) memcpy(grown, j->answers, (size_t)j->count * sizeof *grown);
        j->answers = grown;
        j->capacity = larger;
    }
    j->answers[j->count++] = answer;
    return NULL;
}

static am_status add_spans(job *j, const am_encoding *e, const am_answer_span *spans, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        size_t first = word_edge(j, e, (size_t)spans[i].start, false),
               last = word_edge(j, e, (size_t)spans[i].end, true);
        AM_TRY(add_answer(j, (span){.score = spans[i].score,
                                    .start = e->offsets[first].start,
                                    .end = e->offsets[last].end,
                                    .bytes = {e->byte_offsets[first].start, e->byte_offsets[last].end}}));
    }
    return NULL;
}

static am_status read_window(job *j, const am_encoding *e)
{
    am_text_inputs inputs;
    am_answer_span *spans;
    int64_t top_k = j->settings.top_k, count;
    int32_t context = am_tokenizer_padding_side(j->tokenizer) == AM_SIDE_LEFT ? 0 : 1;
    am_span_search search = {.allowed = am_allowed_in_answers(j->tokenizer, e, context, &j->arena),
                             .T = (int64_t)e->count,
                             .max_answer_len = j->settings.max_answer_len,
                             .limit = j->settings.align ? 2 * top_k + MORE_CANDIDATES : top_k};
    if (!search.allowed) return am_out_of_memory();
    AM_TRY(am_inputs_of_encodings(j->tokenizer, &j->arena, e, 1, &inputs));
    AM_TRY(am_find_spans(j->p, inputs.inputs, inputs.count, &search, &j->arena, &spans, &count,
                         j->settings.impossible ? &j->null_score : NULL));
    return add_spans(j, e, spans, count);
}

/* The question stays whole; the context is cut into windows that overlap. */
static am_status read_windows(job *j)
{
    bool question_first = am_tokenizer_padding_side(j->tokenizer) != AM_SIDE_LEFT;
    am_text question = {j->question, strlen(j->question)}, context = {j->context, strlen(j->context)};
    am_encoding e = {0};
    am_encode_options options = {.add_special_tokens = true,
                                 .max_length = (uint64_t)j->settings.max_seq_len,
                                 .stride = (uint32_t)j->settings.doc_stride,
                                 .truncation = question_first ? AM_TRUNCATE_ONLY_SECOND : AM_TRUNCATE_ONLY_FIRST};
    AM_TRY(am_tokenizer_encode(j->tokenizer, question_first ? question : context, question_first ? &context : &question,
                               &options, &e));
    am_status status = read_window(j, &e);
    for (size_t i = 0; i < e.overflowing_count && !status; i++) status = read_window(j, &e.overflowing[i]);
    am_encoding_deinit(&e);
    return status;
}

static void append_answers(const job *j, am_buffer *out)
{
    int64_t count = j->count < j->settings.top_k ? j->count : j->settings.top_k;
    if (count != 1) am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < count; i++) {
        const span *a = &j->answers[i];
        am_buffer_append_string(out, i ? ", {\"score\": " : "{\"score\": ");
        am_append_real(out, a->score);
        am_buffer_printf(out, ", \"start\": %lld, \"end\": %lld, \"answer\": ", (long long)a->start, (long long)a->end);
        am_buffer_append_json_string(out, j->context + a->bytes.start, a->bytes.end - a->bytes.start);
        am_buffer_append_char(out, '}');
    }
    if (count != 1) am_buffer_append_char(out, ']');
}

static am_status answer(job *j, am_json options, am_buffer *out)
{
    AM_TRY(am_pipeline_tokenizer(j->p, &j->tokenizer));
    AM_TRY(read_settings(j, options));
    AM_TRY(read_windows(j));
    if (j->settings.impossible) AM_TRY(add_answer(j, (span){.score = j->null_score}));
    if (j->count) qsort(j->answers, (size_t)j->count, sizeof *j->answers, by_score);
    append_answers(j, out);
    return NULL;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    AM_TRY(am_need_text(input));
    if (!input->text_pair)
        return am_error(AM_INVALID_ARGUMENT, "this task needs a question and its context (the text's pair)");
    if (!input->text[0] || !input->text_pair[0])
        return am_error(AM_INVALID_ARGUMENT, "the question or its context is empty");
    job j = {.p = p, .question = input->text, .context = input->text_pair, .null_score = 1000000};
    am_status status = answer(&j, options, out);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_question_answering = {
    .name = "question-answering",
    .input = "question and context",
    .summary = "Finds the answer to a question in a text.",
    .parameters = "top_k, doc_stride, max_answer_len, max_seq_len, handle_impossible_answer, align_to_words",
    .run = run,
};

#include "tasks/answer_spans.h"

#include "tensor/shape.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_STRIDE = 256, ANSWER_TOKENS = 15, BOX_SIDES = 4, BOX_LIMIT = 1000 };

/* A page: its words, and where each stands, left, top, right, bottom, in thousandths of the page. */
typedef struct page {
    am_text *words;
    int32_t (*boxes)[BOX_SIDES];
    size_t count;
} page;

typedef struct answer {
    double score;
    int64_t start, end; /* words; -1: none */
} answer;

typedef struct job {
    am_pipeline *p;
    am_tokenizer *tokenizer;
    am_arena arena;
    page page;
    int64_t top_k, max_answer_len, max_seq_len, doc_stride;
    bool impossible; /* "no answer" is one, too */
    answer *answers;
    int64_t count;
    double null_score;
} job;

/* --- what is given --- */

static am_status read_box(am_json box, size_t word, int32_t out[BOX_SIDES])
{
    int sides = 0;
    bool is_right = am_json_kind_of(box) == AM_JSON_ARRAY && am_json_count(box) == BOX_SIDES;
    for (am_json_iterator i = am_json_iterate(box); is_right && am_json_next(&i);) {
        int64_t side = am_json_int(i.value, -1);
        is_right = side >= 0 && side <= BOX_LIMIT;
        out[sides++] = (int32_t)side;
    }
    return is_right ? NULL
                    : am_error(AM_INVALID_ARGUMENT, "word %zu: expected a box of %d whole numbers from 0 to %d", word,
                               BOX_SIDES, BOX_LIMIT);
}

/* [["word", [left, top, right, bottom]], ...] */
static am_status read_page(job *j, am_json words)
{
    page *out = &j->page;
    size_t count = am_json_count(words);
    if (am_json_kind_of(words) != AM_JSON_ARRAY || !count)
        return am_error(AM_INVALID_ARGUMENT, "expected a list of words with their boxes, found %s",
                        am_json_kind_name(am_json_kind_of(words)));
    out->words = am_arena_array(&j->arena, count, sizeof *out->words);
    out->boxes = am_arena_array(&j->arena, count, sizeof *out->boxes);
    if (!out->words || !out->boxes) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(words); am_json_next(&i); out->count++) {
        am_json_iterator pair = am_json_iterate(i.value);
        if (am_json_count(i.value) != 2 || !am_json_next(&pair) || am_json_kind_of(pair.value) != AM_JSON_STRING)
            return am_error(AM_INVALID_ARGUMENT, "word %zu: expected a text and its box", out->count);
        am_json_string text = am_json_text(pair.value);
        out->words[out->count] = (am_text){text.bytes, text.length};
        if (!am_json_next(&pair)) return am_error(AM_INTERNAL, "a pair of one");
        AM_TRY(read_box(pair.value, out->count, out->boxes[out->count]));
    }
    return NULL;
}

static am_status read_settings(job *j, am_json options)
{
    int64_t limit = am_pipeline_context_length(j->p), half;
    AM_TRY(am_option_count(options, "top_k", 1, &j->top_k));
    AM_TRY(am_option_count(options, "max_answer_len", ANSWER_TOKENS, &j->max_answer_len));
    AM_TRY(am_option_count(options, "max_seq_len", limit, &j->max_seq_len));
    half = j->max_seq_len / 2;
    AM_TRY(am_option_count(options, "doc_stride", half < LONGEST_STRIDE ? half : LONGEST_STRIDE, &j->doc_stride));
    AM_TRY(am_check_option(options, "handle_impossible_answer", AM_JSON_BOOL));
    j->impossible = am_json_bool(am_json_get(options, "handle_impossible_answer"), false);
    if (j->max_seq_len > limit) return am_check_length(j->p, j->max_seq_len);
    if (j->doc_stride < j->max_seq_len) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "option doc_stride: expected less than max_seq_len (%lld), found %lld",
                    (long long)j->max_seq_len, (long long)j->doc_stride);
}

/* --- windows --- */

/* Input bbox: a word's box for its tokens, the whole page's end for separators, its corner for the rest. */
static am_status add_boxes(job *j, const am_encoding *e, am_session_input *out)
{
    int32_t sep = am_tokenizer_special_id(j->tokenizer, "sep_token");
    int32_t(*boxes)[BOX_SIDES] = am_arena_array(&j->arena, e->count, sizeof *boxes);
    if (!boxes) return am_out_of_memory();
    for (size_t i = 0; i < e->count; i++) {
        int32_t side = e->ids[i] == sep ? BOX_LIMIT : 0;
        for (int k = 0; k < BOX_SIDES; k++)
            boxes[i][k] = e->sequence_ids[i] == 1 ? j->page.boxes[e->word_ids[i]][k] : side;
    }
    *out = (am_session_input){"bbox", {AM_I32, am_shape_of(1, (int64_t)e->count, BOX_SIDES), boxes}};
    return NULL;
}

static void add_answers(job *j, const am_encoding *e, const am_answer_span *spans, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t start = e->word_ids[spans[i].start], end = e->word_ids[spans[i].end];
        if (start >= 0 && end >= 0)
            j->answers[j->count++] = (answer){.score = spans[i].score, .start = start, .end = end};
    }
}

static am_status read_window(job *j, const am_encoding *e)
{
    am_text_inputs texts;
    am_session_input inputs[4];
    am_answer_span *spans;
    int64_t count;
    am_span_search search = {.allowed = am_allowed_in_answers(j->tokenizer, e, 1, &j->arena),
                             .T = (int64_t)e->count,
                             .max_answer_len = j->max_answer_len,
                             .limit = j->top_k};
    if (!search.allowed) return am_out_of_memory();
    AM_TRY(am_inputs_of_encodings(j->tokenizer, &j->arena, e, 1, &texts));
    memcpy(inputs, texts.inputs, sizeof texts.inputs);
    AM_TRY(add_boxes(j, e, &inputs[texts.count]));
    AM_TRY(am_find_spans(j->p, inputs, texts.count + 1, &search, &j->arena, &spans, &count, &j->null_score));
    add_answers(j, e, spans, count);
    return NULL;
}

/* The words of a question, cut at white space, in the arena. */
static am_status split(job *j, const char *question, am_text **out, size_t *out_count)
{
    static const char spaces[] = " \t\n\v\f\r";
    *out = am_arena_array(&j->arena, strlen(question) / 2 + 1, sizeof **out);
    *out_count = 0;
    if (!*out) return am_out_of_memory();
    for (const char *at = question + strspn(question, spaces); *at; at += strspn(at, spaces)) {
        size_t length = strcspn(at, spaces);
        (*out)[(*out_count)++] = (am_text){at, length};
        at += length;
    }
    return *out_count ? NULL : am_error(AM_INVALID_ARGUMENT, "the question is empty");
}

/* The question stays whole; the page is cut into windows that overlap. */
static am_status read_windows(job *j, const char *question)
{
    am_encoding e = {0};
    am_text *words;
    size_t count;
    am_encode_options options = {.add_special_tokens = true,
                                 .max_length = (uint64_t)j->max_seq_len,
                                 .stride = (uint32_t)j->doc_stride,
                                 .truncation = AM_TRUNCATE_ONLY_SECOND};
    AM_TRY(split(j, question, &words, &count));
    AM_TRY(am_tokenizer_encode_words(j->tokenizer, words, count, j->page.words, j->page.count, &options, &e));
    j->answers = am_arena_array(&j->arena, (e.overflowing_count + 1) * (size_t)j->top_k + 1, sizeof *j->answers);
    am_status status = j->answers ? read_window(j, &e) : am_out_of_memory();
    for (size_t i = 0; i < e.overflowing_count && !status; i++) status = read_window(j, &e.overflowing[i]);
    am_encoding_deinit(&e);
    return status;
}

/* --- answers --- */

static int by_score(const void *a, const void *b)
{
    const answer *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

static void append_answer(const job *j, const answer *a, am_buffer *out)
{
    am_buffer words = {0};
    for (int64_t i = a->start; a->start >= 0 && i <= a->end; i++) {
        if (i > a->start) am_buffer_append_char(&words, ' ');
        am_buffer_append(&words, j->page.words[i].bytes, j->page.words[i].length);
    }
    am_buffer_append_string(out, "{\"score\": ");
    am_append_real(out, a->score);
    am_buffer_append_string(out, ", \"answer\": ");
    am_buffer_append_json_string(out, am_buffer_text(&words), words.length);
    am_buffer_printf(out, ", \"start\": %lld, \"end\": %lld}", (long long)(a->start < 0 ? 0 : a->start),
                     (long long)(a->start < 0 ? 0 : a->end));
    am_buffer_deinit(&words);
}

static am_status answer_question(job *j, const char *question, am_json words, am_json options, am_buffer *out)
{
    AM_TRY(am_pipeline_tokenizer(j->p, &j->tokenizer));
    if (am_tokenizer_padding_side(j->tokenizer) == AM_SIDE_LEFT)
        return am_error(AM_UNSUPPORTED, "this task needs a tokenizer that pads on the right");
    AM_TRY(read_settings(j, options));
    AM_TRY(read_page(j, words));
    AM_TRY(read_windows(j, question));
    if (j->impossible) j->answers[j->count++] = (answer){.score = j->null_score, .start = -1};
    if (j->count) qsort(j->answers, (size_t)j->count, sizeof *j->answers, by_score);
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < j->count && i < j->top_k; i++) {
        if (i) am_buffer_append_string(out, ", ");
        append_answer(j, &j->answers[i], out);
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_json_document *words;
    job j = {.p = p, .null_score = 1000000};
    AM_TRY(am_need_text(input));
    if (!input->text_pair)
        return am_error(AM_INVALID_ARGUMENT, "this task needs a question and the page's words with their boxes as JSON "
                                             "(the text's pair): [[\"word\", [left, top, right, bottom]], ...]");
    AM_TRY(am_json_parse(input->text_pair, strlen(input->text_pair), "words and boxes", &words));
    am_status status = answer_question(&j, input->text, am_json_root(words), options, out);
    am_json_close(words);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_document_question_answering = {
    .name = "document-question-answering",
    .input = "question and words with boxes",
    .summary = "Finds the answer to a question among the words of a page.",
    .parameters = "top_k, doc_stride, max_answer_len, max_seq_len, handle_impossible_answer",
    .run = run,
};

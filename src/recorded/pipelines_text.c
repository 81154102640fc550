/* Texts: labels of tokens, masked tokens, generated text, spans that answer. */
#include "recorded/pipelines.h"
#include "tasks/answer_spans.h"
#include "tasks/answers.h"
#include <math.h>

static am_status need_tokenizer(const am_pipeline_case *c)
{
    return c->tokenizer ? NULL : am_error(AM_INVALID_FILE, "tokenizer: expected a name");
}

static am_text text_of(am_json value)
{
    am_json_string text = am_json_text(value);
    return (am_text){text.bytes, text.length};
}

/* --- token-classification --- */

/* Recorded windows are padded to one length. */
static am_status drop_padding(const am_tokenizer *tokenizer, int64_t count, am_tensor *logits)
{
    int64_t padding = logits->shape.dims[1] - count;
    bool left = am_tokenizer_padding_side(tokenizer) == AM_SIDE_LEFT;
    if (padding < 0)
        return am_error(AM_FAILED, "%lld tokens, expected %lld", (long long)count, (long long)logits->shape.dims[1]);
    if (left) logits->data = (float *)logits->data + padding * logits->shape.dims[2];
    logits->shape.dims[1] = count;
    return NULL;
}

static am_status add_windows(am_pipeline_case *c, am_entities *entities, const am_encoding *e)
{
    am_json recipes = am_json_get(c->line, "logits");
    bool several = am_json_kind_of(recipes) == AM_JSON_ARRAY;
    size_t count = several ? am_json_count(recipes) : 1;
    am_tensor logits;
    if (several && count != e->overflowing_count + 1)
        return am_error(AM_FAILED, "%zu windows, expected %zu", e->overflowing_count + 1, count);
    for (size_t i = 0; i < count; i++) {
        const am_encoding *window = i ? &e->overflowing[i - 1] : e;
        AM_TRY(am_pipeline_numbers(c, several ? am_verify_element(recipes, (int64_t)i) : recipes, 3, &logits));
        AM_TRY(drop_padding(c->tokenizer, (int64_t)window->count, &logits));
        AM_TRY(am_entities_add(entities, window, &logits));
    }
    return NULL;
}

/* One window, or with max_length several that share stride tokens, each with its logits. */
static am_status find_entities(am_pipeline_case *c, am_entities *entities)
{
    am_encode_options options = AM_ENCODE_OPTIONS;
    am_encoding e;
    int64_t length = am_json_int(am_json_get(c->line, "max_length"), 0);
    if (length > 0) {
        options.truncation = AM_TRUNCATE_LONGEST_FIRST;
        options.max_length = (uint64_t)length;
        options.stride = (uint32_t)am_json_int(am_json_get(c->kwargs, "stride"), 0);
    }
    AM_TRY(am_entities_encode(entities, &options, &e));
    am_status status = add_windows(c, entities, &e);
    am_encoding_deinit(&e);
    return status;
}

am_status am_pipeline_entities(am_pipeline_case *c, am_buffer *out)
{
    am_entities *entities;
    am_json config, given = am_json_get(c->line, "text");
    am_buffer words = {0};
    AM_TRY(need_tokenizer(c));
    AM_TRY(am_pipeline_case_config(c, &config));
    am_json_write(given, &words);
    bool is_list = am_json_kind_of(given) == AM_JSON_ARRAY;
    am_status status = am_buffer_status(&words);
    if (!status)
        status = am_entities_create(c->tokenizer, is_list ? am_buffer_text(&words) : am_json_text(given).bytes, config,
                                    c->kwargs, &entities);
    if (status) {
        am_buffer_deinit(&words);
        return status;
    }
    status = find_entities(c, entities);
    if (!status) am_entities_append(entities, out);
    am_entities_destroy(entities);
    am_buffer_deinit(&words);
    return status;
}

/* --- fill-mask --- */

am_status am_pipeline_masks(am_pipeline_case *c, am_buffer *out)
{
    am_tensor logits;
    am_encoding e;
    AM_TRY(need_tokenizer(c));
    AM_TRY(am_pipeline_numbers(c, am_json_get(c->line, "logits"), 3, &logits));
    AM_TRY(am_tokenizer_encode(c->tokenizer, text_of(am_json_get(c->line, "text")), NULL, NULL, &e));
    am_status status = (int64_t)e.count == logits.shape.dims[1]
                           ? am_append_masks(c->tokenizer, e.ids, (int64_t)e.count, &logits, c->kwargs, out)
                           : am_error(AM_FAILED, "%zu tokens, expected %lld", e.count, (long long)logits.shape.dims[1]);
    am_encoding_deinit(&e);
    return status;
}

/* --- text-generation --- */

/* Ids of `sequence`; the first of them are those of the prompt. */
static am_status read_sequence(am_pipeline_case *c, int32_t **out, int64_t *count)
{
    am_json sequence = am_json_get(c->line, "sequence");
    *out = am_arena_array(&c->arena, am_json_count(sequence) + 1, sizeof **out);
    *count = 0;
    if (!*out) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(sequence); am_json_next(&i);)
        (*out)[(*count)++] = (int32_t)am_json_int(i.value, -1);
    return NULL;
}

/* Tokens that the prompt has: of a text its own, of a conversation those that the line says. */
static am_status count_prompt(am_pipeline_case *c, int64_t *out)
{
    am_encoding e;
    am_json text = am_json_get(c->line, "prompt");
    *out = am_json_int(am_json_get(c->line, "prompt_length"), 0);
    if (am_json_kind_of(text) != AM_JSON_STRING) return NULL;
    AM_TRY(am_tokenizer_encode(c->tokenizer, text_of(text), NULL, NULL, &e));
    *out = (int64_t)e.count;
    am_encoding_deinit(&e);
    return NULL;
}

am_status am_pipeline_generated_text(am_pipeline_case *c, am_buffer *out)
{
    am_text_return wanted;
    am_json text = am_json_get(c->line, "prompt");
    int32_t *ids;
    int64_t count;
    am_text_prompt prompt = {.messages = am_json_get(c->line, "messages")};
    AM_TRY(need_tokenizer(c));
    AM_TRY(am_text_return_read(c->kwargs, &wanted));
    AM_TRY(read_sequence(c, &ids, &count));
    AM_TRY(count_prompt(c, &prompt.length));
    if (prompt.length > count) return am_error(AM_INVALID_FILE, "sequence: it is shorter than the prompt");
    prompt.ids = ids;
    if (am_json_kind_of(text) == AM_JSON_STRING) prompt.text = am_json_text(text).bytes;
    am_text_sequence made = {.ids = ids + prompt.length, .id_count = count - prompt.length};
    return am_append_generated(c->tokenizer, &prompt, &wanted, &(am_text_answer){.sequences = &made, .count = 1}, out);
}

/* --- span-selection: what extractive question answering makes of two rows of logits --- */

static am_status read_allowed(am_pipeline_case *c, int64_t count, bool **out)
{
    am_json mask = am_verify_element(am_json_get(c->line, "p_mask"), 0);
    am_json attention = am_verify_element(am_json_get(c->line, "attention_mask"), 0);
    *out = am_arena_array(&c->arena, (size_t)count, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++)
        (*out)[i] = !am_json_int(am_verify_element(mask, i), 1) && am_json_int(am_verify_element(attention, i), 1);
    return NULL;
}

typedef enum span_field { STARTS, ENDS, SCORES } span_field;

static double value_of(const am_answer_span *span, span_field field)
{
    return field == SCORES ? span->score : (double)(field == STARTS ? span->start : span->end);
}

/* As arrays are recorded: {"dtype", "shape", "mean", "rms", "full"}. */
static void append_field(const am_answer_span *spans, int64_t count, span_field field, am_buffer *out)
{
    double sum = 0, squares = 0, number = count ? (double)count : 1;
    for (int64_t i = 0; i < count; i++) {
        sum += value_of(&spans[i], field);
        squares += value_of(&spans[i], field) * value_of(&spans[i], field);
    }
    am_buffer_printf(out, "{\"dtype\": \"%s\", \"shape\": [%lld], \"mean\": %.17g, \"rms\": %.17g, \"full\": [",
                     field == SCORES ? "float32" : "int64", (long long)count, sum / number, sqrt(squares / number));
    for (int64_t i = 0; i < count; i++) {
        if (i) am_buffer_append_string(out, ", ");
        am_append_real(out, value_of(&spans[i], field));
    }
    am_buffer_append_string(out, "]}");
}

am_status am_pipeline_spans(am_pipeline_case *c, am_buffer *out)
{
    am_tensor start, end;
    am_answer_span *spans;
    bool *allowed, impossible = am_json_bool(am_json_get(c->kwargs, "handle_impossible_answer"), false);
    double null_score = 1000000;
    int64_t count;
    am_span_search search = {.max_answer_len = am_json_int(am_json_get(c->kwargs, "max_answer_len"), 15),
                             .limit = am_json_int(am_json_get(c->kwargs, "top_k"), 1)};
    AM_TRY(am_pipeline_numbers(c, am_json_get(c->line, "start"), 2, &start));
    AM_TRY(am_pipeline_numbers(c, am_json_get(c->line, "end"), 2, &end));
    search.T = start.shape.dims[1];
    if (end.shape.dims[1] != search.T) return am_error(AM_INVALID_FILE, "start and end differ in length");
    AM_TRY(read_allowed(c, search.T, &allowed));
    search.allowed = allowed;
    AM_TRY(am_best_spans(start.data, end.data, &search, &c->arena, &spans, &count, impossible ? &null_score : NULL));
    am_buffer_append_string(out, "{\"starts\": ");
    append_field(spans, count, STARTS, out);
    am_buffer_append_string(out, ", \"ends\": ");
    append_field(spans, count, ENDS, out);
    am_buffer_append_string(out, ", \"scores\": ");
    append_field(spans, count, SCORES, out);
    am_buffer_append_string(out, ", \"min_null_score\": ");
    am_append_real(out, null_score);
    am_buffer_append_char(out, '}');
    return NULL;
}

#include "tasks/whisper_context.h"

#include "base/memory.h"
#include "text/tokenizer.h"

#include <string.h>

/* --- the prompt --- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The first id that is no text: of the first of the special tokens. */
static int32_t first_special(const am_tokenizer *tokenizer)
{
    int32_t id = am_tokenizer_special_id(tokenizer, "bos_token");
    return id >= 0 ? id : am_tokenizer_special_id(tokenizer, "eos_token");
}

static am_status keep_prompt(const am_tokenizer *tokenizer, const am_encoding *encoding, am_arena *arena,
                             am_whisper_context *out)
{
    int32_t special = first_special(tokenizer);
    for (size_t i = 1; i < encoding->count; i++)
        if (special >= 0 && encoding->ids[i] >= special)
            return am_error(AM_INVALID_ARGUMENT, "option prompt_ids: the text has the special token %.*s",
                            (int)am_tokenizer_id_to_token(tokenizer, encoding->ids[i]).length,
                            am_tokenizer_id_to_token(tokenizer, encoding->ids[i]).bytes);
    out->prompt = am_arena_array(arena, encoding->count + 1, sizeof *out->prompt);
    if (!out->prompt) return am_out_of_memory();
    memcpy(out->prompt, encoding->ids, encoding->count * sizeof *out->prompt);
    out->prompt_length = (int64_t)encoding->count;
    return NULL;
}

/* A text, as get_prompt_ids: a space before it and none behind. */
static am_status encode_prompt(am_pipeline *p, am_json_string text, am_arena *arena, am_whisper_context *out)
{
    am_tokenizer *tokenizer;
    am_encoding encoding;
    am_encode_options options = {0};
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    const char *start = text.bytes, *end = text.bytes + text.length;
    while (start < end && is_space(*start)) start++;
    while (end > start && is_space(end[-1])) end--;
    const char *spaced = am_arena_printf(arena, " %.*s", (int)(end - start), start);
    if (!spaced) return am_out_of_memory();
    static const char mark[] = "<|startofprev|>";
    am_text pair = {spaced, strlen(spaced)};
    AM_TRY(am_tokenizer_encode(tokenizer, (am_text){mark, sizeof mark - 1}, &pair, &options, &encoding));
    am_status status = keep_prompt(tokenizer, &encoding, arena, out);
    am_encoding_deinit(&encoding);
    return status;
}

static am_status read_prompt(am_pipeline *p, am_json given, am_arena *arena, am_whisper_context *out)
{
    if (am_json_kind_of(given) <= AM_JSON_NULL) return NULL;
    if (am_json_kind_of(given) == AM_JSON_STRING) return encode_prompt(p, am_json_text(given), arena, out);
    size_t count = am_json_kind_of(given) == AM_JSON_ARRAY ? am_json_count(given) : 0;
    if (!count) return am_error(AM_INVALID_ARGUMENT, "option prompt_ids: expected a text, or an array of token ids");
    out->prompt = am_arena_array(arena, count, sizeof *out->prompt);
    if (!out->prompt) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(given); am_json_next(&i);) {
        int64_t id = am_json_int(i.value, -1);
        if (id < 0 || id > INT32_MAX) return am_error(AM_INVALID_ARGUMENT, "option prompt_ids: expected token ids");
        out->prompt[out->prompt_length++] = (int32_t)id;
    }
    return NULL;
}

/* --- settings --- */

static am_status read_condition_type(am_json options, am_whisper_context *out)
{
    am_json given = am_json_get(options, "prompt_condition_type");
    if (am_json_kind_of(given) <= AM_JSON_NULL) return NULL;
    out->by_all_segments = am_json_equals(given, "all-segments");
    if (!out->by_all_segments && !am_json_equals(given, "first-segment"))
        return am_error(AM_INVALID_ARGUMENT, "option prompt_condition_type: expected first-segment or all-segments");
    if (out->by_all_segments && !out->conditions)
        return am_error(AM_INVALID_ARGUMENT,
                        "option prompt_condition_type: all-segments needs condition_on_prev_tokens=true");
    return NULL;
}

am_status am_whisper_context_read(am_pipeline *p, am_json options, am_json file, const am_token_list *suppress_tokens,
                                  am_arena *arena, am_whisper_context *out)
{
    static const char conditions[] = "condition_on_prev_tokens";
    int64_t positions = am_json_int(am_json_get(am_pipeline_config(p)->object, "max_target_positions"), 0);
    int64_t previous = am_json_int(am_json_get(file, "prev_sot_token_id"), -1);
    int64_t marker = am_json_int(am_json_get(file, "no_timestamps_token_id"), -1);
    *out = (am_whisper_context){.limit = positions / 2 - 1, .timestamp_begin = INT32_MAX, .previous_start = -1};
    AM_TRY(am_check_option(options, conditions, AM_JSON_BOOL));
    out->is_asked = am_json_bool(am_json_get(options, conditions), false);
    out->conditions =
        am_json_bool(am_json_get(options, conditions), am_json_bool(am_json_get(file, conditions), false));
    if (marker >= 0 && marker < INT32_MAX) out->timestamp_begin = (int32_t)marker + 1;
    if (previous >= 0 && previous <= INT32_MAX) out->previous_start = (int32_t)previous;
    else if (suppress_tokens->count >= 2) out->previous_start = suppress_tokens->ids[suppress_tokens->count - 2];
    AM_TRY(read_condition_type(options, out));
    return read_prompt(p, am_json_get(options, "prompt_ids"), arena, out);
}

/* --- what was said --- */

static am_status add_said(am_whisper_context *c, am_arena *arena, const int32_t *ids, int64_t count)
{
    c->has_segments = true;
    if (c->said_count + count > c->said_capacity) {
        int64_t larger = 2 * (c->said_count + count);
        int32_t *grown = am_arena_array(arena, (size_t)larger, sizeof *grown);
        if (!grown) return am_out_of_memory();
        if (c->said_count) memcpy(grown, c->said, (size_t)c->said_count * sizeof *grown);
        c->said = grown;
        c->said_capacity = larger;
    }
    if (count) memcpy(c->said + c->said_count, ids, (size_t)count * sizeof *ids);
    c->said_count += count;
    return NULL;
}

/* Of two times that end a part the second is left out. */
static am_status add_part(am_whisper_context *c, am_arena *arena, const int32_t *ids, int64_t count)
{
    if (count > 2 && ids[count - 2] >= c->timestamp_begin) count--;
    return add_said(c, arena, ids, count);
}

am_status am_whisper_context_start(am_whisper_context *c, am_arena *arena)
{
    c->said_count = 0;
    c->has_segments = false;
    if (!c->prompt || c->by_all_segments) return NULL;
    int64_t marks = c->prompt_length && c->prompt[0] == c->previous_start ? 1 : 0;
    return add_part(c, arena, c->prompt + marks, c->prompt_length - marks);
}

/* Its parts end between two times; the last has both of them where nothing follows. */
am_status am_whisper_context_add(am_whisper_context *c, am_arena *arena, const int32_t *ids, int64_t count)
{
    int64_t begin = 0;
    for (int64_t i = 1; i + 1 < count; i++) {
        if (ids[i - 1] < c->timestamp_begin || ids[i] < c->timestamp_begin) continue;
        AM_TRY(add_part(c, arena, ids + begin, i - begin));
        begin = i;
    }
    return add_part(c, arena, ids + begin, count - begin);
}

am_status am_whisper_context_ids(const am_whisper_context *c, bool tells, const int32_t *start, int64_t start_length,
                                 am_arena *arena, int32_t **out, int64_t *length)
{
    int32_t *to = *out =
        am_arena_array(arena, (size_t)(c->prompt_length + c->said_count + start_length) + 1, sizeof *to);
    if (!to) return am_out_of_memory();
    bool is_told = tells && c->has_segments;
    if (c->prompt && (!is_told || c->by_all_segments)) {
        memcpy(to, c->prompt, (size_t)c->prompt_length * sizeof *to);
        to += c->prompt_length;
    } else if (is_told && c->previous_start >= 0) {
        *to++ = c->previous_start;
    }
    if (is_told) {
        int64_t count = c->said_count < c->limit ? c->said_count : c->limit;
        if (count > 0) memcpy(to, c->said + c->said_count - count, (size_t)count * sizeof *to);
        to += count > 0 ? count : 0;
    }
    memcpy(to, start, (size_t)start_length * sizeof *to);
    *length = to + start_length - *out;
    return NULL;
}

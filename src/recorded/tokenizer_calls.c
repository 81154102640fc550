/* Calls with padding and truncation, and CTC decodings with offsets. */
#include "recorded/tokenizers.h"

#include "base/file.h"
#include "base/memory.h"
#include "text/call_options.h"

#include <stdio.h>

/* ---- calls.jsonl: {"kw": arguments of the call, "text": [...], "pair": [...] or null, "out" or "err"} ----
 */

/* The rows of the answer: encodings, each followed by its overflowing parts where those were asked for. */
static size_t list_rows(const am_encoding *encodings, size_t count, bool with_overflowing, const am_encoding **rows,
                        int32_t *samples)
{
    size_t out = 0;
    for (size_t i = 0; i < count; i++) {
        size_t parts = with_overflowing ? encodings[i].overflowing_count : 0;
        for (size_t k = 0; k <= parts; k++) {
            if (rows) rows[out] = k == 0 ? &encodings[i] : &encodings[i].overflowing[k - 1];
            if (samples) samples[out] = (int32_t)i;
            out++;
        }
    }
    return out;
}

static void verify_rows(am_verify_run *run, am_json out, const am_encoding *const *rows, const int32_t *samples,
                        size_t count)
{
    am_json lists[] = {am_json_get(out, "input_ids"), am_json_get(out, "token_type_ids"),
                       am_json_get(out, "attention_mask")};
    am_json mapping = am_json_get(out, "overflow_to_sample_mapping");
    static const char *const names[] = {"input_ids", "token_type_ids", "attention_mask"};
    bool has_types = am_json_kind_of(lists[1]) != AM_JSON_MISSING;
    if (has_types != am_tokenizer_has_type_ids(run->tokenizer))
        am_verify_fail(run, "token_type_ids", has_types ? "given" : "none", "not so");
    if (am_json_count(lists[0]) != count) am_verify_fail(run, "rows", "as many as in the answer", "another number");
    for (size_t k = 0; k < 3 && !run->case_failed; k++) {
        size_t at = 0;
        for (am_json_iterator i = am_json_iterate(lists[k]); am_json_next(&i); at++)
            am_verify_numbers(run, names[k], i.value,
                              k == 0   ? rows[at]->ids
                              : k == 1 ? rows[at]->type_ids
                                       : rows[at]->attention_mask,
                              rows[at]->count);
    }
    if (am_json_kind_of(mapping) == AM_JSON_ARRAY)
        am_verify_numbers(run, "overflow_to_sample_mapping", mapping, samples, count);
}

static am_status verify_encodings(am_verify_run *run, am_json json, const am_encoding *encodings, size_t count)
{
    bool with_overflowing = am_json_bool(am_json_get_path(json, "kw.return_overflowing_tokens"), false);
    size_t row_count = list_rows(encodings, count, with_overflowing, NULL, NULL);
    const am_encoding **rows = am_alloc((row_count + 1) * sizeof *rows);
    int32_t *samples = am_alloc((row_count + 1) * sizeof *samples);
    if (rows && samples) {
        list_rows(encodings, count, with_overflowing, rows, samples);
        verify_rows(run, am_json_get(json, "out"), rows, samples, row_count);
    }
    am_status status = rows && samples ? NULL : am_out_of_memory();
    am_free(rows);
    am_free(samples);
    return status;
}

static am_status verify_call_of(am_verify_run *run, am_json json, const am_text *texts, const am_text *pairs,
                                size_t count)
{
    am_encode_options options = am_call_options_read(am_json_get(json, "kw"));
    bool error_expected = am_json_kind_of(am_json_get(json, "err")) != AM_JSON_MISSING;
    am_encoding *encodings = am_alloc_zeroed(count + 1, sizeof *encodings);
    if (!encodings) return am_out_of_memory();
    am_status status = am_tokenizer_encode_batch(run->tokenizer, texts, pairs, count, &options, encodings);
    if (status || error_expected) {
        if (!status || !error_expected)
            am_verify_fail(run, "status", error_expected ? "an error" : "success", am_status_message(status));
        am_status_free(status);
        status = NULL;
    } else {
        status = verify_encodings(run, json, encodings, count);
    }
    for (size_t i = 0; i < count; i++) am_encoding_deinit(&encodings[i]);
    am_free(encodings);
    return status;
}

static am_status verify_call(am_verify_run *run, am_json json)
{
    static const char *const inputs[] = {"text", NULL}, *const answers[] = {"out", "err", NULL};
    am_json pair = am_json_get(json, "pair");
    am_text *texts = NULL, *pairs = NULL;
    size_t count, pair_count = 0;
    if (!am_verify_is_known(run, json, inputs, answers)) return NULL;
    am_verify_start_case(run, "call", (int64_t)++run->line);
    am_status status = am_verify_read_texts(am_json_get(json, "text"), &texts, &count);
    if (!status && am_json_kind_of(pair) == AM_JSON_ARRAY) status = am_verify_read_texts(pair, &pairs, &pair_count);
    if (!status && pairs && pair_count != count) am_verify_fail(run, "pair", "as many as texts", "another number");
    else if (!status) status = verify_call_of(run, json, texts, pairs, count);
    am_verify_end_case(run);
    am_free(texts);
    am_free(pairs);
    return status;
}

/* ---- decode.jsonl: {"ids", "plain", "no_group", "skip", "spaces", "offsets": {"text", "char_offsets",
 * "word_offsets"}} ---- */

static am_status verify_plain(am_verify_run *run, am_json json, const char *key, const int32_t *ids, size_t count,
                              am_decode_options options)
{
    char *text;
    size_t length;
    am_json_string expected = am_json_text(am_json_get(json, key));
    AM_TRY(am_tokenizer_decode(run->tokenizer, ids, count, &options, &text, &length));
    am_verify_texts(run, key, (am_text){expected.bytes, expected.length}, (am_text){text, length});
    am_free(text);
    return NULL;
}

static void verify_pieces(am_verify_run *run, const char *what, am_json expected, const char *text_key,
                          const am_ctc_piece *pieces, size_t count)
{
    size_t at = 0;
    if (am_json_count(expected) != count) am_verify_fail(run, what, "as many pieces", "another number");
    for (am_json_iterator i = am_json_iterate(expected); at < count && am_json_next(&i); at++) {
        am_json_string text = am_json_text(am_json_get(i.value, text_key));
        am_verify_texts(run, what, (am_text){text.bytes, text.length}, pieces[at].text);
        if (am_json_int(am_json_get(i.value, "start_offset"), -1) != pieces[at].start ||
            am_json_int(am_json_get(i.value, "end_offset"), -1) != pieces[at].end)
            am_verify_fail(run, what, "the offsets of the record", "others");
    }
}

static am_status verify_offsets(am_verify_run *run, am_json json, const int32_t *ids, size_t count)
{
    am_decode_options options = AM_DECODE_OPTIONS;
    am_ctc_decoding decoding;
    am_json offsets = am_json_get(json, "offsets");
    am_json_string text = am_json_text(am_json_get(offsets, "text"));
    options.skip_special_tokens = false;
    am_status status = am_tokenizer_decode_ctc(run->tokenizer, ids, count, &options, &decoding);
    if (am_json_kind_of(am_json_get(offsets, "err")) != AM_JSON_MISSING) {
        if (!status) am_verify_fail(run, "offsets", "an error", "success"), am_ctc_decoding_deinit(&decoding);
        am_status_free(status);
        return NULL;
    }
    if (status) return status;
    am_verify_texts(run, "offsets.text", (am_text){text.bytes, text.length}, decoding.text);
    verify_pieces(run, "char_offsets", am_json_get(offsets, "char_offsets"), "char", decoding.characters,
                  decoding.character_count);
    verify_pieces(run, "word_offsets", am_json_get(offsets, "word_offsets"), "word", decoding.words,
                  decoding.word_count);
    am_ctc_decoding_deinit(&decoding);
    return NULL;
}

static am_status verify_decodings(am_verify_run *run, am_json json, const int32_t *ids, size_t count)
{
    am_decode_options options = AM_DECODE_OPTIONS;
    options.skip_special_tokens = false;
    AM_TRY(verify_plain(run, json, "plain", ids, count, options));
    options.keep_repeated_tokens = true;
    AM_TRY(verify_plain(run, json, "no_group", ids, count, options));
    options.keep_repeated_tokens = false;
    options.spaces_between_special_tokens = true;
    AM_TRY(verify_plain(run, json, "spaces", ids, count, options));
    options.spaces_between_special_tokens = false;
    options.skip_special_tokens = true;
    AM_TRY(verify_plain(run, json, "skip", ids, count, options));
    return verify_offsets(run, json, ids, count);
}

static am_status verify_decode(am_verify_run *run, am_json json)
{
    static const char *const inputs[] = {"ids", NULL}, *const answers[] = {"plain", "no_group", "spaces",
                                                                           "skip",  "offsets",  NULL};
    am_json list = am_json_get(json, "ids");
    size_t count = am_json_count(list), at = 0;
    if (!am_verify_is_known(run, json, inputs, answers)) return NULL;
    int32_t *ids = am_alloc((count + 1) * sizeof *ids);
    if (!ids) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); at++)
        ids[at] = (int32_t)am_json_int(i.value, -1);
    am_verify_start_case(run, "decode", (int64_t)++run->line);
    am_status status = verify_decodings(run, json, ids, count);
    am_verify_end_case(run);
    am_free(ids);
    return status;
}

am_status am_verify_calls(am_verify_run *run, const char *folder)
{
    am_arena arena = {0};
    char *calls = am_path_join(&arena, folder, "calls.jsonl"),
         *decodings = am_path_join(&arena, folder, "decode.jsonl");
    am_status status = calls && decodings ? NULL : am_out_of_memory();
    run->line = 0;
    if (!status) status = am_verify_lines(run, calls, verify_call);
    run->line = 0;
    if (!status) status = am_verify_lines(run, decodings, verify_decode);
    am_arena_deinit(&arena);
    return status;
}

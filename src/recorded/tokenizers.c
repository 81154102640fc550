/* Runs recorded cases of tokenizers; the format is described in recorded.h and
 * tests/unit/text/data/README.md. */
#include "recorded/tokenizers.h"

#include "base/file.h"
#include "base/memory.h"
#include "text/tokenizer.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- reports ---- */

void am_verify_fail(am_verify_run *run, const char *what, const char *expected, const char *found)
{
    if (run->case_failed) return;
    run->case_failed = true;
    am_recorded_failed(run->recorded, "%s: %s: %s: expected %.300s, found %.300s", run->where, run->case_name, what,
                       expected, found);
}

void am_verify_end_case(am_verify_run *run)
{
    if (!run->case_failed) run->recorded->passed++;
}

void am_verify_start_case(am_verify_run *run, const char *kind, int64_t index)
{
    run->case_failed = false;
    snprintf(run->case_name, sizeof run->case_name, "%s %" PRId64, kind, index);
}

static bool has_one(am_json line, const char *const *names)
{
    for (; *names; names++)
        if (am_json_kind_of(am_json_get(line, *names)) != AM_JSON_MISSING) return true;
    return false;
}

bool am_verify_is_known(am_verify_run *run, am_json line, const char *const *inputs, const char *const *answers)
{
    am_buffer text = {0};
    if (has_one(line, inputs) && has_one(line, answers)) return true;
    am_json_write(line, &text);
    am_recorded_unsupported(run->recorded, 1, "%s: nothing to compare in %.80s", run->where, am_buffer_text(&text));
    am_buffer_deinit(&text);
    return false;
}

void am_verify_texts(am_verify_run *run, const char *what, am_text expected, am_text found)
{
    if (expected.length == found.length &&
        (expected.length == 0 || memcmp(expected.bytes, found.bytes, found.length) == 0))
        return;
    am_buffer a = {0}, b = {0};
    am_buffer_append_json_string(&a, expected.bytes, expected.length);
    am_buffer_append_json_string(&b, found.bytes, found.length);
    am_verify_fail(run, what, am_buffer_text(&a), am_buffer_text(&b));
    am_buffer_deinit(&a);
    am_buffer_deinit(&b);
}

/* Appends "[1,2,null]": the numbers as they are in the records; -1 is null where `nulls`. */
static void print_numbers(am_buffer *out, const int32_t *numbers, size_t count, bool nulls)
{
    am_buffer_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) am_buffer_append_char(out, ',');
        if (nulls && numbers[i] < 0) am_buffer_append_string(out, "null");
        else am_buffer_printf(out, "%" PRId32, numbers[i]);
    }
    am_buffer_append_char(out, ']');
}

static bool same_numbers(am_json expected, const int32_t *found, size_t count)
{
    size_t at = 0;
    if (am_json_count(expected) != count) return false;
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); at++) {
        int64_t number = am_json_kind_of(i.value) == AM_JSON_NULL ? -1 : am_json_int(i.value, INT64_MIN);
        if (number != found[at]) return false;
    }
    return true;
}

void am_verify_numbers(am_verify_run *run, const char *what, am_json expected, const int32_t *found, size_t count)
{
    if (same_numbers(expected, found, count)) return;
    am_buffer a = {0}, b = {0};
    am_json_write(expected, &a);
    print_numbers(&b, found, count, true);
    am_verify_fail(run, what, am_buffer_text(&a), am_buffer_text(&b));
    am_buffer_deinit(&a);
    am_buffer_deinit(&b);
}

void am_verify_strings(am_verify_run *run, const char *what, am_json expected, const am_text *found, size_t count)
{
    size_t at = 0;
    char name[96];
    if (am_json_count(expected) != count) {
        snprintf(name, sizeof name, "%zu", am_json_count(expected));
        am_verify_fail(run, what, name, "another number of texts");
        return;
    }
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); at++) {
        am_json_string text = am_json_text(i.value);
        snprintf(name, sizeof name, "%s[%zu]", what, at);
        am_verify_texts(run, name, (am_text){text.bytes, text.length}, found[at]);
    }
}

void am_verify_ranges(am_verify_run *run, const char *what, am_json expected, const am_text_range *found, size_t count)
{
    int32_t *flat = am_alloc((count * 2 + 1) * sizeof *flat);
    if (!flat) return;
    for (size_t i = 0; i < count; i++) flat[i * 2] = (int32_t)found[i].start, flat[i * 2 + 1] = (int32_t)found[i].end;
    am_verify_numbers(run, what, expected, flat, count * 2);
    am_free(flat);
}

/* Byte offsets must say the same as code points. */
static void verify_byte_offsets(am_verify_run *run, const am_encoding *e, am_text text, const am_text *pair)
{
    for (size_t i = 0; i < e->count; i++) {
        am_text whole = e->sequence_ids[i] == 1 && pair ? *pair : text;
        am_text_range bytes = e->byte_offsets[i], points = e->offsets[i];
        size_t start = 0, end = 0;
        for (size_t at = 0; at < whole.length; at++) {
            bool first = ((unsigned char)whole.bytes[at] & 0xC0) != 0x80;
            start += first && at < bytes.start;
            end += first && at < bytes.end;
        }
        bool inside = points.end <= whole.length && bytes.end <= whole.length;
        if (inside && (start != points.start || end != points.end))
            am_verify_fail(run, "byte offsets", "those of the code points", "others");
    }
}

/* A failed status is right where an error is expected. Frees it. */
void am_verify_status(am_verify_run *run, am_status status, bool error_expected)
{
    if (status && !error_expected) am_verify_fail(run, "status", "success", am_status_message(status));
    if (!status && error_expected) am_verify_fail(run, "status", "an error", "success");
    am_status_free(status);
}

/* ---- files ---- */

/* Calls `run_line` for each line of a JSON lines file; a missing file has none. */
am_status am_verify_lines(am_verify_run *run, const char *path, am_verify_line run_line)
{
    char *text;
    size_t length;
    am_status status = am_file_exists(path) ? am_file_read(path, (size_t)1 << 30, &text, &length) : NULL;
    if (status || !am_file_exists(path)) return status;
    for (char *line = text, *end; !status && line < text + length; line = end + 1) {
        am_json_document *document;
        end = memchr(line, '\n', (size_t)(text + length - line));
        if (!end) end = text + length;
        if (end == line) continue;
        status = am_json_parse(line, (size_t)(end - line), path, &document);
        if (status) break;
        status = run_line(run, am_json_root(document));
        am_json_close(document);
    }
    am_free(text);
    return status;
}

/* ---- cases: {"i": text or "p": pair, "ids", "nr" or "ns", "t", "tk", "o", "ty", "am", "d", "dk", "err"}
 * ---- */

static void verify_constant(am_verify_run *run, const char *what, am_json expected, const int32_t *found, size_t count,
                            int32_t usual)
{
    if (am_json_kind_of(expected) == AM_JSON_ARRAY) {
        am_verify_numbers(run, what, expected, found, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (found[i] != usual) am_verify_fail(run, what, usual ? "all 1" : "all 0", "others");
}

static void verify_tokens(am_verify_run *run, am_json json, const am_encoding *e)
{
    am_json tokens = am_json_get(json, "t");
    if (am_json_kind_of(tokens) == AM_JSON_ARRAY) {
        am_verify_strings(run, "t", tokens, e->tokens, e->count);
        return;
    }
    if (!am_tokenizer_is_fast(run->tokenizer)) return; /* these give parts of the text, not recorded of pairs */
    for (size_t i = 0; i < e->count; i++)
        am_verify_texts(run, "t", am_tokenizer_id_to_token(run->tokenizer, e->ids[i]), e->tokens[i]);
}

static void verify_without_special(am_verify_run *run, am_json json, const am_encoding *e)
{
    am_json range = am_json_get(json, "nr"), ids = am_json_get(json, "ns"), all = am_json_get(json, "ids");
    if (am_json_kind_of(ids) == AM_JSON_ARRAY) {
        am_verify_numbers(run, "ids without special tokens", ids, e->ids, e->count);
        return;
    }
    bool is_pair = am_json_kind_of(am_json_get(json, "p")) != AM_JSON_MISSING;
    if (run->as_in_file && is_pair && am_json_kind_of(range) == AM_JSON_MISSING) return; /* not recorded */
    int64_t bounds[2] = {0, (int64_t)am_json_count(all)}, at = 0, found = 0;
    for (am_json_iterator i = am_json_iterate(range); at < 2 && am_json_next(&i); at++)
        bounds[at] = am_json_int(i.value, 0);
    at = 0;
    bool same = (int64_t)e->count == bounds[1] - bounds[0];
    for (am_json_iterator i = am_json_iterate(all); same && am_json_next(&i); at++)
        if (at >= bounds[0] && at < bounds[1]) same = am_json_int(i.value, -1) == e->ids[found++];
    if (same) return;
    am_buffer text = {0};
    print_numbers(&text, e->ids, e->count, false);
    am_verify_fail(run, "ids without special tokens", "a slice of ids", am_buffer_text(&text));
    am_buffer_deinit(&text);
}

static am_status verify_decoding(am_verify_run *run, const char *what, const am_encoding *e, bool skip,
                                 am_text expected)
{
    am_decode_options options = AM_DECODE_OPTIONS;
    char *text;
    size_t length;
    options.skip_special_tokens = skip;
    am_status status = am_tokenizer_decode(run->tokenizer, e->ids, e->count, &options, &text, &length);
    if (status) {
        am_verify_status(run, status, false);
        return NULL;
    }
    am_verify_texts(run, what, expected, (am_text){text, length});
    am_free(text);
    return NULL;
}

static am_text text_or(am_json json, const char *key, am_text fallback)
{
    am_json value = am_json_get(json, key);
    am_json_string text = am_json_text(value);
    return am_json_kind_of(value) == AM_JSON_STRING ? (am_text){text.bytes, text.length} : fallback;
}

static am_status verify_stream(am_verify_run *run, const am_encoding *e, am_text expected)
{
    am_token_stream *stream;
    am_buffer text = {0};
    am_text piece;
    AM_TRY(am_token_stream_create(run->tokenizer, true, &stream));
    am_status status = NULL;
    for (size_t i = 0; i < e->count && !status; i++) {
        status = am_token_stream_feed(stream, e->ids[i], &piece);
        if (!status) am_buffer_append(&text, piece.bytes, piece.length);
    }
    if (!status) status = am_token_stream_flush(stream, &piece);
    if (!status) am_buffer_append(&text, piece.bytes, piece.length);
    if (!status) am_verify_texts(run, "streamed", expected, (am_text){am_buffer_text(&text), text.length});
    am_buffer_deinit(&text);
    am_token_stream_destroy(stream);
    return status;
}

static am_status verify_decodings(am_verify_run *run, am_json json, const am_encoding *e, am_text text, bool is_pair)
{
    if (am_json_kind_of(am_json_get(json, "derr")) != AM_JSON_MISSING) return NULL;
    if (is_pair && am_json_kind_of(am_json_get(json, "d")) == AM_JSON_MISSING) return NULL;
    am_text skipped = text_or(json, "d", text);
    AM_TRY(verify_decoding(run, "d", e, true, skipped));
    AM_TRY(verify_decoding(run, "dk", e, false, text_or(json, "dk", skipped)));
    return verify_stream(run, e, skipped);
}

/* A text that this build cannot read: neither passed nor failed. Frees the status. */
static void note_unsupported(am_verify_run *run, am_status status)
{
    run->case_failed = true;
    am_recorded_unsupported(run->recorded, 1, "%s: %s: %s", run->where, run->case_name, am_status_message(status));
    am_status_free(status);
}

static am_status verify_case_of(am_verify_run *run, am_json json, am_text text, const am_text *pair)
{
    am_encode_options options = AM_ENCODE_OPTIONS;
    am_encoding e;
    bool error_expected = am_json_kind_of(am_json_get(json, "err")) != AM_JSON_MISSING;
    options.as_in_file = run->as_in_file;
    am_status status = am_tokenizer_encode(run->tokenizer, text, pair, &options, &e);
    if (am_status_code(status) == AM_UNSUPPORTED && !error_expected) {
        note_unsupported(run, status);
        return NULL;
    }
    if (status || error_expected) {
        am_verify_status(run, status, error_expected);
        if (!status) am_encoding_deinit(&e);
        return NULL;
    }
    am_verify_numbers(run, "ids", am_json_get(json, "ids"), e.ids, e.count);
    verify_tokens(run, json, &e);
    if (am_json_kind_of(am_json_get(json, "o")) == AM_JSON_ARRAY)
        am_verify_ranges(run, "o", am_json_get(json, "o"), e.offsets, e.count);
    verify_byte_offsets(run, &e, text, pair);
    verify_constant(run, "ty", am_json_get(json, "ty"), e.type_ids, e.count, 0);
    verify_constant(run, "am", am_json_get(json, "am"), e.attention_mask, e.count, 1);
    status = verify_decodings(run, json, &e, text, pair != NULL);
    am_encoding_deinit(&e);
    if (status) return status;
    options.add_special_tokens = false;
    AM_TRY(am_tokenizer_encode(run->tokenizer, text, pair, &options, &e));
    verify_without_special(run, json, &e);
    if (am_json_kind_of(am_json_get(json, "tk")) == AM_JSON_ARRAY)
        am_verify_strings(run, "tk", am_json_get(json, "tk"), e.tokens, e.count);
    am_encoding_deinit(&e);
    return NULL;
}

/* Element `index` of texts.json, or the two of pairs.json. */
static am_text text_at(am_json array, int64_t index)
{
    am_json found = {0};
    for (am_json_iterator i = am_json_iterate(array); index >= 0 && am_json_next(&i); index--) found = i.value;
    am_json_string text = am_json_text(found);
    return (am_text){text.bytes, text.length};
}

static am_json element_at(am_json array, int64_t index)
{
    am_json found = {0};
    for (am_json_iterator i = am_json_iterate(array); index >= 0 && am_json_next(&i); index--) found = i.value;
    return found;
}

static am_status verify_case(am_verify_run *run, am_json json)
{
    int64_t i = am_json_int(am_json_get(json, "i"), -1), p = am_json_int(am_json_get(json, "p"), -1);
    am_verify_start_case(run, p >= 0 ? "pair" : "text", p >= 0 ? p : i);
    am_json pair = element_at(run->pairs, p);
    am_text first = p >= 0 ? text_at(pair, 0) : text_at(run->texts, i), second = text_at(pair, 1);
    am_status status = verify_case_of(run, json, first, p >= 0 ? &second : NULL);
    am_verify_end_case(run);
    return status;
}

/* ---- full encodings: {"batch" or "batch_pair", "out" or "err"} ---- */

void am_verify_encoding(am_verify_run *run, am_json json, const am_encoding *e)
{
    am_json overflowing = am_json_get(json, "overflowing");
    am_verify_numbers(run, "ids", am_json_get(json, "ids"), e->ids, e->count);
    am_verify_strings(run, "tokens", am_json_get(json, "tokens"), e->tokens, e->count);
    am_verify_ranges(run, "offsets", am_json_get(json, "offsets"), e->offsets, e->count);
    am_verify_numbers(run, "type_ids", am_json_get(json, "type_ids"), e->type_ids, e->count);
    am_verify_numbers(run, "attention_mask", am_json_get(json, "attention_mask"), e->attention_mask, e->count);
    am_verify_numbers(run, "special_tokens_mask", am_json_get(json, "special_tokens_mask"), e->special_tokens_mask,
                      e->count);
    am_verify_numbers(run, "word_ids", am_json_get(json, "word_ids"), e->word_ids, e->count);
    am_verify_numbers(run, "sequence_ids", am_json_get(json, "sequence_ids"), e->sequence_ids, e->count);
    if (am_json_count(overflowing) != e->overflowing_count) {
        am_verify_fail(run, "overflowing", "as many parts", "another number");
        return;
    }
    size_t at = 0;
    for (am_json_iterator i = am_json_iterate(overflowing); am_json_next(&i); at++)
        am_verify_encoding(run, i.value, &e->overflowing[at]);
}

/* Texts of an array of strings, in memory to be freed. */
am_status am_verify_read_texts(am_json array, am_text **out, size_t *count)
{
    size_t at = 0;
    *count = am_json_count(array);
    *out = am_alloc((*count + 1) * sizeof **out);
    if (!*out) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(array); am_json_next(&i); at++) {
        am_json_string text = am_json_text(i.value);
        (*out)[at] = (am_text){text.bytes, text.length};
    }
    return NULL;
}

/* Texts, and pairs or null, of "batch": [text ...] or "batch_pair": [[text, pair] ...]. */
static am_status read_batch(am_json json, am_text **texts, am_text **pairs, size_t *count)
{
    am_json batch = am_json_get(json, "batch"), both = am_json_get(json, "batch_pair");
    size_t at = 0;
    *pairs = NULL;
    if (am_json_kind_of(batch) == AM_JSON_ARRAY) return am_verify_read_texts(batch, texts, count);
    *count = am_json_count(both);
    *texts = am_alloc((*count + 1) * sizeof **texts);
    *pairs = am_alloc((*count + 1) * sizeof **pairs);
    if (!*texts || !*pairs) {
        am_free(*texts);
        am_free(*pairs);
        return am_out_of_memory();
    }
    for (am_json_iterator i = am_json_iterate(both); am_json_next(&i); at++)
        (*texts)[at] = text_at(i.value, 0), (*pairs)[at] = text_at(i.value, 1);
    return NULL;
}

am_status am_verify_batch(am_verify_run *run, const am_text *texts, const am_text *pairs, size_t count,
                          const am_encode_options *options, am_json json)
{
    am_json out = am_json_get(json, "out");
    bool error_expected = am_json_kind_of(am_json_get(json, "err")) != AM_JSON_MISSING;
    am_encoding *encodings = am_alloc_zeroed(count + 1, sizeof *encodings);
    if (!encodings) return am_out_of_memory();
    am_status status = am_tokenizer_encode_batch(run->tokenizer, texts, pairs, count, options, encodings);
    bool encoded = !status;
    size_t at = 0;
    am_verify_status(run, status, error_expected);
    for (am_json_iterator i = am_json_iterate(out); encoded && am_json_next(&i) && at < count; at++)
        am_verify_encoding(run, i.value, &encodings[at]);
    for (size_t i = 0; encoded && i < count; i++) am_encoding_deinit(&encodings[i]);
    am_free(encodings);
    return NULL;
}

static am_status verify_full(am_verify_run *run, am_json json)
{
    am_encode_options options = AM_ENCODE_OPTIONS;
    am_text *texts, *pairs;
    size_t count;
    options.as_in_file = true;
    AM_TRY(read_batch(json, &texts, &pairs, &count));
    am_verify_start_case(run, pairs ? "batch of pairs" : "batch", (int64_t)count);
    am_status status = am_verify_batch(run, texts, pairs, count, &options, json);
    am_verify_end_case(run);
    am_free(texts);
    am_free(pairs);
    return status;
}

/* A case names its text, or pair, by a number that there is. */
static bool names_input(const am_verify_run *run, am_json json)
{
    int64_t i = am_json_int(am_json_get(json, "i"), -1), p = am_json_int(am_json_get(json, "p"), -1);
    am_json list = p >= 0 ? run->pairs : run->texts;
    return (p >= 0 ? p : i) >= 0 && am_json_kind_of(element_at(list, p >= 0 ? p : i)) != AM_JSON_MISSING &&
           (p >= 0 ? p : i) < (int64_t)am_json_count(list);
}

static am_status verify_line(am_verify_run *run, am_json json)
{
    static const char *const inputs[] = {"i", "p", "batch", "batch_pair", "header", NULL}, *const answers[] = {
                                                                                               "ids", "out", "err",
                                                                                               NULL};
    if (!am_verify_is_known(run, json, inputs, answers)) return NULL;
    if (am_json_kind_of(am_json_get(json, "header")) != AM_JSON_MISSING) return am_verify_table(run, json);
    bool full = am_json_kind_of(am_json_get(json, "batch")) != AM_JSON_MISSING ||
                am_json_kind_of(am_json_get(json, "batch_pair")) != AM_JSON_MISSING;
    if (full || names_input(run, json)) return full ? verify_full(run, json) : verify_case(run, json);
    am_recorded_unsupported(run->recorded, 1, "%s: a case of a text that is not there", run->where);
    return NULL;
}

/* ---- a folder ---- */

/* Cases that another file puts others in place of. */
static am_status note_replaced(am_verify_run *run, am_json json)
{
    int64_t i = am_json_int(am_json_get(json, "i"), -1), p = am_json_int(am_json_get(json, "p"), -1);
    if (i >= 0 && i < AM_VERIFY_TEXTS) run->replaced_texts[i] = true;
    if (p >= 0 && p < AM_VERIFY_TEXTS) run->replaced_pairs[p] = true;
    return NULL;
}

static am_status verify_unreplaced(am_verify_run *run, am_json json)
{
    int64_t i = am_json_int(am_json_get(json, "i"), -1), p = am_json_int(am_json_get(json, "p"), -1);
    if (i >= 0 && i < AM_VERIFY_TEXTS && run->replaced_texts[i]) return NULL;
    if (p >= 0 && p < AM_VERIFY_TEXTS && run->replaced_pairs[p]) return NULL;
    return verify_line(run, json);
}

static am_status count_unsupported(am_verify_run *run, am_json json)
{
    (void)json;
    run->recorded->unsupported++;
    return NULL;
}

/* Cases of FOLDER/cases.jsonl with those of FOLDER/`overlay` (may be null) in their place. */
static am_status verify_files(am_verify_run *run, const char *folder, const char *overlay, am_verify_line kept,
                              am_verify_line other)
{
    am_arena arena = {0};
    char *cases = am_path_join(&arena, folder, "cases.jsonl"),
         *over = am_path_join(&arena, folder, overlay ? overlay : "-");
    am_status status = cases && over ? NULL : am_out_of_memory();
    memset(run->replaced_texts, 0, sizeof run->replaced_texts);
    memset(run->replaced_pairs, 0, sizeof run->replaced_pairs);
    if (!status) status = am_verify_lines(run, over, note_replaced);
    if (!status) status = am_verify_lines(run, cases, kept);
    if (!status) status = am_verify_lines(run, over, other);
    am_arena_deinit(&arena);
    return status;
}

/* Opens the tokenizer and runs its cases; one that this build cannot open counts as unsupported. */
static am_status verify_mode(am_verify_run *run, const char *folder, const char *directory, am_tokenizer_mode mode,
                             const char *overlay)
{
    am_status status = am_tokenizer_open(directory, mode, &run->tokenizer);
    snprintf(run->where, sizeof run->where, "%.400s%s", directory,
             mode == AM_TOKENIZER_FILE ? " (tokenizer.json)" : "");
    run->as_in_file = mode == AM_TOKENIZER_FILE;
    if (am_status_code(status) == AM_UNSUPPORTED) {
        am_recorded_unsupported(run->recorded, 0, "%s: %s", run->where, am_status_message(status));
        am_status_free(status);
        return verify_files(run, folder, overlay, count_unsupported, count_unsupported);
    }
    if (status) {
        am_verify_start_case(run, "open", 0);
        am_verify_status(run, status, false);
        am_verify_end_case(run);
        return NULL;
    }
    status = verify_files(run, folder, overlay, verify_unreplaced, verify_line);
    if (!status && mode == AM_TOKENIZER_AUTO && directory == folder) status = am_verify_calls(run, folder);
    if (!status && mode == AM_TOKENIZER_AUTO && directory == folder) status = am_verify_words(run, folder);
    am_tokenizer_close(run->tokenizer);
    run->tokenizer = NULL;
    return status;
}

static am_status verify_folder(am_verify_run *run, const char *folder, am_arena *arena)
{
    char *config = am_path_join(arena, folder, "tokenizer_config.json"),
         *file = am_path_join(arena, folder, "tokenizer.json");
    char *legacy = am_path_join(arena, folder, "legacy"), *units = am_path_join(arena, folder, "normalizers.jsonl");
    if (!config || !file || !legacy || !units) return am_out_of_memory();
    if (am_file_exists(units)) return am_verify_units(run, folder);
    if (!am_file_exists(config)) return verify_mode(run, folder, folder, AM_TOKENIZER_FILE, NULL);
    AM_TRY(verify_mode(run, folder, folder, AM_TOKENIZER_AUTO, NULL));
    if (am_file_exists(file)) AM_TRY(verify_mode(run, folder, folder, AM_TOKENIZER_FILE, "cases_raw.jsonl"));
    return am_directory_exists(legacy) ? verify_mode(run, folder, legacy, AM_TOKENIZER_AUTO, "cases_legacy.jsonl")
                                       : NULL;
}

am_status am_recorded_tokenizer(const char *folder, am_recorded *recorded)
{
    am_arena arena = {0};
    am_json_document *texts = NULL, *pairs = NULL;
    am_verify_run *run = am_alloc_zeroed(1, sizeof *run);
    char *texts_path = am_arena_printf(&arena, "%s/../../texts.json", folder),
         *pairs_path = am_arena_printf(&arena, "%s/../../pairs.json", folder);
    am_status status = run && texts_path && pairs_path ? NULL : am_out_of_memory();
    if (!status) status = am_json_open(texts_path, &texts);
    if (!status) status = am_json_open(pairs_path, &pairs);
    if (!status) {
        *run = (am_verify_run){.recorded = recorded, .texts = am_json_root(texts), .pairs = am_json_root(pairs)};
        status = verify_folder(run, folder, &arena);
    }
    am_json_close(texts);
    am_json_close(pairs);
    am_free(run);
    am_arena_deinit(&arena);
    return status;
}

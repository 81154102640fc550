/* Words of a page with boxes or paths: words.jsonl. */
#include "recorded/tokenizers.h"

#include "base/file.h"
#include "base/memory.h"
#include "text/call_options.h"

/* ---- {"words", "boxes" or "xpaths", "kw": {..., "word_labels" or "node_labels"}, "out"} ---- */

/* Numbers of a list, or of a list of lists, one after the other, in memory freed by the caller. */
static am_status read_numbers(am_json json, int32_t **out, size_t *count)
{
    *count = 0;
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);)
        *count += am_json_kind_of(i.value) == AM_JSON_ARRAY ? am_json_count(i.value) : 1;
    *out = am_alloc((*count + 1) * sizeof **out);
    if (!*out) return am_out_of_memory();
    size_t at = 0;
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);) {
        if (am_json_kind_of(i.value) != AM_JSON_ARRAY) (*out)[at++] = (int32_t)am_json_int(i.value, INT32_MIN);
        for (am_json_iterator k = am_json_iterate(i.value);
             am_json_kind_of(i.value) == AM_JSON_ARRAY && am_json_next(&k);)
            (*out)[at++] = (int32_t)am_json_int(k.value, INT32_MIN);
    }
    return NULL;
}

/* `found` null: the record must have none either. */
static am_status verify_matrix(am_verify_run *run, am_json out, const char *key, const int32_t *found, size_t count)
{
    int32_t *expected;
    size_t expected_count;
    am_json json = am_json_get(out, key);
    if ((am_json_kind_of(json) != AM_JSON_MISSING) != (found != NULL)) {
        am_verify_fail(run, key, found ? "none" : "some", found ? "some" : "none");
        return NULL;
    }
    if (!found) return NULL;
    AM_TRY(read_numbers(json, &expected, &expected_count));
    bool same = expected_count == count && (count == 0 || memcmp(expected, found, count * sizeof *found) == 0);
    if (!same) {
        am_buffer text = {0};
        am_json_write(json, &text);
        am_verify_fail(run, key, am_buffer_text(&text), "others");
        am_buffer_deinit(&text);
    }
    am_free(expected);
    return NULL;
}

static am_status verify_answer(am_verify_run *run, am_json out, const am_layout_encoding *found)
{
    const am_encoding *e = &found->encoding;
    size_t count = e->count, paths = count * found->max_depth;
    const int32_t *types = am_tokenizer_has_type_ids(run->tokenizer) ? e->type_ids : NULL;
    const int32_t *boxes = found->boxes ? found->boxes[0] : NULL;
    AM_TRY(verify_matrix(run, out, "input_ids", e->ids, count));
    AM_TRY(verify_matrix(run, out, "token_type_ids", types, count));
    AM_TRY(verify_matrix(run, out, "attention_mask", e->attention_mask, count));
    AM_TRY(verify_matrix(run, out, "bbox", boxes, count * 4));
    AM_TRY(verify_matrix(run, out, "xpath_tags_seq", found->xpath_tags, paths));
    AM_TRY(verify_matrix(run, out, "xpath_subs_seq", found->xpath_subs, paths));
    return verify_matrix(run, out, "labels", found->labels, count);
}

static am_status encode_and_verify(am_verify_run *run, am_json json, const am_text *words, size_t count,
                                   const am_word_marks *marks)
{
    am_layout_encoding found;
    am_encode_options options = am_call_options_read(am_json_get(json, "kw"));
    am_json_string question = am_json_text(am_json_get(json, "question"));
    am_text asked = {question.bytes, question.length};
    bool has_question = am_json_kind_of(am_json_get(json, "question")) == AM_JSON_STRING;
    am_status status =
        am_tokenizer_encode_layout(run->tokenizer, has_question ? &asked : NULL, words, count, marks, &options, &found);
    if (status) {
        am_verify_fail(run, "status", "success", am_status_message(status));
        am_status_free(status);
        return NULL;
    }
    status = verify_answer(run, am_json_get(json, "out"), &found);
    am_layout_encoding_deinit(&found);
    return status;
}

static am_status verify_words(am_verify_run *run, am_json json)
{
    am_json kw = am_json_get(json, "kw"), labels = am_json_get(kw, "word_labels"), paths = am_json_get(json, "xpaths");
    am_text *words = NULL, *xpaths = NULL;
    int32_t *boxes = NULL, *numbers = NULL;
    size_t count, path_count, box_count, label_count;
    static const char *const inputs[] = {"words", NULL}, *const answers[] = {"out", NULL};
    if (!am_verify_is_known(run, json, inputs, answers)) return NULL;
    if (am_json_kind_of(labels) == AM_JSON_MISSING) labels = am_json_get(kw, "node_labels");
    am_verify_start_case(run, "words", (int64_t)++run->line);
    am_status status = am_verify_read_texts(am_json_get(json, "words"), &words, &count);
    if (!status) status = am_verify_read_texts(paths, &xpaths, &path_count);
    if (!status) status = read_numbers(am_json_get(json, "boxes"), &boxes, &box_count);
    if (!status) status = read_numbers(labels, &numbers, &label_count);
    if (!status) {
        am_word_marks marks = {.boxes = box_count == 4 * count ? (const int32_t(*)[4])boxes : NULL,
                               .xpaths = path_count == count ? xpaths : NULL,
                               .labels = label_count == count ? numbers : NULL};
        status = encode_and_verify(run, json, words, count, &marks);
    }
    am_verify_end_case(run);
    am_free(words);
    am_free(xpaths);
    am_free(boxes);
    am_free(numbers);
    return status;
}

am_status am_verify_words(am_verify_run *run, const char *folder)
{
    am_arena arena = {0};
    char *path = am_path_join(&arena, folder, "words.jsonl");
    run->line = 0;
    am_status status = path ? am_verify_lines(run, path, verify_words) : am_out_of_memory();
    am_arena_deinit(&arena);
    return status;
}

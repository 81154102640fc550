/* NAME.model beside what the sentencepiece library answers (NAME.jsonl). */
#include "recorded/case.h"
#include "recorded/tokenizers.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>

static am_text text_or(am_json json, am_text fallback)
{
    am_json_string text = am_json_text(json);
    return am_json_kind_of(json) == AM_JSON_STRING ? (am_text){text.bytes, text.length} : fallback;
}

static am_status verify_pieces(am_verify_run *run, am_json json, am_text text)
{
    am_encode_options options = AM_ENCODE_OPTIONS;
    am_json tokens = am_json_get(json, "t");
    am_encoding e;
    options.as_in_file = true;
    AM_TRY(am_tokenizer_encode(run->tokenizer, text, NULL, &options, &e));
    am_verify_numbers(run, "ids", am_json_get(json, "ids"), e.ids, e.count);
    if (am_json_kind_of(tokens) == AM_JSON_ARRAY) am_verify_strings(run, "t", tokens, e.tokens, e.count);
    for (size_t i = 0; am_json_kind_of(tokens) != AM_JSON_ARRAY && i < e.count; i++)
        am_verify_texts(run, "t", am_tokenizer_id_to_token(run->tokenizer, e.ids[i]), e.tokens[i]);
    char *decoded;
    size_t length;
    am_status status = am_tokenizer_decode(run->tokenizer, e.ids, e.count, NULL, &decoded, &length);
    if (!status) am_verify_texts(run, "d", text_or(am_json_get(json, "d"), text), (am_text){decoded, length});
    if (!status) am_free(decoded);
    am_encoding_deinit(&e);
    return status;
}

static am_status verify_normal_form(am_verify_run *run, am_json json, am_text text)
{
    char *normal;
    size_t length;
    AM_TRY(am_tokenizer_normalize(run->tokenizer, text, &normal, &length));
    am_verify_texts(run, "n", text_or(am_json_get(json, "n"), text), (am_text){normal, length});
    am_free(normal);
    return NULL;
}

static am_status verify_line(am_verify_run *run, am_json json)
{
    static const char *const inputs[] = {"i", NULL}, *const answers[] = {"ids", NULL};
    int64_t index = am_json_int(am_json_get(json, "i"), -1);
    if (!am_verify_is_known(run, json, inputs, answers)) return NULL;
    am_verify_start_case(run, "text", index);
    am_text text = text_or(am_verify_element(run->texts, index), (am_text){"", 0});
    am_status status = verify_normal_form(run, json, text);
    if (!status) status = verify_pieces(run, json, text);
    if (am_status_code(status) == AM_OUT_OF_MEMORY) return status;
    if (status) am_verify_fail(run, "status", "success", am_status_message(status));
    am_status_free(status);
    am_verify_end_case(run);
    return NULL;
}

/* Opens the model and runs its cases. */
static am_status verify_model(am_verify_run *run, const char *path)
{
    am_arena arena = {0};
    int stem = (int)(strlen(path) - strlen(am_path_extension(path)));
    const char *lines = am_arena_printf(&arena, "%.*s.jsonl", stem, path);
    snprintf(run->where, sizeof run->where, "%.400s", path);
    am_status status = am_tokenizer_open(path, AM_TOKENIZER_FILE, &run->tokenizer);
    if (status) {
        am_verify_start_case(run, "open", 0);
        am_verify_fail(run, "status", "success", am_status_message(status));
        am_status_free(status);
        am_verify_end_case(run);
        am_arena_deinit(&arena);
        return NULL;
    }
    status = lines ? am_verify_lines(run, lines, verify_line) : am_out_of_memory();
    am_tokenizer_close(run->tokenizer);
    run->tokenizer = NULL;
    am_arena_deinit(&arena);
    return status;
}

static am_status visit(am_verifier *verifier, const char *path)
{
    const char *name = am_path_base(path);
    int stem = (int)(strlen(name) - strlen(am_path_extension(name)));
    if (!am_recorded_part(verifier->recorded, "sentencepiece/%.*s", stem, name)) return NULL;
    am_json_document *texts;
    AM_TRY(am_verify_open(verifier, "../texts.json", &texts));
    am_verify_run *run = texts ? am_alloc_zeroed(1, sizeof *run) : NULL;
    am_status status =
        run ? NULL : am_error(AM_NOT_FOUND, "%s: no texts.json in the folder above, or no memory", verifier->folder);
    if (run) {
        *run = (am_verify_run){.recorded = verifier->recorded, .texts = am_json_root(texts)};
        status = verify_model(run, path);
    }
    am_free(run);
    am_json_close(texts);
    return status;
}

am_status am_recorded_sentencepiece(const char *folder, am_recorded *recorded)
{
    am_verifier verifier = {.folder = folder, .recorded = recorded};
    if (!am_directory_exists(folder)) return am_error(AM_NOT_FOUND, "%s: there is no such folder", folder);
    am_status status = am_verify_each_file(&verifier, ".", ".model", visit);
    am_recorded_end_part(recorded);
    return status;
}

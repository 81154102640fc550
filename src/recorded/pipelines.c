/* What pipelines make of what a model said: lines of NAME.jsonl with "task", inputs, and "output". */
#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "recorded/pipelines.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

am_status am_pipeline_numbers(am_pipeline_case *c, am_json recipe, int rank, am_tensor *out)
{
    enum { LARGEST = 1 << 26 };
    am_json_string name = am_json_text(am_json_get(recipe, "prng"));
    double low = am_json_real(am_json_get(recipe, "lo"), 0.0), high = am_json_real(am_json_get(recipe, "hi"), 0.0);
    int64_t count = 1;
    *out = (am_tensor){.dtype = AM_F32};
    for (am_json_iterator i = am_json_iterate(am_json_get(recipe, "shape")); am_json_next(&i);) {
        int64_t size = am_json_int(i.value, 0);
        if (size < 1 || size > LARGEST || out->shape.rank == rank)
            return am_error(AM_INVALID_FILE, "numbers of a shape of %d dimensions are expected", rank);
        out->shape.dims[out->shape.rank++] = size;
        count = count > LARGEST / size ? LARGEST + 1 : count * size;
    }
    if (out->shape.rank != rank || count > LARGEST)
        return am_error(AM_INVALID_FILE, "numbers of a shape of %d dimensions are expected", rank);
    out->data = am_arena_array(&c->arena, (size_t)count, sizeof(float));
    if (!out->data) return am_out_of_memory();
    am_uniform_floats(am_fnv1a(name.bytes, name.length), low, high, count, out->data);
    return NULL;
}

/* --- every task --- */

/* `run` appends what the task answers to the case, as JSON. */
static const struct {
    const char *task;
    am_status (*run)(am_pipeline_case *c, am_buffer *out);
} tasks[] = {
    {"audio-classification", am_pipeline_sound_classes},
    {"automatic-speech-recognition", am_pipeline_ctc},
    {"ctc-beam-search", am_pipeline_ctc_beams},
    {"depth-estimation", am_pipeline_depth},
    {"fill-mask", am_pipeline_masks},
    {"image-classification", am_pipeline_image_classes},
    {"image-segmentation", am_pipeline_segments},
    {"object-detection", am_pipeline_boxes},
    {"span-selection", am_pipeline_spans},
    {"text-classification", am_pipeline_text_classes},
    {"text-generation", am_pipeline_generated_text},
    {"token-classification", am_pipeline_entities},
    {"video-classification", am_pipeline_video_classes},
    {"whisper-decode", am_pipeline_whisper},
    {"whisper-normalize", am_pipeline_whisper_normal_forms},
    {"whisper-tokenizer-decode", am_pipeline_whisper_tokens},
    {"zero-shot-audio-classification", am_pipeline_sound_labels},
    {"zero-shot-classification", am_pipeline_entailments},
    {"zero-shot-image-classification", am_pipeline_image_labels},
};

static am_status compare(am_json expected, am_json found, const char *where);

static am_status differs(am_json expected, am_json found, const char *where)
{
    am_buffer a = {0}, b = {0};
    am_json_write(expected, &a);
    am_json_write(found, &b);
    am_status status =
        am_error(AM_FAILED, "%s is %.200s, expected %.200s", where, am_buffer_text(&b), am_buffer_text(&a));
    am_buffer_deinit(&a);
    am_buffer_deinit(&b);
    return status;
}

static am_status compare_members(am_json expected, am_json found, const char *where)
{
    bool is_object = am_json_kind_of(expected) == AM_JSON_OBJECT;
    int64_t number = 0;
    char place[256];
    if (am_json_count(expected) != am_json_count(found)) return differs(expected, found, where);
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i); number++) {
        am_json other = is_object ? am_json_get(found, i.key.bytes) : am_verify_element(found, number);
        if (is_object) snprintf(place, sizeof place, "%.180s.%.60s", where, i.key.bytes);
        else snprintf(place, sizeof place, "%.180s[%" PRId64 "]", where, number);
        AM_TRY(compare(i.value, other, place));
    }
    return NULL;
}

/* Equal, numbers within 1e-6 or 1e-5 of the expected one. */
static am_status compare(am_json expected, am_json found, const char *where)
{
    am_json_kind kind = am_json_kind_of(expected);
    if (kind == AM_JSON_INTEGER || kind == AM_JSON_REAL) {
        double number = am_json_real(expected, NAN), other = am_json_real(found, NAN);
        return fabs(number - other) <= fmax(1e-6, 1e-5 * fabs(number)) ? NULL : differs(expected, found, where);
    }
    if (kind != am_json_kind_of(found)) return differs(expected, found, where);
    if (kind == AM_JSON_ARRAY || kind == AM_JSON_OBJECT) return compare_members(expected, found, where);
    am_json_string a = am_json_text(expected), b = am_json_text(found); /* which may hold U+0000 */
    bool same = kind == AM_JSON_STRING ? a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0
                                       : am_json_bool(expected, false) == am_json_bool(found, false);
    return same ? NULL : differs(expected, found, where);
}

static am_status run_case(am_pipeline_case *c)
{
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        if (!am_json_equals(am_json_get(c->line, "task"), tasks[i].task)) continue;
        am_buffer answer = {0};
        am_json_document *document = NULL;
        am_status status = tasks[i].run(c, &answer);
        if (!status) status = am_buffer_status(&answer);
        if (!status) status = am_json_parse(answer.bytes, answer.length, "the answer", &document);
        if (!status) status = compare(am_json_get(c->line, "output"), am_json_root(document), "output");
        am_json_close(document);
        am_buffer_deinit(&answer);
        return status;
    }
    return am_error(AM_UNSUPPORTED, "task %s", am_json_text(am_json_get(c->line, "task")).bytes);
}

/* The tokenizer that was opened last: lines mostly name the one of the line before. */
typedef struct tokenizer_cache {
    char name[128];
    char *directory;
    am_tokenizer *tokenizer;
} tokenizer_cache;

static void close_tokenizer(tokenizer_cache *cache)
{
    am_tokenizer_close(cache->tokenizer);
    am_free(cache->directory);
    *cache = (tokenizer_cache){0};
}

static am_status open_tokenizer(const am_verifier *v, am_json line, tokenizer_cache *cache)
{
    am_json_string name = am_json_text(am_json_get(line, "tokenizer"));
    if (!name.length || strcmp(name.bytes, cache->name) == 0) return NULL;
    char relative[256];
    snprintf(relative, sizeof relative, "../tokenizers/%.200s", name.bytes);
    close_tokenizer(cache);
    cache->directory = am_verifier_path(v, relative);
    if (!cache->directory) return am_out_of_memory();
    am_status status = am_tokenizer_open(cache->directory, AM_TOKENIZER_AUTO, &cache->tokenizer);
    if (!status) snprintf(cache->name, sizeof cache->name, "%s", name.bytes);
    return status;
}

static am_status verify_line(am_verifier *v, am_text line, const char *path, int64_t number, tokenizer_cache *cache)
{
    am_json_document *document = NULL;
    am_status status = am_json_parse(line.bytes, line.length, path, &document);
    am_pipeline_case c = {.line = status ? (am_json){0} : am_json_root(document)};
    c.kwargs = am_json_get(c.line, "kwargs");
    if (!status) status = open_tokenizer(v, c.line, cache);
    c.tokenizer = cache->tokenizer;
    c.tokenizer_directory = cache->directory;
    if (!status) status = run_case(&c);
    status = am_verify_count(v, status, "%s:%" PRId64, am_path_base(path), number);
    am_arena_deinit(&c.arena);
    am_json_close(c.config);
    am_json_close(document);
    return status;
}

static am_status verify_file(am_verifier *v, const char *path)
{
    am_mapped_file file;
    tokenizer_cache cache = {0};
    if (!am_recorded_part(v->recorded, "pipelines/%s", am_path_base(path))) return NULL;
    AM_TRY(am_file_map(path, &file));
    am_status status = NULL;
    const char *at = (const char *)file.bytes, *end = at + file.size_bytes;
    for (int64_t number = 1; at < end && !status; number++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end) line_end = end;
        if (line_end > at) status = verify_line(v, (am_text){at, (size_t)(line_end - at)}, path, number, &cache);
        at = line_end + 1;
    }
    close_tokenizer(&cache);
    am_file_unmap(&file);
    return status;
}

am_status am_recorded_pipelines(const char *folder, am_recorded *recorded)
{
    am_verifier v = {.folder = folder, .recorded = recorded};
    if (!am_directory_exists(folder)) return am_error(AM_NOT_FOUND, "there is no folder %s", folder);
    AM_TRY(am_verify_each_file(&v, ".", ".jsonl", verify_file));
    am_recorded_end_part(recorded);
    return NULL;
}

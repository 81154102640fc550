/* What pipelines make of what a model said: lines of NAME.jsonl with "task", inputs, and "output". */
#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "recorded/case.h"
#include "tasks/ctc_beams.h"
#include "tasks/speech.h"
#include "text/tokenizer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A line, with the tokenizer that it names (tokenizers/NAME beside the folder). */
typedef struct pipeline_case {
    am_json line;
    const am_tokenizer *tokenizer;
    am_arena arena;
} pipeline_case;

/* --- automatic-speech-recognition --- */

typedef struct frame_logits {
    float *values; /* [frames, classes], in the arena of the case */
    int64_t frames, classes;
} frame_logits;

/* {"prng", "shape": [1, frames, classes], "lo", "hi"}, changed as the recorder's logits_note says, so that most frames
   are blank: class 0 is raised by 3, class 4 of every third frame by 2. */
static am_status make_logits(pipeline_case *c, am_json recipe, frame_logits *out)
{
    am_json shape = am_json_get(recipe, "shape");
    am_json_string name = am_json_text(am_json_get(recipe, "prng"));
    double low = am_json_real(am_json_get(recipe, "lo"), 0.0), high = am_json_real(am_json_get(recipe, "hi"), 0.0);
    int64_t frames = am_json_int(am_verify_element(shape, 1), 0), classes = am_json_int(am_verify_element(shape, 2), 0);
    if (frames < 1 || frames > 1 << 12 || classes < 5 || classes > 1 << 12)
        return am_error(AM_INVALID_FILE, "logits: expected a shape [1, frames, classes]");
    *out = (frame_logits){.frames = frames, .classes = classes};
    out->values = am_arena_array(&c->arena, (size_t)(frames * classes), sizeof *out->values);
    if (!out->values) return am_out_of_memory();
    uint64_t seed = am_fnv1a(name.bytes, name.length);
    for (int64_t i = 0; i < frames * classes; i++) {
        out->values[i] = (float)(low + (high - low) * am_uniform(seed, (uint64_t)i));
        if (i % classes == 0) out->values[i] += 3.0f;
        if (i % classes == 4 && i / classes % 3 == 0) out->values[i] += 2.0f;
    }
    return NULL;
}

static am_status best_classes(pipeline_case *c, am_json recipe, int32_t **out, int64_t *frames)
{
    frame_logits logits;
    AM_TRY(make_logits(c, recipe, &logits));
    *frames = logits.frames;
    *out = am_arena_array(&c->arena, (size_t)logits.frames, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t t = 0; t < logits.frames; t++) {
        const float *row = logits.values + t * logits.classes;
        for (int64_t k = 1; k < logits.classes; k++)
            if (row[k] > row[(*out)[t]]) (*out)[t] = (int32_t)k;
    }
    return NULL;
}

/* Frames of all chunks, without those of the strides [total, left, right] that belong to their neighbours. */
static am_status join_chunks(pipeline_case *c, int32_t **out, int64_t *count)
{
    am_json strides = am_json_get(c->line, "strides"), logits = am_json_get(c->line, "logits");
    int64_t number = 0, room = 0;
    *count = 0;
    for (am_json_iterator i = am_json_iterate(logits); am_json_next(&i);)
        room += am_json_int(am_verify_element(am_json_get(i.value, "shape"), 1), 0);
    *out = room > 0 && room < 1 << 24 ? am_arena_array(&c->arena, (size_t)room, sizeof **out) : NULL;
    if (!*out) return am_error(AM_INVALID_FILE, "logits: no frames");
    for (am_json_iterator i = am_json_iterate(logits); am_json_next(&i); number++) {
        int32_t *ids;
        int64_t frames;
        AM_TRY(best_classes(c, i.value, &ids, &frames));
        am_json stride = am_verify_element(strides, number);
        int64_t left = am_json_int(am_verify_element(stride, 1), 0);
        int64_t end = am_json_int(am_verify_element(stride, 0), frames) - am_json_int(am_verify_element(stride, 2), 0);
        for (int64_t t = left; t < end && t < frames; t++) (*out)[(*count)++] = ids[t];
    }
    return NULL;
}

static am_status run_ctc(pipeline_case *c, am_buffer *out)
{
    am_json times = am_json_get_path(c->line, "kwargs.return_timestamps");
    am_ctc_text_options options = {.frame_samples = am_json_int(am_json_get(c->line, "align_to"), 0),
                                   .sampling_rate = 16000};
    if (am_json_equals(times, "char")) options.times = AM_CTC_CHARACTERS;
    if (am_json_equals(times, "word")) options.times = AM_CTC_WORDS;
    int32_t *ids;
    int64_t count;
    AM_TRY(join_chunks(c, &ids, &count));
    return am_append_ctc_text(c->tokenizer, ids, count, &options, out);
}

/* --- ctc-beam-search: beams of pyctcdecode, best first --- */

static void append_hypothesis(const am_ctc_hypothesis *h, am_buffer *out)
{
    am_buffer_append_string(out, "{\"text\": ");
    am_buffer_append_json_string(out, h->text.bytes, h->text.length);
    am_buffer_printf(out, ", \"score\": %.17g, \"words\": [", h->score);
    for (int64_t i = 0; i < h->word_count; i++) {
        am_buffer_append_string(out, i ? ", [" : "[");
        am_buffer_append_json_string(out, h->words[i].text.bytes, h->words[i].text.length);
        am_buffer_printf(out, ", %" PRId64 ", %" PRId64 "]", h->words[i].start, h->words[i].end);
    }
    am_buffer_append_string(out, "]}");
}

static am_status run_beam_search(pipeline_case *c, am_buffer *out)
{
    int64_t wanted = (int64_t)am_json_count(am_json_get_path(c->line, "output.beams")), count;
    am_ctc_beam_options options;
    am_ctc_hypothesis *beams;
    frame_logits logits;
    am_text *labels;
    AM_TRY(am_ctc_beam_options_read(am_json_get(c->line, "kwargs"), &options));
    AM_TRY(make_logits(c, am_json_get(c->line, "logits"), &logits));
    AM_TRY(am_ctc_labels(c->tokenizer, logits.classes, &c->arena, &labels));
    AM_TRY(
        am_ctc_beam_search(logits.values, logits.frames, labels, logits.classes, &options, &c->arena, &beams, &count));
    am_buffer_printf(out, "{\"count\": %" PRId64 ", \"beams\": [", count);
    for (int64_t i = 0; i < count && i < wanted; i++) {
        if (i) am_buffer_append_string(out, ", ");
        append_hypothesis(&beams[i], out);
    }
    am_buffer_append_string(out, "]}");
    return NULL;
}

/* --- whisper-decode --- */

static am_status read_whisper_output(pipeline_case *c, am_json given, am_whisper_output *out)
{
    am_json tokens = am_verify_element(am_json_get(given, "tokens"), 0), stride = am_json_get(given, "stride");
    am_json times = am_verify_element(am_json_get(given, "token_timestamps"), 0);
    size_t count = am_json_count(tokens);
    int32_t *ids = am_arena_array(&c->arena, count + 1, sizeof *ids);
    double *seconds = am_arena_array(&c->arena, count + 1, sizeof *seconds);
    if (!ids || !seconds) return am_out_of_memory();
    *out = (am_whisper_output){.ids = ids,
                               .count = (int64_t)count,
                               .has_stride = am_json_kind_of(stride) == AM_JSON_ARRAY,
                               .length_s = am_json_real(am_verify_element(stride, 0), 0.0),
                               .left_s = am_json_real(am_verify_element(stride, 1), 0.0),
                               .right_s = am_json_real(am_verify_element(stride, 2), 0.0)};
    for (am_json_iterator i = am_json_iterate(tokens); am_json_next(&i);) *ids++ = (int32_t)am_json_int(i.value, -1);
    if (am_json_count(times) != count) return NULL;
    out->token_times = seconds;
    for (am_json_iterator i = am_json_iterate(times); am_json_next(&i);) *seconds++ = am_json_real(i.value, NAN);
    return NULL;
}

static am_status run_whisper(pipeline_case *c, am_buffer *out)
{
    am_json given = am_json_get(c->line, "model_outputs"), kwargs = am_json_get(c->line, "kwargs");
    am_json times = am_json_get(kwargs, "return_timestamps");
    am_whisper_text_options options = {.return_timestamps = am_json_bool(times, false) || am_json_equals(times, "word"),
                                       .word_times = am_json_equals(times, "word"),
                                       .return_language = am_json_bool(am_json_get(kwargs, "return_language"), false),
                                       .time_precision = am_json_real(am_json_get(kwargs, "time_precision"), 0.02)};
    int64_t count = 0;
    am_whisper_output *outputs = am_arena_array(&c->arena, am_json_count(given) + 1, sizeof *outputs);
    if (!outputs) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(given); am_json_next(&i); count++)
        AM_TRY(read_whisper_output(c, i.value, &outputs[count]));
    return am_append_whisper_text(c->tokenizer, outputs, count, &options, out);
}

/* --- every task --- */

/* `run` appends what the task answers to the case, as JSON. */
static const struct {
    const char *task;
    am_status (*run)(pipeline_case *c, am_buffer *out);
} tasks[] = {
    {"automatic-speech-recognition", run_ctc},
    {"ctc-beam-search", run_beam_search},
    {"whisper-decode", run_whisper},
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
    bool same = kind == AM_JSON_STRING ? am_json_equals(found, am_json_text(expected).bytes)
                                       : am_json_bool(expected, false) == am_json_bool(found, false);
    return same ? NULL : differs(expected, found, where);
}

static am_status run_case(pipeline_case *c)
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
    am_tokenizer *tokenizer;
} tokenizer_cache;

static am_status open_tokenizer(const am_verifier *v, am_json line, tokenizer_cache *cache)
{
    am_json_string name = am_json_text(am_json_get(line, "tokenizer"));
    if (!name.length || strcmp(name.bytes, cache->name) == 0) return NULL;
    char relative[256];
    snprintf(relative, sizeof relative, "../tokenizers/%.200s", name.bytes);
    am_tokenizer_close(cache->tokenizer);
    *cache = (tokenizer_cache){0};
    char *path = am_verifier_path(v, relative);
    am_status status = path ? am_tokenizer_open(path, AM_TOKENIZER_AUTO, &cache->tokenizer) : am_out_of_memory();
    am_free(path);
    if (!status) snprintf(cache->name, sizeof cache->name, "%s", name.bytes);
    return status;
}

static am_status verify_line(am_verifier *v, am_text line, const char *path, int64_t number, tokenizer_cache *cache)
{
    am_json_document *document = NULL;
    am_status status = am_json_parse(line.bytes, line.length, path, &document);
    pipeline_case c = {.line = status ? (am_json){0} : am_json_root(document)};
    if (!status) status = open_tokenizer(v, c.line, cache);
    c.tokenizer = cache->tokenizer;
    if (!status) status = run_case(&c);
    status = am_verify_count(v, status, "%s:%" PRId64, am_path_base(path), number);
    am_arena_deinit(&c.arena);
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
    am_tokenizer_close(cache.tokenizer);
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

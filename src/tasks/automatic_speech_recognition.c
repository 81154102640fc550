#include "tasks/task.h"

#include "base/file.h"
#include "base/memory.h"
#include "tasks/text_generator.h"
#include "tensor/shape.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <string.h>

enum { START_TOKENS = 4, DEFAULT_NEW_TOKENS = 256, DEFAULT_BEAMS = 5 }; /* the last two of transformers' pipeline */

static void append_text(const char *text, size_t length, am_buffer *out)
{
    am_buffer_append_string(out, "{\"text\": ");
    am_buffer_append_json_string(out, text, length);
    am_buffer_append_char(out, '}');
}

/* --- CTC: the best class of each frame --- */

static am_status best_classes(const am_tensor *logits, am_arena *arena, int32_t **out)
{
    int64_t frames = logits->shape.dims[1], classes = logits->shape.dims[2];
    *out = am_arena_array(arena, (size_t)frames + 1, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t t = 0; t < frames; t++) {
        const float *row = (const float *)logits->data + t * classes;
        for (int64_t i = 1; i < classes; i++)
            if (row[i] > row[(*out)[t]]) (*out)[t] = (int32_t)i;
    }
    return NULL;
}

static am_status recognize_ctc(am_pipeline *p, const am_media_inputs *sound, am_arena *arena, am_buffer *out)
{
    am_tokenizer *tokenizer;
    am_tensor logits;
    int32_t *ids;
    char *text;
    size_t length;
    am_decode_options options = {.skip_special_tokens = false, .clean_up = -1};
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    AM_TRY(am_run_for_output(p, sound->inputs, sound->count, "logits", &logits));
    if (logits.shape.rank != 3)
        return am_error(AM_UNSUPPORTED, "class %s gives no logits of each frame", p->model->architecture->name);
    AM_TRY(best_classes(&logits, arena, &ids));
    AM_TRY(am_tokenizer_decode(tokenizer, ids, (size_t)logits.shape.dims[1], &options, &text, &length));
    append_text(text, length, out);
    am_free(text);
    return NULL;
}

/* --- Whisper: what the decoder starts with says language and task --- */

typedef struct start {
    int32_t ids[START_TOKENS];
    int64_t length;
} start;

static int32_t id_of(am_json map, const char *key)
{
    int64_t id = am_json_int(am_json_get(map, key), -1);
    return id >= 0 && id <= INT32_MAX ? (int32_t)id : -1;
}

/* The most likely of the languages after the first token, as WhisperForConditionalGeneration.detect_language.
 */
static am_status detect_language(am_pipeline *p, const am_media_inputs *sound, am_json languages, int32_t first,
                                 int32_t *out)
{
    am_session_input inputs[3];
    am_tensor logits, token = {AM_I32, am_shape_of(1, 1), &first};
    int count = 0;
    for (int i = 0; i < sound->count; i++)
        if (strcmp(sound->inputs[i].name, "attention_mask") != 0) inputs[count++] = sound->inputs[i];
    inputs[count++] = (am_session_input){"decoder_input_ids", token};
    AM_TRY(am_run_for_output(p, inputs, count, "logits", &logits));
    int64_t vocab = logits.shape.dims[logits.shape.rank - 1];
    *out = -1;
    for (am_json_iterator i = am_json_iterate(languages); am_json_next(&i);) {
        int64_t id = am_json_int(i.value, -1);
        const float *row = logits.data;
        if (id >= 0 && id < vocab && (*out < 0 || row[id] > row[*out])) *out = (int32_t)id;
    }
    return NULL;
}

/* "en", "english" is not taken: codes as in lang_to_id, with or without their brackets. */
static am_status choose_language(am_pipeline *p, const am_media_inputs *sound, am_json file, am_json options,
                                 int32_t first, int32_t *out)
{
    char key[64];
    am_json languages = am_json_get(file, "lang_to_id"), wanted = am_json_get(options, "language");
    AM_TRY(am_check_option(options, "language", AM_JSON_STRING));
    if (am_json_kind_of(wanted) <= AM_JSON_NULL) wanted = am_json_get(file, "language");
    if (am_json_kind_of(wanted) != AM_JSON_STRING) return detect_language(p, sound, languages, first, out);
    snprintf(key, sizeof key, am_json_text(wanted).bytes[0] == '<' ? "%s" : "<|%s|>", am_json_text(wanted).bytes);
    *out = id_of(languages, key);
    if (*out >= 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "option language: expected a code of generation_config.json's lang_to_id (\"en\"), found \"%s\"",
                    am_json_text(wanted).bytes);
}

static am_status choose_task(am_json file, am_json options, int32_t *out)
{
    am_json wanted = am_json_get(options, "task");
    AM_TRY(am_check_option(options, "task", AM_JSON_STRING));
    if (am_json_kind_of(wanted) <= AM_JSON_NULL) wanted = am_json_get(file, "task");
    const char *name = am_json_kind_of(wanted) == AM_JSON_STRING ? am_json_text(wanted).bytes : "transcribe";
    *out = id_of(am_json_get(file, "task_to_id"), name);
    return *out >= 0
               ? NULL
               : am_error(AM_INVALID_ARGUMENT, "option task: expected transcribe or translate, found \"%s\"", name);
}

/* Older directories: [[1, LANGUAGE], [2, TASK], ...], null where the language is to be found out. */
static void add_forced(am_json forced, start *s)
{
    for (am_json_iterator i = am_json_iterate(forced); am_json_next(&i) && s->length < START_TOKENS;) {
        am_json_iterator pair = am_json_iterate(i.value);
        if (!am_json_next(&pair) || !am_json_next(&pair)) return;
        int64_t id = am_json_int(pair.value, -1);
        if (id >= 0 && id <= INT32_MAX) s->ids[s->length++] = (int32_t)id;
    }
}

static am_status find_start(am_pipeline *p, const am_media_inputs *sound, am_json file, am_json options, int32_t first,
                            start *s)
{
    *s = (start){.ids = {first}, .length = 1};
    if (am_json_kind_of(am_json_get(file, "lang_to_id")) == AM_JSON_OBJECT) {
        AM_TRY(choose_language(p, sound, file, options, first, &s->ids[1]));
        AM_TRY(choose_task(file, options, &s->ids[2]));
        s->length = 3;
    } else add_forced(am_json_get(file, "forced_decoder_ids"), s);
    int32_t no_timestamps = id_of(file, "no_timestamps_token_id");
    bool has = false;
    for (int64_t i = 0; i < s->length; i++) has |= s->ids[i] == no_timestamps;
    if (no_timestamps >= 0 && !has && s->length < START_TOKENS) s->ids[s->length++] = no_timestamps;
    return NULL;
}

static am_status open_generation_config(const am_pipeline *p, am_arena *arena, am_json_document **out)
{
    char *path = am_path_join(arena, p->directory, "generation_config.json");
    *out = NULL;
    if (!path) return am_out_of_memory();
    return am_file_exists(path) ? am_json_open(path, out) : NULL;
}

static am_status recognize_text(am_pipeline *p, const am_media_inputs *sound, am_json file, am_json options,
                                am_arena *arena, am_buffer *out)
{
    am_generation_config config, base = am_generation_config_default();
    am_text_answer answer;
    am_session_input inputs[2];
    start s;
    int count = 0;
    base.max_new_tokens = DEFAULT_NEW_TOKENS;
    base.num_beams = DEFAULT_BEAMS;
    AM_TRY(am_read_generation(p, &base, (am_json){0}, options, arena, &config));
    if (config.decoder_start_token_id < 0)
        return am_error(AM_INVALID_FILE, "config.json: decoder_start_token_id: missing");
    AM_TRY(find_start(p, sound, file, options, config.decoder_start_token_id, &s));
    for (int i = 0; i < sound->count; i++)
        if (strcmp(sound->inputs[i].name, "attention_mask") != 0) inputs[count++] = sound->inputs[i];
    am_text_job job = {.inputs = inputs, .input_count = count, .ids = s.ids, .length = s.length, .config = &config};
    AM_TRY(am_generate_text(p, &job, &answer));
    append_text(answer.sequences[0].text, answer.sequences[0].length, out);
    am_text_answer_deinit(&answer);
    return NULL;
}

static am_status recognize_whisper(am_pipeline *p, const am_media_inputs *sound, am_json options, am_arena *arena,
                                   am_buffer *out)
{
    am_json_document *document;
    AM_TRY(open_generation_config(p, arena, &document));
    am_status status = recognize_text(p, sound, document ? am_json_root(document) : (am_json){0}, options, arena, out);
    am_json_close(document);
    return status;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_arena arena = {0};
    am_media_inputs sound;
    bool generates = (p->model->architecture->flags & AM_GENERATES) != 0;
    if (am_json_bool(am_json_get(options, "return_timestamps"), false))
        return am_error(AM_UNSUPPORTED, "option return_timestamps: times are not given yet");
    AM_TRY(am_load_sound(p, input, &sound));
    am_status status =
        generates ? recognize_whisper(p, &sound, options, &arena, out) : recognize_ctc(p, &sound, &arena, out);
    am_media_inputs_deinit(&sound);
    am_arena_deinit(&arena);
    return status;
}

const am_task am_task_automatic_speech_recognition = {
    .name = "automatic-speech-recognition",
    .input = "sound",
    .summary = "Writes down what is said.",
    .parameters = "language, task, " AM_GENERATION_PARAMETERS,
    .run = run,
};

/* Whisper, as WhisperGenerationMixin.generate: what the decoder starts with says language and task; a sound is heard in
   segments of chunk_length seconds, each of which begins where the last one that was understood ended. */
#include "tasks/speech.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "media/feature_extractor.h"
#include "tasks/text_generator.h"
#include "tasks/whisper_alignment.h"
#include "tasks/whisper_context.h"
#include "tasks/whisper_fallback.h"
#include "tensor/shape.h"
#include "text/tokenizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double FRAME_S = 0.01; /* of the encoder's input */

enum { START_TOKENS = 4, DEFAULT_NEW_TOKENS = 256, DEFAULT_BEAMS = 5, INPUT_STRIDE = 2 };

typedef struct job {
    am_pipeline *p;
    am_json file, options; /* generation_config.json; the task's parameters */
    am_arena arena;
    am_generation_config config;
    am_whisper_fallback fallback;
    am_whisper_context context;
    bool tells_what_was_said; /* to the next segment */
    uint64_t draws;           /* runs that drew tokens so far */
    am_whisper_text_options text;
    int64_t segment_frames, most_positions; /* of the encoder's input; of the decoder */
    bool wants_times;                       /* while generating: also of what is longer than a segment */
    int32_t start[START_TOKENS];
    int64_t start_length;
    int32_t *ids; /* of the outputs, one after another */
    double *ends; /* seconds of each; null: not wanted */
    int64_t count, capacity;
    int64_t sound_frames; /* of the encoder's input that are no padding */
    am_whisper_output *outputs;
    int64_t output_count, output_capacity;
} job;

/* --- what the decoder starts with --- */

static int32_t id_of(am_json map, const char *key)
{
    int64_t id = am_json_int(am_json_get(map, key), -1);
    return id >= 0 && id <= INT32_MAX ? (int32_t)id : -1;
}

static bool is_given(am_json value)
{
    return am_json_kind_of(value) > AM_JSON_NULL;
}

static am_json setting(const job *j, const char *name)
{
    am_json wanted = am_json_get(j->options, name);
    return is_given(wanted) ? wanted : am_json_get(j->file, name);
}

/* The most likely of the languages after the first token. segment: [1, mels, segment_frames] */
static am_status detect_language(job *j, const am_tensor *segment, int32_t *out)
{
    am_tensor logits, token = {AM_I32, am_shape_of(1, 1), j->start};
    am_session_input inputs[] = {{"input_features", *segment}, {"decoder_input_ids", token}};
    AM_TRY(am_run_for_output(j->p, inputs, 2, "logits", &logits));
    int64_t vocab = logits.shape.dims[logits.shape.rank - 1];
    *out = -1;
    for (am_json_iterator i = am_json_iterate(am_json_get(j->file, "lang_to_id")); am_json_next(&i);) {
        int64_t id = am_json_int(i.value, -1);
        const float *row = logits.data;
        if (id >= 0 && id < vocab && (*out < 0 || row[id] > row[*out])) *out = (int32_t)id;
    }
    return *out >= 0 ? NULL : am_error(AM_INVALID_FILE, "generation_config.json: lang_to_id: no token of this model");
}

/* A code ("en", "<|en|>") or a name ("english"). */
static am_status named_language(const job *j, const char *name, int32_t *out)
{
    char key[64];
    const char *code = am_whisper_language_code(name);
    snprintf(key, sizeof key, name[0] == '<' ? "%s" : "<|%s|>", code ? code : name);
    for (char *c = key; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + ('a' - 'A'));
    *out = id_of(am_json_get(j->file, "lang_to_id"), key);
    if (*out >= 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "option language: expected a language of generation_config.json's lang_to_id (\"en\", "
                    "\"english\"), found \"%s\"",
                    name);
}

static am_status named_task(const job *j, const char *name, int32_t *out)
{
    *out = id_of(am_json_get(j->file, "task_to_id"), name);
    return *out >= 0
               ? NULL
               : am_error(AM_INVALID_ARGUMENT, "option task: expected transcribe or translate, found \"%s\"", name);
}

static void add_start(job *j, int32_t token)
{
    if (token >= 0 && j->start_length < START_TOKENS) j->start[j->start_length++] = token;
}

/* Older directories: [[1, LANGUAGE], [2, TASK], ...], null where the language is to be found out. True when it is. */
static bool add_forced(job *j)
{
    am_json forced = am_json_get(j->file, "forced_decoder_ids");
    bool finds_out = true;
    if (!is_given(forced)) forced = am_json_get(am_pipeline_config(j->p)->object, "forced_decoder_ids");
    for (am_json_iterator i = am_json_iterate(forced); am_json_next(&i);) {
        am_json_iterator pair = am_json_iterate(i.value);
        if (!am_json_next(&pair) || !am_json_next(&pair)) break;
        if (j->start_length == 1 && is_given(pair.value)) finds_out = false;
        if (j->start_length == 1 && !is_given(pair.value)) j->start[j->start_length++] = -1; /* its place */
        else add_start(j, (int32_t)am_json_int(pair.value, -1));
    }
    return finds_out;
}

static am_status add_language(job *j, const am_tensor *segment, am_json language, bool finds_out)
{
    int32_t id = -1;
    if (is_given(language)) AM_TRY(named_language(j, am_json_text(language).bytes, &id));
    else if (finds_out && is_given(am_json_get(j->file, "lang_to_id"))) AM_TRY(detect_language(j, segment, &id));
    if (id >= 0 && j->start_length > 1) j->start[1] = id;
    else add_start(j, id);
    return NULL;
}

/* The marker of a text without times stands last, unless times are wanted. */
static void add_marker(job *j)
{
    int32_t marker = id_of(j->file, "no_timestamps_token_id");
    bool ends = marker >= 0 && j->start[j->start_length - 1] == marker;
    if (j->wants_times && ends) j->start_length--;
    else if (!j->wants_times && !ends) add_start(j, marker);
}

static am_status find_start(job *j, const am_tensor *segment)
{
    am_json language = setting(j, "language"), task = setting(j, "task");
    int32_t id = -1;
    AM_TRY(am_check_option(j->options, "language", AM_JSON_STRING));
    AM_TRY(am_check_option(j->options, "task", AM_JSON_STRING));
    j->start[0] = j->config.decoder_start_token_id;
    j->start_length = 1;
    bool is_told = is_given(language) || is_given(task);
    bool finds_out = is_told || add_forced(j);
    AM_TRY(add_language(j, segment, language, finds_out));
    if (is_told && (is_given(task) || is_given(am_json_get(j->file, "task_to_id"))))
        AM_TRY(named_task(j, is_given(task) ? am_json_text(task).bytes : "transcribe", &id));
    add_start(j, id);
    add_marker(j);
    int64_t kept = 0;
    for (int64_t i = 0; i < j->start_length; i++)
        if (j->start[i] >= 0) j->start[kept++] = j->start[i];
    j->start_length = kept;
    return NULL;
}

/* --- one segment --- */

/* [1, mels, segment_frames] from frame `seek` on, with zeros behind the end; in the arena. */
static am_status cut_segment(const job *j, const am_tensor *features, int64_t seek, am_arena *arena, am_tensor *out)
{
    int64_t mels = features->shape.dims[1], frames = features->shape.dims[2];
    int64_t length = frames - seek < j->segment_frames ? frames - seek : j->segment_frames;
    float *data = am_arena_array(arena, (size_t)(mels * j->segment_frames), sizeof *data);
    if (!data) return am_out_of_memory();
    for (int64_t m = 0; m < mels; m++)
        memcpy(data + m * j->segment_frames, (const float *)features->data + m * frames + seek,
               (size_t)length * sizeof *data);
    *out = (am_tensor){AM_F32, am_shape_of(1, mels, j->segment_frames), data};
    return NULL;
}

/* A segment and what the decoder begins with. */
typedef struct heard {
    am_tensor features; /* [1, mels, segment_frames] */
    int32_t *ids;       /* start_length, the last of them as j->start */
    int64_t start_length;
    int64_t new_tokens; /* at most */
} heard;

/* A max_length of the configuration counts from behind the start, and grows from segment to segment, as it does in
   transformers. */
static int64_t new_tokens(job *j, int64_t start_length)
{
    am_generation_config *c = &j->config;
    int64_t room = j->most_positions - start_length, counted = j->most_positions / 2 - 1;
    if (c->max_new_tokens) return c->max_new_tokens < room ? c->max_new_tokens : room;
    c->max_length += start_length < counted ? start_length : counted;
    if (c->max_length > j->most_positions) c->max_length = j->most_positions;
    return c->max_length - start_length;
}

/* Once tokens were drawn there are no beams until the sound ends. */
static am_status generate(job *j, const heard *h, double temperature, am_generated *out)
{
    am_session_input input = {"input_features", h->features};
    j->config.do_sample = temperature > 0.0;
    j->config.temperature = j->config.do_sample ? temperature : 1.0;
    if (j->config.do_sample) j->config.num_beams = 1;
    am_generation_config config = j->config;
    if (j->config.do_sample && j->draws++) config.seed = am_splitmix(config.seed, j->draws);
    config.max_new_tokens = h->new_tokens;
    am_generate_request request = {.inputs = &input,
                                   .input_count = 1,
                                   .ids = h->ids,
                                   .batch = 1,
                                   .length = h->start_length,
                                   .config = &config,
                                   .wants_log_probabilities = !isnan(j->fallback.logprob)};
    return am_generate(j->p->session, &request, out);
}

/* The probability that nothing is said: of a token behind the first one of the start. */
static am_status find_silence(job *j, const heard *h, double *out)
{
    am_tensor logits, ids = {AM_I32, am_shape_of(1, h->start_length), h->ids};
    am_session_input inputs[] = {{"input_features", h->features}, {"decoder_input_ids", ids}};
    int64_t token = (int64_t)id_of(j->file, "no_timestamps_token_id") - 1;
    AM_TRY(am_run_for_output(j->p, inputs, 2, "logits", &logits));
    int64_t vocab = logits.shape.dims[2], at = h->start_length - j->start_length;
    if (token < 0 || token >= vocab)
        return am_error(AM_INVALID_FILE, "generation_config.json: no_timestamps_token_id: no token of this model");
    *out = exp(am_log_probability((const float *)logits.data + at * vocab, vocab, token, 1.0));
    return NULL;
}

/* Whether what was made of a segment is not to be trusted, and whether nothing was said. */
static am_status judge(job *j, const heard *h, const am_generated *made, bool *again, bool *silent)
{
    const am_whisper_fallback *f = &j->fallback;
    int64_t count = made->lengths[0];
    double ratio = 0.0, sum = 0.0, silence = 0.0;
    *again = *silent = false;
    if (!isnan(f->compression_ratio)) {
        int64_t vocab = am_json_int(am_json_get(am_pipeline_config(j->p)->object, "vocab_size"), 1);
        AM_TRY(am_whisper_compression_ratio(made->ids, count, vocab, &ratio));
        *again = ratio > f->compression_ratio;
    }
    if (isnan(f->logprob)) return NULL;
    for (int64_t i = 0; i < count; i++) sum += (double)made->log_probabilities[i];
    if (!(sum / (double)count < f->logprob)) return NULL;
    *again = true;
    if (isnan(f->no_speech)) return NULL;
    AM_TRY(find_silence(j, h, &silence));
    *silent = silence > f->no_speech;
    *again = !*silent;
    return NULL;
}

/* At one temperature after the other, until it is to be trusted. */
static am_status generate_with_fallback(job *j, const heard *h, am_generated *out, bool *silent)
{
    bool again = true;
    for (int i = 0; again && i < j->fallback.count; i++) {
        am_generated_deinit(out);
        AM_TRY(generate(j, h, j->fallback.temperatures[i], out));
        AM_TRY(judge(j, h, out, &again, silent));
        j->tells_what_was_said = j->context.conditions && j->fallback.temperatures[i] < 0.5;
    }
    return NULL;
}

static am_status grow_ends(job *j)
{
    double *grown = am_arena_array(&j->arena, (size_t)j->capacity, sizeof *grown);
    if (!grown) return am_out_of_memory();
    if (j->count) memcpy(grown, j->ends, (size_t)j->count * sizeof *grown);
    j->ends = grown;
    return NULL;
}

/* ends: [count], or null */
static am_status add_ids(job *j, const int32_t *ids, const double *ends, int64_t count)
{
    if (j->count + count > j->capacity) {
        int64_t larger = 2 * (j->count + count);
        int32_t *grown = am_arena_array(&j->arena, (size_t)larger, sizeof *grown);
        if (!grown) return am_out_of_memory();
        if (j->count) memcpy(grown, j->ids, (size_t)j->count * sizeof *grown);
        j->ids = grown;
        j->capacity = larger;
        if (ends) AM_TRY(grow_ends(j));
    }
    if (count) memcpy(j->ids + j->count, ids, (size_t)count * sizeof *ids);
    if (count && ends) memcpy(j->ends + j->count, ends, (size_t)count * sizeof *ends);
    j->count += count;
    return NULL;
}

/* Keeps what a segment says up to the last pair of times, and gives the frames that it covers (_retrieve_segment). */
static am_status keep_segment(job *j, const int32_t *ids, const double *ends, int64_t count, int64_t frames,
                              int64_t *covered)
{
    int32_t marker = id_of(j->file, "no_timestamps_token_id"), begin = marker >= 0 ? marker + 1 : INT32_MAX;
    int64_t pair = 0; /* where the second of the last pair stands */
    for (int64_t i = 1; i < count; i++)
        if (ids[i - 1] >= begin && ids[i] >= begin) pair = i;
    bool single_ending = count && ids[count - 1] >= begin && (count < 2 || ids[count - 2] < begin);
    *covered = frames;
    if (pair && !(single_ending && count >= 2)) {
        int64_t end = (int64_t)(ids[pair - 1] - begin) * INPUT_STRIDE;
        if (end > 0 && end < frames) *covered = end;
        count = pair + 1;
    }
    if (j->context.conditions) AM_TRY(am_whisper_context_add(&j->context, &j->arena, ids, count));
    return add_ids(j, ids, ends, count);
}

/* When the tokens of a segment that begins at frame `seek` are said; *out is null where that is not wanted. */
static am_status find_times(job *j, const heard *h, int64_t seek, const am_generated *made, am_arena *arena,
                            double **out)
{
    int64_t count = made->lengths[0], start = h->start_length;
    *out = NULL;
    if (!j->text.word_times) return NULL;
    int32_t *ids = am_arena_array(arena, (size_t)(start + count) + 1, sizeof *ids);
    float *seconds = am_arena_array(arena, (size_t)count + 1, sizeof *seconds);
    *out = am_arena_array(arena, (size_t)count + 1, sizeof **out);
    if (!ids || !seconds || !*out) return am_out_of_memory();
    memcpy(ids, h->ids, (size_t)start * sizeof *ids);
    memcpy(ids + start, made->ids, (size_t)count * sizeof *ids);
    am_whisper_said said = {h->features, ids, start, count, j->sound_frames - seek};
    if (count) AM_TRY(am_whisper_token_times(j->p, am_json_get(j->file, "alignment_heads"), &said, seconds));
    for (int64_t i = 0; i < count; i++) (*out)[i] = (double)(seconds[i] + (float)((double)seek * FRAME_S));
    return NULL;
}

static am_status begin_segment(job *j, const am_tensor *features, int64_t seek, am_arena *arena, heard *out)
{
    AM_TRY(cut_segment(j, features, seek, arena, &out->features));
    if (!seek) AM_TRY(find_start(j, &out->features));
    AM_TRY(am_whisper_context_ids(&j->context, j->tells_what_was_said, j->start, j->start_length, arena, &out->ids,
                                  &out->start_length));
    out->new_tokens = new_tokens(j, out->start_length);
    if (out->new_tokens >= 1) return NULL;
    return am_error(AM_OUT_OF_RANGE, "the decoder holds %lld tokens, and begins with %lld",
                    (long long)j->most_positions, (long long)out->start_length);
}

static am_status hear_segment(job *j, const am_tensor *features, int64_t seek, int64_t *covered)
{
    am_arena arena = {0};
    heard h = {0};
    am_generated made = {0};
    bool silent = false;
    int64_t frames = features->shape.dims[2] - seek;
    if (frames > j->segment_frames) frames = j->segment_frames;
    am_status status = begin_segment(j, features, seek, &arena, &h);
    double *ends = NULL;
    if (!status) status = generate_with_fallback(j, &h, &made, &silent);
    if (!status && !silent) status = find_times(j, &h, seek, &made, &arena, &ends);
    if (!status && !silent) {
        int64_t count = made.lengths[0];
        if (count && am_generation_config_stops(&j->config, made.ids[count - 1])) count--;
        status = keep_segment(j, made.ids, ends, count, frames, covered);
    }
    if (silent) *covered = frames;
    am_generated_deinit(&made);
    am_arena_deinit(&arena);
    return status;
}

/* --- the sound --- */

static am_status hear_features(job *j, const am_tensor *features)
{
    int64_t covered, frames = features->shape.dims[2], length = j->config.max_length, beams = j->config.num_beams;
    int32_t marker = id_of(j->file, "no_timestamps_token_id");
    j->wants_times = j->text.return_timestamps || frames > j->segment_frames;
    if (j->wants_times && marker < 0)
        return am_error(AM_UNSUPPORTED,
                        "generation_config.json: no_timestamps_token_id: missing, and times are needed");
    j->config.timestamp_begin = j->wants_times ? marker + 1 : -1;
    AM_TRY(am_whisper_context_start(&j->context, &j->arena));
    j->tells_what_was_said = j->context.is_asked;
    for (int64_t seek = 0; seek < frames; seek += covered) AM_TRY(hear_segment(j, features, seek, &covered));
    j->config.max_length = length;
    j->config.num_beams = beams;
    return NULL;
}

static am_status add_output(job *j, const am_speech_chunk *chunk, bool has_stride, double sampling_rate)
{
    am_whisper_output output = {.has_stride = has_stride,
                                .length_s = (double)chunk->count / sampling_rate,
                                .left_s = (double)chunk->left / sampling_rate,
                                .right_s = (double)chunk->right / sampling_rate};
    int32_t *ids = am_arena_array(&j->arena, (size_t)j->count + 2, sizeof *ids);
    double *ends = am_arena_array(&j->arena, (size_t)j->count + 2, sizeof *ends);
    if (!ids || !ends) return am_out_of_memory();
    output.ids = ids;
    if (j->text.word_times) output.token_times = ends;
    if (j->text.return_language && is_given(am_json_get(j->file, "lang_to_id")) && j->start_length > 1)
        ids[output.count++] = j->start[1];
    if (j->count) memcpy(ids + output.count, j->ids, (size_t)j->count * sizeof *ids);
    if (j->count && j->text.word_times) memcpy(ends + output.count, j->ends, (size_t)j->count * sizeof *ends);
    output.count += j->count;
    if (j->output_count == j->output_capacity) {
        int64_t larger = 2 * j->output_capacity + 4;
        am_whisper_output *grown = am_arena_array(&j->arena, (size_t)larger, sizeof *grown);
        if (!grown) return am_out_of_memory();
        if (j->output_count) memcpy(grown, j->outputs, (size_t)j->output_count * sizeof *grown);
        j->outputs = grown;
        j->output_capacity = larger;
    }
    j->outputs[j->output_count++] = output;
    return NULL;
}

static am_status hear_chunk(job *j, const am_audio *sound, const am_speech_chunk *chunk, bool has_stride)
{
    am_feature_extractor *extractor;
    am_media_inputs inputs;
    am_audio part = *sound;
    part.samples += chunk->first;
    part.frames = chunk->count;
    AM_TRY(am_pipeline_feature_extractor(j->p, &extractor));
    bool is_long = !has_stride && part.frames > am_feature_chunk_samples(extractor);
    am_feature_options options = {.padding = AM_PADDING_LONGEST, .truncation = AM_CHOICE_NO};
    AM_TRY(am_sound_inputs(j->p, &part, is_long ? &options : NULL, &inputs));
    j->count = 0;
    int64_t hop = am_feature_setting_int(extractor, "hop_length");
    j->sound_frames = (part.frames + hop - 1) / hop;
    am_status status = inputs.inputs[0].tensor.shape.rank == 3
                           ? hear_features(j, &inputs.inputs[0].tensor)
                           : am_error(AM_UNSUPPORTED, "the feature extractor gives no spectrogram");
    if (!status) status = add_output(j, chunk, has_stride, (double)sound->sampling_rate);
    am_media_inputs_deinit(&inputs);
    return status;
}

static am_status hear(job *j, const am_audio *sound)
{
    am_speech_chunks chunks;
    am_speech_chunk chunk = {.count = sound->frames, .is_last = true};
    int64_t next = 0;
    AM_TRY(am_speech_chunks_read(j->options, sound->sampling_rate, 1, &chunks));
    if (!chunks.chunk) return hear_chunk(j, sound, &chunk, false);
    while (am_speech_next_chunk(&chunks, sound->frames, &next, &chunk)) AM_TRY(hear_chunk(j, sound, &chunk, true));
    return NULL;
}

/* --- settings --- */

static am_status read_times(job *j)
{
    am_json given = am_json_get(j->options, "return_timestamps");
    j->text.word_times = am_json_equals(given, "word");
    if (j->text.word_times && am_json_kind_of(am_json_get(j->file, "alignment_heads")) != AM_JSON_ARRAY)
        return am_error(AM_UNSUPPORTED, "option return_timestamps: times of words need alignment_heads, which "
                                        "generation_config.json has not");
    if (!j->text.word_times) AM_TRY(am_check_option(j->options, "return_timestamps", AM_JSON_BOOL));
    AM_TRY(am_check_option(j->options, "return_language", AM_JSON_BOOL));
    j->text.return_timestamps = j->text.word_times || am_json_bool(given, false) ||
                                am_json_bool(am_json_get(j->file, "return_timestamps"), false);
    j->text.return_language = am_json_bool(am_json_get(j->options, "return_language"), false);
    return NULL;
}

/* The temperatures are this task's own: what is generated once takes one. */
static void write_without_temperatures(am_json options, am_buffer *out)
{
    const char *separator = "";
    am_buffer_append_char(out, '{');
    for (am_json_iterator i = am_json_iterate(options); am_json_next(&i);) {
        if (strcmp(i.key.bytes, "temperature") == 0) continue;
        am_buffer_append_string(out, separator);
        am_buffer_append_json_string(out, i.key.bytes, i.key.length);
        am_buffer_append_char(out, ':');
        am_json_write(i.value, out);
        separator = ",";
    }
    am_buffer_append_char(out, '}');
}

static am_status read_generation(job *j)
{
    am_generation_config base = am_generation_config_default();
    am_json_document *document = NULL;
    am_buffer others = {0};
    base.max_new_tokens = DEFAULT_NEW_TOKENS;
    base.num_beams = DEFAULT_BEAMS;
    AM_TRY(am_whisper_fallback_read(j->options, j->file, &j->fallback));
    write_without_temperatures(j->options, &others);
    am_status status = am_buffer_status(&others);
    if (!status) status = am_json_parse(am_buffer_text(&others), others.length, "options", &document);
    if (!status) status = am_read_generation(j->p, &base, (am_json){0}, am_json_root(document), &j->arena, &j->config);
    am_json_close(document);
    am_buffer_deinit(&others);
    if (status) return status;
    return am_whisper_context_read(j->p, j->options, j->file, &j->config.suppress_tokens, &j->arena, &j->context);
}

static am_status read_settings(job *j)
{
    am_feature_extractor *extractor;
    am_json config = am_pipeline_config(j->p)->object;
    AM_TRY(read_times(j));
    AM_TRY(read_generation(j));
    AM_TRY(am_pipeline_feature_extractor(j->p, &extractor));
    if (j->config.decoder_start_token_id < 0)
        return am_error(AM_INVALID_FILE, "config.json: decoder_start_token_id: missing");
    int64_t positions = am_json_int(am_json_get(config, "max_source_positions"), 0);
    j->most_positions = am_json_int(am_json_get(config, "max_target_positions"), 0);
    if (positions < 1 || positions > INT32_MAX || j->most_positions < 1)
        return am_error(AM_UNSUPPORTED,
                        "class %s has no max_source_positions and max_target_positions of a Whisper model",
                        j->p->model->architecture->name);
    j->segment_frames = INPUT_STRIDE * positions;
    j->text.time_precision =
        (double)am_feature_chunk_samples(extractor) / (double)extractor->sampling_rate / (double)positions;
    j->config.max_initial_timestamp_index = am_json_int(am_json_get(j->file, "max_initial_timestamp_index"), -1);
    return NULL;
}

/* *out is null where the text is to stay as it is. */
static am_status open_normalizer(job *j, am_whisper_normalizer **out)
{
    static const char *const names[] = {"normalize", "basic_normalize", "remove_diacritics"};
    bool asked[3];
    *out = NULL;
    for (int i = 0; i < 3; i++) {
        AM_TRY(am_check_option(j->options, names[i], AM_JSON_BOOL));
        asked[i] = am_json_bool(am_json_get(j->options, names[i]), false);
    }
    j->text.basic_normalize = asked[1] && !asked[0];
    j->text.remove_diacritics = asked[2];
    if (asked[0] || asked[1]) AM_TRY(am_whisper_normalizer_open(j->p->directory, out));
    j->text.normalizer = *out;
    return NULL;
}

static am_status recognize(job *j, const am_audio *sound, am_buffer *out)
{
    am_tokenizer *tokenizer;
    am_whisper_normalizer *normalizer;
    AM_TRY(am_pipeline_tokenizer(j->p, &tokenizer));
    AM_TRY(read_settings(j));
    AM_TRY(open_normalizer(j, &normalizer));
    am_status status = hear(j, sound);
    if (!status) status = am_append_whisper_text(tokenizer, j->outputs, j->output_count, &j->text, out);
    am_whisper_normalizer_close(normalizer);
    return status;
}

am_status am_recognize_whisper(am_pipeline *p, const am_audio *sound, am_json options, am_buffer *out)
{
    job j = {.p = p, .options = options};
    am_json_document *document = NULL;
    char *path = am_path_join(&j.arena, p->directory, "generation_config.json");
    am_status status = path ? NULL : am_out_of_memory();
    if (!status && am_file_exists(path)) status = am_json_open(path, &document);
    if (document) j.file = am_json_root(document);
    if (!status) status = recognize(&j, sound, out);
    am_json_close(document);
    am_arena_deinit(&j.arena);
    return status;
}

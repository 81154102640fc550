#include "tasks/speech.h"

#include "base/memory.h"
#include "media/feature_extractor.h"
#include "tasks/ctc_beams.h"
#include "text/tokenizer.h"

#include <math.h>
#include <string.h>

typedef struct job {
    am_pipeline *p;
    am_arena arena;
    int64_t align, sampling_rate; /* samples a frame; Hz */
    bool searches;                /* with beams, over the logits of frames */
    am_ctc_beam_options beams;
    int32_t *ids;  /* [capacity]: the best class of each frame */
    float *logits; /* [capacity, classes]; null: not wanted */
    int64_t count, capacity, classes;
} job;

static am_status read_times(am_json options, am_ctc_times *out)
{
    am_json given = am_json_get(options, "return_timestamps");
    *out = am_json_equals(given, "char")   ? AM_CTC_CHARACTERS
           : am_json_equals(given, "word") ? AM_CTC_WORDS
                                           : AM_CTC_NO_TIMES;
    bool is_off = am_json_kind_of(given) <= AM_JSON_NULL ||
                  (am_json_kind_of(given) == AM_JSON_BOOL && !am_json_bool(given, false));
    if (*out || is_off) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "option return_timestamps: expected \"char\" or \"word\" of a CTC model");
}

/* inputs_to_logits_ratio of a model of features, as transformers counts it: by their width. */
static int64_t samples_per_feature_frame(const am_config *config)
{
    int64_t product = 2 * am_config_size(config, "feature_projection_input_dim", 160);
    int64_t layers = am_config_count(config, "num_adapter_layers", 1),
            stride = am_config_size(config, "adapter_stride", 2);
    if (!am_config_flag(config, "add_adapter", false)) return product;
    for (int64_t i = 0; i < layers && stride < 1 << 16 && product < 1 << 24; i++) product *= stride;
    return product;
}

/* inputs_to_logits_ratio: samples that become one frame. */
static int64_t samples_per_frame(const am_config *config)
{
    if (am_config_is(config, "model_type", "wav2vec2-bert")) return samples_per_feature_frame(config);
    int64_t product = 1;
    for (am_json_iterator i = am_json_iterate(am_json_get(config->object, "conv_stride")); am_json_next(&i);) {
        int64_t stride = am_json_int(i.value, 1);
        if (stride > 0 && stride < 1 << 16 && product < 1 << 24) product *= stride;
    }
    return product;
}

static int32_t best_class(const float *row, int64_t classes)
{
    int32_t best = 0;
    for (int64_t i = 1; i < classes; i++)
        if (row[i] > row[best]) best = (int32_t)i;
    return best;
}

static am_status reserve_logits(job *j)
{
    float *grown = am_arena_array(&j->arena, (size_t)j->capacity, (size_t)j->classes * sizeof *grown);
    if (!grown) return am_out_of_memory();
    if (j->count) memcpy(grown, j->logits, (size_t)(j->count * j->classes) * sizeof *grown);
    j->logits = grown;
    return NULL;
}

static am_status reserve(job *j, int64_t more)
{
    int64_t larger = 2 * j->capacity > j->count + more ? 2 * j->capacity : j->count + more;
    if (j->count + more <= j->capacity) return NULL;
    int32_t *grown = am_arena_array(&j->arena, (size_t)larger + 1, sizeof *grown);
    if (!grown) return am_out_of_memory();
    if (j->count) memcpy(grown, j->ids, (size_t)j->count * sizeof *grown);
    j->ids = grown;
    j->capacity = larger;
    return j->searches ? reserve_logits(j) : NULL;
}

/* Adds the classes of frames [first, end) of what the model says. */
static am_status add_frames(job *j, const am_tensor *logits, int64_t first, int64_t end)
{
    int64_t frames = logits->shape.dims[1], classes = logits->shape.dims[2];
    if (end > frames) end = frames;
    if (first >= end) return NULL;
    j->classes = classes;
    AM_TRY(reserve(j, end - first));
    for (int64_t t = first; t < end; t++, j->count++) {
        const float *row = (const float *)logits->data + t * classes;
        j->ids[j->count] = best_class(row, classes);
        if (j->searches) memcpy(j->logits + j->count * classes, row, (size_t)classes * sizeof *row);
    }
    return NULL;
}

/* Frames that belong to neighbours are left out (rescale_stride). */
static am_status read_chunk(job *j, const am_audio *sound, const am_speech_chunk *chunk)
{
    am_media_inputs inputs;
    am_tensor logits;
    am_audio part = *sound;
    part.samples += chunk->first;
    part.frames = chunk->count;
    AM_TRY(am_sound_inputs(j->p, &part, NULL, &inputs));
    am_status status = am_run_for_output(j->p, inputs.inputs, inputs.count, "logits", &logits);
    if (!status && logits.shape.rank != 3)
        status = am_error(AM_UNSUPPORTED, "class %s gives no logits of each frame", j->p->model->architecture->name);
    double count = (double)chunk->count, frames = rint(count / (double)j->align);
    int64_t left = (int64_t)rint((double)chunk->left / count * frames),
            right = (int64_t)rint((double)chunk->right / count * frames);
    bool is_whole = chunk->is_last && !chunk->first;
    if (!status) status = add_frames(j, &logits, left, is_whole ? INT64_MAX : (int64_t)frames - right);
    am_media_inputs_deinit(&inputs);
    return status;
}

static am_status read_chunks(job *j, const am_audio *sound, am_json options)
{
    am_speech_chunks chunks;
    am_speech_chunk chunk = {.count = sound->frames, .is_last = true};
    int64_t next = 0;
    AM_TRY(am_speech_chunks_read(options, j->sampling_rate, j->align, &chunks));
    if (!chunks.chunk) return read_chunk(j, sound, &chunk);
    while (am_speech_next_chunk(&chunks, sound->frames, &next, &chunk)) AM_TRY(read_chunk(j, sound, &chunk));
    return NULL;
}

static void append_pieces(const am_ctc_text_options *o, const am_ctc_piece *pieces, size_t count, am_buffer *out)
{
    double frame = (double)o->frame_samples, rate = (double)o->sampling_rate;
    am_buffer_append_string(out, ", \"chunks\": [");
    for (size_t i = 0; i < count; i++) {
        am_buffer_append_string(out, i ? ", {\"text\": " : "{\"text\": ");
        am_buffer_append_json_string(out, pieces[i].text.bytes, pieces[i].text.length);
        am_buffer_append_string(out, ", \"timestamp\": [");
        am_append_real(out, (double)pieces[i].start * frame / rate);
        am_buffer_append_string(out, ", ");
        am_append_real(out, (double)pieces[i].end * frame / rate);
        am_buffer_append_string(out, "]}");
    }
    am_buffer_append_char(out, ']');
}

static am_status append_times(const am_tokenizer *tokenizer, const int32_t *ids, int64_t count,
                              const am_ctc_text_options *o, am_buffer *out)
{
    am_decode_options options = {.skip_special_tokens = false, .clean_up = -1};
    am_ctc_decoding decoding;
    AM_TRY(am_tokenizer_decode_ctc(tokenizer, ids, (size_t)count, &options, &decoding));
    if (o->times == AM_CTC_CHARACTERS) append_pieces(o, decoding.characters, decoding.character_count, out);
    else append_pieces(o, decoding.words, decoding.word_count, out);
    am_ctc_decoding_deinit(&decoding);
    return NULL;
}

am_status am_append_ctc_text(const am_tokenizer *tokenizer, const int32_t *ids, int64_t count,
                             const am_ctc_text_options *options, am_buffer *out)
{
    am_decode_options decode = {.skip_special_tokens = false, .clean_up = -1};
    char *text;
    size_t length;
    AM_TRY(am_tokenizer_decode(tokenizer, ids, (size_t)count, &decode, &text, &length));
    am_buffer_append_string(out, "{\"text\": ");
    am_buffer_append_json_string(out, text, length);
    am_free(text);
    if (options->times) AM_TRY(append_times(tokenizer, ids, count, options, out));
    am_buffer_append_char(out, '}');
    return NULL;
}

/* {"text", "chunks"} of the best beam; chunks are its words. */
static am_status append_best_beam(job *j, const am_tokenizer *tokenizer, am_ctc_times times, am_buffer *out)
{
    am_ctc_text_options options = {times, j->align, j->sampling_rate};
    am_ctc_hypothesis *beams;
    am_text *labels;
    int64_t count;
    AM_TRY(am_ctc_labels(tokenizer, j->classes, &j->arena, &labels));
    AM_TRY(am_ctc_beam_search(j->logits, j->count, labels, j->classes, &j->beams, &j->arena, &beams, &count));
    am_ctc_piece *words = am_arena_array(&j->arena, (size_t)beams[0].word_count + 1, sizeof *words);
    if (!words) return am_out_of_memory();
    for (int64_t i = 0; i < beams[0].word_count; i++) {
        const am_ctc_beam_word *word = &beams[0].words[i];
        words[i] = (am_ctc_piece){word->text, (uint32_t)word->start, (uint32_t)word->end};
    }
    am_buffer_append_string(out, "{\"text\": ");
    am_buffer_append_json_string(out, beams[0].text.bytes, beams[0].text.length);
    if (times) append_pieces(&options, words, (size_t)beams[0].word_count, out);
    am_buffer_append_char(out, '}');
    return NULL;
}

/* decoder_kwargs, even empty ones, ask for a beam search; null does not. */
static am_status read_beams(job *j, am_json options, am_ctc_times times)
{
    am_json kwargs = am_json_get(options, "decoder_kwargs");
    AM_TRY(am_check_option(options, "decoder_kwargs", AM_JSON_OBJECT));
    j->searches = am_json_kind_of(kwargs) == AM_JSON_OBJECT;
    if (j->searches && times == AM_CTC_CHARACTERS)
        return am_error(AM_INVALID_ARGUMENT, "option return_timestamps: expected \"word\" with decoder_kwargs");
    return am_ctc_beam_options_read(kwargs, &j->beams);
}

static am_status recognize(job *j, const am_audio *sound, am_json options, am_buffer *out)
{
    am_feature_extractor *extractor;
    am_tokenizer *tokenizer;
    am_ctc_times times;
    AM_TRY(read_times(options, &times));
    AM_TRY(read_beams(j, options, times));
    AM_TRY(am_pipeline_tokenizer(j->p, &tokenizer));
    AM_TRY(am_pipeline_feature_extractor(j->p, &extractor));
    j->sampling_rate = extractor->sampling_rate;
    j->align = samples_per_frame(am_pipeline_config(j->p));
    AM_TRY(read_chunks(j, sound, options));
    if (j->searches && j->count) return append_best_beam(j, tokenizer, times, out);
    am_ctc_text_options text = {times, j->align, j->sampling_rate};
    return am_append_ctc_text(tokenizer, j->ids, j->count, &text, out);
}

am_status am_recognize_ctc(am_pipeline *p, const am_audio *sound, am_json options, am_buffer *out)
{
    job j = {.p = p};
    am_status status = recognize(&j, sound, options, out);
    am_arena_deinit(&j.arena);
    return status;
}

/* Speech to text: what automatic-speech-recognition does for a model that labels frames (CTC) and for Whisper. */
#ifndef AM_TASKS_SPEECH_H
#define AM_TASKS_SPEECH_H

#include "media/audio.h"
#include "tasks/task.h"
#include "text/whisper_normalizer.h"

/* Parts of a sound that overlap: chunk_length_s and stride_length_s of the options, in samples, multiples of `align`.
   chunk 0: the sound is taken whole. */
typedef struct am_speech_chunks {
    int64_t chunk, stride_left, stride_right;
} am_speech_chunks;

am_status am_speech_chunks_read(am_json options, int64_t sampling_rate, int64_t align,
                                am_speech_chunks *out) AM_NODISCARD;

/* One of them: samples [first, first + count) of the sound, of which left and right belong to its neighbours. */
typedef struct am_speech_chunk {
    int64_t first, count, left, right;
    bool is_last;
} am_speech_chunk;

/* The chunk that begins at *next, which becomes the next one's beginning; false when there is none. Begin with 0. */
bool am_speech_next_chunk(const am_speech_chunks *chunks, int64_t samples, int64_t *next, am_speech_chunk *out);

/* Append {"text": ..., "chunks": ...} for a sound at the feature extractor's rate. Of CTC return_timestamps is "char"
   or "word", and decoder_kwargs ask for a beam search (ctc_beams.h); of Whisper return_timestamps is true
   or "word", for which generation_config.json needs alignment_heads; normalize (English), basic_normalize and
   remove_diacritics are those of its tokenizer's decode. */
am_status am_recognize_ctc(am_pipeline *p, const am_audio *sound, am_json options, am_buffer *out) AM_NODISCARD;
am_status am_recognize_whisper(am_pipeline *p, const am_audio *sound, am_json options, am_buffer *out) AM_NODISCARD;

/* --- the text of CTC --- */

typedef enum am_ctc_times { AM_CTC_NO_TIMES, AM_CTC_CHARACTERS, AM_CTC_WORDS } am_ctc_times;

/* Appends {"text": ..., "chunks": [...]} of the best class of each frame, a frame every frame_samples. */
typedef struct am_ctc_text_options {
    am_ctc_times times;
    int64_t frame_samples, sampling_rate;
} am_ctc_text_options;
am_status am_append_ctc_text(const struct am_tokenizer *tokenizer, const int32_t *ids, int64_t count,
                             const am_ctc_text_options *options, am_buffer *out) AM_NODISCARD;

/* --- Whisper's text --- */

/* What was generated for one chunk. */
typedef struct am_whisper_output {
    const int32_t *ids;
    const double *token_times; /* where each ends, in seconds of the chunk; null: not known */
    int64_t count;
    bool has_stride;
    double length_s, left_s, right_s;
} am_whisper_output;

typedef struct am_whisper_text_options {
    bool return_timestamps, return_language;
    bool word_times;       /* with return_timestamps: chunks are words; needs token_times */
    double time_precision; /* seconds a timestamp token */
    /* The whole text, not its chunks, normalized; null: as it is. */
    const am_whisper_normalizer *normalizer;
    bool basic_normalize, remove_diacritics; /* for any language instead of English */
} am_whisper_text_options;

/* Appends {"text": ..., "chunks": [...]} of the outputs, as _decode_asr of tokenization_whisper.py. */
am_status am_append_whisper_text(const struct am_tokenizer *tokenizer, const am_whisper_output *outputs, int64_t count,
                                 const am_whisper_text_options *options, am_buffer *out) AM_NODISCARD;

/* "german" of "de", or null; the code of a name ("german"), or null. Static. */
const char *am_whisper_language(const char *code, size_t length);
const char *am_whisper_language_code(const char *name);

#endif

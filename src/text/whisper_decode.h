/* WhisperTokenizer.decode with times, and with normalized text. */
#ifndef AM_TEXT_WHISPER_DECODE_H
#define AM_TEXT_WHISPER_DECODE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "text/whisper_normalizer.h"

typedef struct am_whisper_decode_options {
    bool skip_special_tokens;
    int clean_up;          /* as of am_decode_options */
    bool times;            /* decode_with_timestamps: "<|1.08|>" stays in the text, which is then not normalized */
    double time_precision; /* seconds a timestamp token */
    bool normalize, basic_normalize, remove_diacritics; /* with a normalizer */
    const am_whisper_normalizer *normalizer;
} am_whisper_decode_options;

#define AM_WHISPER_DECODE_OPTIONS ((am_whisper_decode_options){.clean_up = -1, .time_precision = 0.02})

/* Appends the text. Fails as am_tokenizer_decode and the normalizer do. */
am_status am_whisper_decode(const am_tokenizer *tokenizer, const int32_t *ids, size_t count,
                            const am_whisper_decode_options *options, am_buffer *out) AM_NODISCARD;

/* The text between two timestamps, in seconds. */
typedef struct am_whisper_segment {
    am_text text;
    double start, end;
} am_whisper_segment;

/* output_offsets: the segments, in the arena. */
am_status am_whisper_segments(const am_tokenizer *tokenizer, const int32_t *ids, size_t count, double time_precision,
                              am_arena *arena, am_whisper_segment **out, size_t *out_count) AM_NODISCARD;

#endif

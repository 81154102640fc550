/* When Whisper hears a segment again, at the next temperature, and when it leaves one out as silence: the thresholds of
   generate_with_fallback (generation_whisper.py). */
#ifndef AM_TASKS_WHISPER_FALLBACK_H
#define AM_TASKS_WHISPER_FALLBACK_H

#include "base/json.h"
#include "base/status.h"

#include <stdint.h>

enum { AM_WHISPER_TEMPERATURES = 32 };

typedef struct am_whisper_fallback {
    double temperatures[AM_WHISPER_TEMPERATURES]; /* 0: the likeliest tokens */
    int count;                                    /* 1 at least */
    /* NAN: none. Heard again: bytes of tokens over those that zlib makes of them, above; mean logarithm of the
       probabilities of tokens, below. Left out: the probability of silence, above, where `logprob` would have it heard
       again. */
    double compression_ratio, logprob, no_speech;
} am_whisper_fallback;

/* temperature (a number or an array), compression_ratio_threshold, logprob_threshold and no_speech_threshold of the
   options; the thresholds of generation_config.json, `file`, where the options have none. Fails with
   AM_INVALID_ARGUMENT. */
am_status am_whisper_fallback_read(am_json options, am_json file, am_whisper_fallback *out) AM_NODISCARD;

/* Bytes of `count` tokens (each in as many as hold a vocabulary of `vocab`) over those that zlib makes of them; high
   for what repeats itself. Fails with AM_OUT_OF_MEMORY. */
am_status am_whisper_compression_ratio(const int32_t *ids, int64_t count, int64_t vocab, double *out) AM_NODISCARD;

#endif

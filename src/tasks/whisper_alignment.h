/* When Whisper's tokens are said: from the weights of cross-attention, by dynamic time warping, as
   _extract_token_timestamps of generation_whisper.py. */
#ifndef AM_TASKS_WHISPER_ALIGNMENT_H
#define AM_TASKS_WHISPER_ALIGNMENT_H

#include "tasks/task.h"

/* What the decoder was given and what it said of one segment. */
typedef struct am_whisper_said {
    am_tensor features; /* f32 [1, mels, frames] */
    const int32_t *ids; /* [start + count]: what it began with, then what it generated */
    int64_t start, count;
    int64_t sound_frames; /* of the features; what follows is silence that was added */
} am_whisper_said;

/* Runs the decoder once more and gives, for each generated token, when it begins, in seconds of the segment; of the
   last, which is the end of the text, that of the one before it. heads: [[layer, head], ...], alignment_heads of
   generation_config.json. out: [count]. Fails with AM_INVALID_FILE for heads that the model does not have. */
am_status am_whisper_token_times(am_pipeline *p, am_json heads, const am_whisper_said *said, float *out) AM_NODISCARD;

#endif

/* Texts of a model that labels frames (CTC) by beam search: pyctcdecode's decode_beams without a language model, as
   Wav2Vec2ProcessorWithLM uses it. */
#ifndef AM_TASKS_CTC_BEAMS_H
#define AM_TASKS_CTC_BEAMS_H

#include "base/arena.h"
#include "base/json.h"
#include "text/tokenizer.h"

/* Names of pyctcdecode. Zeros are not defaults: see am_ctc_beam_options_read. */
typedef struct am_ctc_beam_options {
    int64_t beam_width;     /* beams kept from frame to frame */
    double beam_prune_logp; /* of beams, below the best; at most 0 */
    double token_min_logp;  /* classes below it are passed over, unless they are the frame's best */
} am_ctc_beam_options;

/* Reads decoder_kwargs; 100, -10 and -5 where they are not given. AM_INVALID_ARGUMENT for other values,
   AM_UNSUPPORTED for other options. */
am_status am_ctc_beam_options_read(am_json kwargs, am_ctc_beam_options *out) AM_NODISCARD;

/* What each class stands for, of the arena: "" is blank, " " ends a word. AM_UNSUPPORTED where the vocabulary has no
   blank, or is of pieces of words. */
am_status am_ctc_labels(const am_tokenizer *tokenizer, int64_t classes, am_arena *arena, am_text **out) AM_NODISCARD;

/* Frames [start, end) of a word. */
typedef struct am_ctc_beam_word {
    am_text text;
    int64_t start, end;
} am_ctc_beam_word;

typedef struct am_ctc_hypothesis {
    am_text text;
    am_ctc_beam_word *words;
    int64_t word_count;
    double score; /* logarithm of its probability, as far as beams followed it */
} am_ctc_hypothesis;

/* logits: [frames, classes], not normalized. The hypotheses, best first, at least one, are of the arena. */
am_status am_ctc_beam_search(const float *logits, int64_t frames, const am_text *labels, int64_t classes,
                             const am_ctc_beam_options *options, am_arena *arena, am_ctc_hypothesis **out,
                             int64_t *count) AM_NODISCARD;

#endif

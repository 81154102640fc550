/* The decoder of a class that generates, fed with some tokens after others. */
#ifndef AM_RUNTIME_DECODER_FEED_H
#define AM_RUNTIME_DECODER_FEED_H

#include "runtime/generate.h"
#include "runtime/tokens_read.h"

typedef struct am_decoder_feed {
    am_session *session;
    const am_generate_request *request;
    bool encoder_decoder, recomputes; /* of the architecture's flags */
    bool in_parts;                    /* a prompt is read in parts of few lengths */
    int64_t rows;                     /* batch times beams */
    int64_t offset, capacity;         /* positions in the caches, and their places */
    am_session_input *encoded;        /* what the encoder gave, in `encoding`; of encoder-decoders */
    int encoded_count;
    int64_t encoder_length;
    int64_t again_beyond; /* a text that outgrows this length is read again; 0: never */
    am_tokens_read read;  /* what was fed: up to that length, or all where the class recomputes */
    am_arena encoding;    /* as long as the feed */
    am_arena arena;       /* of one step */
} am_decoder_feed;

/* Empties the caches and runs the encoder where there is one. Its encoder_last_hidden_state: [batch, S, C] goes to the
   decoder with the first tokens, as encoder_hidden_states; all else that it gives goes there with all of them. Both
   arguments are borrowed. Freed with am_decoder_feed_deinit, after an error too. */
am_status am_decoder_feed_init(am_decoder_feed *feed, am_session *session,
                               const am_generate_request *request) AM_NODISCARD;
void am_decoder_feed_deinit(am_decoder_feed *feed);

/* Runs T tokens of each row, ids: [rows, T], and gives the logits of the last: [rows, V], borrowed until the next run.
   Reads the whole text again where the model must; AM_UNSUPPORTED where other inputs than a mask came with it. */
am_status am_decoder_feed_run(am_decoder_feed *feed, const int32_t *ids, int64_t T, const float **logits,
                              int64_t *vocab) AM_NODISCARD;

/* Each row becomes `times` rows that go on from what it has read. */
am_status am_decoder_feed_repeat(am_decoder_feed *feed, int64_t times) AM_NODISCARD;

/* Row i goes on from what row origin[i] has read; origin: [rows]. */
am_status am_decoder_feed_reorder(am_decoder_feed *feed, const int32_t *origin) AM_NODISCARD;

#endif

/* The tokens that a decoder was fed, kept for models that must read them again: when a text outgrows a length
   (am_model_type.reads_again_beyond), or for every token (AM_RECOMPUTES). */
#ifndef AM_RUNTIME_TOKENS_READ_H
#define AM_RUNTIME_TOKENS_READ_H

#include "base/status.h"

#include <stdint.h>

typedef struct am_tokens_read {
    int32_t *ids; /* [length, rows], owned */
    int64_t length, rows;
} am_tokens_read;

void am_tokens_read_deinit(am_tokens_read *read);

/* Appends ids: [rows, T]; the first call sets the rows. Fails with AM_OUT_OF_MEMORY. */
am_status am_tokens_read_append(am_tokens_read *read, const int32_t *ids, int64_t rows, int64_t T) AM_NODISCARD;

/* Row i, of `rows`, becomes what row origin[i] was. Fails with AM_OUT_OF_MEMORY. */
am_status am_tokens_read_reorder(am_tokens_read *read, const int32_t *origin, int64_t rows) AM_NODISCARD;

/* The tokens of every row followed by ids: [rows, T], as [rows, length + T] in the caller's out. */
void am_tokens_read_join(const am_tokens_read *read, const int32_t *ids, int64_t rows, int64_t T, int32_t *out);

#endif

/* In which order the parts of a page are read, from what a model says of each pair of them. */
#ifndef AM_MEDIA_POST_PROCESSING_READING_ORDER_H
#define AM_MEDIA_POST_PROCESSING_READING_ORDER_H

#include "base/status.h"

#include <stdint.h>

/* The rank of each of `count` parts, from 0, as PP-DocLayoutV4 decodes it. Logits are [count, count]: `before` that the
   row is read before the column, `next` that the column follows directly. Fails with AM_INVALID_ARGUMENT when they are
   no numbers, AM_OUT_OF_MEMORY. */
am_status am_reading_order(const float *before, const float *next, int64_t count, int64_t *ranks) AM_NODISCARD;

#endif

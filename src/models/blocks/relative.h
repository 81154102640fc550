/* Relative positions as T5 buckets them. */
#ifndef AM_MODELS_BLOCKS_RELATIVE_H
#define AM_MODELS_BLOCKS_RELATIVE_H

#include <stdint.h>

/* Bucket of a distance 0 ..: half of the buckets for exact distances, the others logarithmically wider up to
   max_distance, the last one for all beyond. In float, as its users' models were trained with. */
int32_t am_distance_bucket(int64_t distance, int64_t buckets, int64_t max_distance);

#endif

/* Relative positions as T5 buckets them. */
#ifndef AM_MODELS_BLOCKS_RELATIVE_H
#define AM_MODELS_BLOCKS_RELATIVE_H

#include "models/model.h"

/* Bucket of a distance 0 ..: half of the buckets for exact distances, the others logarithmically wider up to
   max_distance, the last one for all beyond. In float, as its users' models were trained with. */
int32_t am_distance_bucket(int64_t distance, int64_t buckets, int64_t max_distance);

/* Buckets of distances, key position minus query position: I32 [..] -> I32 [..]. Both ways, half of the buckets are for
   keys before the query and half for those after it; else keys after the query count as distance 0. Where the buckets
   do not fit distances up to max_distance that is an error about field `key` of the model's configuration. */
am_value am_distance_buckets(am_builder *b, am_value distance, int64_t buckets, int64_t max_distance, bool both_ways,
                             const char *key);

#endif

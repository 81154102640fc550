#include "models/blocks/relative.h"

#include <math.h>

int32_t am_distance_bucket(int64_t distance, int64_t buckets, int64_t max_distance)
{
    int64_t exact = buckets / 2;
    if (distance < exact) return (int32_t)distance;
    float part = logf((float)distance / (float)exact) / (float)log((double)max_distance / (double)exact);
    int64_t bucket = exact + (int64_t)(part * (float)(buckets - exact));
    return (int32_t)(bucket < buckets ? bucket : buckets - 1);
}

/* Buckets of the distances -max_distance .. max_distance: I32 [2 * max_distance + 1]. Beyond, buckets stay the same. */
static am_value bucket_table(am_builder *b, int64_t buckets, int64_t M, bool both_ways, const char *key)
{
    int64_t side = both_ways ? buckets / 2 : buckets;
    if (side < 2 || M <= side / 2) {
        am_config_fail(am_model_config(b), key, "%lld buckets do not fit distances up to %lld", (long long)buckets,
                       (long long)M);
        return AM_NONE;
    }
    int32_t *table = am_arena_array(am_builder_arena(b), (size_t)(2 * M + 1), sizeof *table);
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t d = 0; d <= M; d++) {
        table[M - d] = am_distance_bucket(d, side, M);
        table[M + d] = !both_ways ? 0 : d > 0 ? table[M - d] + (int32_t)side : 0;
    }
    return am_constant_copy(b, AM_I32, am_shape_of(2 * M + 1), table);
}

am_value am_distance_buckets(am_builder *b, am_value distance, int64_t buckets, int64_t max_distance, bool both_ways,
                             const char *key)
{
    double M = (double)max_distance;
    distance = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, distance, -M), M);
    return am_gather(b, bucket_table(b, buckets, max_distance, both_ways, key), am_add_number(b, distance, M), 0,
                     false);
}

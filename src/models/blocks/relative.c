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

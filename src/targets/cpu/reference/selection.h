/* The first k of a row of places by some order, found as libstdc++ finds them: which of equals are among them is what
   std::nth_element and std::partial_sort leave, as torch.topk uses them. */
#ifndef AM_TARGETS_CPU_REFERENCE_SELECTION_H
#define AM_TARGETS_CPU_REFERENCE_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

/* Whether place i goes before place k. */
typedef bool am_goes_before(const void *context, int32_t i, int32_t k);

typedef struct am_order {
    am_goes_before *before;
    const void *context;
} am_order;

/* Moves the first k of `count` places, 0 <= k <= count, to the front, in any order. */
void am_select_first(const am_order *order, int32_t *places, int64_t count, int64_t k);

/* Sorts them, by an order in which no two are equal; spare: count places. */
void am_sort_places(const am_order *order, int32_t *places, int32_t *spare, int64_t count);

#endif

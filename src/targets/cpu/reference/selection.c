#include "targets/cpu/reference/selection.h"

#include <string.h>

static bool before(const am_order *o, int32_t i, int32_t k)
{
    return o->before(o->context, i, k);
}

static void swap(int32_t *p, int64_t i, int64_t k)
{
    int32_t kept = p[i];
    p[i] = p[k];
    p[k] = kept;
}

/* --- heaps, whose first goes last (bits/stl_heap.h) --- */

/* __push_heap: value rises from `hole`, not above `top`. */
static void rise(const am_order *o, int32_t *p, int64_t hole, int64_t top, int32_t value)
{
    int64_t parent = (hole - 1) / 2;
    while (hole > top && before(o, p[parent], value)) {
        p[hole] = p[parent];
        hole = parent;
        parent = (hole - 1) / 2;
    }
    p[hole] = value;
}

/* __adjust_heap: value sinks from `hole` to a leaf and rises again. */
static void sink(const am_order *o, int32_t *p, int64_t hole, int64_t count, int32_t value)
{
    int64_t top = hole, child = hole;
    while (child < (count - 1) / 2) {
        child = 2 * (child + 1);
        if (before(o, p[child], p[child - 1])) child--;
        p[hole] = p[child];
        hole = child;
    }
    if ((count & 1) == 0 && child == (count - 2) / 2) {
        child = 2 * (child + 1);
        p[hole] = p[child - 1];
        hole = child - 1;
    }
    rise(o, p, hole, top, value);
}

/* __heap_select: the first k of p[0 .. count) to its front. */
static void select_by_heap(const am_order *o, int32_t *p, int64_t count, int64_t k)
{
    for (int64_t parent = (k - 2) / 2; k > 1 && parent >= 0; parent--) sink(o, p, parent, k, p[parent]);
    for (int64_t i = k; i < count; i++) {
        if (!before(o, p[i], p[0])) continue;
        int32_t value = p[i];
        p[i] = p[0];
        sink(o, p, 0, k, value);
    }
}

/* --- selection (bits/stl_algo.h) --- */

/* __move_median_to_first */
static void median_to_first(const am_order *o, int32_t *p, int64_t first, int64_t a, int64_t b, int64_t c)
{
    int64_t median;
    if (before(o, p[a], p[b])) median = before(o, p[b], p[c]) ? b : before(o, p[a], p[c]) ? c : a;
    else median = before(o, p[a], p[c]) ? a : before(o, p[b], p[c]) ? c : b;
    swap(p, first, median);
}

/* __unguarded_partition_pivot: where the second part begins. */
static int64_t partition(const am_order *o, int32_t *p, int64_t first, int64_t last)
{
    int64_t pivot = first, i = first + 1, k = last;
    median_to_first(o, p, first, first + 1, first + (last - first) / 2, last - 1);
    for (;; i++) {
        while (before(o, p[i], p[pivot])) i++;
        k--;
        while (before(o, p[pivot], p[k])) k--;
        if (i >= k) return i;
        swap(p, i, k);
    }
}

/* __insertion_sort */
static void insertion_sort(const am_order *o, int32_t *p, int64_t first, int64_t last)
{
    for (int64_t i = first + 1; i < last; i++) {
        int32_t value = p[i];
        int64_t to = before(o, value, p[first]) ? first : i;
        while (to > first && before(o, value, p[to - 1])) to--;
        memmove(p + to + 1, p + to, (size_t)(i - to) * sizeof *p);
        p[to] = value;
    }
}

/* nth_element of place k - 1 (__introselect) */
static void select_by_parts(const am_order *o, int32_t *p, int64_t count, int64_t k)
{
    int64_t first = 0, last = count, nth = k - 1, depth = 0;
    for (int64_t n = count; n > 1; n /= 2) depth += 2;
    while (last - first > 3) {
        if (depth-- == 0) {
            select_by_heap(o, p + first, last - first, nth + 1 - first);
            swap(p, first, nth);
            return;
        }
        int64_t cut = partition(o, p, first, last);
        if (cut <= nth) first = cut;
        else last = cut;
    }
    insertion_sort(o, p, first, last);
}

void am_select_first(const am_order *o, int32_t *places, int64_t count, int64_t k)
{
    if (k < 1) return;
    if (k * 64 <= count) select_by_heap(o, places, count, k);
    else select_by_parts(o, places, count, k);
}

/* --- sorting --- */

/* p[begin .. middle) and p[middle .. end) into out. */
static void merge(const am_order *o, const int32_t *p, int32_t *out, int64_t begin, int64_t middle, int64_t end)
{
    int64_t left = begin, right = middle;
    for (int64_t i = begin; i < end; i++) {
        bool take_right = left == middle || (right < end && before(o, p[right], p[left]));
        out[i] = p[take_right ? right++ : left++];
    }
}

void am_sort_places(const am_order *o, int32_t *places, int32_t *spare, int64_t count)
{
    for (int64_t run = 1; run < count; run *= 2) {
        for (int64_t begin = 0; begin < count; begin += 2 * run) {
            int64_t middle = begin + run < count ? begin + run : count,
                    end = begin + 2 * run < count ? begin + 2 * run : count;
            merge(o, places, spare, begin, middle, end);
        }
        memcpy(places, spare, (size_t)count * sizeof *places);
    }
}

#include "text/chat_template/sort.h"

#include <string.h>

/* Merges order[low, middle) and order[middle, high) by way of `spare`. The right one goes first only when it
   has to. */
static bool merge(am_jinja *j, const am_jvalue *keys, bool reverse, size_t *order, size_t *spare, size_t low,
                  size_t middle, size_t high)
{
    size_t left = low, right = middle;
    for (size_t to = low; to < high; to++) {
        bool take_right = left == middle;
        if (!take_right && right < high) {
            am_jvalue a = keys[order[left]], b = keys[order[right]];
            if (!am_jcharge(j, 1)) return false;
            if (!am_jvalue_compare(j, "<", reverse ? a : b, reverse ? b : a, &take_right)) return false;
        }
        spare[to] = order[take_right ? right++ : left++];
    }
    memcpy(order + low, spare + low, (high - low) * sizeof *order);
    return true;
}

bool am_jsort_order(am_jinja *j, const am_jvalue *keys, size_t count, bool reverse, size_t *order)
{
    size_t *spare = am_jarray(j, count, sizeof *spare);
    if (!spare) return false;
    for (size_t i = 0; i < count; i++) order[i] = i;
    for (size_t width = 1; width < count; width *= 2)
        for (size_t low = 0; low + width < count; low += 2 * width) {
            size_t high = count - low < 2 * width ? count : low + 2 * width;
            if (!merge(j, keys, reverse, order, spare, low, low + width, high)) return false;
        }
    return true;
}

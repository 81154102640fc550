#include "media/post_processing/values.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

float am_post_sigmoid(float x)
{
    return (float)(1.0 / (1.0 + exp(-(double)x)));
}

void am_post_softmax(const float *x, int64_t count, int64_t step, float *out)
{
    float largest = x[0];
    double total = 0.0;
    for (int64_t i = 0; i < count; i++) largest = x[i * step] > largest ? x[i * step] : largest;
    for (int64_t i = 0; i < count; i++) total += exp((double)(x[i * step] - largest));
    for (int64_t i = 0; i < count; i++) out[i * step] = (float)(exp((double)(x[i * step] - largest)) / total);
}

int64_t am_post_largest(const float *x, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        if (x[i] > x[best] || (isnan(x[i]) && !isnan(x[best]))) best = i;
    return best;
}

void am_post_largest_channel(const float *x, int64_t channels, int64_t plane, int64_t *out)
{
    for (int64_t i = 0; i < plane; i++) {
        int64_t best = 0;
        for (int64_t c = 1; c < channels; c++) {
            float value = x[c * plane + i], most = x[best * plane + i];
            if (value > most || (isnan(value) && !isnan(most))) best = c;
        }
        out[i] = best;
    }
}

/* --- the largest values --- */

/* Whether value a comes before value b: NaN first. */
static bool comes_before(const float *x, int64_t a, int64_t b)
{
    return (isnan(x[a]) && !isnan(x[b])) || x[a] > x[b];
}

static void swap(int64_t *a, int64_t *b)
{
    int64_t kept = *a;
    *a = *b;
    *b = kept;
}

static void sort_by_insertion(const float *x, int64_t *first, int64_t *last)
{
    for (int64_t *i = first; i < last; i++) {
        int64_t moved = *i, *at = i;
        for (; at > first && comes_before(x, moved, at[-1]); at--) *at = at[-1];
        *at = moved;
    }
}

static void median_to_first(const float *x, int64_t *to, int64_t *a, int64_t *b, int64_t *c)
{
    int64_t *median;
    if (comes_before(x, *a, *b)) median = comes_before(x, *b, *c) ? b : comes_before(x, *a, *c) ? c : a;
    else median = comes_before(x, *a, *c) ? a : comes_before(x, *b, *c) ? c : b;
    swap(to, median);
}

/* Hoare's partition of first + 1 to last around *first, which bounds both searches. */
static int64_t *partition(const float *x, int64_t *first, int64_t *last)
{
    int64_t *low = first + 1, *high = last;
    median_to_first(x, first, first + 1, first + (last - first) / 2, last - 1);
    for (;;) {
        while (comes_before(x, *low, *first)) low++;
        high--;
        while (comes_before(x, *first, *high)) high--;
        if (low >= high) return low;
        swap(low, high);
        low++;
    }
}

/* No depth limit: what it saves from, quadratic time, needs values made for it. */
static void select_nth(const float *x, int64_t *first, int64_t *nth, int64_t *last)
{
    while (last - first > 3) {
        int64_t *cut = partition(x, first, last);
        if (cut <= nth) first = cut;
        else last = cut;
    }
    sort_by_insertion(x, first, last);
}

typedef struct ranked {
    float value;
    int64_t index;
} ranked;

static int by_value(const void *a, const void *b)
{
    const ranked *p = a, *q = b;
    bool is_first = (isnan(p->value) && !isnan(q->value)) || p->value > q->value,
         is_last = (isnan(q->value) && !isnan(p->value)) || q->value > p->value;
    return is_first ? -1 : is_last ? 1 : (p->index > q->index) - (p->index < q->index);
}

static am_status sort_values(const float *x, int64_t count, int64_t *order)
{
    ranked *rows = am_alloc_zeroed((size_t)count + 1, sizeof *rows);
    if (!rows) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) rows[i] = (ranked){x[i], i};
    qsort(rows, (size_t)count, sizeof *rows, by_value);
    for (int64_t i = 0; i < count; i++) order[i] = rows[i].index;
    am_free(rows);
    return NULL;
}

am_status am_post_top(const float *x, int64_t count, int64_t top, bool is_sorted, int64_t *order)
{
    if (is_sorted || top * 64 <= count) return sort_values(x, count, order);
    for (int64_t i = 0; i < count; i++) order[i] = i;
    if (top > 0) select_nth(x, order, order + top - 1, order + count);
    return NULL;
}

double am_post_round6(float x)
{
    char text[64];
    snprintf(text, sizeof text, "%.6f", (double)x);
    return strtod(text, NULL);
}

/* --- resizing --- */

/* Where pixel i of `out` lies in `in`. */
static int64_t nearest(int64_t i, int64_t in, int64_t out)
{
    float scale = (float)in / (float)out;
    int64_t at = (int64_t)floorf((float)i * scale);
    return at < in ? at : in - 1;
}

static void resize_nearest(const float *x, int64_t channels, am_plane_size from, am_plane_size to, float *out)
{
    for (int64_t c = 0; c < channels; c++, x += from.height * from.width)
        for (int64_t row = 0; row < to.height; row++) {
            const float *line = x + nearest(row, from.height, to.height) * from.width;
            for (int64_t column = 0; column < to.width; column++) *out++ = line[nearest(column, from.width, to.width)];
        }
}

am_status am_post_resize(const float *x, int64_t channels, am_plane_size from, am_plane_size to,
                         am_post_resize_mode mode, float *out)
{
    switch (mode) {
    case AM_POST_NEAREST:
        resize_nearest(x, channels, from, to, out);
        return NULL;
    case AM_POST_NEAREST_EXACT:
        return am_resize_torch_f32(x, channels, from, to, AM_RESAMPLE_NEAREST, false, out);
    case AM_POST_BILINEAR:
        return am_resize_torch_f32(x, channels, from, to, AM_RESAMPLE_BILINEAR, false, out);
    case AM_POST_BICUBIC:
        return am_resize_torch_f32(x, channels, from, to, AM_RESAMPLE_BICUBIC, false, out);
    case AM_POST_CORNERS:
        return am_resize_align_corners(x, channels, from, to, AM_RESAMPLE_BILINEAR, out);
    case AM_POST_ANTIALIASED:
        return am_resize_torch_f32(x, channels, from, to, AM_RESAMPLE_BILINEAR, true, out);
    }
    return am_error(AM_INTERNAL, "resize mode %d", (int)mode);
}

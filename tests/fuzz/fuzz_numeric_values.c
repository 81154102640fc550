/* Any bytes as a text that may hold numbers and dates: values are finite, parts of dates in their ranges. */
#include "text/numeric_values.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const am_numeric_value *v)
{
    const double *parts = v->parts;
    if (!isfinite(parts[0])) abort();
    if (!v->is_date) return;
    if (parts[0] != 0 && (parts[0] < 1700 || parts[0] > 2016)) abort();
    if (parts[1] < 0 || parts[1] > 12 || parts[2] < 0 || parts[2] > 31) abort();
    if (parts[0] == 0 && parts[1] == 0 && parts[2] == 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_arena arena = {0};
    am_numeric_values found;
    am_status status = am_numeric_values_find((const char *)data, size, &arena, &found);
    for (size_t i = 0; !status && i < found.count; i++) check(&found.items[i]);
    if (!status && found.count && am_text_says_nothing((const char *)data, size)) abort();
    am_status_free(status);
    am_arena_deinit(&arena);
    return 0;
}

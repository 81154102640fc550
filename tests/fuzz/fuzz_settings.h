/* For fuzzers of processors under any settings: whether these ask for more than a fuzzer has time for. */
#ifndef AM_FUZZ_SETTINGS_H
#define AM_FUZZ_SETTINGS_H

#include "base/json.h"
#include "media/image.h"

#include <stdlib.h>
#include <string.h>

/* What asks for more memory than this gets none. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "max_allocation_size_mb=64";
}

/* Sides and counts, and what counts pixels in some classes. */
enum { FUZZ_MOST_SETTING = 400, FUZZ_MOST_PIXELS = 60000 };

static inline bool fuzz_is_of_pixels(const char *key)
{
    static const char *const keys[] = {"shortest_edge", "longest_edge", "min_pixels", "max_pixels"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0) return true;
    return false;
}

/* Whether all numbers in the value are small; `most` is that of its key. */
static inline bool fuzz_is_small(am_json value, double most)
{
    double number = am_json_real(value, 0.0);
    bool is_object = am_json_kind_of(value) == AM_JSON_OBJECT;
    if (!(number <= most && number >= -most)) return false;
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);)
        if (!fuzz_is_small(i.value, is_object && fuzz_is_of_pixels(i.key.bytes) ? FUZZ_MOST_PIXELS : FUZZ_MOST_SETTING))
            return false;
    return true;
}

static inline void fuzz_draw(int64_t height, int64_t width, unsigned seed, am_image *out)
{
    if (am_image_create(width, height, out)) abort();
    for (int64_t i = 0; i < height * width * 3; i++) out->pixels[i] = (uint8_t)(i * 7 + i / 3 * 13 + seed);
}

#endif

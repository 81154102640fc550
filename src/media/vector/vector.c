#include "media/vector/vector.h"

#include "media_isas.h" /* generated: AM_MEDIA_ISAS(ROW) is ROW(sse2) ROW(avx2) .., the plainest first */

#include <stdbool.h>
#include <stddef.h>

#define DECLARE(isa)                                                                                                   \
    extern const am_picture_routines am_picture_routines_##isa;                                                        \
    extern const am_spectrum_routines am_spectrum_routines_##isa;
AM_MEDIA_ISAS(DECLARE)

#if defined(__x86_64__)
static bool runs_sse2(void)
{
    return true;
}

static bool runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool runs_avx512(void)
{
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
#elif defined(__aarch64__)
static bool runs_neon(void)
{
    return true;
}
#else
static bool runs_plain(void)
{
    return true;
}
#endif

const am_media_vector *am_media_vector_at(int index)
{
#define ROW(isa) {{#isa, &am_picture_routines_##isa, &am_spectrum_routines_##isa}, runs_##isa},
    static const struct {
        am_media_vector tables;
        bool (*runs)(void);
    } rows[] = {AM_MEDIA_ISAS(ROW)};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].runs() && index-- == 0) return &rows[i].tables;
    return NULL;
}

const am_media_vector *am_media_vector_best(void)
{
    const am_media_vector *best = am_media_vector_at(0), *next;
    for (int i = 1; (next = am_media_vector_at(i)); i++) best = next;
    return best;
}

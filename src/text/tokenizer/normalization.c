/* NFC, NFD, NFKC and NFKD (Unicode Standard Annex 15) with, for each code point, how many it stands for.
   Decompositions and classes are utf8proc's, without those that the library's older tables lack. */
#include "text/tokenizer/internal.h"

#include <utf8proc.h>

/* A code point of the result. change: as in am_rewrite_put. */
typedef struct part {
    uint32_t c;
    int change;
    uint8_t class;
} part;

enum { LONGEST_DECOMPOSITION = 18, SORT_BY_COUNTING = 24 };

static uint8_t combining_class(uint32_t c)
{
    if (c < 0x300 || am_char_is_inert(c)) return 0;
    return (uint8_t)utf8proc_get_property((utf8proc_int32_t)c)->combining_class;
}

static size_t decompose(uint32_t c, bool compatible, uint32_t out[LONGEST_DECOMPOSITION])
{
    int boundary = UTF8PROC_BOUNDCLASS_START;
    int options = UTF8PROC_DECOMPOSE | UTF8PROC_STABLE | (compatible ? UTF8PROC_COMPAT : 0);
    utf8proc_int32_t parts[LONGEST_DECOMPOSITION];
    utf8proc_ssize_t count = 0;
    if (c >= 0xA0 && !am_char_is_inert(c))
        count = utf8proc_decompose_char((utf8proc_int32_t)c, parts, LONGEST_DECOMPOSITION, (utf8proc_option_t)options,
                                        &boundary);
    if (count < 1 || count > LONGEST_DECOMPOSITION) return out[0] = c, 1;
    for (utf8proc_ssize_t i = 0; i < count; i++) out[i] = (uint32_t)parts[i];
    return (size_t)count;
}

/* The primary composite of two code points, or 0. */
static uint32_t compose(uint32_t a, uint32_t b)
{
    utf8proc_int32_t pair[3] = {(utf8proc_int32_t)a, (utf8proc_int32_t)b, 0};
    if (utf8proc_normalize_utf32(pair, 2, UTF8PROC_COMPOSE | UTF8PROC_STABLE) != 1) return 0;
    return am_char_is_inert((uint32_t)pair[0]) ? 0 : (uint32_t)pair[0];
}

/* Sorts by class, equal ones staying in order. Long runs, which only hostile text has, take linear time. */
static void sort_run(am_scratch *s, part *run, size_t count)
{
    if (count < SORT_BY_COUNTING) {
        for (size_t i = 1; i < count; i++) {
            part moved = run[i];
            size_t at = i;
            for (; at > 0 && run[at - 1].class > moved.class; at--) run[at] = run[at - 1];
            run[at] = moved;
        }
        return;
    }
    size_t starts[257] = {0};
    part *sorted = am_scratch_work(s, 1, count, sizeof *sorted);
    if (!sorted) return;
    for (size_t i = 0; i < count; i++) starts[run[i].class + 1]++;
    for (size_t class = 1; class < 256; class ++) starts[class] += starts[class - 1];
    for (size_t i = 0; i < count; i++) sorted[starts[run[i].class]++] = run[i];
    memcpy(run, sorted, count * sizeof *run);
}

static void sort_marks(am_scratch *s, part *parts, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end < count && parts[end].class != 0) end++;
        if (end - i > 1) sort_run(s, parts + i, end - i);
        i = end + 1;
    }
}

/* Decomposes the piece into work array 0, in canonical order. Returns the number of parts. */
static size_t decompose_piece(am_scratch *s, const am_piece *piece, bool compatible)
{
    size_t count = 0;
    for (uint32_t at = 0, length; at < piece->length; at += length) {
        uint32_t parts[LONGEST_DECOMPOSITION];
        size_t more = decompose(am_char_at(piece->text + at, &length), compatible, parts);
        part *out = am_scratch_work(s, 0, count + more, sizeof *out);
        if (!out) return 0;
        for (size_t i = 0; i < more; i++)
            out[count++] = (part){.c = parts[i], .change = i > 0, .class = combining_class(parts[i])};
    }
    if (count) sort_marks(s, s->work[0], count);
    return count;
}

/* Composes in place; returns how many parts are left. A mark is blocked from its starter by one of the same
   or a higher class between. */
static size_t compose_parts(part *parts, size_t count)
{
    size_t out = 0, starter = SIZE_MAX;
    int last_class = -1;
    for (size_t i = 0; i < count; i++) {
        part next = parts[i];
        bool free = starter != SIZE_MAX && last_class < (int)next.class;
        uint32_t composite = free ? compose(parts[starter].c, next.c) : 0;
        if (composite) {
            parts[starter].c = composite;
            parts[starter].change += next.change - 1;
            continue;
        }
        if (next.class == 0) starter = out, last_class = -1;
        else if (starter != SIZE_MAX) last_class = next.class;
        parts[out++] = next;
    }
    return out;
}

/* Whether every code point stays as it is whatever stands beside it. */
static bool is_stable(const am_piece *piece, bool compatible, bool composed)
{
    if (!composed) return am_text_is_ascii(piece->text, piece->length);
    uint32_t length, first = compatible ? 0xA0 : 0x300;
    for (uint32_t at = 0; at < piece->length; at += length) {
        uint32_t c = am_char_at(piece->text + at, &length);
        if (c >= first && !am_char_is_stable(c, compatible)) return false;
    }
    return true;
}

void am_piece_normalize(am_scratch *s, am_piece *piece, bool compatible, bool composed)
{
    if (is_stable(piece, compatible, composed) && !am_piece_starts_without_source(piece)) return;
    size_t count = decompose_piece(s, piece, compatible);
    if (s->failed) return;
    part *parts = s->work[0];
    if (composed) count = compose_parts(parts, count);
    am_rewrite r = am_rewrite_begin(s, piece, 0);
    for (size_t i = 0; i < count; i++) am_rewrite_put(&r, parts[i].c, parts[i].change);
    am_rewrite_end(&r, piece);
}

/* Parts of a text under way, with the way back to the original for every byte. */
#include "text/tokenizer/internal.h"

#include "base/utf8.h"

am_text_range am_piece_range(const am_piece *piece, uint32_t at)
{
    if (piece->ranges) return piece->ranges[at];
    while (!am_is_char_start(piece->text[at])) at--;
    uint32_t start = piece->original_start + at;
    return (am_text_range){start, start + am_char_length(piece->text[at])};
}

am_piece am_piece_slice(const am_piece *piece, uint32_t start, uint32_t end)
{
    am_piece slice = *piece;
    slice.text += start;
    slice.length = end - start;
    slice.original_start += start;
    slice.original_length = end - start;
    if (piece->ranges && start < end) {
        slice.original_start = piece->ranges[start].start;
        slice.original_length = piece->ranges[end - 1].end - slice.original_start;
    }
    if (piece->ranges) slice.ranges += start;
    return slice;
}

/* ---- splitting ---- */

/* Joins each match with the stretch before it. */
static void merge_with_previous(am_scratch *s)
{
    size_t kept = 0;
    bool previous = false;
    for (size_t i = 0; i < s->match_count; i++) {
        am_match match = s->matches[i];
        if (match.matched && !previous && kept) s->matches[kept - 1].end = match.end;
        else s->matches[kept++] = match;
        previous = match.matched;
    }
    s->match_count = kept;
}

/* The same from behind, filling the array from its end. */
static void merge_with_next(am_scratch *s)
{
    size_t count = s->match_count, first = count;
    bool previous = false;
    for (size_t i = count; i-- > 0;) {
        am_match match = s->matches[i];
        if (match.matched && !previous && first < count) s->matches[first].start = match.start;
        else s->matches[--first] = match;
        previous = match.matched;
    }
    memmove(s->matches, s->matches + first, (count - first) * sizeof *s->matches);
    s->match_count = count - first;
}

static void merge_contiguous(am_scratch *s)
{
    size_t kept = 0;
    bool previous = false;
    for (size_t i = 0; i < s->match_count; i++) {
        am_match match = s->matches[i];
        if (match.matched == previous && kept) s->matches[kept - 1].end = match.end;
        else s->matches[kept++] = match;
        previous = match.matched;
    }
    s->match_count = kept;
}

void am_piece_split(am_scratch *s, const am_piece *piece, am_split_behavior behavior)
{
    if (s->failed || s->match_count == 0) return;
    if (behavior == AM_SPLIT_MERGED_WITH_PREVIOUS) merge_with_previous(s);
    if (behavior == AM_SPLIT_MERGED_WITH_NEXT) merge_with_next(s);
    if (behavior == AM_SPLIT_CONTIGUOUS) merge_contiguous(s);
    for (size_t i = 0; i < s->match_count; i++) {
        am_match match = s->matches[i];
        if (match.start < match.end && !(match.matched && behavior == AM_SPLIT_REMOVED))
            am_scratch_add_piece(s, am_piece_slice(piece, match.start, match.end));
    }
}

void am_piece_match_chars(am_scratch *s, const am_piece *piece, bool (*is)(uint32_t))
{
    uint32_t last = 0;
    s->match_count = 0;
    for (uint32_t at = 0, length; at < piece->length; at += length) {
        uint32_t c = am_char_at(piece->text + at, &length);
        if (!is(c)) continue;
        if (last < at) am_scratch_add_match(s, last, at, false);
        am_scratch_add_match(s, at, at + length, true);
        last = at + length;
    }
    if (last < piece->length) am_scratch_add_match(s, last, piece->length, false);
}

void am_piece_match_char(am_scratch *s, const am_piece *piece, uint32_t c)
{
    char bytes[4];
    uint32_t length = (uint32_t)am_utf8_put(c, bytes), last = 0;
    s->match_count = 0;
    for (uint32_t at = 0; length && at + length <= piece->length;) {
        const char *found = memchr(piece->text + at, bytes[0], piece->length - at - length + 1);
        if (!found) break;
        at = (uint32_t)(found - piece->text);
        if (memcmp(found, bytes, length) != 0) {
            at++;
            continue;
        }
        if (last < at) am_scratch_add_match(s, last, at, false);
        last = at + length;
        am_scratch_add_match(s, at, last, true);
        at = last;
    }
    if (last < piece->length) am_scratch_add_match(s, last, piece->length, false);
}

/* ---- rewriting ---- */

bool am_piece_starts_without_source(const am_piece *piece)
{
    if (piece->original_length == 0) return true;
    return piece->ranges && piece->length && piece->ranges[0].start == piece->ranges[0].end;
}

/* Makes room for `length` more bytes of text and their ranges. */
static bool make_room(am_scratch *s, size_t length)
{
    size_t need = s->text_length + length;
    if (need > s->text_limit && !s->failed) am_scratch_overflow(s);
    return (need <= s->text_capacity || am_scratch_reserve(s, &s->text, &s->text_capacity, need, 1)) &&
           (need <= s->range_capacity ||
            am_scratch_reserve(s, &s->ranges, &s->range_capacity, need, sizeof *s->ranges));
}

static void write_bytes(am_scratch *s, const char *bytes, uint32_t length, am_text_range range)
{
    if (!make_room(s, length)) return;
    for (uint32_t i = 0; i < length; i++) {
        s->text[s->text_length] = bytes[i];
        s->ranges[s->text_length++] = range;
    }
}

/* Copies [start, end) of the piece as it is. */
static void write_part(am_scratch *s, const am_piece *piece, uint32_t start, uint32_t end)
{
    if (start >= end || !make_room(s, end - start)) return;
    am_text_range *ranges = s->ranges + s->text_length;
    memcpy(s->text + s->text_length, piece->text + start, end - start);
    s->text_length += end - start;
    if (piece->ranges) {
        memcpy(ranges, piece->ranges + start, (end - start) * sizeof *ranges);
        return;
    }
    for (uint32_t at = start; at < end;) {
        uint32_t length = am_char_length(piece->text[at]), from = piece->original_start + at;
        for (uint32_t stop = at + length; at < stop; at++) *ranges++ = (am_text_range){from, from + length};
    }
}

static void skip_chars(am_rewrite *r, size_t count)
{
    while (count-- > 0 && r->next < r->end) r->next += am_char_length(r->piece.text[r->next]);
}

am_rewrite am_rewrite_begin(am_scratch *s, const am_piece *piece, size_t removed)
{
    am_rewrite r = {.scratch = s, .piece = *piece, .end = piece->original_length ? piece->length : 0};
    uint32_t kept = 0;
    s->text_length = 0;
    while (piece->ranges && kept < r.end && piece->ranges[kept].start == piece->ranges[kept].end) kept++;
    write_part(s, piece, 0, kept);
    r.next = kept;
    skip_chars(&r, removed);
    return r;
}

void am_rewrite_put(am_rewrite *r, uint32_t c, int change)
{
    char bytes[4];
    const am_piece *piece = &r->piece;
    am_text_range range = {piece->original_start, piece->original_start};
    uint32_t source = change > 0 ? r->next - 1 : r->next;
    if (change > 0 ? r->next > 0 : piece->length > 0)
        range = am_piece_range(piece, source < piece->length ? source : piece->length - 1);
    write_bytes(r->scratch, bytes, (uint32_t)am_utf8_put(c, bytes), range);
    if (change <= 0) skip_chars(r, 1 + (size_t)-change);
}

void am_rewrite_end(am_rewrite *r, am_piece *piece)
{
    am_scratch *s = r->scratch;
    write_part(s, &r->piece, r->end, r->piece.length);
    char *text = am_scratch_alloc(s, s->text_length, 1);
    am_text_range *ranges = am_scratch_alloc(s, s->text_length, sizeof *ranges);
    if (!text || !ranges) return;
    if (s->text_length) memcpy(text, s->text, s->text_length);
    if (s->text_length) memcpy(ranges, s->ranges, s->text_length * sizeof *ranges);
    piece->text = text;
    piece->ranges = ranges;
    piece->length = (uint32_t)s->text_length;
}

/* A copy of the text that may be changed byte by byte, where the ranges stay; null after a failure. */
static char *writable_copy(am_scratch *s, am_piece *piece)
{
    char *text = am_scratch_alloc(s, piece->length, 1);
    if (!text) return NULL;
    memcpy(text, piece->text, piece->length);
    piece->text = text;
    return text;
}

void am_piece_filter(am_scratch *s, am_piece *piece, bool (*keep)(uint32_t))
{
    uint32_t length, first_removed = 0;
    while (first_removed < piece->length && keep(am_char_at(piece->text + first_removed, &length)))
        first_removed += length;
    if (first_removed == piece->length && !am_piece_starts_without_source(piece)) return;

    size_t removed = 0;
    uint32_t at = 0;
    for (; at < piece->length && !keep(am_char_at(piece->text + at, &length)); at += length) removed++;
    am_rewrite r = am_rewrite_begin(s, piece, removed);
    while (at < piece->length) {
        uint32_t c = am_char_at(piece->text + at, &length);
        int change = 0;
        for (at += length; at < piece->length && !keep(am_char_at(piece->text + at, &length)); at += length) change--;
        am_rewrite_put(&r, c, change);
    }
    am_rewrite_end(&r, piece);
}

void am_piece_map(am_scratch *s, am_piece *piece, uint32_t (*map)(uint32_t))
{
    if (am_text_is_ascii(piece->text, piece->length) && !am_piece_starts_without_source(piece)) {
        char *text = writable_copy(s, piece);
        for (uint32_t i = 0; text && i < piece->length; i++) text[i] = (char)map((unsigned char)text[i]);
        return;
    }
    am_rewrite r = am_rewrite_begin(s, piece, 0);
    for (uint32_t at = 0, length; at < piece->length; at += length)
        am_rewrite_put(&r, map(am_char_at(piece->text + at, &length)), 0);
    am_rewrite_end(&r, piece);
}

void am_piece_lowercase(am_scratch *s, am_piece *piece)
{
    if (am_text_is_ascii(piece->text, piece->length)) {
        am_piece_map(s, piece, am_char_lower);
        return;
    }
    am_rewrite r = am_rewrite_begin(s, piece, 0);
    for (uint32_t at = 0, length; at < piece->length; at += length) {
        uint32_t c = am_char_at(piece->text + at, &length);
        am_rewrite_put(&r, am_char_lower(c), 0);
        if (c == 0x130) am_rewrite_put(&r, 0x307, 1);
    }
    am_rewrite_end(&r, piece);
}

void am_piece_prepend(am_scratch *s, am_piece *piece, am_text text)
{
    if (piece->length == 0) return;
    am_rewrite r = {.scratch = s, .piece = *piece, .end = piece->length};
    uint32_t first = am_char_length(piece->text[0]);
    am_text_range range = am_piece_range(piece, 0);
    s->text_length = 0;
    write_bytes(s, text.bytes, (uint32_t)text.length, range);
    if (text.length == 0) range = (am_text_range){piece->original_start, piece->original_start};
    write_bytes(s, piece->text, first, range);
    r.end = first;
    am_rewrite_end(&r, piece);
}

void am_piece_replace(am_scratch *s, am_piece *piece, am_text content)
{
    bool any = false;
    for (size_t i = 0; i < s->match_count; i++) any |= s->matches[i].matched;
    if (!any || s->failed) return;
    am_rewrite r = {.scratch = s, .piece = *piece, .end = piece->length};
    s->text_length = 0;
    for (size_t i = 0; i < s->match_count; i++) {
        am_match match = s->matches[i];
        am_text_range range = {piece->original_start, piece->original_start};
        if (match.end > 0) range = am_piece_range(piece, match.end - 1);
        if (match.matched) write_bytes(s, content.bytes, (uint32_t)content.length, range);
        else write_part(s, piece, match.start, match.end);
    }
    am_rewrite_end(&r, piece);
}

void am_piece_strip(am_scratch *s, am_piece *piece, bool left, bool right)
{
    uint32_t start = 0, end = piece->length, length, leading = 0;
    for (; left && start < end && am_char_is_whitespace(am_char_at(piece->text + start, &length)); start += length)
        leading++;
    while (right && end > start &&
           am_char_is_whitespace(am_char_at(piece->text + am_char_before(piece->text, end), &length)))
        end -= length;
    if (start == 0 && end == piece->length) return;
    am_rewrite r = am_rewrite_begin(s, piece, leading);
    for (uint32_t at = start; at < end; at += length) am_rewrite_put(&r, am_char_at(piece->text + at, &length), 0);
    am_rewrite_end(&r, piece);
}

/* ---- bytes as characters ---- */

uint32_t am_byte_level_char(unsigned char byte)
{
    if (byte <= 0x20) return 0x100u + byte;
    if (byte >= 0x7F && byte <= 0xA0) return 0x121u + (byte - 0x7Fu);
    return byte == 0xAD ? 0x143 : byte;
}

int am_byte_level_byte(uint32_t c)
{
    if (c >= 0x100 && c <= 0x120) return (int)c - 0x100;
    if (c >= 0x121 && c <= 0x142) return (int)c - 0x121 + 0x7F;
    if (c == 0x143) return 0xAD;
    return (c > 0x20 && c < 0x7F) || (c > 0xA0 && c <= 0xFF && c != 0xAD) ? (int)c : -1;
}

static void byte_level_by_rewrite(am_scratch *s, am_piece *piece)
{
    am_rewrite r = am_rewrite_begin(s, piece, 0);
    for (uint32_t at = 0; at < piece->length; at++)
        am_rewrite_put(&r, am_byte_level_char((unsigned char)piece->text[at]),
                       am_is_char_start(piece->text[at]) ? 0 : 1);
    am_rewrite_end(&r, piece);
}

/* One byte becomes one or two; what counts is speed: every byte of every text for GPT-like models passes
 * here. */
void am_piece_byte_level(am_scratch *s, am_piece *piece)
{
    if (am_piece_starts_without_source(piece)) {
        byte_level_by_rewrite(s, piece);
        return;
    }
    char *text = am_scratch_alloc(s, (size_t)piece->length * 2, 1);
    am_text_range *ranges = am_scratch_alloc(s, (size_t)piece->length * 2, sizeof *ranges);
    if (!text || !ranges) return;
    uint32_t out = 0;
    am_text_range range = {0};
    for (uint32_t at = 0; at < piece->length; at++) {
        unsigned char byte = (unsigned char)piece->text[at];
        if (am_is_char_start(piece->text[at])) range = am_piece_range(piece, at);
        ranges[out] = range;
        if (byte > 0x20 && byte < 0x7F) {
            text[out++] = (char)byte;
            continue;
        }
        uint32_t c = am_byte_level_char(byte);
        text[out++] = (char)(0xC0 | c >> 6);
        ranges[out] = range;
        text[out++] = (char)(0x80 | (c & 0x3F));
    }
    piece->text = text;
    piece->ranges = ranges;
    piece->length = out;
}

/* sentencepiece's normalization: a double-array trie (Darts-clone) from texts to places in a block of
   replacements, each ended by a zero byte. As in the library, a grapheme of under 6 bytes is replaced whole
   when a prefix of it is known. */
#include "text/tokenizer/internal.h"

#include "base/utf8.h"

#include <utf8proc.h>

struct am_precompiled {
    const uint32_t *units;
    size_t unit_count;
    const char *replacements;
    size_t replacements_length;
    bool ascii_changes[128];
};

enum { LONGEST_GRAPHEME = 5 };

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t am_base64_decode(am_text text, char *out)
{
    size_t length = 0;
    uint32_t bits = 0;
    if (text.length % 4 != 0) return SIZE_MAX;
    for (size_t i = 0; i < text.length; i++) {
        bool padding = text.bytes[i] == '=' && i + 2 >= text.length && text.bytes[text.length - 1] == '=';
        int value = padding ? 0 : base64_value(text.bytes[i]);
        if (value < 0) return SIZE_MAX;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 3)
            for (int shift = 16; shift >= 0; shift -= 8) out[length++] = (char)(bits >> shift);
    }
    while (text.length && text.bytes[text.length - 1] == '=') text.length--, length--;
    return length;
}

static uint32_t little_endian(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t unit_offset(uint32_t unit)
{
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

/* The replacement of the shortest, or the longest, known prefix of `key`; *used bytes of it. False when there is
   none. */
static bool find_prefix(const am_precompiled *p, const char *key, size_t length, bool longest, am_text *out,
                        size_t *used)
{
    size_t at = 0;
    uint32_t unit = p->unit_count ? p->units[0] : 0;
    bool found = false;
    at ^= unit_offset(unit);
    for (size_t i = 0; i < length && key[i]; i++) {
        unsigned char byte = (unsigned char)key[i];
        at ^= byte;
        if (at >= p->unit_count) return found;
        unit = p->units[at];
        if ((unit & (1u << 31 | 0xFF)) != byte) return found;
        at ^= unit_offset(unit);
        if (!(unit >> 8 & 1)) continue;
        if (longest && i + 1 < length && !am_is_char_start(key[i + 1])) continue; /* a damaged map has parts of one */
        size_t start = at < p->unit_count ? p->units[at] & ~(1u << 31) : SIZE_MAX;
        if (start > p->replacements_length) return found;
        if (start < p->replacements_length && !am_is_char_start(p->replacements[start])) return found;
        *out = (am_text){p->replacements + start, strnlen(p->replacements + start, p->replacements_length - start)};
        *used = i + 1;
        found = true;
        if (!longest) return true;
    }
    return found;
}

static bool find(const am_precompiled *p, const char *key, size_t length, am_text *out)
{
    size_t used;
    return find_prefix(p, key, length, false, out, &used);
}

bool am_precompiled_longest(const am_precompiled *precompiled, am_text text, am_text *out, size_t *used)
{
    return find_prefix(precompiled, text.bytes, text.length, true, out, used);
}

am_status am_precompiled_create(const am_loader *loader, am_text map, am_precompiled **out)
{
    am_precompiled *p = am_arena_alloc(loader->arena, sizeof *p);
    const unsigned char *bytes = (const unsigned char *)map.bytes;
    if (!p) return am_out_of_memory();
    size_t length = map.length, bad = 0;
    uint32_t trie_bytes = length < 4 ? UINT32_MAX : little_endian(bytes);
    if (trie_bytes == UINT32_MAX || trie_bytes / 4 > (length - 4) / 4)
        return am_error(AM_INVALID_FILE, "%s: normalizer.precompiled_charsmap: not a character map", loader->name);
    p->unit_count = trie_bytes / 4;
    uint32_t *units = am_arena_array(loader->arena, p->unit_count + 1, sizeof *units);
    if (!units) return am_out_of_memory();
    for (size_t i = 0; i < p->unit_count; i++) units[i] = little_endian(bytes + 4 + i * 4);
    p->units = units;
    p->replacements = (const char *)bytes + 4 + p->unit_count * 4;
    p->replacements_length = length - 4 - p->unit_count * 4;
    if (!am_utf8_valid(p->replacements, p->replacements_length, &bad))
        return am_error(AM_INVALID_FILE,
                        "%s: normalizer.precompiled_charsmap: byte %zu of the replacements is no UTF-8", loader->name,
                        bad);
    am_text unused;
    for (char c = 0; c >= 0 && c < 127; c++) p->ascii_changes[(int)c] = find(p, &c, 1, &unused);
    char last = 127;
    p->ascii_changes[127] = find(p, &last, 1, &unused);
    *out = p;
    return NULL;
}

am_status am_precompiled_parse(const am_loader *loader, am_text base64, am_precompiled **out)
{
    char *bytes = am_arena_alloc(loader->arena, base64.length + 4);
    if (!bytes) return am_out_of_memory();
    size_t length = am_base64_decode(base64, bytes);
    if (length == SIZE_MAX)
        return am_error(AM_INVALID_FILE, "%s: normalizer.precompiled_charsmap: not base 64", loader->name);
    return am_precompiled_create(loader, (am_text){bytes, length}, out);
}

/* The rewrite with its last code point held back, because what is removed next is added to its change. */
typedef struct writer {
    am_rewrite rewrite;
    uint32_t c;
    int change;
    bool pending;
} writer;

static void write_char(writer *w, uint32_t c, int change)
{
    if (w->pending) am_rewrite_put(&w->rewrite, w->c, w->change);
    w->c = c, w->change = change, w->pending = true;
}

static void write_replacement(writer *w, const char *old, uint32_t old_length, am_text text)
{
    int old_count = (int)am_utf8_count(old, old_length), count = (int)am_utf8_count(text.bytes, text.length);
    int i = 0;
    for (uint32_t at = 0, length; at < text.length; at += length, i++)
        write_char(w, am_char_at(text.bytes + at, &length), i < old_count ? 0 : 1);
    if (count < old_count && w->pending) w->change += count - old_count;
}

/* End of the grapheme cluster that starts at `at`. */
static uint32_t grapheme_end(const am_piece *piece, uint32_t at)
{
    utf8proc_int32_t state = 0;
    uint32_t length, c = am_char_at(piece->text + at, &length);
    for (at += length; at < piece->length; at += length) {
        uint32_t next = am_char_at(piece->text + at, &length);
        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)c, (utf8proc_int32_t)next, &state)) break;
        c = next;
    }
    return at;
}

static bool changes(const am_precompiled *p, const am_piece *piece)
{
    for (uint32_t i = 0; i < piece->length; i++) {
        unsigned char byte = (unsigned char)piece->text[i];
        if (byte >= 0x80 || p->ascii_changes[byte]) return true;
    }
    return false;
}

void am_precompiled_apply(const am_precompiled *p, am_scratch *s, am_piece *piece)
{
    if (!changes(p, piece)) return;
    writer w = {.rewrite = am_rewrite_begin(s, piece, 0)};
    bool modified = false;
    for (uint32_t at = 0, end, length; at < piece->length; at = end) {
        am_text text;
        end = grapheme_end(piece, at);
        if (end - at <= LONGEST_GRAPHEME && find(p, piece->text + at, end - at, &text)) {
            write_replacement(&w, piece->text + at, end - at, text);
            modified = true;
            continue;
        }
        for (; at < end; at += length) {
            uint32_t c = am_char_at(piece->text + at, &length);
            bool known = find(p, piece->text + at, length, &text);
            if (known) write_replacement(&w, piece->text + at, length, text);
            else write_char(&w, c, 0);
            modified |= known;
        }
    }
    if (w.pending) am_rewrite_put(&w.rewrite, w.c, w.change);
    if (modified) am_rewrite_end(&w.rewrite, piece);
}

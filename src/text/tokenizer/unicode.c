/* Properties of code points as the parts of the tokenizers library see them; its tables are of several
 * Unicode versions. */
#include "text/tokenizer/internal.h"
#include "text/tokenizer/script_tables.h"
#include "text/tokenizer/unicode_tables.h"

#include <utf8proc.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool in_ranges(uint32_t c, const uint32_t (*ranges)[2], size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle][1]) low = middle + 1;
        else high = middle;
    }
    return low < count && c >= ranges[low][0];
}

bool am_text_is_ascii(const char *text, size_t length)
{
    uint64_t any = 0, eight;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        memcpy(&eight, text + i, 8);
        any |= eight;
    }
    for (; i < length; i++) any |= (unsigned char)text[i];
    return !(any & 0x8080808080808080u);
}

bool am_char_is_chinese(uint32_t c)
{
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool am_char_is_whitespace(uint32_t c)
{
    if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

bool am_char_is_numeric(uint32_t c)
{
    if (c < 0x80) return c >= '0' && c <= '9';
    return in_ranges(c, numeric, COUNT(numeric));
}

bool am_char_is_punctuation(uint32_t c)
{
    if (c < 0x80) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
    return in_ranges(c, punctuation, COUNT(punctuation));
}

bool am_char_is_mark(uint32_t c)
{
    return c >= 0x300 && in_ranges(c, mark, COUNT(mark));
}

bool am_char_is_nonspacing(uint32_t c)
{
    return c >= 0x300 && in_ranges(c, mark_nonspacing, COUNT(mark_nonspacing));
}

bool am_char_is_bert_removed(uint32_t c)
{
    if (c >= 0x20 && c < 0x7F) return false;
    return in_ranges(c, bert_removed, COUNT(bert_removed));
}

bool am_char_is_word(uint32_t c)
{
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    return in_ranges(c, word, COUNT(word));
}

static const am_new_range *find_new(uint32_t c)
{
    size_t low = 0, high = COUNT(changed_after_14);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > changed_after_14[middle].last) low = middle + 1;
        else high = middle;
    }
    return low < COUNT(changed_after_14) && c >= changed_after_14[low].first ? &changed_after_14[low] : NULL;
}

bool am_char_is_younger(uint32_t c)
{
    const am_new_range *range = c >= 0x300 ? find_new(c) : NULL;
    return range && range->category[0];
}

bool am_char_is_inert(uint32_t c)
{
    const am_new_range *range = c >= 0x7FD ? find_new(c) : NULL;
    return c >= 0x7FD && (in_ranges(c, normalizer_inert, COUNT(normalizer_inert)) || (range && range->category[0]));
}

bool am_char_is_stable(uint32_t c, bool compatible)
{
    if (c >= 0x3400 && c < 0xA000) return true; /* ideographs; among them are symbols that are stable too */
    return !(compatible ? in_ranges(c, nfkc_unstable, COUNT(nfkc_unstable))
                        : in_ranges(c, nfc_unstable, COUNT(nfc_unstable)));
}

/* Cheap for scripts without case, which have none of them. */
static bool is_lowercase_exception(uint32_t c)
{
    return (c >= 0x1C89 && c < 0x1D00) || (c >= 0xA7CB && c < 0xA800) || (c >= 0x10D50 && c < 0x17000);
}

uint32_t am_char_lower(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c == 0x130) return 'i';
    if (is_lowercase_exception(c))
        for (size_t i = 0; i < COUNT(lowercase_exceptions); i++)
            if (lowercase_exceptions[i][0] == c) return lowercase_exceptions[i][1];
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
}

void am_char_upper_expansion(uint32_t c, uint32_t parts[3])
{
    for (size_t i = 0; c >= 0xDF && i < COUNT(upper_expansions); i++)
        if (upper_expansions[i][0] == c) memcpy(parts, upper_expansions[i] + 1, 3 * sizeof *parts);
}

uint8_t am_char_script(uint32_t c)
{
    size_t low = 0, high = COUNT(script_ranges);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > script_ranges[middle].last) low = middle + 1;
        else high = middle;
    }
    return low < COUNT(script_ranges) && c >= script_ranges[low].first ? script_ranges[low].script : 0;
}

bool am_char_new_range(size_t i, am_new_range *out)
{
    if (i < COUNT(changed_after_14)) *out = changed_after_14[i];
    return i < COUNT(changed_after_14);
}

bool am_text_has_new_chars(const char *text, size_t length, bool rare)
{
    for (size_t i = 0; i < length;) {
        if ((unsigned char)text[i] < 0xCD) { /* the first of them is U+0363 */
            i++;
            continue;
        }
        uint32_t bytes, c = am_char_at(text + i, &bytes);
        if (c == 0x180E || find_new(c)) return true; /* U+180E is white space for PCRE2 */
        if (rare && in_ranges(c, added_to_sets, COUNT(added_to_sets))) return true;
        i += bytes;
    }
    return false;
}

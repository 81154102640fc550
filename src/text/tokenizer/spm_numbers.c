/* EnglishNumberNormalizer of SpeechT5Tokenizer: numbers in a text become words. */
#include "text/tokenizer/spm_tokenizer.h"
#include "text/tokenizer/python_text.h"

#include "base/memory.h"

/* Currency signs in the order in which they are looked for in a number, and in the pattern that finds numbers. */
static const struct {
    am_text sign;
    const char *words;
} currencies[] = {
    {{"$", 1}, " dollars"},
    {{"\xe2\x82\xac", 3}, " euros"},
    {{"\xc2\xa3", 2}, " pounds"},
    {{"\xc2\xa2", 2}, " cents"},
    {{"\xc2\xa5", 2}, " japanese yen"},
    {{"\xef\xb7\xbc", 3}, " saudi riyal"},
    {{"\xe2\x82\xb9", 3}, " indian rupees"},
    {{"\xe2\x82\xbd", 3}, " russian rubles"},
    {{"\xe0\xb8\xbf", 3}, " thai baht"},
    {{"\xe2\x82\xba", 3}, " turkish liras"},
    {{"\xe2\x82\xb4", 3}, " ukrainian hryvnia"},
    {{"\xe2\x82\xa3", 3}, " swiss francs"},
    {{"\xe2\x82\xa1", 3}, " costa rican colon"},
    {{"\xe2\x82\xb1", 3}, " philippine peso"},
    {{"\xe2\x82\xaa", 3}, " israeli shekels"},
    {{"\xe2\x82\xae", 3}, " mongolian t\xc3\xb6gr\xc3\xb6g"},
    {{"\xe2\x82\xa9", 3}, " south korean won"},
    {{"\xe2\x82\xa6", 3}, " nigerian naira"},
    {{"\xe2\x82\xab", 3}, " vietnamese \xc4\x90\xe1\xbb\x93ng"},
};

enum { CURRENCIES = sizeof currencies / sizeof *currencies, RIYAL = 5, MOST_GROUPS = 12 };

/* ---- characters as Python's re sees them ---- */

static bool is_digit_at(am_text text, size_t at, uint32_t *length)
{
    if (at >= text.length) return false;
    return am_py_is_decimal(am_char_at(text.bytes + at, length));
}

static bool is_word_at(am_text text, size_t at)
{
    uint32_t length;
    return at < text.length && am_py_is_word(am_char_at(text.bytes + at, &length));
}

static bool is_word_before(am_text text, size_t at)
{
    return at > 0 && is_word_at(text, am_char_before(text.bytes, (uint32_t)at));
}

/* The end of at most `most` digits from `at` on. */
static size_t skip_digits(am_text text, size_t at, size_t most)
{
    for (uint32_t length; most > 0 && is_digit_at(text, at, &length); most--) at += length;
    return at;
}

static int digit_value(am_text text, size_t at, uint32_t *length)
{
    uint32_t c = am_char_at(text.bytes + at, length), zero = c;
    /* Decimal digits lie in tens; the zero of each is the first whose predecessor is none, or ten below. */
    while (c - zero < 9 && am_py_is_decimal(zero - 1)) zero--;
    if (c >= 0x1D7CE && c <= 0x1D7FF) return (int)((c - 0x1D7CE) % 10);
    return (int)(c - zero);
}

/* ---- words ---- */

static const char *const ones[] = {"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
static const char *const teens[] = {"",        "eleven",  "twelve",    "thirteen", "fourteen",
                                    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"",      "ten",   "twenty",  "thirty", "forty",
                                   "fifty", "sixty", "seventy", "eighty", "ninety"};
static const char *const thousands[MOST_GROUPS] = {"",           "thousand",    "million",     "billion",
                                                   "trillion",   "quadrillion", "quintillion", "sextillion",
                                                   "septillion", "octillion",   "nonillion",   "decillion"};

/* A number of at most three digits. */
static void spell_group(am_buffer *out, int number)
{
    int hundreds = number / 100, rest = number % 100;
    if (number == 0) am_buffer_append_string(out, "zero");
    if (hundreds) am_buffer_printf(out, "%s hundred%s", ones[hundreds], rest ? " and " : "");
    if (rest > 10 && rest < 20) am_buffer_append_string(out, teens[rest - 10]);
    else am_buffer_printf(out, "%s%s%s", tens[rest / 10], rest / 10 && rest % 10 ? " " : "", ones[rest % 10]);
}

/* A whole number, nothing for zero. */
static am_status spell_whole(am_buffer *out, am_text digits)
{
    size_t left = 0;
    uint32_t length;
    bool any = false;
    for (size_t at = 0; is_digit_at(digits, at, &length); at += length) left++;
    if ((left + 2) / 3 > MOST_GROUPS) return am_error(AM_INVALID_ARGUMENT, "a number of %zu digits has no name", left);
    for (size_t at = 0; left > 0;) {
        size_t count = left % 3 ? left % 3 : 3;
        int group = 0;
        for (left -= count; count > 0; count--, at += length) group = group * 10 + digit_value(digits, at, &length);
        if (group == 0) continue;
        if (any) am_buffer_append_char(out, ' ');
        spell_group(out, group);
        if (left) am_buffer_printf(out, " %s", thousands[left / 3]);
        any = true;
    }
    return NULL;
}

/* A number as the pattern found it. */
typedef struct number {
    size_t end;
    bool minus, percent;
    int signs, currency; /* currency signs before the digits, and the one that is named */
    am_text whole, decimals;
} number;

static bool take_sign(am_text text, size_t *at, int sign)
{
    am_text found = currencies[sign].sign;
    if (text.length - *at < found.length || memcmp(text.bytes + *at, found.bytes, found.length) != 0) return false;
    *at += found.length;
    return true;
}

/* -?, then each sign at most once in order, the riyal last. */
static size_t take_signs(am_text text, size_t at, number *out)
{
    out->currency = -1;
    for (int i = 0; i <= CURRENCIES; i++) {
        int sign = i == CURRENCIES ? RIYAL : i;
        if (i == RIYAL || !take_sign(text, &at, sign)) continue;
        if (out->signs++ == 0) out->currency = sign;
    }
    return at;
}

/* \d+(?:\.\d{1,2})?%?(?!\w), where less is tried when more does not fit. */
static bool match_digits(am_text text, size_t at, number *out)
{
    size_t whole = skip_digits(text, at, SIZE_MAX);
    if (whole == at) return false;
    out->whole = (am_text){text.bytes + at, whole - at};
    for (size_t most = 3; most-- > 0;) { /* decimals: two, one, none */
        size_t end = whole;
        if (most > 0) {
            if (whole >= text.length || text.bytes[whole] != '.') continue;
            end = skip_digits(text, whole + 1, most);
            if (end == whole + 1) continue;
        }
        bool percent = end < text.length && text.bytes[end] == '%';
        if (percent && is_word_at(text, end + 1)) percent = false;
        if (!percent && is_word_at(text, end)) continue;
        out->decimals = most > 0 ? (am_text){text.bytes + whole + 1, end - whole - 1} : (am_text){0};
        out->percent = percent;
        out->end = end + percent;
        return true;
    }
    return false;
}

static bool match_number(am_text text, size_t at, number *out)
{
    *out = (number){0};
    if (is_word_before(text, at)) return false;
    out->minus = text.bytes[at] == '-';
    return match_digits(text, take_signs(text, at + out->minus, out), out);
}

static am_status spell_number(am_buffer *out, const number *n)
{
    bool plain = n->decimals.length == 0 || am_text_is(n->decimals, "00");
    uint32_t length;
    if (n->signs > 1) return am_error(AM_INVALID_ARGUMENT, "a number with %d currency signs", n->signs);
    if (n->minus) am_buffer_append_string(out, "minus ");
    AM_TRY(spell_whole(out, n->whole));
    if (!plain) {
        am_buffer_append_string(out, " point");
        for (size_t at = 0; at < n->decimals.length; at += length) {
            am_buffer_append_char(out, ' ');
            spell_group(out, digit_value(n->decimals, at, &length));
        }
    }
    if (n->percent) am_buffer_append_string(out, " percent");
    if (n->currency >= 0) am_buffer_append_string(out, currencies[n->currency].words);
    return NULL;
}

/* ---- the text ---- */

/* 15,000 becomes 15000. */
static void drop_commas(am_buffer *out, am_text text)
{
    for (size_t at = 0; at < text.length;) {
        uint32_t length = am_char_length(text.bytes[at]);
        size_t whole = skip_digits(text, at, SIZE_MAX), end = whole;
        if (whole > at && whole < text.length && text.bytes[whole] == ',') end = skip_digits(text, whole + 1, SIZE_MAX);
        if (whole > at && end > whole + 1) {
            am_buffer_append(out, text.bytes + at, whole - at);
            am_buffer_append(out, text.bytes + whole + 1, end - whole - 1);
            at = end;
            continue;
        }
        size_t step = whole > at ? whole - at : length;
        am_buffer_append(out, text.bytes + at, step);
        at += step;
    }
}

static am_status spell_all(am_buffer *out, am_text text)
{
    for (size_t at = 0; at < text.length;) {
        uint32_t length = am_char_length(text.bytes[at]);
        number n;
        if (match_number(text, at, &n)) {
            AM_TRY(spell_number(out, &n));
            at = n.end;
            continue;
        }
        am_buffer_append(out, text.bytes + at, length);
        at += length;
    }
    return am_buffer_status(out);
}

static void join_spaces(am_buffer *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text->length; i++)
        if (text->bytes[i] != ' ' || kept == 0 || text->bytes[kept - 1] != ' ') text->bytes[kept++] = text->bytes[i];
    text->length = kept;
}

am_status am_spm_spell_numbers(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out)
{
    (void)t, (void)s;
    am_buffer joined = {0};
    drop_commas(&joined, text);
    am_status status = am_buffer_status(&joined);
    if (!status) status = spell_all(out, (am_text){am_buffer_text(&joined), joined.length});
    am_buffer_deinit(&joined);
    if (!status) join_spaces(out);
    return status;
}

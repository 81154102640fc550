#include "text/numeric_values.h"

#include "base/utf8.h"
#include "text/tokenizer/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIRST_YEAR = 1700, LAST_YEAR = 2016, DATE_WORDS = 5, NUMBER_LIMIT = 400 };

typedef struct span {
    size_t start, end;
    am_numeric_value values[2];
    int count;
} span;

typedef struct reader {
    am_arena *arena;
    char *text; /* normalized */
    size_t length;
    span *spans;
    size_t count, capacity;
} reader;

/* --- characters --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* str.isalnum of Python: letters and all that has a numeric value, without marks. */
static bool is_alphanumeric(uint32_t c)
{
    return am_char_is_numeric(c) || (c != '_' && am_char_is_word(c) && !am_char_is_mark(c));
}

/* The next code point and how many bytes it takes; U+FFFD for what is none and for zero bytes. */
static size_t next_char(const char *text, size_t length, uint32_t *out)
{
    size_t taken = am_utf8_next(text, length, out);
    if (*out == AM_UTF8_INVALID || *out == 0) *out = 0xFFFD;
    return taken;
}

/* A decimal digit of any script as that of ASCII; anything else stays. */
static uint32_t plain_digit(uint32_t c)
{
    static const uint32_t zeros[] = {
        0x660,   0x6F0,   0x7C0,   0x966,   0x9E6,   0xA66,   0xAE6,   0xB66,   0xBE6,   0xC66,   0xCE6,
        0xD66,   0xDE6,   0xE50,   0xED0,   0xF20,   0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,  0x19D0,
        0x1A80,  0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,  0xA9D0,  0xA9F0,
        0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450,
        0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0,
        0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros && zeros[i] <= c; i++)
        if (c - zeros[i] < 10) return '0' + c - zeros[i];
    return c;
}

/* normalize_for_match: lower case, words joined with single spaces. */
static am_status normalize(reader *r, const char *text, size_t length)
{
    bool waits = false;
    r->text =
        am_arena_alloc(r->arena, 3 * length + 1); /* U+FFFD takes three bytes, a lower case one more than the upper */
    if (!r->text) return am_out_of_memory();
    for (size_t at = 0; at < length;) {
        uint32_t c;
        at += next_char(text + at, length - at, &c);
        bool is_space = am_char_is_whitespace(c);
        if (!is_space && waits && r->length) r->text[r->length++] = ' ';
        waits = is_space;
        if (!is_space) r->length += am_utf8_put(plain_digit(am_char_lower(c)), r->text + r->length);
    }
    r->text[r->length] = 0;
    return NULL;
}

bool am_text_says_nothing(const char *text, size_t length)
{
    while (length && (unsigned char)text[length - 1] <= ' ') length--;
    while (length && (unsigned char)*text <= ' ') text++, length--;
    if (length == 3 && (strncasecmp(text, "n/a", 3) == 0 || strncasecmp(text, "nan", 3) == 0)) return true;
    for (size_t at = 0; at < length;) {
        uint32_t c;
        at += next_char(text + at, length - at, &c);
        if (is_alphanumeric(c)) return false;
    }
    return true;
}

/* --- numbers --- */

static size_t digits(const char *at)
{
    size_t count = 0;
    while (is_digit(at[count])) count++;
    return count;
}

/* Length of .5, 12, 1,200 or 12.5 at `at`; 0: none. */
static size_t number_at(const char *at)
{
    if (*at == '.' && is_digit(at[1])) return 1 + digits(at + 1);
    size_t length = digits(at);
    if (!length) return 0;
    while (at[length] == ',' && is_digit(at[length + 1]) && is_digit(at[length + 2]) && is_digit(at[length + 3]))
        length += 4;
    return at[length] == '.' ? length + 1 + digits(at + length + 1) : length;
}

/* Whether the text is one that Python's float() reads, names of infinity and of no number aside. */
static bool is_real(const char *text)
{
    text += *text == '+' || *text == '-';
    size_t whole = digits(text), fraction = text[whole] == '.' ? digits(text + whole + 1) : 0;
    if (whole + fraction == 0) return false;
    text += whole + (text[whole] == '.' ? 1 + fraction : 0);
    if (*text != 'e') return *text == 0;
    text++;
    text += *text == '+' || *text == '-';
    size_t exponent = digits(text);
    return exponent && text[exponent] == 0;
}

/* _parse_number: commas and the end of an ordinal left out. */
static bool parse_number(const char *text, size_t length, double *out)
{
    static const char *const suffixes[] = {"st", "nd", "rd", "th"};
    char plain[NUMBER_LIMIT];
    size_t count = 0;
    for (int i = 0; i < 4; i++)
        if (length >= 2 && memcmp(text + length - 2, suffixes[i], 2) == 0) {
            length -= 2;
            break;
        }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ',' || text[i] == ' ') continue;
        if (count + 1 == sizeof plain) return false;
        plain[count++] = text[i];
    }
    plain[count] = 0;
    if (!is_real(plain)) return false;
    *out = strtod(plain, NULL);
    return !isinf(*out);
}

static bool parse_word(const char *text, size_t length, double *out)
{
    static const char *const words[][2] = {
        {"zero", "zeroth"}, {"one", "first"},       {"two", "second"},    {"three", "third"},  {"four", "fourth"},
        {"five", "fifth"},  {"six", "sixth"},       {"seven", "seventh"}, {"eight", "eighth"}, {"nine", "ninth"},
        {"ten", "tenth"},   {"eleven", "eleventh"}, {"twelve", "twelfth"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (int k = 0; k < 2; k++)
            if (strlen(words[i][k]) == length && memcmp(words[i][k], text, length) == 0) {
                *out = (double)i;
                return true;
            }
    return false;
}

/* --- dates --- */

static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                     "july",    "august",   "september", "october", "november", "december"};
static const char *const weekdays[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

/* Which of the names begins the text, cut to `limit` letters; its length goes to *length. -1: none. */
static int name_at(const char *at, const char *const *names, int count, size_t limit, size_t *length)
{
    for (int i = 0; i < count; i++) {
        *length = strlen(names[i]);
        if (limit < *length) *length = limit;
        bool is_whole = strncmp(at, names[i], *length) == 0 && !(at[*length] >= 'a' && at[*length] <= 'z');
        if (is_whole) return i;
    }
    return -1;
}

/* One field of strptime at `at`: its length, 0 when it does not fit. */
static size_t field_at(const char *at, char field, int date[AM_DATE_PARTS])
{
    size_t length = digits(at);
    int found;
    if (field == 'A') return name_at(at, weekdays, 7, 99, &length) < 0 ? 0 : length;
    if (field == 'B' || field == 'b') {
        found = name_at(at, months, 12, field == 'B' ? 99 : 3, &length);
        date[1] = found + 1;
        return found < 0 ? 0 : length;
    }
    if (field == 'Y') {
        date[0] = length == 4 ? atoi(at) : 0;
        return date[0] ? 4 : 0;
    }
    if (length < 1 || length > 2) return 0;
    found = atoi(at);
    date[field == 'd' ? 2 : 1] = found;
    return found >= 1 && found <= (field == 'd' ? 31 : 12) ? length : 0;
}

static bool is_day(const int date[AM_DATE_PARTS])
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = date[0] ? date[0] : 1900, month = date[1] ? date[1] : 1, day = date[2] ? date[2] : 1;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (leap && month == 2);
}

static bool matches(const char *text, const char *pattern, int date[AM_DATE_PARTS])
{
    memset(date, 0, AM_DATE_PARTS * sizeof *date);
    for (; *pattern; pattern++) {
        if (*pattern != '%') {
            if (*text++ != *pattern) return false;
            continue;
        }
        size_t length = field_at(text, *++pattern, date);
        if (!length) return false;
        text += length;
    }
    bool is_year = !date[0] || (date[0] >= FIRST_YEAR && date[0] <= LAST_YEAR);
    return *text == 0 && is_year && is_day(date);
}

static bool parse_date(const char *text, am_numeric_value *out)
{
    static const char *const patterns[] = {"%B",        "%Y",       "%Ys",       "%b %Y",    "%B %Y",
                                           "%B %d",     "%b %d",    "%d %b",     "%d %B",    "%B %d, %Y",
                                           "%d %B %Y",  "%m-%d-%Y", "%Y-%m-%d",  "%Y-%m",    "%d %b %Y",
                                           "%b %d, %Y", "%d.%m.%Y", "%A, %b %d", "%A, %B %d"};
    int date[AM_DATE_PARTS];
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (matches(text, patterns[i], date)) {
            *out = (am_numeric_value){.is_date = true, .parts = {date[0], date[1], date[2]}};
            return true;
        }
    return false;
}

/* --- spans --- */

/* The span of these ends, added where it is not there. */
static span *span_of(reader *r, size_t start, size_t end)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->spans[i].start == start && r->spans[i].end == end) return &r->spans[i];
    if (r->count == r->capacity) {
        size_t larger = r->capacity ? 2 * r->capacity : 8;
        span *grown = am_arena_array(r->arena, larger, sizeof *grown);
        if (!grown) return NULL;
        if (r->count) memcpy(grown, r->spans, r->count * sizeof *grown);
        r->spans = grown;
        r->capacity = larger;
    }
    r->spans[r->count] = (span){.start = start, .end = end};
    return &r->spans[r->count++];
}

static am_status add_value(reader *r, size_t start, size_t end, am_numeric_value value)
{
    span *s = span_of(r, start, end);
    if (!s) return am_out_of_memory();
    if (s->count < 2) s->values[s->count++] = value;
    return NULL;
}

static am_status add_number(reader *r, size_t start, size_t end)
{
    am_numeric_value value = {0};
    return parse_number(r->text + start, end - start, &value.parts[0]) ? add_value(r, start, end, value) : NULL;
}

/* Numbers with a sign after white space, commas and points. */
static am_status find_numbers(reader *r)
{
    for (size_t at = 0; at < r->length;) {
        size_t sign = r->text[at] == ' ' ? at + 1 : at == 0 ? 0 : r->length;
        bool is_signed = r->text[sign] == '+' || r->text[sign] == '-';
        size_t from = is_signed && number_at(r->text + sign + 1) ? sign + 1 : at, length = number_at(r->text + from);
        if (length) AM_TRY(add_number(r, at, from + length));
        at = length ? from + length : at + 1;
    }
    return NULL;
}

static am_status read_word(reader *r, size_t start, size_t end)
{
    am_numeric_value value = {0};
    for (size_t i = 0; i < r->count; i++)
        if (r->spans[i].start == start && r->spans[i].end == end) return NULL;
    AM_TRY(add_number(r, start, end));
    if (!parse_word(r->text + start, end - start, &value.parts[0])) return NULL;
    return add_value(r, start, end, value);
}

static am_status read_date(reader *r, size_t start, size_t end)
{
    am_numeric_value value;
    char after = r->text[end];
    r->text[end] = 0;
    bool found = parse_date(r->text + start, &value);
    r->text[end] = after;
    return found ? add_value(r, start, end, value) : NULL;
}

/* Calls `read` with each run of up to `words` words: letters and digits, between which anything else may stand. */
static am_status for_words(reader *r, size_t words, am_status (*read)(reader *r, size_t start, size_t end))
{
    size_t starts[DATE_WORDS], count = 0;
    bool inside = false;
    for (size_t at = 0, next; at <= r->length; at = next) {
        uint32_t c = 0;
        next = at < r->length ? at + am_utf8_next(r->text + at, r->length - at, &c) : at + 1;
        bool is_inside = at < r->length && is_alphanumeric(c);
        if (is_inside && !inside) {
            if (count == words) memmove(starts, starts + 1, --count * sizeof *starts);
            starts[count++] = at;
        }
        if (inside && !is_inside)
            for (size_t i = 0; i < count; i++) AM_TRY(read(r, starts[i], at));
        inside = is_inside;
    }
    return NULL;
}

static int longest_first(const void *a, const void *b)
{
    const span *x = a, *y = b;
    size_t m = x->end - x->start, n = y->end - y->start;
    return m != n ? (m > n ? -1 : 1) : (x->start > y->start) - (x->start < y->start);
}

static int by_place(const void *a, const void *b)
{
    const span *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

/* Drops spans within others. */
static void keep_longest(reader *r)
{
    size_t kept = 0;
    if (r->count) qsort(r->spans, r->count, sizeof *r->spans, longest_first);
    for (size_t i = 0; i < r->count; i++) {
        bool is_within = false;
        for (size_t k = 0; k < kept && !is_within; k++)
            is_within = r->spans[k].start <= r->spans[i].start && r->spans[i].end <= r->spans[k].end;
        if (!is_within) r->spans[kept++] = r->spans[i];
    }
    r->count = kept;
    if (kept) qsort(r->spans, kept, sizeof *r->spans, by_place);
}

am_status am_numeric_values_find(const char *text, size_t length, am_arena *arena, am_numeric_values *out)
{
    reader r = {.arena = arena};
    *out = (am_numeric_values){0};
    AM_TRY(normalize(&r, text, length));
    AM_TRY(find_numbers(&r));
    AM_TRY(for_words(&r, 1, read_word));
    AM_TRY(for_words(&r, DATE_WORDS, read_date));
    keep_longest(&r);
    out->items = am_arena_array(arena, 2 * r.count + 1, sizeof *out->items);
    if (!out->items) return am_out_of_memory();
    for (size_t i = 0; i < r.count; i++)
        for (int k = 0; k < r.spans[i].count; k++) out->items[out->count++] = r.spans[i].values[k];
    return NULL;
}

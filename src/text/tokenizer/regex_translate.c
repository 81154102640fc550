/* Patterns of Oniguruma in Ruby's syntax, which tokenizer.json has, written as PCRE2 reads them. What
   differs: \h \v \w \b, POSIX brackets, property names, sets in sets with &&, (?m), \uHHHH, {,n} and {n}?,
   and the age of Unicode. */
#include "text/tokenizer/regex_sets.h"

#include "base/utf8.h"

#include <ctype.h>
#include <stdio.h>

enum { NESTING_LIMIT = 64 };

typedef struct translator {
    am_text pattern;
    size_t at;
    bool exact;
    int depth;
    bool is_rare; /* see am_regex_put_set */
    size_t atom;  /* where in the output the last atom starts, for quantifiers */
    am_buffer *out;
} translator;

/* An extended grapheme cluster (Unicode Standard Annex 29). PCRE2 10.42 does not end \X between two
 * pictographs. */
#define EXTEND "\\p{graphemeextend}\\p{Emoji_Modifier}"
#define IGNORABLE                                                                                                      \
    "\\x{2065}\\x{fff0}-\\x{fff8}\\x{e0000}\\x{e0002}-\\x{e001f}\\x{e0080}-\\x{e00ff}\\x{e01f0}-\\x{e0fff}"
#define HANGUL_LV "\\p{LV}" /* not PCRE2's: see put_grapheme */
#define HANGUL_L  "[\\x{1100}-\\x{115f}\\x{a960}-\\x{a97c}]"
#define HANGUL_V  "[\\x{1160}-\\x{11a7}\\x{d7b0}-\\x{d7c6}\\x{16d63}\\x{16d67}-\\x{16d6a}]"
#define HANGUL_T  "[\\x{11a8}-\\x{11ff}\\x{d7cb}-\\x{d7fb}]"
#define PREPEND                                                                                                        \
    "\\x{600}-\\x{605}\\x{6dd}\\x{70f}\\x{890}\\x{891}\\x{8e2}\\x{d4e}\\x{110bd}\\x{110cd}\\x{111c2}\\x{"              \
    "111c3}\\x{1193f}"                                                                                                 \
    "\\x{11941}\\x{11a3a}\\x{11a84}-\\x{11a89}\\x{11d46}\\x{11f02}"
#define MARK_APART                                                                                                     \
    "\\x{102b}\\x{102c}\\x{1038}\\x{1062}-\\x{1064}\\x{1067}-\\x{106d}\\x{1083}\\x{1087}-\\x{108c}\\x{108f}"           \
    "\\x{109a}-\\x{109c}"                                                                                              \
    "\\x{1a61}\\x{1a63}\\x{1a64}\\x{aa7b}\\x{aa7d}\\x{11720}\\x{11721}"
#define CONTROL "[\\p{Cc}\\p{Zl}\\p{Zp}" IGNORABLE "]|(?![" EXTEND PREPEND "\\x{200d}])[\\p{Cf}]"
static const char grapheme[] =
    "(?>\\r\\n|" CONTROL "|[" PREPEND "]*(?:\\p{Regional_Indicator}{2}|"
    "\\p{Extended_Pictographic}(?:[" EXTEND "]*\\x{200d}\\p{Extended_Pictographic})*|" HANGUL_L "*(?:[" HANGUL_LV
    "]" HANGUL_V "*|[\\x{ac00}-\\x{d7a3}]|" HANGUL_V "+)" HANGUL_T "*|" HANGUL_L "+|" HANGUL_T "+|(?!" CONTROL
    ")(?s:.))"
    "(?:[" EXTEND "\\x{200d}\\x{e33}\\x{eb3}]|(?![" MARK_APART "])[\\p{Mc}])*)";

static am_status complain(const translator *t, am_code code, const char *what)
{
    return am_error(code, "regular expression \"%.*s\": %s (at byte %zu)",
                    (int)(t->pattern.length < 80 ? t->pattern.length : 80), t->pattern.bytes, what, t->at);
}

static am_status unsupported(const translator *t, const char *what)
{
    return complain(t, AM_UNSUPPORTED, what);
}

static am_status malformed(const translator *t, const char *what)
{
    return complain(t, AM_INVALID_FILE, what);
}

static bool more(const translator *t)
{
    return t->at < t->pattern.length;
}

static char peek(const translator *t, size_t ahead)
{
    return t->at + ahead < t->pattern.length ? t->pattern.bytes[t->at + ahead] : 0;
}

static bool starts_with(const translator *t, const char *text)
{
    size_t length = strlen(text);
    return t->pattern.length - t->at >= length && memcmp(t->pattern.bytes + t->at, text, length) == 0;
}

static void put(translator *t, const char *text)
{
    am_buffer_append_string(t->out, text);
}

/* Copies a code point that stands for itself. */
static void put_char(translator *t, uint32_t c)
{
    am_buffer_printf(t->out, "\\x{%x}", (unsigned)c);
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static uint32_t take_char(translator *t)
{
    uint32_t length, c = am_char_at(t->pattern.bytes + t->at, &length);
    t->at += length;
    return c;
}

/* ---- properties ---- */

static void put_set(translator *t, const char *set)
{
    am_regex_put_set(set, t->exact, t->out, &t->is_rare);
}

/* One element of a bracket: whether `set` is negated, and for sets that are no union of ranges a lookahead.
 */
typedef struct set_term {
    const char *set;
    bool negated;
} set_term;

/* Everything of Unicode but white space, controls, unassigned and surrogates; print: with spaces. */
static const char graph_set[] = "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}";
static const char print_set[] = "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}\\p{Zs}";

static set_term named_term(const char *name, bool negated, char buffer[48])
{
    if (strcmp(name, "graph") == 0) return (set_term){graph_set, negated};
    if (strcmp(name, "print") == 0) return (set_term){print_set, negated};
    return (set_term){am_regex_property(name, buffer), negated};
}

/* Reads \p{Name}, \p{^Name} or \P{Name}; `at` is behind the letter. */
static am_status take_property(translator *t, bool negated, set_term *out, char buffer[48])
{
    char name[40];
    size_t length = 0;
    if (peek(t, 0) != '{') return malformed(t, "\\p without {name}");
    t->at++;
    if (peek(t, 0) == '^') negated = !negated, t->at++;
    while (more(t) && peek(t, 0) != '}' && length + 1 < sizeof name) name[length++] = t->pattern.bytes[t->at++];
    name[length] = 0;
    if (peek(t, 0) != '}') return malformed(t, "\\p{ without }");
    t->at++;
    for (char *c = name; *c; c++) *c = (char)tolower((unsigned char)*c);
    *out = named_term(name, negated, buffer);
    return out->set[0] ? NULL : malformed(t, "a property without name");
}

/* Reads [:name:] inside brackets; false when there is none. */
static bool take_posix(translator *t, set_term *out, char buffer[48])
{
    char name[16];
    size_t start = 2, length = 0;
    bool negated = peek(t, 2) == '^';
    start += negated;
    while (length + 1 < sizeof name && isalpha((unsigned char)peek(t, start + length))) {
        name[length] = peek(t, start + length);
        length++;
    }
    name[length] = 0;
    if (!length || peek(t, start + length) != ':' || peek(t, start + length + 1) != ']') return false;
    t->at += start + length + 2;
    *out = named_term(name, negated, buffer);
    if (strcmp(name, "punct") == 0) out->set = "\\p{P}\\p{S}";
    return true;
}

/* ---- escapes ---- */

static uint32_t take_hex(translator *t, size_t digits)
{
    uint32_t value = 0;
    for (; digits > 0 && isxdigit((unsigned char)peek(t, 0)); digits--, t->at++) {
        char c = (char)tolower((unsigned char)peek(t, 0));
        value = value * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

static uint32_t take_octal(translator *t)
{
    uint32_t value = 0;
    for (int i = 0; i < 3 && peek(t, 0) >= '0' && peek(t, 0) <= '7'; i++, t->at++)
        value = value * 8 + (uint32_t)(peek(t, 0) - '0');
    return value;
}

/* \xHH at or above 80 stands for a byte of UTF-8; the whole character is read. `at` is behind the first \xHH.
 */
static am_status take_utf8_bytes(translator *t, uint32_t first, uint32_t *out)
{
    char bytes[4] = {(char)first};
    size_t length = am_char_length((char)first);
    for (size_t i = 1; i < length; i++) {
        if (!starts_with(t, "\\x")) return malformed(t, "\\x that is no UTF-8");
        t->at += 2;
        bytes[i] = (char)take_hex(t, 2);
    }
    if (am_utf8_next(bytes, length, out) != length || *out == AM_UTF8_INVALID)
        return malformed(t, "\\x that is no UTF-8");
    return NULL;
}

static am_status take_x(translator *t, uint32_t *out)
{
    if (peek(t, 0) == '{') {
        t->at++;
        *out = take_hex(t, 8);
        if (peek(t, 0) != '}') return malformed(t, "\\x{ without }");
        t->at++;
        return NULL;
    }
    *out = take_hex(t, 2);
    return *out < 0x80 ? NULL : take_utf8_bytes(t, *out, out);
}

/* Reads an escape that stands for one code point; `at` is behind the letter. *found is false for any other
 * escape. */
static am_status take_char_escape(translator *t, char letter, bool *found, uint32_t *out)
{
    static const char letters[] = "tnrfvae";
    static const char values[] = "\t\n\r\f\v\a\033";
    const char *simple = strchr(letters, letter);
    *found = true;
    if (letter && simple) {
        *out = (uint32_t)values[simple - letters];
        return NULL;
    }
    if (letter == 'x') return take_x(t, out);
    if (letter == 'u') {
        size_t start = t->at;
        *out = take_hex(t, 4);
        return t->at - start == 4 ? NULL : malformed(t, "\\u without four digits");
    }
    if (letter == 'c' && more(t)) {
        *out = take_char(t) & 0x1F;
        return NULL;
    }
    if (letter == '0') {
        *out = take_octal(t);
        return NULL;
    }
    *found = false;
    return NULL;
}

/* The set of \s \S \w \W \d \D \h \H, or null. */
static const char *shorthand_set(const translator *t, char letter, bool *negated)
{
    *negated = isupper((unsigned char)letter);
    switch (tolower((unsigned char)letter)) {
    case 's':
        return t->exact ? am_regex_space : "\\s";
    case 'w':
        return am_regex_word;
    case 'd':
        return "\\p{Nd}";
    case 'h':
        return "0-9A-Fa-f";
    default:
        return NULL;
    }
}

static void put_bracketed(translator *t, set_term term)
{
    put(t, term.negated ? "[^" : "[");
    put_set(t, term.set);
    put(t, "]");
}

/* Word boundary: PCRE2's \b has another idea of words. */
static void put_boundary(translator *t, bool negated)
{
    const char *const parts[] = {negated ? "(?:(?<=[" : "(?:(?<=[", negated ? "])(?=[" : "])(?![",
                                 negated ? "])|(?<![" : "])|(?<![", negated ? "])(?![" : "])(?=["};
    for (size_t i = 0; i < 4; i++) {
        put(t, parts[i]);
        put_set(t, am_regex_word);
    }
    put(t, "]))");
}

/* Copies \k<name> and \g<name>. */
static am_status copy_name(translator *t)
{
    char close = peek(t, 0) == '<' ? '>' : peek(t, 0) == '\'' ? '\'' : 0;
    if (!close) return malformed(t, "\\k or \\g without <name>");
    do {
        am_buffer_append_char(t->out, peek(t, 0));
        t->at++;
    } while (more(t) && peek(t, 0) != close);
    if (!more(t)) return malformed(t, "a name without end");
    am_buffer_append_char(t->out, close);
    t->at++;
    return NULL;
}

/* Syllables without a last consonant stand before 27 that have one. */
static void put_hangul_lv(translator *t)
{
    for (uint32_t c = 0xAC00; c < 0xD7A4; c += 28) put_char(t, c);
}

/* The sets in it are those that change. */
static void put_grapheme(translator *t)
{
    static const char *const sets[] = {"\\p{graphemeextend}", "\\p{Mc}", "\\p{Cf}"};
    for (const char *at = grapheme; *at;) {
        size_t length = 1;
        for (size_t i = 0; i < sizeof sets / sizeof sets[0] && length == 1; i++)
            if (strncmp(at, sets[i], strlen(sets[i])) == 0) length = strlen(sets[i]), put_set(t, sets[i]);
        if (strncmp(at, HANGUL_LV, sizeof HANGUL_LV - 1) == 0) length = sizeof HANGUL_LV - 1, put_hangul_lv(t);
        if (length == 1) am_buffer_append_char(t->out, *at);
        at += length;
    }
}

static am_status translate_escape(translator *t)
{
    bool found, negated;
    uint32_t c;
    char buffer[48];
    set_term term;
    t->at++;
    if (!more(t)) return malformed(t, "a \\ at the end");
    char letter = t->pattern.bytes[t->at];
    const char *set = shorthand_set(t, letter, &negated);
    if (set) {
        t->at++;
        put_bracketed(t, (set_term){set, negated});
        return NULL;
    }
    if (letter == 'p' || letter == 'P') {
        t->at++;
        AM_TRY(take_property(t, letter == 'P', &term, buffer));
        put_bracketed(t, term);
        return NULL;
    }
    if (letter >= '1' && letter <= '9') {
        put(t, "(?:\\"); /* so that digits after it stay apart */
        while (isdigit((unsigned char)peek(t, 0))) am_buffer_append_char(t->out, t->pattern.bytes[t->at++]);
        put(t, ")");
        return NULL;
    }
    if (is_one_of(letter, "bB")) {
        t->at++;
        put_boundary(t, letter == 'B');
        return NULL;
    }
    if (letter == 'X') {
        t->at++;
        put_grapheme(t);
        return NULL;
    }
    if (is_one_of(letter, "AzZGKR")) {
        t->at++;
        am_buffer_printf(t->out, "\\%c", letter);
        return NULL;
    }
    if (letter == 'k' || letter == 'g') {
        t->at++;
        am_buffer_printf(t->out, "\\%c", letter);
        return copy_name(t);
    }
    if (is_one_of(letter, "yYMC")) return unsupported(t, "an escape that is not supported");
    if ((unsigned char)letter < 0x80) t->at++;
    AM_TRY(take_char_escape(t, letter, &found, &c));
    if (!found) c = (unsigned char)letter < 0x80 ? (uint32_t)letter : take_char(t);
    put_char(t, c);
    return NULL;
}

/* ---- brackets ---- */

static am_status translate_class(translator *t);

/* Puts a set that stands in brackets: among what is in them, or, negated, as an alternative to it. */
static void put_in_brackets(translator *t, set_term term, am_buffer *ranges, am_buffer *others)
{
    am_buffer *kept = t->out;
    if (term.set == am_regex_word) term.set = am_regex_word_in_brackets;
    t->out = term.negated ? others : ranges;
    if (term.negated && others->length) put(t, "|");
    if (term.negated) put_bracketed(t, term);
    else put_set(t, term.set);
    t->out = kept;
}

/* Reads one end of a range or a single code point inside brackets; *is_set when it was a set, which is put
 * out. */
static am_status take_class_char(translator *t, am_buffer *ranges, am_buffer *others, bool *is_set, uint32_t *c)
{
    bool negated, found;
    char buffer[48];
    set_term term = {0};
    *is_set = false;
    if (peek(t, 0) != '\\') {
        *c = take_char(t);
        return NULL;
    }
    t->at++;
    if (!more(t)) return malformed(t, "a \\ at the end");
    char letter = t->pattern.bytes[t->at];
    if ((unsigned char)letter < 0x80) t->at++;
    term.set = shorthand_set(t, letter, &negated);
    term.negated = negated;
    if (letter == 'p' || letter == 'P') AM_TRY(take_property(t, letter == 'P', &term, buffer));
    if (letter == 'R' || letter == 'X') return unsupported(t, "\\R or \\X in brackets");
    if (term.set) {
        *is_set = true;
        put_in_brackets(t, term, ranges, others);
        return NULL;
    }
    if (letter == 'b') {
        *c = 8;
        return NULL;
    }
    AM_TRY(take_char_escape(t, letter, &found, c));
    if (!found) *c = (unsigned char)letter < 0x80 ? (uint32_t)letter : take_char(t);
    return NULL;
}

/* Reads "a", "a-z", "\w", "[:alpha:]" or "[...]" into the ranges, or as an alternative into the others. */
static am_status take_class_item(translator *t, am_buffer *ranges, am_buffer *others)
{
    char buffer[48];
    set_term term;
    uint32_t first, last;
    bool is_set;
    am_buffer *kept = t->out;
    if (starts_with(t, "[:") && take_posix(t, &term, buffer)) {
        if (!term.set[0]) return unsupported(t, "an unknown POSIX bracket");
        put_in_brackets(t, term, ranges, others);
        return NULL;
    }
    if (peek(t, 0) == '[') {
        if (others->length) am_buffer_append_char(others, '|');
        t->out = others;
        am_status status = translate_class(t);
        t->out = kept;
        return status;
    }
    AM_TRY(take_class_char(t, ranges, others, &is_set, &first));
    if (is_set) return NULL;
    last = first;
    if (peek(t, 0) == '-' && t->at + 1 < t->pattern.length && peek(t, 1) != ']' && peek(t, 1) != '[') {
        t->at++;
        AM_TRY(take_class_char(t, ranges, others, &is_set, &last));
        if (is_set) { /* [a-\d]: the '-' is itself */
            am_buffer_printf(ranges, "\\x{%x}\\x{2d}", (unsigned)first);
            return NULL;
        }
        if (last < first) return malformed(t, "a range with its end before its start");
    }
    am_buffer_printf(ranges, first == last ? "\\x{%x}" : "\\x{%x}-\\x{%x}", (unsigned)first, (unsigned)last);
    return NULL;
}

/* Writes one operand of &&: a bracket, or alternatives that each match one code point. */
static void put_operand(am_buffer *out, const am_buffer *ranges, const am_buffer *others, bool negated)
{
    if (!others->length) {
        const char *set = ranges->length ? am_buffer_text(ranges) : "^\\x{0}-\\x{10ffff}";
        am_buffer_printf(out, negated ? "[^%s]" : "[%s]", set);
        return;
    }
    am_buffer_append_string(out, negated ? "(?:(?!" : "(?:");
    if (ranges->length) am_buffer_printf(out, "[%s]|", am_buffer_text(ranges));
    am_buffer_append_string(out, am_buffer_text(others));
    am_buffer_append_string(out, negated ? ")(?s:.))" : ")");
}

/* Reads up to "&&" or the closing bracket. */
static am_status take_operand(translator *t, bool first, am_buffer *ranges, am_buffer *others)
{
    for (bool start = first;; start = false) {
        if (!more(t)) return malformed(t, "[ without ]");
        if ((peek(t, 0) == ']' && !start) || starts_with(t, "&&")) return NULL;
        AM_TRY(take_class_item(t, ranges, others));
        if (ranges->failed || others->failed) return am_out_of_memory();
    }
}

/* Reads the contents of a bracket; a && b becomes a lookahead for a before b, and a negation of that a
 * negative one. */
static am_status take_class(translator *t, bool negated, am_buffer *ranges, am_buffer *others, am_buffer *before)
{
    AM_TRY(take_operand(t, true, ranges, others));
    while (starts_with(t, "&&")) {
        t->at += 2;
        am_buffer_append_string(before, "(?=");
        put_operand(before, ranges, others, false);
        am_buffer_append_char(before, ')');
        am_buffer_clear(ranges);
        am_buffer_clear(others);
        AM_TRY(take_operand(t, false, ranges, others));
    }
    t->at++;
    if (!before->length) {
        put_operand(t->out, ranges, others, negated);
        return NULL;
    }
    put(t, negated ? "(?:(?!" : "(?:");
    put(t, am_buffer_text(before));
    put_operand(t->out, ranges, others, false);
    put(t, negated ? ")(?s:.))" : ")");
    return am_buffer_status(before);
}

static am_status translate_class(translator *t)
{
    if (++t->depth > NESTING_LIMIT) return unsupported(t, "nested too deep");
    am_buffer ranges = {0}, others = {0}, before = {0};
    t->at++;
    bool negated = peek(t, 0) == '^';
    t->at += negated;
    am_status status = take_class(t, negated, &ranges, &others, &before);
    am_buffer_deinit(&ranges);
    am_buffer_deinit(&others);
    am_buffer_deinit(&before);
    t->depth--;
    return status;
}

/* ---- groups and quantifiers ---- */

/* Copies what follows "(?" up to where the contents start; Ruby's m is PCRE2's s. */
static am_status translate_group_start(translator *t)
{
    if (starts_with(t, "(?~")) return unsupported(t, "the absent operator (?~");
    if (starts_with(t, "(?#")) {
        while (more(t) && peek(t, 0) != ')') t->at += peek(t, 0) == '\\' ? 2 : 1;
        if (!more(t)) return malformed(t, "(?# without )");
        t->at++;
        return NULL;
    }
    static const char *const plain[] = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (!starts_with(t, plain[i])) continue;
        put(t, plain[i]);
        t->at += strlen(plain[i]);
        return NULL;
    }
    put(t, "(?");
    t->at += 2;
    if (peek(t, 0) == '<' || peek(t, 0) == '\'') return copy_name(t);
    for (; more(t) && is_one_of(peek(t, 0), "imx-"); t->at++)
        am_buffer_append_char(t->out, peek(t, 0) == 'm' ? 's' : peek(t, 0));
    if (peek(t, 0) != ':' && peek(t, 0) != ')') return unsupported(t, "an unknown kind of group");
    am_buffer_append_char(t->out, peek(t, 0));
    t->at++;
    return NULL;
}

/* Reads {n}, {n,}, {,m} or {n,m}; false when it is none, and '{' is itself. */
static bool take_interval(translator *t, unsigned *low, long *high)
{
    size_t i = 1;
    bool has_low = false, has_high = false, comma = false;
    *low = 0, *high = 0;
    for (; isdigit((unsigned char)peek(t, i)) && *low < 100000; i++)
        *low = *low * 10 + (unsigned)(peek(t, i) - '0'), has_low = true;
    if (peek(t, i) == ',') comma = true, i++;
    for (; comma && isdigit((unsigned char)peek(t, i)) && *high < 100000; i++)
        *high = *high * 10 + (peek(t, i) - '0'), has_high = true;
    if (peek(t, i) != '}' || (!has_low && !has_high)) return false;
    if (!comma) *high = (long)*low;
    else if (!has_high) *high = -1;
    t->at += i + 1;
    return true;
}

/* Puts "(?:" before the last atom and ")" behind it. */
static void wrap_atom(translator *t)
{
    am_buffer copy = {0};
    am_buffer_append(&copy, am_buffer_text(t->out) + t->atom, t->out->length - t->atom);
    t->out->length = t->atom;
    am_buffer_printf(t->out, "(?:%s)", am_buffer_text(&copy));
    if (copy.failed) t->out->failed = true;
    am_buffer_deinit(&copy);
}

static am_status translate_interval(translator *t)
{
    unsigned low;
    long high;
    if (!take_interval(t, &low, &high)) {
        t->atom = t->out->length;
        put_char(t, take_char(t));
        return NULL;
    }
    if (high < 0) am_buffer_printf(t->out, "{%u,}", low);
    else am_buffer_printf(t->out, "{%u,%ld}", low, high);
    /* {n}? is "none or n", {n,m}+ is repeated: neither is lazy or possessive as in PCRE2. */
    if ((peek(t, 0) == '?' && high == (long)low) || peek(t, 0) == '+') wrap_atom(t);
    return NULL;
}

static am_status translate_sequence(translator *t);

static am_status translate_group(translator *t)
{
    if (++t->depth > NESTING_LIMIT) return unsupported(t, "nested too deep");
    size_t start = t->out->length;
    if (peek(t, 1) == '?') {
        bool comment = starts_with(t, "(?#");
        AM_TRY(translate_group_start(t));
        char last = t->out->length ? t->out->bytes[t->out->length - 1] : 0;
        if (comment || (last == ')' && t->out->length > start)) { /* no contents: (?#...) or (?i) */
            t->depth--;
            return NULL;
        }
    } else {
        put(t, "(");
        t->at++;
    }
    AM_TRY(translate_sequence(t));
    if (!more(t)) return malformed(t, "( without )");
    t->at++;
    put(t, ")");
    t->atom = start;
    t->depth--;
    return NULL;
}

/* Everything up to a closing parenthesis or the end. */
static am_status translate_sequence(translator *t)
{
    while (more(t) && peek(t, 0) != ')') {
        char c = peek(t, 0);
        if (t->out->failed) return am_out_of_memory();
        if (is_one_of(c, "*+?")) {
            am_buffer_append_char(t->out, c);
            t->at++;
        } else if (c == '{') {
            AM_TRY(translate_interval(t));
        } else if (c == '(') {
            AM_TRY(translate_group(t));
        } else {
            t->atom = t->out->length;
            if (c == '[') AM_TRY(translate_class(t));
            else if (c == '\\') AM_TRY(translate_escape(t));
            else if (is_one_of(c, ".^$|")) put(t, (char[]){c, 0}), t->at++;
            else if (is_one_of(c, " #\t\n\r\f")) put(t, (char[]){c, 0}), t->at++; /* may be ignored under (?x) */
            else put_char(t, take_char(t));
        }
    }
    return NULL;
}

am_status am_regex_translate(am_text pattern, bool exact, am_buffer *out, bool *is_rare)
{
    translator t = {.pattern = pattern, .exact = exact, .out = out};
    AM_TRY(translate_sequence(&t));
    *is_rare = t.is_rare;
    return more(&t) ? malformed(&t, ") without (") : NULL;
}

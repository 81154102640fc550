#include "text/whisper_numbers.h"

#include "base/memory.h"

#include <stdlib.h>

enum { HALF, LETTER_DIGIT, DIGIT_LETTER, SUFFIX, CENTS, ZERO_CENTS, ONES };

static const char *const patterns[AM_WHISPER_NUMBER_PATTERNS] = {
    [HALF] = AM_WORD_BEGINS "and[{space}]+a[{space}]+half" AM_WORD_ENDS,
    [LETTER_DIGIT] = "([a-z])([0-9])",
    [DIGIT_LETTER] = "([0-9])([a-z])",
    [SUFFIX] = "([0-9])[{space}]+(st|nd|rd|th|s)" AM_WORD_ENDS,
    [CENTS] = "([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})" AM_WORD_ENDS,
    [ZERO_CENTS] = "[€£$]0.([0-9]{1,2})" AM_WORD_ENDS,
    [ONES] = AM_WORD_BEGINS "1(s?)" AM_WORD_ENDS,
};

am_status am_whisper_numbers_init(am_whisper_numbers *numbers)
{
    *numbers = (am_whisper_numbers){0};
    for (int i = 0; i < AM_WHISPER_NUMBER_PATTERNS; i++)
        AM_TRY(am_py_regex_create(patterns[i], false, NULL, &numbers->patterns[i]));
    return NULL;
}

void am_whisper_numbers_deinit(am_whisper_numbers *numbers)
{
    for (int i = 0; i < AM_WHISPER_NUMBER_PATTERNS; i++) am_py_regex_destroy(numbers->patterns[i]);
}

/* ---- words ---- */

typedef enum word_kind {
    OTHER,
    ZERO,
    ONE, /* one to nineteen */
    ONE_SUFFIXED,
    TEN,
    TEN_SUFFIXED,
    MULTIPLIER,
    MULTIPLIER_SUFFIXED,
    PRECEDING, /* a sign */
    FOLLOWING, /* a currency */
    PERCENT,
    PER,
    AND,
    DOUBLE,
    TRIPLE,
    POINT,
} word_kind;

typedef struct word {
    am_text text;
    word_kind kind;
    int number;         /* of multipliers: its zeros */
    const char *suffix; /* or sign, or currency */
} word;

static const char *const ones[] = {"one",     "two",     "three",     "four",     "five",    "six",      "seven",
                                   "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen", "fourteen",
                                   "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
static const char *const multipliers[] = {"thousand",    "million",     "billion",    "trillion",
                                          "quadrillion", "quintillion", "sextillion", "septillion",
                                          "octillion",   "nonillion",   "decillion"};
/* What no rule gives. "ninth" is not among them: the rule's is "nineth". */
static const word others[] = {
    {.text = {"o", 1}, .kind = ZERO},
    {.text = {"oh", 2}, .kind = ZERO},
    {.text = {"zero", 4}, .kind = ZERO},
    {.text = {"sixes", 5}, .kind = ONE_SUFFIXED, .number = 6, .suffix = "s"},
    {.text = {"zeroth", 6}, .kind = ONE_SUFFIXED, .number = 0, .suffix = "th"},
    {.text = {"first", 5}, .kind = ONE_SUFFIXED, .number = 1, .suffix = "st"},
    {.text = {"second", 6}, .kind = ONE_SUFFIXED, .number = 2, .suffix = "nd"},
    {.text = {"third", 5}, .kind = ONE_SUFFIXED, .number = 3, .suffix = "rd"},
    {.text = {"fifth", 5}, .kind = ONE_SUFFIXED, .number = 5, .suffix = "th"},
    {.text = {"eighth", 6}, .kind = ONE_SUFFIXED, .number = 8, .suffix = "th"},
    {.text = {"twelfth", 7}, .kind = ONE_SUFFIXED, .number = 12, .suffix = "th"},
    {.text = {"minus", 5}, .kind = PRECEDING, .suffix = "-"},
    {.text = {"negative", 8}, .kind = PRECEDING, .suffix = "-"},
    {.text = {"plus", 4}, .kind = PRECEDING, .suffix = "+"},
    {.text = {"positive", 8}, .kind = PRECEDING, .suffix = "+"},
    {.text = {"pound", 5}, .kind = FOLLOWING, .suffix = "£"},
    {.text = {"pounds", 6}, .kind = FOLLOWING, .suffix = "£"},
    {.text = {"euro", 4}, .kind = FOLLOWING, .suffix = "€"},
    {.text = {"euros", 5}, .kind = FOLLOWING, .suffix = "€"},
    {.text = {"dollar", 6}, .kind = FOLLOWING, .suffix = "$"},
    {.text = {"dollars", 7}, .kind = FOLLOWING, .suffix = "$"},
    {.text = {"cent", 4}, .kind = FOLLOWING, .suffix = "¢"},
    {.text = {"cents", 5}, .kind = FOLLOWING, .suffix = "¢"},
    {.text = {"percent", 7}, .kind = PERCENT, .suffix = "%"},
    {.text = {"per", 3}, .kind = PER},
    {.text = {"and", 3}, .kind = AND},
    {.text = {"double", 6}, .kind = DOUBLE},
    {.text = {"triple", 6}, .kind = TRIPLE},
    {.text = {"point", 5}, .kind = POINT},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Whether the text is `name`, or is it with "s" or "th" behind: *suffix is then that, else "". */
static bool is_name(am_text text, const char *name, bool has_ordinal, const char **suffix)
{
    size_t length = strlen(name);
    if (text.length < length || memcmp(text.bytes, name, length) != 0) return false;
    am_text rest = {text.bytes + length, text.length - length};
    *suffix = !rest.length ? "" : am_text_is(rest, "s") ? "s" : has_ordinal && am_text_is(rest, "th") ? "th" : NULL;
    return *suffix != NULL;
}

/* The same of a ten, of which "y" becomes "ies" or "ieth". */
static bool is_ten(am_text text, const char *name, const char **suffix)
{
    size_t stem = strlen(name) - 1;
    *suffix = "";
    if (am_text_is(text, name)) return true;
    if (text.length < stem || memcmp(text.bytes, name, stem) != 0) return false;
    am_text rest = {text.bytes + stem, text.length - stem};
    *suffix = am_text_is(rest, "ies") ? "s" : am_text_is(rest, "ieth") ? "th" : NULL;
    return *suffix != NULL;
}

/* Numbers to three, five and twelve have ordinals of their own, as eight has; "sixs" is no plural. */
static bool is_one(am_text text, int number, const char **suffix)
{
    bool has_ordinal = number > 3 && number != 5 && number != 8 && number != 12;
    if (!is_name(text, ones[number - 1], has_ordinal, suffix)) return false;
    return number != 6 || strcmp(*suffix, "s") != 0;
}

static word classify(am_text text)
{
    const char *suffix;
    for (size_t i = 0; i < COUNT(others); i++)
        if (am_text_equal(others[i].text, text)) return others[i];
    for (int i = 1; i <= (int)COUNT(ones); i++)
        if (is_one(text, i, &suffix)) return (word){text, *suffix ? ONE_SUFFIXED : ONE, i, suffix};
    for (int i = 0; i < (int)COUNT(tens); i++)
        if (is_ten(text, tens[i], &suffix)) return (word){text, *suffix ? TEN_SUFFIXED : TEN, 10 * (i + 2), suffix};
    if (is_name(text, "hundred", true, &suffix))
        return (word){text, *suffix ? MULTIPLIER_SUFFIXED : MULTIPLIER, 2, suffix};
    for (int i = 0; i < (int)COUNT(multipliers); i++)
        if (is_name(text, multipliers[i], true, &suffix))
            return (word){text, *suffix ? MULTIPLIER_SUFFIXED : MULTIPLIER, 3 * (i + 1), suffix};
    return (word){.text = text};
}

static size_t digits_at(am_text text, size_t at)
{
    size_t end = at;
    uint32_t size;
    while (end < text.length && am_py_is_decimal(am_char_at(text.bytes + end, &size))) end += size;
    return end - at;
}

/* ^\d+(\.\d+)?$ */
static bool is_numeric(am_text text)
{
    size_t whole = digits_at(text, 0);
    if (!whole || whole == text.length) return whole > 0;
    size_t decimals = text.bytes[whole] == '.' ? digits_at(text, whole + 1) : 0;
    return decimals > 0 && whole + 1 + decimals == text.length;
}

/* Bytes of a sign or currency before a word; 0: none. */
static size_t prefix_length(am_text text)
{
    static const char *const prefixes[] = {"-", "+", "£", "€", "$", "¢"};
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        size_t length = strlen(prefixes[i]);
        if (text.length >= length && memcmp(text.bytes, prefixes[i], length) == 0) return length;
    }
    return 0;
}

/* ---- a number that is being read ---- */

/* NUMBER: decimal digits of a whole number; STRING: any digits and points. */
typedef enum value_kind { NOTHING, NUMBER, STRING } value_kind;

typedef struct job {
    const word *words;
    size_t count, at;
    value_kind kind;
    am_buffer value;
    am_text prefix;
    am_buffer *out;
    bool any; /* was written */
} job;

static void set_value(job *j, value_kind kind, am_text text)
{
    am_buffer_clear(&j->value);
    am_buffer_append(&j->value, text.bytes, text.length);
    j->kind = kind;
}

static am_text value_of(const job *j)
{
    return am_buffer_view(&j->value);
}

/* Writes prefix, text and suffix as a word; the value is gone. */
static void emit(job *j, am_text text, const char *suffix)
{
    if (j->any) am_buffer_append_char(j->out, ' ');
    am_buffer_append(j->out, j->prefix.bytes, j->prefix.length);
    am_buffer_append(j->out, text.bytes, text.length);
    am_buffer_append_string(j->out, suffix);
    j->any = true;
    j->kind = NOTHING;
    j->prefix = (am_text){"", 0};
}

static void emit_value(job *j, const char *suffix)
{
    if (j->kind != NOTHING) emit(j, value_of(j), suffix);
}

/* str(value or "") */
static void make_string(job *j)
{
    bool is_empty = j->kind == NOTHING || (j->kind == NUMBER && am_text_is(value_of(j), "0"));
    if (is_empty) am_buffer_clear(&j->value);
    j->kind = STRING;
}

/* Whether a whole number ends in so many zeros. */
static bool ends_in_zeros(const job *j, size_t zeros)
{
    am_text text = value_of(j);
    if (am_text_is(text, "0")) return true;
    for (size_t i = 0; i < zeros; i++)
        if (text.length <= i || text.bytes[text.length - 1 - i] != '0') return false;
    return true;
}

/* Adds to a whole number, or puts behind its digits what has no room in its `zeros` last ones. */
static void add_number(job *j, int number, size_t zeros)
{
    bool fits = j->kind == NUMBER && ends_in_zeros(j, zeros);
    if (fits) {
        int digits = number < 10 ? 1 : 2;
        j->value.length -= (size_t)digits < j->value.length ? (size_t)digits : j->value.length;
    }
    if (j->kind == NOTHING) am_buffer_clear(&j->value);
    am_buffer_printf(&j->value, "%d", number);
    j->kind = fits || j->kind == NOTHING ? NUMBER : STRING;
}

static word_kind kind_at(const job *j, size_t at)
{
    return at < j->count ? j->words[at].kind : OTHER;
}

static word_kind kind_before(const job *j)
{
    return j->at ? j->words[j->at - 1].kind : OTHER;
}

static bool next_is_numeric(const job *j)
{
    return j->at + 1 < j->count && is_numeric(j->words[j->at + 1].text);
}

/* One to nineteen; behind another such, or behind digits, they are digits too. */
static void read_one(job *j, int number)
{
    bool as_digits = j->kind == STRING || (j->kind == NUMBER && kind_before(j) == ONE);
    if (as_digits && kind_before(j) == TEN && number < 10 && j->value.length) j->value.length--;
    if (as_digits) j->kind = STRING;
    add_number(j, number, number < 10 ? 1 : 2);
}

/* ---- multipliers, which are powers of ten ---- */

static uint32_t digit_value(uint32_t c)
{
    uint32_t value = 0;
    while (value < c && am_py_is_decimal(c - value - 1)) value++;
    return value % 10; /* digits come in runs of ten */
}

/* Digits of any script as those of ASCII, appended. */
static void append_digits(am_buffer *out, am_text text)
{
    uint32_t size;
    for (size_t at = 0; at < text.length; at += size)
        am_buffer_append_char(out, (char)('0' + digit_value(am_char_at(text.bytes + at, &size))));
}

/* Makes the value the whole number of these digits, without the zeros before. */
static void set_number(job *j, const am_buffer *digits)
{
    am_text text = am_buffer_view(digits);
    while (text.length > 1 && text.bytes[0] == '0') text.bytes++, text.length--;
    set_value(j, NUMBER, text);
}

/* Fraction(text) * 10^zeros: sets the value where that is whole; false: it is not, or the text is no fraction. */
static bool set_product(job *j, am_text text, size_t zeros)
{
    am_buffer digits = {0};
    size_t whole = digits_at(text, 0), point = whole < text.length && text.bytes[whole] == '.';
    size_t decimals = point ? digits_at(text, whole + 1) : 0, places = 0;
    if (whole + point + decimals != text.length || !(whole + decimals)) return false;
    append_digits(&digits, (am_text){text.bytes, whole});
    size_t before = digits.length;
    append_digits(&digits, (am_text){text.bytes + whole + point, decimals});
    while (digits.length > before && digits.bytes[digits.length - 1] == '0') digits.length--;
    places = digits.length - before;
    for (; places < zeros; places++) am_buffer_append_char(&digits, '0');
    bool is_whole = places <= zeros && digits.length;
    if (is_whole) set_number(j, &digits);
    am_buffer_deinit(&digits);
    return is_whole;
}

/* a + b, digits both. */
static void add_digits(am_text a, am_text b, am_buffer *out)
{
    size_t length = (a.length > b.length ? a.length : b.length) + 1;
    int carry = 0;
    for (size_t i = 0; i < length; i++) am_buffer_append_char(out, '0');
    for (size_t i = 0; i < length && !out->failed; i++) {
        int sum = carry + (i < a.length ? a.bytes[a.length - 1 - i] - '0' : 0) +
                  (i < b.length ? b.bytes[b.length - 1 - i] - '0' : 0);
        out->bytes[length - 1 - i] = (char)('0' + sum % 10);
        carry = sum / 10;
    }
}

/* The last three digits times 10^zeros, with those before. */
static void multiply_last(job *j, size_t zeros)
{
    am_buffer before = {0}, product = {0}, sum = {0};
    am_text value = value_of(j);
    size_t last = value.length < 3 ? value.length : 3;
    am_buffer_append(&before, value.bytes, value.length - last);
    am_buffer_append_string(&before, "000");
    am_buffer_append(&product, value.bytes + value.length - last, last);
    for (size_t i = 0; i < zeros; i++) am_buffer_append_char(&product, '0');
    add_digits(am_buffer_view(&before), am_buffer_view(&product), &sum);
    if (sum.failed) j->value.failed = true;
    else set_number(j, &sum);
    am_buffer_deinit(&before);
    am_buffer_deinit(&product);
    am_buffer_deinit(&sum);
}

static void set_power(job *j, size_t zeros)
{
    set_value(j, NUMBER, (am_text){"1", 1});
    for (size_t i = 0; i < zeros; i++) am_buffer_append_char(&j->value, '0');
}

static void read_multiplier(job *j, const word *w)
{
    size_t zeros = (size_t)w->number;
    bool is_zero = j->kind == NUMBER && am_text_is(value_of(j), "0");
    if (j->kind == NOTHING) set_power(j, zeros);
    else if (j->kind == NUMBER && !(is_zero && w->kind == MULTIPLIER)) multiply_last(j, zeros);
    else if (!set_product(j, value_of(j), zeros)) {
        emit_value(j, "");
        set_power(j, zeros);
    }
}

/* ---- the kinds of words ---- */

static void read_numeric(job *j, size_t prefix)
{
    am_text current = j->words[j->at].text, number = {current.bytes + prefix, current.length - prefix};
    am_text value = value_of(j);
    if (j->kind == STRING && value.length && value.bytes[value.length - 1] == '.') {
        am_buffer_append(&j->value, current.bytes, current.length);
        return;
    }
    emit_value(j, "");
    if (prefix) j->prefix = (am_text){current.bytes, prefix};
    if (!set_product(j, number, 0)) set_value(j, STRING, number);
}

/* Words that mean something only where a number may follow; true: one does, and the word is read. */
static void read_special(job *j, const word *w)
{
    bool next_is_word = kind_at(j, j->at + 1) != OTHER, numeric = next_is_numeric(j);
    word_kind next = kind_at(j, j->at + 1);
    bool repeats = w->kind == DOUBLE || w->kind == TRIPLE;
    if ((!next_is_word && !numeric) || (repeats && next != ONE && next != ZERO) ||
        (w->kind == AND && kind_before(j) != MULTIPLIER)) {
        emit_value(j, "");
        emit(j, w->text, "");
    } else if (repeats) {
        make_string(j);
        for (int i = 0; i < (w->kind == DOUBLE ? 2 : 3); i++)
            am_buffer_printf(&j->value, "%d", j->words[j->at + 1].number);
        j->at++;
    } else if (w->kind == POINT && (next == ONE || next == TEN || next == ZERO || numeric)) {
        make_string(j);
        am_buffer_append_char(&j->value, '.');
    }
}

/* A sign goes before the number that follows. */
static void read_sign(job *j, const word *w)
{
    emit_value(j, "");
    if (kind_at(j, j->at + 1) != OTHER || next_is_numeric(j)) j->prefix = (am_text){w->suffix, strlen(w->suffix)};
    else emit(j, w->text, "");
}

/* A currency or "percent" goes to the number before it. */
static void read_unit(job *j, const word *w)
{
    am_text next = j->at + 1 < j->count ? j->words[j->at + 1].text : (am_text){"", 0};
    if (j->kind == NOTHING) emit(j, w->text, "");
    else if (w->kind == FOLLOWING) {
        j->prefix = (am_text){w->suffix, strlen(w->suffix)};
        emit_value(j, "");
    } else if (w->kind == PERCENT) emit_value(j, w->suffix);
    else if (am_text_is(next, "cent")) {
        emit_value(j, "%");
        j->at++;
    } else {
        emit_value(j, "");
        emit(j, w->text, "");
    }
}

static void read_suffixed(job *j, const word *w)
{
    if (w->kind == ONE_SUFFIXED) read_one(j, w->number);
    else if (w->kind == TEN_SUFFIXED) add_number(j, w->number, 2);
    else read_multiplier(j, w);
    emit_value(j, w->suffix);
}

static void read_word(job *j)
{
    const word *w = &j->words[j->at];
    size_t prefix = prefix_length(w->text);
    if (is_numeric((am_text){w->text.bytes + prefix, w->text.length - prefix})) {
        read_numeric(j, prefix);
        return;
    }
    switch (w->kind) {
    case OTHER:
        emit_value(j, "");
        emit(j, w->text, "");
        break;
    case ZERO:
        make_string(j);
        am_buffer_append_char(&j->value, '0');
        break;
    case ONE:
        read_one(j, w->number);
        break;
    case TEN:
        add_number(j, w->number, 2);
        break;
    case MULTIPLIER:
        read_multiplier(j, w);
        break;
    case ONE_SUFFIXED:
    case TEN_SUFFIXED:
    case MULTIPLIER_SUFFIXED:
        read_suffixed(j, w);
        break;
    case PRECEDING:
        read_sign(j, w);
        break;
    case FOLLOWING:
    case PERCENT:
    case PER:
        read_unit(j, w);
        break;
    default:
        read_special(j, w);
    }
}

static am_status read_words(const word *words, size_t count, am_buffer *out)
{
    job j = {.words = words, .count = count, .out = out, .prefix = {"", 0}};
    for (; j.at < count; j.at++) read_word(&j);
    emit_value(&j, "");
    am_status status = am_buffer_status(&j.value);
    am_buffer_deinit(&j.value);
    return status;
}

/* process_words: replaces the text by its words with numbers as digits. */
static am_status process_words(am_buffer *text)
{
    am_text rest = am_buffer_view(text), next;
    am_buffer out = {0};
    size_t count = 0;
    word *words = am_alloc((text->length / 2 + 1) * sizeof *words);
    if (!words) return am_out_of_memory();
    while (am_py_next_word(&rest, &next)) {
        words[count] = classify(next);
        words[count++].text = next;
    }
    am_status status = read_words(words, count, &out);
    am_free(words);
    if (!status) status = am_buffer_status(&out);
    am_buffer_deinit(status ? &out : text);
    if (!status) *text = out;
    return status;
}

/* ---- before and after ---- */

/* segment.rsplit(maxsplit=2)[-1] */
static am_text last_word(am_text segment)
{
    am_text rest = segment, next, last = {"", 0};
    while (am_py_next_word(&rest, &next)) last = next;
    return last;
}

static void append_segment(am_buffer *out, am_text segment, bool is_last)
{
    if (!am_py_strip(segment).length) return;
    if (out->length) am_buffer_append_char(out, ' ');
    am_buffer_append(out, segment.bytes, segment.length);
    if (is_last) return;
    word_kind kind = classify(last_word(segment)).kind;
    bool is_number = kind == ONE || kind == TEN || kind == ZERO || kind == MULTIPLIER;
    am_buffer_append_string(out, is_number ? " point five" : " and a half");
}

/* "two and a half": "two point five". */
static am_status replace_halves(const am_py_regex *half, am_buffer *text)
{
    am_buffer out = {0};
    am_text whole = am_buffer_view(text);
    size_t at = 0, groups[2];
    bool found = true;
    am_status status = NULL;
    while (found && !status) {
        status = am_py_regex_search(half, whole, at, groups, 1, &found);
        if (status) break;
        size_t end = found ? groups[0] : whole.length;
        append_segment(&out, (am_text){whole.bytes + at, end - at}, !found);
        if (found) at = groups[1];
    }
    if (!status) status = am_buffer_status(&out);
    am_buffer_deinit(status ? &out : text);
    if (!status) *text = out;
    return status;
}

/* Replaces matches of CENTS ("$2 and ¢7": "$2.07") or of ZERO_CENTS ("$0.50": "¢50"). */
static am_status replace_cents(const am_py_regex *pattern, bool has_whole, am_buffer *text)
{
    am_buffer out = {0};
    am_text whole = am_buffer_view(text);
    size_t at = 0, groups[8];
    bool found = true;
    am_status status = NULL;
    while (!status) {
        status = am_py_regex_search(pattern, whole, at, groups, has_whole ? 4 : 2, &found);
        if (status || !found) break;
        const size_t *cents = &groups[has_whole ? 6 : 2];
        int number = 0;
        for (size_t i = cents[0]; i < cents[1]; i++) number = 10 * number + whole.bytes[i] - '0';
        am_buffer_append(&out, whole.bytes + at, groups[0] - at);
        if (has_whole) {
            am_buffer_append(&out, whole.bytes + groups[2], groups[5] - groups[2]);
            am_buffer_printf(&out, ".%02d", number);
        } else am_buffer_printf(&out, "¢%d", number);
        at = groups[1];
    }
    if (!status) am_buffer_append(&out, whole.bytes + at, whole.length - at);
    if (!status) status = am_buffer_status(&out);
    am_buffer_deinit(status ? &out : text);
    if (!status) *text = out;
    return status;
}

am_status am_whisper_numbers_apply(const am_whisper_numbers *numbers, am_buffer *text)
{
    am_py_regex *const *p = numbers->patterns;
    AM_TRY(replace_halves(p[HALF], text));
    AM_TRY(am_py_regex_replace(p[LETTER_DIGIT], text, "\\1 \\2"));
    AM_TRY(am_py_regex_replace(p[DIGIT_LETTER], text, "\\1 \\2"));
    AM_TRY(am_py_regex_replace(p[SUFFIX], text, "\\1\\2"));
    AM_TRY(process_words(text));
    AM_TRY(replace_cents(p[CENTS], true, text));
    AM_TRY(replace_cents(p[ZERO_CENTS], false, text));
    return am_py_regex_replace(p[ONES], text, "one\\1");
}

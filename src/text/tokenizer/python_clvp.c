/* ClvpTokenizer: English is written out as it is spoken (EnglishNormalizer), then cut as GPT-2 does. */
#include "text/tokenizer/python_tokenizer.h"

#include "base/memory.h"

enum { LONGEST_NUMBER = 4300, SPOKEN_DIGITS = 18 };

typedef struct clvp {
    bool ignores_errors; /* of UTF-8 when decoding, else U+FFFD */
    bool has_space, has_stop;
} clvp;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t count_digits(am_text text, size_t at)
{
    size_t count = 0;
    while (at + count < text.length && is_digit(text.bytes[at + count])) count++;
    return count;
}

/* ---- numbers in words ---- */

static const char *const small_numbers[] = {"zero",    "one",     "two",       "three",    "four",     "five",    "six",
                                            "seven",   "eight",   "nine",      "ten",      "eleven",   "twelve",  "thirteen",
                                            "fourteen", "fifteen", "sixteen",  "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};

static void append_below_thousand(uint64_t number, am_buffer *out)
{
    if (number >= 100) {
        am_buffer_append_string(out, small_numbers[number / 100]);
        am_buffer_append_string(out, number % 100 ? " hundred " : " hundred");
        number %= 100;
        if (number == 0) return;
    }
    if (number < 20) {
        am_buffer_append_string(out, small_numbers[number]);
        return;
    }
    am_buffer_append_string(out, tens[number / 10]);
    if (number % 10 == 0) return;
    am_buffer_append_char(out, '-');
    am_buffer_append_string(out, small_numbers[number % 10]);
}

/* number_to_words of a number of at most 18 digits. */
static void append_words(uint64_t number, am_buffer *out)
{
    static const struct {
        uint64_t unit;
        const char *name;
    } units[] = {{1000000000000000u, " quadrillion"}, {1000000000000u, " trillion"}, {1000000000u, " billion"},
                 {1000000u, " million"},              {1000u, " thousand"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (number < units[i].unit) continue;
        append_below_thousand(number / units[i].unit, out);
        am_buffer_append_string(out, units[i].name);
        number %= units[i].unit;
        if (number == 0) return;
        am_buffer_append(out, ", ", 2);
    }
    append_below_thousand(number, out);
}

/* int() of digits: false for too many of them. *spoken: at most 18 digits, which are *value. */
static am_status read_number(am_text digits, bool *spoken, uint64_t *value)
{
    if (digits.length > LONGEST_NUMBER)
        return am_error(AM_OUT_OF_RANGE, "a number of %zu digits, more than the limit of %d", digits.length,
                        LONGEST_NUMBER);
    while (digits.length && digits.bytes[0] == '0') digits.bytes++, digits.length--;
    *spoken = digits.length <= SPOKEN_DIGITS;
    *value = 0;
    for (size_t i = 0; *spoken && i < digits.length; i++) *value = *value * 10 + (uint64_t)(digits.bytes[i] - '0');
    return NULL;
}

static void append_spoken(bool spoken, uint64_t value, am_buffer *out)
{
    if (spoken) append_words(value, out);
    else am_buffer_append_string(out, "number out of range");
}

/* _expand_number */
static am_status append_number(am_text digits, am_buffer *out)
{
    bool spoken;
    uint64_t value;
    AM_TRY(read_number(digits, &spoken, &value));
    bool year = spoken && value > 1000 && value < 3000;
    if (year && value > 2000 && value < 2010) {
        am_buffer_append_string(out, "two thousand ");
        append_words(value % 100, out);
    } else if (year && value != 2000 && value % 100 == 0) {
        append_words(value / 100, out);
        am_buffer_append_string(out, " hundred");
    } else {
        append_spoken(spoken, value, out);
    }
    return NULL;
}

/* _expand_ordinal */
static am_status append_ordinal(am_text digits, am_buffer *out)
{
    static const char *const suffixes[] = {"th", "st", "nd", "rd"};
    bool spoken;
    uint64_t value;
    AM_TRY(read_number(digits, &spoken, &value));
    append_spoken(spoken, value, out);
    unsigned last = (unsigned)(digits.bytes[digits.length - 1] - '0');
    bool teen = digits.length > 1 && (digits.bytes[digits.length - 2] == '1' ||
                                      (digits.bytes[digits.length - 2] == '2' && last == 0));
    am_buffer_append_string(out, suffixes[!teen && last <= 3 ? last : 0]);
    return NULL;
}

/* ---- steps of EnglishNormalizer, each from one text to another ---- */

/* ASCII only, in lower case. */
static am_status to_ascii(am_text text, am_buffer *out)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.bytes[i] < 0x80)
            am_buffer_append_char(out, (char)am_char_lower((unsigned char)text.bytes[i]));
    return NULL;
}

/* End of the run of digits and `others` at `at`, cut behind its last digit; `at` when there is none. */
static size_t run_end(am_text text, size_t at, const char *others)
{
    size_t end = at, last = at;
    for (; end < text.length && (is_digit(text.bytes[end]) || (text.bytes[end] && strchr(others, text.bytes[end]))); end++)
        if (is_digit(text.bytes[end])) last = end + 1;
    return last;
}

/* Without commas inside numbers. */
static am_status remove_commas(am_text text, am_buffer *out)
{
    for (size_t at = 0; at < text.length; at++) {
        size_t end = is_digit(text.bytes[at]) ? run_end(text, at, ",") : at;
        if (end <= at + 2) {
            am_buffer_append_char(out, text.bytes[at]);
            continue;
        }
        for (; at < end; at++)
            if (text.bytes[at] != ',') am_buffer_append_char(out, text.bytes[at]);
        at--;
    }
    return NULL;
}

/* str(int(digits)), "" standing for zero; fails where int() does. */
static am_status plain_number(am_text digits, am_text *out)
{
    bool spoken;
    uint64_t value;
    if (count_digits(digits, 0) != digits.length)
        return am_error(AM_OUT_OF_RANGE, "\"%.*s\" is no amount of dollars", (int)(digits.length < 40 ? digits.length : 40),
                        digits.bytes);
    AM_TRY(read_number(digits, &spoken, &value));
    while (digits.length && digits.bytes[0] == '0') digits.bytes++, digits.length--;
    *out = digits;
    return NULL;
}

static void append_amount(am_text number, const char *unit, am_buffer *out)
{
    am_buffer_append(out, number.bytes, number.length);
    am_buffer_append_char(out, ' ');
    am_buffer_append_string(out, unit);
    if (!am_text_is(number, "1")) am_buffer_append_char(out, 's');
}

/* _expand_dollars */
static am_status append_dollars(am_text amount, am_buffer *out)
{
    am_text rest = amount, parts[2] = {{"", 0}, {"", 0}}, part;
    size_t count = 0;
    bool more = true;
    for (; am_py_next_part(&rest, '.', &more, &part); count++)
        if (count < 2) parts[count] = part;
    if (count > 2) {
        am_buffer_append(out, amount.bytes, amount.length);
        am_buffer_append_string(out, " dollars");
        return NULL;
    }
    for (size_t i = 0; i < 2; i++) AM_TRY(plain_number(parts[i], &parts[i]));
    if (parts[0].length) append_amount(parts[0], "dollar", out);
    if (parts[0].length && parts[1].length) am_buffer_append(out, ", ", 2);
    if (parts[1].length) append_amount(parts[1], "cent", out);
    if (!parts[0].length && !parts[1].length) am_buffer_append_string(out, "zero dollars");
    return NULL;
}

static am_status expand_dollars(am_text text, am_buffer *out)
{
    for (size_t at = 0; at < text.length; at++) {
        size_t end = text.bytes[at] == '$' ? run_end(text, at + 1, ".,") : at;
        if (end <= at + 1) {
            am_buffer_append_char(out, text.bytes[at]);
            continue;
        }
        AM_TRY(append_dollars((am_text){text.bytes + at + 1, end - at - 1}, out));
        at = end - 1;
    }
    return NULL;
}

static am_status expand_points(am_text text, am_buffer *out)
{
    for (size_t at = 0; at < text.length;) {
        size_t whole = count_digits(text, at), point = at + whole;
        size_t part = whole && point < text.length && text.bytes[point] == '.' ? count_digits(text, point + 1) : 0;
        if (part) {
            am_buffer_append(out, text.bytes + at, whole);
            am_buffer_append_string(out, " point ");
            am_buffer_append(out, text.bytes + point + 1, part);
            at = point + 1 + part;
        } else {
            am_buffer_append(out, text.bytes + at, whole ? whole : 1);
            at += whole ? whole : 1;
        }
    }
    return NULL;
}

static bool ends_ordinal(am_text text, size_t at)
{
    static const char *const suffixes[] = {"st", "nd", "rd", "th"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (at + 2 <= text.length && memcmp(text.bytes + at, suffixes[i], 2) == 0) return true;
    return false;
}

static am_status expand_numbers(am_text text, am_buffer *out)
{
    for (size_t at = 0; at < text.length;) {
        size_t digits = count_digits(text, at);
        am_text number = {text.bytes + at, digits};
        if (digits == 0) {
            am_buffer_append_char(out, text.bytes[at++]);
            continue;
        }
        at += digits;
        if (!ends_ordinal(text, at)) AM_TRY(append_number(number, out));
        else {
            AM_TRY(append_ordinal(number, out));
            at += 2;
        }
    }
    return NULL;
}

static bool is_word_char(char c)
{
    return am_char_is_word((unsigned char)c);
}

/* Words with a full stop behind, one after the other as in Python: what one becomes may hide another. */
static am_status expand_abbreviations(am_text text, am_buffer *out)
{
    static const char *const words[][2] = {
        {"mrs.", "misess"},   {"mr.", "mister"},   {"dr.", "doctor"}, {"st.", "saint"},    {"co.", "company"},
        {"jr.", "junior"},    {"maj.", "major"},   {"gen.", "general"}, {"drs.", "doctors"}, {"rev.", "reverend"},
        {"lt.", "lieutenant"}, {"hon.", "honorable"}, {"sgt.", "sergeant"}, {"capt.", "captain"}, {"esq.", "esquire"},
        {"ltd.", "limited"},  {"col.", "colonel"}, {"ft.", "fort"}};
    am_buffer last = {0};
    am_buffer_append(out, text.bytes, text.length);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        am_buffer swapped = last;
        size_t size = strlen(words[i][0]);
        last = *out;
        *out = swapped;
        am_buffer_clear(out);
        for (size_t at = 0; at < last.length;) {
            bool found = size <= last.length - at && memcmp(last.bytes + at, words[i][0], size) == 0 &&
                         (at == 0 || !is_word_char(last.bytes[at - 1]));
            if (found) am_buffer_append_string(out, words[i][1]);
            else am_buffer_append_char(out, last.bytes[at]);
            at += found ? size : 1;
        }
    }
    am_status status = am_buffer_status(&last);
    am_buffer_deinit(&last);
    return status;
}

/* One space for white space, and no double quotes. */
static am_status collapse(am_text text, am_buffer *out)
{
    for (size_t at = 0; at < text.length; at++) {
        bool space = am_py_is_space((unsigned char)text.bytes[at]);
        if (space && at > 0 && am_py_is_space((unsigned char)text.bytes[at - 1])) continue;
        if (space) am_buffer_append_char(out, ' ');
        else if (text.bytes[at] != '"') am_buffer_append_char(out, text.bytes[at]);
    }
    return NULL;
}

/* EnglishNormalizer, into an empty buffer. */
static am_status normalize(am_text text, am_buffer *out)
{
    static am_status (*const steps[])(am_text, am_buffer *) = {
        to_ascii, remove_commas, expand_dollars, expand_points, expand_numbers, expand_abbreviations, collapse};
    am_buffer now = {0};
    am_status status = NULL;
    for (size_t i = 0; !status && i < sizeof steps / sizeof steps[0]; i++) {
        am_buffer_clear(out);
        status = steps[i](i == 0 ? text : am_buffer_view(&now), out);
        if (!status) status = am_buffer_status(out);
        am_buffer last = now;
        now = *out;
        *out = last;
    }
    am_buffer_deinit(out);
    *out = now;
    return status;
}

/* ---- words ---- */

typedef enum kind { SPACE, LETTER, DIGIT, OTHER } kind;

static kind kind_of(char c)
{
    if (am_py_is_space((unsigned char)c)) return SPACE;
    if (is_digit(c)) return DIGIT;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? LETTER : OTHER;
}

/* Length of the word at the start of the text, as GPT-2's pattern cuts ASCII in which white space is single spaces. */
static size_t word_length(am_text text)
{
    static const char *const contractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    for (size_t i = 0; i < sizeof contractions / sizeof contractions[0]; i++) {
        size_t length = strlen(contractions[i]);
        if (length <= text.length && memcmp(text.bytes, contractions[i], length) == 0) return length;
    }
    size_t at = text.bytes[0] == ' ' && text.length > 1 && kind_of(text.bytes[1]) != SPACE;
    kind wanted = kind_of(text.bytes[at]);
    size_t end = at + 1;
    while (end < text.length && kind_of(text.bytes[end]) == wanted) end++;
    if (wanted == SPACE && end < text.length && end > 1) end--; /* the last space belongs to the word behind it */
    return end;
}

static am_status tokenize_word(const am_python *p, am_scratch *s, am_text word)
{
    const clvp *own = p->own;
    am_buffer bytes = {0};
    for (size_t i = 0; i < word.length; i++) am_py_append(&bytes, am_byte_level_char((unsigned char)word.bytes[i]));
    am_status status = am_buffer_status(&bytes);
    size_t first = s->token_count;
    if (!status) am_py_bpe_tokenize(p->bpe, s, am_buffer_view(&bytes), NULL);
    am_buffer_deinit(&bytes);
    for (size_t i = first; own->has_space && i < s->token_count; i++)
        if (am_text_is(s->tokens[i].text, "\xc4\xa0")) s->tokens[i].text = (am_text){"[SPACE]", 7};
    return status;
}

static am_status tokenize_clvp(const am_python *p, am_scratch *s, am_text text)
{
    am_buffer normal = {0};
    am_status status = normalize(text, &normal);
    am_text rest = am_buffer_view(&normal);
    while (!status && rest.length && !s->failed) {
        size_t length = word_length(rest);
        status = tokenize_word(p, s, (am_text){rest.bytes, length});
        rest.bytes += length;
        rest.length -= length;
    }
    am_buffer_deinit(&normal);
    return status;
}

/* ---- the class ---- */

static am_status open_clvp(am_auto *a, am_python *p)
{
    am_vocabulary *vocabulary;
    clvp *own = p->own = am_arena_alloc(a->loader.arena, sizeof *own);
    if (!own) return am_out_of_memory();
    am_text errors = am_auto_config_text(a, "errors", "replace");
    own->ignores_errors = am_text_is(errors, "ignore");
    if (!own->ignores_errors && !am_text_is(errors, "replace"))
        return am_error(AM_UNSUPPORTED, "%s: errors: \"%.*s\"; \"replace\" and \"ignore\" are here", a->directory,
                        (int)errors.length, errors.bytes);
    AM_TRY(am_python_init_vocabulary(a, 1, &vocabulary));
    am_vocabulary_deinit(vocabulary);
    AM_TRY(am_python_read_vocab_json(a, "vocab.json", vocabulary));
    own->has_space = am_vocabulary_id(vocabulary, (am_text){"[SPACE]", 7}) >= 0;
    own->has_stop = am_vocabulary_id(vocabulary, (am_text){"[STOP]", 6}) >= 0;
    return am_py_bpe_read(a, "merges.txt", AM_PY_MERGES_AFTER_HEADER, "", &p->bpe);
}

static am_status join_clvp(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                           am_buffer *out)
{
    const clvp *own = p->own;
    am_buffer bytes = {0};
    am_status status = NULL;
    uint32_t size;
    (void)options;
    for (size_t i = 0; !status && i < count; i++)
        for (size_t at = 0; !status && at < tokens[i].length; at += size) {
            int byte = am_byte_level_byte(am_char_at(tokens[i].bytes + at, &size));
            if (byte >= 0) am_buffer_append_char(&bytes, (char)byte);
            else
                status = am_error(AM_OUT_OF_RANGE, "the token \"%.*s\" is not made of the characters of bytes",
                                  (int)tokens[i].length, tokens[i].bytes);
        }
    if (!status) status = am_buffer_status(&bytes);
    if (!status) am_py_decode_utf8(am_buffer_text(&bytes), bytes.length, !own->ignores_errors, out);
    am_buffer_deinit(&bytes);
    return status;
}

static am_status clean_up_clvp(const am_python *p, am_buffer *text)
{
    const clvp *own = p->own;
    const am_added_tokens *added = &p->tokenizer->added;
    bool space = own->has_space || am_added_tokens_find(added, (am_text){"[SPACE]", 7});
    bool stop = own->has_stop || am_added_tokens_find(added, (am_text){"[STOP]", 6});
    if (space) AM_TRY(am_py_replace(text, "[SPACE]", " "));
    if (stop) AM_TRY(am_py_replace(text, "[STOP]", " "));
    if (p->unk_token.length && text->length) AM_TRY(am_replace_all(text, p->unk_token, (am_text){"", 0}));
    AM_TRY(am_py_replace(text, "   ", " "));
    return am_py_replace(text, "  ", " ");
}

static const char *const clvp_defaults[] = {"unk_token", "[UNK]",  "bos_token", "<|endoftext|>", "eos_token",
                                            "[STOP]",    "pad_token", "[STOP]", NULL};

static const am_python_class clvp_class = {.open = open_clvp,
                                           .tokenize = tokenize_clvp,
                                           .join = join_clvp,
                                           .clean_up = clean_up_clvp,
                                           .skips_unknown_ids = true,
                                           .single = "A",
                                           .pair = "A B"};

const am_auto_class am_python_clvp_classes[] = {
    {.name = "ClvpTokenizer", .defaults = clvp_defaults, .python = &clvp_class}, {0}};

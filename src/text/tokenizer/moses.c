/* Cutting a text into words: rules in order, each of which rewrites the whole text. */
#include "text/tokenizer/moses.h"

#include "base/memory.h"
#include "text/tokenizer/moses_tables.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NBSP "\xc2\xa0"

typedef struct rule {
    const char *pattern, *replacement; /* of re.sub; {name} is a set of characters */
} rule;

/* ---- replace_unicode_punct of transformers ---- */

static const rule unicode_punctuation[] = {
    {"，", ","},  {"。[{space}]*", ". "}, {"、", ","},  {"”", "\""}, {"“", "\""}, {"∶", ":"},   {"：", ":"},
    {"？", "?"},  {"《", "\""},           {"》", "\""}, {"）", ")"}, {"！", "!"}, {"（", "("},  {"；", ";"},
    {"１", "1"},  {"」", "\""},           {"「", "\""}, {"０", "0"}, {"３", "3"}, {"２", "2"},  {"５", "5"},
    {"６", "6"},  {"９", "9"},            {"７", "7"},  {"８", "8"}, {"４", "4"}, {"．[{space}]*", ". "},
    {"～", "~"},  {"’", "'"},             {"…", "..."}, {"━", "-"},  {"〈", "<"}, {"〉", ">"},  {"【", "["},
    {"】", "]"},  {"％", "%"}};

/* ---- MosesPunctNormalizer ---- */

static const rule punctuation[] = {
    /* EXTRA_WHITESPACE */
    {"\\r", ""},
    {"\\(", " ("},
    {"\\)", ") "},
    {" +", " "},
    {"\\) ([.!:?;,])", ")\\1"},
    {"\\( ", "("},
    {" \\)", ")"},
    {"([{digit}]) %", "\\1%"},
    {" :", ":"},
    {" ;", ";"},
    /* NORMALIZE_UNICODE_IF_NOT_PENN */
    {"`", "'"},
    {"''", " \" "},
    /* NORMALIZE_UNICODE */
    {"„", "\""},
    {"“", "\""},
    {"”", "\""},
    {"–", "-"},
    {"—", " - "},
    {" +", " "},
    {"´", "'"},
    {"([a-zA-Z])‘([a-zA-Z])", "\\1'\\2"},
    {"([a-zA-Z])’([a-zA-Z])", "\\1'\\2"},
    {"‘", "'"},
    {"‚", "'"},
    {"’", "'"},
    {"''", "\""},
    {"´´", "\""},
    {"…", "..."},
    /* FRENCH_QUOTES */
    {NBSP "«" NBSP, "\""},
    {"«" NBSP, "\""},
    {"«", "\""},
    {NBSP "»" NBSP, "\""},
    {NBSP "»", "\""},
    {"»", "\""},
    /* HANDLE_PSEUDO_SPACES */
    {NBSP "%", "%"},
    {"nº" NBSP, "nº "},
    {NBSP ":", ":"},
    {NBSP "ºC", " ºC"},
    {NBSP "cm", " cm"},
    {NBSP "\\?", "?"},
    {NBSP "!", "!"},
    {NBSP ";", ";"},
    {"," NBSP, ", "},
    {" +", " "},
};

static const rule english_commas[] = {{"\"([,.]+)", "\\1\""}};
static const rule german_commas[] = {{",\"", "\","}, {"(\\.+)\"([{space}]*[^<])", "\"\\1\\2"}};
static const rule decimal_commas[] = {{"([{digit}])" NBSP "([{digit}])", "\\1,\\2"}};
static const rule decimal_points[] = {{"([{digit}])" NBSP "([{digit}])", "\\1.\\2"}};

/* ---- MosesTokenizer ---- */

static const rule junk[] = {{"[{space}]+", " "}, {"[\\x00-\\x1f]", ""}};
static const rule pad_others[] = {{"([^{alnum}{space}.'`,\\-])", " \\1 "}};
static const rule hyphens[] = {{"([{alnum}])-(?=[{alnum}])", "\\1 @-@ "}};
static const rule commas[] = {
    {"([^{number}]),", "\\1 , "}, {",([^{number}])", " , \\1"}, {"([{number}]),$", "\\1 , "}};
static const rule english_apostrophes[] = {{"([^{alpha}])'([^{alpha}])", "\\1 ' \\2"},
                                           {"([^{alpha}{number}])'([{alpha}])", "\\1 ' \\2"},
                                           {"([{alpha}])'([^{alpha}])", "\\1 ' \\2"},
                                           {"([{alpha}])'([{alpha}])", "\\1 '\\2"},
                                           {"([{number}])'(s)", "\\1 '\\2"}};
static const rule french_apostrophes[] = {{"([^{alpha}])'([^{alpha}])", "\\1 ' \\2"},
                                          {"([^{alpha}])'([{alpha}])", "\\1 ' \\2"},
                                          {"([{alpha}])'([^{alpha}])", "\\1 ' \\2"},
                                          {"([{alpha}])'([{alpha}])", "\\1' \\2"}};
static const rule other_apostrophes[] = {{"'", " ' "}};
static const rule ends[] = {{"[{space}]+", " "}};
static const rule trailing[] = {{"\\.' ?$", " . ' "}};

typedef struct rule_list {
    const rule *rules;
    am_py_regex **regexes;
    size_t count;
} rule_list;

enum { PUNCTUATION_LISTS = 4, START_LISTS = 3, WORD_LISTS = 2 };

struct am_moses {
    rule_list normalize[PUNCTUATION_LISTS], start[START_LISTS], words[WORD_LISTS], ends, trailing;
    const moses_prefixes *prefixes;
    uint32_t (*alpha)[2]; /* in order */
    size_t alpha_count;
    bool escape;
};

/* ---- making ---- */

static bool is_one_of(const char *language, const char *list)
{
    return strlen(language) == 2 && strstr(list, language) != NULL;
}

static int by_start(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

typedef struct letters {
    const uint32_t (*ranges)[2];
    size_t count;
} letters;

/* What the language adds to letters. */
static letters letters_of(const char *language)
{
    if (strcmp(language, "ko") == 0) return (letters){moses_hangul, COUNT(moses_hangul)};
    if (strcmp(language, "zh") == 0) return (letters){moses_han, COUNT(moses_han)};
    if (strcmp(language, "ja") == 0) return (letters){moses_japanese, COUNT(moses_japanese)};
    return (letters){0};
}

/* The ranges of both, which may overlap, ascending by their starts. */
static am_status join_ranges(const uint32_t (*base)[2], size_t count, letters more, uint32_t (**out)[2])
{
    *out = am_alloc((count + more.count) * sizeof **out);
    if (!*out) return am_out_of_memory();
    memcpy(*out, base, count * sizeof **out);
    if (more.count) memcpy(*out + count, more.ranges, more.count * sizeof **out);
    qsort(*out, count + more.count, sizeof **out, by_start);
    return NULL;
}

static am_status compile(rule_list *list, const rule *rules, size_t count, const am_py_set *sets)
{
    *list = (rule_list){rules, am_alloc_zeroed(count, sizeof *list->regexes), count};
    if (!list->regexes) return am_out_of_memory();
    for (size_t i = 0; i < count; i++) AM_TRY(am_py_regex_create(rules[i].pattern, false, sets, &list->regexes[i]));
    return NULL;
}

#define COMPILE(list, rules, sets) compile((list), (rules), COUNT(rules), (sets))

static am_status compile_normalizer(am_moses *m, const char *language)
{
    AM_TRY(COMPILE(&m->normalize[0], unicode_punctuation, NULL));
    AM_TRY(COMPILE(&m->normalize[1], punctuation, NULL));
    if (strcmp(language, "en") == 0) AM_TRY(COMPILE(&m->normalize[2], english_commas, NULL));
    else if (is_one_of(language, "de es fr")) AM_TRY(COMPILE(&m->normalize[2], german_commas, NULL));
    return is_one_of(language, "de es cz cs fr") ? COMPILE(&m->normalize[3], decimal_commas, NULL)
                                                 : COMPILE(&m->normalize[3], decimal_points, NULL);
}

static am_status compile_tokenizer(am_moses *m, const am_moses_options *options, const am_py_set *sets)
{
    AM_TRY(COMPILE(&m->start[0], junk, sets));
    AM_TRY(COMPILE(&m->start[1], pad_others, sets));
    if (options->aggressive_dash_splits) AM_TRY(COMPILE(&m->start[2], hyphens, sets));
    AM_TRY(COMPILE(&m->words[0], commas, sets));
    AM_TRY(COMPILE(&m->ends, ends, sets));
    AM_TRY(COMPILE(&m->trailing, trailing, sets));
    if (strcmp(options->language, "en") == 0) return COMPILE(&m->words[1], english_apostrophes, sets);
    if (is_one_of(options->language, "fr it")) return COMPILE(&m->words[1], french_apostrophes, sets);
    return COMPILE(&m->words[1], other_apostrophes, sets);
}

static const moses_prefixes *prefixes_of(const char *language)
{
    const moses_prefixes *english = NULL;
    for (size_t i = 0; i < COUNT(moses_prefix_lists); i++) {
        if (strcmp(moses_prefix_lists[i].language, language) == 0) return &moses_prefix_lists[i];
        if (strcmp(moses_prefix_lists[i].language, "en") == 0) english = &moses_prefix_lists[i];
    }
    return english;
}

static am_status fill(am_moses *m, const am_moses_options *options)
{
    uint32_t(*alnum)[2];
    letters more = letters_of(options->language);
    m->escape = options->escape;
    m->prefixes = prefixes_of(options->language);
    m->alpha_count = COUNT(moses_alpha) + more.count;
    AM_TRY(join_ranges(moses_alpha, COUNT(moses_alpha), more, &m->alpha));
    AM_TRY(join_ranges(moses_alnum, COUNT(moses_alnum), more, &alnum));
    const am_py_set sets[] = {{"alnum", (const uint32_t(*)[2])alnum, COUNT(moses_alnum) + more.count},
                              {"alpha", moses_alpha, COUNT(moses_alpha)},
                              {"number", moses_number, COUNT(moses_number)},
                              {0}};
    am_status status = compile_normalizer(m, options->language);
    if (!status) status = compile_tokenizer(m, options, sets);
    am_free(alnum);
    return status;
}

am_status am_moses_create(const am_moses_options *options, am_moses **out)
{
    *out = am_alloc_zeroed(1, sizeof **out);
    if (!*out) return am_out_of_memory();
    am_status status = fill(*out, options);
    if (!status) return NULL;
    am_moses_destroy(*out);
    *out = NULL;
    return status;
}

static void destroy_lists(rule_list *lists, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; lists[i].regexes && k < lists[i].count; k++) am_py_regex_destroy(lists[i].regexes[k]);
        am_free(lists[i].regexes);
    }
}

void am_moses_destroy(am_moses *m)
{
    if (!m) return;
    destroy_lists(m->normalize, PUNCTUATION_LISTS);
    destroy_lists(m->start, START_LISTS);
    destroy_lists(m->words, WORD_LISTS);
    destroy_lists(&m->ends, 1);
    destroy_lists(&m->trailing, 1);
    am_free(m->alpha);
    am_free(m);
}

/* ---- running ---- */

static am_status apply(const rule_list *list, am_buffer *text)
{
    for (size_t i = 0; i < list->count; i++)
        AM_TRY(am_py_regex_replace(list->regexes[i], text, list->rules[i].replacement));
    return NULL;
}

static am_status apply_all(const rule_list *lists, size_t count, am_buffer *text)
{
    for (size_t i = 0; i < count; i++) AM_TRY(apply(&lists[i], text));
    return NULL;
}

am_status am_moses_normalize(const am_moses *m, am_buffer *text)
{
    uint32_t size;
    size_t kept = 0;
    AM_TRY(apply_all(m->normalize, PUNCTUATION_LISTS, text));
    am_strip_like_python(text);
    for (size_t at = 0; at < text->length; at += size) {
        bool hidden = am_py_category(am_char_at(text->bytes + at, &size)) == 'C';
        if (hidden) continue;
        memmove(text->bytes + kept, text->bytes + at, size);
        kept += size;
    }
    text->length = kept;
    return NULL;
}

/* ---- words that end in a full stop ---- */

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

static bool has_letter(const am_moses *m, am_text text)
{
    uint32_t size;
    for (size_t at = 0; at < text.length; at += size) {
        uint32_t c = am_char_at(text.bytes + at, &size);
        for (size_t i = 0; i < m->alpha_count && m->alpha[i][0] <= c; i++)
            if (c <= m->alpha[i][1]) return true;
    }
    return false;
}

static bool is_listed(am_text text, const char *const *list)
{
    for (; *list; list++)
        if (am_text_is(text, *list)) return true;
    return false;
}

/* Whether the full stop stays on the word, of which `prefix` is what stands before it. */
static bool keeps_stop(const am_moses *m, am_text prefix, am_text next)
{
    uint32_t size;
    if (memchr(prefix.bytes, '.', prefix.length) && has_letter(m, prefix)) return true;
    bool numeric = is_listed(prefix, m->prefixes->numeric);
    if (!numeric && is_listed(prefix, m->prefixes->words)) return true;
    if (next.length == 0) return false;
    if (in_ranges(am_char_at(next.bytes, &size), moses_lower, COUNT(moses_lower))) return true;
    return numeric && next.bytes[0] >= '0' && next.bytes[0] <= '9';
}

/* handles_nonbreaking_prefixes */
static am_status handle_prefixes(const am_moses *m, am_buffer *text)
{
    am_buffer out = {0};
    am_text rest = am_buffer_view(text), word, next;
    bool more = am_py_next_word(&rest, &word);
    for (bool first = true; more; first = false, word = next) {
        more = am_py_next_word(&rest, &next);
        if (!first) am_buffer_append_char(&out, ' ');
        am_text prefix = {word.bytes, word.length - 1};
        bool stop = word.length > 1 && word.bytes[word.length - 1] == '.';
        if (stop && !keeps_stop(m, prefix, more ? next : (am_text){0})) {
            am_buffer_append(&out, prefix.bytes, prefix.length);
            am_buffer_append(&out, " .", 2);
        } else {
            am_buffer_append(&out, word.bytes, word.length);
        }
    }
    am_status status = am_buffer_status(&out);
    am_buffer_deinit(text);
    *text = out;
    return status;
}

/* ---- several full stops ---- */

/* replace_multidots: n of them become " ", "DOT" n times and "MULTI", with a space where more text follows. They stay
   so, as one word without full stops, until the end. */
static am_status hide_dots(am_buffer *text)
{
    am_buffer out = {0};
    for (size_t at = 0, end; at < text->length; at = end) {
        for (end = at; end < text->length && text->bytes[end] == '.';) end++;
        if (end - at < 2) {
            end = at + 1;
            am_buffer_append_char(&out, text->bytes[at]);
            continue;
        }
        am_buffer_append_char(&out, ' ');
        for (size_t i = at; i < end; i++) am_buffer_append_string(&out, "DOT");
        am_buffer_append_string(&out, end < text->length ? "MULTI " : "MULTI");
    }
    am_status status = am_buffer_status(&out);
    am_buffer_deinit(text);
    *text = out;
    return status;
}

/* restore_multidots */
static am_status show_dots(am_buffer *text)
{
    size_t kept = 0;
    for (size_t at = 0; at < text->length;) {
        size_t dots = 0;
        while (at + 3 * (dots + 1) <= text->length && memcmp(text->bytes + at + 3 * dots, "DOT", 3) == 0) dots++;
        size_t end = at + 3 * dots;
        if (dots > 0 && end + 5 <= text->length && memcmp(text->bytes + end, "MULTI", 5) == 0) {
            memset(text->bytes + kept, '.', dots);
            kept += dots;
            at = end + 5;
            continue;
        }
        size_t copied = dots > 0 ? 3 * dots : 1;
        memmove(text->bytes + kept, text->bytes + at, copied);
        kept += copied;
        at += copied;
    }
    text->length = kept;
    return NULL;
}

/* ---- all together ---- */

static am_status escape(am_buffer *text)
{
    static const rule entities[] = {{"&", "&amp;"},  {"|", "&#124;"}, {"<", "&lt;"},  {">", "&gt;"},
                                    {"'", "&apos;"}, {"\"", "&quot;"}, {"[", "&#91;"}, {"]", "&#93;"}};
    for (size_t i = 0; i < COUNT(entities); i++) AM_TRY(am_py_replace(text, entities[i].pattern, entities[i].replacement));
    return NULL;
}

am_status am_moses_tokenize(const am_moses *m, am_buffer *text)
{
    AM_TRY(apply(&m->start[0], text));
    am_strip_like_python(text);
    AM_TRY(apply_all(m->start + 1, START_LISTS - 1, text));
    AM_TRY(hide_dots(text));
    AM_TRY(apply_all(m->words, WORD_LISTS, text));
    AM_TRY(handle_prefixes(m, text));
    AM_TRY(apply(&m->ends, text));
    am_strip_like_python(text);
    AM_TRY(apply(&m->trailing, text));
    AM_TRY(show_dots(text));
    return m->escape ? escape(text) : NULL;
}

/* ---- MosesDetokenizer ---- */

bool am_moses_can_detokenize(am_text language)
{
    return !am_text_is(language, "cs") && !am_text_is(language, "fi");
}

typedef struct quote {
    am_text text;
    bool open;
} quote;

enum { QUOTES = 32 };

typedef struct detokenizer {
    am_text language;
    am_buffer *out;
    bool no_space; /* before the next word */
    quote quotes[QUOTES];
    size_t quote_count;
} detokenizer;

static void write(detokenizer *d, am_text word, bool space, bool space_behind)
{
    if (space && !d->no_space && d->out->length > 0) am_buffer_append_char(d->out, ' ');
    am_buffer_append(d->out, word.bytes, word.length);
    d->no_space = !space_behind;
}

static bool is_cjk(uint32_t c)
{
    return in_ranges(c, moses_cjk, COUNT(moses_cjk));
}

static bool is_alpha_at(am_text text, size_t at)
{
    uint32_t size;
    return at < text.length &&
           in_ranges(am_char_at(text.bytes + at, &size), moses_plain_alpha, COUNT(moses_plain_alpha));
}

static bool opens(uint32_t c)
{
    return c == '(' || c == '[' || c == '{' || c == 0xBF || c == 0xA1 ||
           in_ranges(c, moses_currency, COUNT(moses_currency));
}

static bool closes(uint32_t c)
{
    return c < 0x80 && c && strchr(",.?!:;\\%}])", (int)c);
}

static bool is_quote(uint32_t c)
{
    return c == '\'' || c == '"' || c == '`' || c == 0x201E || c == 0x201C;
}

static bool is_curly(uint32_t c)
{
    return c == 0x201E || c == 0x201C;
}

static bool all(am_text text, bool (*is)(uint32_t))
{
    uint32_t size;
    for (size_t at = 0; at < text.length; at += size)
        if (!is(am_char_at(text.bytes + at, &size))) return false;
    return true;
}

static quote *quote_of(detokenizer *d, am_text text)
{
    for (size_t i = 0; i < d->quote_count; i++)
        if (am_text_equal(d->quotes[i].text, text)) return &d->quotes[i];
    if (d->quote_count == QUOTES) return NULL;
    d->quotes[d->quote_count] = (quote){.text = text};
    return &d->quotes[d->quote_count++];
}

static am_status write_quote(detokenizer *d, am_text word, am_text before)
{
    quote *found = quote_of(d, all(word, is_curly) ? (am_text){"\"", 1} : word);
    if (!found) return am_error(AM_OUT_OF_RANGE, "more than %d kinds of quotation marks in a text", QUOTES);
    bool possessive = am_text_is(d->language, "en") && am_text_is(word, "'") && before.length > 0 &&
                      before.bytes[before.length - 1] == 's';
    if (!found->open && possessive) {
        write(d, word, false, true);
        return NULL;
    }
    write(d, word, !found->open, found->open);
    found->open = !found->open;
    return NULL;
}

static bool ends_like_french(am_text word)
{
    if (word.length < 2 || word.bytes[word.length - 1] != '\'') return false;
    return is_alpha_at(word, am_char_before(word.bytes, (uint32_t)word.length - 1));
}

static am_status write_word(detokenizer *d, am_text word, am_text before, am_text next)
{
    uint32_t size;
    bool romance = am_text_is(d->language, "fr") || am_text_is(d->language, "it") || am_text_is(d->language, "ga");
    if (is_cjk(am_char_at(word.bytes, &size)) && !am_text_is(d->language, "ko")) {
        bool follows =
            before.length > 0 &&
            is_cjk(am_char_at(before.bytes + am_char_before(before.bytes, (uint32_t)before.length), &size));
        write(d, word, !follows, true);
    } else if (all(word, opens)) {
        write(d, word, true, false);
    } else if (all(word, closes)) {
        if (am_text_is(d->language, "fr") && word.length == 1 && strchr("?!:;\\%", word.bytes[0]))
            am_buffer_append_char(d->out, ' ');
        write(d, word, false, true);
    } else if (am_text_is(d->language, "en") && before.length > 0 && word.bytes[0] == '\'' && is_alpha_at(word, 1)) {
        write(d, word, false, true);
    } else if (romance && ends_like_french(word) && is_alpha_at(next, 0)) {
        write(d, word, true, false);
    } else if (all(word, is_quote)) {
        return write_quote(d, word, before);
    } else {
        write(d, word, true, true);
    }
    return NULL;
}

static am_status unescape(am_buffer *text)
{
    static const rule entities[] = {{" @-@ ", "-"},   {"&bar;", "|"},   {"&#124;", "|"}, {"&lt;", "<"},
                                    {"&gt;", ">"},    {"&bra;", "["},   {"&ket;", "]"},  {"&quot;", "\""},
                                    {"&apos;", "'"},  {"&#91;", "["},   {"&#93;", "]"},  {"&amp;", "&"}};
    for (size_t i = 0; i < COUNT(entities); i++) AM_TRY(am_py_replace(text, entities[i].pattern, entities[i].replacement));
    return NULL;
}

am_status am_moses_detokenize(am_text words, am_text language, am_buffer *out)
{
    am_buffer text = {0}, joined = {0};
    detokenizer d = {.language = language, .out = &joined};
    am_text rest = words, word, before = {0}, next;
    am_buffer_append_char(&text, ' ');
    while (am_py_next_word(&rest, &word)) {
        am_buffer_append(&text, word.bytes, word.length);
        am_buffer_append_char(&text, ' ');
    }
    am_status status = am_buffer_status(&text);
    if (!status) status = unescape(&text);
    rest = am_buffer_view(&text);
    bool more = am_py_next_word(&rest, &word);
    for (; !status && more; before = word, word = next) {
        more = am_py_next_word(&rest, &next);
        status = write_word(&d, word, before, more ? next : (am_text){0});
    }
    if (!status) status = am_buffer_status(&joined);
    if (!status) am_strip_like_python(&joined);
    while (!status) {
        size_t length = joined.length;
        status = am_py_replace(&joined, "  ", " ");
        if (joined.length == length) break;
    }
    if (!status) am_buffer_append(out, joined.bytes, joined.length);
    am_buffer_deinit(&text);
    am_buffer_deinit(&joined);
    return status;
}

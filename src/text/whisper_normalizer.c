#include "text/whisper_normalizer.h"

#include "base/file.h"
#include "base/memory.h"
#include "text/whisper_numbers.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

typedef struct replacement {
    const char *pattern, *by;
} replacement;

#define WORD(text) AM_WORD_BEGINS text AM_WORD_ENDS

static const replacement removed[] = {
    {"[<\\[][^>\\]]*[>\\]]", ""}, /* words between brackets */
    {"\\(([^)]+?)\\)", ""},       /* and between parentheses */
};

/* In this order, after those. */
static const replacement written_out[] = {
    {WORD("(hmm|mm|mhm|mmm|uh|um)"), ""},
    {"[{space}]+'", "'"},
    {WORD("won't"), "will not"},
    {WORD("can't"), "can not"},
    {WORD("let's"), "let us"},
    {WORD("ain't"), "aint"},
    {WORD("y'all"), "you all"},
    {WORD("wanna"), "want to"},
    {WORD("gotta"), "got to"},
    {WORD("gonna"), "going to"},
    {WORD("i'ma"), "i am going to"},
    {WORD("imma"), "i am going to"},
    {WORD("woulda"), "would have"},
    {WORD("coulda"), "could have"},
    {WORD("shoulda"), "should have"},
    {WORD("ma'am"), "madam"},
    {WORD("mr"), "mister "},
    {WORD("mrs"), "missus "},
    {WORD("st"), "saint "},
    {WORD("dr"), "doctor "},
    {WORD("prof"), "professor "},
    {WORD("capt"), "captain "},
    {WORD("gov"), "governor "},
    {WORD("ald"), "alderman "},
    {WORD("gen"), "general "},
    {WORD("sen"), "senator "},
    {WORD("rep"), "representative "},
    {WORD("pres"), "president "},
    {WORD("rev"), "reverend "},
    {WORD("hon"), "honorable "},
    {WORD("asst"), "assistant "},
    {WORD("assoc"), "associate "},
    {WORD("lt"), "lieutenant "},
    {WORD("col"), "colonel "},
    {WORD("jr"), "junior "},
    {WORD("sr"), "senior "},
    {WORD("esq"), "esquire "},
    {"'d been" AM_WORD_ENDS, " had been"},
    {"'s been" AM_WORD_ENDS, " has been"},
    {"'d gone" AM_WORD_ENDS, " had gone"},
    {"'s gone" AM_WORD_ENDS, " has gone"},
    {"'d done" AM_WORD_ENDS, " had done"},
    {"'s got" AM_WORD_ENDS, " has got"},
    {"n't" AM_WORD_ENDS, " not"},
    {"'re" AM_WORD_ENDS, " are"},
    {"'s" AM_WORD_ENDS, " is"},
    {"'d" AM_WORD_ENDS, " would"},
    {"'ll" AM_WORD_ENDS, " will"},
    {"'t" AM_WORD_ENDS, " not"},
    {"'ve" AM_WORD_ENDS, " have"},
    {"'m" AM_WORD_ENDS, " am"},
    {"([{digit}]),([{digit}])", "\\1\\2"},
    {"\\.([^0-9]|$)", " \\1"}, /* periods that no number follows */
};

/* Signs that no number stands at. */
static const replacement tidied[] = {
    {"[.$¢€£]([^0-9])", " \\1"},
    {"([^0-9])%", "\\1 "},
};

static const replacement spaces = {"[{space}]+", " "};

struct am_whisper_normalizer {
    am_py_regex *removed[COUNT(removed)], *written_out[COUNT(written_out)], *tidied[COUNT(tidied)], *spaces;
    am_whisper_numbers numbers;
    am_json_document *spelling; /* null: none */
};

/* ---- opening ---- */

static am_status compile(const replacement *rows, size_t count, am_py_regex **out)
{
    for (size_t i = 0; i < count; i++) AM_TRY(am_py_regex_create(rows[i].pattern, false, NULL, &out[i]));
    return NULL;
}

static am_status read_spelling(am_whisper_normalizer *n, const char *directory)
{
    am_arena arena = {0};
    char *path = am_path_join(&arena, directory, "normalizer.json");
    am_status status = path ? NULL : am_out_of_memory();
    if (path && am_file_exists(path)) status = am_json_open(path, &n->spelling);
    if (!status && n->spelling && am_json_kind_of(am_json_root(n->spelling)) != AM_JSON_OBJECT)
        status = am_error(AM_INVALID_FILE, "%s: expected an object", path);
    am_arena_deinit(&arena);
    return status;
}

static am_status fill(am_whisper_normalizer *n, const char *directory)
{
    AM_TRY(compile(removed, COUNT(removed), n->removed));
    AM_TRY(compile(written_out, COUNT(written_out), n->written_out));
    AM_TRY(compile(tidied, COUNT(tidied), n->tidied));
    AM_TRY(compile(&spaces, 1, &n->spaces));
    AM_TRY(am_whisper_numbers_init(&n->numbers));
    return read_spelling(n, directory);
}

am_status am_whisper_normalizer_open(const char *directory, am_whisper_normalizer **out)
{
    *out = am_alloc_zeroed(1, sizeof **out);
    if (!*out) return am_out_of_memory();
    am_status status = fill(*out, directory);
    if (!status) return NULL;
    am_whisper_normalizer_close(*out);
    *out = NULL;
    return status;
}

void am_whisper_normalizer_close(am_whisper_normalizer *n)
{
    if (!n) return;
    for (size_t i = 0; i < COUNT(removed); i++) am_py_regex_destroy(n->removed[i]);
    for (size_t i = 0; i < COUNT(written_out); i++) am_py_regex_destroy(n->written_out[i]);
    for (size_t i = 0; i < COUNT(tidied); i++) am_py_regex_destroy(n->tidied[i]);
    am_py_regex_destroy(n->spaces);
    am_whisper_numbers_deinit(&n->numbers);
    am_json_close(n->spelling);
    am_free(n);
}

/* ---- steps ---- */

static am_status replace(am_py_regex *const *patterns, const replacement *rows, size_t count, am_buffer *text)
{
    for (size_t i = 0; i < count; i++) AM_TRY(am_py_regex_replace(patterns[i], text, rows[i].by));
    return NULL;
}

/* Puts `made` in the place of the text, or frees it where there is an error. */
static am_status exchange(am_status status, am_buffer *text, am_buffer *made)
{
    if (!status) status = am_buffer_status(made);
    am_buffer_deinit(status ? made : text);
    if (!status) *text = *made;
    return status;
}

static am_status lower(am_buffer *text)
{
    am_buffer out = {0};
    am_py_lower(am_buffer_view(text), &out);
    return exchange(NULL, text, &out);
}

/* Letters that have no decomposition. */
static const char *plain_letter(uint32_t c)
{
    static const struct {
        uint32_t letter;
        const char *plain;
    } letters[] = {{0x153, "oe"}, {0x152, "OE"},  {0xF8, "o"},  {0xD8, "O"},  {0xE6, "ae"}, {0xC6, "AE"},
                   {0xDF, "ss"},  {0x1E9E, "SS"}, {0x111, "d"}, {0x110, "D"}, {0xF0, "d"},  {0xD0, "D"},
                   {0xFE, "th"},  {0xDE, "th"},   {0x142, "l"}, {0x141, "L"}};
    for (size_t i = 0; i < COUNT(letters); i++)
        if (letters[i].letter == c) return letters[i].plain;
    return NULL;
}

static bool is_one_of(const uint32_t *kept, uint32_t c)
{
    for (; *kept; kept++)
        if (*kept == c) return true;
    return false;
}

/* Marks, symbols and punctuation become spaces, but for `kept` (ends with 0). */
static am_status remove_symbols(am_buffer *text, bool diacritics, const uint32_t *kept)
{
    am_buffer normal = {0}, out = {0};
    uint32_t size;
    am_status status = am_py_normalize(am_buffer_view(text), diacritics ? AM_PY_NFKD : AM_PY_NFKC, &normal);
    if (!status) status = am_buffer_status(&normal);
    for (size_t at = 0; at < normal.length && !status; at += size) {
        uint32_t c = am_char_at(normal.bytes + at, &size);
        const char *plain = diacritics ? plain_letter(c) : NULL;
        char category = am_py_category(c);
        bool symbol = (category == 'M' || category == 'S' || category == 'P') && !is_one_of(kept, c);
        if (plain) am_buffer_append_string(&out, plain);
        else if (!symbol) am_buffer_append(&out, normal.bytes + at, size);
        else if (!diacritics || !am_py_is_nonspacing(c)) am_buffer_append_char(&out, ' ');
    }
    am_buffer_deinit(&normal);
    return exchange(status, text, &out);
}

static am_status copy(am_text text, am_buffer *out)
{
    am_buffer_append(out, text.bytes, text.length);
    return am_buffer_status(out);
}

/* Words as normalizer.json spells them, with single spaces between. */
static am_status spell(const am_whisper_normalizer *n, am_buffer *text)
{
    am_buffer out = {0}, key = {0};
    am_text rest = am_buffer_view(text), word;
    while (am_py_next_word(&rest, &word)) {
        am_buffer_clear(&key);
        am_buffer_append(&key, word.bytes, word.length);
        bool has_zero = memchr(word.bytes, 0, word.length) != NULL;
        am_json found = has_zero ? (am_json){0} : am_json_get(am_json_root(n->spelling), am_buffer_text(&key));
        am_json_string spelled = am_json_text(found);
        if (out.length) am_buffer_append_char(&out, ' ');
        if (am_json_kind_of(found) == AM_JSON_STRING) am_buffer_append(&out, spelled.bytes, spelled.length);
        else am_buffer_append(&out, word.bytes, word.length);
    }
    am_status status = am_buffer_status(&key);
    am_buffer_deinit(&key);
    return exchange(status, text, &out);
}

/* ---- the normalizers ---- */

static am_status make_english(const am_whisper_normalizer *n, am_buffer *text)
{
    static const uint32_t kept[] = {'.', '%', '$', 0xA2, 0x20AC, 0xA3, 0};
    AM_TRY(lower(text));
    AM_TRY(replace(n->removed, removed, COUNT(removed), text));
    AM_TRY(replace(n->written_out, written_out, COUNT(written_out), text));
    AM_TRY(remove_symbols(text, true, kept));
    AM_TRY(am_whisper_numbers_apply(&n->numbers, text));
    AM_TRY(spell(n, text));
    AM_TRY(replace(n->tidied, tidied, COUNT(tidied), text));
    return am_py_regex_replace(n->spaces, text, spaces.by);
}

static am_status make_basic(const am_whisper_normalizer *n, bool remove_diacritics, am_buffer *text)
{
    static const uint32_t kept[] = {0};
    AM_TRY(lower(text));
    AM_TRY(replace(n->removed, removed, COUNT(removed), text));
    AM_TRY(remove_symbols(text, remove_diacritics, kept));
    AM_TRY(lower(text));
    return am_py_regex_replace(n->spaces, text, spaces.by);
}

am_status am_whisper_normalize_english(const am_whisper_normalizer *n, am_text text, am_buffer *out)
{
    am_buffer made = {0};
    if (!n->spelling) return am_error(AM_NOT_FOUND, "English texts need normalizer.json beside the tokenizer");
    am_status status = copy(text, &made);
    if (!status) status = make_english(n, &made);
    if (!status) status = copy(am_buffer_view(&made), out);
    am_buffer_deinit(&made);
    return status;
}

am_status am_whisper_normalize_basic(const am_whisper_normalizer *n, am_text text, bool remove_diacritics,
                                     am_buffer *out)
{
    am_buffer made = {0};
    am_status status = copy(text, &made);
    if (!status) status = make_basic(n, remove_diacritics, &made);
    if (!status) status = copy(am_buffer_view(&made), out);
    am_buffer_deinit(&made);
    return status;
}

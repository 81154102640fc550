#include "text/chat_template/lexer.h"

#include "base/utf8.h"
#include "text/chat_template/big_integer.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/string_literal.h"
#include "text/chat_template/text.h"
#include "text/chat_template/unicode.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    am_jtoken_kind kind;
} operators[] = {
    /* longer ones first */
    {"//", AM_T_FLOORDIV}, {"**", AM_T_POW},   {"==", AM_T_EQ},      {"!=", AM_T_NE},      {">=", AM_T_GTEQ},
    {"<=", AM_T_LTEQ},     {"+", AM_T_ADD},    {"-", AM_T_SUB},      {"/", AM_T_DIV},      {"*", AM_T_MUL},
    {"%", AM_T_MOD},       {"~", AM_T_TILDE},  {"[", AM_T_LBRACKET}, {"]", AM_T_RBRACKET}, {"(", AM_T_LPAREN},
    {")", AM_T_RPAREN},    {"{", AM_T_LBRACE}, {"}", AM_T_RBRACE},   {">", AM_T_GT},       {"<", AM_T_LT},
    {"=", AM_T_ASSIGN},    {".", AM_T_DOT},    {":", AM_T_COLON},    {"|", AM_T_PIPE},     {",", AM_T_COMMA},
    {";", AM_T_SEMICOLON},
};

const char *am_jtoken_describe_kind(am_jtoken_kind kind)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (operators[i].kind == kind) return operators[i].text;
    switch (kind) {
    case AM_T_DATA:
        return "template data / text";
    case AM_T_BLOCK_BEGIN:
        return "begin of statement block";
    case AM_T_BLOCK_END:
        return "end of statement block";
    case AM_T_VARIABLE_BEGIN:
        return "begin of print statement";
    case AM_T_VARIABLE_END:
        return "end of print statement";
    case AM_T_NAME:
        return "name";
    case AM_T_STRING:
        return "string";
    case AM_T_INTEGER:
        return "integer";
    case AM_T_FLOAT:
        return "float";
    default:
        return "end of template";
    }
}

const char *am_jtoken_describe(am_jinja *j, const am_jtoken *token)
{
    if (token->kind != AM_T_NAME) return am_jtoken_describe_kind(token->kind);
    const char *name = am_arena_string(&j->arena, token->value.string->bytes, token->value.string->length);
    return name ? name : "name";
}

static bool fail(am_jlexer *lexer, size_t offset, const char *message)
{
    am_jfail_code(lexer->j, AM_INVALID_FILE, "TemplateSyntaxError", "%s", message);
    am_jfail_at(lexer->j, offset);
    return false;
}

bool am_jlexer_normalize(am_jinja *j, const char *text, size_t length, const char **out, size_t *out_length)
{
    char *copy = am_jalloc(j, length + 1);
    size_t to = 0;
    if (!copy) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\r' && i + 1 < length && text[i + 1] == '\n') continue;
        copy[to++] = text[i] == '\r' ? '\n' : text[i];
    }
    if (to && copy[to - 1] == '\n') to--;
    *out = copy;
    *out_length = to;
    return true;
}

void am_jlexer_init(am_jlexer *lexer, am_jinja *j, const char *text, size_t length)
{
    *lexer = (am_jlexer){.j = j, .text = text, .length = length, .line_starting = true};
}

/* ---- pieces of text ---- */

static bool starts(const am_jlexer *lexer, size_t at, const char *what)
{
    size_t length = strlen(what);
    return lexer->length - at >= length && memcmp(lexer->text + at, what, length) == 0;
}

static size_t skip_space(const am_jlexer *lexer, size_t at)
{
    while (at < lexer->length) {
        uint32_t c;
        size_t step = am_utf8_next(lexer->text + at, lexer->length - at, &c);
        if (!am_jchar_is_space(c)) break;
        at += step;
    }
    return at;
}

/* End of text[begin, end) without the white space that ends it. */
static size_t without_space_at_end(const am_jlexer *lexer, size_t begin, size_t end)
{
    const am_jstring text = {.bytes = lexer->text + begin, .length = end - begin};
    size_t at = text.length;
    for (size_t before = at; before > 0; at = before)
        if (!am_jchar_is_space(am_jstring_previous(&text, &before))) break;
    return begin + at;
}

/* End of the data [begin, end) before a tag: `sign` '-' strips all white space, otherwise what stands alone
   before a block or comment on its line goes (lstrip_blocks) unless `sign` is '+'. */
static size_t strip_before_tag(const am_jlexer *lexer, size_t begin, size_t end, char sign, bool variable)
{
    if (sign == '-') return without_space_at_end(lexer, begin, end);
    if (sign == '+' || variable) return end;
    size_t line = end;
    while (line > begin && lexer->text[line - 1] != '\n') line--;
    if (line == begin && !lexer->line_starting) return end;
    return without_space_at_end(lexer, line, end) == line ? line : end;
}

static char sign_at(const am_jlexer *lexer, size_t at)
{
    char c = at < lexer->length ? lexer->text[at] : 0;
    return c == '-' || c == '+' ? c : 0;
}

/* End of a closing "%}", "#}" (with sign and what it takes along), or SIZE_MAX when none stands at `at`. */
static size_t match_end(const am_jlexer *lexer, size_t at, const char *closing)
{
    char sign = sign_at(lexer, at);
    size_t after = at + (sign != 0);
    if (after > lexer->length || !starts(lexer, after, closing)) return SIZE_MAX;
    after += 2;
    if (sign == '-') return skip_space(lexer, after);
    if (!sign && after < lexer->length && lexer->text[after] == '\n') after++;
    return after;
}

static size_t match_variable_end(const am_jlexer *lexer, size_t at)
{
    bool minus = sign_at(lexer, at) == '-';
    if (!starts(lexer, at + minus, "}}")) return SIZE_MAX;
    return minus ? skip_space(lexer, at + 3) : at + 2;
}

static void move_to(am_jlexer *lexer, size_t at)
{
    lexer->line_starting = at > lexer->at && lexer->text[at - 1] == '\n';
    lexer->at = at;
}

static bool data_token(am_jlexer *lexer, size_t begin, size_t end, am_jtoken *out)
{
    *out = (am_jtoken){.kind = AM_T_DATA, .offset = begin};
    return am_jstring_borrow(lexer->j, lexer->text + begin, end - begin, &out->value);
}

/* ---- comments and raw blocks ---- */

static am_jtoken end_token(const am_jlexer *lexer)
{
    return (am_jtoken){.kind = AM_T_END, .offset = lexer->length};
}

static bool skip_comment(am_jlexer *lexer, size_t begin)
{
    if (lexer->at == lexer->length) return true; /* nothing follows the opening: Jinja2 takes that for the end */
    for (size_t at = lexer->at; at < lexer->length; at++) {
        size_t end = match_end(lexer, at, "#}");
        if (end == SIZE_MAX) continue;
        move_to(lexer, end);
        return true;
    }
    return fail(lexer, begin, "Missing end of comment tag");
}

/* End of the "{% WORD %}" that begins at `at` (plain: WORD is raw, whose end takes no line end along), or
   SIZE_MAX. */
static size_t match_word_tag(const am_jlexer *lexer, size_t at, const char *word, bool plain)
{
    if (!starts(lexer, at, "{%")) return SIZE_MAX;
    at += 2;
    at = skip_space(lexer, at + (sign_at(lexer, at) != 0));
    if (!starts(lexer, at, word)) return SIZE_MAX;
    at = skip_space(lexer, at + strlen(word));
    if (!plain) return match_end(lexer, at, "%}");
    bool minus = sign_at(lexer, at) == '-';
    if (!starts(lexer, at + minus, "%}")) return SIZE_MAX;
    return minus ? skip_space(lexer, at + 3) : at + 2;
}

/* The text of a raw block, which begins at lexer->at. */
static bool raw_data(am_jlexer *lexer, am_jtoken *out)
{
    size_t begin = lexer->at;
    for (size_t at = begin; at < lexer->length; at++) {
        size_t end = lexer->text[at] == '{' ? match_word_tag(lexer, at, "endraw", false) : SIZE_MAX;
        if (end == SIZE_MAX) continue;
        size_t stop = strip_before_tag(lexer, begin, at, sign_at(lexer, at + 2), false);
        move_to(lexer, end);
        return data_token(lexer, begin, stop, out);
    }
    *out = end_token(lexer);
    return begin == lexer->length || fail(lexer, begin, "Missing end of raw directive");
}

/* ---- text between tags ---- */

static size_t find_tag(const am_jlexer *lexer, size_t at)
{
    for (; at + 1 < lexer->length; at++)
        if (lexer->text[at] == '{' && strchr("%{#", lexer->text[at + 1]) && lexer->text[at + 1]) return at;
    return SIZE_MAX;
}

/* Steps over the opening of a tag at lexer->at. *out gets the token when there is one. */
static bool enter_tag(am_jlexer *lexer, am_jtoken *out)
{
    size_t begin = lexer->at;
    size_t raw = match_word_tag(lexer, begin, "raw", true);
    if (raw != SIZE_MAX) {
        move_to(lexer, raw);
        return raw_data(lexer, out);
    }
    char which = lexer->text[begin + 1];
    move_to(lexer, begin + 2 + (sign_at(lexer, begin + 2) != 0));
    if (which == '#') return skip_comment(lexer, begin);
    lexer->state = which;
    *out = (am_jtoken){.kind = which == '%' ? AM_T_BLOCK_BEGIN : AM_T_VARIABLE_BEGIN, .offset = begin};
    return true;
}

static bool next_in_text(am_jlexer *lexer, am_jtoken *out)
{
    while (out->kind == AM_T_END && lexer->at < lexer->length) {
        size_t begin = lexer->at, tag = find_tag(lexer, begin);
        if (tag == SIZE_MAX) {
            move_to(lexer, lexer->length);
            return data_token(lexer, begin, lexer->length, out);
        }
        size_t end = tag;
        if (tag > begin) {
            end = strip_before_tag(lexer, begin, tag, sign_at(lexer, tag + 2), lexer->text[tag + 1] == '{');
            /* Not move_to: the text and the opening of the tag are one match to Jinja2's lexer. */
            lexer->at = tag;
            lexer->line_starting = false;
        }
        if (end > begin) return data_token(lexer, begin, end, out);
        if (!enter_tag(lexer, out)) return false;
        if (out->kind == AM_T_DATA && !out->value.string->length) *out = end_token(lexer);
    }
    return true;
}

/* ---- inside of tags ---- */

static size_t digits_at(const am_jlexer *lexer, size_t at, const char *digits)
{
    size_t begin = at;
    while (at < lexer->length) {
        bool underscore = lexer->text[at] == '_' && at > begin && at + 1 < lexer->length;
        char c = lexer->text[at + underscore];
        if (!c || !strchr(digits, c)) break;
        at += underscore + 1u;
    }
    return at;
}

#define DECIMALS "0123456789"

/* End of a float that begins at `at`, or `at`. */
static size_t match_float(const am_jlexer *lexer, size_t at)
{
    size_t whole = digits_at(lexer, at, DECIMALS), end = whole, mantissa;
    if (whole == at || (at && lexer->text[at - 1] == '.')) return at;
    if (end < lexer->length && lexer->text[end] == '.' && digits_at(lexer, end + 1, DECIMALS) > end + 1)
        end = digits_at(lexer, end + 1, DECIMALS);
    mantissa = end;
    if (end < lexer->length && (lexer->text[end] | 0x20) == 'e') {
        size_t digits = end + 1 + (sign_at(lexer, end + 1) != 0);
        if (digits_at(lexer, digits, DECIMALS) > digits) return digits_at(lexer, digits, DECIMALS);
    }
    return mantissa > whole ? mantissa : at;
}

static size_t match_based(const am_jlexer *lexer, size_t at, const char *digits)
{
    size_t begin = at + 2;
    if (begin < lexer->length && lexer->text[begin] == '_') begin++;
    size_t end = digits_at(lexer, begin, digits);
    return end > begin ? end : at;
}

/* End of an integer that begins at `at`, or `at`. */
static size_t match_integer(const am_jlexer *lexer, size_t at)
{
    char c = at < lexer->length ? lexer->text[at] : 0;
    char next = at + 1 < lexer->length ? (char)(lexer->text[at + 1] | 0x20) : 0;
    if (c >= '1' && c <= '9') return digits_at(lexer, at, DECIMALS);
    if (c != '0') return at;
    size_t based = next == 'b'   ? match_based(lexer, at, "01")
                   : next == 'o' ? match_based(lexer, at, "01234567")
                   : next == 'x' ? match_based(lexer, at, "0123456789abcdefABCDEF")
                                 : at;
    return based > at ? based : digits_at(lexer, at, "0");
}

static bool number_token(am_jlexer *lexer, size_t end, bool real, am_jtoken *out)
{
    am_jvalue text;
    bool is_number = true;
    *out = (am_jtoken){.kind = real ? AM_T_FLOAT : AM_T_INTEGER, .offset = lexer->at, .value = am_jreal(0)};
    if (!am_jstring_borrow(lexer->j, lexer->text + lexer->at, end - lexer->at, &text)) return false;
    if (real) is_number = am_jtext_to_real(text.string, &out->value.real);
    else if (!am_jtext_to_integer(lexer->j, text.string, 0, &is_number, &out->value)) {
        am_jfail_at(lexer->j, lexer->at);
        return false;
    }
    if (!is_number) return fail(lexer, lexer->at, "number too long");
    move_to(lexer, end);
    return true;
}

static size_t match_name(const am_jlexer *lexer, size_t at)
{
    while (at < lexer->length) {
        uint32_t c;
        size_t step = am_utf8_next(lexer->text + at, lexer->length - at, &c);
        if (c != '_' && !am_jchar_is_alnum(c) && !am_jchar_continues_name(c)) break;
        at += step;
    }
    return at;
}

static bool name_token(am_jlexer *lexer, size_t end, am_jtoken *out)
{
    *out = (am_jtoken){.kind = AM_T_NAME, .offset = lexer->at};
    if (!am_jstring_borrow(lexer->j, lexer->text + lexer->at, end - lexer->at, &out->value)) return false;
    const am_jstring *name = out->value.string;
    size_t at = 0;
    bool valid = am_jchar_starts_name(am_jstring_next(name, &at));
    while (valid && at < name->length) valid = am_jchar_continues_name(am_jstring_next(name, &at));
    if (!valid) return fail(lexer, lexer->at, "Invalid character in identifier");
    move_to(lexer, end);
    return true;
}

/* End of the string that begins with a quote at `at`, or `at` when it is not closed. */
static size_t match_string(const am_jlexer *lexer, size_t at)
{
    char quote = lexer->text[at];
    if (quote != '\'' && quote != '"') return at;
    for (size_t i = at + 1; i < lexer->length; i++) {
        if (lexer->text[i] == quote) return i + 1;
        if (lexer->text[i] == '\\') i++;
    }
    return at;
}

static bool string_token(am_jlexer *lexer, size_t end, am_jtoken *out)
{
    *out = (am_jtoken){.kind = AM_T_STRING, .offset = lexer->at};
    if (!am_jstring_unescape(lexer->j, lexer->text + lexer->at + 1, end - lexer->at - 2, &out->value)) {
        am_jfail_at(lexer->j, lexer->at);
        return false;
    }
    move_to(lexer, end);
    return true;
}

static bool push_bracket(am_jlexer *lexer, char closing)
{
    if (lexer->depth == lexer->capacity) {
        size_t capacity = lexer->capacity ? lexer->capacity * 2 : 16;
        char *grown = am_jalloc(lexer->j, capacity);
        if (!grown) return false;
        if (lexer->depth) memcpy(grown, lexer->brackets, lexer->depth);
        lexer->brackets = grown;
        lexer->capacity = capacity;
    }
    lexer->brackets[lexer->depth++] = closing;
    return true;
}

static bool balance(am_jlexer *lexer, char c)
{
    char message[64] = "unexpected '?'";
    if (c == '{' || c == '(' || c == '[') return push_bracket(lexer, c == '{' ? '}' : c == '(' ? ')' : ']');
    if (c != '}' && c != ')' && c != ']') return true;
    message[12] = c;
    if (!lexer->depth) return fail(lexer, lexer->at, message);
    char expected = lexer->brackets[--lexer->depth];
    if (expected == c) return true;
    memcpy(message + 14, ", expected '?'", 15);
    message[26] = expected;
    return fail(lexer, lexer->at, message);
}

static bool unexpected_character(am_jlexer *lexer)
{
    am_jvalue character;
    uint32_t c;
    size_t step = am_utf8_next(lexer->text + lexer->at, lexer->length - lexer->at, &c);
    if (!am_jstring_borrow(lexer->j, lexer->text + lexer->at, step, &character)) return false;
    am_jfail_code(lexer->j, AM_INVALID_FILE, "TemplateSyntaxError", "unexpected char %s at %zu",
                  am_jrepr_text(lexer->j, character), am_utf8_count(lexer->text, lexer->at));
    am_jfail_at(lexer->j, lexer->at);
    return false;
}

static bool operator_token(am_jlexer *lexer, am_jtoken *out)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (!starts(lexer, lexer->at, operators[i].text)) continue;
        if (!balance(lexer, *operators[i].text)) return false;
        *out = (am_jtoken){.kind = operators[i].kind, .offset = lexer->at};
        move_to(lexer, lexer->at + strlen(operators[i].text));
        return true;
    }
    return unexpected_character(lexer);
}

static bool next_in_tag(am_jlexer *lexer, am_jtoken *out)
{
    size_t end = SIZE_MAX;
    if (!lexer->depth)
        end = lexer->state == '%' ? match_end(lexer, lexer->at, "%}") : match_variable_end(lexer, lexer->at);
    if (end != SIZE_MAX) {
        *out = (am_jtoken){.kind = lexer->state == '%' ? AM_T_BLOCK_END : AM_T_VARIABLE_END, .offset = lexer->at};
        lexer->state = 0;
        move_to(lexer, end);
        return true;
    }
    size_t at = skip_space(lexer, lexer->at);
    if (at > lexer->at) {
        move_to(lexer, at);
        return next_in_tag(lexer, out); /* once: no white space follows */
    }
    if (at == lexer->length) return true;
    if ((end = match_float(lexer, at)) > at) return number_token(lexer, end, true, out);
    if ((end = match_integer(lexer, at)) > at) return number_token(lexer, end, false, out);
    if ((end = match_name(lexer, at)) > at) return name_token(lexer, end, out);
    if ((end = match_string(lexer, at)) > at) return string_token(lexer, end, out);
    return operator_token(lexer, out);
}

bool am_jlexer_next(am_jlexer *lexer, am_jtoken *out)
{
    *out = end_token(lexer);
    if (lexer->j->failed) return false;
    if (lexer->state) return next_in_tag(lexer, out);
    return next_in_text(lexer, out);
}

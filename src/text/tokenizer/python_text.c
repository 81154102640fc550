/* Python's str and unicodedata (3.11: Unicode 14). */
#include "text/tokenizer/python_text.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <utf8proc.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- properties ---- */

static utf8proc_category_t category_of(uint32_t c)
{
    return c >= 0x300 && am_char_is_younger(c) ? UTF8PROC_CATEGORY_CN : utf8proc_category((utf8proc_int32_t)c);
}

bool am_py_is_space(uint32_t c)
{
    return am_char_is_whitespace(c) || (c >= 0x1C && c <= 0x1F);
}

bool am_py_is_decimal(uint32_t c)
{
    return c < 0x80 ? c >= '0' && c <= '9' : category_of(c) == UTF8PROC_CATEGORY_ND;
}

bool am_py_is_digit(uint32_t c)
{
    static const uint32_t others[][2] = {
        {0xB2, 0xB3},     {0xB9, 0xB9},       {0x1369, 0x1371},   {0x19DA, 0x19DA},   {0x2070, 0x2070},
        {0x2074, 0x2079}, {0x2080, 0x2089},   {0x2460, 0x2468},   {0x2474, 0x247C},   {0x2488, 0x2490},
        {0x24EA, 0x24EA}, {0x24F5, 0x24FD},   {0x24FF, 0x24FF},   {0x2776, 0x277E},   {0x2780, 0x2788},
        {0x278A, 0x2792}, {0x10A40, 0x10A43}, {0x10E60, 0x10E68}, {0x11052, 0x1105A}, {0x1F100, 0x1F10A}};
    for (size_t i = 0; c >= 0x80 && i < COUNT(others); i++)
        if (c >= others[i][0] && c <= others[i][1]) return true;
    return am_py_is_decimal(c);
}

char am_py_category(uint32_t c)
{
    static const char letters[] = {
        [UTF8PROC_CATEGORY_CN] = 'C', [UTF8PROC_CATEGORY_LU] = 'L', [UTF8PROC_CATEGORY_LL] = 'L',
        [UTF8PROC_CATEGORY_LT] = 'L', [UTF8PROC_CATEGORY_LM] = 'L', [UTF8PROC_CATEGORY_LO] = 'L',
        [UTF8PROC_CATEGORY_MN] = 'M', [UTF8PROC_CATEGORY_MC] = 'M', [UTF8PROC_CATEGORY_ME] = 'M',
        [UTF8PROC_CATEGORY_ND] = 'N', [UTF8PROC_CATEGORY_NL] = 'N', [UTF8PROC_CATEGORY_NO] = 'N',
        [UTF8PROC_CATEGORY_PC] = 'P', [UTF8PROC_CATEGORY_PD] = 'P', [UTF8PROC_CATEGORY_PS] = 'P',
        [UTF8PROC_CATEGORY_PE] = 'P', [UTF8PROC_CATEGORY_PI] = 'P', [UTF8PROC_CATEGORY_PF] = 'P',
        [UTF8PROC_CATEGORY_PO] = 'P', [UTF8PROC_CATEGORY_SM] = 'S', [UTF8PROC_CATEGORY_SC] = 'S',
        [UTF8PROC_CATEGORY_SK] = 'S', [UTF8PROC_CATEGORY_SO] = 'S', [UTF8PROC_CATEGORY_ZS] = 'Z',
        [UTF8PROC_CATEGORY_ZL] = 'Z', [UTF8PROC_CATEGORY_ZP] = 'Z', [UTF8PROC_CATEGORY_CC] = 'C',
        [UTF8PROC_CATEGORY_CF] = 'C', [UTF8PROC_CATEGORY_CS] = 'C', [UTF8PROC_CATEGORY_CO] = 'C'};
    return letters[category_of(c)];
}

bool am_py_is_word(uint32_t c)
{
    if (c < 0x80) return am_char_is_word(c);
    char category = am_py_category(c);
    return category == 'L' || category == 'N';
}

bool am_py_is_nonspacing(uint32_t c)
{
    return c >= 0x300 && category_of(c) == UTF8PROC_CATEGORY_MN;
}

bool am_py_is_blank(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || (c >= 0x80 && category_of(c) == UTF8PROC_CATEGORY_ZS);
}

bool am_py_is_control(uint32_t c)
{
    return c != '\t' && c != '\n' && c != '\r' && am_py_category(c) == 'C';
}

bool am_py_is_punctuation(uint32_t c)
{
    if (c < 0x80) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
    return am_py_category(c) == 'P';
}

/* ---- cutting ---- */

am_text am_py_lstrip(am_text text)
{
    uint32_t size;
    while (text.length && am_py_is_space(am_char_at(text.bytes, &size))) text.bytes += size, text.length -= size;
    return text;
}

am_text am_py_rstrip(am_text text)
{
    while (text.length) {
        uint32_t size, before = am_char_before(text.bytes, (uint32_t)text.length);
        if (!am_py_is_space(am_char_at(text.bytes + before, &size))) break;
        text.length = before;
    }
    return text;
}

am_text am_py_strip(am_text text)
{
    return am_py_rstrip(am_py_lstrip(text));
}

bool am_py_next_word(am_text *rest, am_text *word)
{
    uint32_t size;
    *rest = am_py_lstrip(*rest);
    *word = (am_text){rest->bytes, 0};
    while (word->length < rest->length && !am_py_is_space(am_char_at(rest->bytes + word->length, &size)))
        word->length += size;
    rest->bytes += word->length;
    rest->length -= word->length;
    return word->length > 0;
}

bool am_py_next_part(am_text *rest, char separator, bool *more, am_text *part)
{
    if (!*more) return false;
    const char *end = rest->length ? memchr(rest->bytes, separator, rest->length) : NULL;
    *more = end != NULL;
    *part = (am_text){rest->bytes, end ? (size_t)(end - rest->bytes) : rest->length};
    size_t taken = part->length + (end != NULL);
    rest->bytes += taken;
    rest->length -= taken;
    return true;
}

/* ---- lower case ---- */

/* Other_Lowercase and Other_Uppercase of Unicode: cased although they are no letters with case. */
static const uint32_t other_cased[][2] = {
    {0xAA, 0xAA},       {0xBA, 0xBA},       {0x2B0, 0x2B8},     {0x2C0, 0x2C1},     {0x2E0, 0x2E4},
    {0x345, 0x345},     {0x37A, 0x37A},     {0x1D2C, 0x1D6A},   {0x1D78, 0x1D78},   {0x1D9B, 0x1DBF},
    {0x2071, 0x2071},   {0x207F, 0x207F},   {0x2090, 0x209C},   {0x2160, 0x217F},   {0x24B6, 0x24E9},
    {0x2C7C, 0x2C7D},   {0xA69C, 0xA69D},   {0xA770, 0xA770},   {0xA7F8, 0xA7F9},   {0xAB5C, 0xAB5F},
    {0x10780, 0x10780}, {0x10783, 0x10785}, {0x10787, 0x107B0}, {0x107B2, 0x107BA}, {0x1F130, 0x1F149},
    {0x1F150, 0x1F169}, {0x1F170, 0x1F189}};

/* Characters inside words (Word_Break MidLetter, MidNumLet, Single_Quote), which case looks through. */
static const uint32_t inside_words[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,  0x5F4,  0x2018, 0x2019,
                                        0x2024, 0x2027, 0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};

static bool is_cased(uint32_t c)
{
    utf8proc_category_t category = category_of(c);
    if (category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT)
        return true;
    for (size_t i = 0; i < COUNT(other_cased); i++)
        if (c >= other_cased[i][0] && c <= other_cased[i][1]) return true;
    return false;
}

static bool is_case_ignorable(uint32_t c)
{
    utf8proc_category_t category = category_of(c);
    for (size_t i = 0; i < COUNT(inside_words); i++)
        if (c == inside_words[i]) return true;
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME || category == UTF8PROC_CATEGORY_CF ||
           category == UTF8PROC_CATEGORY_LM || category == UTF8PROC_CATEGORY_SK;
}

/* Whether a capital sigma at `at` ends a word: a cased letter stands before it and none behind. `before` is the last
   code point before it that case does not look through. */
static bool is_final_sigma(am_text text, size_t at, uint32_t before)
{
    uint32_t size;
    if (!before || !is_cased(before)) return false;
    for (at += 2; at < text.length; at += size) {
        uint32_t c = am_char_at(text.bytes + at, &size);
        if (!is_case_ignorable(c)) return !is_cased(c);
    }
    return true;
}

void am_py_append(am_buffer *out, uint32_t c)
{
    char bytes[4];
    am_buffer_append(out, bytes, am_utf8_put(c, bytes));
}

void am_py_lower(am_text text, am_buffer *out)
{
    uint32_t size, before = 0;
    for (size_t at = 0; at < text.length; at += size) {
        uint32_t c = am_char_at(text.bytes + at, &size);
        if (c == 0x130) am_buffer_append(out, "i\xcc\x87", 3);
        else if (c == 0x3A3) am_py_append(out, is_final_sigma(text, at, before) ? 0x3C2 : 0x3C3);
        else if (c < 0x80) am_buffer_append_char(out, (char)am_char_lower(c));
        else am_py_append(out, am_char_is_younger(c) ? c : (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
        if (!is_case_ignorable(c)) before = c;
    }
}

void am_py_lower_in_place(am_buffer *text)
{
    am_buffer out = {0};
    am_py_lower(am_buffer_view(text), &out);
    am_buffer_deinit(text);
    *text = out;
}

void am_py_append_upper(uint32_t c, am_buffer *out)
{
    uint32_t parts[3] = {am_char_is_younger(c) ? c : (uint32_t)utf8proc_toupper((utf8proc_int32_t)c), 0, 0};
    am_char_upper_expansion(c, parts);
    for (size_t i = 0; i < 3 && (i == 0 || parts[i]); i++) am_py_append(out, parts[i]);
}

/* ---- normal forms ---- */

static size_t class_of(utf8proc_int32_t c)
{
    return (size_t)utf8proc_get_property(c)->combining_class;
}

/* Sorts combining marks by their classes, keeping the order within a class; `spare` has as many elements. By counting,
   because utf8proc's own way is quadratic in their number. */
static void sort_marks(utf8proc_int32_t *marks, size_t count, utf8proc_int32_t *spare)
{
    size_t places[257] = {0};
    for (size_t i = 0; i < count; i++) places[class_of(marks[i]) + 1]++;
    for (size_t i = 1; i < COUNT(places); i++) places[i] += places[i - 1];
    for (size_t i = 0; i < count; i++) spare[places[class_of(marks[i])]++] = marks[i];
    memcpy(marks, spare, count * sizeof *marks);
}

static void order_marks(utf8proc_int32_t *points, size_t count, utf8proc_int32_t *spare)
{
    for (size_t start = 0, end; start < count; start = end + 1) {
        for (end = start; end < count && class_of(points[end]); end++) {
        }
        if (end - start > 1) sort_marks(points + start, end - start, spare);
    }
}

enum { LONGEST_DECOMPOSITION = 18 };

/* The decomposed code points, in order; negative when utf8proc fails. */
static utf8proc_ssize_t decompose(am_text text, utf8proc_option_t option, utf8proc_int32_t *points, size_t capacity)
{
    size_t count = 0;
    uint32_t size;
    int boundary = 0;
    for (size_t at = 0; at < text.length; at += size) {
        uint32_t c = am_char_at(text.bytes + at, &size);
        utf8proc_ssize_t parts = utf8proc_decompose_char((utf8proc_int32_t)c, points + count,
                                                         (utf8proc_ssize_t)(capacity - count), option, &boundary);
        if (parts < 0) return parts;
        count += (size_t)parts;
    }
    return (utf8proc_ssize_t)count;
}

static size_t count_points(am_text text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++) count += am_is_char_start(text.bytes[i]);
    return count;
}

static am_status normalize_part(am_text text, am_py_form form, am_buffer *out)
{
    bool compatible = form == AM_PY_NFKC || form == AM_PY_NFKD, composes = form == AM_PY_NFC || form == AM_PY_NFKC;
    utf8proc_option_t decomposing = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
    utf8proc_option_t option = UTF8PROC_STABLE | (composes ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE);
    if (text.length == 0) return NULL;
    size_t capacity = count_points(text) * LONGEST_DECOMPOSITION + 1;
    utf8proc_int32_t *points = am_alloc(2 * capacity * sizeof *points);
    if (!points) return am_out_of_memory();
    utf8proc_ssize_t length = decompose(text, decomposing, points, capacity);
    if (length >= 0) order_marks(points, (size_t)length, points + capacity);
    if (length >= 0) length = utf8proc_reencode(points, length, option);
    if (length >= 0) am_buffer_append(out, points, (size_t)length);
    am_free(points);
    return length < 0 ? am_out_of_memory() : NULL;
}

am_status am_py_normalize(am_text text, am_py_form form, am_buffer *out)
{
    size_t done = 0;
    uint32_t size;
    if (am_text_is_ascii(text.bytes, text.length)) {
        am_buffer_append(out, text.bytes, text.length);
        return NULL;
    }
    for (size_t at = 0; at < text.length; at += size) {
        uint32_t c = am_char_at(text.bytes + at, &size);
        if (c < 0x300 || !am_char_is_younger(c)) continue;
        AM_TRY(normalize_part((am_text){text.bytes + done, at - done}, form, out));
        am_buffer_append(out, text.bytes + at, size);
        done = at + size;
    }
    return normalize_part((am_text){text.bytes + done, text.length - done}, form, out);
}

/* ---- the rest ---- */

am_status am_py_replace(am_buffer *text, const char *from, const char *to)
{
    if (text->length == 0) return NULL;
    return am_replace_all(text, (am_text){from, strlen(from)}, (am_text){to, strlen(to)});
}

void am_py_decode_utf8(const char *bytes, size_t length, bool replace, am_buffer *out)
{
    uint32_t c;
    for (size_t at = 0, size; at < length; at += size) {
        size = am_utf8_next(bytes + at, length - at, &c);
        if (c != AM_UTF8_INVALID) am_buffer_append(out, bytes + at, size);
        else if (replace) am_buffer_append(out, "\xef\xbf\xbd", 3);
    }
}

#include "tasks/whisper_words.h"

#include "base/memory.h"

#include <string.h>

static const char *const replacement = "\xef\xbf\xbd"; /* U+FFFD: a character that is not whole yet */

typedef struct list {
    const am_tokenizer *tokenizer;
    const int32_t *ids;
    am_arena *arena;
    am_whisper_word *words;
    int64_t count;
} list;

static am_status decode(const list *l, int64_t first, int64_t end, am_whisper_word *out)
{
    am_decode_options options = {.skip_special_tokens = false, .clean_up = -1};
    char *text;
    size_t length;
    AM_TRY(am_tokenizer_decode(l->tokenizer, l->ids + first, (size_t)(end - first), &options, &text, &length));
    *out = (am_whisper_word){am_arena_string(l->arena, text, length), length, first, end};
    am_free(text);
    return out->text ? NULL : am_out_of_memory();
}

/* Code points before `end` of a text. */
static int64_t code_points(const char *text, size_t end)
{
    int64_t count = 0;
    for (size_t i = 0; i < end; i++) count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* Where code point `index` begins; null beyond the end. */
static const char *code_point_at(const char *text, size_t length, int64_t index)
{
    for (size_t i = 0; i < length; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && index-- == 0) return text + i;
    }
    return NULL;
}

/* Whether what was decoded stands by itself: has no half character, unless the whole text has one there too. */
static bool is_whole(const am_whisper_word *piece, const am_whisper_word *full, int64_t offset)
{
    const char *half = strstr(piece->text, replacement);
    if (!half) return true;
    const char *at =
        code_point_at(full->text, full->length, offset + code_points(piece->text, (size_t)(half - piece->text)));
    return !at || strncmp(at, replacement, 3) == 0;
}

/* _split_tokens_on_unicode */
static am_status split_characters(list *l, int64_t count)
{
    am_whisper_word full, piece;
    int64_t offset = 0, first = 0;
    AM_TRY(decode(l, 0, count, &full));
    for (int64_t i = 0; i < count; i++) {
        AM_TRY(decode(l, first, i + 1, &piece));
        if (!is_whole(&piece, &full, offset)) continue;
        l->words[l->count++] = piece;
        offset += code_points(piece.text, piece.length);
        first = i + 1;
    }
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether the word, without blanks around it, is a part of the characters. */
static bool is_part_of(const am_whisper_word *word, bool stripped, const char *characters)
{
    size_t first = 0, end = word->length;
    while (stripped && first < end && is_blank(word->text[first])) first++;
    while (stripped && end > first && is_blank(word->text[end - 1])) end--;
    for (const char *at = characters; strlen(at) >= end - first; at++) {
        if (memcmp(at, word->text + first, end - first) == 0) return true;
        if (!*at) break;
    }
    return false;
}

/* Appends b, which follows a, to it; b has nothing then. */
static am_status append(list *l, am_whisper_word *a, am_whisper_word *b, am_whisper_word *to)
{
    char *text = am_arena_alloc(l->arena, a->length + b->length + 1);
    if (!text) return am_out_of_memory();
    memcpy(text, a->text, a->length);
    memcpy(text + a->length, b->text, b->length);
    am_whisper_word joined = {text, a->length + b->length, a->length ? a->first : b->first,
                              b->length ? b->end : a->end};
    *a = *b = (am_whisper_word){text + joined.length, 0, 0, 0};
    *to = joined;
    return NULL;
}

/* _split_tokens_on_spaces */
static am_status join_subwords(list *l)
{
    static const char *const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    int32_t end_of_text = am_tokenizer_token_to_id(l->tokenizer, (am_text){"<|endoftext|>", 13});
    int64_t kept = 0;
    for (int64_t i = 0; i < l->count; i++) {
        am_whisper_word *word = &l->words[i];
        bool is_special = end_of_text >= 0 && l->ids[word->first] >= end_of_text;
        if (is_special || word->text[0] == ' ' || is_part_of(word, true, punctuation) || !kept)
            l->words[kept++] = *word;
        else AM_TRY(append(l, &l->words[kept - 1], word, &l->words[kept - 1]));
    }
    l->count = kept;
    return NULL;
}

/* _merge_punctuations */
static am_status merge_punctuation(list *l)
{
    static const char *const before = "\"'\xe2\x80\x9c\xc2\xbf\xc2\xa1([{-";
    static const char *const after =
        "\"'.\xe3\x80\x82,\xef\xbc\x8c!\xef\xbc\x81?\xef\xbc\x9f:\xef\xbc\x9a\xe2\x80\x9d)]}"
        "\xe3\x80\x81";
    for (int64_t i = l->count - 2, j = l->count - 1; i >= 0; i--) {
        am_whisper_word *word = &l->words[i];
        if (word->text[0] == ' ' && is_part_of(word, true, before)) AM_TRY(append(l, word, &l->words[j], &l->words[j]));
        else j = i;
    }
    for (int64_t i = 0, j = 1; j < l->count; j++) {
        am_whisper_word *word = &l->words[i];
        bool is_open = !word->length || word->text[word->length - 1] != ' ';
        if (is_open && is_part_of(&l->words[j], false, after)) AM_TRY(append(l, word, &l->words[j], word));
        else i = j;
    }
    int64_t kept = 0;
    for (int64_t i = 0; i < l->count; i++)
        if (l->words[i].length) l->words[kept++] = l->words[i];
    l->count = kept;
    return NULL;
}

static bool has_spaces(const char *language)
{
    static const char *const without[] = {"chinese", "japanese", "thai", "lao", "myanmar", "cantonese"};
    for (size_t i = 0; language && i < sizeof without / sizeof *without; i++) {
        if (strcmp(language, without[i]) == 0) return false;
    }
    return true;
}

am_status am_whisper_words(const am_tokenizer *tokenizer, const int32_t *ids, int64_t count, const char *language,
                           am_arena *arena, am_whisper_word **out, int64_t *out_count)
{
    list l = {.tokenizer = tokenizer, .ids = ids, .arena = arena};
    l.words = am_arena_array(arena, (size_t)count + 1, sizeof *l.words);
    if (!l.words) return am_out_of_memory();
    AM_TRY(split_characters(&l, count));
    if (has_spaces(language)) AM_TRY(join_subwords(&l));
    AM_TRY(merge_punctuation(&l));
    *out = l.words;
    *out_count = l.count;
    return NULL;
}

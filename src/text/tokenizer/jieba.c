/* Words of a dictionary, chosen so that the product of their frequencies is largest. */
#include "text/tokenizer/jieba.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "text/tokenizer/python_text.h"

#include <math.h>
#include <stdlib.h>

#define DEBIAN_DICTIONARY "/usr/lib/python3/dist-packages/jieba/dict.txt"

enum {
    LONGEST_WORD = 255, /* in bytes; those of a path of words are kept in one each */
    FILE_LIMIT = 1 << 28,
    BYTES_PER_LINE = 14, /* about */
    FREQUENCY_DIGITS = 15,
};

/* Sums of frequencies are exact below. */
#define TOTAL_LIMIT ((uint64_t)1 << 53)

struct am_jieba {
    am_vocabulary words;
    am_prefixes prefixes;
    double *log_frequencies; /* by id */
    double log_total;
    bool is_chinese; /* has Chinese words */
};

/* ---- dictionary ---- */

typedef struct reader {
    am_jieba *jieba;
    uint64_t *frequencies; /* by id */
    size_t count, capacity;
    const char *name;
    size_t line;
} reader;

static am_status put(reader *r, am_text word, uint64_t frequency)
{
    const am_vocabulary_entry *known = am_vocabulary_find(&r->jieba->words, word);
    if (known) {
        r->frequencies[known->id] = frequency;
        return NULL;
    }
    if (r->count == r->capacity) {
        size_t capacity = r->capacity * 2 + 16;
        uint64_t *frequencies = am_realloc(r->frequencies, capacity * sizeof *frequencies);
        if (!frequencies) return am_out_of_memory();
        r->frequencies = frequencies;
        r->capacity = capacity;
    }
    AM_TRY(am_vocabulary_add(&r->jieba->words, word, (int64_t)r->count, false, r->name));
    r->frequencies[r->count++] = frequency;
    return NULL;
}

/* Takes the next field of the line off; its length is 0 when there is none. */
static am_text next_field(am_text *line)
{
    while (line->length && (*line->bytes == ' ' || *line->bytes == '\t')) line->bytes++, line->length--;
    am_text field = {line->bytes, 0};
    while (field.length < line->length && !strchr(" \t", field.bytes[field.length])) field.length++;
    line->bytes += field.length;
    line->length -= field.length;
    return field;
}

static bool read_frequency(am_text field, uint64_t *out)
{
    *out = 0;
    if (field.length == 0 || field.length > FREQUENCY_DIGITS) return false;
    for (size_t i = 0; i < field.length; i++) {
        if (field.bytes[i] < '0' || field.bytes[i] > '9') return false;
        *out = *out * 10 + (uint64_t)(field.bytes[i] - '0');
    }
    return true;
}

static am_status read_line(reader *r, am_text line)
{
    uint64_t frequency;
    if (line.length && line.bytes[line.length - 1] == '\r') line.length--;
    am_text word = next_field(&line);
    if (word.length == 0) return NULL;
    if (word.length > LONGEST_WORD)
        return am_error(AM_INVALID_FILE, "%s: line %zu: a word of %zu bytes; the limit is %d", r->name, r->line,
                        word.length, LONGEST_WORD);
    am_text field = next_field(&line);
    if (!read_frequency(field, &frequency))
        return am_error(AM_INVALID_FILE,
                        "%s: line %zu: expected a frequency of 1 to %d digits after the word, found \"%.*s\"", r->name,
                        r->line, FREQUENCY_DIGITS, (int)(field.length < 40 ? field.length : 40), field.bytes);
    next_field(&line);
    am_text more = next_field(&line);
    if (more.length)
        return am_error(AM_INVALID_FILE, "%s: line %zu: expected a word, a frequency and a tag, found more fields",
                        r->name, r->line);
    return put(r, word, frequency);
}

static am_status read_lines(reader *r, am_text text)
{
    am_text line;
    bool more = true;
    while (am_py_next_part(&text, '\n', &more, &line)) {
        r->line++;
        AM_TRY(read_line(r, line));
    }
    return NULL;
}

static am_status take_logarithms(reader *r)
{
    uint64_t total = 0;
    for (size_t i = 0; i < r->count && total < TOTAL_LIMIT; i++) total += r->frequencies[i];
    if (total == 0) return am_error(AM_INVALID_FILE, "%s: no word has a frequency above 0", r->name);
    if (total >= TOTAL_LIMIT) return am_error(AM_INVALID_FILE, "%s: the frequencies sum to 2^53 or more", r->name);
    double *logs = am_alloc(r->count * sizeof *logs);
    if (!logs) return am_out_of_memory();
    for (size_t i = 0; i < r->count; i++) logs[i] = log((double)r->frequencies[i]);
    r->jieba->log_frequencies = logs;
    r->jieba->log_total = log((double)total);
    return NULL;
}

static am_status read_dictionary(am_jieba *jieba, am_text text, const char *name)
{
    reader r = {.jieba = jieba, .name = name};
    am_status status = am_vocabulary_init(&jieba->words, text.length / BYTES_PER_LINE);
    if (!status) status = read_lines(&r, text);
    if (!status) status = take_logarithms(&r);
    if (!status) status = am_prefixes_init(&jieba->prefixes, &jieba->words);
    am_free(r.frequencies);
    return status;
}

am_status am_jieba_parse(am_text text, const char *name, am_jieba **out)
{
    size_t bad;
    *out = NULL;
    if (!am_utf8_valid(text.bytes, text.length, &bad))
        return am_error(AM_INVALID_FILE, "%s: not UTF-8 at byte %zu", name, bad);
    am_jieba *jieba = am_alloc_zeroed(1, sizeof *jieba);
    if (!jieba) return am_out_of_memory();
    jieba->is_chinese = true;
    am_status status = read_dictionary(jieba, text, name);
    if (status) am_jieba_destroy(jieba);
    else *out = jieba;
    return status;
}

/* The words of jieba's dictionary that are not Chinese, among as many others as there are in it. */
static am_status open_without_dictionary(am_jieba **out)
{
    static const char words[] = "AT&T 3\nC# 3\nc# 3\nC++ 3\nc++ 3\n";
    static const double total = 60101967;
    AM_TRY(am_jieba_parse((am_text){words, sizeof words - 1}, "built-in dictionary", out));
    (*out)->log_total = log(total);
    (*out)->is_chinese = false;
    return NULL;
}

/* The path of the dictionary; *out stays null where there is none. */
static am_status find_dictionary(am_arena *arena, const char *directory, const char **out)
{
    const char *given = getenv("ANYMODEL_JIEBA");
    const char *own = am_path_join(arena, directory, "jieba_dict.txt");
    if (!own) return am_out_of_memory();
    if (am_file_exists(own)) *out = own;
    else if (given && *given) *out = am_path_join(arena, given, "dict.txt");
    else if (!given && am_file_exists(DEBIAN_DICTIONARY)) *out = DEBIAN_DICTIONARY;
    else return NULL;
    return *out ? NULL : am_out_of_memory();
}

static am_status open_file(const char *path, am_jieba **out)
{
    char *text;
    size_t length;
    AM_TRY(am_file_read(path, FILE_LIMIT, &text, &length));
    am_status status = am_jieba_parse((am_text){text, length}, path, out);
    am_free(text);
    return status;
}

am_status am_jieba_open(const char *directory, am_jieba **out)
{
    am_arena arena = {0};
    const char *path = NULL;
    *out = NULL;
    am_status status = find_dictionary(&arena, directory, &path);
    if (!status) status = path ? open_file(path, out) : open_without_dictionary(out);
    am_arena_deinit(&arena);
    return status;
}

void am_jieba_destroy(am_jieba *jieba)
{
    if (!jieba) return;
    am_vocabulary_deinit(&jieba->words);
    am_prefixes_deinit(&jieba->prefixes);
    am_free(jieba->log_frequencies);
    am_free(jieba);
}

/* ---- blocks: what is looked up together ---- */

static bool is_ideograph(uint32_t c)
{
    return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2EBEF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

static bool is_alphanumeric(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static bool is_in_block(uint32_t c)
{
    return is_ideograph(c) || (c && c < 0x80 && (is_alphanumeric((char)c) || strchr("+#&._%-", (int)c)));
}

/* Bytes of the block at the start of the text; 0: there is none. */
static am_status measure_block(const am_jieba *jieba, am_text text, size_t *out)
{
    uint32_t size;
    size_t end = 0, ideographs = 0, characters = 0;
    for (; end < text.length; end += size, characters++) {
        uint32_t c = am_char_at(text.bytes + end, &size);
        if (!is_in_block(c)) break;
        ideographs += is_ideograph(c);
    }
    *out = end;
    if (jieba->is_chinese || ideographs == 0 || characters == 1) return NULL;
    return am_error(AM_UNSUPPORTED, "the text has Chinese words, which the dictionary of jieba cuts: install Debian's "
                                    "python3-jieba, let ANYMODEL_JIEBA name the folder of its dict.txt, or put that "
                                    "beside the model as jieba_dict.txt");
}

/* ---- the best path through a block ---- */

/* Scores of the paths from a byte to the end of the block; no word is longer than there are places. */
typedef struct scores {
    double at[LONGEST_WORD + 1];
} scores;

static double *score_at(scores *s, size_t at)
{
    return &s->at[at % (LONGEST_WORD + 1)];
}

/* Bytes of the word to take at `at`: of equally good ones the longest, and a character where no word starts. */
static uint8_t choose_word(const am_jieba *jieba, am_text block, size_t at, scores *s)
{
    uint32_t hash = AM_HASH_START, size;
    size_t best = 0, end = at, limit = at + jieba->words.longest_bytes;
    unsigned found = AM_PREFIX_GOES_ON;
    double best_score = 0;
    if (limit > block.length) limit = block.length;
    for (; end < limit && found & AM_PREFIX_GOES_ON; end += size) {
        size = am_char_length(block.bytes[end]);
        hash = am_hash_bytes(hash, block.bytes + end, size);
        found = am_prefixes_find(&jieba->prefixes, hash);
        am_text text = {block.bytes + at, end + size - at};
        const am_vocabulary_entry *word =
            found & AM_PREFIX_IS_ENTRY ? am_vocabulary_find_hashed(&jieba->words, text, hash) : NULL;
        if (!word) continue;
        double score = jieba->log_frequencies[word->id] - jieba->log_total + *score_at(s, end + size);
        if (best && score < best_score) continue;
        best = text.length;
        best_score = score;
    }
    if (!best) {
        best = am_char_length(block.bytes[at]);
        best_score = *score_at(s, at + best) - jieba->log_total;
    }
    *score_at(s, at) = best_score;
    return (uint8_t)best;
}

static void choose_words(const am_jieba *jieba, am_text block, uint8_t *steps)
{
    scores s;
    *score_at(&s, block.length) = 0;
    for (size_t at = block.length; at-- > 0;)
        if (am_is_char_start(block.bytes[at])) steps[at] = choose_word(jieba, block, at, &s);
}

static am_status start_block(am_jieba_cut *cut)
{
    AM_TRY(measure_block(cut->jieba, cut->rest, &cut->block));
    if (cut->block == 0) return NULL;
    uint8_t *steps = am_realloc(cut->steps, cut->block);
    if (!steps) return am_out_of_memory();
    cut->steps = steps;
    choose_words(cut->jieba, (am_text){cut->rest.bytes, cut->block}, steps);
    cut->left = cut->block;
    return NULL;
}

/* Letters and digits in a row that are no words of their own are one. */
static size_t next_of_block(am_jieba_cut *cut)
{
    const uint8_t *steps = cut->steps + (cut->block - cut->left);
    size_t length = 0;
    while (length < cut->left && steps[length] == 1 && is_alphanumeric(cut->rest.bytes[length])) length++;
    if (length == 0) length = steps[0];
    cut->left -= length;
    return length;
}

am_status am_jieba_next(am_jieba_cut *cut, am_text *word)
{
    size_t length = 0;
    *word = (am_text){cut->rest.bytes, 0};
    if (cut->rest.length == 0) return NULL;
    if (cut->left == 0) AM_TRY(start_block(cut));
    if (cut->left) length = next_of_block(cut);
    else if (cut->rest.length > 1 && memcmp(cut->rest.bytes, "\r\n", 2) == 0) length = 2;
    else length = am_char_length(cut->rest.bytes[0]);
    word->length = length;
    cut->rest.bytes += length;
    cut->rest.length -= length;
    return NULL;
}

void am_jieba_end(am_jieba_cut *cut)
{
    am_free(cut->steps);
    cut->steps = NULL;
}

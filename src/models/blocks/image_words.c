#include "models/blocks/image_words.h"

#include <string.h>

enum { CODES_LIMIT = 1 << 22 };
static const char map_key[] = "vocabulary_map";

/* The code that a word's name has, or -1: it is none of an image. A name that begins as one and has no code is an
   error. */
static int64_t code_of(const am_config *c, am_json_string name, const am_image_word_style *s)
{
    size_t begin = strlen(s->prefix), end = name.length;
    if (end < begin || memcmp(name.bytes, s->prefix, begin) != 0) return -1;
    end = end < begin + s->suffix ? begin : end - s->suffix;
    if (s->digits && end - begin > s->digits) begin = end - s->digits;
    int64_t code = 0;
    bool good = end > begin;
    for (size_t i = begin; i < end && good; i++) {
        char zero = s->letters && name.bytes[i] >= 'A' ? 'A' : '0';
        int digit = name.bytes[i] - zero;
        good = digit >= 0 && digit <= 9 && code < CODES_LIMIT;
        code = 10 * code + digit;
    }
    if (!good || code >= CODES_LIMIT) {
        am_config_fail(c, map_key, "\"%.*s\" has no code below %d", (int)name.length, name.bytes, CODES_LIMIT);
        return -1;
    }
    return code;
}

/* One more than the largest code. */
static int64_t count_codes(const am_config *c, am_json map, const am_image_word_style *style)
{
    int64_t count = 0;
    for (am_json_iterator i = am_json_iterate(map); am_json_next(&i);) {
        int64_t code = code_of(c, i.key, style);
        if (code >= count) count = code + 1;
    }
    return count;
}

static int64_t word_of(const am_config *c, am_json value)
{
    int64_t word = am_json_int(value, -1);
    if (word < 0 || word > INT32_MAX) {
        am_config_fail(c, map_key, "expected numbers of words");
        return 0;
    }
    return word;
}

am_image_words am_image_words_read(am_builder *b, const am_image_word_style *style)
{
    const am_config *c = am_model_config(b);
    am_json map = am_json_get(c->object, map_key);
    if (am_json_kind_of(map) != AM_JSON_OBJECT) am_config_fail(c, map_key, "expected an object");
    am_image_words w = {.image_token = am_json_int(am_json_get(map, "<image>"), -1),
                        .end_of_line = am_json_int(am_json_get(map, "<|extra_200|>"), -1),
                        .count = count_codes(c, map, style)};
    w.words = am_arena_array(am_builder_arena(b), (size_t)w.count + 1, sizeof *w.words);
    w.is_code = am_arena_array(am_builder_arena(b), (size_t)w.count + 1, sizeof *w.is_code);
    if (!w.words || !w.is_code) {
        am_builder_fail(b, am_out_of_memory());
        return (am_image_words){.image_token = -1, .end_of_line = -1};
    }
    memset(w.words, 0, (size_t)w.count * sizeof *w.words);
    memset(w.is_code, 0, (size_t)w.count * sizeof *w.is_code);
    for (am_json_iterator i = am_json_iterate(map); am_json_next(&i);) {
        int64_t code = code_of(c, i.key, style);
        if (code < 0) continue;
        w.words[code] = (int32_t)word_of(c, i.value);
        w.is_code[code] = true;
    }
    return w;
}

am_value am_words_of_codes(am_builder *b, const am_image_words *w, am_value codes)
{
    if (w->count == 0) {
        am_config_fail(am_model_config(b), map_key, "has no words of images");
        return AM_NONE;
    }
    am_value table = am_constant_copy(b, AM_I32, am_shape_of(w->count), w->words);
    return am_gather(b, table, codes, 0, false);
}

am_value am_words_of_images(am_builder *b, const am_image_words *w, int64_t vocab)
{
    int32_t *ids = am_arena_array(am_builder_arena(b), (size_t)w->count + 1, sizeof *ids);
    int64_t n = 0;
    if (!ids) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; ids && i < w->count; i++) {
        if (!w->is_code[i]) continue;
        if (w->words[i] >= vocab) am_config_fail(am_model_config(b), map_key, "has a word beyond vocab_size");
        else ids[n++] = w->words[i];
    }
    am_value none = am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(vocab));
    if (n == 0 || am_builder_failed(b)) return am_binary_number(b, AM_NOT_EQUAL, none, 0);
    am_value ones = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of(n));
    am_value is = am_scatter(b, none, am_constant_copy(b, AM_I32, am_shape_of(n), ids), ones,
                             &(am_scatter_attributes){.axis = 0, .fn = AM_SCATTER_SET});
    return am_binary_number(b, AM_NOT_EQUAL, is, 0);
}

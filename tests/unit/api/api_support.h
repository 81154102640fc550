/* Answers of the public calls as documents. */
#ifndef AM_API_SUPPORT_H
#define AM_API_SUPPORT_H

#include "test_support.h"

#include "base/json.h"

#include <anymodel/anymodel.h>

#include <string.h>

#define LLAMA    "examples/models/tiny-llama-text"
#define VIT      "examples/models/digits-vit"
#define WAV2VEC2 "examples/models/spoken-words-wav2vec2"

/* Parses and frees an answer; the document is closed with am_json_close. */
static inline am_json_document *parse_answer(char *json)
{
    am_json_document *document;
    assert_non_null(json);
    am_test_expect_ok(am_json_parse(json, strlen(json), "answer", &document));
    am_string_free(json);
    return document;
}

static inline am_json root_of(const am_json_document *document)
{
    return am_json_root(document);
}

/* The first object of an array whose member `key` is `text`; MISSING when there is none. */
static inline am_json find_row(am_json array, const char *key, const char *text)
{
    for (am_json_iterator i = am_json_iterate(array); am_json_next(&i);)
        if (am_json_equals(am_json_get(i.value, key), text)) return i.value;
    return (am_json){0};
}

static inline int64_t int_at(am_json object, const char *path)
{
    return am_json_int(am_json_get_path(object, path), -1);
}

static inline double real_at(am_json object, const char *path)
{
    return am_json_real(am_json_get_path(object, path), -1);
}

/* Element i of an array of integers; -1 when there is none. */
static inline int64_t item(am_json array, int i)
{
    am_json_iterator at = am_json_iterate(array);
    while (am_json_next(&at))
        if (i-- == 0) return am_json_int(at.value, -1);
    return -1;
}

#endif

/* JSON documents, read-only, parsed by simdjson (docs/decisions/json.md). Depth is limited to 512, text must
   be UTF-8 (a byte order mark before it is passed over). As Python writes and reads them: bare Infinity,
   -Infinity and NaN are numbers, integers may be of any length (tokenizer_config.json has
   1000000000000000019884624838656) and 1e400 is infinite. */
#ifndef AM_BASE_JSON_H
#define AM_BASE_JSON_H

#include "base/buffer.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct am_json_document am_json_document;

typedef enum am_json_kind {
    AM_JSON_MISSING, /* no such key or index; every getter gives its fallback */
    AM_JSON_NULL,
    AM_JSON_BOOL,
    AM_JSON_INTEGER, /* fits int64 */
    AM_JSON_REAL,    /* any other number */
    AM_JSON_STRING,
    AM_JSON_ARRAY,
    AM_JSON_OBJECT,
} am_json_kind;

/* A value inside a document: a small handle, copied freely, valid as long as its document. {0} is MISSING. */
typedef struct am_json {
    const void *document;
    size_t index;
} am_json;

/* A string inside a document: UTF-8, may hold U+0000; `bytes[length]` is 0. */
typedef struct am_json_string {
    const char *bytes;
    size_t length;
} am_json_string;

/* Parses `length` bytes, which are copied. `name` stands for the text in messages ("model/config.json").
   Fails with AM_INVALID_FILE. */
am_status am_json_parse(const char *text, size_t length, const char *name, am_json_document **out) AM_NODISCARD;

/* Reads and parses a file of at most 1 GiB. */
am_status am_json_open(const char *path, am_json_document **out) AM_NODISCARD;

/* Frees the document and with it every value and string taken from it; null is allowed. */
void am_json_close(am_json_document *document);

/* The outermost value of a document, and the kind of any value. */
am_json am_json_root(const am_json_document *document);
am_json_kind am_json_kind_of(am_json value);

/* "string", "array" ...: for messages. */
const char *am_json_kind_name(am_json_kind kind);

/* Member of an object: the last one of that name, as in Python. MISSING when `object` is no object or has
 * none. Linear in its size. */
am_json am_json_get(am_json object, const char *key);

/* Member reached through keys: "text_config.hidden_size"; MISSING when any step is. */
am_json am_json_get_path(am_json object, const char *dotted_path);

/* Number of elements of an array or members of an object, 0 of anything else. Linear for more than 2^24. */
size_t am_json_count(am_json value);

/* Values, or the fallback when the kind is another. An integer is a real too; a real that is whole is an
 * integer too. */
bool am_json_bool(am_json value, bool fallback);
int64_t am_json_int(am_json value, int64_t fallback);
double am_json_real(am_json value, double fallback);
am_json_string am_json_text(am_json value); /* {"", 0} when it is no string */
bool am_json_equals(am_json value, const char *text);

/* The strings of an array of exactly `count` of them; false, with nothing in `out`, when it is something else. */
bool am_json_strings(am_json value, am_json_string *out, size_t count);

/* Walks the elements of an array or the members of an object in their order:
       for (am_json_iterator i = am_json_iterate(v); am_json_next(&i);) ... i.key, i.value ...
   Nothing is visited when the value is neither. */
typedef struct am_json_iterator {
    am_json container;
    size_t position, end;
    am_json_string key; /* of objects */
    am_json value;
} am_json_iterator;

/* Start of a walk; the next step of it, false at the end. */
am_json_iterator am_json_iterate(am_json value);
bool am_json_next(am_json_iterator *iterator);

/* Appends a value as compact JSON text; infinities and NaN as Python writes them. Nothing of MISSING. */
void am_json_write(am_json value, am_buffer *out);

#ifdef __cplusplus
}
#endif
#endif

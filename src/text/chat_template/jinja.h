/* State shared by everything that reads or renders one template: memory, limits, the first error.
   Functions that can fail return false and leave the error here, so that a caller only passes `false` on. All
   memory comes from the arena and is given back at once, when the parse or the render is over. */
#ifndef AM_TEXT_CHAT_TEMPLATE_JINJA_H
#define AM_TEXT_CHAT_TEMPLATE_JINJA_H

#include "base/arena.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What went wrong: the exception that Jinja2 or Python would raise, and where. */
typedef struct am_jerror {
    const char *class_name; /* "TemplateSyntaxError"; null when memory ran out */
    const char *message;
    am_code code;
    bool has_offset;
    size_t offset; /* bytes into the template's text */
} am_jerror;

typedef struct am_jinja {
    am_arena arena;
    size_t memory_limit_bytes;
    int64_t steps_left; /* evaluated nodes, loop turns and work on long strings, all bounded together */
    int depth;          /* nested evaluations now on the C stack */
    bool failed;
    am_jerror error;
    struct am_jrun *run; /* of a render; null while parsing */
} am_jinja;

enum {
    AM_J_DEPTH_LIMIT = 2000,       /* evaluations inside each other; Python gives up near 200 macro calls */
    AM_J_INTEGER_WORDS_LIMIT = 512 /* 16384 bits */
};

/* Notes the first error and returns false. `class_name` is a static string. */
bool am_jfail(am_jinja *j, const char *class_name, const char *format, ...) AM_PRINTF(3, 4);

/* The same with the code of the status that comes of it. am_jfail gives AM_INVALID_ARGUMENT. */
bool am_jfail_code(am_jinja *j, am_code code, const char *class_name, const char *format, ...) AM_PRINTF(4, 5);

/* The same with a va_list. */
bool am_jfail_v(am_jinja *j, am_code code, const char *class_name, const char *format, va_list arguments);

/* Says where the error is, unless that is known already. */
void am_jfail_at(am_jinja *j, size_t offset);

/* Fails for want of memory. */
bool am_jfail_memory(am_jinja *j);

/* Zeroed memory until the end of the render; null (and failed) past the memory limit. */
void *am_jalloc(am_jinja *j, size_t bytes);
void *am_jarray(am_jinja *j, size_t count, size_t bytes);

/* Charges `steps`; fails once the limit is reached. */
bool am_jcharge(am_jinja *j, size_t steps);

/* Charges for looking at `bytes` bytes of text. */
bool am_jcharge_bytes(am_jinja *j, size_t bytes);

/* One level down (fails beyond AM_J_DEPTH_LIMIT, then not to be left) and up again. */
bool am_jenter(am_jinja *j);
void am_jleave(am_jinja *j);

/* Text that grows in the arena. After a failed append nothing more is appended; am_jinja has the error. */
typedef struct am_jtext {
    am_jinja *j;
    char *bytes;
    size_t length, capacity;
    size_t limit_bytes; /* 0: none beside the memory limit */
} am_jtext;

void am_jtext_append(am_jtext *text, const void *bytes, size_t length);
void am_jtext_append_string(am_jtext *text, const char *string);
void am_jtext_append_char(am_jtext *text, char c);
void am_jtext_append_code_point(am_jtext *text, uint32_t c);
void am_jtext_append_times(am_jtext *text, const char *bytes, size_t length, size_t times);
void am_jtext_printf(am_jtext *text, const char *format, ...) AM_PRINTF(2, 3);

/* The text with a zero byte after it, in the arena; "" when nothing was appended or memory ran out. */
const char *am_jtext_string(am_jtext *text);

#endif

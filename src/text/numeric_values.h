/* Numbers and dates in a text, as TAPAS finds them in questions and in the cells of tables: "1,200", "twelve", "3rd",
   "may 2010", "2010-05-17". */
#ifndef AM_TEXT_NUMERIC_VALUES_H
#define AM_TEXT_NUMERIC_VALUES_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { AM_DATE_PARTS = 3 };

/* A number, or a date of which some parts may be absent. */
typedef struct am_numeric_value {
    bool is_date;
    double parts[AM_DATE_PARTS]; /* the number; or year, month, day, 0 where absent */
} am_numeric_value;

typedef struct am_numeric_values {
    am_numeric_value *items; /* in the arena */
    size_t count;
} am_numeric_values;

/* Values of the longest spans, in the order of the text; one span may be a number and a date. The text is taken in
   lower case, its white space as single spaces. transformers: parse_text of models/tapas/tokenization_tapas.py */
am_status am_numeric_values_find(const char *text, size_t length, am_arena *arena, am_numeric_values *out) AM_NODISCARD;

/* Whether the text has no letter or digit, or is "n/a" or "nan": what TAPAS takes for an empty cell. */
bool am_text_says_nothing(const char *text, size_t length);

#endif

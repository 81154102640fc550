/* JSON from the library, read again to show it to people or to look something up. The texts are known to be
 * well-formed. */
#ifndef AM_CLI_OUTLINE_H
#define AM_CLI_OUTLINE_H

#include <stdbool.h>
#include <stdio.h>

/* Writes JSON as indented "name: value" lines; lists of alike objects become tables. */
void am_cli_put_outline(FILE *file, const char *json);

/* Where to go on in an array or object. */
typedef struct am_cli_cursor {
    const char *at;   /* of the next item */
    const char *name; /* of the current member with its quote, in an object */
    const char *value;
    bool is_object;
} am_cli_cursor;

/* Begins at an array or object, then gives items until false. */
am_cli_cursor am_cli_items(const char *json);
bool am_cli_next(am_cli_cursor *cursor);

/* The member of an object, or null. */
const char *am_cli_member(const char *json, const char *name);

/* Writes what a JSON string says; line ends become spaces. */
void am_cli_put_text(FILE *file, const char *json);

/* Whether json is the string `text` (without escapes). */
bool am_cli_is_text(const char *json, const char *text);

#endif

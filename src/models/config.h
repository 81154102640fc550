/* config.json as models read it: typed fields with the defaults of the transformers configuration class.

   The first bad field sticks (its path, what was expected, what was found) and every reader then gives its
   default, so that a model states its fields in one go and the opener checks once. */
#ifndef AM_MODELS_CONFIG_H
#define AM_MODELS_CONFIG_H

#include "base/arena.h"
#include "base/json.h"
#include "graph/functions.h"

#include <stdbool.h>

typedef struct am_config_root {
    am_arena arena;
    const char *file;                /* for messages */
    am_json object;                  /* the whole */
    am_status error;                 /* the first one */
    void (*on_error)(void *context); /* null, or told of it */
    void *context;
} am_config_root;

/* An object inside config.json; {0} fields give defaults. */
typedef struct am_config {
    am_config_root *root;
    am_json object;
    const char *path; /* "text_config." or "" */
} am_config;

/* The whole file; the document must outlive it. Fails unless it is an object. */
am_status am_config_init(am_config_root *root, const char *file, am_json object, am_config *out) AM_NODISCARD;
void am_config_deinit(am_config_root *root);

/* Keeps an error about field `key`: "FILE: PATH.key: ...". */
void am_config_fail(const am_config *c, const char *key, const char *format, ...) AM_PRINTF(3, 4);

/* The same for a value that transformers knows and this runtime does not: AM_UNSUPPORTED. */
void am_config_unsupported(const am_config *c, const char *key, const char *format, ...) AM_PRINTF(3, 4);

/* The whole file that c is a part of. */
am_config am_config_whole(const am_config *c);

/* Sub-configuration ("text_config"); an empty one when it is not there. */
am_config am_config_child(const am_config *c, const char *key);
bool am_config_has(const am_config *c, const char *key); /* present and not null */

/* The configuration of a part that is a class by itself, too: the field `key`, or the whole where that is the part's:
   it has no such field, and a model_type other than the whole's. */
am_config am_config_part(const am_config *c, const char *whole_type, const char *key);

/* Whether the field is there and null: None, where an absent field stands for the class's default. */
bool am_config_is_null(const am_config *c, const char *key);

/* The name a field has here: `alias` where that is present, else `key` (attribute_map of configuration
 * classes). */
const char *am_config_either(const am_config *c, const char *key, const char *alias);

/* A size: 1 .. 2^31 - 1. A null counts as absent. */
int64_t am_config_size(const am_config *c, const char *key, int64_t fallback);

/* A count: 0 .. 65536 (layers, labels of a list). */
int64_t am_config_count(const am_config *c, const char *key, int64_t fallback);

/* Any integer; null or absent gives the fallback. */
int64_t am_config_int(const am_config *c, const char *key, int64_t fallback);
double am_config_real(const am_config *c, const char *key, double fallback);
bool am_config_flag(const am_config *c, const char *key, bool fallback);

/* A string in the root's arena. */
const char *am_config_text(const am_config *c, const char *key, const char *fallback);
bool am_config_is(const am_config *c, const char *key, const char *text);

/* An activation by name; an unknown one is an AM_UNSUPPORTED error. */
am_unary_fn am_config_activation(const am_config *c, const char *key, am_unary_fn fallback);

/* A list of sizes into out[limit]; the fallback list when absent. Returns how many; a longer list is an
 * error. */
int am_config_sizes(const am_config *c, const char *key, int64_t *out, int limit, const int64_t *fallback,
                    int fallback_count);

/* Element i of a list of lists of sizes, read likewise; the fallback list where the whole is absent or null, none
 * beyond its end. */
int am_config_inner_sizes(const am_config *c, const char *key, int i, int64_t *out, int limit, const int64_t *fallback,
                          int fallback_count);

/* The same of numbers, and of true and false, for lists of `count` elements: a list of another length is an error, and
   then, and where it is absent, `fallback` fills it. */
void am_config_reals(const am_config *c, const char *key, int count, double fallback, double *out);
void am_config_flags(const am_config *c, const char *key, int count, bool fallback, bool *out);

/* Element i of a list of whole numbers; `fallback` where the list is absent or null, an error where it has none. */
int64_t am_config_list_int(const am_config *c, const char *key, int i, int64_t fallback);

/* Element i of a list of strings, or null. */
const char *am_config_list_text(const am_config *c, const char *key, int i);

/* Which of `count` names element `layer` of a list of layers' types is; an error and 0 where it is none of them. */
int am_config_layer_type(const am_config *c, const char *key, int layer, const char *const names[], int count);

/* The same of two types: whether it is the first. */
bool am_config_layer_is(const am_config *c, const char *key, int layer, const char *type, const char *other);

/* Number of labels: num_labels, or the size of id2label, or 2. */
int64_t am_config_labels(const am_config *c);

/* Keeps an error unless `whole` divides by `part`: "heads not dividing hidden_size". */
void am_config_check_divides(const am_config *c, const char *part_key, int64_t part, const char *whole_key,
                             int64_t whole);

#endif

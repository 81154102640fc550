/* The values that templates compute with: Python's, as far as the sandbox lets a template see them. All of
   them are immutable but namespaces, iterators, loops, cyclers and joiners, so values are copied and shared
   freely. */
#ifndef AM_TEXT_CHAT_TEMPLATE_VALUE_H
#define AM_TEXT_CHAT_TEMPLATE_VALUE_H

#include "text/chat_template/jinja.h"

typedef enum am_jkind {
    AM_J_MISSING, /* an unset variable, an argument not given; no template ever sees it */
    AM_J_UNDEFINED,
    AM_J_NONE,
    AM_J_BOOL,
    AM_J_INT,
    AM_J_BIG, /* an int outside of int64 */
    AM_J_REAL,
    AM_J_STRING,
    AM_J_LIST,
    AM_J_TUPLE,
    AM_J_DICT,
    AM_J_RANGE,
    AM_J_VIEW,      /* dict.keys(), values(), items() */
    AM_J_ITERATOR,  /* generators and iterators: used up by walking through them */
    AM_J_NAMESPACE, /* its attributes are a dict */
    AM_J_MACRO,
    AM_J_FUNCTION, /* built in, or a method bound to its object */
    AM_J_LOOP,
    AM_J_CYCLER,
    AM_J_JOINER,
} am_jkind;

typedef struct am_jstring am_jstring;
typedef struct am_jlist am_jlist;
typedef struct am_jdict am_jdict;
typedef struct am_jbig am_jbig;
typedef struct am_jrange am_jrange;
typedef struct am_jview am_jview;
typedef struct am_jundefined am_jundefined;
typedef struct am_jfunction am_jfunction;
typedef struct am_jiterator am_jiterator; /* iterate.h */
typedef struct am_jmacro am_jmacro;       /* evaluate.h */
typedef struct am_jloop am_jloop;         /* evaluate.h */
typedef struct am_jcycler am_jcycler;     /* globals.c */
typedef struct am_jjoiner am_jjoiner;     /* globals.c */

typedef struct am_jvalue {
    am_jkind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        const am_jbig *big;
        const am_jstring *string;
        const am_jlist *list; /* LIST and TUPLE */
        am_jdict *dict;       /* DICT and NAMESPACE */
        const am_jrange *range;
        const am_jview *view;
        const am_jundefined *undefined;
        const am_jfunction *function;
        am_jiterator *iterator;
        const am_jmacro *macro;
        am_jloop *loop;
        am_jcycler *cycler;
        am_jjoiner *joiner;
        const void *object; /* any of the pointers above, for identity */
    };
} am_jvalue;

/* Room behind a string or list that grows by concatenation: what is appended to its last user is written in
   place. */
typedef struct am_jroom {
    size_t used, capacity;
    void *memory;
} am_jroom;

struct am_jstring {
    const char *bytes; /* well-formed UTF-8, may hold U+0000, no zero byte after it */
    size_t length;
    size_t characters; /* code points; equal to `length` when all is ASCII */
    bool markup;       /* a markupsafe.Markup: what is joined to it gets escaped */
    am_jroom *room;
};

struct am_jlist {
    const am_jvalue *items;
    size_t count;
    bool is_group; /* a tuple of the groupby filter: has .grouper and .list */
    am_jroom *room;
};

typedef struct am_jentry {
    am_jvalue key, value;
    uint64_t hash;
} am_jentry;

/* In order of insertion. */
struct am_jdict {
    am_jentry *entries;
    size_t count, capacity;
    uint32_t *table; /* position + 1 of an entry at its hash, 0: free; null while the dict is small */
    size_t table_size;
};

struct am_jrange {
    int64_t start, stop, step;
    size_t count;
};

typedef enum am_jview_kind { AM_J_KEYS, AM_J_VALUES, AM_J_ITEMS } am_jview_kind;

struct am_jview {
    am_jview_kind kind;
    am_jdict *dict;
};

/* jinja2.Undefined: made when a lookup fails, raises when it is used. */
struct am_jundefined {
    const char *hint; /* whole message, or null: it is made of the rest */
    am_jvalue object; /* what was looked into; MISSING: a variable */
    am_jvalue name;   /* the name, or the index */
    bool is_unsafe;   /* the sandbox forbids it: SecurityError */
};

static inline am_jvalue am_jnone(void)
{
    return (am_jvalue){.kind = AM_J_NONE};
}

static inline am_jvalue am_jbool(bool b)
{
    return (am_jvalue){.kind = AM_J_BOOL, .boolean = b};
}

static inline am_jvalue am_jint(int64_t i)
{
    return (am_jvalue){.kind = AM_J_INT, .integer = i};
}

static inline am_jvalue am_jreal(double r)
{
    return (am_jvalue){.kind = AM_J_REAL, .real = r};
}

/* Makers: false when memory is short. The first copies, the second borrows bytes that outlive the render. */
bool am_jstring_make(am_jinja *j, const char *bytes, size_t length, am_jvalue *out);
bool am_jstring_borrow(am_jinja *j, const char *bytes, size_t length, am_jvalue *out);
bool am_jstring_of_text(am_jtext *text, am_jvalue *out);
bool am_jstring_mark(am_jinja *j, am_jvalue string, bool markup, am_jvalue *out);
bool am_jlist_make(am_jinja *j, am_jkind list_or_tuple, const am_jvalue *items, size_t count, am_jvalue *out);
bool am_jpair_make(am_jinja *j, am_jvalue first, am_jvalue second, am_jvalue *out);
bool am_jdict_make(am_jinja *j, am_jvalue *out);
bool am_jundefined_make(am_jinja *j, am_jundefined undefined, am_jvalue *out);

/* The items [first, first + count) of a list, shared with it. */
bool am_jlist_part(am_jinja *j, am_jkind list_or_tuple, const am_jlist *list, size_t first, size_t count,
                   am_jvalue *out);

/* A string from a literal of the program. */
bool am_jstring_literal(am_jinja *j, const char *text, am_jvalue *out);

/* List that grows while it is made. Pushing fails when memory is short. */
typedef struct am_jitems {
    am_jvalue *items;
    size_t count, capacity;
} am_jitems;

bool am_jitems_push(am_jinja *j, am_jitems *items, am_jvalue value);
bool am_jitems_list(am_jinja *j, const am_jitems *items, am_jkind list_or_tuple, am_jvalue *out);

/* Concatenations, in amortised constant time when `a` was itself made by the last concatenation. */
bool am_jstring_concat(am_jinja *j, const am_jstring *a, const am_jstring *b, am_jvalue *out);
bool am_jlist_concat(am_jinja *j, am_jkind kind, const am_jlist *a, const am_jlist *b, am_jvalue *out);

/* The same bytes; markup or not does not matter. */
bool am_jstring_equals(const am_jstring *a, const am_jstring *b);
bool am_jstring_is(const am_jstring *string, const char *text);

/* Value of a key, null when there is none. Fails (false) for keys that cannot be hashed. */
bool am_jdict_find(am_jinja *j, const am_jdict *dict, am_jvalue key, const am_jvalue **out);
const am_jvalue *am_jdict_find_text(const am_jdict *dict, const char *key);

/* Adds or replaces. Only for dicts that the template does not have yet, and for namespaces. */
bool am_jdict_set(am_jinja *j, am_jdict *dict, am_jvalue key, am_jvalue value);
bool am_jdict_set_text(am_jinja *j, am_jdict *dict, const char *key, am_jvalue value);

/* A dict with the same entries. */
bool am_jdict_copy(am_jinja *j, const am_jdict *dict, am_jvalue *out);

/* Fails with TypeError where a value cannot be a key. */
bool am_jvalue_hashable(am_jinja *j, am_jvalue value);

/* Python's ==, <, bool(), `is`. Fail when nested too deeply; am_jvalue_compare also when there is no order:
   `operator` is "<", ">", "<=" or ">=". */
bool am_jvalue_equal(am_jinja *j, am_jvalue a, am_jvalue b, bool *out);
bool am_jvalue_compare(am_jinja *j, const char *operator, am_jvalue a, am_jvalue b, bool *out);
bool am_jvalue_true(am_jvalue value);
bool am_jvalue_same(am_jvalue a, am_jvalue b);

/* len(), false and TypeError when the value has none. */
bool am_jvalue_length(am_jinja *j, am_jvalue value, size_t *out);
bool am_jvalue_has_length(am_jvalue value);

bool am_jvalue_is_number(am_jvalue value);  /* bool, int, float */
bool am_jvalue_is_integer(am_jvalue value); /* bool, int */

/* type(value).__name__, and what Jinja2 calls the object in "... has no attribute". */
const char *am_jvalue_type(am_jvalue value);
const char *am_jvalue_described(am_jinja *j, am_jvalue value);

/* What an undefined value says when it is used. */
const char *am_jundefined_message(am_jinja *j, const am_jundefined *undefined);

/* Raises what using this undefined value raises. */
bool am_jfail_undefined(am_jinja *j, const am_jundefined *undefined);

#endif

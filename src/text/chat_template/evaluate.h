/* Evaluation: the state of one render, and what the parts of the evaluator call in each other. */
#ifndef AM_TEXT_CHAT_TEMPLATE_EVALUATE_H
#define AM_TEXT_CHAT_TEMPLATE_EVALUATE_H

#include "text/chat_template/node.h"
#include "text/chat_template/value.h"

#include <time.h>

/* Variables of one running function (template, macro, recursive loop), and those of the one around it. */
typedef struct am_jenv {
    struct am_jenv *parent;
    am_jvalue *slots;
} am_jenv;

typedef struct am_jspan {
    size_t start, end;
} am_jspan;

typedef struct am_jrun {
    const char *source;                       /* text of the template, for the numbers of lines */
    am_jdict *context;                        /* what the template was given, and the globals */
    am_jtext root;                            /* the rendered text */
    am_jtext *out;                            /* where output goes now: `root`, or the text of a macro or block */
    size_t counted_bytes, counted_characters; /* of `root` */
    am_jspan *spans;                          /* of generation blocks, in characters */
    size_t span_count, span_capacity;
    struct tm now;
    int microsecond;
} am_jrun;

/* ---- calls ---- */

typedef struct am_jarguments {
    const am_jvalue *positional;
    size_t count;
    const am_jstring *const *names;
    const am_jvalue *named;
    size_t named_count;
} am_jarguments;

typedef struct am_jroutine am_jroutine;

/* A call of a routine: its object, and its arguments by parameter (MISSING: not given) and as given. */
typedef struct am_jcall {
    const am_jroutine *routine;
    am_jvalue self;
    const am_jvalue *a;
    const am_jarguments *given;
} am_jcall;

/* A filter, test, method or function that is built in. `parameters`: names with a space between, '?' behind
   those that may be left out; "*": anything. Before them, for what Python says about wrong arguments: '/': by
   position only; '!': parsed by format ("takes at least 1 argument"); '@': has a parameter before these that
   Jinja2 fills in itself. `called` is Python's name for it in messages. */
struct am_jroutine {
    const char *name;
    bool (*call)(am_jinja *j, const am_jcall *call, am_jvalue *out);
    const char *parameters;
    const char *called;
};

struct am_jfunction {
    const am_jroutine *routine;
    am_jvalue self; /* MISSING: bound to nothing */
};

/* A value to call; its name. */
bool am_jfunction_make(am_jinja *j, const am_jroutine *routine, am_jvalue self, am_jvalue *out);
const char *am_jfunction_name(const am_jfunction *function);

/* The routine of that name in a table, null when there is none. */
const am_jroutine *am_jroutine_find(const am_jroutine *table, size_t count, const am_jstring *name);

/* Calls a routine; `self` MISSING when it has no object. */
bool am_jroutine_call(am_jinja *j, const am_jroutine *routine, am_jvalue self, const am_jarguments *arguments,
                      am_jvalue *out);

/* The same with `first` before the positional arguments: how filters and tests get their value. */
bool am_jroutine_apply(am_jinja *j, const am_jroutine *routine, am_jvalue first, const am_jarguments *arguments,
                       am_jvalue *out);

/* Calls any value. */
bool am_jvalue_call(am_jinja *j, am_jvalue callee, const am_jarguments *arguments, am_jvalue *out);
bool am_jvalue_is_callable(am_jvalue value);

/* Positional argument `index` of a call as given, MISSING when there are fewer; named argument likewise. */
am_jvalue am_jarguments_at(const am_jarguments *arguments, size_t index);
am_jvalue am_jarguments_named(const am_jarguments *arguments, const char *name);

/* ---- macros ---- */

struct am_jmacro {
    const am_jmacro_node *node;
    am_jenv *env; /* where it was defined */
};

/* A macro as a value; a call of it, with the text that it prints. */
bool am_jmacro_make(am_jinja *j, const am_jmacro_node *node, am_jenv *env, am_jvalue *out);
bool am_jmacro_call(am_jinja *j, const am_jmacro *macro, const am_jarguments *arguments, am_jvalue *out);

/* Its name, or none. */
am_jvalue am_jmacro_name(const am_jmacro *macro);

/* ---- loops ---- */

struct am_jloop {
    am_jiterator *iterator;
    am_jvalue iterable;
    int64_t index0; /* of the current item, from 0 */
    bool has_length;
    size_t length;
    am_jvalue after, current, before; /* MISSING: not known, or none */
    am_jvalue changed;                /* last arguments of loop.changed(), a tuple */
    const am_jnode *node;             /* of a recursive loop, else null */
    am_jenv *env;                     /* around the loop */
    int depth0;
};

/* loop.length, which may use up an iterator to count; loop.index, from 1. */
bool am_jloop_length(am_jinja *j, am_jloop *loop, size_t *out);
int64_t am_jloop_index(const am_jloop *loop);

/* Goes on to the next item, MISSING at the end. */
bool am_jloop_advance(am_jinja *j, am_jloop *loop, am_jvalue *out);

/* The item after the current one, MISSING at the end. */
bool am_jloop_peek(am_jinja *j, am_jloop *loop, am_jvalue *out);

/* Renders a recursive loop over another iterable. */
bool am_jloop_recurse(am_jinja *j, const am_jloop *loop, am_jvalue iterable, am_jvalue *out);

/* ---- expressions and statements ---- */

/* The value of an expression. */
bool am_jevaluate(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *out);

/* A chain of filters over `input`, which stands where the innermost filter has none. */
bool am_jevaluate_filters(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue input, am_jvalue *out);

/* Arguments of a call, "*" and "**" taken apart. */
bool am_jevaluate_arguments(am_jinja *j, const am_jarguments_node *node, am_jenv *env, am_jarguments *out);

/* Stores into names, tuples and namespaces. */
bool am_jassign(am_jinja *j, const am_jnode *target, am_jenv *env, am_jvalue value);

typedef enum am_jflow { AM_J_FAILED, AM_J_GO_ON, AM_J_BROKEN, AM_J_CONTINUED } am_jflow;

/* Runs statements up to the end, or to what leaves them early. */
am_jflow am_jexecute(am_jinja *j, const am_jnodes *body, am_jenv *env);

/* Runs `body`, with what it prints as a string. */
am_jflow am_jcapture(am_jinja *j, const am_jnodes *body, am_jenv *env, am_jvalue *out);

/* New variables for a function of `slots`; sets the variables of a scope. */
am_jenv *am_jenv_make(am_jinja *j, am_jenv *parent, uint32_t slots);
bool am_jscope_enter(am_jinja *j, const am_jscope *scope, am_jenv *env);

/* The variable that a name means. */
am_jvalue *am_jslot_of(am_jenv *env, am_jslot slot);

/* ---- looking into values (attribute.c) ---- */

/* value.name and value[index] as the sandbox allows them; undefined when there is none. */
bool am_jgetattr(am_jinja *j, am_jvalue object, am_jvalue name, am_jvalue *out);
bool am_jgetitem(am_jinja *j, am_jvalue object, am_jvalue index, am_jvalue *out);

/* value.name without looking into items; MISSING when there is no such attribute. */
bool am_jattribute(am_jinja *j, am_jvalue object, const am_jstring *name, am_jvalue *out);

/* value[start:stop:step]; parts may be MISSING or none. */
bool am_jslice(am_jinja *j, am_jvalue object, am_jvalue start, am_jvalue stop, am_jvalue step, am_jvalue *out);

/* Index into a sequence of `length`, counted from the end when negative; false when it is outside. */
bool am_jindex_resolve(int64_t index, size_t length, size_t *out);

/* ---- operators (arithmetic.c) ---- */

/* a + b and so on; -a and +a. */
bool am_jbinary(am_jinja *j, am_jtoken_kind operator, am_jvalue a, am_jvalue b, am_jvalue *out);
bool am_junary(am_jinja *j, am_jtoken_kind operator, am_jvalue a, am_jvalue *out);

/* item in container */
bool am_jcontains(am_jinja *j, am_jvalue container, am_jvalue item, bool *out);

/* ---- tables ---- */

/* Null when there is none of that name. `is_unsafe`: there is, but it would change the object. */
const am_jroutine *am_jfilter_find(const am_jstring *name);
const am_jroutine *am_jtest_find(const am_jstring *name);
const am_jroutine *am_jstring_method(const am_jstring *name);
const am_jroutine *am_jcontainer_method(am_jvalue object, const am_jstring *name, bool *is_unsafe);

/* Adds range, dict, namespace and the other globals. */
bool am_jglobals_add(am_jinja *j, am_jdict *context);

/* Attributes of cyclers and joiners; MISSING when there is none. */
bool am_jhelper_attribute(am_jinja *j, am_jvalue object, const am_jstring *name, am_jvalue *out);
bool am_jjoiner_call(am_jinja *j, am_jjoiner *joiner, am_jvalue *out);

#endif

/* Syntax trees of templates. Built by the parser, completed by the scope pass (slots of names, filters), then
   read only, so that several threads can render one template. */
#ifndef AM_TEXT_CHAT_TEMPLATE_NODE_H
#define AM_TEXT_CHAT_TEMPLATE_NODE_H

#include "text/chat_template/lexer.h"
#include "text/chat_template/value.h"

typedef enum am_jnode_kind {
    /* expressions */
    AM_N_CONST,
    AM_N_NAME,
    AM_N_TUPLE,
    AM_N_LIST,
    AM_N_DICT,
    AM_N_CONDITION,
    AM_N_OR,
    AM_N_AND,
    AM_N_NOT,
    AM_N_COMPARE,
    AM_N_BINARY,
    AM_N_UNARY,
    AM_N_CONCAT,
    AM_N_ATTRIBUTE,
    AM_N_ITEM,
    AM_N_SLICE,
    AM_N_CALL,
    AM_N_FILTER,
    AM_N_TEST,
    AM_N_NAMESPACE, /* "ns.attribute" as the target of an assignment */
    /* statements */
    AM_N_DATA,
    AM_N_OUTPUT,
    AM_N_FOR,
    AM_N_IF,
    AM_N_MACRO,
    AM_N_CALL_BLOCK,
    AM_N_GENERATION,
    AM_N_FILTER_BLOCK,
    AM_N_WITH,
    AM_N_SET,
    AM_N_SET_BLOCK,
    AM_N_BLOCK,
    AM_N_BREAK,
    AM_N_CONTINUE,
    AM_N_OTHER_TEMPLATE, /* include, import, from, extends: there is no other template */
} am_jnode_kind;

typedef struct am_jnode am_jnode;

typedef struct am_jnodes {
    am_jnode **items;
    size_t count, capacity;
} am_jnodes;

/* Where a variable lives: `hops` functions outwards, then a slot of that function's variables. */
typedef struct am_jslot {
    uint32_t hops, index;
} am_jslot;

#define AM_J_NO_SLOT ((am_jslot){UINT32_MAX, UINT32_MAX})

typedef enum am_jload_kind {
    AM_J_LOAD_NOTHING,  /* unset */
    AM_J_LOAD_ALIAS,    /* the value of a variable outside */
    AM_J_LOAD_CONTEXT,  /* what the template was given under this name */
    AM_J_LOAD_PARAMETER /* set by whoever enters the scope */
} am_jload_kind;

/* How a variable starts when its scope is entered. */
typedef struct am_jload {
    am_jload_kind kind;
    uint32_t slot;
    am_jslot source;
    const am_jstring *name;
} am_jload;

typedef struct am_jscope {
    am_jload *loads;
    size_t count;
} am_jscope;

typedef enum am_jname_use { AM_J_USE_LOAD, AM_J_USE_STORE, AM_J_USE_PARAMETER } am_jname_use;

typedef struct am_jarguments_node {
    am_jnodes positional;
    am_jnodes named; /* values */
    const am_jstring **names;
    am_jnode *star, *star_star; /* null: none */
} am_jarguments_node;

/* What macros, call blocks and generation blocks share: a function that renders text. */
typedef struct am_jmacro_node {
    const am_jstring *name; /* null: anonymous */
    am_jnodes parameters;   /* AM_N_NAME */
    am_jnodes defaults;     /* of the last parameters */
    am_jnodes body;
    am_jscope scope;
    uint32_t slots;
    am_jslot caller, kwargs, varargs; /* AM_J_NO_SLOT: the body does not ask for it */
    bool explicit_caller;             /* a parameter has that name */
} am_jmacro_node;

struct am_jnode {
    am_jnode_kind kind;
    size_t offset;
    int height; /* of an expression: how deep it nests */
    union {
        am_jvalue constant; /* CONST; DATA: the text */
        struct {
            const am_jstring *name, *attribute; /* `attribute` of NAMESPACE */
            am_jname_use use;
            am_jslot slot;
            bool exported; /* stored at the top level: blocks see it too */
        } name;
        am_jnodes list; /* TUPLE, LIST, CONCAT, OUTPUT */
        struct {
            am_jnodes keys, values;
        } dict;
        struct {
            am_jnode *test, *yes, *no; /* `no` may be null */
        } condition;
        struct {
            am_jtoken_kind operator;
            am_jnode *left, *right; /* `right` null: UNARY, NOT */
        } binary;
        struct {
            am_jnode *first;
            am_jnodes rest;
            am_jtoken_kind *operators; /* NAME: in, END: not in */
        } compare;
        struct {
            am_jnode *object, *index; /* `index` null: ATTRIBUTE */
            const am_jstring *name;
        } item;
        struct {
            am_jnode *start, *stop, *step; /* null: none */
        } slice;
        struct {
            am_jnode *callee;
            am_jarguments_node arguments;
        } call;
        struct {
            am_jnode *input; /* null: the text of a block */
            const am_jstring *name;
            const struct am_jroutine *routine; /* null: unknown, an error when it is reached */
            am_jarguments_node arguments;
        } filter; /* TEST too */
        struct {
            am_jnode *target, *iterable, *test, *test_target; /* `test` null: none */
            am_jnodes body, otherwise;
            bool recursive, extended; /* `extended`: the body asks for `loop` */
            am_jslot loop;
            am_jscope body_scope, test_scope, else_scope;
            uint32_t slots; /* of a recursive loop, which is a function */
        } loop;
        struct {
            am_jnodes tests;   /* if, elif ... */
            am_jnodes *bodies; /* one for each test */
            am_jnodes otherwise;
        } branches;
        struct {
            am_jmacro_node macro;
            am_jnode *call;   /* CALL_BLOCK: what gets it as `caller` */
            am_jnode *target; /* MACRO: the name it is stored under */
        } macro;              /* CALL_BLOCK, GENERATION too */
        struct {
            am_jnode *target, *value; /* `value`: SET; the filter of SET_BLOCK and FILTER_BLOCK */
            am_jnodes body;
            am_jscope scope;
        } set; /* FILTER_BLOCK too */
        struct {
            am_jnodes targets, values, body;
            am_jscope scope;
        } with;
        struct {
            const am_jstring *name;
            am_jnodes body;
            am_jscope scope;
            uint32_t slots;
        } block;
    };
};

/* Calls visit(context, child) for the children in the order that Jinja2's nodes have their fields; stops at
   false. */
typedef bool (*am_jvisit)(void *context, am_jnode *child);
bool am_jnode_children(am_jnode *node, am_jvisit visit, void *context);

/* Adds to a list in the arena. */
bool am_jnodes_push(am_jinja *j, am_jnodes *list, am_jnode *node);

#endif

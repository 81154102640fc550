/* Recursive descent, function by function as in jinja2/parser.py, so that errors are the same. */
#ifndef AM_TEXT_CHAT_TEMPLATE_PARSER_H
#define AM_TEXT_CHAT_TEMPLATE_PARSER_H

#include "text/chat_template/node.h"

enum { AM_J_END_TAGS = 4, AM_J_PARSE_DEPTH_LIMIT = 150, AM_J_HEIGHT_LIMIT = 400 };

/* Tags that end a block; null behind the last one. */
typedef struct am_jend_tags {
    const char *names[AM_J_END_TAGS];
} am_jend_tags;

typedef struct am_jparser {
    am_jinja *j;
    am_jlexer lexer;
    am_jtoken current, pushed;
    bool has_pushed;
    int depth;     /* of statements and brackets inside each other */
    int loops;     /* around the current statement, inside of its function */
    int tag_count; /* open blocks: their names and what ends them */
    const am_jstring *tags[AM_J_PARSE_DEPTH_LIMIT + 1];
    am_jend_tags ends[AM_J_PARSE_DEPTH_LIMIT + 1];
    int end_count;
} am_jparser;

/* Parses a whole template. `text` (UTF-8, normalized) is borrowed by the tree. */
bool am_jparse(am_jinja *j, const char *text, size_t length, am_jnodes *out);

/* ---- between the two halves of the parser (parser.c: statements, parse_expression.c) ---- */

/* All return null or false after an error. */
am_jnode *am_jparse_node(am_jparser *p, am_jnode_kind kind, size_t offset);
am_jnode *am_jparse_finish(am_jparser *p, am_jnode *node);
bool am_jparse_advance(am_jparser *p);
bool am_jparse_look(am_jparser *p, am_jtoken *next);
bool am_jparse_expect(am_jparser *p, am_jtoken_kind kind);
bool am_jparse_fail(am_jparser *p, size_t offset, const char *format, ...) AM_PRINTF(3, 4);
bool am_jparse_enter(am_jparser *p);
bool am_jparse_is_name(const am_jparser *p, const char *name);

/* Takes the current token when it is this one; *taken says so. */
bool am_jparse_skip(am_jparser *p, am_jtoken_kind kind, bool *taken);
bool am_jparse_skip_name(am_jparser *p, const char *name, bool *taken);

/* How a tuple is read. */
typedef struct am_jtuple_options {
    bool targets_only;   /* names and literals: the target of an assignment */
    bool no_condition;   /* "if" is not part of it */
    bool parentheses;    /* stands between them, so it may be empty */
    bool with_namespace; /* "ns.attribute" may stand in it */
} am_jtuple_options;

/* An expression; one or several with commas between; a name, a literal or something in brackets. */
am_jnode *am_jparse_expression(am_jparser *p);
am_jnode *am_jparse_tuple(am_jparser *p, am_jtuple_options options);
am_jnode *am_jparse_primary(am_jparser *p, bool with_namespace);

/* "|name(...)|name ..." behind `input` (null: the text of a block); `inside`: the first name stands here
   already. */
am_jnode *am_jparse_filter(am_jparser *p, am_jnode *input, bool inside);

#endif

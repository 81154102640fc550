/* Where names live: which variable each name means, as jinja2/idtracking.py and jinja2/compiler.py decide it,
   and which filters and tests there are. */
#ifndef AM_TEXT_CHAT_TEMPLATE_SCOPE_H
#define AM_TEXT_CHAT_TEMPLATE_SCOPE_H

#include "text/chat_template/node.h"

/* A template ready to be rendered. */
typedef struct am_jprogram {
    am_jnodes body;
    am_jscope scope;
    uint32_t slots;
} am_jprogram;

/* Completes the tree. Fails with TemplateAssertionError for unknown filters and tests (those inside of an
   `if` only fail when they are reached) and for assignments to `loop` inside of a loop. */
bool am_jresolve(am_jinja *j, am_jprogram *program);

#endif

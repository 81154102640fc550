/* From JSON to what a template sees: the variables of a render. */
#ifndef AM_TEXT_CHAT_TEMPLATE_CONVERSATION_H
#define AM_TEXT_CHAT_TEMPLATE_CONVERSATION_H

#include "text/chat_template.h"
#include "text/chat_template/value.h"

/* What is to be continued, and how it is marked while the template runs. */
typedef struct am_jcontinuation {
    bool wanted;
    am_jvalue text; /* what the final message says so far */
} am_jcontinuation;

/* A JSON value; strings are borrowed from the document. MISSING becomes none. */
bool am_jvalue_of_json(am_jinja *j, am_json json, am_jvalue *out);

/* Fills `context` with messages, tools, documents and all other variables, as apply_chat_template and
   render_jinja_template of transformers prepare them. `source` is the template's text. */
bool am_jconversation(am_jinja *j, const am_chat_options *options, const char *source, size_t source_length,
                      am_jdict *context, am_jcontinuation *continuation);

/* Cuts the rendered text where the final message ends; *length is the length that is left. */
bool am_jcontinuation_cut(am_jinja *j, const am_jcontinuation *continuation, const am_jtext *rendered, size_t *length);

#endif

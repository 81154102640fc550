#include "text/chat_template/conversation.h"

#include "text/chat_template/evaluate.h"
#include "text/chat_template/represent.h"
#include "text/chat_template/text.h"

#include <string.h>

static const char *const reasoning_fields[] = {"reasoning_content", "thinking", "reasoning"};

static const am_jstring continue_tag = {.bytes = "CONTINUE_FINAL_MESSAGE_TAG ", .length = 27, .characters = 27};

/* ---- JSON ---- */

static bool list_of_json(am_jinja *j, am_json json, am_jvalue *out)
{
    am_jitems items = {0};
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);) {
        am_jvalue value;
        if (!am_jvalue_of_json(j, i.value, &value) || !am_jitems_push(j, &items, value)) return false;
    }
    return am_jitems_list(j, &items, AM_J_LIST, out);
}

static bool dict_of_json(am_jinja *j, am_json json, am_jvalue *out)
{
    if (!am_jdict_make(j, out)) return false;
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);) {
        am_jvalue key, value;
        if (!am_jstring_borrow(j, i.key.bytes, i.key.length, &key) || !am_jvalue_of_json(j, i.value, &value) ||
            !am_jdict_set(j, out->dict, key, value))
            return false;
    }
    return true;
}

bool am_jvalue_of_json(am_jinja *j, am_json json, am_jvalue *out)
{
    am_json_string text;
    switch (am_json_kind_of(json)) {
    case AM_JSON_BOOL:
        *out = am_jbool(am_json_bool(json, false));
        return true;
    case AM_JSON_INTEGER:
        *out = am_jint(am_json_int(json, 0));
        return true;
    case AM_JSON_REAL:
        *out = am_jreal(am_json_real(json, 0));
        return true;
    case AM_JSON_STRING:
        text = am_json_text(json);
        return am_jstring_borrow(j, text.bytes, text.length, out);
    case AM_JSON_ARRAY:
        return list_of_json(j, json, out);
    case AM_JSON_OBJECT:
        return dict_of_json(j, json, out);
    default:
        *out = am_jnone();
        return true;
    }
}

static bool is_given(am_json json)
{
    am_json_kind kind = am_json_kind_of(json);
    return kind != AM_JSON_MISSING && kind != AM_JSON_NULL;
}

/* ---- messages ---- */

static const am_jvalue *reasoning_of(const am_jdict *message)
{
    for (size_t i = 0; i < 3; i++) {
        const am_jvalue *found = am_jdict_find_text(message, reasoning_fields[i]);
        if (found && found->kind != AM_J_NONE) return found;
    }
    return NULL;
}

/* A message without the members that are null, and with its reasoning under the names that templates read. */
static bool read_message(am_jinja *j, am_json json, am_jvalue *out)
{
    am_jvalue given;
    if (!am_jvalue_of_json(j, json, &given)) return false;
    if (given.kind != AM_J_DICT)
        return am_jfail(j, "TypeError", "Chat messages should be dicts, dataclasses or pydantic models, but got %s.",
                        am_jrepr_text(j, given));
    const am_jvalue *reasoning = reasoning_of(given.dict);
    if (!am_jdict_make(j, out)) return false;
    if (reasoning && !am_jdict_set_text(j, out->dict, "thinking", *reasoning)) return false;
    for (size_t i = 0; i < given.dict->count; i++) {
        const am_jentry *entry = &given.dict->entries[i];
        if (entry->value.kind != AM_J_NONE && !am_jdict_set(j, out->dict, entry->key, entry->value)) return false;
    }
    return !reasoning || am_jdict_set_text(j, out->dict, "reasoning_content", *reasoning);
}

static bool read_messages(am_jinja *j, am_json json, am_jvalue *out)
{
    am_jitems items = {0};
    if (am_json_kind_of(json) != AM_JSON_ARRAY)
        return am_jfail(j, "TypeError", "messages must be an array of objects, not %s",
                        am_json_kind_name(am_json_kind_of(json)));
    if (am_json_count(json) == 0)
        return am_jfail(j, "ValueError",
                        "Cannot apply chat template to an empty conversation. Provide at least one message.");
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);) {
        am_jvalue message;
        if (!read_message(j, i.value, &message) || !am_jitems_push(j, &items, message)) return false;
    }
    return am_jitems_list(j, &items, AM_J_LIST, out);
}

/* ---- continue_final_message ---- */

static bool tagged(am_jinja *j, am_jvalue text, am_jvalue *out)
{
    const am_jvalue tag = {.kind = AM_J_STRING, .string = &continue_tag};
    return am_jbinary(j, AM_T_ADD, text, tag, out);
}

/* Tags the last block of a list that has a text. */
static bool tag_blocks(am_jinja *j, am_jvalue blocks, am_jcontinuation *out)
{
    am_jvalue key;
    if (!am_jstring_literal(j, "text", &key)) return false;
    for (size_t i = blocks.list->count; i-- > 0;) {
        am_jvalue block = blocks.list->items[i], text;
        bool has_text;
        if (!am_jcontains(j, block, key, &has_text)) return false;
        if (!has_text) continue;
        if (block.kind != AM_J_DICT) return am_jfail(j, "TypeError", "string indices must be integers, not 'str'");
        out->text = *am_jdict_find_text(block.dict, "text");
        return tagged(j, out->text, &text) && am_jdict_set(j, block.dict, key, text);
    }
    return am_jfail(j, "ValueError",
                    "continue_final_message is set but we could not find any text to continue in the final message!");
}

static bool mentions(const char *source, size_t length, const char *field)
{
    const am_jstring text = {.bytes = source, .length = length}, word = {.bytes = field, .length = strlen(field)};
    return am_jbytes_find(&text, &word, 0, length) != SIZE_MAX;
}

static bool tag_fields(am_jinja *j, am_jdict *message, const char *const *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const am_jvalue *found = am_jdict_find_text(message, fields[i]);
        am_jvalue text;
        if (!found) continue;
        if (!tagged(j, *found, &text) || !am_jdict_set_text(j, message, fields[i], text)) return false;
    }
    return true;
}

/* The fields that hold the text to continue: reasoning stands under several names. */
static bool continued_fields(am_jinja *j, const am_jdict *message, const char *field, am_jvalue text,
                             const char *fields[3], size_t *count)
{
    bool is_reasoning = false, equal;
    for (size_t i = 0; i < 3; i++) is_reasoning = is_reasoning || strcmp(field, reasoning_fields[i]) == 0;
    fields[0] = field;
    *count = !is_reasoning;
    for (size_t i = 0; is_reasoning && i < 3; i++) {
        const am_jvalue *found = am_jdict_find_text(message, reasoning_fields[i]);
        if (!found) continue;
        if (!am_jvalue_equal(j, *found, text, &equal)) return false;
        if (equal) fields[(*count)++] = reasoning_fields[i];
    }
    return true;
}

static bool prepare_continuation(am_jinja *j, const char *field, const char *source, size_t length, am_jvalue messages,
                                 am_jcontinuation *out)
{
    const char *fields[3];
    size_t count;
    bool accepted = false;
    am_jdict *message = messages.list->items[messages.list->count - 1].dict;
    const am_jvalue *found = am_jdict_find_text(message, field);
    if (!found)
        return am_jfail(j, "ValueError",
                        "continue_final_message is set but the final message has no \"%s\" to continue!", field);
    *out = (am_jcontinuation){.wanted = true, .text = *found};
    if (!continued_fields(j, message, field, *found, fields, &count)) return false;
    for (size_t i = 0; i < count; i++) accepted = accepted || mentions(source, length, fields[i]);
    if (!accepted)
        return am_jfail(j, "ValueError",
                        "continue_final_message is set to \"%s\" but this is not an accepted field in "
                        "the chat_template",
                        field);
    if (found->kind == AM_J_LIST) return tag_blocks(j, *found, out);
    return tag_fields(j, message, fields, count);
}

static bool contains(const am_jtext *rendered, const am_jstring *part)
{
    const am_jstring text = {.bytes = rendered->length ? rendered->bytes : "", .length = rendered->length};
    return am_jbytes_find(&text, part, 0, text.length) != SIZE_MAX;
}

bool am_jcontinuation_cut(am_jinja *j, const am_jcontinuation *continuation, const am_jtext *rendered, size_t *length)
{
    am_jvalue bare, part;
    am_jstring tag = continue_tag;
    *length = rendered->length;
    if (!continuation->wanted) return true;
    tag.length--; /* without the space at its end */
    if (continuation->text.kind != AM_J_STRING)
        return am_jfail(j, "AttributeError", "'%s' object has no attribute 'strip'",
                        am_jvalue_type(continuation->text));
    if (!am_jstring_strip(j, continuation->text.string, NULL, true, true, &bare)) return false;
    if (!contains(rendered, bare.string) || !contains(rendered, &tag)) {
        am_jtext message = {.j = j};
        am_jtext_append_string(&message,
                               "continue_final_message is set but the final message does not appear in the chat after "
                               "applying the chat template! This can happen if the chat template deletes portions of "
                               "the final message. Please verify the chat template and final message in your chat to "
                               "ensure they are compatible.Final message to continue: ");
        am_jstr(&message, bare);
        am_jtext_append_string(&message, "\nRendered chat:\n");
        am_jtext_append(&message, rendered->bytes, rendered->length);
        return am_jfail(j, "ValueError", "%s", am_jtext_string(&message));
    }
    const am_jstring text = {.bytes = rendered->bytes, .length = rendered->length};
    *length = am_jbytes_find_last(&text, &tag, 0, text.length);
    const am_jstring rest = {.bytes = text.bytes + *length, .length = text.length - *length};
    if (am_jstring_starts(&rest, &continue_tag)) return true;
    /* The template trimmed the message, so what it has before the tag is trimmed, too. */
    const am_jstring before = {.bytes = text.bytes, .length = *length};
    if (!am_jstring_strip(j, &before, NULL, false, true, &part)) return false;
    *length = part.string->length;
    return true;
}

/* ---- all variables ---- */

static bool add_members(am_jinja *j, am_jdict *context, am_json object)
{
    for (am_json_iterator i = am_json_iterate(object); am_json_next(&i);) {
        am_jvalue key, value;
        if (!am_jstring_borrow(j, i.key.bytes, i.key.length, &key) || !am_jvalue_of_json(j, i.value, &value) ||
            !am_jdict_set(j, context, key, value))
            return false;
    }
    return true;
}

/* Variables of the conversation itself cannot be given a second time. */
static bool check_arguments(am_jinja *j, am_json arguments)
{
    static const char *const taken[] = {"messages", "tools", "documents", "add_generation_prompt"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (am_json_kind_of(am_json_get(arguments, taken[i])) != AM_JSON_MISSING)
            return am_jfail(j, "TypeError", "apply_chat_template() got multiple values for keyword argument '%s'",
                            taken[i]);
    return true;
}

static bool check_objects(am_jinja *j, am_json list, const char *class_name, const char *message)
{
    if (is_given(list) && am_json_kind_of(list) != AM_JSON_ARRAY) return am_jfail(j, class_name, "%s", message);
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);)
        if (am_json_kind_of(i.value) != AM_JSON_OBJECT) return am_jfail(j, class_name, "%s", message);
    return true;
}

static bool check_options(am_jinja *j, const am_chat_options *options)
{
    if (options->continue_field && options->add_generation_prompt)
        return am_jfail(j, "ValueError",
                        "continue_final_message and add_generation_prompt are not compatible. Use "
                        "continue_final_message when you want the model to continue the final message, and "
                        "add_generation_prompt when you want to add a header that will prompt it to start a new "
                        "assistant message instead.");
    return check_objects(j, options->tools, "ValueError",
                         "Tools should either be a JSON schema, or a callable function with type hints and a docstring "
                         "suitable for auto-conversion to a schema.") &&
           check_objects(j, options->documents, "TypeError",
                         "Documents should be a list of dicts with 'title' and 'text' keys!") &&
           check_arguments(j, options->arguments);
}

bool am_jconversation(am_jinja *j, const am_chat_options *options, const char *source, size_t source_length,
                      am_jdict *context, am_jcontinuation *continuation)
{
    am_jvalue messages, tools, documents;
    *continuation = (am_jcontinuation){0};
    if (!check_options(j, options) || !read_messages(j, options->messages, &messages) ||
        !am_jvalue_of_json(j, options->tools, &tools) || !am_jvalue_of_json(j, options->documents, &documents))
        return false;
    if (options->continue_field &&
        !prepare_continuation(j, options->continue_field, source, source_length, messages, continuation))
        return false;
    return am_jglobals_add(j, context) && add_members(j, context, options->special_tokens) &&
           add_members(j, context, options->arguments) && am_jdict_set_text(j, context, "messages", messages) &&
           am_jdict_set_text(j, context, "tools", tools) && am_jdict_set_text(j, context, "documents", documents) &&
           am_jdict_set_text(j, context, "add_generation_prompt", am_jbool(options->add_generation_prompt));
}

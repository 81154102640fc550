#include "api/arguments.h"
#include "api/model_internal.h"
#include "base/json.h"
#include "base/memory.h"
#include "tasks/task.h"

#include <string.h>

/* --- running --- */

static am_status list_names(am_buffer *out)
{
    for (const am_task *const *task = am_task_registry; *task; task++)
        am_buffer_printf(out, "%s%s", task == am_task_registry ? "" : ", ", (*task)->name);
    return am_buffer_status(out);
}

static am_status unknown_task(const char *name)
{
    am_buffer names = {0};
    am_status status = list_names(&names);
    if (!status)
        status = am_error(AM_UNSUPPORTED, "task \"%s\" is not supported; there are %s", name, am_buffer_text(&names));
    am_buffer_deinit(&names);
    return status;
}

static am_status no_task(const am_model *model)
{
    am_buffer names = {0};
    am_status status = list_names(&names);
    if (!status)
        status = am_error(AM_INVALID_ARGUMENT, "class %s is for no task of its own; name one of %s",
                          am_model_architecture(model), am_buffer_text(&names));
    am_buffer_deinit(&names);
    return status;
}

static am_status find_task(const am_model *model, const char *name, const am_task **out)
{
    if (!name) name = model->task;
    if (!name) return no_task(model);
    if (strcmp(name, "sentiment-analysis") == 0) name = "text-classification";
    if (strcmp(name, "ner") == 0) name = "token-classification";
    if (strncmp(name, "translation_", 12) == 0) name = "translation";
    *out = am_task_find(name);
    return *out ? NULL : unknown_task(name);
}

/* "translation_en_to_de" names the languages, which options may name otherwise. */
static am_status add_languages(const char *task, const char *options, am_buffer *out)
{
    const char *from = task && strncmp(task, "translation_", 12) == 0 ? task + 12 : NULL,
               *to = from ? strstr(from, "_to_") : NULL, *begin = options ? options + strspn(options, " \t\r\n") : "{}";
    if (!to || *begin != '{') {
        if (options) am_buffer_append_string(out, options);
        return am_buffer_status(out);
    }
    am_buffer_append_string(out, "{\"src_lang\": ");
    am_buffer_append_json_string(out, from, (size_t)(to - from));
    am_buffer_append_string(out, ", \"tgt_lang\": ");
    am_buffer_append_json_string(out, to + 4, strlen(to + 4));
    begin++;
    begin += strspn(begin, " \t\r\n");
    am_buffer_append_string(out, *begin == '}' ? "" : ", ");
    am_buffer_append_string(out, begin);
    return am_buffer_status(out);
}

static am_status read_options(const char *task, const char *options, am_json_document **document, am_json *out)
{
    am_buffer text = {0};
    am_status status = add_languages(task, options, &text);
    *document = NULL;
    *out = (am_json){0};
    if (!status) status = am_read_object(text.length ? am_buffer_text(&text) : NULL, "options", document, out);
    am_buffer_deinit(&text);
    return status;
}

am_status am_model_run(am_model *model, const char *task, const am_task_input *input, const char *options_json,
                       char **out_json)
{
    const am_task *found;
    am_json_document *document;
    am_json options;
    am_buffer out = {0};
    *out_json = NULL;
    AM_TRY(find_task(model, task, &found));
    AM_TRY(read_options(task, options_json, &document, &options));
    am_status status = found->run(model->pipeline, input, options, &out);
    if (!status) status = am_buffer_status(&out);
    if (!status) *out_json = am_buffer_take(&out);
    if (!status && !*out_json) status = am_out_of_memory();
    am_buffer_deinit(&out);
    am_json_close(document);
    if (model->task && strcmp(found->name, model->task) != 0)
        return am_note(status, "%s (class %s is for %s)", found->name, am_model_architecture(model), model->task);
    return am_note(status, "%s", found->name);
}

static void append_member(am_buffer *out, const char *name, const char *text)
{
    am_buffer_printf(out, "\"%s\": ", name);
    am_buffer_append_json_string(out, text, strlen(text));
}

am_status am_tasks(char **out_json)
{
    am_buffer out = {0};
    am_buffer_append_char(&out, '[');
    for (const am_task *const *task = am_task_registry; *task; task++) {
        am_buffer_append_string(&out, task == am_task_registry ? "{" : ", {");
        append_member(&out, "task", (*task)->name);
        am_buffer_append_string(&out, ", ");
        append_member(&out, "input", (*task)->input);
        am_buffer_append_string(&out, ", ");
        append_member(&out, "summary", (*task)->summary);
        am_buffer_append_string(&out, ", ");
        append_member(&out, "parameters", (*task)->parameters);
        am_buffer_append_char(&out, '}');
    }
    am_buffer_append_char(&out, ']');
    am_status status = am_buffer_status(&out);
    *out_json = status ? NULL : am_buffer_take(&out);
    am_buffer_deinit(&out);
    return status;
}

/* --- results for people --- */

enum { SHOWN_NUMBERS = 8 };

static bool is_number(am_json value)
{
    am_json_kind kind = am_json_kind_of(value);
    return kind == AM_JSON_INTEGER || kind == AM_JSON_REAL;
}

static bool is_numbers(am_json value)
{
    am_json_iterator i = am_json_iterate(value);
    return am_json_kind_of(value) == AM_JSON_ARRAY && am_json_next(&i) && is_number(i.value);
}

static void append_scalar(am_json value, am_buffer *out)
{
    am_json_string text = am_json_text(value);
    if (am_json_kind_of(value) == AM_JSON_STRING) am_buffer_append(out, text.bytes, text.length);
    else if (am_json_kind_of(value) == AM_JSON_REAL) am_buffer_printf(out, "%.4f", am_json_real(value, 0));
    else am_json_write(value, out);
}

static void append_numbers(am_json value, am_buffer *out)
{
    int shown = 0;
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i) && shown < SHOWN_NUMBERS; shown++) {
        if (shown) am_buffer_append_string(out, "  ");
        append_scalar(i.value, out);
    }
    if (am_json_count(value) > SHOWN_NUMBERS) am_buffer_printf(out, "  ... (%zu numbers)", am_json_count(value));
}

static am_json member(am_json object, const char *const *names)
{
    am_json value = {0};
    for (; *names && am_json_kind_of(value) == AM_JSON_MISSING; names++) value = am_json_get(object, *names);
    return value;
}

/* "0.9876  label": score, what was found, and where. */
static void append_scored(am_json object, am_buffer *out)
{
    static const char *const whats[] = {"label", "entity_group", "entity", "token_str", "answer", NULL};
    am_json word = am_json_get(object, "word"), sequence = am_json_get(object, "sequence"),
            start = am_json_get(object, "start");
    append_scalar(am_json_get(object, "score"), out);
    am_buffer_append_string(out, "  ");
    append_scalar(member(object, whats), out);
    if (am_json_kind_of(word) != AM_JSON_MISSING) am_buffer_append_string(out, "  ");
    if (am_json_kind_of(word) != AM_JSON_MISSING) append_scalar(word, out);
    if (am_json_kind_of(sequence) != AM_JSON_MISSING) am_buffer_append_string(out, "  ");
    if (am_json_kind_of(sequence) != AM_JSON_MISSING) append_scalar(sequence, out);
    if (is_number(start))
        am_buffer_printf(out, "  (%lld to %lld)", (long long)am_json_int(start, 0),
                         (long long)am_json_int(am_json_get(object, "end"), 0));
    am_buffer_append_char(out, '\n');
}

static void append_labels(am_json object, am_buffer *out)
{
    am_json_iterator scores = am_json_iterate(am_json_get(object, "scores"));
    for (am_json_iterator i = am_json_iterate(am_json_get(object, "labels"));
         am_json_next(&i) && am_json_next(&scores);) {
        append_scalar(scores.value, out);
        am_buffer_append_string(out, "  ");
        append_scalar(i.value, out);
        am_buffer_append_char(out, '\n');
    }
}

/* Seconds, or "?" where they are not known. */
static void append_seconds(am_json value, am_buffer *out)
{
    if (is_number(value)) am_buffer_printf(out, "%.2f", am_json_real(value, 0));
    else am_buffer_append_char(out, '?');
}

/* "0.10 to 0.46  stop": a line for each part of what was said. */
static void append_chunks(am_json chunks, am_buffer *out)
{
    for (am_json_iterator i = am_json_iterate(chunks); am_json_next(&i);) {
        am_json_iterator times = am_json_iterate(am_json_get(i.value, "timestamp"));
        if (!am_json_next(&times)) continue;
        append_seconds(times.value, out);
        am_json_next(&times);
        am_buffer_append_string(out, " to ");
        append_seconds(times.value, out);
        am_buffer_append_string(out, "  ");
        append_scalar(am_json_get(i.value, "text"), out);
        am_buffer_append_char(out, '\n');
    }
}

/* What the assistant says: the last message's text. */
static am_json last_content(am_json conversation)
{
    am_json last = {0};
    for (am_json_iterator i = am_json_iterate(conversation); am_json_next(&i);) last = i.value;
    return am_json_get(last, "content");
}

static void append_object(am_json object, am_buffer *out)
{
    static const char *const texts[] = {"generated_text", "summary_text", "translation_text", "text", NULL};
    am_json text = member(object, texts);
    if (am_json_kind_of(text) == AM_JSON_ARRAY) text = last_content(text);
    if (am_json_kind_of(text) == AM_JSON_STRING) {
        append_scalar(text, out);
        am_buffer_append_char(out, '\n');
        append_chunks(am_json_get(object, "chunks"), out);
    } else if (am_json_kind_of(am_json_get(object, "score")) != AM_JSON_MISSING) append_scored(object, out);
    else if (am_json_kind_of(am_json_get(object, "labels")) == AM_JSON_ARRAY) append_labels(object, out);
    else {
        am_json_write(object, out);
        am_buffer_append_char(out, '\n');
    }
}

static void append_value(am_json value, am_buffer *out)
{
    am_json_kind kind = am_json_kind_of(value);
    if (kind == AM_JSON_OBJECT) append_object(value, out);
    else if (is_numbers(value)) {
        append_numbers(value, out);
        am_buffer_append_char(out, '\n');
    } else if (kind == AM_JSON_ARRAY)
        for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);) append_value(i.value, out);
    else {
        append_scalar(value, out);
        am_buffer_append_char(out, '\n');
    }
}

am_status am_result_text(const char *json, char **out_text)
{
    am_json_document *document;
    am_buffer out = {0};
    *out_text = NULL;
    AM_TRY(am_json_parse(json, strlen(json), "result", &document));
    am_buffer_append(&out, "", 0);
    append_value(am_json_root(document), &out);
    am_status status = am_buffer_status(&out);
    if (!status) *out_text = out.length ? am_buffer_take(&out) : am_copy_string("", 0);
    if (!status && !*out_text) status = am_out_of_memory();
    am_buffer_deinit(&out);
    am_json_close(document);
    return status;
}

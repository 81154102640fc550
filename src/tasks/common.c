#include "tasks/task.h"

#include "base/memory.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const am_task *am_task_find(const char *name)
{
    for (const am_task *const *task = am_task_registry; *task; task++)
        if (strcmp((*task)->name, name) == 0) return *task;
    return NULL;
}

/* --- scores --- */

static int by_score(const void *a, const void *b)
{
    const am_score *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int64_t best_scores(am_score *scores, int64_t count, int64_t top_k)
{
    qsort(scores, (size_t)count, sizeof *scores, by_score);
    return top_k > 0 && top_k < count ? top_k : count;
}

int64_t am_scores_softmax(const float *logits, int64_t count, int64_t top_k, am_score *out)
{
    float largest = -INFINITY;
    double total = 0;
    for (int64_t i = 0; i < count; i++) largest = logits[i] > largest ? logits[i] : largest;
    for (int64_t i = 0; i < count; i++) total += exp((double)(logits[i] - largest));
    for (int64_t i = 0; i < count; i++) out[i] = (am_score){i, exp((double)(logits[i] - largest)) / total};
    return best_scores(out, count, top_k);
}

int64_t am_scores_sigmoid(const float *logits, int64_t count, int64_t top_k, am_score *out)
{
    for (int64_t i = 0; i < count; i++) out[i] = (am_score){i, 1 / (1 + exp(-(double)logits[i]))};
    return best_scores(out, count, top_k);
}

static int64_t scores_as_they_are(const float *logits, int64_t count, int64_t top_k, am_score *out)
{
    for (int64_t i = 0; i < count; i++) out[i] = (am_score){i, (double)logits[i]};
    return best_scores(out, count, top_k);
}

/* --- JSON --- */

static const char *special_number(double value)
{
    return isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

void am_append_real(am_buffer *out, double value)
{
    char text[40];
    if (!isfinite(value)) {
        am_buffer_append_string(out, special_number(value));
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    am_buffer_append_string(out, text);
}

void am_append_float(am_buffer *out, float value)
{
    char text[40];
    if (!isfinite(value)) {
        am_buffer_append_string(out, special_number((double)value));
        return;
    }
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    am_buffer_append_string(out, text);
}

static void append_label_scores(am_json config, const am_score *scores, int64_t count, am_buffer *out)
{
    am_arena arena = {0};
    for (int64_t i = 0; i < count; i++) {
        const char *label = am_label(config, &arena, scores[i].id);
        am_buffer_append_string(out, i ? ", {\"label\": " : "{\"label\": ");
        am_buffer_append_json_string(out, label, strlen(label));
        am_buffer_append_string(out, ", \"score\": ");
        am_append_float(out, (float)scores[i].score);
        am_buffer_append_char(out, '}');
    }
    am_arena_deinit(&arena);
}

static void append_dimension(am_buffer *out, const am_tensor *x, int dimension, int64_t *at)
{
    if (dimension == x->shape.rank) {
        am_append_float(out, (float)am_load_real(x->dtype, x->data, (*at)++));
        return;
    }
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < x->shape.dims[dimension]; i++) {
        if (i) am_buffer_append_string(out, ", ");
        append_dimension(out, x, dimension + 1, at);
    }
    am_buffer_append_char(out, ']');
}

void am_append_tensor(am_buffer *out, const am_tensor *x)
{
    int64_t at = 0;
    append_dimension(out, x, 0, &at);
}

/* --- inputs --- */

am_status am_need_text(const am_task_input *input)
{
    if (!input || !input->text) return am_error(AM_INVALID_ARGUMENT, "this task needs a text");
    return NULL;
}

am_status am_need_media(const am_task_input *input, const char *what)
{
    if (!input || (!input->path && !input->bytes))
        return am_error(AM_INVALID_ARGUMENT, "this task needs %s (a path, or bytes)", what);
    return NULL;
}

/* --- running --- */

static int drop_type_ids(const am_session_input *inputs, int count, am_session_input *out)
{
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (strcmp(inputs[i].name, "token_type_ids") != 0) out[kept++] = inputs[i];
    return kept;
}

static am_status run(am_session *session, const am_session_input *inputs, int count)
{
    am_session_input fewer[16];
    am_status status = am_session_prepare(session, inputs, count, NULL);
    bool refused = status && am_status_code(status) == AM_INVALID_ARGUMENT;
    if (refused && count <= 16 && strstr(am_status_message(status), "input token_type_ids is not one")) {
        am_status_free(status);
        return am_session_run(session, fewer, drop_type_ids(inputs, count, fewer), NULL);
    }
    return status ? status : am_session_run(session, inputs, count, NULL);
}

static am_status find_output(am_session *session, const char *name, am_tensor *out)
{
    if (am_session_find_output(session, name, out) && out->dtype == AM_F32) return NULL;
    return am_error(AM_UNSUPPORTED, "class %s gives no %s, which this task needs",
                    am_session_model(session)->architecture->name, name);
}

am_status am_run_for_output(am_pipeline *p, const am_session_input *inputs, int count, const char *name, am_tensor *out)
{
    AM_TRY(run(p->session, inputs, count));
    return find_output(p->session, name, out);
}

/* Whether logits of the class are over a vocabulary. */
static bool writes_tokens(const am_architecture *architecture)
{
    bool is_masked_lm = architecture->task && strcmp(architecture->task, "fill-mask") == 0;
    return is_masked_lm || (architecture->flags & AM_GENERATES);
}

am_status am_run_for_labels(am_pipeline *p, const am_session_input *inputs, int count, int rank, am_tensor *out)
{
    const am_architecture *architecture = p->model->architecture;
    const char *each = rank == 2 ? "input" : "token";
    if (writes_tokens(architecture))
        return am_error(AM_UNSUPPORTED, "class %s gives scores of tokens, not of labels of each %s", architecture->name,
                        each);
    AM_TRY(am_run_for_output(p, inputs, count, "logits", out));
    if (out->shape.rank == rank) return NULL;
    return am_error(AM_UNSUPPORTED, "class %s gives no scores of labels of each %s", architecture->name, each);
}

am_status am_run_base(am_pipeline *p, const am_session_input *inputs, int count, const char *name, am_tensor *out)
{
    am_session *session;
    AM_TRY(am_pipeline_base(p, &session));
    AM_TRY(run(session, inputs, count));
    if (name) return find_output(session, name, out);
    if (am_session_find_output(session, "last_hidden_state", out)) return NULL; /* an encoder's comes before it */
    if (am_session_output_count(session) < 1)
        return am_error(AM_UNSUPPORTED, "class %s gives no output", am_session_model(session)->architecture->name);
    *out = am_session_output(session, 0);
    return NULL;
}

/* --- options --- */

am_status am_check_option(am_json options, const char *name, am_json_kind kind)
{
    am_json value = am_json_get(options, name);
    am_json_kind found = am_json_kind_of(value);
    bool whole = kind == AM_JSON_INTEGER && found == AM_JSON_REAL && am_json_int(value, INT64_MIN) != INT64_MIN;
    bool wider = kind == AM_JSON_REAL && found == AM_JSON_INTEGER;
    if (found == AM_JSON_MISSING || found == AM_JSON_NULL || found == kind || whole || wider) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "option %s: expected %s, found %s", name, am_json_kind_name(kind),
                    am_json_kind_name(found));
}

am_status am_option_top_k(am_json options, int64_t fallback, int64_t count, int64_t *out)
{
    am_json value = am_json_get(options, "top_k");
    AM_TRY(am_check_option(options, "top_k", AM_JSON_INTEGER));
    *out = am_json_int(value, fallback);
    if (am_json_kind_of(value) >= AM_JSON_BOOL && *out < 1)
        return am_error(AM_INVALID_ARGUMENT, "option top_k: expected at least 1, found %lld", (long long)*out);
    if (*out == 0 || *out > count) *out = count;
    return NULL;
}

am_status am_option_text(am_json options, const char *name, am_arena *arena, const char *fallback, const char **out)
{
    am_json value = am_json_get(options, name);
    AM_TRY(am_check_option(options, name, AM_JSON_STRING));
    *out = fallback;
    if (am_json_kind_of(value) != AM_JSON_STRING) return NULL;
    am_json_string text = am_json_text(value);
    *out = am_arena_string(arena, text.bytes, text.length);
    return *out ? NULL : am_out_of_memory();
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* As [label.strip() for label in labels.split(",") if label.strip()]. */
static am_status cut_at_commas(am_json_string text, am_arena *arena, am_texts *out)
{
    out->items = am_arena_array(arena, text.length + 1, sizeof *out->items);
    if (!out->items) return am_out_of_memory();
    for (size_t at = 0; at <= text.length;) {
        size_t end = at;
        while (end < text.length && text.bytes[end] != ',') end++;
        size_t first = at, last = end;
        while (first < last && is_space(text.bytes[first])) first++;
        while (first < last && is_space(text.bytes[last - 1])) last--;
        if (last > first) {
            const char *copy = am_arena_string(arena, text.bytes + first, last - first);
            if (!copy) return am_out_of_memory();
            out->items[out->count++] = copy;
        }
        at = end + 1;
    }
    return NULL;
}

static am_status list_of_texts(am_json value, const char *name, am_arena *arena, am_texts *out)
{
    out->items = am_arena_array(arena, am_json_count(value) + 1, sizeof *out->items);
    if (!out->items) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);) {
        if (am_json_kind_of(i.value) != AM_JSON_STRING)
            return am_error(AM_INVALID_ARGUMENT, "option %s: element %lld: expected a string, found %s", name,
                            (long long)out->count, am_json_kind_name(am_json_kind_of(i.value)));
        am_json_string text = am_json_text(i.value);
        out->items[out->count] = am_arena_string(arena, text.bytes, text.length);
        if (!out->items[out->count++]) return am_out_of_memory();
    }
    return NULL;
}

am_status am_option_texts(am_json options, const char *name, bool commas, am_arena *arena, am_texts *out)
{
    am_json value = am_json_get(options, name);
    am_json_kind kind = am_json_kind_of(value);
    *out = (am_texts){0};
    if (kind == AM_JSON_STRING && commas) AM_TRY(cut_at_commas(am_json_text(value), arena, out));
    else if (kind == AM_JSON_STRING) {
        out->items = am_arena_array(arena, 1, sizeof *out->items);
        if (!out->items) return am_out_of_memory();
        AM_TRY(am_option_text(options, name, arena, "", &out->items[0]));
        out->count = 1;
    } else if (kind == AM_JSON_ARRAY) AM_TRY(list_of_texts(value, name, arena, out));
    else
        return am_error(AM_INVALID_ARGUMENT, "option %s: expected a list of strings, found %s", name,
                        am_json_kind_name(kind));
    return out->count ? NULL
                      : am_error(AM_INVALID_ARGUMENT, "option %s: expected at least one string, found none", name);
}

/* The field that begins at `at`: its length, 0 when there is none. */
static size_t label_field(const char *at)
{
    return strncmp(at, "{}", 2) == 0 ? 2 : strncmp(at, "{0}", 3) == 0 ? 3 : 0;
}

/* Appends the piece of a template at `at`, and says how long that is; 0 when str.format refuses it. */
static size_t fill_piece(const char *at, const char *label, int *fields, am_buffer *out)
{
    size_t field = label_field(at);
    bool is_brace = *at == '{' || *at == '}';
    if (field) {
        am_buffer_append_string(out, label);
        ++*fields;
        return field;
    }
    if (is_brace && at[1] != *at) return 0;
    am_buffer_append_char(out, *at);
    return is_brace ? 2 : 1;
}

am_status am_fill_template(const char *pattern, const char *label, am_arena *arena, const char **out)
{
    am_buffer text = {0};
    int fields = 0;
    size_t at = 0, length;
    while (pattern[at] && (length = fill_piece(pattern + at, label, &fields, &text)) > 0) at += length;
    am_status status = am_buffer_status(&text);
    if (!status && (pattern[at] || !fields))
        status = am_error(AM_INVALID_ARGUMENT,
                          "option hypothesis_template: expected {} in it and no other field, found \"%s\"", pattern);
    *out = status ? NULL : am_arena_string(arena, am_buffer_text(&text), text.length);
    am_buffer_deinit(&text);
    return status || *out ? status : am_out_of_memory();
}

/* --- classification --- */

const am_classification am_image_classes = {.top_k = 5}, am_sound_classes = {.one_is_softmax = true},
                        am_video_classes = {.top_k = 5, .one_is_softmax = true};

am_classification am_text_classes(am_json options, bool is_pair)
{
    am_json_kind top_k = am_json_kind_of(am_json_get(options, "top_k"));
    return (am_classification){.top_k = top_k != AM_JSON_NULL, .is_bare = is_pair && top_k == AM_JSON_MISSING};
}

typedef int64_t (*score_function)(const float *logits, int64_t count, int64_t top_k, am_score *out);

static score_function function_by_problem(am_json config, bool is_alone)
{
    am_json problem = am_json_get(config, "problem_type");
    if (am_json_equals(problem, "regression")) return scores_as_they_are;
    if (am_json_equals(problem, "multi_label_classification")) return am_scores_sigmoid;
    return is_alone ? am_scores_sigmoid : am_scores_softmax;
}

static am_status choose_function(am_json config, am_json options, bool is_alone, score_function *out)
{
    am_json wanted = am_json_get(options, "function_to_apply");
    AM_TRY(am_check_option(options, "function_to_apply", AM_JSON_STRING));
    *out = function_by_problem(config, is_alone);
    if (am_json_kind_of(wanted) != AM_JSON_STRING) return NULL;
    *out = am_json_equals(wanted, "softmax")   ? am_scores_softmax
           : am_json_equals(wanted, "sigmoid") ? am_scores_sigmoid
           : am_json_equals(wanted, "none")    ? scores_as_they_are
                                               : NULL;
    if (*out) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "option function_to_apply: expected softmax, sigmoid or none, found \"%s\"",
                    am_json_text(wanted).bytes);
}

am_status am_append_classification(am_json config, const am_tensor *logits, am_json options,
                                   const am_classification *kind, am_buffer *out)
{
    int64_t labels = logits->shape.rank ? logits->shape.dims[logits->shape.rank - 1] : 0, top_k;
    score_function function;
    AM_TRY(choose_function(config, options, labels == 1 && !kind->one_is_softmax, &function));
    AM_TRY(am_option_top_k(options, kind->top_k, labels, &top_k));
    am_score *scores = am_alloc_zeroed((size_t)labels + 1, sizeof *scores);
    if (!scores) return am_out_of_memory();
    int64_t count = function(logits->data, labels, top_k, scores);
    if (!kind->is_bare) am_buffer_append_char(out, '[');
    append_label_scores(config, scores, count, out);
    if (!kind->is_bare) am_buffer_append_char(out, ']');
    am_free(scores);
    return NULL;
}

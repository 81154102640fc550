#include "runtime/trace.h"

#include "base/json.h"
#include "base/memory.h"
#include "formats/safetensors.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct trace {
    const char *path;
    am_arena arena;
    am_tensor_table tensors;
    am_json_document *order, *hub_names;
} trace;

/* --- the file --- */

static am_status read_list(trace *t, const char *key, am_json_document **out)
{
    const char *text;
    AM_TRY(am_safetensors_metadata(t->path, key, &t->arena, &text));
    if (!text) return am_error(AM_INVALID_FILE, "%s: __metadata__.%s is missing: not a trace", t->path, key);
    return am_json_parse(text, strlen(text), t->path, out);
}

static am_status open_trace(trace *t, const char *case_name)
{
    const char *name;
    AM_TRY(am_safetensors_metadata(t->path, "case", &t->arena, &name));
    if (!name || strcmp(name, case_name) != 0)
        return am_error(AM_INVALID_FILE, "%s: a trace of %s, expected one of %s", t->path, name ? name : "no case",
                        case_name);
    AM_TRY(read_list(t, "order", &t->order));
    AM_TRY(read_list(t, "hub_names", &t->hub_names));
    return am_safetensors_read(t->path, &t->tensors);
}

static void close_trace(trace *t)
{
    am_tensor_table_deinit(&t->tensors);
    am_json_close(t->order);
    am_json_close(t->hub_names);
    am_arena_deinit(&t->arena);
}

/* --- names --- */

/* Length of a module's path in the name of a tensor: without "#2" and what follows. */
static size_t path_length(const char *name)
{
    return strcspn(name, "#");
}

/* The longest module path that model files name otherwise, as they name it. */
static const char *hub_name(trace *t, const char *name)
{
    size_t best = 0;
    am_json_string other = {"", 0};
    for (am_json_iterator i = am_json_iterate(am_json_root(t->hub_names)); am_json_next(&i);) {
        char end = strncmp(name, i.key.bytes, i.key.length) == 0 ? name[i.key.length] : 'x';
        if (i.key.length < best || (end && end != '.' && end != '#')) continue;
        best = i.key.length;
        other = am_json_text(i.value);
    }
    return best ? am_arena_printf(&t->arena, "%s%s", other.bytes, name + best) : name;
}

/* Whether a value built in `scope` belongs to the module whose tensor is `name`: the scope is the module's path or lies
   below it. A last number may be the module's or that of one of its results. */
static bool belongs(const char *scope, const char *name)
{
    size_t length = path_length(name);
    if (strncmp(scope, name, length) == 0 && (!scope[length] || scope[length] == '.')) return true;
    while (length && name[length - 1] >= '0' && name[length - 1] <= '9') length--;
    if (!length || name[length - 1] != '.') return false;
    return strncmp(scope, name, length - 1) == 0 && (!scope[length - 1] || scope[length - 1] == '.');
}

/* --- comparing --- */

static bool same_but_for_ones(const am_shape *a, const am_shape *b)
{
    int i = 0, k = 0;
    while (i < a->rank || k < b->rank) {
        if (i < a->rank && a->dims[i] == 1) i++;
        else if (k < b->rank && b->dims[k] == 1) k++;
        else if (i < a->rank && k < b->rank && a->dims[i] == b->dims[k]) i++, k++;
        else return false;
    }
    return true;
}

static double element(const am_tensor *tensor, int64_t i)
{
    double value;
    size_t bytes = am_dtype_bytes(tensor->dtype);
    am_convert(AM_F64, &value, tensor->dtype, (const char *)tensor->data + (size_t)i * bytes, 1);
    return value;
}

/* As FORMAT.md judges an output without torch_err; places beyond 1e30 are masks and compared as such. */
static double tolerance_of(const am_tensor *expected)
{
    double squares = 0;
    int64_t count = am_shape_count(&expected->shape), counted = 0;
    for (int64_t i = 0; i < count; i++) {
        double value = element(expected, i);
        if (!(fabs(value) < 1e30)) continue;
        squares += value * value;
        counted++;
    }
    return 1e-4 * sqrt(squares / (double)(counted ? counted : 1)) + 1e-6;
}

static double difference(double expected, double found)
{
    if (fabs(expected) > 1e30) return fabs(found) > 1e30 ? 0 : INFINITY;
    double error = fabs(expected - found);
    return isnan(error) && !(isnan(expected) && isnan(found)) ? INFINITY : isnan(error) ? 0 : error;
}

/* Keeps the value in the step when it is nearer than the one before. */
static void compare_value(const am_tensor *expected, const am_tensor *found, const char *scope, am_trace_step *step)
{
    am_trace_step now = *step;
    int64_t count = am_shape_count(&expected->shape);
    now.error = 0;
    now.scope = scope;
    for (int64_t i = 0; i < count; i++) {
        double a = element(expected, i), b = element(found, i), error = difference(a, b);
        if (i && error <= now.error) continue;
        now.error = error;
        now.element = i;
        now.expected = a;
        now.found = b;
    }
    if (!step->scope || now.error < step->error) *step = now;
}

/* Among the values of the module's scope, or of all scopes: a norm without a scope of its own stands in that of its
 * parent. */
static void find_nearest(const am_session *session, const am_tensor *expected, bool anywhere, am_trace_step *step)
{
    for (int i = 0; i < am_session_output_count(session); i++) {
        const char *scope = am_session_output_name(session, i);
        am_tensor found = am_session_output(session, i);
        if ((anywhere || belongs(scope, step->module)) && same_but_for_ones(&found.shape, &expected->shape))
            compare_value(expected, &found, scope, step);
    }
}

static void judge(const am_session *session, const am_tensor *expected, am_trace_step *step)
{
    am_trace_step elsewhere = *step;
    find_nearest(session, expected, false, step);
    step->verdict = !step->scope ? AM_TRACE_ABSENT : AM_TRACE_DIFFERS;
    if (step->scope && step->error <= step->tolerance) step->verdict = AM_TRACE_SAME;
    if (step->verdict == AM_TRACE_SAME) return;
    find_nearest(session, expected, true, &elsewhere);
    if (!elsewhere.scope || elsewhere.error > elsewhere.tolerance) return;
    *step = elsewhere;
    step->verdict = AM_TRACE_SAME;
}

static am_status compare_all(trace *t, const am_session *session,
                             void (*on_step)(void *context, const am_trace_step *step), void *context)
{
    for (am_json_iterator i = am_json_iterate(am_json_root(t->order)); am_json_next(&i);) {
        const char *name = am_json_text(i.value).bytes;
        const am_named_tensor *tensor = am_tensor_table_find(&t->tensors, name);
        if (!tensor) return am_error(AM_INVALID_FILE, "%s: tensor %s of the order is missing", t->path, name);
        if (strstr(name, ":in") || strncmp(name, "output:", 7) == 0 || !am_dtype_is_float(tensor->dtype)) continue;
        am_tensor expected = {tensor->dtype, tensor->shape, (void *)(uintptr_t)tensor->data};
        am_trace_step step = {.module = hub_name(t, name), .shape = tensor->shape, .error = NAN};
        if (!step.module) return am_out_of_memory();
        step.tolerance = tolerance_of(&expected);
        judge(session, &expected, &step);
        on_step(context, &step);
    }
    return NULL;
}

am_status am_trace_compare(am_golden_case *c, const char *trace_path,
                           void (*on_step)(void *context, const am_trace_step *step), void *context)
{
    trace t = {.path = trace_path};
    am_session *session = NULL;
    am_run_options run;
    am_status status = am_golden_run_options(c, &run);
    if (!status) status = open_trace(&t, c->name);
    if (!status) status = am_session_create(c->model, &(am_session_options){.expose = true, .expand = true}, &session);
    if (!status) status = am_session_run(session, c->inputs, c->input_count, &run);
    if (!status) status = compare_all(&t, session, on_step, context);
    am_session_destroy(session);
    close_trace(&t);
    return status;
}

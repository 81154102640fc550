#include "runtime/verify.h"

#include "base/clock.h"
#include "base/memory.h"
#include "formats/safetensors.h"
#include "runtime/golden.h"

#include <string.h>

static am_status run_case(am_golden_case *c, const am_verify_options *options, am_case_report *report)
{
    am_session *session;
    am_run_options run;
    AM_TRY(am_golden_run_options(c, &run));
    AM_TRY(am_session_create(c->model, &options->session, &session));
    am_status status = am_session_run(session, c->inputs, c->input_count, &run);
    if (!status && options->bound > 0) status = am_golden_check_distance(c, session, options->bound, &report->worst);
    else if (!status) {
        status = am_golden_check_outputs(c, session, &report->worst);
        if (!status) status = am_golden_check_generation(c, session);
    }
    am_session_count_nodes(session, &report->nodes, &report->native_nodes);
    if (options->on_elsewhere) am_session_each_elsewhere(session, options->on_elsewhere, options->context);
    am_session_destroy(session);
    return status;
}

/* Want of memory says nothing about the case, so that alone is an error. */
static am_status verify_case(am_json json, const char *file, const am_tensor_table *arrays,
                             const am_verify_options *options, am_verify_counts *counts)
{
    am_golden_case c;
    am_case_report report = {.file = file};
    double start = am_clock_ms();
    am_status status = am_golden_case_open(json, file, arrays, &c);
    if (!status) status = run_case(&c, options, &report);
    am_code code = am_status_code(status);
    if (code == AM_OUT_OF_MEMORY) {
        am_golden_case_close(&c);
        return status;
    }
    report.verdict = code == AM_OK ? AM_CASE_PASSED : code == AM_UNSUPPORTED ? AM_CASE_UNSUPPORTED : AM_CASE_FAILED;
    report.name = c.name;
    report.architecture = c.architecture;
    report.message = am_status_message(status);
    report.milliseconds = am_clock_ms() - start;
    int64_t *tally[] = {&counts->passed, &counts->failed, &counts->unsupported};
    ++*tally[report.verdict];
    counts->nodes += report.nodes;
    counts->native_nodes += report.native_nodes;
    if (options->on_case) options->on_case(options->context, &report);
    am_status_free(status);
    am_golden_case_close(&c);
    return NULL;
}

static am_status verify_document(am_json root, const char *path, const am_verify_options *options,
                                 am_verify_counts *counts)
{
    am_tensor_table arrays = {0};
    if (am_json_int(am_json_get(root, "format"), 0) != 1)
        return am_error(AM_INVALID_FILE, "%s: not a golden file of format 1", path);
    am_status status = am_golden_read_arrays(path, &arrays);
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "cases")); am_json_next(&i) && !status;) {
        if (options->only && !strstr(am_json_text(am_json_get(i.value, "case")).bytes, options->only)) continue;
        status = verify_case(i.value, path, &arrays, options, counts);
    }
    am_tensor_table_deinit(&arrays);
    return status;
}

static am_status verify_file(const char *path, const am_verify_options *options, am_verify_counts *counts)
{
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    am_status status = verify_document(am_json_root(document), path, options, counts);
    am_json_close(document);
    return status;
}

static am_status trace_case(am_json json, const char *path, const am_tensor_table *arrays, const char *trace_path,
                            void (*on_step)(void *context, const am_trace_step *step), void *context)
{
    am_golden_case c;
    am_status status = am_golden_case_open(json, path, arrays, &c);
    if (!status) status = am_trace_compare(&c, trace_path, on_step, context);
    am_golden_case_close(&c);
    return status;
}

am_status am_verify_trace(const char *path, const char *trace_path,
                          void (*on_step)(void *context, const am_trace_step *step), void *context)
{
    am_arena arena = {0};
    am_json_document *document = NULL;
    am_tensor_table arrays = {0};
    const char *name = NULL;
    bool found = false;
    am_status status = am_safetensors_metadata(trace_path, "case", &arena, &name);
    if (!status && !name)
        status = am_error(AM_INVALID_FILE, "%s: __metadata__.case is missing: not a trace", trace_path);
    if (!status) status = am_json_open(path, &document);
    if (!status) status = am_golden_read_arrays(path, &arrays);
    am_json cases = status ? (am_json){0} : am_json_get(am_json_root(document), "cases");
    for (am_json_iterator i = am_json_iterate(cases); !status && !found && am_json_next(&i);) {
        found = am_json_equals(am_json_get(i.value, "case"), name);
        if (found) status = trace_case(i.value, path, &arrays, trace_path, on_step, context);
    }
    if (!status && !found)
        status = am_error(AM_NOT_FOUND, "%s: no case %s, of which %s is a trace", path, name, trace_path);
    am_tensor_table_deinit(&arrays);
    am_json_close(document);
    am_arena_deinit(&arena);
    return status;
}

am_status am_verify_path(const char *path, const am_verify_options *options, am_verify_counts *counts)
{
    am_arena arena = {0};
    char **files = NULL;
    size_t count = 0;
    if (!am_directory_exists(path)) return verify_file(path, options, counts);
    am_status status = am_golden_list_files(path, &arena, &files, &count);
    for (size_t i = 0; i < count && !status; i++) status = verify_file(files[i], options, counts);
    am_arena_deinit(&arena);
    return status;
}

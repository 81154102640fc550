#include "api/json_writer.h"
#include "base/clock.h"
#include "base/threads.h"
#include "graph/ops.h"
#include "targets/calibration.h"
#include "targets/cpu/program.h"
#include "targets/program.h"

#include <anymodel/anymodel.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "MemTotal:  16384 kB" of /proc/meminfo in bytes; -1 where it does not say. */
static int64_t memory_bytes(const char *field)
{
    char line[256];
    int64_t bytes = -1;
    size_t length = strlen(field);
    FILE *file = fopen("/proc/meminfo", "re");
    if (!file) return -1;
    while (bytes < 0 && fgets(line, sizeof line, file)) {
        long long kib;
        if (strncmp(line, field, length) == 0 && sscanf(line + length, ": %lld kB", &kib) == 1)
            bytes = (int64_t)kib * 1024;
    }
    fclose(file);
    return bytes;
}

static void put_memory(am_buffer *out, const char *name, const char *field)
{
    int64_t bytes = memory_bytes(field);
    if (bytes >= 0) am_put_integer(out, name, bytes);
    else am_put_text(out, name, NULL);
}

static void put_features(am_buffer *out)
{
    am_put_open(out, "features", '[');
    for (const char *at = am_cpu_features_text(); *at;) {
        size_t length = strcspn(at, " ");
        am_put_text_part(out, NULL, at, length);
        at += length + strspn(at + length, " ");
    }
    am_put_close(out, ']');
}

/* What only the cpu has to say. */
static void put_cpu(am_buffer *out)
{
    const am_micro *micro = am_micro_of(AM_ISA_ANY);
    am_put_text(out, "model", am_cpu_model_name());
    am_put_text(out, "kernels", micro ? micro->name : "reference");
    put_features(out);
    am_put_integer(out, "threads", am_threads_count());
    am_put_integer(out, "threads_available", am_threads_available());
    put_memory(out, "memory_bytes", "MemTotal");
    put_memory(out, "memory_available_bytes", "MemAvailable");
}

static void put_devices(am_buffer *out, const am_target_report *report)
{
    am_put_open(out, "devices", '[');
    for (int i = 0; i < report->device_count; i++) {
        am_put_open(out, NULL, '{');
        am_put_text(out, "name", report->devices[i].name);
        if (report->devices[i].memory_bytes >= 0) am_put_integer(out, "memory_bytes", report->devices[i].memory_bytes);
        am_put_close(out, '}');
    }
    am_put_close(out, ']');
}

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

/* Milliseconds of small ops on the cpu and on the target, where auto has measured them. */
static void put_calibration(am_buffer *out, const am_target *target)
{
    am_calibration calibration;
    if (!am_calibration_load(&(am_target_pick){.target = target}, &(am_target_options){0}, &calibration)) return;
    am_put_open(out, "calibration", '[');
    for (int i = 0; i < AM_CALIBRATION_POINTS; i++) {
        const am_calibration_point *point = &calibration.points[i];
        am_put_open(out, NULL, '{');
        am_put_text(out, "op", point->name);
        am_put_real(out, "cpu_ms", point->cpu_ms);
        am_put_real(out, "target_ms", point->other_ms);
        am_put_close(out, '}');
    }
    am_put_close(out, ']');
}

static void put_target(am_buffer *out, const am_target *target, const am_target_report *report, double probe_us)
{
    bool runs = target->supports != NULL;
    am_put_open(out, NULL, '{');
    am_put_text(out, "name", target->name);
    am_put_text(out, "summary", target->summary);
    am_put_bool(out, "available", report->present && runs);
    am_put_bool(out, "present", report->present);
    am_put_text(out, "version", text_or_null(report->version));
    am_put_text(out, "path", report->present ? text_or_null(report->path) : NULL);
    put_devices(out, report);
    if (report->present && !runs)
        am_put_text(out, "reason", "it is here, but this version has no lowering of graphs for it");
    else am_put_text(out, "reason", text_or_null(report->reason.text));
    am_put_text(out, "remedy", text_or_null(report->remedy.text));
    am_put_real(out, "probe_us", probe_us);
    if (strcmp(target->name, "cpu") == 0) put_cpu(out);
    if (report->present) put_calibration(out, target);
    am_put_close(out, '}');
}

am_status am_targets(char **out_json)
{
    am_buffer out = {0};
    AM_TRY(am_cpu_check_wish());
    am_put_open(&out, NULL, '[');
    for (const am_target *const *t = am_target_registry; *t; t++) {
        am_target_report report = {0};
        double begin = am_clock_ms();
        (*t)->probe(&report);
        put_target(&out, *t, &report, (am_clock_ms() - begin) * 1e3);
    }
    am_put_close(&out, ']');
    return am_put_finish(&out, NULL, out_json);
}

am_status am_targets_wish(const char *target, const char *target_policy)
{
    am_target_choice choice;
    return am_target_choose(target, target_policy, &choice);
}

/* --- checking --- */

/* matmul, softmax and a norm of a few numbers. */
static am_status build_small_graph(am_graph **out)
{
    am_builder *b;
    AM_TRY(am_builder_create(&b));
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(2, 3, 8)),
             y = am_graph_input(b, "y", AM_F32, am_shape_of(8, 8));
    am_value z = am_softmax(b, am_matmul(b, x, y, false, false), -1);
    am_output(b, "z",
              am_norm_op(b, am_add(b, z, x), AM_NONE, AM_NONE, AM_NONE, AM_NONE,
                         &(am_norm_attributes){.kind = AM_NORM_LAYER, .eps = 1e-5}));
    am_status status = am_builder_finish(b, out);
    am_builder_destroy(b);
    return status;
}

static am_status compare(const am_graph *graph, const am_target *target, double *worst)
{
    float x[2 * 3 * 8], y[8 * 8], expected[2 * 3 * 8];
    am_program *program;
    am_target_choice choice = {.picks = {{.target = target}}, .count = 1, .policy = AM_TARGET_REQUIRE};
    for (int i = 0; i < 48; i++) x[i] = (float)sin(i);
    for (int i = 0; i < 64; i++) y[i] = (float)cos(3 * i);
    const am_tensor inputs[] = {{AM_F32, am_shape_of(2, 3, 8), x}, {AM_F32, am_shape_of(8, 8), y}},
                    outputs[] = {{AM_F32, am_shape_of(2, 3, 8), expected}};
    AM_TRY(am_cpu_run_graph(graph, inputs, outputs));
    AM_TRY(am_program_create(graph, &choice, NULL, &program));
    am_status status = am_program_run(program, inputs, NULL);
    const float *found = status ? NULL : am_program_output(program, 0).data;
    *worst = 0;
    for (int i = 0; found && i < 48; i++) {
        double difference = fabs((double)found[i] - (double)expected[i]);
        if (!(difference <= *worst)) *worst = difference;
    }
    am_program_destroy(program);
    if (!status && !(*worst <= 1e-4)) status = am_error(AM_FAILED, "a result differs by %g from the cpu's", *worst);
    return status;
}

static void put_check(am_buffer *out, const am_graph *graph, const am_target *target)
{
    double worst = 0, begin = am_clock_ms();
    am_status status = compare(graph, target, &worst);
    am_put_open(out, NULL, '{');
    am_put_text(out, "name", target->name);
    am_put_bool(out, "works", !status);
    am_put_text(out, "message", status ? am_status_message(status) : NULL);
    am_put_real(out, "worst_difference", worst);
    am_put_real(out, "ms", am_clock_ms() - begin);
    am_put_close(out, '}');
    am_status_free(status);
}

am_status am_targets_check(const char *only, char **out_json)
{
    am_graph *graph;
    am_buffer out = {0};
    *out_json = NULL;
    AM_TRY(am_cpu_check_wish());
    if (only) AM_TRY(am_targets_wish(only, "require"));
    AM_TRY(build_small_graph(&graph));
    am_put_open(&out, NULL, '[');
    for (const am_target *const *t = am_target_registry; *t; t++) {
        am_target_report report = {0};
        (*t)->probe(&report);
        bool wanted = !only || strcmp(only, (*t)->name) == 0;
        if (wanted && report.present && (*t)->supports) put_check(&out, graph, *t);
    }
    am_put_close(&out, ']');
    am_graph_destroy(graph);
    return am_put_finish(&out, NULL, out_json);
}

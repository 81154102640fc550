#include "targets/measurement.h"

#include "base/memory.h"
#include "targets/kept.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TRY_AGAIN_S = 24 * 60 * 60 };

static const double CLEARLY_FASTER = 0.95;

bool am_measurement_is_faster(double target_ms, double other_ms)
{
    return target_ms < CLEARLY_FASTER * other_ms;
}

static void name_file(uint64_t graph_hash, const am_target_pick *pick, char out[AM_KEPT_NAME])
{
    char what[20];
    snprintf(what, sizeof what, "%016llx", (unsigned long long)graph_hash);
    am_kept_name(what, pick, out);
}

static am_measurement read(const char *text)
{
    am_measurement m = {0};
    long long at;
    if (sscanf(text, "times cpu %lf ms target %lf ms runs %d create %lf ms", &m.cpu_ms, &m.target_ms, &m.runs,
               &m.create_ms) == 4)
        m.what = AM_MEASURED_TIMES;
    else if (sscanf(text, "declined %255[^\n]", m.reason) == 1) m.what = AM_MEASURED_DECLINED;
    else if (sscanf(text, "failed at %lld %255[^\n]", &at, m.reason) == 2 && time(NULL) < at + TRY_AGAIN_S)
        m.what = AM_MEASURED_FAILED;
    return m;
}

am_measurement am_measurement_load(uint64_t graph_hash, const am_target_pick *pick, const am_target_options *options)
{
    char name[AM_KEPT_NAME];
    am_buffer context = {0};
    am_measurement m = {0};
    name_file(graph_hash, pick, name);
    if (!am_kept_exists(name)) return m; /* most often: then nothing is looked for */
    am_status status = am_kept_context(pick, options, &context);
    char *text = status ? NULL : am_kept_load(name, am_buffer_text(&context));
    if (text) m = read(text);
    am_free(text);
    am_status_free(status);
    am_buffer_deinit(&context);
    return m;
}

void am_measurement_store(uint64_t graph_hash, const am_target_pick *pick, const am_target_options *options,
                          const am_measurement *m)
{
    char name[AM_KEPT_NAME], text[512];
    am_buffer context = {0};
    name_file(graph_hash, pick, name);
    if (m->what == AM_MEASURED_TIMES)
        snprintf(text, sizeof text, "times cpu %.6g ms target %.6g ms runs %d create %.6g ms\n", m->cpu_ms,
                 m->target_ms, m->runs, m->create_ms);
    else if (m->what == AM_MEASURED_DECLINED) snprintf(text, sizeof text, "declined %s\n", m->reason);
    else snprintf(text, sizeof text, "failed at %lld %s\n", (long long)time(NULL), m->reason);
    am_status status = am_kept_context(pick, options, &context);
    if (!status) am_kept_store(name, am_buffer_text(&context), text);
    am_status_free(status);
    am_buffer_deinit(&context);
}

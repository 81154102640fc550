#include "targets/max/lower.h"
#include "targets/max/program.h"

static am_status version(am_buffer *out)
{
    am_target_report report = {0};
    am_max_find(&report);
    am_buffer_printf(out, "max %s lowering %d", report.version, AM_MX_VERSION);
    return am_buffer_status(out);
}

/* On the cpu. MAX keeps worker threads of its own, one for each cpu that the thread may use that opens it: by --threads
   a process asks for fewer at that moment only. */
const am_target am_target_max = {
    .name = "max",
    .summary = "Modular's MAX engine",
    .compiles_long = true,
    .probe = am_max_find,
    .supports = am_mx_supports,
    .create = am_mx_create,
    .destroy = am_mx_destroy,
    .run = am_mx_run,
    .output = am_mx_output,
    .bytes = am_mx_bytes,
    .version = version,
    .export = am_mx_export,
    .import = am_mx_import,
};

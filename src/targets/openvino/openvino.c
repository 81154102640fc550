#include "targets/openvino/lower.h"
#include "targets/openvino/program.h"

static am_status version(am_buffer *out)
{
    am_target_report report = {0};
    am_openvino_find(&report);
    am_buffer_printf(out, "openvino %s", report.version);
    return am_buffer_status(out);
}

const am_target am_target_openvino = {
    .name = "openvino",
    .summary = "Intel's OpenVINO",
    .probe = am_openvino_find,
    .supports = am_ov_supports,
    .create = am_ov_create,
    .destroy = am_ov_destroy,
    .run = am_ov_run,
    .output = am_ov_output,
    .bytes = am_ov_bytes,
    .kernel = am_ov_kernel,
    .version = version,
    .export = am_ov_export,
    .import = am_ov_import,
};

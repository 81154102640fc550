/* The cpu's programs with Mojo's kernels in them. */
#include "targets/common/modular.h"
#include "targets/cpu/cpu.h"
#include "targets/cpu/program.h"
#include "targets/mojo/kernels.h"
#include "targets/mojo/library.h"

#include <stdio.h>

static void probe(am_target_report *out)
{
    am_modular found;
    am_modular_find(&found);
    out->present = found.has_mojo;
    snprintf(out->version, sizeof out->version, "%s", found.mojo_version);
    snprintf(out->path, sizeof out->path, "%s", found.root);
    if (found.has_mojo) return;
    if (found.has_max) am_reason_no(&out->reason, "bin/mojo is not in Modular's package (%.300s)", found.root);
    else if (found.rejected.text[0]) out->reason = found.rejected;
    else am_reason_no(&out->reason, "the Mojo compiler (bin/mojo with lib/mojo/std.mojoc) was not found");
    am_reason_no(&out->remedy, "pip install mojo-compiler==1.2.0 in a virtual environment, or make sdks");
}

/* A reshape is another name for the same memory. */
static bool supports(const am_graph *graph, const am_node *node, am_reason *why)
{
    const char *reason;
    if (node->op == AM_OP_RESHAPE || am_mojo_kernel_for(graph, node, &reason)) return true;
    return am_reason_no(why, "%s: %s", am_op_of(node->op)->name, reason);
}

static am_status create(const am_graph *graph, const am_target_options *options, void **out)
{
    am_cpu_program *program = NULL;
    *out = NULL;
    AM_TRY(am_mojo_library_open(options->cancelled));
    am_cpu_program_options cpu = {.kernel_for = am_mojo_kernel_or_null,
                                  .prepare = true,
                                  .profile = options->profile,
                                  .other_bytes = options->other_bytes};
    am_status status = am_cpu_program_create(graph, &cpu, &program);
    *out = program;
    return status;
}

/* With the library in its place `create` has nothing to build. */
static am_status import(const am_graph *graph, const am_target_options *options, const void *bytes, size_t length,
                        void **out)
{
    *out = NULL;
    AM_TRY(am_mojo_install(bytes, length));
    return create(graph, options, out);
}

const am_target am_target_mojo = {
    .name = "mojo",
    .summary = "kernels in Modular's Mojo language, compiled on this machine",
    .probe = probe,
    .supports = supports,
    .create = create,
    .destroy = am_cpu_target_destroy,
    .run = am_cpu_target_run,
    .output = am_cpu_target_output,
    .bytes = am_cpu_target_bytes,
    .kernel = am_cpu_target_kernel,
    .step = am_cpu_target_step,
    .export = am_mojo_export,
    .import = import,
};

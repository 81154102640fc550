#include "base/threads.h"
#include "targets/cpu/cpu.h"
#include "targets/cpu/program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void probe(am_target_report *out)
{
    const am_micro *micro = am_micro_of(AM_ISA_ANY);
    out->present = true;
    snprintf(out->version, sizeof out->version, "%s", micro ? micro->name : "reference");
    am_target_device *device = &out->devices[out->device_count++];
    snprintf(device->name, sizeof device->name, "%s", am_cpu_model_name());
    int64_t pages = sysconf(_SC_PHYS_PAGES);
    device->memory_bytes = pages > 0 ? pages * sysconf(_SC_PAGESIZE) : -1;
}

static bool supports(const am_graph *graph, const am_node *node, am_reason *why)
{
    (void)graph;
    (void)node;
    (void)why;
    return true;
}

static am_status create(const am_graph *graph, const am_target_options *options, void **out)
{
    am_cpu_program *program = NULL;
    am_cpu_program_options cpu = {.reference_only = options->reference_only,
                                  .allows_bf16 = options->allows_bf16,
                                  .prepare = true,
                                  .profile = options->profile,
                                  .other_bytes = options->other_bytes};
    am_status status = am_cpu_program_create(graph, &cpu, &program);
    *out = program;
    return status;
}

void am_cpu_target_destroy(void *program)
{
    am_cpu_program_destroy(program);
}

am_status am_cpu_target_run(void *program, const am_tensor *inputs, void *const *states)
{
    return am_cpu_program_run(program, inputs, states);
}

am_tensor am_cpu_target_output(const void *program, int i)
{
    return am_cpu_program_output(program, i);
}

size_t am_cpu_target_bytes(const void *program)
{
    return am_cpu_program_bytes(program);
}

const char *am_cpu_target_kernel(const void *program, const am_node *node)
{
    return am_cpu_program_kernel(program, node);
}

bool am_cpu_target_step(const void *program, int i, am_target_step *out)
{
    if (i >= am_cpu_program_step_count(program)) return false;
    am_cpu_step_info step = am_cpu_program_step(program, i);
    *out = (am_target_step){step.kernel, step.nanoseconds, step.calls};
    return true;
}

const am_target am_target_cpu = {
    .name = "cpu",
    .summary = "this processor, by kernels of this program",
    .probe = probe,
    .supports = supports,
    .create = create,
    .destroy = am_cpu_target_destroy,
    .run = am_cpu_target_run,
    .output = am_cpu_target_output,
    .bytes = am_cpu_target_bytes,
    .kernel = am_cpu_target_kernel,
    .step = am_cpu_target_step,
};

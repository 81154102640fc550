#include "api/json_writer.h"
#include "base/threads.h"
#include "targets/cpu/isa.h"

#include <anymodel/anymodel.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A target that graphs cannot be lowered to yet; `path` is where its devices would show, null where no file
 * tells. */
static const struct absent_target {
    const char *name, *what, *path, *device;
} absent[] = {
    {"cuda", "CUDA (NVIDIA GPUs)", "/dev/nvidia0", "an NVIDIA GPU"},
    {"rocm", "ROCm (AMD GPUs)", "/dev/kfd", "an AMD GPU's compute interface"},
    {"mps", "Metal Performance Shaders (Apple GPUs)", NULL, NULL},
    {"openvino", "OpenVINO", "/dev/accel/accel0", "an accelerator device"},
    {"webnn", "WebNN", NULL, NULL},
    {"webgpu", "WebGPU", "/dev/dri/renderD128", "a GPU's render node"},
    {"mojo", "Mojo", NULL, NULL},
    {"max", "MAX", NULL, NULL},
};

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

static void put_cpu(am_buffer *out)
{
    const am_micro *micro = am_micro_of(AM_ISA_ANY);
    am_put_open(out, NULL, '{');
    am_put_text(out, "name", "cpu");
    am_put_bool(out, "available", true);
    am_put_text(out, "model", am_cpu_model_name());
    am_put_text(out, "kernels", micro ? micro->name : "reference");
    put_features(out);
    am_put_integer(out, "threads", am_threads_count());
    am_put_integer(out, "threads_available", am_threads_available());
    put_memory(out, "memory_bytes", "MemTotal");
    put_memory(out, "memory_available_bytes", "MemAvailable");
    am_put_close(out, '}');
}

static void put_absent(am_buffer *out, const struct absent_target *target)
{
    char reason[256];
    bool there = target->path && access(target->path, F_OK) == 0;
    int length = snprintf(reason, sizeof reason, "this version has no lowering of graphs for %s", target->what);
    if (target->path && length > 0 && (size_t)length < sizeof reason)
        snprintf(reason + length, sizeof reason - (size_t)length,
                 there ? "; %s is there (%s)" : "; %s (%s) is not there", target->path, target->device);
    am_put_open(out, NULL, '{');
    am_put_text(out, "name", target->name);
    am_put_bool(out, "available", false);
    am_put_text(out, "reason", reason);
    am_put_close(out, '}');
}

am_status am_targets(char **out_json)
{
    am_buffer out = {0};
    AM_TRY(am_cpu_check_wish());
    am_put_open(&out, NULL, '[');
    put_cpu(&out);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) put_absent(&out, &absent[i]);
    am_put_close(&out, ']');
    return am_put_finish(&out, NULL, out_json);
}

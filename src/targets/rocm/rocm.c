#include "targets/common/sdk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const libraries[] = {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so",
                                        NULL};

/* A line "NAME value" of a node's properties; 0 when it is not there. */
static long long property(const char *path, const char *name)
{
    char line[256];
    long long value = 0;
    size_t length = strlen(name);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, length) == 0 && line[length] == ' ') value = strtoll(line + length, NULL, 10);
    if (file) fclose(file);
    return value;
}

/* Nodes of the kernel's topology: those with SIMDs are GPUs, the others processors. */
static void list_devices(am_target_report *out)
{
    for (int node = 0; node < 64 && out->device_count < AM_TARGET_DEVICES; node++) {
        char path[PATH_MAX], banks[PATH_MAX];
        snprintf(path, sizeof path, "/sys/class/kfd/kfd/topology/nodes/%d/properties", node);
        if (access(path, R_OK) != 0) return;
        if (property(path, "simd_count") <= 0) continue;
        am_target_device *device = &out->devices[out->device_count++];
        long long version = property(path, "gfx_target_version");
        snprintf(device->name, sizeof device->name, "AMD GPU gfx%lld%llx%llx", version / 10000, version / 100 % 100,
                 version % 100);
        snprintf(banks, sizeof banks, "/sys/class/kfd/kfd/topology/nodes/%d/mem_banks/0/properties", node);
        device->memory_bytes = property(banks, "size_in_bytes");
        if (device->memory_bytes == 0) device->memory_bytes = -1;
    }
}

static void probe(am_target_report *out)
{
    bool interface = access("/dev/kfd", F_OK) == 0, library = am_sdk_find_library(libraries, out->path);
    list_devices(out);
    am_sdk_first_line("/opt/rocm/.info/version", out->version, sizeof out->version);
    out->present = interface && library && out->device_count > 0;
    if (out->present) return;
    if (!interface) am_reason_no(&out->reason, "the kernel's compute interface /dev/kfd is not there");
    else if (out->device_count == 0) am_reason_no(&out->reason, "/dev/kfd is there, but its topology lists no GPU");
    else am_reason_no(&out->reason, "libamdhip64.so was not found");
    am_reason_no(&out->remedy, "an AMD GPU with the amdgpu driver and ROCm");
}

const am_target am_target_rocm = {
    .name = "rocm",
    .summary = "AMD GPUs",
    .probe = probe,
};

#define _DEFAULT_SOURCE
#include "targets/common/sdk.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "Model: NVIDIA H100 .." of /proc/driver/nvidia/gpus/<bus>/information. */
static void read_model(const char *bus, am_target_device *out)
{
    char path[PATH_MAX], line[256];
    snprintf(path, sizeof path, "/proc/driver/nvidia/gpus/%.100s/information", bus);
    FILE *file = fopen(path, "re");
    snprintf(out->name, sizeof out->name, "NVIDIA GPU at %.60s", bus);
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "Model:", 6) != 0) continue;
        const char *name = line + 6 + strspn(line + 6, " \t");
        snprintf(out->name, sizeof out->name, "%.*s", (int)strcspn(name, "\r\n"), name);
    }
    if (file) fclose(file);
    out->memory_bytes = -1;
}

static void list_devices(am_target_report *out)
{
    DIR *folder = opendir("/proc/driver/nvidia/gpus");
    if (!folder) return;
    for (struct dirent *entry; out->device_count < AM_TARGET_DEVICES && (entry = readdir(folder));)
        if (entry->d_name[0] != '.') read_model(entry->d_name, &out->devices[out->device_count++]);
    closedir(folder);
}

/* "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65  ..." */
static void read_version(am_target_report *out)
{
    char line[256];
    am_sdk_first_line("/proc/driver/nvidia/version", line, sizeof line);
    for (const char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        if (word[0] >= '1' && word[0] <= '9' && strchr(word, '.')) {
            snprintf(out->version, sizeof out->version, "driver %.40s", word);
            return;
        }
}

static void probe(am_target_report *out)
{
    bool control = access("/dev/nvidiactl", F_OK) == 0, windows = access("/dev/dxg", F_OK) == 0;
    bool driver = am_sdk_find_library((const char *const[]){"libcuda.so.1", NULL}, out->path);
    list_devices(out);
    read_version(out);
    out->present = driver && ((control && out->device_count > 0) || windows);
    if (out->present) return;
    if (!driver) am_reason_no(&out->reason, "the driver's library libcuda.so.1 was not found");
    else if (!control)
        am_reason_no(&out->reason, "%.300s is there, but no NVIDIA device: /dev/nvidiactl is not there", out->path);
    else am_reason_no(&out->reason, "%.300s is there, but /proc/driver/nvidia/gpus lists no GPU", out->path);
    am_reason_no(&out->remedy, "an NVIDIA GPU with its driver (r580 or newer)");
}

const am_target am_target_cuda = {
    .name = "cuda",
    .summary = "NVIDIA GPUs",
    .probe = probe,
};

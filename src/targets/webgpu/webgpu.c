#include "targets/common/sdk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool look_in_site(void *context, const char *site, const char *environment)
{
    char folder[PATH_MAX];
    (void)environment;
    return am_sdk_join(folder, site, "wgpu/resources") && am_sdk_find_file(folder, "libwgpu_native", 1 << 20, context);
}

static const char *const libraries[] = {"libwgpu_native.so", NULL}, *const loaders[] = {"libvulkan.so.1", NULL};

/* A Vulkan driver announces itself by a file. */
static bool find_driver(char out[PATH_MAX])
{
    static const char *const folders[] = {"/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d",
                                          "/usr/local/share/vulkan/icd.d"};
    const char *given = getenv("VK_ICD_FILENAMES");
    if (given && *given) {
        snprintf(out, PATH_MAX, "%.*s", (int)strcspn(given, ":"), given);
        return am_sdk_is_file(out, 1);
    }
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (am_sdk_find_file(folders[i], "", 1, out)) return true;
    return false;
}

static bool find_library(char out[PATH_MAX])
{
    const char *given = getenv("ANYMODEL_WGPU");
    if (given && *given) {
        snprintf(out, PATH_MAX, "%s", given);
        return am_sdk_is_file(out, 1 << 20);
    }
    return am_sdk_find_site(look_in_site, out) || am_sdk_find_library(libraries, out);
}

static void probe(am_target_report *out)
{
    char loader[PATH_MAX], driver[PATH_MAX] = "";
    bool library = find_library(out->path), vulkan = am_sdk_find_library(loaders, loader), device = find_driver(driver);
    out->present = library && vulkan && device;
    if (device) {
        const char *name = strrchr(driver, '/');
        am_target_device *row = &out->devices[out->device_count++];
        snprintf(row->name, sizeof row->name, "Vulkan driver %.100s", name ? name + 1 : driver);
        row->memory_bytes = -1;
    }
    if (out->present) return;
    if (!library) am_reason_no(&out->reason, "libwgpu_native was not found");
    else if (!vulkan) am_reason_no(&out->reason, "the Vulkan loader libvulkan.so.1 was not found");
    else am_reason_no(&out->reason, "no Vulkan driver is installed (icd.d is empty)");
    am_reason_no(&out->remedy, library ? "a Vulkan driver (mesa-vulkan-drivers has one for the cpu)"
                                       : "pip install wgpu==0.32.0 in a virtual environment, or make sdks");
}

const am_target am_target_webgpu = {
    .name = "webgpu",
    .summary = "WebGPU, by wgpu-native",
    .probe = probe,
};

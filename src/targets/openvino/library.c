#include "targets/openvino/library.h"

#include "targets/common/sdk.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIBRARY_BYTES = 1 << 16, TESTED_FIRST = 2026, TESTED_LAST = 2026 };

/* --- finding --- */

static const char *const system_names[] = {"libopenvino_c.so", "libopenvino_c.so.2641", "libopenvino_c.so.2640", NULL};

/* The reader of the text that we write, and the plug-in of a device, must lie beside it. */
static bool look_in_folder(void *context, const char *folder)
{
    am_target_report *out = context;
    char path[PATH_MAX], other[PATH_MAX];
    if (!am_sdk_find_file(folder, "libopenvino_c.so", LIBRARY_BYTES, path)) return false;
    if (!am_sdk_find_file(folder, "libopenvino_ir_frontend.so", LIBRARY_BYTES, other)) {
        am_reason_no(&out->reason, "%.200s is there, but libopenvino_ir_frontend.so is not beside it", path);
        return false;
    }
    snprintf(out->path, sizeof out->path, "%s", path);
    return true;
}

/* "libopenvino_c.so.2641" is of 2026.4.1. */
static void version_from_name(am_target_report *out)
{
    const char *dot = strrchr(out->path, '.');
    int number = dot ? atoi(dot + 1) : 0;
    if (number >= 1000 && number <= 9999)
        snprintf(out->version, sizeof out->version, "20%d.%d.%d", number / 100, number / 10 % 10, number % 10);
}

static bool look_in_site(void *context, const char *site, const char *environment)
{
    char folder[PATH_MAX];
    am_target_report *out = context;
    if (!am_sdk_join(folder, site, "openvino/libs") || !look_in_folder(out, folder)) return false;
    am_sdk_version(site, environment, "openvino", out->version, sizeof out->version);
    return true;
}

static bool look_at_given(const char *given, am_target_report *out)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", given);
    if (am_sdk_is_file(folder, LIBRARY_BYTES)) {
        char *slash = strrchr(folder, '/');
        if (slash) *slash = 0;
        else snprintf(folder, sizeof folder, ".");
    }
    if (look_in_folder(out, folder)) return true;
    if (!out->reason.text[0])
        am_reason_no(&out->reason, "ANYMODEL_OPENVINO is %.300s, where libopenvino_c.so is not", given);
    return false;
}

static bool find(am_target_report *out)
{
    char folder[PATH_MAX];
    const char *given = getenv("ANYMODEL_OPENVINO"), *installed = getenv("INTEL_OPENVINO_DIR");
    if (given && *given) return look_at_given(given, out);
    if (installed && *installed && am_sdk_join(folder, installed, "runtime/lib/intel64") && look_in_folder(out, folder))
        return true;
    if (am_sdk_find_site(look_in_site, out)) return true;
    if (!am_sdk_find_library(system_names, folder)) return false;
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    return look_in_folder(out, folder);
}

static void list_devices(am_target_report *out)
{
    static const struct {
        const char *plugin, *name;
    } known[] = {{"libopenvino_intel_cpu_plugin.so", "CPU"},
                 {"libopenvino_arm_cpu_plugin.so", "CPU"},
                 {"libopenvino_intel_gpu_plugin.so", "GPU (if its driver is there)"},
                 {"libopenvino_intel_npu_plugin.so", "NPU (if its driver is there)"}};
    char folder[PATH_MAX], path[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", out->path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0] && out->device_count < AM_TARGET_DEVICES; i++) {
        if (!am_sdk_join(path, folder, known[i].plugin) || !am_sdk_is_file(path, LIBRARY_BYTES)) continue;
        am_target_device *device = &out->devices[out->device_count++];
        snprintf(device->name, sizeof device->name, "%s", known[i].name);
        device->memory_bytes = -1;
    }
}

void am_openvino_find(am_target_report *out)
{
    out->present = find(out);
    if (out->present) {
        if (!out->version[0]) version_from_name(out);
        list_devices(out);
        out->reason.text[0] = 0;
        return;
    }
    if (!out->reason.text[0]) am_reason_no(&out->reason, "libopenvino_c.so was not found");
    am_reason_no(&out->remedy, "pip install openvino==2026.4.1 in a virtual environment, or make sdks");
}

/* --- opening --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static am_openvino library;
static bool is_open;

am_status am_openvino_check(const am_openvino *ov, int result, const char *what)
{
    if (result == 0) return NULL;
    const char *message = ov->ov_get_last_err_msg(), *kind = ov->ov_get_error_info(result);
    return am_error(AM_INTERNAL, "openvino: %s: %s: %.1500s", what, kind ? kind : "error", message ? message : "");
}

/* ISO C has no conversion from an object pointer to a function pointer; POSIX promises that the bits are the same. */
static am_status bind(void *handle, const char *path, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    if (!symbol) return am_error(AM_UNAVAILABLE, "%s has no function %s", path, name);
    memcpy(function, &symbol, sizeof symbol);
    return NULL;
}

static am_status check_version(const am_openvino *ov, const char *path, bool allow_untested)
{
    ov_version_t version = {0};
    AM_TRY(am_openvino_check(ov, ov->ov_get_openvino_version(&version), "version"));
    int year = version.build_number ? atoi(version.build_number) : 0;
    am_status status = NULL;
    if ((year < TESTED_FIRST || year > TESTED_LAST) && !allow_untested)
        status = am_error(AM_UNSUPPORTED,
                          "%s is OpenVINO %.60s, and this program was tried with %d only (ANYMODEL_ALLOW_UNTESTED=1 "
                          "uses it all the same)",
                          path, version.build_number ? version.build_number : "of an unknown release", TESTED_LAST);
    ov->ov_version_free(&version);
    return status;
}

static am_status open_library(bool allow_untested)
{
    am_target_report report = {0};
    am_openvino ov = {0};
    am_openvino_find(&report);
    if (!report.present) return am_error(AM_UNAVAILABLE, "%s; %s", report.reason.text, report.remedy.text);
    void *handle = dlopen(report.path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return am_error(AM_UNAVAILABLE, "cannot open %s: %s", report.path, dlerror());
#define ROW(result, name, arguments) AM_TRY(bind(handle, report.path, #name, &ov.name));
    AM_OPENVINO_FUNCTIONS(ROW)
#undef ROW
    AM_TRY(check_version(&ov, report.path, allow_untested));
    AM_TRY(am_openvino_check(&ov, ov.ov_core_create(&ov.core), "core"));
    library = ov;
    is_open = true;
    return NULL;
}

am_status am_openvino_open(bool allow_untested, const am_openvino **out)
{
    pthread_mutex_lock(&lock);
    am_status status = is_open ? NULL : open_library(allow_untested);
    pthread_mutex_unlock(&lock);
    *out = &library;
    return status;
}

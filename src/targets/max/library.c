#define _GNU_SOURCE /* sched_setaffinity */
#include "targets/max/library.h"

#include "targets/common/modular.h"
#include "targets/common/sdk.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char tested[] = "26.7";

void am_max_find(am_target_report *out)
{
    am_modular found;
    am_modular_find(&found);
    out->present = found.has_max;
    snprintf(out->version, sizeof out->version, "%s", found.max_version);
    snprintf(out->path, sizeof out->path, "%s", found.root);
    if (found.has_max) return;
    if (found.has_mojo) am_reason_no(&out->reason, "lib/libmax.so is not in Modular's package (%.300s)", found.root);
    else if (found.rejected.text[0]) out->reason = found.rejected;
    else am_reason_no(&out->reason, "Modular's package (lib/libmax.so) was not found");
    am_reason_no(&out->remedy, "pip install modular==26.7.0 in a virtual environment, or make sdks");
}

void am_max_environment(const char *root, const char *cache,
                        void (*put)(void *context, const char *name, const char *value), void *context)
{
    char kernels[PATH_MAX];
    put(context, "MODULAR_MOJO_MAX_PACKAGE_ROOT", root);
    if (am_sdk_join(kernels, root, "lib/mojo")) put(context, "MODULAR_MOJO_MAX_IMPORT_PATH", kernels);
    if (cache) put(context, "MODULAR_CACHE_DIR", cache);
    put(context, "MODULAR_TELEMETRY_ENABLED", "0");
    put(context, "MODULAR_CRASH_REPORTING_ENABLED", "false");
}

/* --- opening --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static am_max library;
static bool is_open;

am_status am_max_check(const am_max *max, const max_handle *status, const char *what)
{
    if (!max->M_isError(status)) return NULL;
    const char *message = max->M_getError(status);
    return am_error(AM_INTERNAL, "max: %s: %.1500s", what, message ? message : "error");
}

/* ISO C has no conversion from an object pointer to a function pointer; POSIX promises that the bits are the same. */
static am_status bind(void *handle, const char *path, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    if (!symbol) return am_error(AM_UNAVAILABLE, "%s has no function %s", path, name);
    memcpy(function, &symbol, sizeof symbol);
    return NULL;
}

static bool is_tested(const char *version)
{
    size_t length = strlen(tested);
    return strncmp(version, tested, length) == 0 && (version[length] == '.' || version[length] == 0);
}

am_status am_max_check_version(const char *version, const char *path, bool allow_untested)
{
    if (allow_untested || is_tested(version)) return NULL;
    return am_error(
        AM_UNSUPPORTED,
        "%s is MAX %.60s, and this program was tried with %s only (ANYMODEL_ALLOW_UNTESTED=1 uses it all the "
        "same)",
        path, version[0] ? version : "of an unknown release", tested);
}

static void set_variable(void *context, const char *name, const char *value)
{
    (void)context;
    setenv(name, value, 1);
}

static am_status make_context(am_max *max)
{
    max_handle *status = max->M_newStatus(), *configuration = max->M_newRuntimeConfig();
    max->device = max->M_newDevice(MAX_HOST, 0, status);
    am_status failed = am_max_check(max, status, "device");
    if (!failed) {
        max->M_runtimeConfigAddDevice(configuration, max->device);
        max->context = max->M_newRuntimeContext(configuration, status);
        failed = am_max_check(max, status, "context");
    }
    max->M_freeRuntimeConfig(configuration);
    max->M_freeStatus(status);
    return failed;
}

/* MAX makes a worker for each cpu that the calling thread may use, and workers keep to those. */
static am_status make_bounded_context(am_max *max, int threads)
{
    cpu_set_t all, some;
    bool known = sched_getaffinity(0, sizeof all, &all) == 0;
    bool bounded = known && threads > 0 && threads < CPU_COUNT(&all);
    CPU_ZERO(&some);
    for (size_t i = 0; bounded && i < CPU_SETSIZE && CPU_COUNT(&some) < threads; i++)
        if (CPU_ISSET(i, &all)) CPU_SET(i, &some);
    bounded = bounded && sched_setaffinity(0, sizeof some, &some) == 0;
    am_status status = make_context(max);
    if (bounded && sched_setaffinity(0, sizeof all, &all) != 0 && !status)
        status = am_error(AM_INTERNAL, "max: the affinity of the thread could not be set back");
    return status;
}

static am_status open_library(bool allow_untested, int threads)
{
    am_target_report report = {0};
    am_max max = {0};
    char path[PATH_MAX];
    am_max_find(&report);
    if (!report.present) return am_error(AM_UNAVAILABLE, "%s; %s", report.reason.text, report.remedy.text);
    if (!am_sdk_join(path, report.path, "lib/libmax.so"))
        return am_error(AM_UNAVAILABLE, "the path %.200s is too long", report.path);
    am_max_environment(report.path, NULL, set_variable, NULL);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return am_error(AM_UNAVAILABLE, "cannot open %s: %s", path, dlerror());
#define ROW(result, name, arguments) AM_TRY(bind(handle, path, #name, &max.name));
    AM_MAX_FUNCTIONS(ROW)
#undef ROW
    const char *version = max.M_version();
    snprintf(max.version, sizeof max.version, "%s", version ? version : "");
    snprintf(max.root, sizeof max.root, "%s", report.path);
    AM_TRY(am_max_check_version(max.version, path, allow_untested));
    AM_TRY(make_bounded_context(&max, threads));
    library = max;
    is_open = true;
    return NULL;
}

am_status am_max_open(bool allow_untested, int threads, const am_max **out)
{
    pthread_mutex_lock(&lock);
    am_status status = is_open ? NULL : open_library(allow_untested, threads);
    pthread_mutex_unlock(&lock);
    *out = &library;
    return status;
}

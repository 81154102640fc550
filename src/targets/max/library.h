/* MAX's C interface, opened at run time. Functions are those of the headers in max/c of release 26.7; they are declared
   here because building needs nothing of Modular's. Every handle is an opaque pointer. */
#ifndef AM_TARGETS_MAX_LIBRARY_H
#define AM_TARGETS_MAX_LIBRARY_H

#include "targets/target.h"

typedef struct max_handle max_handle;

/* M_Dtype of 26.7, those that we use. */
enum max_dtype { MAX_BOOL = 1, MAX_F16 = 79, MAX_BF16 = 80, MAX_F32 = 81, MAX_F64 = 82, MAX_I32 = 139, MAX_I64 = 141 };

enum { MAX_HOST = 0 };

#define AM_MAX_FUNCTIONS(ROW)                                                                                          \
    ROW(const char *, M_version, (void))                                                                               \
    ROW(max_handle *, M_newStatus, (void))                                                                             \
    ROW(const char *, M_getError, (const max_handle *))                                                                \
    ROW(int, M_isError, (const max_handle *))                                                                          \
    ROW(void, M_freeStatus, (max_handle *))                                                                            \
    ROW(max_handle *, M_newRuntimeConfig, (void))                                                                      \
    ROW(void, M_freeRuntimeConfig, (max_handle *))                                                                     \
    ROW(void, M_runtimeConfigAddDevice, (max_handle *, max_handle *))                                                  \
    ROW(max_handle *, M_newRuntimeContext, (const max_handle *, max_handle *))                                         \
    ROW(max_handle *, M_newDevice, (int, int, max_handle *))                                                           \
    ROW(max_handle *, M_newCompileConfig, (void))                                                                      \
    ROW(void, M_setModelPath, (max_handle *, const char *))                                                            \
    ROW(max_handle *, M_compileModelSync, (const max_handle *, max_handle **, max_handle *))                           \
    ROW(void, M_freeCompiledModel, (max_handle *))                                                                     \
    ROW(max_handle *, M_newWeightsRegistry, (const char **, const void **, size_t, max_handle *))                      \
    ROW(void, M_freeWeightsRegistry, (max_handle *))                                                                   \
    ROW(max_handle *, M_initModel, (const max_handle *, const max_handle *, const max_handle *, max_handle *))         \
    ROW(void, M_waitForModel, (max_handle *, max_handle *))                                                            \
    ROW(void, M_freeModel, (max_handle *))                                                                             \
    ROW(max_handle *, M_newTensorSpec, (const int64_t *, int64_t, int, const char *, const max_handle *))              \
    ROW(void, M_freeTensorSpec, (max_handle *))                                                                        \
    ROW(max_handle *, M_newAsyncTensorMap, (const max_handle *))                                                       \
    ROW(void, M_freeAsyncTensorMap, (max_handle *))                                                                    \
    ROW(void, M_borrowTensorInto, (max_handle *, void *, const max_handle *, max_handle *))                            \
    ROW(max_handle *, M_executeModelSync, (const max_handle *, max_handle *, max_handle *, max_handle *))              \
    ROW(max_handle *, M_getTensorByNameFrom, (max_handle *, const char *, max_handle *))                               \
    ROW(void, M_freeTensor, (max_handle *))                                                                            \
    ROW(size_t, M_getTensorNumElements, (const max_handle *))                                                          \
    ROW(int, M_getTensorType, (const max_handle *))                                                                    \
    ROW(const void *, M_getTensorData, (const max_handle *))

typedef struct am_max {
#define ROW(result, name, arguments) result(*name) arguments;
    AM_MAX_FUNCTIONS(ROW)
#undef ROW
    max_handle *device, *context;
    char root[PATH_MAX];
    char version[64];
} am_max;

/* Looks for lib/libmax.so of Modular's package. Files only. */
void am_max_find(am_target_report *out);

/* The library with one context on the cpu, opened at the first call and kept. Sets the variables of the environment
   that MAX reads (MODULAR_...) before it is opened. `threads` bounds the workers of the context, by the affinity of the
   thread that makes it: MAX has no other way; 0: as many as cpus. Fails with AM_UNAVAILABLE, saying what is missing, or
   AM_UNSUPPORTED for a release that was never tried unless allow_untested. Borrowed. */
am_status am_max_open(bool allow_untested, int threads, const am_max **out) AM_NODISCARD;

/* AM_UNSUPPORTED for a release ("26.8.0") that was never tried, unless that is allowed; `path` names the library. */
am_status am_max_check_version(const char *version, const char *path, bool allow_untested) AM_NODISCARD;

/* Text such as "MODULAR_X=/path" for each variable that MAX needs to run and to compile from `root`, `cache` being its
   private folder: at most AM_MAX_VARIABLES, given to `put`. */
enum { AM_MAX_VARIABLES = 5 };
void am_max_environment(const char *root, const char *cache,
                        void (*put)(void *context, const char *name, const char *value), void *context);

/* AM_INTERNAL with MAX's words when `status` holds an error; null else. The status can be used again for the next call
   only where this gave null. */
am_status am_max_check(const am_max *max, const max_handle *status, const char *what) AM_NODISCARD;

#endif

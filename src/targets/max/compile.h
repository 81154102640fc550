/* Compiling a graph with MAX, in a process of its own: MAX's compiler ends the process that it runs in on text that it
   does not understand, and crashes on some that it should. */
#ifndef AM_TARGETS_MAX_COMPILE_H
#define AM_TARGETS_MAX_COMPILE_H

#include "targets/max/library.h"

typedef struct am_max_mef {
    char *bytes; /* freed with am_free */
    size_t length;
    bool is_final; /* where compiling failed: it would do so again */
} am_max_mef;

/* Compiles the text of a graph into MAX's own format, telling the progress every second. The work is done by the
   program anymodel-max-compile, looked for in ANYMODEL_LIBEXEC, beside the running program, beside the library, and in
   ../libexec/anymodel from either. Fails with AM_UNAVAILABLE without it, AM_INTERNAL with the compiler's words and how
   its process ended, or when cancelled (may be null), which kills it. */
am_status am_max_compile(const char *root, const char *text, size_t length, const atomic_bool *cancelled,
                         am_max_mef *out) AM_NODISCARD;

#endif

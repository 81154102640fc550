/* The sources of the Mojo kernels, as the build found them in targets/mojo/kernels. */
#ifndef AM_TARGETS_MOJO_SOURCES_H
#define AM_TARGETS_MOJO_SOURCES_H

#include <stddef.h>

typedef struct am_mojo_source {
    const char *name; /* "library.mojo" */
    const char *text;
    size_t length;
} am_mojo_source;

/* Ends with a null name. */
extern const am_mojo_source am_mojo_sources[];

#endif

/* Modular's package, which holds both Mojo and MAX: where it is and what of it is there, by files alone. */
#ifndef AM_TARGETS_COMMON_MODULAR_H
#define AM_TARGETS_COMMON_MODULAR_H

#include "targets/target.h"

typedef struct am_modular {
    char root[PATH_MAX]; /* the folder with bin/ and lib/ of the package ("../site-packages/modular"); "": none */
    char mojo_version[64], max_version[64];
    bool has_mojo;      /* bin/mojo (the compiler itself, not a launcher) and lib/mojo/std.mojoc */
    bool has_max;       /* lib/libmax.so and lib/mojo/builtin_kernels.mojoc */
    am_reason rejected; /* something that carries the name and is not it (Ubuntu's snap `mojo`); "": nothing */
} am_modular;

/* Looks at MODULAR_MOJO_MAX_PACKAGE_ROOT, MODULAR_HOME and ~/.modular (modular.cfg), then the Python environments of
   am_sdk_find_site, then what `mojo` on PATH belongs to. */
void am_modular_find(am_modular *out);

#endif

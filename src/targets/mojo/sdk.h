/* Finds a Mojo SDK on this machine by its files alone: no process is started. */
#ifndef AM_TARGETS_MOJO_SDK_H
#define AM_TARGETS_MOJO_SDK_H

#include "base/arena.h"

/* The oldest version whose syntax the kernels are written in. */
#define AM_MOJO_OLDEST "1.2"

typedef struct am_mojo_sdk {
    const char *root;    /* holds bin/mojo (the compiler, not a launcher) and lib/mojo/std.mojoc */
    const char *version; /* "1.2.0", or "unknown" where no package says it */
    const char *found;   /* what led there: "MODULAR_MOJO_MAX_PACKAGE_ROOT", "VIRTUAL_ENV", "PATH" ... */
} am_mojo_sdk;

/* The first SDK found: by MODULAR_MOJO_MAX_PACKAGE_ROOT, modular.cfg in MODULAR_HOME and ~/.modular, the environments
   CONDA_PREFIX, VIRTUAL_ENV, .venv, .pixi/envs/default, ~/.local, and those around each `mojo` on PATH. A command of
   that name alone is no evidence: other programs have it too. Text lives in the arena. Fails with AM_UNAVAILABLE when
   there is none or it is older than AM_MOJO_OLDEST, AM_OUT_OF_MEMORY. */
am_status am_mojo_sdk_find(am_arena *arena, am_mojo_sdk *out) AM_NODISCARD;

#endif

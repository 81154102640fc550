/* Finding vendor libraries by looking at files: what probes are made of. Nothing is loaded or started. */
#ifndef AM_TARGETS_COMMON_SDK_H
#define AM_TARGETS_COMMON_SDK_H

#include "targets/target.h"

/* Whether there is a regular file (links followed) of at least that many bytes: a launcher script of a few hundred
   bytes is not the program that it starts. */
bool am_sdk_is_file(const char *path, int64_t least_bytes);

/* Calls `look` with each folder of Python packages ("../lib/python3.11/site-packages") of the environments that may
   hold a vendor's wheels, until it gives true: ANYMODEL_SDKS, VIRTUAL_ENV, CONDA_PREFIX, .venv, ~/.local, and the
   folder that `make sdks` fills. `environment` is the environment's own folder. Gives whether one did. */
bool am_sdk_find_site(bool (*look)(void *context, const char *site, const char *environment), void *context);

/* Finds a shared library by one of its exact names (ended by null, best first) in LD_LIBRARY_PATH and the system's
   folders: its path into out. Those folders are never listed: they hold thousands of files. */
bool am_sdk_find_library(const char *const *names, char out[PATH_MAX]);

/* Finds the first file in `folder` whose name begins with `start` and contains no '/': its path into out. Names that
   sort last go first, so that newer versions win. */
bool am_sdk_find_file(const char *folder, const char *start, int64_t least_bytes, char out[PATH_MAX]);

/* Version of a wheel or conda package from the name of its record: "max_core" gives "26.7.0" of
   SITE/max_core-26.7.0.dist-info or ENVIRONMENT/conda-meta/max-core-26.7.0-*.json. "" when there is none. */
void am_sdk_version(const char *site, const char *environment, const char *package, char *out, size_t capacity);

/* The first line of a small file, without its end; "" when it cannot be read. */
void am_sdk_first_line(const char *path, char *out, size_t capacity);

/* Joins with '/'; false (and "") when it does not fit. */
bool am_sdk_join(char out[PATH_MAX], const char *folder, const char *name);

#endif

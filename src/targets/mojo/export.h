/* The library of kernels as what a program was compiled into; see am_target.export. */
#ifndef AM_TARGETS_MOJO_EXPORT_H
#define AM_TARGETS_MOJO_EXPORT_H

#include "base/buffer.h"

/* Appends the library's name, which is made of all that it depends on, and the library. */
am_status am_mojo_export(const void *program, am_buffer *out) AM_NODISCARD;

/* Puts an exported library into the cache folder, where there is none yet. Fails with AM_UNSUPPORTED where it is for
   another SDK, cpu or version of the kernels. */
am_status am_mojo_install(const void *bytes, size_t length) AM_NODISCARD;

#endif

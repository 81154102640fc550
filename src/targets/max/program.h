/* A graph compiled by MAX. */
#ifndef AM_TARGETS_MAX_PROGRAM_H
#define AM_TARGETS_MAX_PROGRAM_H

#include "targets/max/library.h"

/* See am_target for what these do. A graph that MAX compiled wrongly fails with AM_INTERNAL and the worst difference.
 */
am_status am_mx_create(const am_graph *graph, const am_target_options *options, void **out) AM_NODISCARD;
void am_mx_destroy(void *program);
am_status am_mx_run(void *program, const am_tensor *inputs, void *const *states) AM_NODISCARD;
am_tensor am_mx_output(const void *program, int i);
size_t am_mx_bytes(const void *program);
am_status am_mx_export(const void *program, am_buffer *out) AM_NODISCARD;
am_status am_mx_import(const am_graph *graph, const am_target_options *options, const void *bytes, size_t length,
                       void **out) AM_NODISCARD;

#endif

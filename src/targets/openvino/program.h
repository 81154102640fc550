/* A graph compiled by OpenVINO. */
#ifndef AM_TARGETS_OPENVINO_PROGRAM_H
#define AM_TARGETS_OPENVINO_PROGRAM_H

#include "targets/openvino/library.h"

/* See am_target for what these do. */
am_status am_ov_create(const am_graph *graph, const am_target_options *options, void **out) AM_NODISCARD;
void am_ov_destroy(void *program);
am_status am_ov_run(void *program, const am_tensor *inputs, void *const *states) AM_NODISCARD;
am_tensor am_ov_output(const void *program, int i);
size_t am_ov_bytes(const void *program);
const char *am_ov_kernel(const void *program, const am_node *node);
am_status am_ov_import(const am_graph *graph, const am_target_options *options, const void *bytes, size_t length,
                       void **out) AM_NODISCARD;

/* What it was created with; borrowed. */
const am_graph *am_ov_graph(const void *program);
const am_target_options *am_ov_options(const void *program);

/* Appends what OpenVINO writes of the program. */
am_status am_ov_write_program(const void *program, am_buffer *out) AM_NODISCARD;

/* The same, read again and compared with the program on generated inputs: AM_INTERNAL where it computes something else.
 */
am_status am_ov_export(const void *program, am_buffer *out) AM_NODISCARD;

#endif

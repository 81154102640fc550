/* Models that OpenVINO compiled, shared by the graphs that differ in nothing but sizes.

   The first graph of a kind is compiled with the sizes it has. When another one comes that has the same layers, one
   model is compiled for both: dimensions in which they differ are free, constants in which they differ (targets of
   reshapes, masks, tables of positions) become inputs that each run gives. Further graphs of that kind compile nothing.
   Every graph gives the very constants and sizes that it would have been compiled with, so the answer is the same. */
#ifndef AM_TARGETS_OPENVINO_COMPILED_H
#define AM_TARGETS_OPENVINO_COMPILED_H

#include "targets/openvino/ir.h"
#include "targets/openvino/library.h"

typedef struct am_ov_compiled am_ov_compiled;

/* Compiles `ir` or finds what does for it, and marks in it what is free. `ir` and what it points to stay where they are
   until am_ov_compiled_release. device null: CPU. */
am_status am_ov_compiled_get(const am_openvino *ov, am_ir *ir, const char *device, am_ov_compiled **out) AM_NODISCARD;

/* Compiles `ir` with its sizes for one user alone: what is written to a file. */
am_status am_ov_compiled_alone(const am_openvino *ov, const am_ir *ir, const char *device,
                               am_ov_compiled **out) AM_NODISCARD;

/* Reads what am_ov_compiled_write wrote of such a model; the bytes are aligned and outlive it. */
am_status am_ov_compiled_read(const am_openvino *ov, const char *device, const void *bytes, size_t length,
                              am_ov_compiled **out) AM_NODISCARD;

/* Appends what OpenVINO writes of the model, its weights with it. */
am_status am_ov_compiled_write(const am_ov_compiled *compiled, am_buffer *out) AM_NODISCARD;

/* The user of `ir` is done. */
void am_ov_compiled_release(am_ov_compiled *compiled, const am_ir *ir);

/* Borrowed. */
const ov_compiled_model_t *am_ov_compiled_model(const am_ov_compiled *compiled);

/* Whether it was made for graphs of more than one size. */
bool am_ov_compiled_is_shared(const am_ov_compiled *compiled);

/* How many models were compiled in this process so far, and how many times one served another graph. */
void am_ov_compiled_count(int64_t *out_compiled, int64_t *out_reused);

#endif

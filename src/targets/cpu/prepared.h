/* Weights in the form that a kernel likes best, made once a process and shared by the programs that use them: a prompt
   and the tokens after it are different graphs of the same weights. */
#ifndef AM_TARGETS_CPU_PREPARED_H
#define AM_TARGETS_CPU_PREPARED_H

#include "targets/cpu/kernel.h"

typedef struct am_prepared am_prepared;

/* The prepared input of this call's node, made by the kernel's `prepare` unless another program has it. `bytes` as
   prepared_bytes said. *out_new: whether it was made now. Null where memory is short: the kernel does without. Released
   by am_prepared_release while the weight's own memory is still there. */
am_prepared *am_prepared_share(const am_kernel *kernel, const am_kernel_call *call, size_t bytes, bool *out_new);
void am_prepared_release(am_prepared *prepared);

/* The bytes that the kernel reads; borrowed. */
const void *am_prepared_data(const am_prepared *prepared);

#endif

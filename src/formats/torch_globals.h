/* The globals that a checkpoint's pickle may name; all others are refused. */
#ifndef AM_FORMATS_TORCH_GLOBALS_H
#define AM_FORMATS_TORCH_GLOBALS_H

#include <anymodel/tensor.h>

/* What a global does when it is called, or stands for. */
typedef enum am_torch_role {
    AM_ROLE_DICT,
    AM_ROLE_OTHER,   /* makes something of no interest */
    AM_ROLE_SIZE,    /* torch.Size(sequence) */
    AM_ROLE_STORAGE, /* a storage type with its dtype */
    AM_ROLE_DTYPE,
    AM_ROLE_TENSOR_TYPE,
    AM_ROLE_TENSOR,            /* (storage, offset, size, strides, ...) */
    AM_ROLE_TENSOR_WITH_DTYPE, /* (storage, offset, size, strides, requires_grad, hooks, dtype, ...) */
    AM_ROLE_PARAMETER,         /* (tensor, ...) */
    AM_ROLE_FROM_TYPE,         /* (function, type, arguments, state) */
    AM_ROLE_UNSUPPORTED,
} am_torch_role;

typedef struct am_torch_global {
    const char *module, *name;
    am_torch_role role;
    am_dtype dtype; /* of storages and dtypes */
} am_torch_global;

/* The global of a module's and its own name, neither followed by a zero byte; null when it is not of the
   list. */
const am_torch_global *am_torch_global_find(const char *module, size_t module_length, const char *name,
                                            size_t name_length);

#endif

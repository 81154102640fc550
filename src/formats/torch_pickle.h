/* Reads the pickles that torch.save writes, without executing anything: a small machine for the opcodes of
   pickle protocols 0 to 5 that knows a fixed list of globals (dictionaries, storages, tensors, dtypes) and
   refuses all others by their names. Source: CPython's Lib/pickletools.py; torch/serialization.py and
   torch/_utils.py. */
#ifndef AM_FORMATS_TORCH_PICKLE_H
#define AM_FORMATS_TORCH_PICKLE_H

#include "base/arena.h"
#include "base/status.h"
#include "tensor/shape.h"

#include <stdbool.h>

typedef enum am_pickle_kind {
    AM_PICKLE_UNSET, /* no value */
    AM_PICKLE_NONE,
    AM_PICKLE_BOOL,
    AM_PICKLE_INTEGER, /* fits int64 */
    AM_PICKLE_REAL,
    AM_PICKLE_STRING,
    AM_PICKLE_TUPLE,
    AM_PICKLE_LIST,
    AM_PICKLE_DICT,
    AM_PICKLE_GLOBAL, /* see formats/torch_globals.h */
    AM_PICKLE_STORAGE,
    AM_PICKLE_TENSOR,
    AM_PICKLE_OTHER, /* harmless and of no interest: bytes, sets, devices, integers beyond 64 bits */
} am_pickle_kind;

/* The memory of tensors, which lies outside of the pickle under this key. A key comes once for each tensor
   that uses it. */
typedef struct am_pickle_storage {
    const struct am_pickle_storage *before; /* the one that was named before this one, or null */
    const char *key;                        /* inside of the pickle, not followed by a zero byte */
    uint32_t key_length;
    am_dtype dtype; /* AM_U8 when it has no type of its own */
    int64_t count;  /* elements, less than 2^60 */
} am_pickle_storage;

/* A view of a storage: element [i, j, ...] is at offset + i * strides[0] + j * strides[1] ..., in elements of
   `dtype`. All numbers are at least 0; that they stay inside of the storage is not checked. */
typedef struct am_pickle_tensor {
    const am_pickle_storage *storage;
    am_dtype dtype;
    am_shape shape;
    int64_t strides[AM_RANK_LIMIT];
    int64_t offset;
} am_pickle_tensor;

typedef struct am_pickle_value am_pickle_value;

/* Elements of a tuple or list, or keys and values of a dictionary in turn. May hold itself. */
typedef struct am_pickle_items {
    am_pickle_value *values;
    size_t count, capacity;
} am_pickle_items;

struct am_pickle_value {
    am_pickle_kind kind;
    uint32_t length; /* of strings */
    union {
        int64_t integer; /* of booleans too: 0 or 1 */
        double real;
        const char *text; /* inside of the pickle, not followed by a zero byte */
        am_pickle_items *items;
        const am_pickle_storage *storage;
        const am_pickle_tensor *tensor;
        const struct am_torch_global *global;
    } as;
};

typedef struct am_pickle {
    am_pickle_value root;
    const am_pickle_storage *last_storage; /* head of the list of all storages */
    size_t size_bytes;                     /* that the pickle took */
} am_pickle;

/* Runs the pickle that starts at `bytes`. *out lives in the arena and in the pickle's bytes. `path` is for
   messages. Fails with AM_INVALID_FILE (malformed, too deep, too large, or refers to a global that is not of
   the list), AM_UNSUPPORTED (a storage or dtype that this library does not have), AM_OUT_OF_MEMORY. */
am_status am_torch_unpickle(const uint8_t *bytes, size_t length, const char *path, am_arena *arena,
                            am_pickle *out) AM_NODISCARD;

/* The value under a key of a dictionary (the last, when it is there more than once); kind AM_PICKLE_UNSET
   when there is none or `dict` is no dictionary. */
am_pickle_value am_pickle_get(const am_pickle_value *dict, const char *key);

/* "a list": for messages. */
const char *am_pickle_kind_name(am_pickle_kind kind);

#endif

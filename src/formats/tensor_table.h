/* Named tensors of a checkpoint, whatever file format they came from. Opening reads headers only; data stays
   mapped. */
#ifndef AM_FORMATS_TENSOR_TABLE_H
#define AM_FORMATS_TENSOR_TABLE_H

#include "base/arena.h"
#include "base/file.h"
#include "base/status.h"
#include "tensor/shape.h"

#include <stdbool.h>

/* One tensor: dense, row-major, little-endian. `data` is aligned for its dtype, and null only when it has no
   elements. */
typedef struct am_named_tensor {
    const char *name;
    const char *file; /* path it came from, for messages */
    am_dtype dtype;
    am_shape shape;
    const void *data;
} am_named_tensor;

/* Owns the names, the mappings and what had to be copied. All zeros is an empty table. */
typedef struct am_tensor_table {
    am_arena arena;
    am_named_tensor *tensors; /* in the order of the files */
    size_t count, capacity;
    uint32_t *slots; /* hash of names: index + 1, 0 is free */
    size_t slot_count;
    am_mapped_file *files;
    size_t file_count, file_capacity;
    void **owned; /* aligned copies */
    size_t owned_count, owned_capacity;
} am_tensor_table;

/* Adds a tensor; the name is copied, `file` and `data` must outlive the table (see the two functions below).
   Fails with AM_INVALID_FILE when the name is taken. */
am_status am_tensor_table_add(am_tensor_table *table, const am_named_tensor *tensor, size_t name_length) AM_NODISCARD;

/* The tensor of that name, or null; borrowed. */
const am_named_tensor *am_tensor_table_find(const am_tensor_table *table, const char *name);

/* Hands a mapping, or a block from am_alloc_aligned, to the table (also when it fails: then it is released).
 */
am_status am_tensor_table_take_file(am_tensor_table *table, am_mapped_file *file) AM_NODISCARD;
am_status am_tensor_table_take_memory(am_tensor_table *table, void *block) AM_NODISCARD;

/* Releases everything. */
void am_tensor_table_deinit(am_tensor_table *table);

#endif

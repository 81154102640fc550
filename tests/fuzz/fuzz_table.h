/* For fuzzers of checkpoint readers: reads every byte of every tensor, so that the sanitizer sees one outside
   of its memory. */
#ifndef AM_FUZZ_TABLE_H
#define AM_FUZZ_TABLE_H

#include "formats/tensor_table.h"

#include <stdlib.h>

static void fuzz_visit_table(const am_tensor_table *table)
{
    volatile uint8_t sink = 0;
    for (size_t i = 0; i < table->count; i++) {
        const am_named_tensor *tensor = &table->tensors[i];
        size_t bytes = am_tensor_bytes(tensor->dtype, &tensor->shape);
        if (!am_shape_check(&tensor->shape) || am_tensor_table_find(table, tensor->name) != tensor) abort();
        if ((uintptr_t)tensor->data % am_dtype_bytes(tensor->dtype) != 0 || (bytes != 0) != (tensor->data != NULL))
            abort();
        for (size_t k = 0; k < bytes; k++) sink = (uint8_t)(sink + ((const uint8_t *)tensor->data)[k]);
    }
}

#endif

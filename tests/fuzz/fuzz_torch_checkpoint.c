/* Any bytes as a PyTorch checkpoint and, as checksums keep changed pickles from being read out of an archive,
   as a pickle. */
#define _GNU_SOURCE
#include "formats/torch_checkpoint.h"
#include "formats/torch_pickle.h"

#include "fuzz_file.h"
#include "fuzz_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Containers may hold themselves, hence the depth. */
static void visit_value(const am_pickle_value *value, int depth)
{
    volatile char sink = 0;
    switch (value->kind) {
    case AM_PICKLE_STRING:
        for (uint32_t i = 0; i < value->length; i++) sink = value->as.text[i];
        break;
    case AM_PICKLE_TUPLE:
    case AM_PICKLE_LIST:
    case AM_PICKLE_DICT:
        for (size_t i = 0; depth && i < value->as.items->count && i < 100; i++)
            visit_value(&value->as.items->values[i], depth - 1);
        break;
    case AM_PICKLE_TENSOR:
        if (!am_shape_check(&value->as.tensor->shape) || value->as.tensor->offset < 0) abort();
        break;
    default:
        break;
    }
    (void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_tensor_table table = {0};
    am_status status = am_torch_checkpoint_read(fuzz_file(data, size), &table);
    fuzz_visit_table(&table);
    am_status_free(status);
    am_tensor_table_deinit(&table);

    am_arena arena = {0};
    am_pickle pickle;
    status = am_torch_unpickle(data, size, "fuzz", &arena, &pickle);
    if (!status) visit_value(&pickle.root, 3);
    am_status_free(status);
    am_arena_deinit(&arena);
    return 0;
}

/* Any bytes as a safetensors file. */
#define _GNU_SOURCE
#include "formats/safetensors.h"

#include "fuzz_file.h"
#include "fuzz_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_tensor_table table = {0};
    am_status status = am_safetensors_read(fuzz_file(data, size), &table);
    fuzz_visit_table(&table);
    am_status_free(status);
    am_tensor_table_deinit(&table);
    return 0;
}

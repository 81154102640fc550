/* Any bytes as model.safetensors.index.json beside two shards, a.safetensors (x, y) and b.safetensors (z). */
#define _GNU_SOURCE
#include "formats/checkpoint.h"
#include "formats/safetensors.h"

#include "fuzz_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/anymodel_fuzz_XXXXXX";
static const char *const FILES[] = {"a.safetensors", "b.safetensors", "model.safetensors.index.json"};

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void clean_up(void)
{
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) unlink(path_of(FILES[i]));
    rmdir(directory);
}

static void write_shards(void)
{
    static const float numbers[] = {1, 2};
    const am_named_tensor tensors[] = {{.name = "x", .dtype = AM_F32, .shape = am_shape_of(2), .data = numbers},
                                       {.name = "y", .dtype = AM_F32, .shape = am_shape_of(1), .data = numbers},
                                       {.name = "z", .dtype = AM_F32, .shape = am_shape_of(2), .data = numbers}};
    if (!mkdtemp(directory)) abort();
    atexit(clean_up);
    if (am_safetensors_write(path_of(FILES[0]), tensors, 2)) abort();
    if (am_safetensors_write(path_of(FILES[1]), tensors + 2, 1)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool written;
    am_tensor_table table = {0};
    if (!written) write_shards();
    written = true;
    FILE *file = fopen(path_of(FILES[2]), "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) abort();
    am_status status = am_checkpoint_read(directory, &table);
    if (status && table.count) abort();
    fuzz_visit_table(&table);
    am_status_free(status);
    am_tensor_table_deinit(&table);
    return 0;
}

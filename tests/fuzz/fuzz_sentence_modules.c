/* Any bytes as modules.json; what follows the first zero byte is the pooling module's config.json and
   sentence_bert_config.json. */
#define _GNU_SOURCE
#include "tasks/sentence_embedding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/anymodel_fuzz_XXXXXX";
static const char *const FILES[] = {"modules.json", "config.json", "sentence_bert_config.json"};

enum { FILE_COUNT = sizeof FILES / sizeof *FILES };

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void clean_up(void)
{
    for (size_t i = 0; i < FILE_COUNT; i++) unlink(path_of(FILES[i]));
    rmdir(directory);
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path_of(name), "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t length = zero ? (size_t)(zero - data) : size;
    am_pipeline pipeline = {.directory = directory};
    am_sentence_config config;
    if (!begun && !mkdtemp(directory)) abort();
    if (!begun) atexit(clean_up);
    begun = true;
    write_file(FILES[0], data, length);
    for (size_t i = 1; i < FILE_COUNT; i++) write_file(FILES[i], zero ? zero + 1 : data, zero ? size - length - 1 : 0);
    am_status status = am_sentence_config_read(&pipeline, &config);
    if (!status && config.max_seq_length < 1) abort();
    am_status_free(status);
    return 0;
}

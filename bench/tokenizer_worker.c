/* Encodes documents for the tokenizers' bench: one process, one line of answer for each line of command.

   tokenizer_worker TOKENIZER_JSON DOCUMENTS THREADS     prints "ready LOAD_MS LOAD_PROCESSOR_MS"
       run N          encodes all documents N times      "times MS ... MS"
       ids FILE       writes for each its count and ids, int32      "wrote COUNT"
   Any other line, or the end of input, ends it. Before each document its length stands in 4 bytes, little end first. */
#define _POSIX_C_SOURCE 200809L
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE = 4096 };

typedef struct documents {
    char *bytes;
    am_text *texts;
    am_encoding *encodings;
    size_t count;
} documents;

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "tokenizer_worker: %s: %s\n", what, detail);
    exit(1);
}

static void must(am_status status)
{
    if (status) fail(am_code_text(am_status_code(status)), am_status_message(status));
}

/* Processor time of this process. */
static double processor_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static uint32_t length_at(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static documents read_documents(const char *path)
{
    documents d = {0};
    size_t size, at, i = 0;
    must(am_file_read(path, SIZE_MAX, &d.bytes, &size));
    for (at = 0; at + 4 <= size; at += 4 + (size_t)length_at(d.bytes + at)) d.count++;
    if (at != size || d.count == 0) fail("no documents", path);
    d.texts = calloc(d.count, sizeof *d.texts);
    d.encodings = calloc(d.count, sizeof *d.encodings);
    if (!d.texts || !d.encodings) fail("no memory for", path);
    for (at = 0; i < d.count; at += 4 + d.texts[i++].length)
        d.texts[i] = (am_text){d.bytes + at + 4, length_at(d.bytes + at)};
    return d;
}

static void encode(const am_tokenizer *tokenizer, documents *d)
{
    must(am_tokenizer_encode_batch(tokenizer, d->texts, NULL, d->count, NULL, d->encodings));
}

static void release(documents *d)
{
    for (size_t i = 0; i < d->count; i++) am_encoding_deinit(&d->encodings[i]);
}

static void run(const am_tokenizer *tokenizer, documents *d, long count)
{
    fputs("times", stdout);
    for (long i = 0; i < count; i++) {
        double start = am_clock_ms();
        encode(tokenizer, d);
        release(d);
        printf(" %.4f", am_clock_ms() - start);
    }
    putchar('\n');
}

static void write_ids(const am_tokenizer *tokenizer, documents *d, const char *path)
{
    size_t total = 0;
    FILE *file = fopen(path, "wb");
    if (!file) fail("cannot write", path);
    encode(tokenizer, d);
    for (size_t i = 0; i < d->count; i++) {
        const am_encoding *e = &d->encodings[i];
        int32_t count = (int32_t)e->count;
        if (fwrite(&count, sizeof count, 1, file) != 1 || fwrite(e->ids, sizeof *e->ids, e->count, file) != e->count)
            fail("cannot write", path);
        total += e->count;
    }
    if (fclose(file)) fail("cannot write", path);
    release(d);
    printf("wrote %zu\n", total);
}

static void serve(const am_tokenizer *tokenizer, documents *d)
{
    char line[LINE], path[LINE];
    long count;
    for (; fgets(line, sizeof line, stdin); fflush(stdout)) {
        if (sscanf(line, "run %ld", &count) == 1) run(tokenizer, d, count);
        else if (sscanf(line, "ids %4095[^\n]", path) == 1) write_ids(tokenizer, d, path);
        else return;
    }
}

int main(int argc, char **argv)
{
    am_tokenizer *tokenizer;
    if (argc != 4) fail("usage", "tokenizer_worker TOKENIZER_JSON DOCUMENTS THREADS");
    must(am_threads_set(atoi(argv[3])));
    documents d = read_documents(argv[2]);
    double start = am_clock_ms(), processor_start = processor_ms();
    must(am_tokenizer_open(argv[1], AM_TOKENIZER_FILE, &tokenizer));
    double load = am_clock_ms() - start;
    printf("ready %.4f %.4f\n", load, processor_ms() - processor_start);
    fflush(stdout);
    serve(tokenizer, &d);
    am_tokenizer_close(tokenizer);
    free(d.texts);
    free(d.encodings);
    am_free(d.bytes);
    return 0;
}

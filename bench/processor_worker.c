/* Makes a model's inputs of files for the processors' bench: one process, one line of answer for each line of command.

   processor_worker FOLDER images|sounds THREADS FILE...     prints "ready LOAD_MS"
       run N          N times from the files to tensors      "times MS ... MS"
       save FILE      writes the tensors as safetensors      "wrote COUNT"
   Any other line, or the end of input, ends it. */
#include "base/clock.h"
#include "base/threads.h"

#include <anymodel/processor.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096 };

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "processor_worker: %s: %s\n", what, detail);
    exit(1);
}

static void must(am_status status)
{
    if (status) fail(am_code_text(am_status_code(status)), am_status_message(status));
}

static void run(const am_processor *processor, const am_processor_files *files, long count)
{
    fputs("times", stdout);
    for (long i = 0; i < count; i++) {
        am_processor_result result;
        double start = am_clock_ms();
        must(am_processor_process(processor, files, &result));
        am_processor_result_deinit(&result);
        printf(" %.4f", am_clock_ms() - start);
    }
    putchar('\n');
}

static void save(const am_processor *processor, const am_processor_files *files, const char *path)
{
    am_processor_result result;
    must(am_processor_process(processor, files, &result));
    must(am_arrays_save(path, result.arrays, result.count));
    printf("wrote %zu\n", result.count);
    am_processor_result_deinit(&result);
}

static void serve(const am_processor *processor, const am_processor_files *files)
{
    char line[LINE], path[LINE];
    long count;
    for (; fgets(line, sizeof line, stdin); fflush(stdout)) {
        if (sscanf(line, "run %ld", &count) == 1) run(processor, files, count);
        else if (sscanf(line, "save %4095[^\n]", path) == 1) save(processor, files, path);
        else return;
    }
}

int main(int argc, char **argv)
{
    am_processor *processor;
    am_processor_files files = {0};
    if (argc < 5) fail("usage", "processor_worker FOLDER images|sounds THREADS FILE...");
    must(am_threads_set(atoi(argv[3])));
    const char *const *paths = (const char *const *)argv + 4;
    if (strcmp(argv[2], "sounds") == 0) {
        files.sounds = paths;
        files.sound_count = (size_t)argc - 4;
    } else {
        files.images = paths;
        files.image_count = (size_t)argc - 4;
    }
    double start = am_clock_ms();
    must(am_processor_load(argv[1], NULL, &processor));
    printf("ready %.4f\n", am_clock_ms() - start);
    fflush(stdout);
    serve(processor, &files);
    am_processor_free(processor);
    return 0;
}

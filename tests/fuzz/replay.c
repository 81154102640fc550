/* Runs a fuzzer's entry over files and folders of files without libFuzzer, and over spoilt variants of each
   file. Usage: replay_NAME [--variants N] PATH... Every input lies in a block of exactly its size, so that
   the address sanitizer sees the first byte read past it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t random_state;
static size_t inputs_run;

/* splitmix64 */
static uint64_t next_random(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void run_input(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size);
    if (size && !exact) exit(1);
    if (size) memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    inputs_run++;
}

/* A variant: the end cut off, or up to four bytes changed. The n-th variant of a file is always the same one.
 */
static void run_variant(const uint8_t *data, size_t size)
{
    static const uint8_t nasty[] = {0x00, 0xff, 0x7f, 0x80, '{', '"', '[', '9', '-', '\\'};
    uint8_t *copy = malloc(size);
    if (!copy) exit(1);
    memcpy(copy, data, size);
    size_t left = size;
    if (next_random() % 4 == 0) {
        left = next_random() % size;
    } else {
        size_t changes = 1 + next_random() % 4;
        for (size_t i = 0; i < changes; i++) {
            uint64_t how = next_random();
            size_t at = next_random() % size;
            copy[at] = (uint8_t)(copy[at] ^ 1u << how / 2 % 8);
            if (how % 2) copy[at] = nasty[how / 2 % sizeof nasty];
        }
    }
    run_input(copy, left);
    free(copy);
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    long length = ftell(file);
    rewind(file);
    uint8_t *data = malloc((size_t)length + 1);
    if (!data || fread(data, 1, (size_t)length, file) != (size_t)length) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    *size = (size_t)length;
    return data;
}

static void run_file(const char *path, int variants)
{
    size_t size;
    uint8_t *data = read_file(path, &size);
    fprintf(stderr, "%s (%zu bytes)\n", path, size);
    run_input(data, size);
    random_state = size;
    for (int i = 0; i < variants && size; i++) {
        run_variant(data, size);
    }
    free(data);
}

static void run_path(const char *path, int variants)
{
    struct stat info;
    if (stat(path, &info)) {
        fprintf(stderr, "cannot find %s\n", path);
        exit(1);
    }
    if (!S_ISDIR(info.st_mode)) {
        run_file(path, variants);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char inner[4096];
        int length = snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && length < (int)sizeof inner) run_path(inner, variants);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

int main(int argc, char **argv)
{
    int variants = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--variants") && i + 1 < argc) {
            variants = atoi(argv[++i]);
        } else {
            run_path(argv[i], variants);
        }
    }
    printf("%zu inputs run\n", inputs_run);
    return inputs_run ? 0 : 1;
}

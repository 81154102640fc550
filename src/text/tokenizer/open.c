/* Opening a model directory. */
#include "text/tokenizer/spm_tokenizer.h"

#include "base/file.h"

/* A tokenizer.json by its ending, else a sentencepiece model. */
static am_status open_named_file(const char *path, am_tokenizer **out)
{
    bool is_json = strcmp(am_path_extension(path), ".json") == 0;
    return is_json ? am_tokenizer_open_file(path, out) : am_tokenizer_open_spm(path, out);
}

am_status am_tokenizer_open(const char *directory, am_tokenizer_mode mode, am_tokenizer **out)
{
    am_arena arena = {0};
    *out = NULL;
    if (mode == AM_TOKENIZER_AUTO) {
        AM_TRY(am_tokenizer_open_auto(directory, out));
        (*out)->file_limits = (am_limits){0}; /* those of the file are of the file alone */
        return NULL;
    }
    if (!am_directory_exists(directory) && am_file_exists(directory)) return open_named_file(directory, out);
    char *path = am_path_join(&arena, directory, "tokenizer.json");
    am_status status = path ? am_tokenizer_open_file(path, out) : am_out_of_memory();
    am_arena_deinit(&arena);
    return status;
}

/* Opening a model directory. */
#include "text/tokenizer/internal.h"

#include "base/file.h"

am_status am_tokenizer_open(const char *directory, am_tokenizer_mode mode, am_tokenizer **out)
{
    am_arena arena = {0};
    *out = NULL;
    if (mode == AM_TOKENIZER_AUTO) return am_tokenizer_open_auto(directory, out);
    char *path = am_path_join(&arena, directory, "tokenizer.json");
    am_status status = path ? am_tokenizer_open_file(path, out) : am_out_of_memory();
    am_arena_deinit(&arena);
    return status;
}

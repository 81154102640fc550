#include "targets/mojo/export.h"

#include "base/file.h"
#include "base/memory.h"
#include "targets/mojo/library.h"

#include <string.h>

am_status am_mojo_export(const void *program, am_buffer *out)
{
    am_arena arena = {0};
    const char *path, *name;
    char *library = NULL;
    size_t length = 0;
    (void)program; /* all have the same */
    am_status status = am_mojo_library_path(&arena, &path);
    if (!status) status = am_file_read(path, SIZE_MAX, &library, &length);
    if (!status) {
        name = am_path_base(path);
        am_buffer_append(out, name, strlen(name) + 1);
        am_buffer_append(out, library, length);
        status = am_buffer_status(out);
    }
    am_free(library);
    am_arena_deinit(&arena);
    return status;
}

static am_status install(const char *path, const char *bytes, size_t length)
{
    const char *name = am_path_base(path), *end = memchr(bytes, 0, length);
    if (!end || strcmp(bytes, name) != 0)
        return am_error(AM_UNSUPPORTED,
                        "mojo: the kernels were built for another SDK, cpu or version of this program (%.64s, here %s)",
                        end ? bytes : "", name);
    if (am_file_exists(path)) return NULL;
    size_t head = (size_t)(end + 1 - bytes);
    return am_file_write(path, bytes + head, length - head);
}

am_status am_mojo_install(const void *bytes, size_t length)
{
    am_arena arena = {0};
    const char *path;
    am_status status = am_mojo_library_path(&arena, &path);
    if (!status) status = install(path, bytes, length);
    am_arena_deinit(&arena);
    return status;
}

/* Files: mapped for reading, paths, folders. */
#ifndef AM_BASE_FILE_H
#define AM_BASE_FILE_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file mapped read-only. `bytes` is null when the file is empty. */
typedef struct am_mapped_file {
    const uint8_t *bytes;
    size_t size_bytes;
} am_mapped_file;

/* Maps a regular file. Fails with AM_NOT_FOUND, AM_IO (also for folders and devices). */
am_status am_file_map(const char *path, am_mapped_file *out) AM_NODISCARD;
void am_file_unmap(am_mapped_file *file);

/* Reads a whole file (or stdin when path is "-") of at most `limit_bytes` into memory with a zero byte after
 *it. out is freed with am_free. */
am_status am_file_read(const char *path, size_t limit_bytes, char **out, size_t *out_length) AM_NODISCARD;

/* Writes a whole file by way of a temporary one beside it, so that no reader ever sees half of it. */
am_status am_file_write(const char *path, const void *bytes, size_t length) AM_NODISCARD;

/* Whether there is a regular file, or a folder, of that path; links are followed. */
bool am_file_exists(const char *path);
bool am_directory_exists(const char *path);

/* "directory/name" in the arena; null when there is no memory. */
char *am_path_join(am_arena *arena, const char *directory, const char *name);

/* The part after the last '/', borrowed. */
const char *am_path_base(const char *path);

/* The name's ending with its dot (".json"), "" when it has none; borrowed. */
const char *am_path_extension(const char *path);

#endif

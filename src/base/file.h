/* Files: mapped for reading, paths, folders; on the disk or mounted (base/mount.h). */
#ifndef AM_BASE_FILE_H
#define AM_BASE_FILE_H

#include "base/arena.h"
#include "base/status.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file mapped read-only. `bytes` is null when the file is empty. */
typedef struct am_mapped_file {
    const uint8_t *bytes;
    size_t size_bytes;
} am_mapped_file;

/* Maps a regular file. Fails with AM_NOT_FOUND, AM_IO (also for folders and devices). When the file is cut short while
   it is mapped, reading what it lost raises SIGBUS. */
am_status am_file_map(const char *path, am_mapped_file *out) AM_NODISCARD;
void am_file_unmap(am_mapped_file *file);

/* The path of the mapped file that holds this address; null when there is none, or when more than 1024 files are mapped
   and this is not among those that are remembered. May be called in a signal handler; valid while the file is mapped.
 */
const char *am_file_mapped_at(const void *address);

/* What stays the same as long as the content of a file does (stat(2)): no program can set the time of its last change.
 */
typedef struct am_file_identity {
    uint64_t device, inode;
    int64_t size_bytes, modified_ns, changed_ns;
} am_file_identity;

/* False, with errno, where there is no such file. */
bool am_file_identify(const char *path, am_file_identity *out);
bool am_file_identity_equal(const am_file_identity *a, const am_file_identity *b);

/* Whether a file changed so lately that a change within the same tick of its clock could be missed. */
bool am_file_is_fresh(const am_file_identity *identity);

/* A mapped address as a place in a file, which was this one when it was mapped. The path as in am_file_mapped_at. */
typedef struct am_file_place {
    const char *path;
    size_t offset;
    am_file_identity identity;
} am_file_place;

/* False where the address is of no mapped file, of one that is mounted as bytes, or of one not remembered. */
bool am_file_place_of(const void *address, am_file_place *out);

/* Gives back the pages of a part of a mapped file, which then take no memory of this process until they are read again.
   Does nothing for other memory. */
void am_file_give_back(const void *bytes, size_t length);

/* Reads a whole file (or stdin when path is "-") of at most `limit_bytes` into memory with a zero byte after
   it. out is freed with am_free. Fails with AM_NOT_FOUND, AM_IO (also for folders and devices), AM_OUT_OF_MEMORY. */
am_status am_file_read(const char *path, size_t limit_bytes, char **out, size_t *out_length) AM_NODISCARD;

/* Writes a whole file by way of a temporary one beside it, so that no reader ever sees half of it. */
am_status am_file_write(const char *path, const void *bytes, size_t length) AM_NODISCARD;

/* Whether there is anything of that path. What cannot be read as a file counts too (a folder, a FIFO, a link that leads
   nowhere), so that opening it says what is wrong with it. */
bool am_file_exists(const char *path);

/* Whether there is a folder of that path; links are followed. */
bool am_directory_exists(const char *path);

/* Calls back with the name of everything in a folder but "." and "..", in no order. Fails with AM_NOT_FOUND, AM_IO. */
am_status am_directory_each(const char *path, void (*on_name)(void *context, const char *name),
                            void *context) AM_NODISCARD;

/* The absolute path of what is there, without links; false, with errno, where nothing is. */
bool am_path_real(const char *path, char out[PATH_MAX]);

/* "directory/name" in the arena; null when there is no memory. */
char *am_path_join(am_arena *arena, const char *directory, const char *name);

/* The part after the last '/', borrowed. */
const char *am_path_base(const char *path);

/* The name's ending with its dot (".json"), "" when it has none; borrowed. */
const char *am_path_extension(const char *path);

#endif

/* Files that are not where their paths say: one file that stands for a folder ("model.compiled/config.json"), whose
   files lie within it or elsewhere. am_file_map, am_file_read, am_file_exists, am_directory_exists and
   am_directory_each of file.h see them; nothing on the disk does. */
#ifndef AM_BASE_MOUNT_H
#define AM_BASE_MOUNT_H

#include "base/buffer.h"
#include "base/status.h"

typedef struct am_mounted_file {
    const char *name;  /* below the mount: "config.json", "1_Pooling/config.json" */
    const void *bytes; /* what it holds */
    size_t length;
    const char *path; /* not null: it holds what the file of that path does */
} am_mounted_file;

typedef struct am_mount am_mount;

/* Mounts files below `path`, or below PATH#2 and so on while that is mounted already. Names and paths are copied, bytes
   borrowed until am_unmount. For any thread, as all of these. */
am_status am_mount_create(const char *path, const am_mounted_file *files, size_t count, am_mount **out) AM_NODISCARD;
void am_unmount(am_mount *mount);

/* The folder's path; borrowed. */
const char *am_mount_path(const am_mount *mount);

/* --- for file.c --- */

typedef enum am_mount_kind {
    AM_MOUNT_NONE,   /* no mount has that path */
    AM_MOUNT_FOLDER, /* a mount, or a folder in one */
    AM_MOUNT_BYTES,  /* appended to `bytes` */
    AM_MOUNT_LINK,   /* the file's path is appended to `bytes` */
} am_mount_kind;

/* What is at a path; bytes may be null. */
am_mount_kind am_mount_find(const char *path, am_buffer *bytes);

/* Calls back with the names right below a mounted folder, but for those of folders. */
am_status am_mount_each(const char *path, void (*on_name)(void *context, const char *name), void *context) AM_NODISCARD;

#endif

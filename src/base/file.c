#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, realpath */
#include "base/file.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- identity --- */

enum { FRESH_SECONDS = 2 };

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static am_file_identity identity_of(const struct stat *info)
{
    return (am_file_identity){.device = (uint64_t)info->st_dev,
                              .inode = (uint64_t)info->st_ino,
                              .size_bytes = (int64_t)info->st_size,
                              .modified_ns = nanoseconds(info->st_mtim),
                              .changed_ns = nanoseconds(info->st_ctim)};
}

bool am_file_identify(const char *path, am_file_identity *out)
{
    struct stat info;
    if (stat(path, &info) != 0) return false;
    *out = identity_of(&info);
    return true;
}

bool am_file_identity_equal(const am_file_identity *a, const am_file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

bool am_file_is_fresh(const am_file_identity *identity)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return nanoseconds(now) < identity->changed_ns + FRESH_SECONDS * INT64_C(1000000000);
}

/* --- opening --- */

static am_status open_regular(const char *path, int *out_fd, am_file_identity *out)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO without a writer would block */
    if (fd < 0) return am_error_from_errno("open", path);
    if (fstat(fd, &info) != 0) {
        am_status status = am_error_from_errno("read the size of", path);
        close(fd);
        return status;
    }
    if (!S_ISREG(info.st_mode)) {
        close(fd);
        return am_error(AM_IO, "cannot read %s: not a regular file", path);
    }
    *out_fd = fd;
    *out = identity_of(&info);
    return NULL;
}

/* --- what is mapped, for a handler of SIGBUS --- */

enum { REMEMBERED = 1024 };

typedef struct mapping {
    const uint8_t *bytes;
    size_t size_bytes;
    bool is_file; /* else bytes of a mount */
    am_file_identity identity;
    char path[];
} mapping;

static _Atomic(mapping *) mappings[REMEMBERED];

/* Without room the file is not remembered; only a message will lack its name. */
static am_status remember(const am_mapped_file *file, const char *path, const am_file_identity *identity)
{
    size_t length = strlen(path) + 1;
    mapping *m = am_alloc(sizeof *m + length);
    if (!m) return am_out_of_memory();
    m->bytes = file->bytes;
    m->size_bytes = file->size_bytes;
    m->is_file = identity != NULL;
    if (identity) m->identity = *identity;
    memcpy(m->path, path, length);
    for (int i = 0; i < REMEMBERED; i++) {
        mapping *none = NULL;
        if (atomic_compare_exchange_strong(&mappings[i], &none, m)) return NULL;
    }
    am_free(m);
    return NULL;
}

static void forget(const am_mapped_file *file)
{
    for (int i = 0; i < REMEMBERED; i++) {
        mapping *m = atomic_load(&mappings[i]);
        if (!m || m->bytes != file->bytes) continue;
        atomic_store(&mappings[i], NULL);
        am_free(m);
        return;
    }
}

static const mapping *mapping_at(const void *address)
{
    for (int i = 0; i < REMEMBERED; i++) {
        const mapping *m = atomic_load(&mappings[i]);
        if (m && (uintptr_t)address - (uintptr_t)m->bytes < m->size_bytes) return m;
    }
    return NULL;
}

const char *am_file_mapped_at(const void *address)
{
    const mapping *m = mapping_at(address);
    return m ? m->path : NULL;
}

bool am_file_place_of(const void *address, am_file_place *out)
{
    const mapping *m = mapping_at(address);
    if (!m || !m->is_file) return false;
    *out = (am_file_place){m->path, (size_t)((const uint8_t *)address - m->bytes), m->identity};
    return true;
}

void am_file_give_back(const void *bytes, size_t length)
{
    const mapping *m = mapping_at(bytes);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = ((uintptr_t)bytes + page - 1) / page * page,
              end = ((uintptr_t)bytes + length) / page * page;
    if (m && m->is_file && end > start) (void)madvise((void *)start, end - start, MADV_DONTNEED);
}

/* --- mapping --- */

static am_status map(int fd, const char *path, const am_file_identity *identity, am_mapped_file *out)
{
    out->size_bytes = (size_t)identity->size_bytes;
    if (!out->size_bytes) return NULL;
    void *bytes = mmap(NULL, out->size_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return am_error_from_errno("map", path);
    out->bytes = bytes;
    return remember(out, path, identity);
}

static am_status map_regular(const char *path, am_mapped_file *out)
{
    int fd = -1;
    am_file_identity identity;
    AM_TRY(open_regular(path, &fd, &identity));
    am_status status = map(fd, path, &identity, out);
    close(fd);
    if (status) am_file_unmap(out);
    return status;
}

/* Bytes of a mount in pages of their own, so that they are given back as those of a file are. */
static am_status map_bytes(const am_buffer *bytes, const char *path, am_mapped_file *out)
{
    if (!bytes->length) return NULL;
    void *pages = mmap(NULL, bytes->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return am_error_from_errno("map", path);
    memcpy(pages, bytes->bytes, bytes->length);
    *out = (am_mapped_file){pages, bytes->length};
    return remember(out, path, NULL);
}

am_status am_file_map(const char *path, am_mapped_file *out)
{
    am_buffer mounted = {0};
    *out = (am_mapped_file){0};
    am_mount_kind kind = am_mount_find(path, &mounted);
    am_status status = am_buffer_status(&mounted);
    if (!status && kind == AM_MOUNT_BYTES) status = map_bytes(&mounted, path, out);
    else if (!status) status = map_regular(kind == AM_MOUNT_LINK ? am_buffer_text(&mounted) : path, out);
    if (status) am_file_unmap(out);
    am_buffer_deinit(&mounted);
    return status;
}

void am_file_unmap(am_mapped_file *file)
{
    if (file->bytes) forget(file);
    if (file->bytes) munmap((void *)(uintptr_t)file->bytes, file->size_bytes);
    *file = (am_mapped_file){0};
}

static am_status read_all(int fd, const char *path, size_t limit_bytes, am_buffer *buffer)
{
    char chunk[65536];
    buffer->limit_bytes = limit_bytes;
    for (;;) {
        ssize_t count = read(fd, chunk, sizeof chunk);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return am_error_from_errno("read", path);
        if (count == 0) break;
        am_buffer_append(buffer, chunk, (size_t)count);
        if (buffer->failed)
            return am_error(AM_OUT_OF_MEMORY, "cannot read %s: longer than %zu bytes", path, limit_bytes);
    }
    am_buffer_append(buffer, "", 0);
    return am_buffer_status(buffer);
}

static am_status read_regular(const char *path, size_t limit_bytes, am_buffer *buffer)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = STDIN_FILENO;
    am_file_identity identity;
    if (!standard_input) AM_TRY(open_regular(path, &fd, &identity));
    am_status status = read_all(fd, standard_input ? "standard input" : path, limit_bytes, buffer);
    if (!standard_input) close(fd);
    return status;
}

am_status am_file_read(const char *path, size_t limit_bytes, char **out, size_t *out_length)
{
    am_buffer buffer = {.limit_bytes = limit_bytes}, link = {0};
    *out = NULL;
    *out_length = 0;
    am_mount_kind kind = am_mount_find(path, &buffer);
    if (kind == AM_MOUNT_LINK) {
        link = buffer;
        buffer = (am_buffer){0};
    }
    if (kind == AM_MOUNT_BYTES) am_buffer_append(&buffer, "", 0);
    am_status status = kind == AM_MOUNT_BYTES ? am_note(am_buffer_status(&buffer), "cannot read %s", path)
                                              : read_regular(link.bytes ? link.bytes : path, limit_bytes, &buffer);
    am_buffer_deinit(&link);
    if (status) {
        am_buffer_deinit(&buffer);
        return status;
    }
    *out_length = buffer.length;
    *out = am_buffer_take(&buffer);
    return NULL;
}

static am_status write_fd(int fd, const char *path, const char *bytes, size_t length)
{
    while (length) {
        ssize_t count = write(fd, bytes, length);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return am_error_from_errno("write", path);
        bytes += count;
        length -= (size_t)count;
    }
    return fsync(fd) != 0 && errno != EINVAL ? am_error_from_errno("write", path) : NULL;
}

am_status am_file_write(const char *path, const void *bytes, size_t length)
{
    am_arena arena = {0};
    char *temporary = am_arena_printf(&arena, "%s.XXXXXX", path);
    if (!temporary) return am_out_of_memory();
    int fd = mkstemp(temporary);
    if (fd < 0) {
        am_status failed = am_error_from_errno("create", path);
        am_arena_deinit(&arena);
        return failed;
    }
    am_status status = write_fd(fd, path, bytes, length);
    if (fchmod(fd, 0644) != 0 && !status) status = am_error_from_errno("write", path);
    if (close(fd) != 0 && !status) status = am_error_from_errno("write", path);
    if (!status && rename(temporary, path) != 0) status = am_error_from_errno("create", path);
    if (status) unlink(temporary);
    am_arena_deinit(&arena);
    return status;
}

bool am_file_exists(const char *path)
{
    struct stat info;
    return am_mount_find(path, NULL) != AM_MOUNT_NONE || lstat(path, &info) == 0;
}

bool am_directory_exists(const char *path)
{
    struct stat info;
    am_mount_kind kind = am_mount_find(path, NULL);
    if (kind != AM_MOUNT_NONE) return kind == AM_MOUNT_FOLDER;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

am_status am_directory_each(const char *path, void (*on_name)(void *context, const char *name), void *context)
{
    if (am_mount_find(path, NULL) == AM_MOUNT_FOLDER) return am_mount_each(path, on_name, context);
    DIR *stream = opendir(path);
    if (!stream) return am_error_from_errno("open", path);
    for (const struct dirent *entry; (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) on_name(context, entry->d_name);
    closedir(stream);
    return NULL;
}

bool am_path_real(const char *path, char out[PATH_MAX])
{
    return realpath(path, out) != NULL;
}

char *am_path_join(am_arena *arena, const char *directory, const char *name)
{
    size_t length = strlen(directory);
    const char *slash = length && directory[length - 1] == '/' ? "" : "/";
    return am_arena_printf(arena, "%s%s%s", directory, slash, name);
}

const char *am_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *am_path_extension(const char *path)
{
    const char *dot = strrchr(am_path_base(path), '.');
    return dot ? dot : "";
}

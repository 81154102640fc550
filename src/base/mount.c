#include "base/mount.h"

#include "base/arena.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct am_mount {
    am_mount *next;
    am_arena arena;
    const char *path;
    am_mounted_file *files;
    size_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static am_mount *mounts;
static atomic_int mount_count; /* most processes have none and need not lock */

/* What follows "MOUNT/" in a path, "" of the mount itself; null of other paths. */
static const char *below(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0) return NULL;
    path += length;
    if (*path && *path != '/') return NULL;
    while (*path == '/') path++;
    return path;
}

static bool is_taken(const char *path)
{
    for (const am_mount *m = mounts; m; m = m->next)
        if (strcmp(m->path, path) == 0) return true;
    return false;
}

static am_status copy_files(am_mount *m, const am_mounted_file *files, size_t count)
{
    m->files = am_arena_array(&m->arena, count + 1, sizeof *m->files);
    if (!m->files) return am_out_of_memory();
    for (; m->count < count; m->count++) {
        const am_mounted_file *from = &files[m->count];
        am_mounted_file *to = &m->files[m->count];
        *to = *from;
        to->name = am_arena_string(&m->arena, from->name, strlen(from->name));
        if (from->path) to->path = am_arena_string(&m->arena, from->path, strlen(from->path));
        if (!to->name || (from->path && !to->path)) return am_out_of_memory();
    }
    return NULL;
}

static am_status add(am_mount *m, const char *path)
{
    m->path = am_arena_string(&m->arena, path, strlen(path));
    for (int i = 2; m->path && is_taken(m->path); i++) m->path = am_arena_printf(&m->arena, "%s#%d", path, i);
    if (!m->path) return am_out_of_memory();
    m->next = mounts;
    mounts = m;
    atomic_fetch_add(&mount_count, 1);
    return NULL;
}

static void destroy(am_mount *m)
{
    am_arena_deinit(&m->arena);
    am_free(m);
}

am_status am_mount_create(const char *path, const am_mounted_file *files, size_t count, am_mount **out)
{
    *out = NULL;
    am_mount *m = am_alloc_zeroed(1, sizeof *m);
    if (!m) return am_out_of_memory();
    am_status status = copy_files(m, files, count);
    pthread_mutex_lock(&lock);
    if (!status) status = add(m, path);
    pthread_mutex_unlock(&lock);
    if (status) destroy(m);
    else *out = m;
    return status;
}

void am_unmount(am_mount *m)
{
    if (!m) return;
    pthread_mutex_lock(&lock);
    for (am_mount **at = &mounts; *at; at = &(*at)->next) {
        if (*at != m) continue;
        *at = m->next;
        atomic_fetch_sub(&mount_count, 1);
        break;
    }
    pthread_mutex_unlock(&lock);
    destroy(m);
}

const char *am_mount_path(const am_mount *m)
{
    return m->path;
}

static am_mount_kind find_in(const am_mount *m, const char *name, am_buffer *bytes)
{
    if (!*name) return AM_MOUNT_FOLDER;
    for (size_t i = 0; i < m->count; i++) {
        const am_mounted_file *f = &m->files[i];
        const char *rest = below(name, f->name);
        if (!rest) continue;
        if (*rest) return AM_MOUNT_FOLDER;
        if (bytes && f->path) am_buffer_append_string(bytes, f->path);
        else if (bytes) am_buffer_append(bytes, f->bytes, f->length);
        return f->path ? AM_MOUNT_LINK : AM_MOUNT_BYTES;
    }
    return AM_MOUNT_NONE;
}

am_mount_kind am_mount_find(const char *path, am_buffer *bytes)
{
    am_mount_kind kind = AM_MOUNT_NONE;
    if (!atomic_load(&mount_count)) return kind;
    pthread_mutex_lock(&lock);
    for (const am_mount *m = mounts; m && kind == AM_MOUNT_NONE; m = m->next) {
        const char *name = below(m->path, path);
        if (name) kind = find_in(m, name, bytes);
    }
    pthread_mutex_unlock(&lock);
    return kind;
}

/* The names right below a folder, each with its zero byte. */
static void list_names(const char *path, am_buffer *out)
{
    pthread_mutex_lock(&lock);
    for (const am_mount *m = mounts; m; m = m->next) {
        const char *folder = below(m->path, path);
        for (size_t i = 0; folder && i < m->count; i++) {
            const char *name = *folder ? below(folder, m->files[i].name) : m->files[i].name;
            if (name && *name && !strchr(name, '/')) am_buffer_append(out, name, strlen(name) + 1);
        }
    }
    pthread_mutex_unlock(&lock);
}

am_status am_mount_each(const char *path, void (*on_name)(void *context, const char *name), void *context)
{
    am_buffer names = {0};
    list_names(path, &names);
    am_status status = am_buffer_status(&names);
    const char *end = names.length ? names.bytes + names.length : NULL;
    for (const char *name = names.bytes; !status && end && name < end; name += strlen(name) + 1) on_name(context, name);
    am_buffer_deinit(&names);
    return status;
}

#define _GNU_SOURCE
#include "targets/cpu/weight_cache.h"

#include "base/cache_folder.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* Smaller ones are made as fast as they are found. */
enum { LEAST_BYTES = 1 << 17, PART_BYTES = 1 << 22, LIMIT_GIB = 16, DAY_SECONDS = 86400, HOUR_SECONDS = 3600 };

static const double patience_seconds = 0.2;

/* --- names --- */

typedef struct entry_path {
    char text[PATH_MAX];
} entry_path;

static size_t limit_bytes(void)
{
    const char *wish = getenv("ANYMODEL_WEIGHT_CACHE");
    char *end;
    double gib = wish && *wish ? strtod(wish, &end) : LIMIT_GIB;
    return gib > 0 && gib < 1e9 ? (size_t)(gib * (1 << 30)) : 0;
}

typedef struct location {
    char path[PATH_MAX]; /* of the folder, which is made when the first entry is written */
    size_t limit;
} location;

/* False where nothing is kept. */
static bool locate(location *out)
{
    am_arena arena = {0};
    const char *place = am_cache_place(&arena, "weights");
    out->limit = limit_bytes();
    bool found = place && out->limit && strlen(place) + 2 * AM_SHA256_TEXT < sizeof out->path;
    if (found) strcpy(out->path, place);
    am_arena_deinit(&arena);
    return found;
}

static bool make_folder(void)
{
    am_arena arena = {0};
    char *path;
    am_status status = am_cache_folder(&arena, "weights", &path);
    bool made = !status;
    am_status_free(status);
    am_arena_deinit(&arena);
    return made;
}

static void name_entry(const location *folder, const am_weight_form *form, const void *what, size_t length,
                       entry_path *out)
{
    uint8_t digest[AM_SHA256_BYTES];
    char digits[AM_SHA256_TEXT];
    am_sha256 hash;
    am_sha256_begin(&hash);
    am_sha256_add(&hash, what, length);
    am_sha256_add(&hash, form->form, sizeof form->form);
    am_sha256_end(&hash, digest);
    am_sha256_text(digest, digits);
    snprintf(out->text, sizeof out->text, "%.*s/%s", PATH_MAX - 2 * AM_SHA256_TEXT, folder->path, digits);
}

static void name_by_place(const location *folder, const am_weight_form *form, const am_file_place *place,
                          entry_path *out)
{
    const am_file_identity *file = &place->identity;
    uint64_t words[] = {file->device,
                        file->inode,
                        (uint64_t)file->size_bytes,
                        (uint64_t)file->modified_ns,
                        (uint64_t)file->changed_ns,
                        place->offset,
                        form->source_bytes,
                        form->bytes};
    name_entry(folder, form, words, sizeof words, out);
}

static void name_by_content(const location *folder, const am_weight_form *form, entry_path *out)
{
    uint8_t digest[AM_SHA256_BYTES];
    am_sha256_of(form->source, form->source_bytes, digest);
    name_entry(folder, form, digest, sizeof digest, out);
}

/* --- reading --- */

/* Times of use are those of the last day's precision, so that most starts write nothing. */
static void touch(int fd, const struct stat *info)
{
    if (time(NULL) - info->st_mtim.tv_sec > DAY_SECONDS) (void)futimens(fd, NULL);
}

static const void *map_entry(const char *path, size_t bytes)
{
    struct stat info;
    void *data = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return NULL;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (size_t)info.st_size == bytes) {
        data = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
        touch(fd, &info);
    }
    close(fd);
    return data == MAP_FAILED ? NULL : data;
}

const void *am_weight_cache_map(const am_weight_form *form)
{
    location folder;
    am_file_place place;
    entry_path path;
    if (form->bytes < LEAST_BYTES || !locate(&folder) || !am_file_place_of(form->source, &place)) return NULL;
    name_by_place(&folder, form, &place, &path);
    return map_entry(path.text, form->bytes);
}

void am_weight_cache_unmap(const void *data, size_t bytes)
{
    (void)munmap((void *)(uintptr_t)data, bytes);
}

/* --- room --- */

typedef struct kept_file {
    char name[AM_SHA256_TEXT];
    ino_t inode;
    time_t used;
    size_t bytes;
} kept_file;

typedef struct listing {
    const char *folder;
    kept_file *files;
    size_t count, capacity;
} listing;

/* What another process is writing has a point in its name; it counts when it was left behind. */
static void list_file(void *context, const char *name)
{
    listing *l = context;
    struct stat info;
    char path[PATH_MAX + 256];
    snprintf(path, sizeof path, "%s/%s", l->folder, name);
    if (lstat(path, &info) != 0 || !S_ISREG(info.st_mode)) return;
    if (strlen(name) >= AM_SHA256_TEXT) {
        if (time(NULL) - info.st_mtim.tv_sec > HOUR_SECONDS) (void)unlink(path);
        return;
    }
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 256;
        kept_file *more = am_realloc(l->files, capacity * sizeof *more);
        if (!more) return;
        l->files = more;
        l->capacity = capacity;
    }
    kept_file *file = &l->files[l->count++];
    *file = (kept_file){.inode = info.st_ino, .used = info.st_mtim.tv_sec, .bytes = (size_t)info.st_size};
    strcpy(file->name, name);
}

/* Names of one file are neighbours. */
static int by_use(const void *a, const void *b)
{
    const kept_file *x = a, *y = b;
    if (x->used != y->used) return x->used < y->used ? -1 : 1;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static size_t count_bytes(const listing *l)
{
    size_t total = 0;
    for (size_t i = 0; i < l->count; i++)
        if (i == 0 || l->files[i].inode != l->files[i - 1].inode) total += l->files[i].bytes;
    return total;
}

/* Deletes what was not used for longest until `bytes` more fit. Returns how many there are then. */
static size_t make_room(const location *folder, size_t bytes)
{
    listing l = {.folder = folder->path};
    char path[PATH_MAX + 256];
    am_status_free(am_directory_each(folder->path, list_file, &l));
    if (l.count) qsort(l.files, l.count, sizeof *l.files, by_use);
    size_t total = count_bytes(&l);
    for (size_t i = 0; i < l.count && total + bytes > folder->limit;) {
        const kept_file *file = &l.files[i];
        for (; i < l.count && l.files[i].inode == file->inode; i++) {
            snprintf(path, sizeof path, "%s/%s", folder->path, l.files[i].name);
            (void)unlink(path);
        }
        total -= file->bytes;
    }
    am_free(l.files);
    return total;
}

static bool disk_has(const char *path, size_t bytes)
{
    struct statvfs info;
    if (statvfs(path, &info) != 0) return false;
    return (double)info.f_bavail * (double)info.f_frsize - (double)bytes >
           0.1 * (double)info.f_blocks * (double)info.f_frsize;
}

/* --- writing --- */

typedef struct item {
    struct item *next;
    am_weight_form form;
    am_file_place place; /* its path is `path` */
    const void *data;
    char path[];
} item;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    item *first; /* the one that is being written, if any, then those that wait */
    bool is_running, is_cancelled;
    double waited_seconds;
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static bool is_cancelled(void)
{
    pthread_mutex_lock(&writer.lock);
    bool cancelled = writer.is_cancelled;
    pthread_mutex_unlock(&writer.lock);
    return cancelled;
}

static bool write_parts(int fd, const char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        if (is_cancelled()) return false;
        ssize_t count = write(fd, bytes + at, length - at < PART_BYTES ? length - at : PART_BYTES);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += (size_t)count;
    }
    return true;
}

static bool write_entry(const char *path, const void *bytes, size_t length)
{
    entry_path temporary;
    snprintf(temporary.text, sizeof temporary.text, "%.*s.%ld", PATH_MAX - 32, path, (long)getpid());
    int fd = open(temporary.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool written = write_parts(fd, bytes, length);
    written = close(fd) == 0 && written && rename(temporary.text, path) == 0;
    if (!written) (void)unlink(temporary.text);
    return written;
}

/* Where a writer writes. */
typedef struct store {
    location folder;
    size_t used_bytes;
    bool is_counted;
} store;

static bool has_room(store *to, size_t bytes)
{
    if (!to->is_counted || to->used_bytes + bytes > to->folder.limit) to->used_bytes = make_room(&to->folder, bytes);
    to->is_counted = true;
    if (to->used_bytes + bytes > to->folder.limit || !disk_has(to->folder.path, bytes)) return false;
    to->used_bytes += bytes;
    return true;
}

static bool is_entry(const char *path, size_t bytes)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISREG(info.st_mode) && (size_t)info.st_size == bytes;
}

static bool is_unchanged(const item *i)
{
    am_file_identity now;
    return am_file_identify(i->path, &now) && am_file_identity_equal(&now, &i->place.identity);
}

/* The second name is given only when the file is still what was mapped, with its content's. */
static void write_item(store *to, const item *i)
{
    entry_path by_place, by_content;
    name_by_place(&to->folder, &i->form, &i->place, &by_place);
    if (is_entry(by_place.text, i->form.bytes)) return;
    name_by_content(&to->folder, &i->form, &by_content);
    am_file_give_back(i->form.source, i->form.source_bytes);
    if (!is_unchanged(i)) return;
    if (!is_entry(by_content.text, i->form.bytes)) {
        if (!has_room(to, i->form.bytes) || !write_entry(by_content.text, i->data, i->form.bytes)) return;
        if (!is_unchanged(i)) return;
    }
    (void)link(by_content.text, by_place.text);
}

static void *write_all(void *context)
{
    (void)context;
    store to = {.is_counted = false};
    bool can_write = make_folder() && locate(&to.folder);
    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &(struct sched_param){0});
    pthread_mutex_lock(&writer.lock);
    while (writer.first) {
        item *i = writer.first;
        pthread_mutex_unlock(&writer.lock);
        if (can_write) write_item(&to, i);
        pthread_mutex_lock(&writer.lock);
        writer.first = i->next;
        writer.is_cancelled = false;
        am_free(i);
        pthread_cond_broadcast(&writer.changed);
    }
    writer.is_running = false;
    pthread_cond_broadcast(&writer.changed);
    pthread_mutex_unlock(&writer.lock);
    return NULL;
}

static bool start_writer(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, write_all, NULL) != 0) return false;
    (void)pthread_detach(thread);
    return true;
}

void am_weight_cache_keep(const am_weight_form *form, const void *data)
{
    location folder;
    am_file_place place;
    am_file_give_back(form->source, form->source_bytes);
    if (form->bytes < LEAST_BYTES || !locate(&folder)) return;
    if (!am_file_place_of(form->source, &place) || am_file_is_fresh(&place.identity)) return;
    size_t length = strlen(place.path) + 1;
    item *new = am_alloc(sizeof *new + length), **end = &writer.first;
    if (!new) return;
    *new = (item){.form = *form, .place = place, .data = data};
    memcpy(new->path, place.path, length);
    pthread_mutex_lock(&writer.lock);
    while (*end) end = &(*end)->next;
    *end = new;
    if (!writer.is_running) writer.is_running = start_writer();
    if (!writer.is_running) {
        *end = NULL;
        am_free(new);
    }
    pthread_mutex_unlock(&writer.lock);
}

static item **find_item(const void *data)
{
    item **at = &writer.first;
    while (*at && (*at)->data != data) at = &(*at)->next;
    return at;
}

/* Waits until something was written, or for as long as there is patience. */
static void wait_for_writer(void)
{
    struct timespec until;
    double start = am_clock_seconds();
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t end = until.tv_nsec + (int64_t)((patience_seconds - writer.waited_seconds) * 1e9);
    until.tv_sec += end / 1000000000;
    until.tv_nsec = end % 1000000000;
    (void)pthread_cond_timedwait(&writer.changed, &writer.lock, &until);
    writer.waited_seconds += am_clock_seconds() - start;
}

void am_weight_cache_forget(const void *data)
{
    pthread_mutex_lock(&writer.lock);
    while (*find_item(data) && writer.waited_seconds < patience_seconds) wait_for_writer();
    item **at = find_item(data);
    if (at == &writer.first && *at) { /* it is being written */
        writer.is_cancelled = true;
        while (*find_item(data)) pthread_cond_wait(&writer.changed, &writer.lock);
    } else if (*at) {
        item *found = *at;
        *at = found->next;
        am_free(found);
    }
    pthread_mutex_unlock(&writer.lock);
}

void am_weight_cache_end(const void *data, void *own, size_t bytes)
{
    if (own) am_weight_cache_forget(own);
    else if (data) am_weight_cache_unmap(data, bytes);
    am_free_aligned(own);
}

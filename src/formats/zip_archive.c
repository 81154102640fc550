#include "formats/zip_archive.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <zip.h>

/* The mapped file as libzip reads it. Where the last read was tells where the bytes of a stored member are.
 */
typedef struct source {
    const am_mapped_file *file;
    size_t position, last_read, last_length;
    zip_error_t error;
} source;

struct am_zip {
    source source;
    zip_t *archive;
    const char *path;
};

static zip_int64_t source_read(source *s, void *out, zip_uint64_t length)
{
    size_t left = s->file->size_bytes - s->position;
    if (length > left) length = left;
    if (length) memcpy(out, s->file->bytes + s->position, (size_t)length);
    s->last_read = s->position;
    s->last_length = (size_t)length;
    s->position += (size_t)length;
    return (zip_int64_t)length;
}

static zip_int64_t source_seek(source *s, void *data, zip_uint64_t length)
{
    zip_int64_t offset = zip_source_seek_compute_offset(s->position, s->file->size_bytes, data, length, &s->error);
    if (offset < 0) return -1;
    s->position = (size_t)offset;
    return 0;
}

static zip_int64_t source_stat(source *s, void *data, zip_uint64_t length)
{
    zip_stat_t *stat = data;
    if (length < sizeof *stat) return -1;
    zip_stat_init(stat);
    stat->size = s->file->size_bytes;
    stat->valid = ZIP_STAT_SIZE;
    return sizeof *stat;
}

static zip_int64_t source_command(void *context, void *data, zip_uint64_t length, zip_source_cmd_t command)
{
    source *s = context;
    switch (command) {
    case ZIP_SOURCE_SUPPORTS:
        return ZIP_SOURCE_SUPPORTS_SEEKABLE;
    case ZIP_SOURCE_OPEN:
        s->position = 0;
        return 0;
    case ZIP_SOURCE_READ:
        return source_read(s, data, length);
    case ZIP_SOURCE_SEEK:
        return source_seek(s, data, length);
    case ZIP_SOURCE_TELL:
        return (zip_int64_t)s->position;
    case ZIP_SOURCE_STAT:
        return source_stat(s, data, length);
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&s->error, data, length);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
        return 0;
    default:
        zip_error_set(&s->error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
}

/* A status for libzip's error. */
static am_status failed(const char *path, const char *what, zip_error_t *error)
{
    if (zip_error_code_zip(error) == ZIP_ER_MEMORY) return am_out_of_memory();
    return am_error(AM_INVALID_FILE, "%s: %s: %s", path, what, zip_error_strerror(error));
}

static am_status open_archive(am_zip *zip)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_error_init(&zip->source.error);
    zip_source_t *origin = zip_source_function_create(source_command, &zip->source, &error);
    if (origin) zip->archive = zip_open_from_source(origin, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    bool twice = zip_error_code_zip(&error) == ZIP_ER_EXISTS;
    const char *what = twice ? "two archive members of one name" : "not a zip archive (truncated?)";
    am_status status = zip->archive ? NULL : failed(zip->path, what, &error);
    if (origin && !zip->archive) zip_source_free(origin);
    zip_error_fini(&error);
    return status;
}

am_status am_zip_open(const am_mapped_file *file, const char *path, am_zip **out)
{
    *out = NULL;
    if (!file->size_bytes) return am_error(AM_INVALID_FILE, "%s: not a zip archive: the file is empty", path);
    am_zip *zip = am_alloc(sizeof *zip);
    if (!zip) return am_out_of_memory();
    *zip = (am_zip){.source = {.file = file}, .path = path};
    am_status status = open_archive(zip);
    if (status) am_zip_close(zip);
    else *out = zip;
    return status;
}

void am_zip_close(am_zip *zip)
{
    if (!zip) return;
    if (zip->archive) zip_discard(zip->archive);
    zip_error_fini(&zip->source.error);
    am_free(zip);
}

uint64_t am_zip_count(const am_zip *zip)
{
    return (uint64_t)zip_get_num_entries(zip->archive, 0);
}

static am_status describe(const am_zip *zip, uint64_t index, zip_stat_t *out)
{
    const zip_uint64_t wanted = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    zip_stat_init(out);
    if (zip_stat_index(zip->archive, index, 0, out) != 0 || (out->valid & wanted) != wanted)
        return am_error(AM_INVALID_FILE, "%s: no archive member %llu", zip->path, (unsigned long long)index);
    if (out->valid & ZIP_STAT_ENCRYPTION_METHOD && out->encryption_method != ZIP_EM_NONE)
        return am_error(AM_INVALID_FILE, "%s: archive member %s is encrypted", zip->path, out->name);
    return NULL;
}

am_status am_zip_at(const am_zip *zip, uint64_t index, am_zip_member *out)
{
    zip_stat_t stat;
    AM_TRY(describe(zip, index, &stat));
    *out = (am_zip_member){stat.name, index, stat.size};
    return NULL;
}

bool am_zip_has(const am_zip *zip, const char *name)
{
    return zip_name_locate(zip->archive, name, ZIP_FL_ENC_RAW) >= 0;
}

am_status am_zip_find(const am_zip *zip, const char *name, am_zip_member *out)
{
    zip_int64_t index = zip_name_locate(zip->archive, name, ZIP_FL_ENC_RAW);
    if (index < 0) return am_error(AM_INVALID_FILE, "%s: archive member %s is missing", zip->path, name);
    return am_zip_at(zip, (uint64_t)index, out);
}

static am_status open_member(am_zip *zip, const am_zip_member *member, zip_file_t **out)
{
    *out = zip_fopen_index(zip->archive, member->index, 0);
    return *out ? NULL : failed(zip->path, member->name, zip_get_error(zip->archive));
}

/* Where the probe came from is where the member is, if the bytes there are those of the probe. */
static const uint8_t *locate(const am_zip *zip, const am_zip_member *member, const uint8_t *probe, size_t length)
{
    const am_mapped_file *file = zip->source.file;
    size_t begin = zip->source.last_read;
    if (zip->source.last_length != length || member->size_bytes > file->size_bytes - begin) return NULL;
    return memcmp(file->bytes + begin, probe, length) == 0 ? file->bytes + begin : NULL;
}

am_status am_zip_view(am_zip *zip, const am_zip_member *member, const uint8_t **out)
{
    uint8_t probe[64];
    zip_stat_t stat;
    zip_file_t *file;
    *out = NULL;
    AM_TRY(describe(zip, member->index, &stat));
    if (stat.comp_method != ZIP_CM_STORE || member->size_bytes == 0) return NULL;
    if (stat.comp_size != stat.size || stat.size > zip->source.file->size_bytes)
        return am_error(AM_INVALID_FILE, "%s: archive member %s: size %llu, stored in %llu bytes", zip->path, stat.name,
                        (unsigned long long)stat.size, (unsigned long long)stat.comp_size);
    AM_TRY(open_member(zip, member, &file));
    size_t wanted = member->size_bytes < sizeof probe ? (size_t)member->size_bytes : sizeof probe;
    zip_int64_t count = zip_fread(file, probe, wanted);
    if (count == (zip_int64_t)wanted) *out = locate(zip, member, probe, wanted);
    zip_fclose(file);
    return NULL;
}

am_status am_zip_extract(am_zip *zip, const am_zip_member *member, void *out)
{
    zip_file_t *file;
    uint64_t done = 0;
    zip_int64_t count = 0;
    char extra;
    AM_TRY(open_member(zip, member, &file));
    while (done < member->size_bytes && (count = zip_fread(file, (char *)out + done, member->size_bytes - done)) > 0)
        done += (uint64_t)count;
    if (count >= 0) count = zip_fread(file, &extra, 1); /* reading the end is what checks the checksum */
    am_status status = NULL;
    if (count < 0) status = failed(zip->path, member->name, zip_file_get_error(file));
    else if (done < member->size_bytes || count > 0)
        status = am_error(AM_INVALID_FILE, "%s: archive member %s is %s than the %llu bytes it declares", zip->path,
                          member->name, count > 0 ? "longer" : "shorter", (unsigned long long)member->size_bytes);
    zip_fclose(file);
    return status;
}

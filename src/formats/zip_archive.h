/* Members of a zip archive in a mapped file, read by libzip. */
#ifndef AM_FORMATS_ZIP_ARCHIVE_H
#define AM_FORMATS_ZIP_ARCHIVE_H

#include "base/file.h"
#include "base/status.h"

#include <stdbool.h>

typedef struct am_zip am_zip;

typedef struct am_zip_member {
    const char *name; /* borrowed from the archive */
    uint64_t index, size_bytes;
} am_zip_member;

/* Opens an archive; `file` and `path` (for messages) must outlive it. Two members of one name, and local
   headers that contradict the directory, are refused. Fails with AM_INVALID_FILE. */
am_status am_zip_open(const am_mapped_file *file, const char *path, am_zip **out) AM_NODISCARD;
void am_zip_close(am_zip *zip);

/* Number of members; their indices count from 0. */
uint64_t am_zip_count(const am_zip *zip);

/* Describes member `index`, or finds one by name. Fails with AM_INVALID_FILE: no such member, encrypted. */
am_status am_zip_at(const am_zip *zip, uint64_t index, am_zip_member *out) AM_NODISCARD;
am_status am_zip_find(const am_zip *zip, const char *name, am_zip_member *out) AM_NODISCARD;

/* Whether there is a member of that name. */
bool am_zip_has(const am_zip *zip, const char *name);

/* The bytes of a member inside of the mapped file; null when it is compressed or empty. The checksum is not
   checked. */
am_status am_zip_view(am_zip *zip, const am_zip_member *member, const uint8_t **out) AM_NODISCARD;

/* Reads a whole member (checksum included) into `size_bytes` bytes. Fails with AM_INVALID_FILE when it is
   shorter, longer or damaged. */
am_status am_zip_extract(am_zip *zip, const am_zip_member *member, void *out) AM_NODISCARD;

#endif

/* SHA-256 of files, remembered: a file of gigabytes is read through once, not at every start. */
#ifndef AM_BASE_FILE_DIGEST_H
#define AM_BASE_FILE_DIGEST_H

#include "base/sha256.h"
#include "base/status.h"

/* The digest of a regular file. It is kept in the cache folder beside the device, inode, size and times of the file
   (st_mtim, and st_ctim, which no program can set), and the file is read only where one of them is another; without a
   cache folder, always. Reading tells its progress. Fails with AM_NOT_FOUND, AM_IO. */
am_status am_file_digest(const char *path, uint8_t out[AM_SHA256_BYTES]) AM_NODISCARD;

#endif

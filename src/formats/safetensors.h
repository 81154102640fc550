/* safetensors files: 8 bytes little-endian header length, a JSON header {name: {dtype, shape, data_offsets}},
   data. Source: the format page of the safetensors project. */
#ifndef AM_FORMATS_SAFETENSORS_H
#define AM_FORMATS_SAFETENSORS_H

#include "formats/tensor_table.h"

/* Adds all tensors of one file to the table; data is mapped, and copied only where it is not aligned for its
   dtype. Fails with AM_NOT_FOUND, AM_IO, or AM_INVALID_FILE: truncated, header length or offsets beyond the
   file, overlapping tensors, holes, bytes that do not match dtype and shape, unknown dtype, negative or
   absurd dimensions, name twice; AM_UNSUPPORTED for dtypes of the format that am_dtype lacks. The table then
   holds some of the tensors or none; it is to be released. */
am_status am_safetensors_read(const char *path, am_tensor_table *table) AM_NODISCARD;

/* The text under `key` of the file's __metadata__, copied into the arena; null where there is none. Fails as
   am_safetensors_read does. */
am_status am_safetensors_metadata(const char *path, const char *key, am_arena *arena, const char **out) AM_NODISCARD;

/* Writes tensors to a file (metadata {"format": "pt"}), sorted as the reference implementation does. */
am_status am_safetensors_write(const char *path, const am_named_tensor *tensors, size_t count) AM_NODISCARD;

/* The same with one more text under `key` of __metadata__, and with the data at a multiple of 64 bytes. */
am_status am_safetensors_write_with(const char *path, const char *key, const char *text, const am_named_tensor *tensors,
                                    size_t count) AM_NODISCARD;

#endif

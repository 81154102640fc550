/* Weights in the form of a kernel, kept in the folder "weights" of the cache folder and mapped from there by every
   process that needs them, so that a start neither makes them again nor reads what they were made of.

   An entry is the bytes as the kernel reads them. It has two names: the SHA-256 of the weight's bytes and of the form's
   text, by which copies of a model find it; and that of the weight's place in a file, with what stays the same as long
   as the file does (am_file_identity), and of the form, by which a start finds it without reading the weight. Entries
   of one model file after the other are written by a thread of the lowest priority, whole or not at all; the entries
   that were not used for longest give way where they would take more than ANYMODEL_WEIGHT_CACHE (GiB, 16; 0: nothing is
   kept) or leave less than a tenth of the disk. Nothing here fails: without a cache, weights are made anew. */
#ifndef AM_TARGETS_CPU_WEIGHT_CACHE_H
#define AM_TARGETS_CPU_WEIGHT_CACHE_H

#include "base/sha256.h"

#include <stddef.h>

/* A weight as it lies in a mapped file, and what is made of it. */
typedef struct am_weight_form {
    const void *source;
    size_t source_bytes;
    uint8_t form[AM_SHA256_BYTES]; /* digest of all that says how the result looks */
    size_t bytes;                  /* of the result */
} am_weight_form;

/* Maps an entry for reading; null where there is none. */
const void *am_weight_cache_map(const am_weight_form *form);
void am_weight_cache_unmap(const void *data, size_t bytes);

/* Lets `data`, form->bytes long, which was made of the source, become an entry in a while, and gives back the source's
   pages. Both stay until am_weight_cache_forget. */
void am_weight_cache_keep(const am_weight_form *form, const void *data);

/* Returns when `data` is read no longer. All calls of a process together wait for at most a fifth of a second for what
   is not written yet. */
void am_weight_cache_forget(const void *data);

/* Ends `data`, whichever it is: `own` memory (am_alloc_large), which is forgotten and freed, or, where that is null, an
   entry that is mapped. Null data is allowed. */
void am_weight_cache_end(const void *data, void *own, size_t bytes);

#endif

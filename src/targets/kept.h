/* Small results of measuring, kept from process to process in the folder "auto" of the cache: text that says what it
   depends on, what was found, and a checksum. Whatever is wrong with a file makes it as none. */
#ifndef AM_TARGETS_KEPT_H
#define AM_TARGETS_KEPT_H

#include "targets/choice.h"

/* What times on a target depend on: the versions of this program and of the target, its device, the cpu, its features,
   the number of threads. Lines of text. */
am_status am_kept_context(const am_target_pick *pick, const am_target_options *options, am_buffer *out) AM_NODISCARD;

enum { AM_KEPT_NAME = 160 };

/* A file name: "WHAT-openvino-GPU-2t" for two threads. */
void am_kept_name(const char *what, const am_target_pick *pick, char out[AM_KEPT_NAME]);

/* Whether there is a file of that name, whatever it holds. */
bool am_kept_exists(const char *name);

/* The text that was stored under this name for this context, freed with am_free; null where there is none. */
char *am_kept_load(const char *name, const char *context);

/* Keeps the text; where that is not possible it is not kept. */
void am_kept_store(const char *name, const char *context, const char *text);

#endif

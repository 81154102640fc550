/* An artefact: one file with a model's graphs as a target compiled them, its configuration and tokenizer, and which
   weights belong to it. docs/targets.md describes it.

   It is a safetensors file. __metadata__ has a manifest (JSON) and its SHA-256; the tensors, U8 and named by their
   SHA-256, are the files of the model directory but its weights, the graphs as text, and what am_target.export gave. */
#ifndef AM_RUNTIME_ARTEFACT_H
#define AM_RUNTIME_ARTEFACT_H

#include "runtime/session.h"
#include "targets/compiled.h"

/* --- writing --- */

typedef struct am_artefact_source {
    am_session *const *sessions; /* what they have compiled, of one model directory */
    int session_count;
    const am_target_choice *targets; /* they were made with; not of the policy auto */
    const char *program_version;
} am_artefact_source;

typedef struct am_artefact_row {
    char signature[1024];
    const char *target; /* of the piece; static */
    int piece, nodes;
    size_t bytes; /* of what the target exported */
} am_artefact_row;

/* Writes the file, calling back for each piece of each compiled graph. Fails with AM_INVALID_ARGUMENT where nothing was
   compiled, AM_UNSUPPORTED for models that are not of a directory, AM_IO, AM_NOT_FOUND. */
am_status am_artefact_write(const char *path, const am_artefact_source *source,
                            void (*on_row)(void *context, const am_artefact_row *row), void *context) AM_NODISCARD;

/* --- reading --- */

typedef struct am_artefact_options {
    const char *target; /* null, or the names that it was compiled for: others are an error */
    const char *policy; /* "require" (null): what does not fit here is an error; "prefer": it is a warning, and the cpu
                           runs it */
    const char *program_version;
} am_artefact_options;

/* Opens a file, checks the whole of it but what targets exported, which is checked when it is used, compares the
   weights with their digests (see base/file_digest.h) and mounts all files of the model directory below the path
   (base/mount.h). Fails with AM_INVALID_FILE naming what is damaged, AM_NOT_FOUND naming missing weights,
   AM_UNSUPPORTED for another version of the format, of the program or of the target's library, or another cpu,
   AM_UNAVAILABLE without the target. */
am_status am_artefact_open(const char *path, const am_artefact_options *options, am_artefact **out) AM_NODISCARD;
void am_artefact_close(am_artefact *artefact);

/* The folder in which the model's files seem to lie; borrowed. */
const char *am_artefact_directory(const am_artefact *artefact);

/* The class whose graphs it has; borrowed. */
const char *am_artefact_architecture(const am_artefact *artefact);

/* What to run it on. */
const am_target_choice *am_artefact_targets(const am_artefact *artefact);

/* The program compiled for a signature of a class. Null in *out where there is none: for the cpu that compiles nothing,
   or with a warning under the policy prefer; else fails with AM_UNSUPPORTED, listing what there is, or with
   AM_INVALID_FILE when what a target exported is damaged. Borrowed. */
am_status am_artefact_find(am_artefact *artefact, const char *architecture, const am_signature *signature,
                           const am_compiled_program **out) AM_NODISCARD;

#endif

/* Programs whose pieces were compiled before, in another process, and kept in an artefact (docs/targets.md). */
#ifndef AM_TARGETS_COMPILED_H
#define AM_TARGETS_COMPILED_H

#include "base/sha256.h"
#include "targets/target.h"

typedef struct am_compiled_piece {
    const am_target *target; /* that runs it */
    uint8_t graph[AM_SHA256_BYTES];
    const void *bytes; /* of the target's export; null where it compiles nothing; outlives the program */
    size_t length;
} am_compiled_piece;

typedef struct am_compiled_program {
    const char *file; /* that holds it, for messages */
    const am_compiled_piece *pieces;
    int piece_count;
    bool is_required; /* a piece that does not fit is an error; else it goes to the cpu with a warning */
} am_compiled_program;

/* Digest of the printed graph: of everything that decides what it computes but the weights. */
am_status am_graph_digest(const am_graph *graph, uint8_t out[AM_SHA256_BYTES]) AM_NODISCARD;

/* Piece `index` of `count`, if it was compiled from this graph; fails with AM_UNSUPPORTED, telling to compile it again.
   Borrowed. */
am_status am_compiled_find(const am_compiled_program *program, int index, int count, const am_graph *graph,
                           const am_compiled_piece **out) AM_NODISCARD;

#endif

#include "targets/compiled.h"

#include <string.h>

am_status am_graph_digest(const am_graph *graph, uint8_t out[AM_SHA256_BYTES])
{
    am_buffer text = {0};
    am_graph_print(graph, &text);
    am_status status = am_buffer_status(&text);
    am_sha256_of(am_buffer_text(&text), text.length, out);
    am_buffer_deinit(&text);
    return status;
}

am_status am_compiled_find(const am_compiled_program *program, int index, int count, const am_graph *graph,
                           const am_compiled_piece **out)
{
    uint8_t digest[AM_SHA256_BYTES];
    *out = NULL;
    if (count != program->piece_count)
        return am_error(AM_UNSUPPORTED, "%s: the graph has %d pieces here, %d when it was compiled: compile it again",
                        program->file, count, program->piece_count);
    AM_TRY(am_graph_digest(graph, digest));
    if (memcmp(digest, program->pieces[index].graph, sizeof digest) != 0)
        return am_error(AM_UNSUPPORTED,
                        "%s: piece %d of the graph is another one here than when it was compiled: compile it again",
                        program->file, index);
    *out = &program->pieces[index];
    return NULL;
}

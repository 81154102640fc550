#include "api/graph_work.h"

am_status am_graph_work_count(const am_program *program, am_graph_work *out)
{
    *out = (am_graph_work){0};
    for (int i = 0; i < am_program_plan(program)->piece_count; i++)
        AM_TRY(am_graph_work_add(am_program_piece_graph(program, i), out));
    return NULL;
}

/* What am_model_open gives out. */
#ifndef AM_API_MODEL_INTERNAL_H
#define AM_API_MODEL_INTERNAL_H

#include "base/arena.h"
#include "runtime/artefact.h"
#include "tasks/pipeline.h"

#include <anymodel/anymodel.h>

struct am_model {
    am_pipeline *pipeline;
    am_artefact *artefact; /* it was opened from; null: from a directory */
    double opened_ms;      /* when, as am_clock_ms has it */
    const char *task;      /* pipeline task of the class, or null; static */
    am_arena borrowed;     /* names and rows of the last am_model_forward's outputs */
};

#endif

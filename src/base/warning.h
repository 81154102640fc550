/* What a caller should know though the call succeeds: a target that is not there, a piece that runs elsewhere.
   The library prints nothing; whoever wants to see warnings gives a handler. */
#ifndef AM_BASE_WARNING_H
#define AM_BASE_WARNING_H

#include "base/status.h"

#include <stdbool.h>

typedef void (*am_warning_handler)(void *context, const char *message);

/* Gets every warning and every line of progress from now on, from whatever thread; null: none. */
void am_warning_set_handler(am_warning_handler warnings, am_warning_handler progress, void *context);

/* Hands a formatted message to the handler, once a process for each text. */
void am_warn(const char *format, ...) AM_PRINTF(1, 2);

/* The same for how long work goes on ("compiling for max: 40 s"); every text is handed on. */
void am_progress(const char *format, ...) AM_PRINTF(1, 2);

/* Whether the calling thread's progress is kept to itself from now on: nobody waits for work that goes on beside an
   answer. */
void am_progress_quiet(bool quiet);

#endif

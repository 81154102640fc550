/* A pointer that whoever drives a builder may hang onto it, for the functions that it calls. */
#ifndef AM_GRAPH_CONTEXT_H
#define AM_GRAPH_CONTEXT_H

#include "graph/builder.h"

/* Hangs a pointer onto the builder; borrowed. */
void am_builder_set_context(am_builder *b, void *context);

/* The pointer that was hung on, or null. */
void *am_builder_context(const am_builder *b);

#endif

/* What writing and reading artefacts share. */
#ifndef AM_RUNTIME_ARTEFACT_INTERNAL_H
#define AM_RUNTIME_ARTEFACT_INTERNAL_H

#include "runtime/artefact.h"

/* Goes up when an older program would misunderstand the file. */
enum { AM_ARTEFACT_FORMAT = 1 };

/* The key of __metadata__: the digits of the manifest's SHA-256, then the manifest. */
#define AM_ARTEFACT_KEY "anymodel"

/* "BertForMaskedLM(attention_mask i32[1, 9], input_ids i32[1, 9])" and what else decides about the graph; the order in
   which inputs are given and the width of their numbers do not. In the arena; null without memory. */
const char *am_artefact_signature(am_arena *arena, const char *architecture, const am_signature *signature);

#endif

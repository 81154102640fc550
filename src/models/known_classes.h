/* What to say about a class that there is no builder for. */
#ifndef AM_MODELS_KNOWN_CLASSES_H
#define AM_MODELS_KNOWN_CLASSES_H

#include "base/arena.h"

/* "of model type bert there are BertModel, BertForMaskedLM, ..." when the type has classes here; else the classes with
   the most similar names, if any is similar, and how many classes there are in all. In the arena; null when there is no
   memory. */
const char *am_known_classes_text(am_arena *arena, const char *class_name, const char *model_type);

#endif

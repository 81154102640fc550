/* How files of Mistral Large 4 call the weights. */
#ifndef AM_MODELS_BLOCKS_MISTRAL_LARGE4_H
#define AM_MODELS_BLOCKS_MISTRAL_LARGE4_H

#include "models/model.h"

/* Of the text model, for am_model_type.renamings. */
extern const am_renaming am_mistral_large4_text_names[];

#endif

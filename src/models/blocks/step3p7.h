/* How files of Step 3.7 call the weights. */
#ifndef AM_MODELS_BLOCKS_STEP3P7_H
#define AM_MODELS_BLOCKS_STEP3P7_H

#include "models/model.h"

/* Of the text model, for am_model_type.renamings. */
extern const am_renaming am_step3p7_text_names[];

#endif

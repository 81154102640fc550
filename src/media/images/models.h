/* Which image processor a model type has, where preprocessor_config.json does not say. */
#ifndef AM_MEDIA_IMAGES_MODELS_H
#define AM_MEDIA_IMAGES_MODELS_H

#include "media/preprocessor_config.h"

/* Ends with a null model_type. */
extern const am_model_class am_image_models[];

#endif

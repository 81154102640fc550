/* Which video processor a model type has, where no file names one. */
#ifndef AM_MEDIA_VIDEOS_MODELS_H
#define AM_MEDIA_VIDEOS_MODELS_H

#include "media/preprocessor_config.h"

/* Ends with a null model_type. */
extern const am_model_class am_video_models[];

#endif

/* Outputs of image and video processors beside recorded ones. */
#ifndef AM_RECORDED_IMAGES_H
#define AM_RECORDED_IMAGES_H

#include "base/json.h"
#include "media/media_tensors.h"

/* "outputs" of a case beside what a processor gave, in any order: floats within 2e-5, else equal, lists of tensors where
   inputs made no batch. Fails with AM_FAILED, which names the first difference. */
am_status am_verify_media(am_json expected, const am_media_tensors *found) AM_NODISCARD;

#endif

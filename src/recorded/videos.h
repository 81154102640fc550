/* Video processors beside recorded answers. */
#ifndef AM_RECORDED_VIDEOS_H
#define AM_RECORDED_VIDEOS_H

#include "media/media_tensors.h"
#include "recorded/case.h"

/* videos/CLASS.json, one file of am_recorded_images. */
am_status am_verify_videos(am_verifier *verifier, const char *path) AM_NODISCARD;

/* The outputs of a processor beside those of a case, as am_recorded_images compares them. */
am_status am_verify_media(am_json expected, const am_media_tensors *found) AM_NODISCARD;

#endif

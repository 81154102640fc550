/* Video processors beside recorded answers. */
#ifndef AM_RECORDED_VIDEOS_H
#define AM_RECORDED_VIDEOS_H

#include "recorded/case.h"

/* videos/CLASS.json, one file of am_recorded_images. */
am_status am_verify_videos(am_verifier *verifier, const char *path) AM_NODISCARD;

#endif

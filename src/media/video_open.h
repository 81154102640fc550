/* Videos from files: of a video file the frames that are taken, or images, one a frame. */
#ifndef AM_MEDIA_VIDEO_OPEN_H
#define AM_MEDIA_VIDEO_OPEN_H

#include "base/arena.h"
#include "media/video_processor.h"

typedef struct am_video_source {
    const char *file;  /* a video file, or an image, which is one frame; or null */
    const void *bytes; /* instead of a file: what it holds */
    size_t size_bytes;
    const char *const *frames; /* instead: files of images, all of one size */
    size_t count;
    double fps; /* frames a second; 0: not known, or as the video file says */
} am_video_source;

/* Which frames of a video are taken: indices, from 0 up, freed with am_free; of the video nothing but sizes is known.
 */
typedef am_status am_video_choice(void *context, const am_video *video, int64_t **out_indices, int64_t *out_count);

/* Opens it: all frames of images; of a video file those that are chosen, and nothing but the size of the others. The
   frames are freed with am_video_deinit, their list is the arena's. *out is deinited also after a failure. Fails as
   am_image_open and am_video_file_open do, and with AM_INVALID_ARGUMENT for frames that differ in size. */
am_status am_video_open(const am_video_source *source, am_video_choice *choose, void *context, am_arena *arena,
                        am_video *out) AM_NODISCARD;

void am_video_deinit(am_video *video);

#endif

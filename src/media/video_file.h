/* Video files (MP4, WebM, Matroska, AVI, GIF and others): their frames as torchcodec's VideoDecoder gives them with
   seek_mode="exact", which is what transformers' video processors open files with. Built in where FFmpeg's libraries
   were there when the program was built (docs/decisions/media.md); without, opening fails with AM_UNSUPPORTED. */
#ifndef AM_MEDIA_VIDEO_FILE_H
#define AM_MEDIA_VIDEO_FILE_H

#include "media/image.h"

typedef struct am_video_file am_video_file;

/* What is known of the first video in a file, all of whose packets were looked at. */
typedef struct am_video_info {
    int64_t frames;        /* at least 1 */
    int64_t height, width; /* upright */
    double fps, duration;  /* frames a second on average, seconds; 0: not known */
} am_video_info;

/* What a file may hold; 0: as many frames as can be sampled, AM_IMAGE_MAX_PIXELS. */
typedef struct am_video_limits {
    int64_t max_frames, max_pixels;
} am_video_limits;

/* Whether this build decodes videos. */
bool am_video_files_are_built_in(void);

/* Opens the bytes, which are borrowed until the file is closed; `name` stands for it in messages. Nothing else is
   opened or read. `limits` null: none but the greatest. Fails with AM_UNSUPPORTED (no decoding in this build, another
   format or codec), AM_INVALID_FILE (damaged, no video, no frames), AM_OUT_OF_MEMORY (more than a limit). */
am_status am_video_file_open(const void *bytes, size_t size_bytes, const char *name, const am_video_limits *limits,
                             am_video_file **out) AM_NODISCARD;

/* Null is allowed. */
void am_video_file_close(am_video_file *file);

/* Borrowed until it is closed. */
const am_video_info *am_video_file_info(const am_video_file *file);

/* Decodes the frames of `indices`, in any order, into frames[index]: frames is [info.frames], of which the others are
   left as they are. Frames in between are decoded and dropped, so that each is the same whichever are asked for. What
   was made before a failure is the caller's, too. Fails with AM_INVALID_ARGUMENT for an index that is not there,
   AM_INVALID_FILE where a frame cannot be decoded, AM_OUT_OF_MEMORY. */
am_status am_video_file_read(am_video_file *file, const int64_t *indices, int64_t count, am_image *frames) AM_NODISCARD;

#endif

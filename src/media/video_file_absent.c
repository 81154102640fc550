/* For builds without FFmpeg's libraries. */
#include "media/video_file.h"

bool am_video_files_are_built_in(void)
{
    return false;
}

am_status am_video_file_open(const void *bytes, size_t size_bytes, const char *name, const am_video_limits *limits,
                             am_video_file **out)
{
    (void)bytes, (void)size_bytes, (void)limits;
    *out = NULL;
    return am_error(
        AM_UNSUPPORTED,
        "%s: this build has no video decoding; install FFmpeg's libraries and build again (`make video` does), or "
        "give the frames as images",
        name);
}

void am_video_file_close(am_video_file *file)
{
    (void)file;
}

const am_video_info *am_video_file_info(const am_video_file *file)
{
    (void)file;
    return NULL;
}

am_status am_video_file_read(am_video_file *file, const int64_t *indices, int64_t count, am_image *frames)
{
    (void)file, (void)indices, (void)count, (void)frames;
    return am_error(AM_INTERNAL, "a video without a decoder");
}

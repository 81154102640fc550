/* Video files: what is known of them, and a few of their frames. */
#include "media/video_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_FRAMES = 64 };

static const am_video_limits limits = {.max_frames = MOST_FRAMES, .max_pixels = 1 << 12};

static void require(bool holds)
{
    if (!holds) abort();
}

static void read_frames(am_video_file *file)
{
    const am_video_info *info = am_video_file_info(file);
    const int64_t wanted[] = {info->frames / 2, 0};
    am_image frames[MOST_FRAMES] = {{0}};
    require(info->frames >= 1 && info->frames <= MOST_FRAMES && info->height >= 1 && info->width >= 1);
    require(info->fps >= 0.0 && info->fps < 1e9 && info->duration >= 0.0 && info->duration < 1e9);
    am_status status = am_video_file_read(file, wanted, 2, frames);
    if (!status) require(frames[0].height == info->height && frames[0].width == info->width);
    for (int i = 0; i < MOST_FRAMES; i++) am_image_deinit(&frames[i]);
    require(!status || am_status_code(status) != AM_INTERNAL);
    am_status_free(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_video_file *file;
    am_status status = am_video_file_open(data, size, "input", &limits, &file);
    if (!status) read_frames(file);
    am_status_free(status);
    am_video_file_close(file);
    return 0;
}

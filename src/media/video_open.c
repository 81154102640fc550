#include "media/video_open.h"

#include "base/file.h"
#include "base/memory.h"
#include "media/video_file.h"

#include <inttypes.h>
#include <string.h>

typedef struct opening {
    const am_video_source *source;
    am_video_choice *choose;
    void *context;
    am_arena *arena;
    am_video *out;
} opening;

static am_status make_frames(const opening *o, int64_t count, am_image **out)
{
    o->out->frames = *out = am_arena_array(o->arena, (size_t)count, sizeof **out);
    if (!*out) return am_out_of_memory();
    o->out->count = count;
    return NULL;
}

static void set_rate(const opening *o, double fps, double duration)
{
    o->out->fps = o->source->fps > 0 ? o->source->fps : fps;
    o->out->duration = o->source->fps > 0 ? (double)o->out->count / o->source->fps : duration;
}

static am_status open_frames(const opening *o)
{
    const am_video_source *from = o->source;
    am_image *frames;
    AM_TRY(make_frames(o, (int64_t)from->count, &frames));
    set_rate(o, 0, 0);
    AM_TRY(am_image_open_all(from->frames, (int64_t)from->count, 0, frames));
    for (size_t k = 1; k < from->count; k++)
        if (frames[k].width != frames[0].width || frames[k].height != frames[0].height)
            return am_error(AM_INVALID_ARGUMENT,
                            "%s: %" PRId64 "x%" PRId64 ", but %s, a frame of the same video, %" PRId64 "x%" PRId64,
                            from->frames[k], frames[k].width, frames[k].height, from->frames[0], frames[0].width,
                            frames[0].height);
    return NULL;
}

static am_status open_image(const opening *o, const am_mapped_file *bytes, const char *name)
{
    am_image *frames;
    AM_TRY(make_frames(o, 1, &frames));
    set_rate(o, 0, 0);
    return am_image_decode(bytes->bytes, bytes->size_bytes, name, 0, &frames[0]);
}

/* Decodes the frames that will be taken. */
static am_status decode_frames(const opening *o, am_video_file *file)
{
    const am_video_info *info = am_video_file_info(file);
    am_image *frames;
    int64_t *indices, count;
    AM_TRY(make_frames(o, info->frames, &frames));
    for (int64_t i = 0; i < info->frames; i++) frames[i] = (am_image){.width = info->width, .height = info->height};
    set_rate(o, info->fps, info->duration);
    AM_TRY(o->choose(o->context, o->out, &indices, &count));
    am_status status = am_video_file_read(file, indices, count, frames);
    am_free(indices);
    return status;
}

/* An image is a video of one frame; a GIF may have more. */
static am_status open_bytes(const opening *o, const am_mapped_file *bytes, const char *name)
{
    const char *format = bytes->bytes ? am_image_format(bytes->bytes, bytes->size_bytes) : NULL;
    am_video_file *file;
    if (format && strcmp(format, "GIF") != 0) return open_image(o, bytes, name);
    AM_TRY(am_video_file_open(bytes->bytes, bytes->size_bytes, name, NULL, &file));
    am_status status = decode_frames(o, file);
    am_video_file_close(file);
    return status;
}

am_status am_video_open(const am_video_source *source, am_video_choice *choose, void *context, am_arena *arena,
                        am_video *out)
{
    const opening o = {source, choose, context, arena, out};
    am_mapped_file bytes = {.bytes = source->bytes, .size_bytes = source->size_bytes};
    *out = (am_video){0};
    if (source->bytes) return open_bytes(&o, &bytes, "the video");
    if (!source->file && !source->count) return am_error(AM_INVALID_ARGUMENT, "a video without frames");
    if (!source->file) return open_frames(&o);
    AM_TRY(am_file_map(source->file, &bytes));
    am_status status = open_bytes(&o, &bytes, source->file);
    am_file_unmap(&bytes);
    return status;
}

void am_video_deinit(am_video *video)
{
    for (int64_t i = 0; i < video->count; i++) am_image_deinit((am_image *)&video->frames[i]);
    *video = (am_video){0};
}

/* Ogg Vorbis by libvorbisfile: libsndfile, which uses the same decoder, forgets memory where headers are
   corrupt. */
#include "media/audio_codecs.h"

#include <inttypes.h>

#define OV_EXCLUDE_STATIC_CALLBACKS
#include <vorbis/vorbisfile.h>

static size_t source_read(void *to, size_t size, size_t count, void *context)
{
    if (!size || count > INT32_MAX / size) return 0;
    return (size_t)am_sound_read(context, to, (int64_t)(size * count)) / size;
}

static int source_seek(void *context, ogg_int64_t offset, int whence)
{
    return am_sound_seek(context, offset, whence) < 0 ? -1 : 0;
}

static long source_tell(void *context)
{
    return (long)((am_sound_source *)context)->position;
}

/* planes: [channels][count] */
static am_status put_planes(am_sound_sink *sink, float **planes, int64_t count)
{
    int channels = sink->audio->channels;
    for (int64_t done = 0; done < count;) {
        float *to = NULL;
        int64_t room = 0;
        AM_TRY(am_sound_room(sink, &to, &room));
        if (room > count - done) room = count - done;
        for (int64_t i = 0; i < room; i++)
            for (int c = 0; c < channels; c++) *to++ = planes[c][done + i];
        AM_TRY(am_sound_add(sink, room));
        done += room;
    }
    return NULL;
}

/* Streams may follow one another in a file, each with a form of its own. */
static am_status read_frames(OggVorbis_File *file, am_sound_sink *sink)
{
    for (int stream = -1;;) {
        float **planes = NULL;
        int current = stream;
        long count = ov_read_float(file, &planes, 4096, &current);
        if (count == 0) return NULL;
        if (count < 0)
            return am_error(AM_INVALID_FILE,
                            "after %" PRId64 " frames: a gap or corrupt data (libvorbisfile error %ld)",
                            sink->audio->frames, count);
        if (current != stream) {
            const vorbis_info *info = ov_info(file, current);
            if (!info) return am_error(AM_INVALID_FILE, "a stream without header");
            AM_TRY(am_sound_format(sink, info->rate, info->channels));
            stream = current;
        }
        AM_TRY(put_planes(sink, planes, count));
    }
}

static am_status check_length(OggVorbis_File *file, const am_sound_sink *sink)
{
    ogg_int64_t promised = ov_pcm_total(file, -1);
    if (promised < 0 || sink->audio->frames >= promised) return NULL;
    return am_error(AM_INVALID_FILE, "truncated: its pages say %" PRId64 " frames, %" PRId64 " are there",
                    (int64_t)promised, sink->audio->frames);
}

am_status am_sound_decode_vorbis(am_sound_source *source, am_sound_sink *sink)
{
    OggVorbis_File file;
    ov_callbacks callbacks = {.read_func = source_read, .seek_func = source_seek, .tell_func = source_tell};
    int code = ov_open_callbacks(source, &file, NULL, 0, callbacks);
    if (code < 0)
        return am_error(AM_INVALID_FILE, "corrupt or truncated Vorbis headers (libvorbisfile error %d)", code);
    am_status status = read_frames(&file, sink);
    if (!status) status = check_length(&file, sink);
    ov_clear(&file);
    return status;
}

/* Ogg Vorbis by libvorbisfile: libsndfile, which uses the same decoder, forgets memory where headers are
   corrupt. */
#include "media/audio_codecs.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

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

static am_status gap_error(const am_sound_sink *sink, long code)
{
    return am_error(AM_INVALID_FILE, "after %" PRId64 " frames: a gap or corrupt data (libvorbisfile error %ld)",
                    sink->audio->frames, code);
}

/* Streams may follow one another in a file, each with a form of its own. Between two that are read from front to end
   libvorbisfile tells of a gap where there is none. */
static am_status read_frames(OggVorbis_File *file, am_sound_sink *sink)
{
    long gap = 0;
    for (int stream = -1;;) {
        float **planes = NULL;
        int current = stream;
        long count = ov_read_float(file, &planes, 4096, &current);
        if (count == OV_HOLE && !gap && stream >= 0) {
            gap = count;
            continue;
        }
        if (count < 0) return gap_error(sink, count);
        if (gap && (count == 0 || current == stream)) return gap_error(sink, gap);
        if (count == 0) return NULL;
        if (current != stream) {
            const vorbis_info *info = ov_info(file, current);
            if (!info) return am_error(AM_INVALID_FILE, "a stream without header");
            AM_TRY(am_sound_format(sink, info->rate, info->channels));
            stream = current;
            gap = 0;
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

/* Whether streams may follow one another: whether what looks like a page that begins one stands behind one that does
   not. libvorbisfile looks for such streams where it can seek, and forgets memory where their headers are corrupt; read
   from the first byte to the last it comes to each in its turn. */
static bool may_be_chained(const am_sound_source *source)
{
    enum { TYPE = 5, BEGINS = 2 };
    static const char mark[] = "OggS";
    const uint8_t *at = source->bytes, *end = at + source->size_bytes;
    for (bool goes_on = false; end - at > TYPE && (at = memchr(at, mark[0], (size_t)(end - at - TYPE))); at++) {
        if (memcmp(at, mark, sizeof mark - 1) != 0) continue;
        if (!(at[TYPE] & BEGINS)) goes_on = true;
        else if (goes_on) return true;
    }
    return false;
}

am_status am_sound_decode_vorbis(am_sound_source *source, am_sound_sink *sink)
{
    OggVorbis_File file;
    ov_callbacks callbacks = {.read_func = source_read, .seek_func = source_seek, .tell_func = source_tell};
    if (may_be_chained(source)) callbacks.seek_func = NULL;
    int code = ov_open_callbacks(source, &file, NULL, 0, callbacks);
    if (code < 0)
        return am_error(AM_INVALID_FILE, "corrupt or truncated Vorbis headers (libvorbisfile error %d)", code);
    am_status status = read_frames(&file, sink);
    if (!status) status = check_length(&file, sink);
    ov_clear(&file);
    return status;
}

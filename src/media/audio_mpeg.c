/* MP3 by libmpg123: libsndfile, which uses the same decoder, lets it print warnings. */
#include "media/audio_codecs.h"

#include <inttypes.h>
#include <sys/types.h>

#include <mpg123.h>

static ssize_t source_read(void *context, void *to, size_t count)
{
    return (ssize_t)am_sound_read(context, to, count > INT32_MAX ? INT32_MAX : (int64_t)count);
}

static off_t source_seek(void *context, off_t offset, int whence)
{
    return (off_t)am_sound_seek(context, offset, whence);
}

static am_status mpeg_error(mpg123_handle *mpeg, const am_sound_sink *sink)
{
    if (mpg123_errcode(mpeg) == MPG123_OUT_OF_MEM) return am_out_of_memory();
    return am_error(AM_INVALID_FILE, "after %" PRId64 " frames: %s", sink->audio->frames, mpg123_strerror(mpeg));
}

static am_status take_format(mpg123_handle *mpeg, am_sound_sink *sink)
{
    long rate = 0;
    int channels = 0, encoding = 0;
    if (mpg123_getformat(mpeg, &rate, &channels, &encoding) != MPG123_OK) return mpeg_error(mpeg, sink);
    if (encoding != MPG123_ENC_FLOAT_32) return am_error(AM_UNSUPPORTED, "libmpg123 was built without floats");
    return am_sound_format(sink, rate, channels);
}

static am_status read_frames(mpg123_handle *mpeg, am_sound_sink *sink)
{
    for (;;) {
        float *to = NULL;
        int64_t room = 0;
        size_t bytes = 0, frame_bytes = (size_t)sink->audio->channels * sizeof *to;
        AM_TRY(am_sound_room(sink, &to, &room));
        int code = mpg123_read(mpeg, to, (size_t)room * frame_bytes, &bytes);
        AM_TRY(am_sound_add(sink, (int64_t)(bytes / frame_bytes)));
        if (code == MPG123_DONE) return NULL;
        if (code == MPG123_NEW_FORMAT) AM_TRY(take_format(mpeg, sink));
        else if (code != MPG123_OK) return mpeg_error(mpeg, sink);
    }
}

static am_status decode(mpg123_handle *mpeg, am_sound_source *source, am_sound_sink *sink)
{
    const long flags = MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_NO_FRANKENSTEIN;
    if (mpg123_param(mpeg, MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0.0) != MPG123_OK ||
        mpg123_param(mpeg, MPG123_ADD_FLAGS, flags, 0.0) != MPG123_OK ||
        mpg123_replace_reader_handle(mpeg, source_read, source_seek, NULL) != MPG123_OK ||
        mpg123_open_handle(mpeg, source) != MPG123_OK)
        return mpeg_error(mpeg, sink);
    AM_TRY(take_format(mpeg, sink));
    return read_frames(mpeg, sink);
}

am_status am_sound_decode_mpeg(am_sound_source *source, am_sound_sink *sink)
{
    if (mpg123_init() != MPG123_OK) return am_out_of_memory();
    mpg123_handle *mpeg = mpg123_new(NULL, NULL);
    if (!mpeg) return am_out_of_memory();
    am_status status = decode(mpeg, source, sink);
    mpg123_delete(mpeg);
    return status;
}

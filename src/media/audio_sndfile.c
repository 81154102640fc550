/* WAV, FLAC, Opus, AIFF, AU and CAF by libsndfile. */
#include "media/audio_codecs.h"

#include <inttypes.h>

#include <sndfile.h>

static sf_count_t source_size(void *context)
{
    return ((am_sound_source *)context)->size_bytes;
}

static sf_count_t source_seek(sf_count_t offset, int whence, void *context)
{
    return am_sound_seek(context, offset, whence);
}

static sf_count_t source_read(void *to, sf_count_t count, void *context)
{
    return am_sound_read(context, to, count);
}

static sf_count_t source_write(const void *from, sf_count_t count, void *context)
{
    (void)from, (void)count, (void)context;
    return 0;
}

static sf_count_t source_tell(void *context)
{
    return ((am_sound_source *)context)->position;
}

static am_status read_frames(SNDFILE *file, am_sound_sink *sink)
{
    for (;;) {
        float *to = NULL;
        int64_t room = 0;
        AM_TRY(am_sound_room(sink, &to, &room));
        sf_count_t count = sf_readf_float(file, to, room);
        if (count <= 0) break;
        AM_TRY(am_sound_add(sink, count));
    }
    if (sf_error(file) == SF_ERR_NO_ERROR) return NULL;
    return am_error(AM_INVALID_FILE, "after %" PRId64 " frames: %s", sink->audio->frames, sf_strerror(file));
}

/* A length of 0, or beyond all bounds, is an unknown one. */
static am_status check_length(int64_t frames, int64_t promised)
{
    if (frames >= promised || promised >= INT64_MAX / 2) return NULL;
    return am_error(AM_INVALID_FILE, "truncated: the header says %" PRId64 " frames, %" PRId64 " are there", promised,
                    frames);
}

am_status am_sound_decode_sndfile(am_sound_source *source, am_sound_sink *sink)
{
    SF_VIRTUAL_IO io = {.get_filelen = source_size,
                        .seek = source_seek,
                        .read = source_read,
                        .write = source_write,
                        .tell = source_tell};
    SF_INFO info = {0};
    SNDFILE *file = sf_open_virtual(&io, SFM_READ, &info, source);
    if (!file) return am_error(AM_INVALID_FILE, "%s", sf_strerror(NULL));
    am_status status = am_sound_format(sink, info.samplerate, info.channels);
    if (!status) status = read_frames(file, sink);
    if (!status) status = check_length(sink->audio->frames, info.frames);
    sf_close(file);
    return status;
}

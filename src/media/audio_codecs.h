/* What the decoders of audio.c share; for src/media/audio_*.c alone. */
#ifndef AM_MEDIA_AUDIO_CODECS_H
#define AM_MEDIA_AUDIO_CODECS_H

#include "media/audio.h"

/* A file in memory, read as if it were one. */
typedef struct am_sound_source {
    const uint8_t *bytes;
    int64_t size_bytes, position;
} am_sound_source;

/* read(2) and lseek(2); seeking before the file gives -1, beyond it goes to its end. */
int64_t am_sound_read(am_sound_source *source, void *to, int64_t count);
int64_t am_sound_seek(am_sound_source *source, int64_t offset, int whence);

/* Where decoders put what they read: a sound that grows up to the limits. */
typedef struct am_sound_sink {
    am_audio *audio;
    const am_audio_limits *limits; /* may be null */
    int64_t capacity_frames, limit_frames;
} am_sound_sink;

/* Says what comes, before anything else, or again when a stream goes on in another form. AM_UNSUPPORTED
   when it cannot be. */
am_status am_sound_format(am_sound_sink *sink, int64_t sampling_rate, int64_t channels) AM_NODISCARD;

/* Room for *frames >= 1 more interleaved frames. */
am_status am_sound_room(am_sound_sink *sink, float **to, int64_t *frames) AM_NODISCARD;

/* Counts frames that were put there. AM_OUT_OF_MEMORY over the limit. */
am_status am_sound_add(am_sound_sink *sink, int64_t frames) AM_NODISCARD;

/* Decode all of the source. AM_INVALID_FILE for what is corrupt or truncated. */
am_status am_sound_decode_sndfile(am_sound_source *source, am_sound_sink *sink) AM_NODISCARD;
am_status am_sound_decode_vorbis(am_sound_source *source, am_sound_sink *sink) AM_NODISCARD;
am_status am_sound_decode_mpeg(am_sound_source *source, am_sound_sink *sink) AM_NODISCARD;

#endif

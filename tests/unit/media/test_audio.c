#include "media_support.h"

#include "media/audio.h"

#include <math.h>
#include <stdio.h>

static am_audio open_sound(const char *name)
{
    am_audio sound;
    am_test_expect_ok(am_audio_open(media_data(name), NULL, &sound));
    return sound;
}

/* Amplitude of 440 Hz in the middle half. */
static double amplitude(const am_audio *sound)
{
    double re = 0.0, im = 0.0;
    int64_t first = sound->frames / 4, count = sound->frames / 2;
    for (int64_t i = first; i < first + count; i++) {
        double turn = 2.0 * 3.14159265358979323846 * 440.0 * (double)i / sound->sampling_rate;
        re += (double)sound->samples[i] * cos(turn);
        im += (double)sound->samples[i] * sin(turn);
    }
    return 2.0 * hypot(re, im) / (double)count;
}

static void expect_sine(const char *name, int rate, int64_t frames)
{
    am_audio sound = open_sound(am_test_format("sounds/%s", name));
    assert_int_equal(sound.sampling_rate, rate);
    assert_int_equal(sound.channels, 1);
    assert_int_equal(sound.frames, frames);
    assert_true(fabs(amplitude(&sound) - 0.5) < 0.005);
    am_audio_deinit(&sound);
}

static void media_audio__decodes_mp3(void **state)
{
    expect_sine("sine.mp3", 22050, 5512);
}

static void media_audio__decodes_ogg(void **state)
{
    expect_sine("sine.ogg", 22050, 5512);
    expect_sine("sine.opus", 48000, 12000);
}

/* Gives every page of a stream another serial number, and the checksum that it then has (RFC 3533). */
static void set_serial(uint8_t *file, size_t length, uint8_t serial)
{
    enum { SERIAL = 14, CHECKSUM = 22, SEGMENTS = 26, HEAD = 27 };
    for (size_t at = 0, size; at + HEAD <= length; at += size) {
        uint8_t *page = file + at;
        uint32_t crc = 0;
        size = HEAD + page[SEGMENTS];
        for (size_t i = 0; i < page[SEGMENTS]; i++) size += page[HEAD + i];
        assert_true(at + size <= length);
        page[SERIAL] = serial;
        memset(page + CHECKSUM, 0, 4);
        for (size_t i = 0; i < size; i++) {
            crc ^= (uint32_t)page[i] << 24;
            for (int bit = 0; bit < 8; bit++) crc = crc & 0x80000000u ? crc << 1 ^ 0x04c11db7u : crc << 1;
        }
        for (int i = 0; i < 4; i++) page[CHECKSUM + i] = (uint8_t)(crc >> 8 * i);
    }
}

/* Streams of one form behind one another, which are read from front to end. */
static void media_audio__decodes_ogg_behind_ogg(void **state)
{
    size_t length;
    am_audio one = open_sound("sounds/sine.ogg"), both;
    char *file = am_test_read_file(media_data("sounds/sine.ogg"), &length), *twice = malloc(2 * length);
    assert_non_null(twice);
    memcpy(twice, file, length);
    memcpy(twice + length, file, length);
    set_serial((uint8_t *)twice + length, length, (uint8_t)(file[14] + 1));
    am_test_expect_ok(am_audio_decode((uint8_t *)twice, 2 * length, "twice.ogg", NULL, &both));
    assert_int_equal(both.frames, 2 * one.frames);
    for (int64_t i = 0; i < both.frames; i++) assert_true(both.samples[i] == one.samples[i % one.frames]);
    am_audio_deinit(&one);
    am_audio_deinit(&both);
    free(twice);
    free(file);
}

static void media_audio__decodes_rarer_containers(void **state)
{
    expect_sine("sine.aiff", 22050, 5512);
    expect_sine("sine.au", 22050, 5512);
    expect_sine("sine.rf64", 22050, 5512);
}

static void media_audio__mixes_channels_down(void **state)
{
    am_audio sound = open_sound("audio/files/stereo_24k_pcm16.wav");
    assert_int_equal(sound.channels, 2);
    float left = sound.samples[200], right = sound.samples[201];
    int64_t frames = sound.frames;
    am_audio_mix_down(&sound);
    assert_int_equal(sound.channels, 1);
    assert_int_equal(sound.frames, frames);
    assert_true(sound.samples[100] == (left + right) / 2.0f);
    am_audio_deinit(&sound);
}

static void media_audio__resamples_every_channel(void **state)
{
    am_audio stereo = open_sound("audio/files/stereo_24k_pcm16.wav"), mono = stereo;
    mono.channels = 1;
    mono.samples = am_alloc((size_t)mono.frames * sizeof *mono.samples);
    for (int64_t i = 0; i < mono.frames; i++) mono.samples[i] = stereo.samples[2 * i + 1];
    am_test_expect_ok(am_audio_resample(&stereo, 16000, NULL));
    am_test_expect_ok(am_audio_resample(&mono, 16000, NULL));
    assert_int_equal(stereo.frames, 3200);
    assert_int_equal(mono.frames, 3200);
    for (int64_t i = 0; i < mono.frames; i++) assert_true(fabsf(stereo.samples[2 * i + 1] - mono.samples[i]) < 1e-6f);
    am_audio_deinit(&stereo);
    am_audio_deinit(&mono);
}

static void media_audio__length_after_resampling_is_rounded_up(void **state)
{
    static const int rates[] = {8000, 11025, 16000, 22050, 44100, 48000, 96000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        am_audio sound = open_sound("audio/files/voice_22k_pcm16.wav"); /* 11025 frames */
        am_test_expect_ok(am_audio_resample(&sound, rates[i], NULL));
        assert_int_equal(sound.frames, (11025ll * rates[i] + 22049) / 22050);
        assert_int_equal(sound.sampling_rate, rates[i]);
        am_audio_deinit(&sound);
    }
}

static void expect_decode_error(const void *bytes, size_t size_bytes, am_code code, const char *part)
{
    am_audio sound;
    am_test_expect_error(am_audio_decode(bytes, size_bytes, "x.snd", NULL, &sound), code, part);
    assert_null(sound.samples);
}

static void media_audio__names_what_it_does_not_know(void **state)
{
    expect_decode_error("", 0, AM_INVALID_FILE, "x.snd: an empty file");
    expect_decode_error("\x89PNG", 4, AM_UNSUPPORTED, "x.snd: no WAV");
    expect_decode_error("RIFF....WAVE", 12, AM_INVALID_FILE, "x.snd: ");
}

/* 16-bit mono WAV of `frames` samples whose header says it has `claimed` bytes of them. */
static size_t make_wav(uint8_t *out, uint32_t rate, uint32_t frames, uint32_t claimed)
{
    uint32_t head[] = {0x46464952, 36 + claimed, 0x45564157, 0x20746d66, 16,     0x00010001,
                       rate,       rate * 2,     0x00100002, 0x61746164, claimed};
    memcpy(out, head, sizeof head);
    for (uint32_t i = 0; i < 2 * frames; i++) out[sizeof head + i] = (uint8_t)(i * 37);
    return sizeof head + 2 * frames;
}

static void media_audio__does_not_believe_lengths(void **state)
{
    static const uint32_t claims[] = {200, 0, 64, 1000, 0x7fffffff, 0xfffffffe, 0xffffffff};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        uint8_t file[300];
        size_t length = make_wav(file, 16000, 100, claims[i]);
        uint8_t *copy = exact_copy(file, length);
        am_audio sound;
        am_status status = am_audio_decode(copy, length, "lie.wav", NULL, &sound);
        if (!status) assert_in_range(sound.frames, 1, 100);
        else am_test_expect_error(status, AM_INVALID_FILE, "lie.wav");
        am_audio_deinit(&sound);
        free(copy);
    }
}

static void media_audio__refuses_odd_rates(void **state)
{
    uint8_t file[300];
    size_t length = make_wav(file, 7, 100, 200);
    expect_decode_error(file, length, AM_UNSUPPORTED, "7 Hz; expected 1000 to 768000");
    length = make_wav(file, 4000000, 100, 200);
    expect_decode_error(file, length, AM_UNSUPPORTED, "4000000 Hz");
    length = make_wav(file, 16000, 100, 200);
    am_audio sound;
    am_test_expect_ok(am_audio_decode(file, length, "a.wav", NULL, &sound));
    am_test_expect_error(am_audio_resample(&sound, 3, NULL), AM_INVALID_ARGUMENT, "3 Hz");
    am_audio_deinit(&sound);
}

static void media_audio__keeps_to_limits(void **state)
{
    am_audio sound;
    const char *path = media_data("audio/files/short_16k_pcm16.wav"); /* 160 frames, 10 ms */
    am_test_expect_error(am_audio_open(path, &(am_audio_limits){.max_samples = 159}, &sound), AM_OUT_OF_MEMORY,
                         "more than the limit of 159 frames");
    am_test_expect_error(am_audio_open(path, &(am_audio_limits){.max_seconds = 0.0099}, &sound), AM_OUT_OF_MEMORY,
                         "158 frames");
    am_test_expect_ok(am_audio_open(path, &(am_audio_limits){.max_samples = 160, .max_seconds = 0.01}, &sound));
    am_test_expect_error(am_audio_resample(&sound, 48000, &(am_audio_limits){.max_samples = 479}), AM_OUT_OF_MEMORY,
                         "480 frames at 48000 Hz");
    am_test_expect_ok(am_audio_resample(&sound, 48000, &(am_audio_limits){.max_samples = 480}));
    am_audio_deinit(&sound);
}

static void media_audio__sees_truncated_flac(void **state)
{
    size_t length;
    am_audio sound;
    char *file = am_test_read_file(media_data("audio/files/voice_16k.flac"), &length);
    for (size_t cut = 42; cut + 1000 < length; cut += 977) {
        uint8_t *copy = exact_copy(file, cut);
        am_test_expect_error(am_audio_decode(copy, cut, "cut.flac", NULL, &sound), AM_INVALID_FILE, "cut.flac");
        free(copy);
    }
    free(file);
}

/* What comes after a first page that is not whole is not looked at. */
static void media_audio__wants_the_first_page_of_ogg_whole(void **state)
{
    size_t length;
    char *file = am_test_read_file(media_data("sounds/sine.ogg"), &length);
    file[40] ^= 1;
    expect_decode_error(file, length, AM_UNSUPPORTED, "nor one of Ogg that begins with a page");
    expect_decode_error(file, 30, AM_UNSUPPORTED, "nor one of Ogg");
    free(file);
}

static void media_audio__survives_changed_and_missing_bytes(void **state)
{
    static const char *const names[] = {"sounds/sine.mp3", "sounds/sine.ogg", "sounds/sine.opus",
                                        "audio/files/voice_8k_ulaw.wav", "audio/files/extensible_16k_pcm16.wav"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        size_t length;
        char *file = am_test_read_file(media_data(names[n]), &length);
        for (size_t at = 0; at < length && at < 600; at += 3) {
            uint8_t *copy = exact_copy(file, length);
            copy[at] ^= (uint8_t)(1u << (at * 5 % 8));
            size_t left = at % 2 ? length : length - at;
            am_audio sound;
            am_status_free(am_audio_decode(copy, left, "changed", &(am_audio_limits){.max_samples = 1 << 20}, &sound));
            am_audio_deinit(&sound);
            free(copy);
        }
        free(file);
    }
}

static am_status load_once(void *context)
{
    am_audio sound;
    am_status status = am_audio_load(context, 16000, NULL, &sound);
    if (status) assert_null(sound.samples);
    am_audio_deinit(&sound);
    return status;
}

static void media_audio__leaks_nothing_when_memory_is_short(void **state)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", media_data("audio/files/stereo_44k_24bit.flac"));
    expect_clean_failures(load_once, path);
}

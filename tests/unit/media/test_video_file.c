/* Frames are those of torchcodec 0.17 with FFmpeg 5.1 (tools/record/record_video_files.py). */
#include "media_support.h"

#include "base/sha256.h"
#include "media/video_file.h"

/* A file of data/videos, in a block of just its size. */
typedef struct clip {
    uint8_t *bytes;
    size_t size_bytes;
} clip;

static clip read_clip(const char *name)
{
    size_t size;
    char *bytes = am_test_read_file(media_data(am_test_format("videos/%s", name)), &size);
    clip c = {exact_copy(bytes, size), size};
    free(bytes);
    return c;
}

static void skip_without_decoding(void)
{
    if (am_video_files_are_built_in()) return;
    print_message("this build has no video decoding\n");
    skip();
}

static am_status open_clip(const clip *c, const am_video_limits *limits, am_video_file **out)
{
    return am_video_file_open(c->bytes, c->size_bytes, "clip", limits, out);
}

static void expect_open_error(clip c, const am_video_limits *limits, am_code code, const char *part)
{
    am_video_file *file;
    am_test_expect_error(open_clip(&c, limits, &file), code, part);
    assert_null(file);
    free(c.bytes);
}

static void media_video_file__says_what_a_build_without_decoding_needs(void **state)
{
    if (am_video_files_are_built_in()) {
        print_message("this build decodes videos\n");
        skip();
    }
    expect_open_error(read_clip("h264.mp4"), NULL, AM_UNSUPPORTED, "`make video`");
}

/* --- frames --- */

#if defined(__x86_64__)
static void expect_frame(const am_image *frame, am_json sha256, am_json corners)
{
    char digits[AM_SHA256_TEXT];
    (void)corners;
    am_sha256_digits_of(frame->pixels, (size_t)(frame->height * frame->width * 3), digits);
    assert_true(am_json_equals(sha256, digits));
}
#else
/* Elsewhere FFmpeg's colours are rounded otherwise. */
static void expect_frame(const am_image *frame, am_json sha256, am_json corners)
{
    const uint8_t *pixel = frame->pixels;
    (void)sha256;
    for (am_json_iterator i = am_json_iterate(corners); am_json_next(&i);) {
        const uint8_t *at = pixel;
        for (am_json_iterator k = am_json_iterate(i.value); am_json_next(&k); at++)
            assert_true(llabs(am_json_int(k.value, 999) - *at) <= 3);
        pixel = frame->pixels + (frame->height * frame->width - 1) * 3;
    }
}
#endif

/* The frames that are asked for, in this order: all from the last to the first, or every third. */
static void check_frames(am_video_file *file, am_json row, int64_t step)
{
    int64_t total = am_video_file_info(file)->frames, count = 0, at = 0;
    int64_t *indices = calloc((size_t)total, sizeof *indices);
    am_image *frames = calloc((size_t)total, sizeof *frames);
    assert_true(indices && frames);
    for (int64_t i = total - 1; i >= 0; i -= step) indices[count++] = i;
    am_test_expect_ok(am_video_file_read(file, indices, count, frames));
    am_json_iterator corners = am_json_iterate(am_json_get(row, "corners"));
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "sha256")); am_json_next(&i); at++) {
        assert_true(am_json_next(&corners));
        assert_int_equal(frames[at].pixels != NULL, (total - 1 - at) % step == 0);
        if (frames[at].pixels) expect_frame(&frames[at], i.value, corners.value);
        am_image_deinit(&frames[at]);
    }
    assert_int_equal(at, total);
    free(indices);
    free(frames);
}

static void check_file(am_json row)
{
    clip c = read_clip(am_json_text(am_json_get(row, "file")).bytes);
    am_video_file *file;
    am_test_expect_ok(open_clip(&c, NULL, &file));
    const am_video_info *info = am_video_file_info(file);
    assert_int_equal(info->frames, am_json_int(am_json_get(row, "frames"), -1));
    assert_int_equal(info->height, am_json_int(am_json_get(row, "height"), -1));
    assert_int_equal(info->width, am_json_int(am_json_get(row, "width"), -1));
    assert_true(info->fps == am_json_real(am_json_get(row, "fps"), -1.0));
    assert_true(info->duration == am_json_real(am_json_get(row, "duration"), -1.0));
    check_frames(file, row, 1);
    check_frames(file, row, 3);
    am_video_file_close(file);
    free(c.bytes);
}

static void media_video_file__frames_are_those_of_torchcodec(void **state)
{
    size_t length;
    skip_without_decoding();
    char *text = am_test_read_file(media_data("videos/expected.json"), &length);
    am_json_document *document = parse_json(text);
    int files = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "files")); am_json_next(&i); files++)
        check_file(i.value);
    assert_int_equal(files, 8);
    am_json_close(document);
    free(text);
}

/* --- what is refused --- */

static clip cut_clip(const char *name, size_t size_bytes)
{
    clip whole = read_clip(name), c = {exact_copy(whole.bytes, size_bytes), size_bytes};
    assert_true(size_bytes <= whole.size_bytes);
    free(whole.bytes);
    return c;
}

static void media_video_file__refuses_what_is_no_video(void **state)
{
    const char playlist[] = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
    const char list[] = "ffconcat version 1.0\nfile /etc/passwd\n";
    skip_without_decoding();
    expect_open_error((clip){exact_copy("", 0), 0}, NULL, AM_INVALID_FILE, "clip: ");
    expect_open_error((clip){exact_copy("not a video", 11), 11}, NULL, AM_INVALID_FILE, "not a video file");
    expect_open_error((clip){exact_copy(playlist, sizeof playlist - 1), sizeof playlist - 1}, NULL, AM_INVALID_FILE,
                      "not a video file");
    expect_open_error((clip){exact_copy(list, sizeof list - 1), sizeof list - 1}, NULL, AM_INVALID_FILE,
                      "not a video file");
    expect_open_error(cut_clip("h264.mp4", 1500), NULL, AM_INVALID_FILE, "clip: ");
    expect_open_error(cut_clip("moving.gif", 900), NULL, AM_INVALID_FILE, "no frames");
    size_t length;
    char *sound = am_test_read_file(media_data("sounds/sine.ogg"), &length);
    expect_open_error((clip){exact_copy(sound, length), length}, NULL, AM_INVALID_FILE, "it holds no video");
    free(sound);
}

static void media_video_file__keeps_to_limits(void **state)
{
    skip_without_decoding();
    expect_open_error(read_clip("h264.mp4"), &(am_video_limits){.max_frames = 11}, AM_OUT_OF_MEMORY,
                      "more than 11 frames");
    expect_open_error(read_clip("h264.mp4"), &(am_video_limits){.max_pixels = 1023}, AM_OUT_OF_MEMORY,
                      "frames of 32x32, more than the limit of 1023 pixels");
}

static void media_video_file__refuses_frames_that_are_not_there(void **state)
{
    const int64_t beyond[] = {12}, before[] = {-1};
    am_image frames[12] = {{0}};
    am_video_file *file;
    skip_without_decoding();
    clip c = read_clip("h264.mp4");
    am_test_expect_ok(open_clip(&c, NULL, &file));
    am_test_expect_error(am_video_file_read(file, beyond, 1, frames), AM_INVALID_ARGUMENT, "frame 12 of a video of 12");
    am_test_expect_error(am_video_file_read(file, before, 1, frames), AM_INVALID_ARGUMENT, "frame -1");
    am_video_file_close(file);
    free(c.bytes);
}

/* Whatever bytes are changed: frames or an error. */
static void media_video_file__survives_changed_bytes(void **state)
{
    static const char *const names[] = {"h264.mp4", "vp9.webm", "mpeg4.avi", "moving.gif"};
    const am_video_limits limits = {.max_frames = 64, .max_pixels = 1 << 14};
    skip_without_decoding();
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        clip c = read_clip(names[n]);
        for (size_t at = 0; at < c.size_bytes; at += 23) {
            am_video_file *file;
            am_image frames[64] = {{0}};
            const int64_t wanted[] = {0, 1};
            uint8_t kept = c.bytes[at];
            c.bytes[at] = (uint8_t)(kept ^ (1 + at % 255));
            am_status status = open_clip(&c, &limits, &file);
            if (!status)
                status = am_video_file_read(file, wanted, am_video_file_info(file)->frames > 1 ? 2 : 1, frames);
            am_status_free(status);
            for (int i = 0; i < 64; i++) am_image_deinit(&frames[i]);
            am_video_file_close(file);
            c.bytes[at] = kept;
        }
        free(c.bytes);
    }
}

static am_status open_and_read(void *context)
{
    const int64_t wanted[] = {1, 3};
    am_image frames[16] = {{0}};
    am_video_file *file;
    am_status status = open_clip(context, NULL, &file);
    if (!status) status = am_video_file_read(file, wanted, 2, frames);
    for (int i = 0; i < 16; i++) am_image_deinit(&frames[i]);
    am_video_file_close(file);
    return status;
}

static void media_video_file__leaks_nothing_when_memory_is_short(void **state)
{
    skip_without_decoding();
    clip c = read_clip("vp9.webm");
    expect_clean_failures(open_and_read, &c);
    free(c.bytes);
}

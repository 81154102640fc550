#include "media/media_support.h"

#include "base/buffer.h"
#include "base/threads.h"
#include "recorded/recorded.h"

#include <stdio.h>
#include <sys/stat.h>

static void print_line(void *context, const char *line)
{
    print_message("%s\n", line);
}

static void keep_line(void *context, const char *line)
{
    snprintf(context, 400, "%s", line);
}

static void recorded_media__images_are_as_recorded(void **state)
{
    am_recorded counts = {.on_line = print_line};
    am_test_expect_ok(am_recorded_images(media_data("image_processors"), &counts));
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.passed, 690);
    assert_int_equal(counts.unsupported, 0);
}

static void recorded_media__post_processing_is_as_recorded(void **state)
{
    am_recorded counts = {.on_line = print_line};
    am_test_expect_ok(am_recorded_images(media_data("post_processing"), &counts));
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.passed, 311);
    assert_int_equal(counts.unsupported, 0);
}

static void recorded_media__answers_about_images_are_as_recorded(void **state)
{
    am_recorded counts = {.on_line = print_line};
    am_test_expect_ok(am_recorded_pipelines(media_data("post_processing"), &counts));
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.passed, 26);
    assert_int_equal(counts.unsupported, 0);
}

/* An answer that was changed is found, whatever of it is; each case is a line of the file. */
static void recorded_media__compares_every_part_of_post_processing(void **state)
{
    static const char *const changes[][2] = {{"\"scores\":{", "\"score\":{"},
                                             {"\"id\":1,", "\"id\":7,"},
                                             {"\"label_id\":", "\"label_id\":9"},
                                             {"\"dtype\":\"int32\"", "\"dtype\":\"int64\""},
                                             {"\"segments_info\":[", "\"segments_info\":[{},"},
                                             {"\"result\":[", "\"result\":[{},"},
                                             {"\"crop_boxes\":{", "\"crops\":{"},
                                             {"\"masks\":[[36,", "\"masks\":[[35,"},
                                             {"\"masks\":[[36,", "\"masks\":[[],[36,"},
                                             {"\"text\":\"", "\"text\":\"x"},
                                             {"\"structure\":[\"", "\"structure\":[\"x"},
                                             {"\"error\":", "\"erro\":"}};
    size_t length;
    char *text = am_test_read_file(media_data("post_processing/post_processing.json"), &length);
    char line[400];
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *at = strstr(text, changes[i][0]);
        assert_non_null(at);
        am_recorded counts = {.on_line = keep_line, .context = line};
        const char *folder = am_test_temporary_directory();
        am_buffer changed = {0};
        char *begin = at, *end = strstr(at, "}");
        while (begin > text && begin[-1] != '\n') begin--;
        while (*end && *end != '\n') end++;
        while (end[-1] != '}') end--;
        if (*begin != '[') am_buffer_append_string(&changed, "[");
        am_buffer_append(&changed, begin, (size_t)(at - begin));
        am_buffer_append_string(&changed, changes[i][1]);
        at += strlen(changes[i][0]);
        am_buffer_append(&changed, at, (size_t)(end - at));
        am_buffer_append_string(&changed, "]");
        am_test_write_text(folder, "post_processing.json", am_buffer_text(&changed));
        am_buffer_deinit(&changed);
        am_test_expect_ok(am_recorded_images(folder, &counts));
        assert_int_equal(counts.failed, 1);
    }
    free(text);
}

static void recorded_media__sounds_are_as_recorded(void **state)
{
    am_recorded counts = {.on_line = print_line};
    am_test_expect_ok(am_recorded_sounds(media_data("audio"), &counts));
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.passed, 203);
    assert_int_equal(counts.unsupported, 0);
}

static void recorded_media__compressed_sounds_are_as_recorded(void **state)
{
    am_recorded counts = {.on_line = print_line};
    am_test_expect_ok(am_recorded_sounds(media_data("compressed"), &counts));
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.passed, 11);
}

static void copy_file(const char *from, const char *to)
{
    size_t length;
    char *bytes = am_test_read_file(from, &length);
    am_test_write_file(to, bytes, length);
    free(bytes);
}

/* A folder with the one sound of 160 samples and this loading.json. */
static am_recorded verify_loading(const char *loading, char line[400])
{
    am_recorded counts = {.on_line = keep_line, .context = line};
    const char *folder = am_test_temporary_directory();
    mkdir(am_test_format("%s/files", folder), 0700);
    copy_file(media_data("audio/files/short_16k_pcm16.wav"), am_test_format("%s/files/a.wav", folder));
    am_test_write_text(folder, "loading.json", loading);
    am_test_expect_ok(am_recorded_sounds(folder, &counts));
    return counts;
}

#define SHORT_SOUND "[{\"file\": \"a.wav\", \"sampling_rate\": 16000, \"loaded\": {\"16000\": "

static void recorded_media__reports_what_is_not_as_recorded(void **state)
{
    char line[400] = "";
    am_recorded counts = verify_loading(
        SHORT_SOUND "{\"shape\": [160], \"mean\": 0.0195987701, \"rms\": 0.115279335, \"all\": 0.5}}}]", line);
    assert_int_equal(counts.failed, 1);
    assert_int_equal(counts.passed, 0);
    assert_non_null(strstr(line, "loading a.wav at 16000 Hz: element 0 is "));
    counts = verify_loading(SHORT_SOUND "{\"shape\": [161], \"mean\": 0, \"rms\": 0, \"all\": 0}}}]", line);
    assert_int_equal(counts.failed, 1);
    assert_non_null(strstr(line, "shape [160], expected [161]"));
    counts = verify_loading(SHORT_SOUND "{\"shape\": [160], \"mean\": 0, \"rms\": 0}}}]", line);
    assert_int_equal(counts.failed, 1); /* nothing recorded is nothing passed */
    counts = verify_loading("[{\"file\": \"b.wav\", \"sampling_rate\": 16000, \"loaded\": {\"16000\": {}}}]", line);
    assert_int_equal(counts.failed, 1);
    assert_non_null(strstr(line, "b.wav"));
}

static void recorded_media__reports_pixels_that_are_not_as_recorded(void **state)
{
    char line[400] = "";
    am_recorded counts = {.on_line = keep_line, .context = line};
    const char *folder = am_test_temporary_directory();
    uint8_t pixels[30 * 30 * 3] = {1};
    mkdir(am_test_format("%s/images", folder), 0700);
    copy_file(media_data("image_processors/images/bilevel_30x30.png"), am_test_format("%s/images/a.png", folder));
    am_test_write_text(folder, "decoded.json", "[{\"file\": \"a.png\", \"loaded_shape\": [30, 30, 3], \"offset\": 0}]");
    am_test_write_file(am_test_format("%s/decoded.bin", folder), pixels, sizeof pixels);
    am_test_expect_ok(am_recorded_images(folder, &counts));
    assert_int_equal(counts.failed, 1);
    assert_non_null(strstr(line, "decoded a.png: byte 0"));
}

static void recorded_media__says_that_a_folder_is_not_there(void **state)
{
    am_recorded counts = {0};
    am_test_expect_error(am_recorded_images("/nowhere", &counts), AM_NOT_FOUND, "/nowhere");
    am_test_expect_error(am_recorded_sounds("/nowhere", &counts), AM_NOT_FOUND, "/nowhere");
}

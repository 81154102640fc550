#include "media_support.h"

#include "media/video_processor.h"

static am_status create(const char *json, const char *class_name, am_video_processor **out)
{
    am_json_document *document = parse_json(json);
    am_status status = am_video_processor_create(am_json_root(document), class_name, out);
    am_json_close(document);
    return status;
}

static am_video_processor *processor_of(const char *json, const char *class_name)
{
    am_video_processor *p;
    am_test_expect_ok(create(json, class_name, &p));
    return p;
}

static void expect_create_error(const char *json, am_code code, const char *part)
{
    am_video_processor *p;
    am_test_expect_error(create(json, NULL, &p), code, part);
    assert_null(p);
}

/* Frames whose first byte is their number. */
static void make_frames(am_image *frames, int64_t count, int64_t height, int64_t width)
{
    for (int64_t i = 0; i < count; i++) {
        am_test_expect_ok(am_image_create(width, height, &frames[i]));
        frames[i].pixels[0] = (uint8_t)i;
    }
}

static void deinit_frames(am_image *frames, int64_t count)
{
    for (int64_t i = 0; i < count; i++) am_image_deinit(&frames[i]);
}

static void expect_run_error(const char *json, const am_video *video, const am_video_options *options, am_code code,
                             const char *part)
{
    am_video_processor *p = processor_of(json, NULL);
    am_media_tensors made;
    am_test_expect_error(am_video_processor_run(p, video, 1, options, &made), code, part);
    am_media_tensors_deinit(&made);
    am_video_processor_close(p);
}

static void media_video_processor__configurations_are_checked(void **state)
{
    expect_create_error("[]", AM_INVALID_FILE, "expected an object");
    expect_create_error("{}", AM_UNSUPPORTED, "video processor \"\" is not one");
    expect_create_error("{\"video_processor_type\": \"ViTImageProcessor\"}", AM_UNSUPPORTED, "ViTImageProcessor");
    expect_create_error("{\"video_processor_type\": \"VideoMAEVideoProcessor\", \"num_frames\": 0}", AM_INVALID_FILE,
                        "num_frames: expected an integer from 1");
    expect_create_error("{\"video_processor_type\": \"VideoMAEVideoProcessor\", \"fps\": -1}", AM_INVALID_FILE,
                        "fps: expected a positive number");
    expect_create_error("{\"video_processor_type\": \"Cosmos3EdgeVideoProcessor\", \"temporal_patch_size\": 2}",
                        AM_INVALID_FILE, "temporal_patch_size: expected 1, found 2");
}

static void media_video_processor__samples_evenly(void **state)
{
    static const int64_t expected[] = {0, 3, 6};
    am_video_processor *p = processor_of("{}", "VivitVideoProcessor");
    int64_t *indices, count;
    am_test_expect_ok(
        am_video_processor_sample(p, &(am_video){.count = 10}, &(am_video_options){.num_frames = 3}, &indices, &count));
    assert_int_equal(count, 3);
    assert_memory_equal(indices, expected, sizeof expected);
    am_free(indices);
    am_video_processor_close(p);
}

static void media_video_processor__sampling_by_time_needs_the_videos_fps(void **state)
{
    am_video_processor *p = processor_of("{}", "VivitVideoProcessor");
    am_video video = {.count = 10};
    int64_t *indices, count;
    am_test_expect_error(am_video_processor_sample(p, &video, &(am_video_options){.fps = 2.0}, &indices, &count),
                         AM_INVALID_ARGUMENT, "how many the video of 10 frames has a second");
    video.fps = 4.0;
    am_test_expect_ok(am_video_processor_sample(p, &video, &(am_video_options){.fps = 2.0}, &indices, &count));
    assert_int_equal(count, 5);
    am_free(indices);
    am_test_expect_error(
        am_video_processor_sample(p, &video, &(am_video_options){.fps = 2.0, .num_frames = 2}, &indices, &count),
        AM_INVALID_ARGUMENT, "only one of them");
    am_test_expect_error(am_video_processor_sample(p, &video, &(am_video_options){.num_frames = 11}, &indices, &count),
                         AM_INVALID_ARGUMENT, "num_frames 11 are more than the video has, 10");
    am_video_processor_close(p);
}

static void media_video_processor__frames_outside_the_video_are_refused(void **state)
{
    am_video_processor *p = processor_of("{}", "MiniCPMV4_6VideoProcessor");
    am_video video = {.count = 4, .fps = 4.0, .duration = 3.0};
    int64_t *indices, count;
    am_test_expect_error(am_video_processor_sample(p, &video, &(am_video_options){0}, &indices, &count),
                         AM_INVALID_ARGUMENT, "frame 4 is sampled, but the video has 4");
    am_video_processor_close(p);
}

static void media_video_processor__no_frames_are_refused(void **state)
{
    am_video_processor *p = processor_of("{}", "Glm5NextVideoProcessor");
    am_video video = {.count = 2, .fps = 30.0, .duration = 0.07};
    int64_t *indices, count;
    am_test_expect_error(am_video_processor_sample(p, &video, &(am_video_options){0}, &indices, &count),
                         AM_INVALID_ARGUMENT, "no frame of a video of 2 is sampled");
    am_video_processor_close(p);
}

static void media_video_processor__videos_are_checked(void **state)
{
    static const char plain[] = "{\"video_processor_type\": \"VideoMAEVideoProcessor\"}";
    am_image frames[2] = {{0}};
    am_video video = {.frames = frames, .count = 2};
    make_frames(frames, 1, 8, 9);
    make_frames(frames + 1, 1, 8, 10);
    expect_run_error(plain, &video, &(am_video_options){0}, AM_INVALID_ARGUMENT,
                     "frame 1 is of 8x10, the first of 8x9 pixels");
    expect_run_error(plain, &(am_video){.frames = frames}, &(am_video_options){0}, AM_INVALID_ARGUMENT,
                     "a video of 0 frames");
    deinit_frames(frames, 2);
}

static void media_video_processor__what_cannot_be_done_is_said(void **state)
{
    am_image frames[2] = {{0}};
    am_video video = {.frames = frames, .count = 2, .fps = 1.0, .duration = 2.0};
    const bool all = false;
    make_frames(frames, 2, 30, 31);
    expect_run_error("{\"video_processor_type\": \"Ernie4_5_VLMoeVideoProcessor\"}", &video, &(am_video_options){0},
                     AM_UNSUPPORTED, "draw_on_frames");
    expect_run_error("{\"video_processor_type\": \"Qwen2VLVideoProcessor\", \"do_resize\": false}", &video,
                     &(am_video_options){0}, AM_INVALID_ARGUMENT, "30x31 pixels");
    expect_run_error("{\"video_processor_type\": \"Qwen3VLVideoProcessor\", \"temporal_patch_size\": 4}", &video,
                     &(am_video_options){.do_sample_frames = &all}, AM_INVALID_ARGUMENT,
                     "2 frames; expected at least temporal_patch_size, 4");
    deinit_frames(frames, 2);
}

static void media_video_processor__bytes_stay_bytes_unless_they_are_rescaled(void **state)
{
    am_video_processor *p = processor_of("{}", "PeVideoVideoProcessor");
    am_image frames[3] = {{0}};
    am_video video = {.frames = frames, .count = 3};
    const am_tensor *out;
    am_media_tensors made;
    make_frames(frames, 3, 2, 5);
    am_test_expect_ok(am_video_processor_run(p, &video, 1, &(am_video_options){0}, &made));
    am_test_expect_ok(am_media_tensors_get(&made, "pixel_values_videos", &out));
    assert_int_equal(out->dtype, AM_U8);
    for (int i = 0; i < 3; i++) assert_int_equal(((const uint8_t *)out->data)[i * 3 * 2 * 5], i);
    am_media_tensors_deinit(&made);
    am_video_processor_close(p);
    deinit_frames(frames, 3);
}

typedef struct run_case {
    const char *class_name;
    am_video video;
} run_case;

static am_status run_all(void *context)
{
    const run_case *c = context;
    am_json_document *document = NULL;
    am_video_processor *p = NULL;
    am_media_tensors made = {0};
    am_status status = am_json_parse("{}", 2, "test", &document);
    if (!status) status = am_video_processor_create(am_json_root(document), c->class_name, &p);
    if (!status) status = am_video_processor_run(p, &c->video, 1, &(am_video_options){0}, &made);
    am_media_tensors_deinit(&made);
    am_video_processor_close(p);
    am_json_close(document);
    return status;
}

static void media_video_processor__failing_allocations_leave_nothing_behind(void **state)
{
    am_image frames[4] = {{0}};
    make_frames(frames, 4, 16, 20);
    run_case c = {"Cosmos3EdgeVideoProcessor", {.frames = frames, .count = 4, .fps = 2.0, .duration = 2.0}};
    expect_clean_failures(run_all, &c);
    c.class_name = "MiniCPMOcrVideoProcessor";
    expect_clean_failures(run_all, &c);
    deinit_frames(frames, 4);
}

#include "test_support.h"

#include "base/file.h"
#include "media/image.h"
#include "tasks/vision.h"
#include "tensor/shape.h"

#include <anymodel/anymodel.h>

#include <string.h>

static const char *picture_data(const char *name)
{
    return am_test_source_path(am_test_format("tests/unit/tasks/data/picture/%s", name));
}

static am_status run_task(const char *model, const char *task, const char *options, char **out)
{
    am_model *opened;
    am_task_input input = {.path = picture_data("photo.png")};
    *out = NULL;
    am_status status = am_model_open(model, NULL, &opened);
    if (!status) status = am_model_run(opened, task, &input, options, out);
    am_model_close(opened);
    return status;
}

/* ViTForMaskedImageModeling, whose answer as a picture was recorded. */
static void tasks_vision__writes_the_picture_that_a_model_makes(void **state)
{
    const char *path = am_test_format("%s/made.png", am_test_temporary_directory());
    char *answer;
    am_image found, expected;
    am_test_expect_ok(
        run_task(picture_data(""), "image-to-image", am_test_format("{\"output\": \"%s\"}", path), &answer));
    assert_string_equal(answer, "{\"size\": [16, 16]}");
    am_string_free(answer);
    am_test_expect_ok(am_image_open(path, 0, &found));
    am_test_expect_ok(am_image_open(picture_data("expected.png"), 0, &expected));
    assert_int_equal(found.width, expected.width);
    assert_int_equal(found.height, expected.height);
    assert_memory_equal(found.pixels, expected.pixels, (size_t)(found.width * found.height * 3));
    am_image_deinit(&found);
    am_image_deinit(&expected);
}

static void tasks_vision__writes_nothing_where_there_is_no_answer(void **state)
{
    const char *path = am_test_format("%s/none.png", am_test_temporary_directory());
    const char *options = am_test_format("{\"output\": \"%s\"}", path);
    char *answer;
    am_test_expect_error(run_task(picture_data(""), "object-detection", options, &answer), AM_UNSUPPORTED,
                         "ViTImageProcessor has no post_process_object_detection");
    am_test_expect_error(run_task(picture_data(""), "image-segmentation", "{\"subtask\": \"panoptic\"}", &answer),
                         AM_UNSUPPORTED, "ViTImageProcessor has no segmentation");
    am_test_expect_error(run_task(picture_data(""), "image-to-image", "{\"output\": 3}", &answer), AM_INVALID_ARGUMENT,
                         "option output");
    am_test_expect_error(
        run_task(picture_data(""), "image-to-image", "{\"output\": \"/no/such/folder/x.png\"}", &answer), AM_NOT_FOUND,
        "/no/such/folder");
    assert_false(am_file_exists(path));
}

/* What a task says and draws of outputs, freed by release. */
typedef struct drawn {
    am_image_processor *processor;
    am_json_document *settings;
    am_media_tensors tensors;
    am_image picture;
    am_vision_outputs outputs;
    am_buffer answer;
} drawn;

static drawn draw(const char *class_name, const char *settings)
{
    drawn d = {.outputs = {.size = {4, 6}}};
    am_test_expect_ok(am_json_parse(settings, strlen(settings), "settings", &d.settings));
    d.outputs.config = am_json_root(d.settings);
    d.outputs.options = am_json_get(am_json_root(d.settings), "options");
    am_test_expect_ok(am_image_processor_create(am_json_root(d.settings), class_name, &d.processor));
    d.outputs.processor = d.processor;
    am_test_expect_ok(am_image_create(6, 4, &d.picture));
    return d;
}

static void give(drawn *d, const char *name, am_shape shape, const float *values)
{
    am_tensor *tensor;
    am_test_expect_ok(am_media_tensors_add(&d->tensors, name, AM_F32, &shape, &tensor));
    memcpy(tensor->data, values, (size_t)am_shape_count(&shape) * sizeof *values);
    d->outputs.tensors = &d->tensors;
    d->outputs.picture = &d->picture;
}

static void release(drawn *d)
{
    am_buffer_deinit(&d->answer);
    am_image_deinit(&d->picture);
    am_media_tensors_deinit(&d->tensors);
    am_image_processor_close(d->processor);
    am_json_close(d->settings);
}

static void assert_pixel(const drawn *d, int y, int x, int red, int green, int blue)
{
    const uint8_t *pixel = d->picture.pixels + 3 * (y * d->picture.width + x);
    assert_int_equal(pixel[0], red);
    assert_int_equal(pixel[1], green);
    assert_int_equal(pixel[2], blue);
}

static void tasks_vision__draws_boxes_in_the_colors_of_the_answer(void **state)
{
    const float logits[] = {9, 0, 0, 0, 0, 9}, boxes[] = {0.5f, 0.5f, 0.5f, 1.0f, 0, 0, 0, 0};
    drawn d = draw("DetrImageProcessor", "{\"id2label\": {\"0\": \"cat\"}}");
    give(&d, "logits", am_shape_of(1, 2, 3), logits);
    give(&d, "pred_boxes", am_shape_of(1, 2, 4), boxes);
    am_test_expect_ok(am_append_detections(&d.outputs, &d.answer));
    assert_non_null(strstr(am_buffer_text(&d.answer), "\"label\": \"cat\", \"box\": {\"xmin\": 1, \"ymin\": 0, "
                                                      "\"xmax\": 4, \"ymax\": 4}, \"color\": \"#ff0000\"}]"));
    assert_pixel(&d, 0, 1, 255, 0, 0);
    assert_pixel(&d, 3, 4, 255, 0, 0);
    assert_pixel(&d, 1, 2, 0, 0, 0);
    assert_pixel(&d, 0, 5, 0, 0, 0);
    release(&d);
}

static void tasks_vision__paints_masks_over_the_picture(void **state)
{
    const float logits[] = {1, 0, 0, 0, 1, 1}; /* the first column is of class 0, the others of class 1 */
    drawn d = draw("SegformerImageProcessor", "{\"id2label\": {\"1\": \"sky\"}}");
    d.outputs.size = (am_plane_size){1, 3};
    am_image_deinit(&d.picture);
    am_test_expect_ok(am_image_create(3, 1, &d.picture));
    give(&d, "logits", am_shape_of(1, 2, 1, 3), logits);
    am_test_expect_ok(am_append_segments(&d.outputs, &d.answer));
    const char *answer = am_buffer_text(&d.answer);
    assert_non_null(
        strstr(answer, "{\"score\": null, \"label\": \"LABEL_0\", \"mask\": {\"size\": [1, 3], \"counts\": [0, 1, 2]}, "
                       "\"color\": \"#ff0000\"}"));
    assert_non_null(strstr(answer, "\"label\": \"sky\", \"mask\": {\"size\": [1, 3], \"counts\": [1, 2]}"));
    assert_pixel(&d, 0, 0, 128, 0, 0);
    assert_true(d.picture.pixels[5] > 0); /* the second colour is a blue */
    release(&d);
}

static void tasks_vision__paints_depth_from_black_to_white(void **state)
{
    const float depth[] = {1, 2, 3, 4, 5, 6};
    drawn d = draw("GLPNImageProcessor", "{}");
    d.outputs.size = (am_plane_size){2, 3};
    give(&d, "predicted_depth", am_shape_of(1, 2, 3), depth);
    am_test_expect_ok(am_append_depth(&d.outputs, &d.answer));
    assert_string_equal(am_buffer_text(&d.answer), "{\"predicted_depth\": [[1, 2, 3], [4, 5, 6]]}");
    assert_int_equal(d.picture.width, 3);
    assert_pixel(&d, 0, 0, 0, 0, 0);
    assert_pixel(&d, 0, 1, 51, 51, 51);
    assert_pixel(&d, 1, 2, 255, 255, 255);
    release(&d);
}

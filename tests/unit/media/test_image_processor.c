#include "media_support.h"

#include "base/threads.h"
#include "media/images/processor.h"

static am_status init_from(const char *json, const char *class_name, am_image_processor **out)
{
    am_json_document *document = parse_json(json);
    am_status status = am_image_processor_create(am_json_root(document), class_name, out);
    am_json_close(document);
    return status;
}

static am_image_processor *processor_of(const char *json, const char *class_name)
{
    am_image_processor *p;
    am_test_expect_ok(init_from(json, class_name, &p));
    return p;
}

static void expect_init_error(const char *json, am_code code, const char *part)
{
    am_image_processor *p;
    am_test_expect_error(init_from(json, NULL, &p), code, part);
    assert_null(p);
}

static am_image gradient(int64_t width, int64_t height)
{
    am_image image;
    am_test_expect_ok(am_image_create(width, height, &image));
    for (int64_t i = 0; i < width * height * 3; i++) image.pixels[i] = (uint8_t)(i * 7 % 256);
    return image;
}

/* The tensor of one run, borrowed from *made. */
static const am_tensor *run_once_of(const am_image_processor *p, const am_image *images, int64_t count,
                                    am_media_tensors *made)
{
    const am_image_inputs inputs = {.images = images, .count = count};
    const am_tensor *out;
    am_test_expect_ok(am_image_processor_run(p, &inputs, made));
    am_test_expect_ok(am_media_tensors_get(made, "pixel_values", &out));
    return out;
}

static void expect_run_error(const am_image_processor *p, const am_image *images, int64_t count, am_code code,
                             const char *part)
{
    const am_image_inputs inputs = {.images = images, .count = count};
    am_media_tensors made;
    const am_tensor *out;
    am_status status = am_image_processor_run(p, &inputs, &made);
    if (!status) status = am_media_tensors_get(&made, "pixel_values", &out);
    am_test_expect_error(status, code, part);
    am_media_tensors_deinit(&made);
}

/* What an image of these sides becomes. */
static void expect_size(const char *json, int64_t in_height, int64_t in_width, int64_t height, int64_t width)
{
    am_image_processor *p = processor_of(json, NULL);
    am_image image = gradient(in_width, in_height);
    am_media_tensors made;
    const am_tensor *out = run_once_of(p, &image, 1, &made);
    assert_int_equal(out->shape.dims[2], height);
    assert_int_equal(out->shape.dims[3], width);
    am_media_tensors_deinit(&made);
    am_image_processor_close(p);
    am_image_deinit(&image);
}

static void media_image_processor__knows_old_and_new_names(void **state)
{
    static const struct {
        const char *name, *kind;
        am_image_backend backend;
    } names[] = {{"ViTImageProcessor", "ViTImageProcessor", AM_IMAGE_TORCHVISION},
                 {"ViTImageProcessorFast", "ViTImageProcessor", AM_IMAGE_TORCHVISION},
                 {"ViTImageProcessorPil", "ViTImageProcessor", AM_IMAGE_PIL},
                 {"CLIPFeatureExtractor", "CLIPImageProcessor", AM_IMAGE_TORCHVISION},
                 {"ConvNextImageProcessorPil", "ConvNextImageProcessor", AM_IMAGE_PIL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        am_image_processor *p = processor_of(am_test_format("{\"image_processor_type\": \"%s\"}", names[i].name), NULL);
        assert_string_equal(am_image_processor_name(p), names[i].kind);
        assert_int_equal(am_image_processor_backend(p), names[i].backend);
        am_image_processor_close(p);
    }
    am_image_processor *p = processor_of("{\"feature_extractor_type\": \"DeiTFeatureExtractor\"}", NULL);
    assert_string_equal(am_image_processor_name(p), "DeiTImageProcessor");
    am_image_processor_close(p);
}

static void media_image_processor__names_a_class_that_is_not_there(void **state)
{
    expect_init_error("{\"image_processor_type\": \"SomeImageProcessor\"}", AM_UNSUPPORTED, "\"SomeImageProcessor\"");
    expect_init_error("{\"image_processor_type\": \"ViT\"}", AM_UNSUPPORTED, "\"ViT\"");
    expect_init_error("{\"image_processor_type\": \"ImageProcessor\"}", AM_UNSUPPORTED, "\"ImageProcessor\"");
    expect_init_error("{\"image_processor_type\": \"\"}", AM_INVALID_FILE, "image_processor_type");
    expect_init_error("{}", AM_INVALID_FILE, "image_processor_type");
    expect_init_error("[]", AM_INVALID_FILE, "expected an object, found an array");
}

static void media_image_processor__reads_all_forms_of_size(void **state)
{
    expect_size("{\"image_processor_type\": \"ViTImageProcessor\", \"size\": 30}", 10, 20, 30, 30);
    expect_size("{\"image_processor_type\": \"ViTImageProcessor\", \"size\": [30, 40]}", 10, 20, 30, 40);
    expect_size("{\"image_processor_type\": \"ViTImageProcessor\", \"size\": null}", 10, 20, 224, 224);
    expect_size("{\"image_processor_type\": \"ViTImageProcessor\", \"size\": {\"shortest_edge\": 30}}", 10, 25, 30, 75);
    expect_size("{\"image_processor_type\": \"ViTImageProcessor\", \"size\": {\"shortest_edge\": 30}}", 25, 10, 75, 30);
    expect_size("{\"image_processor_type\": \"ViTImageProcessor\", \"size\": {\"shortest_edge\": 30, "
                "\"longest_edge\": 50}}",
                10, 25, 20, 50);
    expect_size("{\"image_processor_type\": \"ViTImageProcessor\", \"size\": {\"max_height\": 30, "
                "\"max_width\": 50}}",
                10, 25, 20, 50);
    expect_size("{\"image_processor_type\": \"CLIPImageProcessor\", \"do_center_crop\": false, \"size\": 30}", 10, 20,
                30, 60);
    expect_size("{\"image_processor_type\": \"CLIPImageProcessor\", \"crop_size\": 28, \"size\": 30}", 10, 20, 28, 28);
    expect_size("{\"image_processor_type\": \"ViTImageProcessor\", \"do_resize\": false}", 10, 20, 10, 20);
}

static void media_image_processor__crops_small_pictures_as_convnext_does(void **state)
{
    expect_size("{\"image_processor_type\": \"ConvNextImageProcessor\", \"size\": 224}", 300, 400, 224, 224);
    expect_size("{\"image_processor_type\": \"ConvNextImageProcessor\"}", 300, 400, 384, 384);
    am_image_processor *p = processor_of("{\"size\": {\"height\": 224, \"width\": 224}}", "ConvNextImageProcessor");
    am_image image = gradient(4, 4);
    expect_run_error(p, &image, 1, AM_INVALID_FILE, "shortest_edge");
    am_image_deinit(&image);
    am_image_processor_close(p);
}

static void media_image_processor__refuses_values_that_make_no_sense(void **state)
{
#define VIT "{\"image_processor_type\": \"ViTImageProcessor\", "
    expect_init_error(VIT "\"size\": -3}", AM_INVALID_FILE,
                      "size.height: expected an integer from 0 to 178956970, found -3");
    expect_init_error(VIT "\"size\": {\"height\": 1e300}}", AM_INVALID_FILE, "size.height");
    expect_init_error(VIT "\"size\": \"big\"}", AM_INVALID_FILE,
                      "size.height: expected an integer from 0 to 178956970, found a string");
    expect_init_error(VIT "\"resample\": 9}", AM_INVALID_FILE, "resample: expected an integer from 0 to 5, found 9");
    expect_init_error(VIT "\"do_resize\": 1}", AM_INVALID_FILE, "do_resize: expected true or false, found an integer");
    expect_init_error(VIT "\"image_mean\": [1, 2]}", AM_INVALID_FILE, "image_mean: expected a number or 3 numbers");
    expect_init_error(VIT "\"image_std\": [1, 0, 1]}", AM_INVALID_FILE, "image_std");
    expect_init_error(VIT "\"image_mean\": [1, \"x\", 1]}", AM_INVALID_FILE, "image_mean");
    expect_init_error(VIT "\"rescale_factor\": 0}", AM_INVALID_FILE, "rescale_factor");
    expect_init_error(VIT "\"do_center_crop\": true}", AM_INVALID_FILE, "crop_size");
    am_image images[2] = {gradient(4, 4), gradient(900, 4)};
    am_image_processor *p = processor_of(VIT "\"size\": {\"longest_edge\": 30}}", NULL);
    expect_run_error(p, images, 1, AM_INVALID_FILE, "size");
    am_image_processor_close(p);
    p = processor_of(VIT "\"size\": {\"max_height\": 1, \"max_width\": 1}}", NULL);
    expect_run_error(p, images + 1, 1, AM_INVALID_FILE, "0x1");
    am_image_processor_close(p);
    am_image_deinit(&images[0]);
    am_image_deinit(&images[1]);
}

/* torchvision puts the odd row of zeros below, transformers' numpy path above. */
static void media_image_processor__pads_small_pictures_as_the_backend_does(void **state)
{
    am_image image = gradient(2, 2);
    am_image_processor *p = processor_of("{\"do_resize\": false, \"do_center_crop\": true, \"crop_size\": 5, "
                                         "\"do_rescale\": false, \"do_normalize\": false}",
                                         "CLIPImageProcessor");
    for (int backend = AM_IMAGE_TORCHVISION; backend <= AM_IMAGE_PIL; backend++) {
        p->backend = (am_image_backend)backend;
        am_media_tensors made;
        const am_tensor *out = run_once_of(p, &image, 1, &made);
        int first = backend == AM_IMAGE_PIL ? 2 : 1;
        for (int i = 0; i < 25; i++) {
            int y = i / 5 - first, x = i % 5 - first;
            bool inside = y >= 0 && y < 2 && x >= 0 && x < 2;
            assert_int_equal((int)((float *)out->data)[i], inside ? image.pixels[3 * (2 * y + x)] : 0);
        }
        am_media_tensors_deinit(&made);
    }
    am_image_processor_close(p);
    am_image_deinit(&image);
}

static void media_image_processor__crops_in_one_direction_and_pads_in_the_other(void **state)
{
    am_image image = gradient(9, 2);
    am_image_processor *p = processor_of("{\"do_resize\": false, \"do_center_crop\": true, \"crop_size\": [4, 4], "
                                         "\"do_rescale\": false, \"do_normalize\": false}",
                                         "CLIPImageProcessor");
    am_media_tensors made;
    const am_tensor *out = run_once_of(p, &image, 1, &made);
    for (int i = 0; i < 16; i++) {
        int y = i / 4 - 1, x = i % 4 + 2;
        assert_int_equal((int)((float *)out->data)[i], y >= 0 && y < 2 ? image.pixels[3 * (9 * y + x)] : 0);
    }
    am_media_tensors_deinit(&made);
    am_image_processor_close(p);
    am_image_deinit(&image);
}

static void media_image_processor__paints_the_transparent_color_white(void **state)
{
    am_image image = gradient(3, 1);
    image.has_transparent_color = true;
    memcpy(image.transparent_color, image.pixels + 3, 3);
    for (int convert = 0; convert < 2; convert++) {
        am_image_processor *p =
            processor_of("{\"do_resize\": false, \"do_rescale\": false, \"do_normalize\": false}", "ViTImageProcessor");
        p->do_convert_rgb = convert;
        am_media_tensors made;
        const float *red = run_once_of(p, &image, 1, &made)->data;
        assert_int_equal((int)red[0], image.pixels[0]);
        assert_int_equal((int)red[1], convert ? 255 : image.pixels[3]);
        assert_int_equal((int)red[2], image.pixels[6]);
        am_media_tensors_deinit(&made);
        am_image_processor_close(p);
    }
    am_image_deinit(&image);
}

static void media_image_processor__makes_a_batch_of_equal_sizes_only(void **state)
{
    am_image images[2] = {gradient(4, 6), gradient(6, 4)};
    am_image_processor *p = processor_of("{\"do_resize\": false}", "ViTImageProcessor");
    am_media_tensors made;
    expect_run_error(p, images, 2, AM_INVALID_ARGUMENT, "number 0 comes out as [3, 6, 4], number 1 as [3, 4, 6]");
    expect_run_error(p, images, 0, AM_INVALID_ARGUMENT, "0 images");
    p->do_resize = true;
    const am_tensor *out = run_once_of(p, images, 2, &made);
    assert_int_equal(out->shape.rank, 4);
    assert_int_equal(out->shape.dims[0], 2);
    assert_int_equal(out->shape.dims[3], 224);
    am_media_tensors_deinit(&made);
    am_image_processor_close(p);
    am_image_deinit(&images[0]);
    am_image_deinit(&images[1]);
}

static void expect_case_error(const char *json, const am_image *image, am_code code, const char *part)
{
    am_image_processor *p = processor_of(json, NULL);
    expect_run_error(p, image, 1, code, part);
    am_image_processor_close(p);
}

static void media_image_processor__refuses_what_classes_cannot_do(void **state)
{
    am_image image = gradient(40, 9);
    expect_init_error("{\"image_processor_type\": \"TimmWrapperImageProcessor\"}", AM_INVALID_FILE, "pretrained_cfg");
    expect_init_error("{\"image_processor_type\": \"TimmWrapperImageProcessor\", \"pretrained_cfg\": "
                      "{\"interpolation\": \"random\"}}",
                      AM_INVALID_FILE, "none of PIL's filters");
    expect_init_error("{\"image_processor_type\": \"TimmWrapperImageProcessor\", \"pretrained_cfg\": "
                      "{\"input_size\": [3, 1048576, 1048576]}}",
                      AM_INVALID_FILE, "crop_pct");
    expect_case_error("{\"image_processor_type\": \"EomtImageProcessor\", \"do_split_image\": true, \"size\": "
                      "{\"shortest_edge\": 1, \"longest_edge\": 100000000}}",
                      &image, AM_INVALID_ARGUMENT, "windows of 4e+08 pixels");
    expect_case_error("{\"image_processor_type\": \"EomtImageProcessor\", \"do_pad\": true, \"size\": "
                      "{\"height\": 5, \"width\": 5}}",
                      &image, AM_INVALID_FILE, "shortest_edge");
    expect_case_error("{\"image_processor_type\": \"FlavaImageProcessor\", \"return_image_mask\": true}", &image,
                      AM_UNSUPPORTED, "return_image_mask");
    expect_case_error("{\"image_processor_type\": \"FlavaImageProcessor\", \"return_codebook_pixels\": true, "
                      "\"codebook_image_std\": 0.0}",
                      &image, AM_INVALID_FILE, "codebook: image_std");
    expect_case_error("{\"image_processor_type\": \"Owlv2ImageProcessor\", \"do_resize\": false}", &image,
                      AM_INVALID_ARGUMENT, "do_resize");
    expect_case_error("{\"image_processor_type\": \"Owlv2ImageProcessor\", \"do_pad\": false, \"size\": "
                      "{\"height\": 1, \"width\": 1}}",
                      &image, AM_INVALID_ARGUMENT, "a blur of 59 pixels to each side of a picture of 9");
    expect_case_error("{\"image_processor_type\": \"PPOCRV5ServerDetImageProcessor\", \"limit_type\": \"most\"}",
                      &image, AM_INVALID_FILE, "limit_type");
    expect_case_error("{\"image_processor_type\": \"SLANeXtImageProcessor\", \"size\": {\"height\": 1, \"width\": 1}}",
                      &image, AM_INVALID_ARGUMENT, "a picture of 0x1");
    expect_case_error("{\"image_processor_type\": \"VitMatteImageProcessor\"}", &image, AM_INVALID_ARGUMENT, "trimap");
    expect_case_error("{\"image_processor_type\": \"VitPoseImageProcessor\"}", &image, AM_INVALID_ARGUMENT, "boxes");
    am_image_deinit(&image);
}

static void expect_boxes_error(const char *arguments, const char *part)
{
    am_image image = gradient(40, 9);
    am_image_processor *p = processor_of("{\"image_processor_type\": \"VitPoseImageProcessor\"}", NULL);
    am_json_document *document = parse_json(arguments);
    am_image_inputs inputs = {.images = &image, .count = 1, .arguments = am_json_root(document)};
    am_media_tensors made;
    am_test_expect_error(am_image_processor_run(p, &inputs, &made), AM_INVALID_ARGUMENT, part);
    am_media_tensors_deinit(&made);
    am_json_close(document);
    am_image_processor_close(p);
    am_image_deinit(&image);
}

static void media_image_processor__refuses_boxes_that_are_none(void **state)
{
    expect_boxes_error("{\"boxes\": [[[1, 2, 3]]]}", "expected [x, y, width, height]");
    expect_boxes_error("{\"boxes\": [[[1, 2, 3, -4]]]}", "expected [x, y, width, height]");
    expect_boxes_error("{\"boxes\": [[[1, 2, 0, 0]]]}", "expected [x, y, width, height]");
    expect_boxes_error("{\"boxes\": [[[1, 2, \"a\", 3]]]}", "expected [x, y, width, height]");
    expect_boxes_error("{\"boxes\": [[], [[1, 2, 3, 4]]]}", "none for the images");
}

static void media_image_processor__refuses_channels_that_are_not_made_rgb(void **state)
{
    am_image image;
    am_test_expect_ok(am_image_open_stored(media_data("image_processors/images/la_24x24.png"), 0, &image));
    assert_int_equal(image.channels, 2);
    expect_case_error("{\"image_processor_type\": \"ViTImageProcessor\"}", &image, AM_INVALID_ARGUMENT,
                      "an image of 2 channels");
    am_image_deinit(&image);
    am_test_expect_ok(am_image_open_stored(media_data("formats/exif6.webp"), 0, &image));
    assert_int_equal(image.channels, 3);
    am_image upright;
    am_test_expect_ok(am_image_open(media_data("formats/exif6.webp"), 0, &upright));
    assert_int_equal(image.width, upright.height);
    am_image_deinit(&upright);
    am_image_deinit(&image);
}

static void media_image_processor__opens_a_directory(void **state)
{
    const char *directory = am_test_temporary_directory();
    am_image_processor *p;
    am_test_expect_error(am_image_processor_open(directory, &p), AM_NOT_FOUND, "preprocessor_config.json");
    am_test_write_text(directory, "preprocessor_config.json", "{\"image_processor_type\": \"ViTImageProcessorFast\"}");
    am_test_expect_ok(am_image_processor_open(directory, &p));
    assert_string_equal(am_image_processor_name(p), "ViTImageProcessor");
    am_image_processor_close(p);
    am_test_write_text(directory, "processor_config.json", "{\"processor_class\": \"CLIPProcessor\"}");
    am_test_expect_ok(am_image_processor_open(directory, &p)); /* has no nested configuration */
    assert_string_equal(am_image_processor_name(p), "ViTImageProcessor");
    am_image_processor_close(p);
    am_test_write_text(directory, "processor_config.json",
                       "{\"image_processor\": {\"image_processor_type\": \"CLIPImageProcessor\"}}");
    am_test_expect_ok(am_image_processor_open(directory, &p));
    assert_string_equal(am_image_processor_name(p), "CLIPImageProcessor");
    am_image_processor_close(p);
    am_test_write_text(directory, "processor_config.json", "{\"image_processor\": {\"image_processor_type\": \"X\"}}");
    am_test_expect_error(am_image_processor_open(directory, &p), AM_UNSUPPORTED,
                         "processor_config.json: image processor \"X\"");
}

static void media_image_processor__takes_the_class_from_the_model_type(void **state)
{
    const char *directory = am_test_temporary_directory();
    am_image_processor *p;
    am_test_write_text(directory, "preprocessor_config.json", "{\"crop_pct\": 0.5}");
    am_test_write_text(directory, "config.json", "{\"model_type\": \"resnet\"}");
    am_test_expect_ok(am_image_processor_open(directory, &p));
    assert_string_equal(am_image_processor_name(p), "ConvNextImageProcessor");
    am_image_processor_close(p);
    am_test_write_text(directory, "preprocessor_config.json", "{\"feature_extractor_type\": \"ViTFeatureExtractor\"}");
    am_test_expect_ok(am_image_processor_open(directory, &p));
    assert_string_equal(am_image_processor_name(p), "ViTImageProcessor");
    am_image_processor_close(p);
}

static am_status run_once(void *context)
{
    am_image_processor *p = NULL;
    am_json_document *document = NULL;
    const char *text = "{\"image_processor_type\": \"CLIPImageProcessor\", \"size\": 20, \"crop_size\": 16}";
    AM_TRY(am_json_parse(text, strlen(text), "test", &document));
    am_status status = am_image_processor_create(am_json_root(document), NULL, &p);
    am_json_close(document);
    const am_image_inputs inputs = {.images = context, .count = 1};
    am_media_tensors out = {0};
    if (!status) status = am_image_processor_run(p, &inputs, &out);
    am_media_tensors_deinit(&out);
    am_image_processor_close(p);
    return status;
}

static void media_image_processor__leaks_nothing_when_memory_is_short(void **state)
{
    am_image image = gradient(14, 9);
    image.has_transparent_color = true;
    am_test_expect_ok(am_threads_set(1));
    expect_clean_failures(run_once, &image);
    am_test_expect_ok(am_threads_set(0));
    am_image_deinit(&image);
}

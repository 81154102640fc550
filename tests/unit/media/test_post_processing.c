/* Answers are compared with recorded ones in tests/unit/recorded; here is what is refused. */
#include "media_support.h"

#include "media/post_processing/boxes.h"
#include "media/post_processing/post_processing.h"
#include "tensor/shape.h"

/* A call with outputs of zeros. */
typedef struct call {
    const char *class_name, *method, *options;
    struct {
        const char *name;
        am_shape shape;
    } outputs[4];
} call;

static am_status run(void *context)
{
    const call *c = context;
    am_json_document *document = NULL;
    am_image_processor *processor = NULL;
    am_media_tensors outputs = {0};
    am_post_results results = {0};
    am_tensor *tensor;
    am_status status = am_json_parse("{}", 2, "settings", &document);
    if (!status) status = am_image_processor_create(am_json_root(document), c->class_name, &processor);
    am_json_close(document);
    document = NULL;
    if (!status && c->options) status = am_json_parse(c->options, strlen(c->options), "options", &document);
    for (int i = 0; i < 4 && c->outputs[i].name && !status; i++)
        status = am_media_tensors_add(&outputs, c->outputs[i].name, AM_F32, &c->outputs[i].shape, &tensor);
    if (!status) status = am_post_process(processor, c->method, &outputs, am_json_root(document), &results);
    am_post_results_deinit(&results);
    am_media_tensors_deinit(&outputs);
    am_image_processor_close(processor);
    am_json_close(document);
    return status;
}

static void expect_refusal(call c, am_code code, const char *part)
{
    am_test_expect_error(run(&c), code, part);
}

#define DETECTION "post_process_object_detection"

static void media_post_processing__refuses_methods_that_a_class_has_not(void **state)
{
    expect_refusal((call){.class_name = "ViTImageProcessor", .method = DETECTION}, AM_UNSUPPORTED,
                   "ViTImageProcessor has no post_process_object_detection");
    expect_refusal((call){.class_name = "DetrImageProcessor", .method = "post_process_dreams"}, AM_UNSUPPORTED,
                   "has no post_process_dreams");
}

static call detection(const char *options)
{
    return (call){"DetrImageProcessor",
                  DETECTION,
                  options,
                  {{"logits", am_shape_of(2, 3, 4)}, {"pred_boxes", am_shape_of(2, 3, 4)}}};
}

static void media_post_processing__refuses_outputs_that_do_not_fit(void **state)
{
    call c = detection(NULL);
    am_test_expect_ok(run(&c));
    c.outputs[1].name = NULL;
    expect_refusal(c, AM_INVALID_ARGUMENT, "there is no pred_boxes");
    c = detection(NULL);
    c.outputs[1].shape = am_shape_of(2, 4, 4);
    expect_refusal(c, AM_INVALID_ARGUMENT, "pred_boxes: dimension 1: expected 3, found 4");
    c.outputs[0].shape = am_shape_of(2, 3);
    expect_refusal(c, AM_INVALID_ARGUMENT, "logits: expected 3 dimensions, found 2");
    c = detection(NULL);
    c.outputs[0].shape = am_shape_of(2, 3, 1);
    expect_refusal(c, AM_INVALID_ARGUMENT, "at least 2 classes");
}

static void media_post_processing__refuses_options_that_make_no_sense(void **state)
{
    expect_refusal(detection("{\"target_sizes\": [[4, 5]]}"), AM_INVALID_ARGUMENT, "one for each of 2 images, found 1");
    expect_refusal(detection("{\"target_sizes\": [[4, 5], [0, 5]]}"), AM_INVALID_ARGUMENT, "target_sizes: expected");
    expect_refusal(detection("{\"target_sizes\": [[4, 5], [4000000000, 4000000000]]}"), AM_INVALID_ARGUMENT,
                   "at most 178956970 pixels");
    expect_refusal(detection("{\"threshold\": \"high\"}"), AM_INVALID_ARGUMENT,
                   "threshold: expected a number, found a string");
}

static call crops(const char *options)
{
    return (call){"SamImageProcessor", "generate_crop_boxes", options, {{"image", am_shape_of(3, 12, 9)}}};
}

static call filter(const char *options)
{
    return (call){"SamImageProcessor",
                  "filter_masks",
                  options,
                  {{"masks", am_shape_of(2, 1, 3, 4)}, {"iou_scores", am_shape_of(2, 1)}}};
}

static void media_post_processing__refuses_to_generate_masks_of_nonsense(void **state)
{
    expect_refusal(crops("{\"target_size\": 8, \"crop_n_layers\": 60}"), AM_INVALID_ARGUMENT, "at most 8");
    expect_refusal(crops("{\"target_size\": 8, \"points_per_crop\": 4000000000}"), AM_INVALID_ARGUMENT, "too many");
    expect_refusal(crops("{\"target_size\": 8, \"overlap_ratio\": 1e300}"), AM_INVALID_ARGUMENT, "expected 0 to 1");
    expect_refusal(crops("{\"points_per_crop\": 2}"), AM_INVALID_ARGUMENT, "target_size");
    expect_refusal(crops("{\"target_size\": 8, \"crop_n_layers\": 4, \"points_per_crop\": 1, \"overlap_ratio\": 0}"),
                   AM_INVALID_ARGUMENT, "image: too small for crop");
    expect_refusal(filter("{\"original_size\": [3, 4], \"cropped_box_image\": [0, 0, 1e300, 4]}"), AM_INVALID_ARGUMENT,
                   "cropped_box_image: expected [left, top, right, bottom]");
    expect_refusal(filter("{\"original_size\": [3, 4], \"cropped_box_image\": [0, 0, 4]}"), AM_INVALID_ARGUMENT,
                   "cropped_box_image: expected [left, top, right, bottom]");
    expect_refusal(filter("{\"original_size\": [3, 4], \"cropped_box_image\": [0, 0, 40, 4]}"), AM_INVALID_ARGUMENT,
                   "does not fit masks of 3 x 4");
}

static call outlined(const char *options)
{
    return (call){"PPDocLayoutV3ImageProcessor",
                  DETECTION,
                  options,
                  {{"logits", am_shape_of(1, 2, 2)},
                   {"pred_boxes", am_shape_of(1, 2, 4)},
                   {"order_logits", am_shape_of(1, 2, 2)},
                   {"out_masks", am_shape_of(1, 2, 5, 6)}}};
}

static call texts(const char *options)
{
    return (call){
        "PPOCRV5ServerDetImageProcessor", DETECTION, options, {{"last_hidden_state", am_shape_of(1, 1, 8, 9)}}};
}

static void media_post_processing__refuses_regions_and_outlines_of_nonsense(void **state)
{
    call wide = texts("{\"target_sizes\": [[9, 9]]}"), other = outlined("{\"target_sizes\": [[9, 9]]}");
    expect_refusal(texts(NULL), AM_INVALID_ARGUMENT, "target_sizes: expected a list, found none");
    expect_refusal(outlined(NULL), AM_INVALID_ARGUMENT, "target_sizes: expected a list, found none");
    expect_refusal(texts("{\"target_sizes\": [[9, 9]], \"max_candidates\": -1}"), AM_INVALID_ARGUMENT, "at least 0");
    wide.outputs[0].shape = am_shape_of(1, 1, 1, 2000000);
    expect_refusal(wide, AM_INVALID_ARGUMENT, "sides from 1 to 1048576");
    wide.outputs[0].shape = am_shape_of(1, 0, 8, 9);
    expect_refusal(wide, AM_INVALID_ARGUMENT, "sides from 1 to 1048576");
    other.outputs[3].shape = am_shape_of(1, 3, 5, 6);
    expect_refusal(other, AM_INVALID_ARGUMENT, "out_masks: dimension 1: expected 2, found 3");
}

static void media_post_processing__survives_without_memory(void **state)
{
    call grids = crops("{\"target_size\": 8, \"crop_n_layers\": 1, \"points_per_crop\": 2}");
    call masks_kept = filter("{\"original_size\": [3, 4], \"cropped_box_image\": [0, 0, 4, 3], \"pred_iou_thresh\": 0, "
                             "\"stability_score_thresh\": 0}");
    call matte = {"Sapiens2ImageProcessor",
                  "post_process_image_matting",
                  "{\"target_sizes\": [[4, 5]]}",
                  {{"foregrounds", am_shape_of(1, 3, 2, 2)}, {"alphas", am_shape_of(1, 1, 2, 2)}}};
    call table = {"SLANeXtImageProcessor",
                  "post_process_table_recognition",
                  NULL,
                  {{"last_hidden_state", am_shape_of(1, 2, 50)}}};
    call painted = {"SegGptImageProcessor",
                    "post_process_semantic_segmentation",
                    "{\"num_labels\": 3}",
                    {{"pred_masks", am_shape_of(1, 3, 4, 2)}}};
    call quads = {"PPDocLayoutV4ImageProcessor",
                  DETECTION,
                  "{\"target_sizes\": [[6, 5]]}",
                  {{"logits", am_shape_of(1, 2, 1)},
                   {"pred_boxes", am_shape_of(1, 2, 10)},
                   {"relative_order_logits", am_shape_of(1, 2, 2)},
                   {"successor_order_logits", am_shape_of(1, 2, 2)}}};
    call outlines = outlined("{\"threshold\": 0.4, \"target_sizes\": [[900, 900]]}");
    call regions = texts("{\"threshold\": -1, \"box_threshold\": -1, \"target_sizes\": [[9, 9]]}");
    expect_clean_failures(run, &grids);
    expect_clean_failures(run, &masks_kept);
    expect_clean_failures(run, &matte);
    expect_clean_failures(run, &painted);
    expect_clean_failures(run, &quads);
    expect_clean_failures(run, &outlines);
    expect_clean_failures(run, &regions);
    expect_refusal(table, AM_INVALID_ARGUMENT, "an empty table");
    call boxes = detection("{\"target_sizes\": [[4, 5], [6, 7]]}");
    call masks = {"MaskFormerImageProcessor",
                  "post_process_instance_segmentation",
                  "{\"threshold\": -1, \"target_sizes\": [[6, 5]], \"return_coco_annotation\": true}",
                  {{"class_queries_logits", am_shape_of(1, 3, 4)}, {"masks_queries_logits", am_shape_of(1, 3, 2, 2)}}};
    expect_clean_failures(run, &boxes);
    expect_clean_failures(run, &masks);
}

static void media_post_processing__keeps_the_best_of_boxes_that_overlap(void **state)
{
    const float boxes[] = {0, 0, 2, 2, 0, 0, 2, 1.9f, 5, 5, 6, 6}, scores[] = {0.5f, 0.9f, 0.1f};
    const int64_t labels[] = {1, 2, 1};
    int64_t keep[3], kept;
    am_test_expect_ok(am_boxes_nms(boxes, scores, NULL, 3, 0.5, keep, &kept));
    assert_int_equal(kept, 2);
    assert_int_equal(keep[0], 1);
    assert_int_equal(keep[1], 2);
    am_test_expect_ok(am_boxes_nms(boxes, scores, labels, 3, 0.5, keep, &kept));
    assert_int_equal(kept, 3);
    am_test_expect_ok(am_boxes_nms(boxes, scores, NULL, 0, 0.5, keep, &kept));
    assert_int_equal(kept, 0);
}

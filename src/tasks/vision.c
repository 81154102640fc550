#include "tasks/vision.h"

#include "base/file.h"
#include "base/memory.h"
#include "media/drawing.h"
#include "media/post_processing/post_processing.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- calls of the processor --- */

/* A number of the parameters. */
static am_status option_number(const am_vision_outputs *v, const char *name, double fallback, double *out)
{
    AM_TRY(am_check_option(v->options, name, AM_JSON_REAL));
    *out = am_json_real(am_json_get(v->options, name), fallback);
    return NULL;
}

/* post_process_ METHOD with arguments written as the members of an object. */
static am_status post_process(const am_vision_outputs *v, const char *method, const char *arguments,
                              am_post_results *out)
{
    am_buffer text = {0};
    am_json_document *document = NULL;
    *out = (am_post_results){0};
    am_buffer_printf(
        &text, "{%s\"target_sizes\": [[%" PRId64 ", %" PRId64 "]], \"source_sizes\": [[%" PRId64 ", %" PRId64 "]]}",
        arguments, v->size.height, v->size.width, v->size.height, v->size.width);
    am_status status = am_buffer_status(&text);
    if (!status) status = am_json_parse(am_buffer_text(&text), text.length, "arguments", &document);
    if (!status) status = am_post_process(v->processor, method, v->tensors, am_json_root(document), out);
    if (!status && out->count != 1)
        status = am_error(AM_INVALID_ARGUMENT, "%" PRId64 " answers for one image", out->count);
    am_json_close(document);
    am_buffer_deinit(&text);
    return status;
}

/* --- parts of answers --- */

static void append_label(const am_vision_outputs *v, int64_t id, am_buffer *out)
{
    am_arena arena = {0};
    const char *label = am_label(v->config, &arena, id);
    am_buffer_append_json_string(out, label, strlen(label));
    am_arena_deinit(&arena);
}

/* Appends the colour of number i, where a picture is drawn. */
static void append_color(const am_vision_outputs *v, int64_t i, am_buffer *out)
{
    uint8_t color[3];
    am_drawing_color(i, color);
    if (v->picture) am_buffer_printf(out, ", \"color\": \"#%02x%02x%02x\"", color[0], color[1], color[2]);
}

/* --- object-detection --- */

static void draw_box(const am_vision_outputs *v, const int64_t *box, int64_t label)
{
    uint8_t color[3];
    int64_t shorter = v->size.height < v->size.width ? v->size.height : v->size.width;
    am_drawing_color(label, color);
    am_draw_box(v->picture, (am_drawn_box){box[0], box[1], box[2] + 1, box[3] + 1}, 1 + shorter / 200, color);
}

static void append_detection(const am_vision_outputs *v, float score, int64_t label, const float *corners,
                             am_buffer *out)
{
    int64_t box[4];
    for (int k = 0; k < 4; k++) box[k] = am_load_int(AM_F32, corners, k);
    am_buffer_append_string(out, "{\"score\": ");
    am_append_float(out, score);
    am_buffer_append_string(out, ", \"label\": ");
    append_label(v, label, out);
    am_buffer_printf(
        out, ", \"box\": {\"xmin\": %" PRId64 ", \"ymin\": %" PRId64 ", \"xmax\": %" PRId64 ", \"ymax\": %" PRId64 "}",
        box[0], box[1], box[2], box[3]);
    append_color(v, label, out);
    am_buffer_append_char(out, '}');
    if (v->picture) draw_box(v, box, label);
}

static am_status append_detection_list(const am_vision_outputs *v, const am_post_item *item, am_buffer *out)
{
    const am_post_field *scores = am_post_find(item, "scores"), *labels = am_post_find(item, "labels"),
                        *boxes = am_post_find(item, "boxes");
    if (!scores || !labels || !boxes) return am_error(AM_UNSUPPORTED, "boxes without labels");
    if (boxes->tensors->dtype != AM_F32)
        return am_error(AM_UNSUPPORTED, "%s finds boxes that are turned", am_image_processor_name(v->processor));
    const float *score = scores->tensors->data, *box = boxes->tensors->data;
    const int64_t *label = labels->tensors->data;
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < scores->tensors->shape.dims[0]; i++) {
        if (i) am_buffer_append_string(out, ", ");
        append_detection(v, score[i], label[i], box + 4 * i, out);
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

am_status am_append_detections(const am_vision_outputs *v, am_buffer *out)
{
    am_post_results results;
    am_buffer arguments = {0};
    double threshold;
    AM_TRY(option_number(v, "threshold", 0.5, &threshold));
    am_buffer_printf(&arguments, "\"threshold\": %.17g, ", threshold);
    am_status status = post_process(v, "post_process_object_detection", am_buffer_text(&arguments), &results);
    if (!status) status = append_detection_list(v, results.items, out);
    am_post_results_deinit(&results);
    am_buffer_deinit(&arguments);
    return status;
}

/* --- image-segmentation --- */

/* Which pixels of a map, [height, width], have the value: bytes of 0 and 1, freed with am_free. */
static uint8_t *mask_of(const am_tensor *map, int64_t value)
{
    int64_t count = am_shape_count(&map->shape);
    uint8_t *mask = am_alloc_zeroed((size_t)count + 1, 1);
    for (int64_t i = 0; i < count && mask; i++) mask[i] = am_load_int(map->dtype, map->data, i) == value;
    return mask;
}

static void append_runs(const uint8_t *mask, am_plane_size size, am_buffer *out)
{
    int64_t length = 0;
    uint8_t now = 0;
    const char *between = "";
    am_buffer_printf(out, "{\"size\": [%" PRId64 ", %" PRId64 "], \"counts\": [", size.height, size.width);
    for (int64_t x = 0; x < size.width; x++)
        for (int64_t y = 0; y < size.height; y++, length++) {
            if (mask[y * size.width + x] == now) continue;
            am_buffer_printf(out, "%s%" PRId64, between, length);
            between = ", ";
            now = !now;
            length = 0;
        }
    am_buffer_printf(out, "%s%" PRId64 "]}", between, length);
}

/* One entry: what the map calls `id`; score null has none. */
static am_status append_segment(const am_vision_outputs *v, const am_tensor *map, int64_t id, int64_t label,
                                const double *score, int64_t number, am_buffer *out)
{
    uint8_t *mask = mask_of(map, id), color[3];
    if (!mask) return am_out_of_memory();
    am_buffer_append_string(out, number ? ", {\"score\": " : "{\"score\": ");
    if (score) am_append_real(out, *score);
    else am_buffer_append_string(out, "null");
    am_buffer_append_string(out, ", \"label\": ");
    append_label(v, label, out);
    am_buffer_append_string(out, ", \"mask\": ");
    append_runs(mask, v->size, out);
    append_color(v, number, out);
    am_buffer_append_char(out, '}');
    am_drawing_color(number, color);
    if (v->picture) am_draw_mask(v->picture, mask, color);
    am_free(mask);
    return NULL;
}

static am_status append_segment_list(const am_vision_outputs *v, const am_post_item *item, am_buffer *out)
{
    const am_post_field *map = am_post_find(item, "segmentation");
    if (!map) return am_error(AM_INTERNAL, "a segmentation without a map");
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < item->segment_count; i++) {
        const am_segment *segment = &item->segments[i];
        AM_TRY(append_segment(v, map->tensors, segment->id, segment->label_id, &segment->score, i, out));
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Every label that the map of classes has, the lowest first. */
static am_status append_class_list(const am_vision_outputs *v, const am_post_item *item, am_buffer *out)
{
    const am_tensor *map = item->fields[0].tensors;
    int64_t count = am_shape_count(&map->shape), number = 0;
    int64_t *labels = am_alloc_zeroed((size_t)count + 1, sizeof *labels);
    am_status status = labels ? NULL : am_out_of_memory();
    if (!status) memcpy(labels, map->data, (size_t)count * sizeof *labels);
    if (!status && count) qsort(labels, (size_t)count, sizeof *labels, by_number);
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < count && !status; i++)
        if (!i || labels[i] != labels[i - 1])
            status = append_segment(v, map, labels[i], labels[i], NULL, number++, out);
    am_buffer_append_char(out, ']');
    am_free(labels);
    return status;
}

/* Whether the subtask is the wanted one, or none is, and the class has it. */
static bool can_do(const am_vision_outputs *v, const char *subtask, const char *method)
{
    am_json wanted = am_json_get(v->options, "subtask");
    bool is_any = am_json_kind_of(wanted) != AM_JSON_STRING;
    return (is_any || am_json_equals(wanted, subtask)) && am_post_process_exists(v->processor, method);
}

static am_status segment_arguments(const am_vision_outputs *v, am_buffer *out)
{
    double threshold, mask, overlap;
    AM_TRY(option_number(v, "threshold", 0.9, &threshold));
    AM_TRY(option_number(v, "mask_threshold", 0.5, &mask));
    AM_TRY(option_number(v, "overlap_mask_area_threshold", 0.5, &overlap));
    am_buffer_printf(out, "\"threshold\": %.17g, \"mask_threshold\": %.17g, \"overlap_mask_area_threshold\": %.17g, ",
                     threshold, mask, overlap);
    return am_buffer_status(out);
}

am_status am_append_segments(const am_vision_outputs *v, am_buffer *out)
{
    static const struct {
        const char *subtask, *method;
        am_status (*append)(const am_vision_outputs *v, const am_post_item *item, am_buffer *out);
    } ways[] = {{"panoptic", "post_process_panoptic_segmentation", append_segment_list},
                {"instance", "post_process_instance_segmentation", append_segment_list},
                {"semantic", "post_process_semantic_segmentation", append_class_list}};
    am_post_results results;
    am_buffer arguments = {0};
    size_t i = 0;
    AM_TRY(am_check_option(v->options, "subtask", AM_JSON_STRING));
    while (i < 3 && !can_do(v, ways[i].subtask, ways[i].method)) i++;
    if (i == 3)
        return am_error(AM_UNSUPPORTED, "%s has no segmentation of that subtask",
                        am_image_processor_name(v->processor));
    am_status status = i < 2 ? segment_arguments(v, &arguments) : NULL;
    if (!status) status = post_process(v, ways[i].method, am_buffer_text(&arguments), &results);
    else results = (am_post_results){0};
    if (!status) status = ways[i].append(v, results.items, out);
    am_post_results_deinit(&results);
    am_buffer_deinit(&arguments);
    return status;
}

/* --- depth-estimation --- */

/* Depths from black to white. */
static am_status paint_depth(const am_vision_outputs *v, const am_tensor *depth)
{
    int64_t count = am_shape_count(&depth->shape);
    const float *x = depth->data;
    float least = INFINITY, most = -INFINITY;
    uint8_t *levels = am_alloc_zeroed((size_t)count + 1, 1);
    am_image grey = {0};
    if (!levels) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) least = fminf(least, x[i]);
    for (int64_t i = 0; i < count; i++) most = fmaxf(most, x[i]);
    for (int64_t i = 0; i < count; i++) {
        float level = (x[i] - least) / (most - least) * 255.0f;
        levels[i] = level > 0.0f ? (uint8_t)fminf(level, 255.0f) : 0; /* of equal depths it is NaN */
    }
    am_status status = am_image_of_greys(levels, v->size.height, v->size.width, &grey);
    am_free(levels);
    if (status) return status;
    am_image_deinit(v->picture);
    *v->picture = grey;
    return NULL;
}

am_status am_append_depth(const am_vision_outputs *v, am_buffer *out)
{
    am_post_results results;
    am_status status = post_process(v, "post_process_depth_estimation", "", &results);
    const am_post_field *depth = status ? NULL : am_post_find(results.items, "predicted_depth");
    if (!status && !depth) status = am_error(AM_INTERNAL, "there is no predicted_depth");
    if (!status) {
        am_buffer_append_string(out, "{\"predicted_depth\": ");
        am_append_tensor(out, depth->tensors);
        am_buffer_append_char(out, '}');
        if (v->picture) status = paint_depth(v, depth->tensors);
    }
    am_post_results_deinit(&results);
    return status;
}

/* --- image-to-image --- */

am_status am_append_reconstruction(const am_vision_outputs *v, am_buffer *out)
{
    const am_tensor *x;
    am_image picture;
    AM_TRY(am_media_tensors_get(v->tensors, "reconstruction", &x));
    const int64_t *dims = x->shape.dims;
    if (x->dtype != AM_F32 || x->shape.rank != 4 || dims[0] != 1 || dims[1] != 3)
        return am_error(AM_UNSUPPORTED, "reconstruction: expected f32 [1, 3, height, width]");
    am_buffer_printf(out, "{\"size\": [%" PRId64 ", %" PRId64 "]}", dims[2], dims[3]);
    if (!v->picture) return NULL;
    AM_TRY(am_image_create(dims[3], dims[2], &picture));
    const float *from = x->data;
    for (int64_t i = 0; i < dims[2] * dims[3] * 3; i++) {
        float value = from[i % 3 * dims[2] * dims[3] + i / 3];
        picture.pixels[i] = (uint8_t)nearbyintf((value > 0.0f ? fminf(value, 1.0f) : 0.0f) * 255.0f);
    }
    am_image_deinit(v->picture);
    *v->picture = picture;
    return NULL;
}

/* --- running --- */

enum { OUTPUTS = AM_MEDIA_TENSORS };

/* The outputs of the last run, borrowed; those beyond the room there is are left out. */
static void borrow_outputs(const am_session *session, am_tensor tensors[OUTPUTS], am_media_tensors *out)
{
    int count = am_session_output_count(session);
    *out = (am_media_tensors){0};
    for (int i = 0; i < count && i < OUTPUTS; i++) {
        am_media_output *item = &out->items[out->count++];
        tensors[i] = am_session_output(session, i);
        *item = (am_media_output){.tensors = &tensors[i], .count = 1};
        snprintf(item->name, sizeof item->name, "%s", am_session_output_name(session, i));
    }
}

static am_status write_picture(const am_image *picture, const char *path)
{
    am_buffer file = {0};
    am_status status = am_image_encode_png(picture, &file);
    if (!status) status = am_file_write(path, file.bytes, file.length);
    am_buffer_deinit(&file);
    return status;
}

static am_status run_on_image(am_pipeline *p, am_image *image, am_json options,
                              am_status (*append)(const am_vision_outputs *outputs, am_buffer *out), am_buffer *out)
{
    am_media_inputs inputs;
    am_image_processor *processor;
    am_media_tensors tensors;
    am_tensor storage[OUTPUTS];
    const char *path = am_json_text(am_json_get(options, "output")).bytes;
    am_vision_outputs v = {.config = am_pipeline_config(p)->object,
                           .size = {image->height, image->width},
                           .options = options,
                           .picture = *path ? image : NULL};
    AM_TRY(am_check_option(options, "output", AM_JSON_STRING));
    AM_TRY(am_pipeline_image_processor(p, &processor));
    v.processor = processor;
    AM_TRY(am_image_to_inputs(p, image, &inputs));
    am_status status = am_session_run(p->session, inputs.inputs, inputs.count, NULL);
    if (!status) {
        borrow_outputs(p->session, storage, &tensors);
        v.tensors = &tensors;
        status = append(&v, out);
    }
    if (!status && *path) status = write_picture(image, path);
    am_media_inputs_deinit(&inputs);
    return status;
}

am_status am_run_vision(am_pipeline *p, const am_task_input *input, am_json options,
                        am_status (*append)(const am_vision_outputs *outputs, am_buffer *out), am_buffer *out)
{
    am_image image = {0};
    am_status status = am_open_image(input, &image);
    if (!status) status = run_on_image(p, &image, options, append, out);
    am_image_deinit(&image);
    return status;
}

/* Segment Anything, MaskFormer, Mask2Former and OneFormer: what masks are made of later says which sizes pictures had.
 */
#include "media/images/processor.h"

#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* [count, 2]: height and width of each picture as it is now. */
static am_status give_sizes(am_image_run *run, const char *name)
{
    int64_t *sizes;
    am_shape shape = am_shape_of(run->count, 2);
    AM_TRY(am_image_give_integers(run, name, &shape, &sizes));
    for (int64_t i = 0; i < run->count; i++) {
        sizes[2 * i] = run->pictures[i].height;
        sizes[2 * i + 1] = run->pictures[i].width;
    }
    return NULL;
}

/* --- Segment Anything --- */

/* The longer edge becomes size.longest_edge. */
static am_status fit_longest(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    double height = (double)in.height, width = (double)in.width,
           scale = (double)p->size.longest_edge / fmax(height, width);
    if (!p->size.longest_edge) return am_error(AM_INVALID_FILE, "size: expected longest_edge");
    *out = (am_plane_size){(int64_t)(height * scale + 0.5), (int64_t)(width * scale + 0.5)};
    if (out->height && out->width) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "a picture would have no pixels, size.longest_edge is too small for it");
}

static am_status resize_all(am_image_run *run)
{
    for (int64_t i = 0; i < run->count; i++) AM_TRY(am_image_do_resize(run->processor, &run->pictures[i]));
    return NULL;
}

static am_status finish(am_image_run *run)
{
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(am_image_do_center_crop(run->processor, &run->pictures[i]));
        AM_TRY(am_image_rescale_and_normalize(run->processor, &run->pictures[i]));
    }
    return am_image_give_padded(run, NULL);
}

static am_status sam(am_image_run *run)
{
    AM_TRY(give_sizes(run, "original_sizes"));
    AM_TRY(resize_all(run));
    AM_TRY(give_sizes(run, "reshaped_input_sizes"));
    return finish(run);
}

static am_status sam2(am_image_run *run)
{
    AM_TRY(give_sizes(run, "original_sizes"));
    AM_TRY(resize_all(run));
    return finish(run);
}

/* --- MaskFormer --- */

/* As size says, both sides up to multiples of size_divisor (0: any). */
static am_status maskformer_size(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    int64_t unit = 0;
    AM_TRY(am_image_integer(p, "size_divisor", 0, 1 << 20, &unit));
    AM_TRY(am_image_fit(&p->size, in, out));
    if (!unit) return NULL;
    out->height = (out->height + unit - 1) / unit * unit;
    out->width = (out->width + unit - 1) / unit * unit;
    return NULL;
}

static am_status maskformer(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    AM_TRY(resize_all(run));
    for (int64_t i = 0; i < run->count; i++) AM_TRY(am_image_rescale_and_normalize(p, &run->pictures[i]));
    AM_TRY(am_image_pad_all(run, (am_plane_size){p->pad_size.height, p->pad_size.width}, 0.0, "pixel_mask"));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* max_size of old is the longest edge. size_divisor is looked at also where nothing is resized. */
static am_status read_max_size(am_image_processor *p)
{
    int64_t unit = 0;
    AM_TRY(am_image_integer(p, "size_divisor", 0, 1 << 20, &unit));
    if (!p->size.shortest_edge || p->size.longest_edge) return NULL;
    return am_image_integer(p, "max_size", 1, AM_IMAGE_MAX_PIXELS, &p->size.longest_edge);
}

/* --- OneFormer --- */

static am_status give_task(am_json task, am_tensor *out)
{
    static const char start[] = "the task is ";
    const size_t length = sizeof start - 1;
    am_json_string name = am_json_text(task);
    if (am_json_kind_of(task) != AM_JSON_STRING)
        return am_error(AM_INVALID_ARGUMENT, "task_inputs: expected texts, found %s",
                        am_json_kind_name(am_json_kind_of(task)));
    am_shape shape = am_shape_of((int64_t)(length + name.length));
    AM_TRY(am_media_tensor_alloc(out, AM_U8, &shape));
    memcpy(out->data, start, length);
    memcpy((char *)out->data + length, name.bytes, name.length);
    return NULL;
}

/* What is done to each picture, as a text; "panoptic" where the call does not say. */
static am_status give_tasks(am_image_run *run, am_json tasks)
{
    am_tensor *out;
    int64_t at = 0;
    if (am_json_kind_of(tasks) != AM_JSON_ARRAY)
        return am_error(AM_INVALID_ARGUMENT, "task_inputs: expected a list, found %s",
                        am_json_kind_name(am_json_kind_of(tasks)));
    AM_TRY(am_media_tensors_add_list(run->out, "task_inputs", (int64_t)am_json_count(tasks), &out));
    for (am_json_iterator i = am_json_iterate(tasks); am_json_next(&i); at++) AM_TRY(give_task(i.value, &out[at]));
    return NULL;
}

static am_status oneformer(am_image_run *run)
{
    am_json tasks = am_json_get(run->inputs->arguments, "task_inputs");
    if (am_json_kind_of(tasks) == AM_JSON_MISSING) tasks = am_image_setting(run->processor, "task_inputs");
    AM_TRY(resize_all(run));
    for (int64_t i = 0; i < run->count; i++) AM_TRY(am_image_rescale_and_normalize(run->processor, &run->pictures[i]));
    AM_TRY(am_image_pad_all(run, (am_plane_size){0}, 0.0, "pixel_mask"));
    AM_TRY(am_image_give(run, "pixel_values", run->pictures, run->count));
    return give_tasks(run, tasks);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Mask2FormerImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 800, "longest_edge": 1333}, "default_to_square": false,
         "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_reduce_labels": false, "size_divisor": 32
     }), .new_size = maskformer_size, .preprocess = maskformer, .standardize = read_max_size},
    {.name = "MaskFormerImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 800, "longest_edge": 1333}, "default_to_square": false,
         "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_reduce_labels": false, "size_divisor": 32
     }), .new_size = maskformer_size, .preprocess = maskformer, .standardize = read_max_size},
    {.name = "OneFormerImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 800, "longest_edge": 1333},
         "default_to_square": false, "resample": 2, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "do_reduce_labels": false,
         "repo_path": "shi-labs/oneformer_demo", "task_inputs": ["panoptic"]
     }), .preprocess = oneformer},
    {.name = "Sam2ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 1024, "width": 1024}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "mask_size": {"height": 256, "width": 256}
     }), .preprocess = sam2},
    {.name = "Sam3ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 1008, "width": 1008}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "mask_size": {"height": 288, "width": 288}
     }), .preprocess = sam2},
    {.name = "SamImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"longest_edge": 1024}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": true, "pad_size": {"height": 1024, "width": 1024},
         "mask_pad_size": {"height": 256, "width": 256}, "mask_size": {"longest_edge": 256}
     }), .new_size = fit_longest, .preprocess = sam},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_masks = {classes};

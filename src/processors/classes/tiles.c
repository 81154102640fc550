/* Images cut into tiles, each as many tokens. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* An integer setting of the processor (or of the image processor) that is not 0. */
static am_status positive(const am_processor *p, bool of_images, const char *key, int64_t *out)
{
    AM_TRY(of_images ? am_processor_image_integer(p, key, out) : am_processor_integer(p, key, out));
    return *out ? NULL : am_error(AM_INVALID_FILE, "%s: expected a positive integer, found 0", key);
}

/* --- tiles counted by num_patches --- */

static am_status expand_internvl(const am_placeholder *p, am_buffer *out)
{
    static const am_wrapping wrapping = {"start_image_token", "end_image_token"};
    int64_t tiles, length;
    AM_TRY(am_media_number(p->media, "num_patches", p->row, 0, &tiles));
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_length", &length));
    am_put_wrapped(p, "context_image_token", tiles * length, &wrapping, out);
    return NULL;
}

static am_status expand_internvl_video(const am_placeholder *p, am_buffer *out)
{
    static const am_wrapping wrapping = {"start_image_token", "end_image_token"};
    int64_t length, frames = p->run->clips[p->index].count;
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_length", &length));
    for (int64_t i = 0; i < frames; i++) {
        am_buffer_printf(out, "%sFrame%" PRId64 ": ", i ? "\n" : "", i + 1);
        am_put_wrapped(p, "context_image_token", length, &wrapping, out);
    }
    return NULL;
}

/* Tiles of images and frames of videos, in the order of their placeholders. */
typedef struct visuals {
    const float *tiles, *frames; /* those that are next */
    int64_t image, video;        /* their numbers */
    float *out;
} visuals;

static am_status take_visual(const am_processor_call *run, bool is_video, int64_t values, visuals *v)
{
    int64_t count = is_video ? run->clips[v->video++].count : 0;
    if (!is_video) AM_TRY(am_media_number(&run->images[0], "num_patches", v->image++, 0, &count));
    const float **from = is_video ? &v->frames : &v->tiles;
    memcpy(v->out, *from, (size_t)(count * values) * sizeof **from);
    *from += count * values;
    v->out += count * values;
    return NULL;
}

static am_status take_visuals(const am_processor_call *run, am_text text, int64_t values, visuals *v)
{
    am_text image = am_token_text(run, "context_image_token"), video = am_token_text(run, "video_token");
    for (size_t at = 0; at < text.length; at++) {
        bool is_video =
            video.length && text.length - at >= video.length && memcmp(text.bytes + at, video.bytes, video.length) == 0;
        bool is_image = text.length - at >= image.length && memcmp(text.bytes + at, image.bytes, image.length) == 0;
        if (is_video || is_image) AM_TRY(take_visual(run, is_video, values, v));
    }
    return NULL;
}

/* InternVL: frames are tiles, too; all of them are pixel_values, [tiles, channels, height, width]. */
static am_status merge_visuals(am_processor_call *run)
{
    const am_tensor *frames, *tiles = NULL;
    am_tensor *made;
    am_media_tensors together = {0};
    if (!run->inputs->video_count) return NULL;
    AM_TRY(am_media_tensors_get(&run->videos, "pixel_values_videos", &frames));
    if (run->inputs->image_count) AM_TRY(am_media_tensors_get(&run->out->tensors, "pixel_values", &tiles));
    const int64_t *dims = frames->shape.dims;
    am_shape shape = am_shape_of(dims[0] * dims[1] + (tiles ? tiles->shape.dims[0] : 0), dims[2], dims[3], dims[4]);
    if (frames->dtype != AM_F32 ||
        (tiles && (tiles->dtype != AM_F32 || tiles->shape.dims[2] != dims[3] || tiles->shape.dims[3] != dims[4])))
        return am_error(AM_INVALID_ARGUMENT, "tiles of images and frames of videos are not of one size and dtype");
    AM_TRY(am_media_tensors_add(&together, "pixel_values", AM_F32, &shape, &made));
    visuals v = {.tiles = tiles ? tiles->data : NULL, .frames = frames->data, .out = made->data};
    am_status status = NULL;
    for (int64_t i = 0; i < run->inputs->text_count && !status; i++)
        status = take_visuals(run, run->inputs->texts[i], dims[2] * dims[3] * dims[4], &v);
    am_media_drop(&run->out->tensors, "pixel_values");
    if (!status) run->out->tensors.items[run->out->tensors.count++] = together.items[0];
    else am_media_tensors_deinit(&together);
    return status;
}

static am_status expand_aya(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    int64_t tiles, patch, factor, size;
    AM_TRY(am_media_number(p->media, "num_patches", p->row, 0, &tiles));
    AM_TRY(positive(processor, false, "patch_size", &patch));
    AM_TRY(positive(processor, false, "downsample_factor", &factor));
    AM_TRY(am_processor_integer(processor, "img_size", &size));
    int64_t side = size / (patch * factor);
    am_put_token(p->run, "start_of_img_token", 1, out);
    for (int64_t i = 1; i < tiles; i++) {
        am_put_token(p->run, "tile_token", 1, out);
        am_buffer_printf(out, "_%" PRId64, i);
        am_put_token(p->run, "img_patch_token", side * side, out);
    }
    am_put_token(p->run, "tile_global_token", 1, out);
    am_put_token(p->run, "img_patch_token", side * side, out);
    am_put_token(p->run, "end_of_img_token", 1, out);
    return NULL;
}

static am_status expand_cohere2(const am_placeholder *p, am_buffer *out)
{
    int64_t tiles, patch;
    AM_TRY(am_media_number(p->media, "num_patches", p->row, 0, &tiles));
    AM_TRY(am_processor_image_integer(p->run->processor, "patch_size", &patch));
    am_put_token(p->run, "boi_token", 1, out);
    for (int64_t i = 0; i < tiles; i++) {
        am_put_token(p->run, "image_token", patch * patch, out);
        am_put_token(p->run, "img_line_break_token", 1, out);
    }
    am_put_token(p->run, "eoi_token", 1, out);
    return NULL;
}

static am_status expand_got(const am_placeholder *p, am_buffer *out)
{
    int64_t tiles, length;
    AM_TRY(am_media_number(p->media, "num_patches", p->row, 0, &tiles));
    AM_TRY(am_processor_integer(p->run->processor, "num_image_tokens", &length));
    am_put_token(p->run, "image_token", tiles * length, out);
    return NULL;
}

/* GOT-OCR2 asks for the text of each image where none is given. */
static am_status ask_for_text(am_processor_call *run)
{
    const am_processor *p = run->processor;
    if (!run->inputs->image_count) return am_error(AM_INVALID_ARGUMENT, "%s needs images", p->kind->name);
    if (run->out->text_count) return NULL;
    bool format = am_processor_flag(p, "format", false);
    bool tiles = am_json_bool(am_image_setting(p->image_processor, "crop_to_patches"), false);
    AM_TRY(am_make_texts(run, run->inputs->image_count));
    for (int64_t i = 0; i < run->out->text_count; i++) {
        am_buffer *text = &run->out->texts[i];
        am_json_string color = am_json_text(am_processor_setting(p, "color"));
        am_buffer_append_string(text,
                                "<|im_start|>system\nYou should follow the instructions carefully and explain your "
                                "answers in detail.<|im_end|><|im_start|>user\n<img>");
        am_put_token(run, "image_token", 1, text);
        am_buffer_append_string(text, "</img>\n");
        if (color.length) am_buffer_printf(text, "[%s] ", color.bytes);
        am_buffer_printf(text, " OCR%s%s: ", format ? " with format" : "", tiles ? " upon the patch reference" : "");
        am_buffer_append_string(text, "<|im_end|><|im_start|>assistant\n");
    }
    return NULL;
}

/* --- other numbers of tiles --- */

/* Aria: as many crops as the image with most. */
static am_status expand_aria(const am_placeholder *p, am_buffer *out)
{
    int64_t crops, tokens = 0;
    am_shape pixels;
    char side[32];
    AM_TRY(am_media_number(p->media, "num_crops", 0, 0, &crops));
    AM_TRY(am_media_shape(p->media, "pixel_values", 0, &pixels));
    snprintf(side, sizeof side, "%" PRId64, pixels.dims[2]);
    tokens = am_json_int(am_json_get(am_processor_setting(p->run->processor, "size_conversion"), side), -1);
    if (tokens < 0) return am_error(AM_INVALID_FILE, "size_conversion has no number of tokens for a side of %s", side);
    am_put_token(p->run, "image_token", crops * tokens, out);
    return NULL;
}

static am_status expand_ovis2(const am_placeholder *p, am_buffer *out)
{
    int64_t rows, columns, length;
    AM_TRY(am_media_number(p->media, "grids", p->row, 0, &rows));
    AM_TRY(am_media_number(p->media, "grids", p->row, 1, &columns));
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_length", &length));
    am_put_token(p->run, "start_token", 1, out);
    am_put_token(p->run, "atom_token", length, out);
    am_put_token(p->run, "grid_token", 1, out);
    for (int64_t i = 0; i < rows * columns && rows * columns > 1; i++) {
        am_put_token(p->run, "atom_token", length, out);
        if (i % columns < columns - 1) am_put_token(p->run, "column_token", 1, out);
        else if (i / columns < rows - 1) am_put_token(p->run, "row_token", 1, out);
    }
    am_put_token(p->run, "end_token", 1, out);
    return NULL;
}

static am_status expand_step3p7(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    int64_t tiles, patch, stride, window, newline = 0;
    AM_TRY(am_media_number(p->media, "num_local_patches", p->row, 0, &tiles));
    AM_TRY(positive(processor, true, "vision_patch_size", &patch));
    AM_TRY(positive(processor, true, "downsampler_stride", &stride));
    AM_TRY(am_processor_image_integer(processor, "patch_size", &window));
    int64_t whole = processor->image_processor->size.height / (patch * stride), part = window / (patch * stride);
    for (int64_t i = 0; i < tiles; i++) {
        am_put_token(p->run, "patch_start_token", 1, out);
        am_put_token(p->run, "image_token", part * part, out);
        am_put_token(p->run, "patch_end_token", 1, out);
        AM_TRY(am_media_number(p->media, "patch_newline_masks", p->row, i, &newline));
        if (newline) am_put_token(p->run, "patch_newline_token", 1, out);
    }
    am_put_token(p->run, "im_start_token", 1, out);
    am_put_token(p->run, "image_token", whole * whole, out);
    am_put_token(p->run, "im_end_token", 1, out);
    return NULL;
}

/* DeepSeek-OCR 2: queries of the whole and of each tile, and one between. */
static am_status expand_deepseek_ocr2(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    int64_t tiles, patch, ratio, tile;
    AM_TRY(am_media_number(p->media, "num_local_patches", p->row, 0, &tiles));
    AM_TRY(positive(processor, false, "patch_size", &patch));
    AM_TRY(positive(processor, false, "downsample_ratio", &ratio));
    AM_TRY(am_processor_image_integer(processor, "tile_size", &tile));
    int64_t whole = ceil_div(processor->image_processor->size.height, patch * ratio),
            part = ceil_div(tile, patch * ratio);
    am_put_token(p->run, "image_token", whole * whole + part * part * tiles + 1, out);
    return NULL;
}

/* Unlimited OCR: rows that end with a newline, of the whole and of the grid of tiles. */
static am_status expand_unlimited(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    const am_image_size *size = &processor->image_processor->size;
    int64_t tiles, patch, ratio, tile, columns, rows;
    AM_TRY(am_media_number(p->media, "num_local_patches", p->row, 0, &tiles));
    AM_TRY(am_media_number(p->media, "patches_grid", p->row, 0, &columns));
    AM_TRY(am_media_number(p->media, "patches_grid", p->row, 1, &rows));
    AM_TRY(positive(processor, false, "patch_size", &patch));
    AM_TRY(positive(processor, false, "downsample_ratio", &ratio));
    AM_TRY(am_processor_image_integer(processor, "tile_size", &tile));
    int64_t side = size->height > size->width ? size->height : size->width;
    int64_t whole = ceil_div(side / patch, ratio), part = ceil_div(tile / patch, ratio);
    int64_t count = whole * (whole + 1) + 1 + (tiles ? rows * part * (columns * part + 1) : 0);
    am_put_token(p->run, "image_token", count, out);
    return NULL;
}

/* Perception LM: tiles, or frames, pooled. */
static am_status put_pooled(const am_placeholder *p, const char *pixels_name, const char *token, am_buffer *out)
{
    int64_t patch, pooling;
    am_shape pixels;
    AM_TRY(positive(p->run->processor, false, "patch_size", &patch));
    AM_TRY(positive(p->run->processor, false, "pooling_ratio", &pooling));
    AM_TRY(am_media_shape(p->media, pixels_name, p->row, &pixels));
    if (pixels.rank < 4) return am_error(AM_INVALID_ARGUMENT, "%s of rank %d", pixels_name, pixels.rank);
    const int64_t *last = pixels.dims + pixels.rank - 4;
    am_put_token(p->run, token, last[2] / patch / pooling * (last[3] / patch / pooling) * last[0], out);
    return NULL;
}

static am_status expand_perception(const am_placeholder *p, am_buffer *out)
{
    return put_pooled(p, "pixel_values", "image_token", out);
}

static am_status expand_perception_video(const am_placeholder *p, am_buffer *out)
{
    return put_pooled(p, "pixel_values_videos", "video_token", out);
}

/* --- Llama 4 --- */

static am_status expand_llama4(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    double shuffle = am_json_real(am_processor_setting(processor, "pixel_shuffle_ratio"), 0.0);
    int64_t patch, rows, columns;
    am_shape pixels;
    AM_TRY(positive(processor, false, "patch_size", &patch));
    if (!(shuffle > 0.0 && shuffle <= 1.0))
        return am_error(AM_INVALID_FILE, "pixel_shuffle_ratio: expected a number up to 1, found %g", shuffle);
    AM_TRY(am_media_number(p->media, "aspect_ratios", p->row, 0, &rows));
    AM_TRY(am_media_number(p->media, "aspect_ratios", p->row, 1, &columns));
    AM_TRY(am_media_shape(p->media, "pixel_values", 0, &pixels));
    int64_t less = (int64_t)(1.0 / (shuffle * shuffle) + 0.5);
    int64_t count = pixels.dims[pixels.rank - 2] / patch * (pixels.dims[pixels.rank - 1] / patch) / less;
    am_put_token(p->run, "start_of_image_token", 1, out);
    for (int64_t i = 0; i < rows * columns && rows * columns > 1; i++) {
        am_put_token(p->run, "patch_token", count, out);
        am_put_token(p->run, i % columns < columns - 1 ? "tile_x_separator_token" : "tile_y_separator_token", 1, out);
    }
    am_put_token(p->run, "image_token", 1, out);
    am_put_token(p->run, "patch_token", count, out);
    am_put_token(p->run, "end_of_image_token", 1, out);
    return NULL;
}

/* --- Molmo 2 --- */

static void put_rows(const am_placeholder *p, const char *start, const char *end, bool ends, int64_t rows,
                     int64_t columns, am_buffer *out)
{
    am_put_token(p->run, start, 1, out);
    for (int64_t y = 0; y < rows; y++) {
        am_put_token(p->run, "patch_token", columns, out);
        if (ends) am_put_token(p->run, "col_token", 1, out);
    }
    am_put_token(p->run, end, 1, out);
}

static am_status expand_molmo2(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    int64_t grid[4];
    for (int64_t i = 0; i < 4; i++) AM_TRY(am_media_number(p->media, "image_grids", p->row, i, &grid[i]));
    bool ends = am_processor_flag(processor, "image_use_col_tokens", true);
    bool small_ends = am_processor_flag(processor, "use_single_crop_col_tokens", ends);
    const char *start =
        am_processor_flag(processor, "use_single_crop_start_token", true) ? "low_res_start_token" : "start_token";
    put_rows(p, start, "end_token", small_ends, grid[0], grid[1], out);
    put_rows(p, "start_token", "end_token", ends, grid[2], grid[3], out);
    return NULL;
}

/* Frames after their seconds; without fps a video has as many frames a second as the processor takes at most. */
static am_status expand_molmo2_video(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    const am_processor_clip *clip = &p->run->clips[p->index];
    int64_t rows, columns;
    AM_TRY(am_media_number(p->media, "video_grids", p->row, 1, &rows));
    AM_TRY(am_media_number(p->media, "video_grids", p->row, 2, &columns));
    bool ends = am_processor_flag(processor, "video_use_col_tokens", false);
    bool frames = am_processor_flag(processor, "use_frame_special_tokens", true);
    double fps = am_json_real(am_video_processor_setting(processor->video_processor, "max_fps"), 0.0);
    if (clip->fps > 0.0) fps = clip->fps;
    if (!(fps > 0.0)) return am_error(AM_INVALID_FILE, "max_fps: expected a positive number, found %g", fps);
    for (int64_t i = 0; i < clip->count; i++) {
        am_buffer_printf(out, "%s%.1f ", i ? " " : "", (double)clip->frames[i] / fps);
        put_rows(p, frames ? "frame_start_token" : "start_token", frames ? "frame_end_token" : "end_token", ends, rows,
                 columns, out);
    }
    return NULL;
}

/* bos_token first, and at most one video a text. */
static am_status prepare_molmo2(am_processor_call *run)
{
    const char *bos = am_special_text(run, "bos_token");
    if (!*bos) bos = am_special_text(run, "eos_token");
    am_text begin = {bos, strlen(bos)};
    for (int64_t i = 0; i < run->out->text_count; i++) {
        const am_buffer *in = &run->out->texts[i];
        am_buffer text = {0};
        if (in->length < begin.length || memcmp(am_buffer_text(in), begin.bytes, begin.length) != 0)
            am_buffer_append(&text, begin.bytes, begin.length);
        am_buffer_append(&text, am_buffer_text(in), in->length);
        am_set_text(run, i, &text);
        int64_t videos = am_count_text(&run->out->texts[i], am_token_text(run, "video_token"));
        if (run->inputs->video_count && videos > 1)
            return am_error(AM_INVALID_ARGUMENT, "text %" PRId64 " has %" PRId64 " videos, expected at most one", i,
                            videos);
    }
    return NULL;
}

/* --- MiniCPM --- */

/* Patches of the index-th picture that all images became. */
static am_status slice_count(const am_placeholder *p, int64_t index, int64_t *out)
{
    int64_t height, width;
    bool less = am_json_equals(am_image_setting(p->run->processor->image_processor, "downsample_mode"), "4x");
    AM_TRY(am_media_number(p->media, "target_sizes", index, 0, &height));
    AM_TRY(am_media_number(p->media, "target_sizes", index, 1, &width));
    *out = height * width / (less ? 4 : 16);
    return NULL;
}

static void put_image_id(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    bool numbers = am_json_bool(am_image_setting(processor->image_processor, "use_image_id"), true);
    if (!am_processor_flag(processor, "use_image_id", numbers)) return;
    am_put_token(p->run, "image_id_start_token", 1, out);
    am_buffer_printf(out, "%" PRId64, p->place);
    am_put_token(p->run, "image_id_end_token", 1, out);
}

static am_status expand_minicpm(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    int64_t rows, columns, first = 0, count, slices;
    for (int64_t i = 0; i < p->row; i++) {
        AM_TRY(am_media_number(p->media, "num_patches_per_image", i, 0, &slices));
        first += slices;
    }
    AM_TRY(am_media_number(p->media, "grids", p->row, 0, &rows));
    AM_TRY(am_media_number(p->media, "grids", p->row, 1, &columns));
    put_image_id(p, out);
    AM_TRY(slice_count(p, first, &count));
    am_put_token(p->run, "image_start_token", 1, out);
    am_put_token(p->run, "image_token", count, out);
    am_put_token(p->run, "image_end_token", 1, out);
    if (!am_json_bool(am_image_setting(processor->image_processor, "slice_mode"), true)) return NULL;
    for (int64_t i = 0; i < rows * columns; i++) {
        AM_TRY(slice_count(p, first + 1 + i, &count));
        if (i && i % columns == 0) am_buffer_append_char(out, '\n');
        am_put_token(p->run, "slice_start_token", 1, out);
        am_put_token(p->run, "image_token", count, out);
        am_put_token(p->run, "slice_end_token", 1, out);
    }
    return NULL;
}

/* A frame of a video: the whole, then rows of slices, which are as many tokens each as the first. `at` is the first
   picture of the frame among those of all videos, and becomes that of the next. */
static am_status put_frame(const am_placeholder *p, int64_t frame, int64_t *at, am_buffer *out)
{
    const am_video_processor *videos = p->run->processor->video_processor;
    bool slices = am_json_bool(am_video_processor_setting(videos, "slice_mode"), true);
    int64_t rows, columns, sizes[4] = {0},
                           less = am_json_equals(am_video_processor_setting(videos, "downsample_mode"), "4x") ? 4 : 16;
    AM_TRY(am_media_number(p->media, "grids_videos", frame, 0, &rows));
    AM_TRY(am_media_number(p->media, "grids_videos", frame, 1, &columns));
    for (int64_t i = 0; i < (rows * columns > 0 ? 4 : 2); i++)
        AM_TRY(am_media_number(p->media, "target_sizes_videos", *at + i / 2, i % 2, &sizes[i]));
    *at += rows * columns + 1;
    am_put_token(p->run, "image_start_token", 1, out);
    am_put_token(p->run, "video_token", sizes[0] * sizes[1] / less, out);
    am_put_token(p->run, "image_end_token", 1, out);
    for (int64_t i = 0; i < rows * columns && slices; i++) {
        if (i && i % columns == 0) am_buffer_append_char(out, '\n');
        am_put_token(p->run, "slice_start_token", 1, out);
        am_put_token(p->run, "video_token", sizes[2] * sizes[3] / less, out);
        am_put_token(p->run, "slice_end_token", 1, out);
    }
    return NULL;
}

static am_status expand_minicpm_frames(const am_placeholder *p, am_buffer *out)
{
    int64_t before = 0, frames, at = 0, rows, columns;
    for (int64_t i = 0; i < p->row; i++) {
        AM_TRY(am_media_number(p->media, "num_frames_per_video", i, 0, &frames));
        before += frames;
    }
    for (int64_t i = 0; i < before; i++) {
        AM_TRY(am_media_number(p->media, "grids_videos", i, 0, &rows));
        AM_TRY(am_media_number(p->media, "grids_videos", i, 1, &columns));
        at += rows * columns + 1;
    }
    AM_TRY(am_media_number(p->media, "num_frames_per_video", p->row, 0, &frames));
    for (int64_t i = 0; i < frames; i++) AM_TRY(put_frame(p, before + i, &at, out));
    return NULL;
}

static am_status expand_minicpm_video(const am_placeholder *p, am_buffer *out)
{
    put_image_id(p, out);
    return expand_minicpm_frames(p, out);
}

/* --- NeoMME --- */

static am_status expand_neomme(const am_placeholder *p, am_buffer *out)
{
    int64_t rows, columns;
    AM_TRY(am_media_number(p->media, "image_grid_hw", p->row, 0, &rows));
    AM_TRY(am_media_number(p->media, "image_grid_hw", p->row, 1, &columns));
    am_put_token(p->run, "image_token", 1, out);
    for (int64_t y = 0; y < rows; y++) {
        am_put_token(p->run, "image_token", columns, out);
        am_put_token(p->run, "row_token", 1, out);
    }
    return NULL;
}

/* Positions (row, column) of a text's tokens: those of an image after its first two lie as its patches do. */
static void set_positions(const int64_t *mask, int64_t T, int64_t columns, int64_t *rows_out, int64_t *columns_out)
{
    int64_t seen = 0;
    for (int64_t k = 0; k < T; k++) {
        if (!mask[k]) continue;
        bool in_grid = columns && seen >= 2;
        rows_out[k] = in_grid ? 2 + (seen - 2) / (columns + 1) : seen;
        columns_out[k] = in_grid ? 2 + (seen - 2) % (columns + 1) : seen;
        seen++;
    }
}

/* position_ids: [2, texts, T]. */
static am_status give_positions(am_processor_call *run)
{
    const am_media_output *masks = am_media_tensors_find(&run->out->tensors, "attention_mask");
    am_tensor *made;
    if (!run->inputs->image_count) return NULL;
    if (!masks || masks->is_list)
        return am_error(AM_INVALID_ARGUMENT, "texts with images have to be padded to one length");
    int64_t texts = run->out->text_count, T = masks->tensors[0].shape.dims[1];
    const int64_t *mask = masks->tensors[0].data;
    am_shape shape = am_shape_of(2, texts, T);
    AM_TRY(am_media_tensors_add(&run->out->tensors, "position_ids", AM_I64, &shape, &made));
    for (int64_t i = 0; i < texts; i++) {
        int64_t columns = 0, images = run->image_of_text[i + 1] - run->image_of_text[i];
        if (images > 1) return am_error(AM_INVALID_ARGUMENT, "text %" PRId64 " has %" PRId64 " images", i, images);
        if (images) AM_TRY(am_media_number(&run->out->tensors, "image_grid_hw", run->image_of_text[i], 1, &columns));
        int64_t *rows = (int64_t *)made->data + i * T;
        set_positions(mask + i * T, T, columns, rows, rows + texts * T);
    }
    am_media_drop(&run->out->tensors, "image_grid_hw");
    return NULL;
}

static am_status make_documents(am_processor_call *run)
{
    if (run->out->text_count) return NULL;
    AM_TRY(am_make_texts(run, run->inputs->image_count));
    for (int64_t i = 0; i < run->out->text_count; i++) {
        am_put_token(run, "document_token", 1, &run->out->texts[i]);
        am_put_token(run, "image_token", 1, &run->out->texts[i]);
    }
    return NULL;
}

/* --- rows of the table --- */

#define IMAGE(rule)                                                                                                    \
    {                                                                                                                  \
        .placeholder = "image_token", .expand = rule                                                                   \
    }
#define VIDEO(rule)                                                                                                    \
    {                                                                                                                  \
        .placeholder = "video_token", .expand = rule                                                                   \
    }
#define CONTEXT_IMAGE                                                                                                  \
    {                                                                                                                  \
        .placeholder = "context_image_token", .marked = "context_image_token start_image_token end_image_token",       \
        .expand = expand_internvl                                                                                      \
    }
#define MINICPM                                                                                                        \
    "image_token* image_start_token* image_end_token* slice_start_token* slice_end_token* image_id_start_token* "      \
    "image_id_end_token* video_token*?"
#define MINICPM_UNUSED "num_patches_per_image grids grids_videos num_patches_per_frame num_frames_per_video"

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "InternVLProcessor",
     .settings = AM_JSON({"image_seq_length": 256, "text_kwargs": {"padding_side": "left"},
                          "images_kwargs": {"crop_to_patches": true}}),
     .tokens = "context_image_token* start_image_token* end_image_token* video_token*?", .image = CONTEXT_IMAGE,
     .video = {.placeholder = "video_token", .expand = expand_internvl_video},
     .video_processor = "InternVLVideoProcessor", .unused = "num_patches pixel_values_videos",
     .finish = merge_visuals},
    {.name = "QianfanOCRProcessor",
     .settings = AM_JSON({"image_seq_length": 256, "image_placeholder_token": "<image>",
                          "text_kwargs": {"padding_side": "left"}, "images_kwargs": {"crop_to_patches": true}}),
     .tokens = "image_placeholder_token? context_image_token* start_image_token* end_image_token*",
     .image = {.placeholder = "image_placeholder_token", .counted = "context_image_token",
               .marked = "context_image_token start_image_token end_image_token", .expand = expand_internvl},
     .unused = "num_patches"},
    {.name = "AyaVisionProcessor",
     .settings = AM_JSON({"patch_size": 28, "img_size": 364, "image_token": "<image>", "downsample_factor": 1,
                          "start_of_img_token": "<|START_OF_IMG|>", "end_of_img_token": "<|END_OF_IMG|>",
                          "img_patch_token": "<|IMG_PATCH|>", "img_line_break_token": "<|IMG_LINE_BREAK|>",
                          "tile_token": "TILE", "tile_global_token": "TILE_GLOBAL",
                          "text_kwargs": {"padding_side": "left", "padding": true},
                          "images_kwargs": {"crop_to_patches": true}}),
     .tokens = "image_token? start_of_img_token? end_of_img_token? img_patch_token tile_token? tile_global_token?",
     .image = {.placeholder = "image_token", .counted = "img_patch_token",
               .marked = "img_patch_token tile_token tile_global_token start_of_img_token end_of_img_token",
               .expand = expand_aya},
     .unused = "num_patches"},
    {.name = "Cohere2VisionProcessor",
     .settings = AM_JSON({"text_kwargs": {"padding_side": "left", "padding": true}}),
     .tokens = "image_token* boi_token* eoi_token* img_line_break_token*",
     .image = {.placeholder = "image_token", .marked = "image_token boi_token eoi_token img_line_break_token",
               .expand = expand_cohere2},
     .unused = "num_patches"},
    {.name = "GotOcr2Processor",
     .settings = AM_JSON({"num_image_tokens": 256, "format": false, "color": null, "image_token": "<imgpad>",
                          "images_kwargs": {"crop_to_patches": false, "min_patches": 1, "max_patches": 12}}),
     .tokens = "image_token", .image = IMAGE(expand_got), .prepare = ask_for_text, .unused = "num_patches"},
    {.name = "AriaProcessor",
     .settings = AM_JSON({"size_conversion": {"490": 128, "980": 256},
                          "images_kwargs": {"max_image_size": 980, "split_image": false}}),
     .tokens = "image_token*", .image = IMAGE(expand_aria), .unused = "num_crops"},
    {.name = "Ovis2Processor",
     .settings = AM_JSON({"image_seq_length": 256, "image_token": "<image>", "start_token": "<IMG_START>",
                          "atom_token": "<IMG_ATOM>", "grid_token": "<IMG_GRID>", "column_token": "<IMG_COL>",
                          "row_token": "<IMG_ROW>", "end_token": "<IMG_END>"}),
     .tokens = "image_token? start_token? atom_token grid_token? column_token? row_token? end_token?",
     .image = {.placeholder = "image_token", .counted = "atom_token", .expand = expand_ovis2}, .unused = "grids"},
    {.name = "Step3p7Processor",
     .settings = AM_JSON({"image_token": "<im_patch>", "patch_start_token": "<patch_start>",
                          "patch_end_token": "<patch_end>", "patch_newline_token": "<patch_newline>",
                          "im_start_token": "<im_start>", "im_end_token": "<im_end>"}),
     .tokens = "image_token patch_start_token? patch_end_token? patch_newline_token? im_start_token? im_end_token?",
     .image = IMAGE(expand_step3p7), .unused = "patch_newline_masks"},
    {.name = "DeepseekOcr2Processor",
     .settings = AM_JSON({"image_token": "<image>", "patch_size": 16, "downsample_ratio": 4,
                          "images_kwargs": {"crop_to_patches": true, "min_patches": 2, "max_patches": 6}}),
     .tokens = "image_token*", .image = IMAGE(expand_deepseek_ocr2)},
    {.name = "UnlimitedOcrProcessor",
     .settings = AM_JSON({"image_token": "<image>", "patch_size": 16, "downsample_ratio": 4}),
     .tokens = "image_token*", .image = IMAGE(expand_unlimited)},
    {.name = "PerceptionLMProcessor", .settings = AM_JSON({"pooling_ratio": 2}), .tokens = "image_token* video_token*?",
     .image = IMAGE(expand_perception), .video = VIDEO(expand_perception_video),
     .video_processor = "PerceptionLMVideoProcessor"},
    {.name = "Llama4Processor",
     .settings = AM_JSON({"patch_size": 14, "pixel_shuffle_ratio": 0.5, "image_token": "<|image|>",
                          "start_of_image_token": "<|image_start|>", "end_of_image_token": "<|image_end|>",
                          "patch_token": "<|patch|>", "tile_x_separator_token": "<|tile_x_separator|>",
                          "tile_y_separator_token": "<|tile_y_separator|>",
                          "text_kwargs": {"padding_side": "left"}}),
     .tokens = "image_token start_of_image_token end_of_image_token patch_token tile_x_separator_token "
               "tile_y_separator_token",
     .image = IMAGE(expand_llama4), .unused = "aspect_ratios"},
    {.name = "Molmo2Processor",
     .settings = AM_JSON({"image_token": "<|image|>", "video_token": "<|video|>", "image_use_col_tokens": true,
                          "use_single_crop_start_token": true, "video_use_col_tokens": false,
                          "use_frame_special_tokens": true, "patch_token": "<im_patch>", "col_token": "<im_col>",
                          "start_token": "<im_start>", "low_res_start_token": "<low_res_im_start>",
                          "end_token": "<im_end>", "frame_start_token": "<frame_start>",
                          "frame_end_token": "<frame_end>", "low_token": "<im_low>"}),
     .tokens = "image_token* video_token*? patch_token col_token start_token low_res_start_token end_token "
               "frame_start_token? frame_end_token? low_token?",
     .image = {.placeholder = "image_token", .counted = "image_token",
               .marked = "patch_token col_token start_token low_res_start_token end_token frame_start_token "
                         "frame_end_token low_token", .expand = expand_molmo2},
     .video = VIDEO(expand_molmo2_video), .video_processor = "Molmo2VideoProcessor",
     .type_ids = "mm_token_type_ids", .prepare = prepare_molmo2},
    {.name = "MiniCPMOcrProcessor",
     .settings = AM_JSON({"use_image_id": null, "text_kwargs": {"padding": true, "padding_side": "left"}}),
     .tokens = MINICPM, .image = IMAGE(expand_minicpm), .video = VIDEO(expand_minicpm_video),
     .video_processor = "MiniCPMOcrVideoProcessor", .unused = MINICPM_UNUSED},
    {.name = "MiniCPMV4_6Processor",
     .settings = AM_JSON({"use_image_id": null, "text_kwargs": {"padding": true, "padding_side": "left"}}),
     .tokens = MINICPM, .image = IMAGE(expand_minicpm), .video = VIDEO(expand_minicpm_video),
     .video_processor = "MiniCPMV4_6VideoProcessor", .unused = MINICPM_UNUSED},
    {.name = "MiniCPMV4_7Processor",
     .settings = AM_JSON({"use_image_id": null, "text_kwargs": {"padding": true, "padding_side": "left"}}),
     .tokens = MINICPM, .image = IMAGE(expand_minicpm), .video = VIDEO(expand_minicpm_frames),
     .video_processor = "MiniCPMV4_6VideoProcessor", .type_ids = "mm_token_type_ids",
     .unused = MINICPM_UNUSED},
    {.name = "NeoMMEProcessor", .tokens = "image_token* row_token* document_token*?", .image = IMAGE(expand_neomme),
     .prepare = make_documents, .finish = give_positions},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_tiles = {classes};

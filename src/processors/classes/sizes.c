/* Images of their own sizes, as many tokens as patches of them: Pixtral, LightOn OCR, Emu3, LLaVA and those that cut
   images by resolutions (LLaVA-NeXT), LFM2-VL. */
#include "media/images/tiles.h"
#include "processors/rules.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static am_status positive(const am_processor *p, const char *key, int64_t *out)
{
    AM_TRY(am_processor_integer(p, key, out));
    return *out ? NULL : am_error(AM_INVALID_FILE, "%s: expected a positive integer, found 0", key);
}

/* Height and width that an output has for this image. */
static am_status read_pair(const am_placeholder *p, const char *name, int64_t out[2])
{
    AM_TRY(am_media_number(p->media, name, p->row, 0, &out[0]));
    return am_media_number(p->media, name, p->row, 1, &out[1]);
}

/* --- Pixtral, LightOn OCR, Emu3 --- */

static am_status merged_sides(const am_placeholder *p, int64_t size[2])
{
    int64_t patch, merge;
    AM_TRY(positive(p->run->processor, "patch_size", &patch));
    AM_TRY(positive(p->run->processor, "spatial_merge_size", &merge));
    AM_TRY(read_pair(p, "image_sizes", size));
    size[0] /= patch * merge;
    size[1] /= patch * merge;
    return NULL;
}

static am_status give_patch_size(const am_processor *p, am_buffer *out)
{
    int64_t patch, merge;
    AM_TRY(positive(p, "patch_size", &patch));
    AM_TRY(positive(p, "spatial_merge_size", &merge));
    am_buffer_printf(out, "\"patch_size\": %" PRId64, patch * merge);
    return NULL;
}

static am_status expand_pixtral(const am_placeholder *p, am_buffer *out)
{
    int64_t size[2];
    AM_TRY(merged_sides(p, size));
    for (int64_t y = 0; y < size[0]; y++) {
        am_put_token(p->run, "image_token", size[1], out);
        am_put_token(p->run, y + 1 < size[0] ? "image_break_token" : "image_end_token", 1, out);
    }
    return NULL;
}

static am_status expand_lighton(const am_placeholder *p, am_buffer *out)
{
    int64_t size[2];
    AM_TRY(merged_sides(p, size));
    am_put_token(p->run, "image_token", size[0] * size[1], out);
    return NULL;
}

static am_status expand_emu3(const am_placeholder *p, am_buffer *out)
{
    enum { DOWNSAMPLE_RATIO = 8 };
    int64_t size[2];
    AM_TRY(read_pair(p, "image_sizes", size));
    int64_t height = size[0] / DOWNSAMPLE_RATIO, width = size[1] / DOWNSAMPLE_RATIO;
    am_put_token(p->run, "boi_token", 1, out);
    am_buffer_printf(out, "%" PRId64 "*%" PRId64, height, width);
    am_put_token(p->run, "image_wrapper_token", 1, out);
    am_put_token(p->run, "image_token", height * (width + 1), out);
    am_put_token(p->run, "eof_token", 1, out);
    am_put_token(p->run, "eoi_token", 1, out);
    return NULL;
}

static am_status put_bos(am_processor_call *run)
{
    am_json special = am_processor_kwarg(run->processor, "text_kwargs", "add_special_tokens");
    return am_json_bool(special, true) ? am_format_texts(run, am_special_text(run, "bos_token"), "") : NULL;
}

/* --- LLaVA --- */

/* What the tower gives besides patches, less the class token where features are those of "default". */
static am_status additional(const am_processor *p, int64_t *out)
{
    *out = 0;
    if (am_json_kind_of(am_processor_setting(p, "num_additional_image_tokens")) != AM_JSON_MISSING)
        AM_TRY(am_processor_integer(p, "num_additional_image_tokens", out));
    return NULL;
}

static bool drops_class_token(const am_processor *p)
{
    return am_json_equals(am_processor_setting(p, "vision_feature_select_strategy"), "default");
}

/* The last two dimensions of pixel_values. */
static am_status pixel_sides(const am_placeholder *p, int64_t out[2])
{
    const char *name = am_media_tensors_find(p->media, "pixel_values_images") ? "pixel_values_images" : "pixel_values";
    am_shape shape;
    AM_TRY(am_media_shape(p->media, name, p->row, &shape));
    if (shape.rank < 3) return am_error(AM_INVALID_ARGUMENT, "pixel_values of rank %d", shape.rank);
    out[0] = shape.dims[shape.rank - 2];
    out[1] = shape.dims[shape.rank - 1];
    return NULL;
}

static am_status expand_llava(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    int64_t side[2], patch, more;
    AM_TRY(pixel_sides(p, side));
    AM_TRY(positive(processor, "patch_size", &patch));
    AM_TRY(additional(processor, &more));
    int64_t count = side[0] / patch * (side[1] / patch) + more - (drops_class_token(processor) ? 1 : 0);
    am_put_token(p->run, "image_token", count, out);
    return NULL;
}

/* --- videos --- */

/* Frames, height and width of a video as the model takes it. */
typedef struct video_sides {
    int64_t frames, height, width;
} video_sides;

static am_status read_video(const am_placeholder *p, video_sides *out)
{
    am_shape shape;
    AM_TRY(am_media_shape(p->media, "pixel_values_videos", p->row, &shape));
    if (shape.rank < 4) return am_error(AM_INVALID_ARGUMENT, "pixel_values_videos of rank %d", shape.rank);
    const int64_t *last = &shape.dims[shape.rank - 4];
    *out = (video_sides){.frames = last[0], .height = last[2], .width = last[3]};
    return NULL;
}

static am_status expand_video_llava(const am_placeholder *p, am_buffer *out)
{
    video_sides video;
    int64_t patch, more;
    AM_TRY(read_video(p, &video));
    AM_TRY(positive(p->run->processor, "patch_size", &patch));
    AM_TRY(additional(p->run->processor, &more));
    int64_t count = video.height / patch * (video.width / patch) + more;
    am_put_token(p->run, "video_token", count * video.frames, out);
    return NULL;
}

/* LLaVA-NeXT-Video: 2 by 2 patches are pooled. */
static am_status expand_next_video(const am_placeholder *p, am_buffer *out)
{
    video_sides video;
    int64_t patch;
    AM_TRY(read_video(p, &video));
    AM_TRY(positive(p->run->processor, "patch_size", &patch));
    am_put_token(p->run, "video_token", video.height / patch * (video.width / patch) / 4 * video.frames, out);
    return NULL;
}

/* LLaVA-OneVision: the same, of a square of patches; a newline ends the video. */
static am_status expand_onevision_video(const am_placeholder *p, am_buffer *out)
{
    video_sides video;
    int64_t tokens;
    AM_TRY(read_video(p, &video));
    AM_TRY(positive(p->run->processor, "num_image_tokens", &tokens));
    int64_t side = ((int64_t)sqrt((double)tokens) + 1) / 2;
    am_put_token(p->run, "video_token", video.frames * side * side + 1, out);
    return NULL;
}

/* --- resolutions --- */

typedef struct unpadded {
    int64_t rows, columns; /* patches of the picture without what pads it; each row ends with a newline */
} unpadded;

/* int(round(x, 7)) */
static int64_t rounded(double x)
{
    char text[64];
    snprintf(text, sizeof text, "%.7f", x);
    return (int64_t)strtod(text, NULL);
}

/* _get_unpadded_features: image [height, width], patches of a tile, tiles of the canvas. */
static unpadded unpad(const int64_t image[2], const int64_t patches[2], const int64_t tiles[2])
{
    double height = (double)image[0], width = (double)image[1];
    unpadded out = {patches[0] * tiles[0], patches[1] * tiles[1]};
    if (width / height > (double)out.columns / (double)out.rows) {
        int64_t fitted = rounded(height * ((double)out.columns / width));
        out.rows -= am_floor_div(out.rows - fitted, 2) * 2;
    } else {
        int64_t fitted = rounded(width * ((double)out.rows / height));
        out.columns -= am_floor_div(out.columns - fitted, 2) * 2;
    }
    return out;
}

/* "1/2" or a number. */
static double fraction(am_json value)
{
    am_json_string text = am_json_text(value);
    if (!text.length) return am_json_real(value, 1.0);
    char *end;
    double above = strtod(text.bytes, &end);
    return *end == '/' ? above / strtod(end + 1, NULL) : above;
}

/* Patches of a tile, tiles of the canvas that suits the image. */
static am_status read_canvas(const am_placeholder *p, int64_t patch, const int64_t image[2], int64_t patches[2],
                             int64_t tiles[2])
{
    const am_processor *processor = p->run->processor;
    double rate = fraction(am_processor_setting(processor, "downsample_rate"));
    am_plane_size best;
    int64_t side[2];
    AM_TRY(pixel_sides(p, side));
    AM_TRY(am_tile_best_resolution(processor->image_processor, "image_grid_pinpoints",
                                   (am_plane_size){image[0], image[1]}, &best));
    tiles[0] = best.height / side[0];
    tiles[1] = best.width / side[1];
    for (int d = 0; d < 2; d++) patches[d] = (int64_t)floor((double)(side[d] / patch) * rate + 1e-9);
    return NULL;
}

static am_status expand_resolution(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    int64_t image[2], patch, patches[2], tiles[2], more;
    AM_TRY(read_pair(p, "image_sizes", image));
    AM_TRY(positive(processor, "patch_size", &patch));
    AM_TRY(additional(processor, &more));
    AM_TRY(read_canvas(p, patch, image, patches, tiles));
    unpadded kept = unpad(image, patches, tiles);
    int64_t count = kept.rows * kept.columns + kept.rows + patches[0] * patches[1] + more;
    am_put_token(p->run, "image_token", count - (drops_class_token(processor) ? 1 : 0), out);
    return NULL;
}

/* Python's // of floats. */
static int64_t whole_times(int64_t a, double b)
{
    return (int64_t)nearbyint(((double)a - fmod((double)a, b)) / b);
}

/* LLaVA-OneVision: num_image_tokens of a tile, made fewer where there are more than anyres_max_N tiles. */
static am_status expand_onevision(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    static const char prefix[] = "anyres_max_";
    int64_t image[2], count, tiles[2], patches[2];
    am_json_string ratio_name = am_json_text(am_processor_setting(processor, "vision_aspect_ratio"));
    AM_TRY(read_pair(p, "image_sizes", image));
    AM_TRY(positive(processor, "num_image_tokens", &count));
    if (strncmp(ratio_name.bytes, prefix, sizeof prefix - 1) != 0 ||
        strtod(ratio_name.bytes + sizeof prefix - 1, NULL) < 1)
        return am_error(AM_INVALID_FILE, "vision_aspect_ratio: expected \"anyres_max_N\", found \"%.40s\"",
                        ratio_name.bytes);
    AM_TRY(read_canvas(p, 1, image, patches, tiles));
    patches[0] = patches[1] = (int64_t)sqrt((double)count);
    unpadded kept = unpad(image, patches, tiles);
    double most = strtod(ratio_name.bytes + sizeof prefix - 1, NULL) * (double)(patches[0] * patches[0]);
    double ratio = sqrt((double)(kept.rows * kept.columns) / most);
    if (ratio > 1.1) {
        kept.rows = whole_times(kept.rows, ratio);
        kept.columns = whole_times(kept.columns, ratio);
    }
    count += kept.rows * kept.columns + kept.rows;
    am_put_token(p->run, "image_token", count - (drops_class_token(processor) ? 1 : 0), out);
    return NULL;
}

/* --- LFM2-VL --- */

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

typedef struct lfm2_settings {
    int64_t tile, patch, factor;
    bool thumbnail, marks;
} lfm2_settings;

static am_status read_lfm2(const am_processor *p, lfm2_settings *out)
{
    AM_TRY(am_processor_image_integer(p, "tile_size", &out->tile));
    AM_TRY(am_processor_image_integer(p, "encoder_patch_size", &out->patch));
    AM_TRY(am_processor_image_integer(p, "downsample_factor", &out->factor));
    out->thumbnail = am_json_bool(am_image_setting(p->image_processor, "use_thumbnail"), true);
    out->marks = am_processor_flag(p, "use_image_special_tokens", true);
    if (out->patch && out->factor) return NULL;
    return am_error(AM_INVALID_FILE, "encoder_patch_size and downsample_factor: expected none of them 0");
}

static int64_t lfm2_side(const lfm2_settings *s, int64_t pixels)
{
    return ceil_div(pixels / s->patch, s->factor);
}

static void put_lfm2_tiles(const am_placeholder *p, const lfm2_settings *s, const int64_t grid[2], am_buffer *out)
{
    int64_t side = lfm2_side(s, s->tile);
    for (int64_t i = 0; i < grid[0] * grid[1]; i++) {
        if (s->marks)
            am_buffer_printf(out, "<|img_row_%" PRId64 "_col_%" PRId64 "|>", i / grid[1] + 1, i % grid[1] + 1);
        am_put_token(p->run, "image_token", side * side, out);
    }
    if (s->thumbnail && s->marks) am_put_token(p->run, "image_thumbnail_token", 1, out);
}

static am_status expand_lfm2(const am_placeholder *p, am_buffer *out)
{
    int64_t grid[2], size[2];
    lfm2_settings s;
    AM_TRY(read_lfm2(p->run->processor, &s));
    AM_TRY(am_media_number(p->media, "image_rows", p->row, 0, &grid[0]));
    AM_TRY(am_media_number(p->media, "image_cols", p->row, 0, &grid[1]));
    AM_TRY(read_pair(p, "image_sizes", size));
    bool tiled = grid[0] > 1 || grid[1] > 1;
    if (s.marks) am_put_token(p->run, "image_start_token", 1, out);
    if (tiled) put_lfm2_tiles(p, &s, grid, out);
    if (!tiled || s.thumbnail)
        am_put_token(p->run, "image_token", lfm2_side(&s, size[0]) * lfm2_side(&s, size[1]), out);
    if (s.marks) am_put_token(p->run, "image_end_token", 1, out);
    return NULL;
}

/* --- rows of the table --- */

#define VIDEO(rule)                                                                                                    \
    {                                                                                                                  \
        .placeholder = "video_token", .expand = rule                                                                   \
    }
#define IMAGE(rule)                                                                                                    \
    {                                                                                                                  \
        .placeholder = "image_token", .expand = rule                                                                   \
    }

/* clang-format off */
#define LLAVA AM_JSON({"image_token": "<image>", "num_additional_image_tokens": 0})

static const am_processor_class classes[] = {
    {.name = "PixtralProcessor",
     .settings = AM_JSON({"patch_size": 16, "spatial_merge_size": 1, "image_token": "[IMG]",
                          "image_break_token": "[IMG_BREAK]", "image_end_token": "[IMG_END]"}),
     .tokens = "image_token image_break_token image_end_token", .image_arguments = give_patch_size,
     .image = {.placeholder = "image_token", .marked = "image_token image_break_token image_end_token",
               .expand = expand_pixtral}},
    {.name = "LightOnOcrProcessor",
     .settings = AM_JSON({"patch_size": 14, "spatial_merge_size": 2, "images_kwargs": {"do_pad": true}}),
     .tokens = "image_token* image_break_token*? image_end_token*?",
     .image = {.placeholder = "image_token", .marked = "image_token image_break_token image_end_token",
               .expand = expand_lighton}},
    {.name = "Emu3Processor", .tokens = "image_token* boi_token* eoi_token* image_wrapper_token* eof_token*",
     .image = IMAGE(expand_emu3), .prepare = put_bos},
    {.name = "LlavaProcessor", .settings = LLAVA, .tokens = "image_token*", .image = IMAGE(expand_llava)},
    {.name = "VideoLlavaProcessor",
     .settings = AM_JSON({"image_token": "<image>", "video_token": "<video>", "num_additional_image_tokens": 1,
                          "patch_size": 14,
                          "vision_feature_select_strategy": "default"}),
     .tokens = "image_token* video_token*?", .image = IMAGE(expand_llava), .video = VIDEO(expand_video_llava),
     .video_processor = "VideoLlavaVideoProcessor"},
    {.name = "LlavaNextProcessor",
     .settings = AM_JSON({"image_token": "<image>", "num_additional_image_tokens": 0,
                          "images_kwargs": {"do_pad": true}}),
     .tokens = "image_token*", .image = IMAGE(expand_resolution)},
    {.name = "LlavaNextVideoProcessor", .settings = AM_JSON({"image_token": "<image>", "video_token": "<video>",
                          "num_additional_image_tokens": 0}), .tokens = "image_token* video_token*?",
     .image = IMAGE(expand_resolution), .video = VIDEO(expand_next_video),
     .video_processor = "LlavaNextVideoVideoProcessor"},
    {.name = "Granite4VisionProcessor",
     .settings = AM_JSON({"image_token": "<image>", "num_additional_image_tokens": 0,
                          "images_kwargs": {"do_pad": true}}),
     .tokens = "image_token*", .image = IMAGE(expand_resolution)},
    {.name = "LlavaOnevisionProcessor",
     .settings = AM_JSON({"image_token": "<image>", "video_token": "<video>", "vision_aspect_ratio": "anyres_max_9"}),
     .tokens = "image_token* video_token*?", .image = IMAGE(expand_onevision),
     .video = VIDEO(expand_onevision_video), .video_processor = "LlavaOnevisionVideoProcessor"},
    {.name = "Lfm2VlProcessor",
     .settings = AM_JSON({"image_token": "<image>", "image_start_token": "<|image_start|>",
                          "image_end_token": "<|image_end|>", "image_thumbnail_token": "<|img_thumbnail|>",
                          "use_image_special_tokens": true, "images_kwargs": {"return_row_col_info": true},
                          "text_kwargs": {"add_special_tokens": false}}),
     .tokens = "image_token* image_start_token* image_end_token* image_thumbnail_token*", .nests_images = true,
     .image = IMAGE(expand_lfm2), .unused = "image_rows image_cols image_sizes token_type_ids"},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_sizes = {classes};

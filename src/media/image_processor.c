#include "media/image_processor.h"

#include "base/memory.h"
#include "media/preprocessor_config.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What happens to the pixels before they become numbers, in this order; a size of 0 leaves a step out. */
typedef struct geometry {
    am_plane_size resized, cropped_after_resize, center_cropped;
} geometry;

/* "longest_edge" with "shortest_edge": get_size_with_aspect_ratio. */
static am_plane_size fit_edges(am_plane_size in, int64_t shortest, int64_t longest)
{
    double low = (double)(in.height < in.width ? in.height : in.width);
    double high = (double)(in.height < in.width ? in.width : in.height), exact = (double)shortest;
    int64_t size = shortest;
    if (high / low * (double)shortest > (double)longest) {
        exact = (double)longest * low / high;
        size = (int64_t)nearbyint(exact);
    }
    if ((in.height <= in.width && in.height == size) || (in.width <= in.height && in.width == size)) return in;
    if (in.width < in.height) return (am_plane_size){(int64_t)(exact * (double)in.height / (double)in.width), size};
    return (am_plane_size){size, (int64_t)(exact * (double)in.width / (double)in.height)};
}

/* get_resize_output_image_size: the shorter edge becomes `shortest`. */
static am_plane_size fit_shortest(am_plane_size in, int64_t shortest)
{
    if (in.width <= in.height)
        return (am_plane_size){(int64_t)((double)(shortest * in.height) / (double)in.width), shortest};
    return (am_plane_size){shortest, (int64_t)((double)(shortest * in.width) / (double)in.height)};
}

/* get_image_size_for_max_height_width. */
static am_plane_size fit_box(am_plane_size in, int64_t height, int64_t width)
{
    double scale = fmin((double)height / (double)in.height, (double)width / (double)in.width);
    return (am_plane_size){(int64_t)((double)in.height * scale), (int64_t)((double)in.width * scale)};
}

static am_status resize_plain(const am_image_processor *p, am_plane_size in, geometry *out)
{
    const am_image_size *s = &p->size;
    if (s->shortest_edge && s->longest_edge) out->resized = fit_edges(in, s->shortest_edge, s->longest_edge);
    else if (s->shortest_edge) out->resized = fit_shortest(in, s->shortest_edge);
    else if (s->max_height && s->max_width) out->resized = fit_box(in, s->max_height, s->max_width);
    else if (s->height && s->width) out->resized = (am_plane_size){s->height, s->width};
    else
        return am_error(AM_INVALID_FILE, "size: expected height and width, max_height and max_width, or shortest_edge");
    return NULL;
}

/* ConvNextImageProcessor.resize: small pictures are enlarged by 1 / crop_pct, then cropped; large ones
   are warped. */
static am_status resize_convnext(const am_image_processor *p, am_plane_size in, geometry *out)
{
    int64_t edge = p->size.shortest_edge;
    if (!edge) return am_error(AM_INVALID_FILE, "size: expected shortest_edge");
    out->resized = out->cropped_after_resize = (am_plane_size){edge, edge};
    double enlarged = fmin((double)edge / p->crop_pct, (double)AM_IMAGE_MAX_PIXELS);
    if (edge < 384) out->resized = fit_shortest(in, (int64_t)enlarged);
    else out->cropped_after_resize = (am_plane_size){0};
    return NULL;
}

/* Means and standard deviations of the channels, in image_utils.py and utils/constants.py. */
typedef struct channel_statistics {
    double mean[3], std[3];
} channel_statistics;

static const channel_statistics imagenet_default = {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
static const channel_statistics imagenet_standard = {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};
static const channel_statistics openai_clip = {{0.48145466, 0.4578275, 0.40821073},
                                               {0.26862954, 0.26130258, 0.27577711}};

struct am_image_class {
    const char *name; /* without Fast and Pil */
    am_status (*resize_rule)(const am_image_processor *p, am_plane_size in, geometry *out);
    const channel_statistics *channels;
    am_image_processor defaults;
};

#define ALL_STEPS .do_resize = true, .do_rescale = true, .do_normalize = true, .rescale_factor = 1.0 / 255.0

/* The default picture of CLIP and its kin. */
#define CLIP_DEFAULTS                                                                                                  \
    ALL_STEPS, .do_convert_rgb = true, .do_center_crop = true, .resample = AM_RESAMPLE_BICUBIC,                        \
               .size = {.shortest_edge = 224}, .crop_size = {.height = 224, .width = 224}

/* Class attributes of transformers/models/<model>/image_processing_<model>.py. Sizes are height, width. */
static const am_image_class classes[] = {
    {"BitImageProcessor", resize_plain, &openai_clip, {CLIP_DEFAULTS}},
    {"BlipImageProcessor",
     resize_plain,
     &openai_clip,
     {ALL_STEPS, .do_convert_rgb = true, .default_to_square = true, .resample = AM_RESAMPLE_BICUBIC,
      .size = {.height = 384, .width = 384}}},
    {"CLIPImageProcessor", resize_plain, &openai_clip, {CLIP_DEFAULTS}},
    {"ChineseCLIPImageProcessor", resize_plain, &openai_clip, {CLIP_DEFAULTS}},
    {"ConvNextImageProcessor",
     resize_convnext,
     &imagenet_standard,
     {ALL_STEPS, .resample = AM_RESAMPLE_BICUBIC, .size = {.shortest_edge = 384}, .crop_pct = 224.0 / 256.0}},
    {"DeiTImageProcessor",
     resize_plain,
     &imagenet_standard,
     {ALL_STEPS, .do_center_crop = true, .default_to_square = true, .resample = AM_RESAMPLE_BICUBIC,
      .size = {.height = 256, .width = 256}, .crop_size = {.height = 224, .width = 224}}},
    {"MobileNetV1ImageProcessor",
     resize_plain,
     &imagenet_standard,
     {ALL_STEPS, .do_center_crop = true, .resample = AM_RESAMPLE_BILINEAR, .size = {.shortest_edge = 256},
      .crop_size = {.height = 224, .width = 224}}},
    {"PvtImageProcessor",
     resize_plain,
     &imagenet_default,
     {ALL_STEPS, .default_to_square = true, .resample = AM_RESAMPLE_BICUBIC, .size = {.height = 224, .width = 224}}},
    {"SiglipImageProcessor",
     resize_plain,
     &imagenet_standard,
     {ALL_STEPS, .do_convert_rgb = true, .resample = AM_RESAMPLE_BICUBIC, .size = {.height = 224, .width = 224}}},
    {"ViTImageProcessor",
     resize_plain,
     &imagenet_standard,
     {ALL_STEPS, .default_to_square = true, .resample = AM_RESAMPLE_BILINEAR, .size = {.height = 224, .width = 224}}},
};

const char *am_image_processor_name(const am_image_processor *processor)
{
    return processor->kind->name;
}

static bool cut_ending(const char *name, size_t *length, const char *ending)
{
    size_t ending_length = strlen(ending);
    if (*length < ending_length || memcmp(name + *length - ending_length, ending, ending_length) != 0) return false;
    *length -= ending_length;
    return true;
}

/* "CLIPImageProcessorFast", "CLIPImageProcessorPil" or, of old, "CLIPFeatureExtractor". */
static am_status find_class(const char *name, size_t length, am_image_processor *out)
{
    static const char suffix[] = "ImageProcessor";
    size_t rest = length;
    am_image_backend backend = AM_IMAGE_TORCHVISION;
    if (!cut_ending(name, &rest, "Fast") && cut_ending(name, &rest, "Pil")) backend = AM_IMAGE_PIL;
    if (!cut_ending(name, &rest, suffix) && !cut_ending(name, &rest, "FeatureExtractor")) rest = 0;
    for (size_t i = 0; rest && i < sizeof classes / sizeof *classes; i++) {
        if (strncmp(classes[i].name, name, rest) != 0 || strcmp(classes[i].name + rest, suffix) != 0) continue;
        *out = classes[i].defaults;
        memcpy(out->image_mean, classes[i].channels->mean, sizeof out->image_mean);
        memcpy(out->image_std, classes[i].channels->std, sizeof out->image_std);
        out->kind = &classes[i];
        out->backend = backend;
        return NULL;
    }
    return am_error(AM_UNSUPPORTED, "image processor \"%.*s\" is not one of those that are implemented",
                    length > 100 ? 100 : (int)length, name);
}

static bool is_number(am_json value)
{
    return am_json_kind_of(value) == AM_JSON_INTEGER || am_json_kind_of(value) == AM_JSON_REAL;
}

static am_status read_positive(am_json config, const char *key, double *out)
{
    am_json value = am_json_get(config, key);
    if (!am_preprocessor_config_given(value)) return NULL;
    double number = am_json_real(value, 0.0);
    if (!is_number(value) || !(number > 0.0) || !isfinite(number))
        return am_error(AM_INVALID_FILE, "%s: expected a positive number, found %g", key, number);
    *out = number;
    return NULL;
}

/* One number for all channels, or one for each. */
static am_status read_channels(am_json config, const char *key, double out[3])
{
    am_json value = am_json_get(config, key);
    if (!am_preprocessor_config_given(value)) return NULL;
    if (am_json_kind_of(value) == AM_JSON_ARRAY && am_json_count(value) == 3) {
        int c = 0;
        for (am_json_iterator i = am_json_iterate(value); am_json_next(&i); c++)
            out[c] = is_number(i.value) ? am_json_real(i.value, NAN) : NAN;
    } else {
        out[0] = out[1] = out[2] = is_number(value) ? am_json_real(value, NAN) : NAN;
    }
    if (isfinite(out[0]) && isfinite(out[1]) && isfinite(out[2])) return NULL;
    return am_error(AM_INVALID_FILE, "%s: expected a number or 3 numbers, found %s of %zu", key,
                    am_json_kind_name(am_json_kind_of(value)), am_json_count(value));
}

static am_status read_side(am_json value, const char *key, const char *side, int64_t *out)
{
    char name[40];
    snprintf(name, sizeof name, "%s.%s", key, side);
    return am_preprocessor_config_integer(value, name, 0, AM_IMAGE_MAX_PIXELS, out);
}

/* get_size_dict: an object, [height, width], or one number. */
static am_status read_size(am_json config, const char *key, bool square, am_image_size *out)
{
    am_json value = am_json_get(config, key);
    if (!am_preprocessor_config_given(value)) return NULL;
    *out = (am_image_size){0};
    if (am_json_kind_of(value) == AM_JSON_OBJECT) {
        AM_TRY(read_side(am_json_get(value, "height"), key, "height", &out->height));
        AM_TRY(read_side(am_json_get(value, "width"), key, "width", &out->width));
        AM_TRY(read_side(am_json_get(value, "shortest_edge"), key, "shortest_edge", &out->shortest_edge));
        AM_TRY(read_side(am_json_get(value, "longest_edge"), key, "longest_edge", &out->longest_edge));
        AM_TRY(read_side(am_json_get(value, "max_height"), key, "max_height", &out->max_height));
        return read_side(am_json_get(value, "max_width"), key, "max_width", &out->max_width);
    }
    if (am_json_kind_of(value) == AM_JSON_ARRAY && am_json_count(value) == 2) {
        am_json_iterator i = am_json_iterate(value);
        if (am_json_next(&i)) AM_TRY(read_side(i.value, key, "height", &out->height));
        return am_json_next(&i) ? read_side(i.value, key, "width", &out->width) : NULL;
    }
    AM_TRY(read_side(value, key, square ? "height" : "shortest_edge", square ? &out->height : &out->shortest_edge));
    if (square) out->width = out->height;
    return NULL;
}

static am_status read_resample(am_json config, am_resample *out)
{
    int64_t number = *out;
    AM_TRY(
        am_preprocessor_config_integer(am_json_get(config, "resample"), "resample", 0, AM_RESAMPLE_COUNT - 1, &number));
    *out = (am_resample)number;
    return NULL;
}

/* Options of transformers that would change the result, and that no class here needs. */
static am_status refuse_options(am_json config)
{
    static const char *const keys[] = {"do_pad", "use_square_size", "do_flip_channel_order"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (am_json_bool(am_json_get(config, keys[i]), false))
            return am_error(AM_UNSUPPORTED, "%s is not implemented", keys[i]);
    }
    return NULL;
}

/* What validate_preprocess_arguments and torchvision's normalize refuse. */
static am_status check_values(const am_image_processor *p)
{
    if (p->do_center_crop && (!p->crop_size.height || !p->crop_size.width))
        return am_error(AM_INVALID_FILE, "crop_size: expected height and width");
    for (int c = 0; c < 3 && p->do_normalize; c++) {
        if ((float)p->image_std[c] == 0.0f) return am_error(AM_INVALID_FILE, "image_std: expected no 0 in it");
    }
    return NULL;
}

static am_status read_config(am_json config, am_image_processor *out)
{
    AM_TRY(refuse_options(config));
    AM_TRY(am_preprocessor_config_bool(config, "do_convert_rgb", &out->do_convert_rgb));
    AM_TRY(am_preprocessor_config_bool(config, "do_resize", &out->do_resize));
    AM_TRY(am_preprocessor_config_bool(config, "do_center_crop", &out->do_center_crop));
    AM_TRY(am_preprocessor_config_bool(config, "do_rescale", &out->do_rescale));
    AM_TRY(am_preprocessor_config_bool(config, "do_normalize", &out->do_normalize));
    AM_TRY(am_preprocessor_config_bool(config, "default_to_square", &out->default_to_square));
    AM_TRY(read_size(config, "size", out->default_to_square, &out->size));
    AM_TRY(read_size(config, "crop_size", true, &out->crop_size));
    AM_TRY(read_resample(config, &out->resample));
    AM_TRY(read_positive(config, "crop_pct", &out->crop_pct));
    AM_TRY(read_positive(config, "rescale_factor", &out->rescale_factor));
    AM_TRY(read_channels(config, "image_mean", out->image_mean));
    AM_TRY(read_channels(config, "image_std", out->image_std));
    return check_values(out);
}

am_status am_image_processor_init(am_json config, const char *class_name, am_image_processor *out)
{
    *out = (am_image_processor){0};
    if (am_json_kind_of(config) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "an image processor's configuration: expected an object, found %s",
                        am_json_kind_name(am_json_kind_of(config)));
    am_json_string name = {class_name, class_name ? strlen(class_name) : 0};
    if (!class_name) name = am_json_text(am_json_get(config, "image_processor_type"));
    if (!name.length) name = am_json_text(am_json_get(config, "feature_extractor_type"));
    if (!name.length)
        return am_error(AM_INVALID_FILE, "neither image_processor_type nor feature_extractor_type is given");
    AM_TRY(find_class(name.bytes, name.length, out));
    return am_note(read_config(config, out), "%s", out->kind->name);
}

static am_status read_into(am_json config, const char *class_name, void *out)
{
    return am_image_processor_init(config, class_name, out);
}

/* transformers/models/auto/image_processing_auto.py, the rows with classes from above. */
static const am_model_class models[] = {
    {"aimv2", "CLIPImageProcessor"},
    {"aimv2_vision_model", "CLIPImageProcessor"},
    {"altclip", "CLIPImageProcessor"},
    {"bit", "BitImageProcessor"},
    {"blip", "BlipImageProcessor"},
    {"blip-2", "BlipImageProcessor"},
    {"chinese_clip", "ChineseCLIPImageProcessor"},
    {"clip", "CLIPImageProcessor"},
    {"clipseg", "ViTImageProcessor"},
    {"colpali", "SiglipImageProcessor"},
    {"convnext", "ConvNextImageProcessor"},
    {"convnextv2", "ConvNextImageProcessor"},
    {"cvt", "ConvNextImageProcessor"},
    {"deit", "DeiTImageProcessor"},
    {"dinat", "ViTImageProcessor"},
    {"dinov2", "BitImageProcessor"},
    {"florence2", "CLIPImageProcessor"},
    {"focalnet", "BitImageProcessor"},
    {"gemma3n", "SiglipImageProcessor"},
    {"git", "CLIPImageProcessor"},
    {"groupvit", "CLIPImageProcessor"},
    {"hiera", "BitImageProcessor"},
    {"ijepa", "ViTImageProcessor"},
    {"instructblip", "BlipImageProcessor"},
    {"kosmos-2", "CLIPImageProcessor"},
    {"metaclip_2", "CLIPImageProcessor"},
    {"mgp-str", "ViTImageProcessor"},
    {"mlcd", "CLIPImageProcessor"},
    {"mobilenet_v1", "MobileNetV1ImageProcessor"},
    {"paligemma", "SiglipImageProcessor"},
    {"pixio", "BitImageProcessor"},
    {"pvt", "PvtImageProcessor"},
    {"pvt_v2", "PvtImageProcessor"},
    {"regnet", "ConvNextImageProcessor"},
    {"resnet", "ConvNextImageProcessor"},
    {"siglip", "SiglipImageProcessor"},
    {"swiftformer", "ViTImageProcessor"},
    {"swin", "ViTImageProcessor"},
    {"swinv2", "ViTImageProcessor"},
    {"trocr", "ViTImageProcessor"},
    {"vipllava", "CLIPImageProcessor"},
    {"vit", "ViTImageProcessor"},
    {"vit_mae", "ViTImageProcessor"},
    {"vit_msn", "ViTImageProcessor"},
    {"xclip", "CLIPImageProcessor"},
    {NULL, NULL},
};

am_status am_image_processor_open(const char *directory, am_image_processor *out)
{
    static const am_preprocessor_kind kind = {.member = "image_processor",
                                              .types = {"image_processor_type", "feature_extractor_type"},
                                              .models = models,
                                              .read = read_into};
    *out = (am_image_processor){0};
    return am_preprocessor_config_open(directory, &kind, out);
}

static am_status plan_geometry(const am_image_processor *p, am_plane_size in, geometry *out)
{
    *out = (geometry){0};
    if (p->do_resize) AM_TRY(p->kind->resize_rule(p, in, out));
    if (p->do_center_crop) out->center_cropped = (am_plane_size){p->crop_size.height, p->crop_size.width};
    return NULL;
}

am_status am_image_processor_size(const am_image_processor *processor, am_plane_size in, am_plane_size *out)
{
    geometry plan;
    *out = in;
    AM_TRY(plan_geometry(processor, in, &plan));
    if (processor->do_resize) *out = plan.resized;
    if (plan.cropped_after_resize.height) *out = plan.cropped_after_resize;
    if (plan.center_cropped.height) *out = plan.center_cropped;
    if (out->height > 0 && out->width > 0) return NULL;
    return am_error(AM_INVALID_FILE,
                    "size: an image of %" PRId64 "x%" PRId64 " would become one of %" PRId64 "x%" PRId64
                    " (height, width)",
                    in.height, in.width, out->height, out->width);
}

/* Where the crop begins in `in` pixels; negative where it is larger and zeros come first. torchvision puts
   the odd zero after the picture, transformers' numpy path before it. */
static int64_t crop_offset(int64_t in, int64_t crop, am_image_backend backend)
{
    if (in >= crop) return (in - crop) / 2;
    return backend == AM_IMAGE_PIL ? -((crop - in + 1) / 2) : -((crop - in) / 2);
}

static am_status center_crop(am_image *image, am_plane_size to, am_image_backend backend)
{
    am_image out;
    AM_TRY(am_image_create(to.width, to.height, &out));
    int64_t top = crop_offset(image->height, to.height, backend), left = crop_offset(image->width, to.width, backend);
    int64_t first = left < 0 ? -left : 0;
    int64_t count = (image->width < left + to.width ? image->width : left + to.width) - (left + first);
    for (int64_t y = 0; y < to.height; y++) {
        if (top + y < 0 || top + y >= image->height) continue;
        memcpy(out.pixels + 3 * (y * to.width + first), image->pixels + 3 * ((top + y) * image->width + left + first),
               (size_t)count * 3);
    }
    am_image_deinit(image);
    *image = out;
    return NULL;
}

static am_status resize(const am_image_processor *p, const am_image *image, am_plane_size to, am_image *out)
{
    if (p->backend == AM_IMAGE_PIL) return am_resize_pil(image, to.width, to.height, p->resample, out);
    return am_resize_torch(image, to.width, to.height, p->resample, true, out);
}

/* image_transforms.convert_to_rgb: white where the file is transparent. */
static void whiten(am_image *image)
{
    uint8_t *pixel = image->pixels;
    for (int64_t i = 0; i < image->width * image->height; i++, pixel += 3) {
        if (memcmp(pixel, image->transparent_color, 3) == 0) memset(pixel, 255, 3);
    }
}

/* *out is a new image, also when nothing is to be done. */
static am_status apply_geometry(const am_image_processor *p, const am_image *image, am_image *out)
{
    geometry plan;
    am_plane_size in = {image->height, image->width};
    *out = (am_image){0};
    AM_TRY(plan_geometry(p, in, &plan));
    am_status status = resize(p, image, p->do_resize ? plan.resized : in, out);
    if (!status && plan.cropped_after_resize.height) status = center_crop(out, plan.cropped_after_resize, p->backend);
    if (!status && plan.center_cropped.height) status = center_crop(out, plan.center_cropped, p->backend);
    if (status) am_image_deinit(out);
    return status;
}

/* Pixels are bytes, so that rescaling and normalizing is a table of 256 numbers for each channel.
   TorchvisionBackend.rescale_and_normalize folds the scale into mean and deviation; PilBackend does one after
   another, from double to single precision. */
typedef struct pixel_table {
    float values[3][256];
} pixel_table;

static float pixel_value(const am_image_processor *p, int channel, int level)
{
    float mean = (float)p->image_mean[channel], deviation = (float)p->image_std[channel], value = (float)level;
    if (p->backend == AM_IMAGE_TORCHVISION && p->do_rescale && p->do_normalize) {
        float scale = (float)(1.0 / p->rescale_factor);
        return (value - mean * scale) / (deviation * scale);
    }
    if (p->do_rescale)
        value = p->backend == AM_IMAGE_PIL ? (float)(level * p->rescale_factor) : value * (float)p->rescale_factor;
    return p->do_normalize ? (value - mean) / deviation : value;
}

/* pixels: [H, W, 3] to out: [3, H, W] */
static void to_planes(const am_image *image, const pixel_table *table, float *out)
{
    int64_t count = image->width * image->height;
    for (int c = 0; c < 3; c++, out += count)
        for (int64_t i = 0; i < count; i++) out[i] = table->values[c][image->pixels[3 * i + c]];
}

static am_status alloc_values(int64_t count, am_plane_size size, am_tensor *out)
{
    out->dtype = AM_F32;
    out->shape = am_shape_of(count, 3, size.height, size.width);
    if (!am_shape_check(&out->shape)) return am_out_of_memory();
    out->data = am_alloc_aligned(am_tensor_bytes(AM_F32, &out->shape));
    return out->data ? NULL : am_out_of_memory();
}

/* *out is a new image. */
static am_status prepare_image(const am_image_processor *p, const am_image *image, am_image *out)
{
    if (!p->do_convert_rgb || !image->has_transparent_color) return apply_geometry(p, image, out);
    am_image white;
    AM_TRY(am_image_create(image->width, image->height, &white));
    memcpy(white.pixels, image->pixels, (size_t)(image->width * image->height * 3));
    memcpy(white.transparent_color, image->transparent_color, sizeof white.transparent_color);
    whiten(&white);
    am_status status = apply_geometry(p, &white, out);
    am_image_deinit(&white);
    return status;
}

static am_status run_images(const am_image_processor *p, const am_image *images, int64_t count, am_tensor *out)
{
    pixel_table table;
    for (int c = 0; c < 3; c++)
        for (int level = 0; level < 256; level++) table.values[c][level] = pixel_value(p, c, level);
    for (int64_t i = 0; i < count; i++) {
        am_image ready;
        AM_TRY(prepare_image(p, &images[i], &ready));
        am_plane_size size = {ready.height, ready.width};
        am_status status = out->data ? NULL : alloc_values(count, size, out);
        if (!status && (out->shape.dims[2] != size.height || out->shape.dims[3] != size.width))
            status = am_error(AM_INVALID_ARGUMENT,
                              "image %" PRId64 " comes out as %" PRId64 "x%" PRId64 ", image 0 as %" PRId64 "x%" PRId64
                              " (height, width): they make no batch",
                              i, size.height, size.width, out->shape.dims[2], out->shape.dims[3]);
        if (!status) to_planes(&ready, &table, (float *)out->data + i * 3 * size.height * size.width);
        am_image_deinit(&ready);
        if (status) return status;
    }
    return NULL;
}

am_status am_image_processor_run(const am_image_processor *processor, const am_image *images, int64_t count,
                                 am_tensor *out)
{
    *out = (am_tensor){0};
    if (count < 1) return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " images; expected at least 1", count);
    am_status status = run_images(processor, images, count, out);
    if (!status) return NULL;
    am_free_aligned(out->data);
    *out = (am_tensor){0};
    return am_note(status, "%s", processor->kind->name);
}

#include "media/images/processor.h"

#include "base/memory.h"
#include "media/images/models.h"
#include "media/preprocessor_config.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- classes --- */

const char *am_image_processor_name(const am_image_processor *processor)
{
    return processor->kind->name;
}

am_image_backend am_image_processor_backend(const am_image_processor *processor)
{
    return processor->backend;
}

static bool cut_ending(const char *name, size_t *length, const char *ending)
{
    size_t ending_length = strlen(ending);
    if (*length < ending_length || memcmp(name + *length - ending_length, ending, ending_length) != 0) return false;
    *length -= ending_length;
    return true;
}

static const am_image_class *find_row(const char *name, size_t length)
{
    static const char suffix[] = "ImageProcessor";
    for (const am_image_family *const *family = am_image_family_registry; length && *family; family++) {
        for (const am_image_class *row = (*family)->classes; row->name; row++)
            if (strncmp(row->name, name, length) == 0 && strcmp(row->name + length, suffix) == 0) return row;
    }
    return NULL;
}

/* "CLIPImageProcessorFast", "CLIPImageProcessorPil" or, of old, "CLIPFeatureExtractor". */
static am_status find_class(am_json_string name, am_image_processor *out)
{
    size_t rest = name.length;
    out->backend = AM_IMAGE_TORCHVISION;
    if (!cut_ending(name.bytes, &rest, "Fast") && cut_ending(name.bytes, &rest, "Pil")) out->backend = AM_IMAGE_PIL;
    if (!cut_ending(name.bytes, &rest, "ImageProcessor") && !cut_ending(name.bytes, &rest, "FeatureExtractor"))
        rest = 0;
    out->kind = find_row(name.bytes, rest);
    if (out->kind) return NULL;
    return am_error(AM_UNSUPPORTED, "image processor \"%.*s\" is not one of those that are implemented",
                    name.length > 100 ? 100 : (int)name.length, name.bytes);
}

/* --- settings --- */

am_json am_image_setting(const am_image_processor *processor, const char *key)
{
    const am_json_document *const levels[] = {processor->arguments, processor->config, processor->defaults};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        am_json value = am_json_get(am_json_root(levels[i]), key);
        if (am_preprocessor_config_given(value)) return value;
    }
    return (am_json){0};
}

am_status am_image_flag(const am_image_processor *processor, const char *key, bool *out)
{
    am_json value = am_image_setting(processor, key);
    am_json_kind kind = am_json_kind_of(value);
    if (kind == AM_JSON_MISSING) return NULL;
    if (kind != AM_JSON_BOOL)
        return am_error(AM_INVALID_FILE, "%s: expected true or false, found %s", key, am_json_kind_name(kind));
    *out = am_json_bool(value, *out);
    return NULL;
}

am_status am_image_integer(const am_image_processor *processor, const char *key, int64_t least, int64_t most,
                           int64_t *out)
{
    return am_preprocessor_config_integer(am_image_setting(processor, key), key, least, most, out);
}

static bool is_number(am_json value)
{
    return am_json_kind_of(value) == AM_JSON_INTEGER || am_json_kind_of(value) == AM_JSON_REAL;
}

am_status am_image_number(const am_image_processor *processor, const char *key, double *out)
{
    am_json value = am_image_setting(processor, key);
    if (!am_preprocessor_config_given(value)) return NULL;
    double number = am_json_real(value, 0.0);
    if (!is_number(value) || !(number > 0.0) || !isfinite(number))
        return am_error(AM_INVALID_FILE, "%s: expected a positive number, found %g", key, number);
    *out = number;
    return NULL;
}

am_status am_image_channels(const am_image_processor *p, const char *key, double out[3])
{
    am_json value = am_image_setting(p, key);
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

static am_status read_sides(am_json value, const char *key, am_image_size *out)
{
    const struct {
        const char *name;
        int64_t *to;
    } sides[] = {{"height", &out->height},
                 {"width", &out->width},
                 {"shortest_edge", &out->shortest_edge},
                 {"longest_edge", &out->longest_edge},
                 {"max_height", &out->max_height},
                 {"max_width", &out->max_width},
                 {"min_pixels", &out->min_pixels},
                 {"max_pixels", &out->max_pixels}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        AM_TRY(read_side(am_json_get(value, sides[i].name), key, sides[i].name, sides[i].to));
    return NULL;
}

am_status am_image_read_size(const am_image_processor *processor, const char *key, bool square, am_image_size *out)
{
    am_json value = am_image_setting(processor, key);
    *out = (am_image_size){0};
    if (!am_preprocessor_config_given(value)) return NULL;
    if (am_json_kind_of(value) == AM_JSON_OBJECT) return read_sides(value, key, out);
    if (am_json_kind_of(value) == AM_JSON_ARRAY && am_json_count(value) == 2) {
        am_json_iterator i = am_json_iterate(value);
        if (am_json_next(&i)) AM_TRY(read_side(i.value, key, "height", &out->height));
        return am_json_next(&i) ? read_side(i.value, key, "width", &out->width) : NULL;
    }
    AM_TRY(read_side(value, key, square ? "height" : "shortest_edge", square ? &out->height : &out->shortest_edge));
    if (square) out->width = out->height;
    return NULL;
}

/* What validate_preprocess_arguments and torchvision's normalize refuse. */
am_status am_image_check(const am_image_processor *p)
{
    if (p->do_center_crop && (!p->crop_size.height || !p->crop_size.width))
        return am_error(AM_INVALID_FILE, "crop_size: expected height and width");
    for (int c = 0; c < 3 && p->do_normalize; c++) {
        if ((float)p->image_std[c] == 0.0f) return am_error(AM_INVALID_FILE, "image_std: expected no 0 in it");
    }
    return NULL;
}

static am_status read_settings(am_image_processor *p)
{
    const struct {
        const char *key;
        bool *to;
    } flags[] = {{"do_convert_rgb", &p->do_convert_rgb},
                 {"do_resize", &p->do_resize},
                 {"do_center_crop", &p->do_center_crop},
                 {"do_rescale", &p->do_rescale},
                 {"do_normalize", &p->do_normalize},
                 {"do_pad", &p->do_pad},
                 {"do_flip_channel_order", &p->do_flip_channel_order},
                 {"default_to_square", &p->default_to_square}};
    int64_t resample = AM_RESAMPLE_BILINEAR;
    p->default_to_square = true;
    p->rescale_factor = 1.0 / 255.0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) AM_TRY(am_image_flag(p, flags[i].key, flags[i].to));
    AM_TRY(am_image_read_size(p, "size", p->default_to_square, &p->size));
    AM_TRY(am_image_read_size(p, "crop_size", true, &p->crop_size));
    AM_TRY(am_image_read_size(p, "pad_size", true, &p->pad_size));
    AM_TRY(am_image_integer(p, "resample", 0, AM_RESAMPLE_COUNT - 1, &resample));
    p->resample = (am_resample)resample;
    AM_TRY(am_image_number(p, "rescale_factor", &p->rescale_factor));
    AM_TRY(am_image_channels(p, "image_mean", p->image_mean));
    AM_TRY(am_image_channels(p, "image_std", p->image_std));
    if (p->kind->standardize) AM_TRY(p->kind->standardize(p));
    return am_image_check(p);
}

/* --- opening --- */

static am_status copy_object(am_json object, const char *name, am_json_document **out)
{
    am_buffer text = {0};
    am_json_write(object, &text);
    am_status status = am_buffer_status(&text);
    if (!status) status = am_json_parse(am_buffer_text(&text), text.length, name, out);
    am_buffer_deinit(&text);
    return status;
}

static am_status read_documents(am_json config, am_json arguments, am_image_processor *p)
{
    const char *defaults = p->kind->defaults;
    AM_TRY(copy_object(config, p->kind->name, &p->config));
    if (am_json_kind_of(arguments) == AM_JSON_OBJECT) AM_TRY(copy_object(arguments, p->kind->name, &p->arguments));
    return am_json_parse(defaults, strlen(defaults), p->kind->name, &p->defaults);
}

am_status am_image_processor_create_of(const am_image_class *kind, am_image_backend backend, am_json config,
                                       am_json arguments, am_image_processor **out)
{
    am_image_processor *p = am_alloc_zeroed(1, sizeof *p);
    *out = NULL;
    if (!p) return am_out_of_memory();
    p->kind = kind;
    p->backend = backend;
    am_status status = read_documents(config, arguments, p);
    if (!status) status = am_note(read_settings(p), "%s", kind->name);
    if (status) am_image_processor_close(p);
    else *out = p;
    return status;
}

am_status am_image_processor_create(am_json config, const char *class_name, am_image_processor **out)
{
    return am_image_processor_create_with(config, class_name, (am_json){0}, out);
}

am_status am_image_processor_create_with(am_json config, const char *class_name, am_json arguments,
                                         am_image_processor **out)
{
    *out = NULL;
    if (am_json_kind_of(config) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "an image processor's configuration: expected an object, found %s",
                        am_json_kind_name(am_json_kind_of(config)));
    am_json_string name = {class_name, class_name ? strlen(class_name) : 0};
    if (!class_name) name = am_json_text(am_json_get(config, "image_processor_type"));
    if (!name.length) name = am_json_text(am_json_get(config, "feature_extractor_type"));
    if (!name.length)
        return am_error(AM_INVALID_FILE, "neither image_processor_type nor feature_extractor_type is given");
    am_image_processor found = {0};
    AM_TRY(find_class(name, &found));
    return am_image_processor_create_of(found.kind, found.backend, config, arguments, out);
}

void am_image_processor_close(am_image_processor *processor)
{
    if (!processor) return;
    am_json_close(processor->arguments);
    am_json_close(processor->config);
    am_json_close(processor->defaults);
    am_free(processor);
}

typedef struct opening {
    am_json arguments;
    am_image_processor *processor;
} opening;

static am_status read_into(am_json config, const char *class_name, void *out)
{
    opening *o = out;
    return am_image_processor_create_with(config, class_name, o->arguments, &o->processor);
}

am_status am_image_processor_open(const char *directory, am_image_processor **out)
{
    return am_image_processor_open_with(directory, (am_json){0}, out);
}

am_status am_image_processor_open_with(const char *directory, am_json arguments, am_image_processor **out)
{
    const am_preprocessor_kind kind = {.members = {"image_processor"},
                                       .types = {"image_processor_type", "feature_extractor_type"},
                                       .models = am_image_models,
                                       .read = read_into};
    opening o = {.arguments = arguments};
    am_status status = am_preprocessor_config_open(directory, &kind, &o);
    *out = o.processor;
    return status;
}

/* --- sizes --- */

am_plane_size am_image_fit_edges(am_plane_size in, int64_t shortest, int64_t longest)
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

am_plane_size am_image_fit_shortest(am_plane_size in, int64_t shortest)
{
    if (in.width <= in.height)
        return (am_plane_size){(int64_t)((double)(shortest * in.height) / (double)in.width), shortest};
    return (am_plane_size){shortest, (int64_t)((double)(shortest * in.width) / (double)in.height)};
}

am_plane_size am_image_fit_box(am_plane_size in, int64_t max_height, int64_t max_width)
{
    double scale = fmin((double)max_height / (double)in.height, (double)max_width / (double)in.width);
    return (am_plane_size){(int64_t)((double)in.height * scale), (int64_t)((double)in.width * scale)};
}

am_status am_image_fit(const am_image_size *size, am_plane_size in, am_plane_size *out)
{
    if (size->shortest_edge && size->longest_edge)
        *out = am_image_fit_edges(in, size->shortest_edge, size->longest_edge);
    else if (size->shortest_edge) *out = am_image_fit_shortest(in, size->shortest_edge);
    else if (size->max_height && size->max_width) *out = am_image_fit_box(in, size->max_height, size->max_width);
    else if (size->height && size->width) *out = (am_plane_size){size->height, size->width};
    else
        return am_error(AM_INVALID_FILE, "size: expected height and width, max_height and max_width, or shortest_edge");
    if (out->height > 0 && out->width > 0) return NULL;
    return am_error(AM_INVALID_FILE,
                    "size: an image of %" PRId64 "x%" PRId64 " would become one of %" PRId64 "x%" PRId64
                    " (height, width)",
                    in.height, in.width, out->height, out->width);
}

am_status am_image_smart_resize(am_plane_size in, int64_t factor, int64_t min_pixels, int64_t max_pixels,
                                am_plane_size *out)
{
    double height = (double)in.height, width = (double)in.width, unit = (double)factor,
           ratio = fmax(height, width) / fmin(height, width);
    if (ratio > 200.0)
        return am_error(AM_INVALID_ARGUMENT, "absolute aspect ratio must be smaller than 200, got %g", ratio);
    double tall = nearbyint(height / unit) * unit, wide = nearbyint(width / unit) * unit;
    if (tall * wide > (double)max_pixels) {
        double beta = sqrt(height * width / (double)max_pixels);
        tall = fmax(unit, floor(height / beta / unit) * unit);
        wide = fmax(unit, floor(width / beta / unit) * unit);
    } else if (tall * wide < (double)min_pixels) {
        double beta = sqrt((double)min_pixels / (height * width));
        tall = ceil(height * beta / unit) * unit;
        wide = ceil(width * beta / unit) * unit;
    }
    *out = (am_plane_size){(int64_t)tall, (int64_t)wide};
    return NULL;
}

/* --- steps --- */

am_status am_image_resize(const am_image_processor *processor, am_picture *picture, am_plane_size to)
{
    return am_picture_resize(picture, processor->backend, to, processor->resample, true);
}

/* False where torchvision does not rescale and normalize in one. */
static bool fold_scale(const am_image_processor *p, double mean[3], double std[3])
{
    float scale = (float)(1.0 / p->rescale_factor);
    for (int c = 0; c < 3; c++) {
        mean[c] = (double)((float)p->image_mean[c] * scale);
        std[c] = (double)((float)p->image_std[c] * scale);
    }
    return p->do_rescale && p->do_normalize && p->backend == AM_IMAGE_TORCHVISION;
}

am_status am_image_rescale_and_normalize(const am_image_processor *processor, am_picture *picture)
{
    const am_image_processor *p = processor;
    double mean[3], std[3];
    if (fold_scale(p, mean, std)) return am_picture_normalize(picture, mean, std);
    if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    return p->do_normalize ? am_picture_normalize(picture, p->image_mean, p->image_std) : NULL;
}

am_status am_image_do_resize(const am_image_processor *processor, am_picture *picture)
{
    const am_image_processor *p = processor;
    am_plane_size to, in = {picture->height, picture->width};
    if (!p->do_resize) return NULL;
    AM_TRY(p->kind->new_size ? p->kind->new_size(p, in, &to) : am_image_fit(&p->size, in, &to));
    return am_image_resize(p, picture, to);
}

am_status am_image_do_center_crop(const am_image_processor *processor, am_picture *picture)
{
    am_plane_size to = {processor->crop_size.height, processor->crop_size.width};
    return processor->do_center_crop ? am_picture_center_crop(picture, processor->backend, to) : NULL;
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        if (p->kind->steps) AM_TRY(p->kind->steps(p, picture));
        else AM_TRY(am_image_do_resize(p, picture));
        if (!p->kind->steps) AM_TRY(am_image_do_center_crop(p, picture));
    }
    if (p->kind->steps) return am_image_give(run, "pixel_values", run->pictures, run->count);
    if (!p->do_pad) return am_image_finish_all(run, "pixel_values", run->pictures, run->count);
    for (int64_t i = 0; i < run->count; i++) AM_TRY(am_image_rescale_and_normalize(p, &run->pictures[i]));
    return am_image_give_padded(run, NULL);
}

/* --- outputs --- */

static bool same_sizes(const am_picture *pictures, int64_t count)
{
    for (int64_t i = 1; i < count; i++) {
        if (pictures[i].channels != pictures->channels || pictures[i].height != pictures->height ||
            pictures[i].width != pictures->width)
            return false;
    }
    return true;
}

float *am_image_put(const am_picture *picture, float *out)
{
    int64_t count = picture->channels * picture->height * picture->width;
    memcpy(out, picture->floats, (size_t)count * sizeof *picture->floats);
    return out + count;
}

/* The picture's memory becomes the tensor's. */
static void give_away(am_picture *picture, const am_shape *shape, am_tensor *out)
{
    *out = (am_tensor){.dtype = AM_F32, .shape = *shape, .data = picture->data};
    picture->data = NULL;
}

am_status am_image_give(am_image_run *run, const char *name, am_picture *pictures, int64_t count)
{
    am_tensor *out;
    for (int64_t i = 0; i < count; i++) AM_TRY(am_picture_to_floats(&pictures[i]));
    am_shape shape = am_shape_of(count, pictures->channels, pictures->height, pictures->width);
    if (!same_sizes(pictures, count)) {
        AM_TRY(am_media_tensors_add_list(run->out, name, count, &out));
        for (int64_t i = 0; i < count; i++) {
            shape = am_shape_of(pictures[i].channels, pictures[i].height, pictures[i].width);
            give_away(&pictures[i], &shape, &out[i]);
        }
        return NULL;
    }
    if (count == 1) {
        AM_TRY(am_media_tensors_add_list(run->out, name, 1, &out));
        run->out->items[run->out->count - 1].is_list = false;
        give_away(pictures, &shape, out);
        return NULL;
    }
    AM_TRY(am_media_tensors_add_unset(run->out, name, AM_F32, &shape, &out));
    float *values = out->data;
    for (int64_t i = 0; i < count; i++) {
        values = am_image_put(&pictures[i], values);
        am_picture_deinit(&pictures[i]);
    }
    return NULL;
}

am_status am_image_finish_all(am_image_run *run, const char *name, am_picture *pictures, int64_t count)
{
    double mean[3], std[3];
    am_tensor *out;
    if (count == 1 || !fold_scale(run->processor, mean, std) || !same_sizes(pictures, count)) {
        for (int64_t i = 0; i < count; i++) AM_TRY(am_image_rescale_and_normalize(run->processor, &pictures[i]));
        return am_image_give(run, name, pictures, count);
    }
    am_shape shape = am_shape_of(count, pictures->channels, pictures->height, pictures->width);
    AM_TRY(am_media_tensors_add_unset(run->out, name, AM_F32, &shape, &out));
    int64_t numbers = am_shape_count(&shape) / count;
    for (int64_t i = 0; i < count; i++)
        am_picture_normalize_into(&pictures[i], mean, std, (float *)out->data + i * numbers);
    return NULL;
}

am_status am_image_give_bytes(am_image_run *run, const char *name, am_picture *pictures, int64_t count)
{
    am_tensor *out;
    if (!same_sizes(pictures, count))
        return am_error(AM_INVALID_ARGUMENT, "%s: images of different sizes make no batch", name);
    am_shape shape = am_shape_of(count, pictures->channels, pictures->height, pictures->width);
    AM_TRY(am_media_tensors_add(run->out, name, AM_U8, &shape, &out));
    int64_t bytes = am_shape_count(&shape) / count;
    for (int64_t i = 0; i < count; i++) memcpy((uint8_t *)out->data + i * bytes, pictures[i].bytes, (size_t)bytes);
    return NULL;
}

static am_plane_size largest(const am_picture *pictures, int64_t count)
{
    am_plane_size out = {0};
    for (int64_t i = 0; i < count; i++) {
        if (pictures[i].height > out.height) out.height = pictures[i].height;
        if (pictures[i].width > out.width) out.width = pictures[i].width;
    }
    return out;
}

/* Of pictures that are padded to the size `to`: 1 where one is, [count, to.height, to.width]. */
static am_status give_mask(am_image_run *run, const char *name, am_plane_size to)
{
    am_tensor *mask;
    am_shape shape = am_shape_of(run->count, to.height, to.width);
    AM_TRY(am_media_tensors_add_unset(run->out, name, AM_I64, &shape, &mask));
    int64_t *row = mask->data;
    size_t row_bytes = (size_t)to.width * sizeof *row;
    for (int64_t i = 0; i < run->count; i++) {
        const am_picture *picture = &run->pictures[i];
        for (int64_t y = 0; y < to.height; y++, row += to.width) {
            if (y >= picture->height) memset(row, 0, row_bytes);
            else if (y > 0) memcpy(row, row - to.width, row_bytes);
            for (int64_t x = 0; x < to.width && y == 0; x++) row[x] = x < picture->width;
        }
    }
    return NULL;
}

am_status am_image_pad_all(am_image_run *run, am_plane_size to, double fill, const char *mask)
{
    if (!to.height || !to.width) to = largest(run->pictures, run->count);
    if (mask) AM_TRY(give_mask(run, mask, to));
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_margins padding = {.right = to.width - picture->width, .bottom = to.height - picture->height};
        AM_TRY(am_picture_pad(picture, padding, fill));
    }
    return NULL;
}

am_status am_image_give_padded(am_image_run *run, const char *mask)
{
    am_plane_size to = {run->processor->pad_size.height, run->processor->pad_size.width};
    if (run->processor->do_pad) AM_TRY(am_image_pad_all(run, to, 0.0, mask));
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

am_status am_image_give_integers(am_image_run *run, const char *name, const am_shape *shape, int64_t **out)
{
    am_tensor *tensor;
    AM_TRY(am_media_tensors_add(run->out, name, AM_I64, shape, &tensor));
    *out = tensor->data;
    return NULL;
}

am_status am_image_give_floats(am_image_run *run, const char *name, const am_shape *shape, float **out)
{
    am_tensor *tensor;
    AM_TRY(am_media_tensors_add(run->out, name, AM_F32, shape, &tensor));
    *out = tensor->data;
    return NULL;
}

/* --- running --- */

static am_status run_pictures(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    for (int64_t i = 0; i < run->count; i++)
        AM_TRY(am_picture_of_image(&run->inputs->images[i], p->do_convert_rgb, &run->pictures[i]));
    return p->kind->preprocess ? p->kind->preprocess(run) : preprocess(run);
}

am_status am_image_processor_run(const am_image_processor *processor, const am_image_inputs *inputs,
                                 am_media_tensors *out)
{
    *out = (am_media_tensors){0};
    if (inputs->count < 1)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " images; expected at least 1", inputs->count);
    am_image_run run = {.processor = processor, .inputs = inputs, .count = inputs->count, .out = out};
    run.pictures = am_alloc_zeroed((size_t)run.count, sizeof *run.pictures);
    am_status status = run.pictures ? run_pictures(&run) : am_out_of_memory();
    for (int64_t i = 0; i < inputs->count && run.pictures; i++) am_picture_deinit(&run.pictures[i]);
    am_free(run.pictures);
    return am_note(status, "%s", processor->kind->name);
}

am_status am_image_processor_count_patches(const am_image_processor *processor, am_plane_size in,
                                           am_image_patch_count *out)
{
    *out = (am_image_patch_count){0};
    if (in.height < 1 || in.width < 1)
        return am_error(AM_INVALID_ARGUMENT, "an image of %" PRId64 "x%" PRId64 " pixels (height, width)", in.height,
                        in.width);
    if (!processor->kind->count_patches)
        return am_error(AM_UNSUPPORTED, "%s: all images become tensors of one size", processor->kind->name);
    return am_note(processor->kind->count_patches(processor, in, out), "%s", processor->kind->name);
}

#include "recorded/case.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "media/image_resize.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

am_status am_verify_count(am_verifier *verifier, am_status outcome, const char *format, ...)
{
    am_code code = am_status_code(outcome);
    if (code == AM_OUT_OF_MEMORY && !strchr(am_status_message(outcome), ' ')) return outcome;
    char name[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    if (code == AM_OK) verifier->recorded->passed++;
    else if (code == AM_UNSUPPORTED)
        am_recorded_unsupported(verifier->recorded, 1, "%s: %s", name, am_status_message(outcome));
    else am_recorded_failed(verifier->recorded, "%s: %s", name, am_status_message(outcome));
    am_status_free(outcome);
    return NULL;
}

am_status am_verify_expect_failure(am_status outcome)
{
    if (!outcome) return am_error(AM_FAILED, "it worked; an error was expected");
    am_code code = am_status_code(outcome);
    if (code == AM_OUT_OF_MEMORY) return outcome;
    am_status_free(outcome);
    return NULL;
}

am_json am_verify_element(am_json array, int64_t i)
{
    for (am_json_iterator element = am_json_iterate(array); am_json_next(&element); i--) {
        if (i == 0) return element.value;
    }
    return (am_json){0};
}

static double recorded_number(am_json value)
{
    if (am_json_equals(value, "inf")) return INFINITY;
    if (am_json_equals(value, "-inf")) return -INFINITY;
    if (am_json_kind_of(value) == AM_JSON_BOOL) return am_json_bool(value, false) ? 1.0 : 0.0;
    return am_json_real(value, NAN); /* also of "nan" */
}

static bool is_near(double found, double expected, double absolute, double relative)
{
    if (isnan(expected)) return isnan(found);
    if (isinf(expected)) return found == expected;
    return fabs(found - expected) <= fmax(absolute, relative * fabs(expected));
}

static am_status check_shape(am_json expected, const am_shape *found)
{
    am_shape shape = {0};
    char found_text[AM_SHAPE_TEXT], expected_text[AM_SHAPE_TEXT];
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i) && shape.rank < AM_RANK_LIMIT;)
        shape.dims[shape.rank++] = am_json_int(i.value, -1);
    if (am_shape_equal(&shape, found)) return NULL;
    return am_error(AM_FAILED, "shape %s, expected %s", am_shape_text(found, found_text),
                    am_shape_text(&shape, expected_text));
}

/* Where sample i of `samples` of an array of `count` elements lies. */
static int64_t sample_position(int64_t i, int64_t samples, int64_t count)
{
    int64_t spread = count / samples > 1 ? count / samples : 1, at = i * count / samples + i * 7919 % spread;
    return at < count ? at : count - 1;
}

static am_status check_element(const am_tensor *found, int64_t at, double expected, const am_verify_tolerance *t)
{
    double value = am_load_real(found->dtype, found->data, at);
    if (is_near(value, expected, t->absolute, t->relative)) return NULL;
    return am_error(AM_FAILED, "element %" PRId64 " is %.9g, expected %.9g", at, value, expected);
}

static am_status check_elements(am_json expected, const am_tensor *found, const am_verify_tolerance *t)
{
    int64_t count = am_shape_count(&found->shape), i = 0;
    am_json all = am_json_get(expected, "all"), full = am_json_get(expected, "full"), at = am_json_get(expected, "at");
    if (am_json_kind_of(all) != AM_JSON_MISSING) {
        for (; i < count; i++) AM_TRY(check_element(found, i, recorded_number(all), t));
        return NULL;
    }
    bool sampled = am_json_kind_of(full) == AM_JSON_MISSING;
    int64_t samples = am_json_int(am_json_get(expected, "samples"), 512);
    if (samples < 1 || samples > 512) return am_error(AM_INVALID_FILE, "samples: expected 1 to 512");
    for (am_json_iterator element = am_json_iterate(sampled ? at : full); am_json_next(&element); i++) {
        int64_t position = sampled ? sample_position(i, samples, count) : i;
        if (position >= count) break;
        AM_TRY(check_element(found, position, recorded_number(element.value), t));
    }
    if (i == (sampled ? samples : count)) return NULL;
    return am_error(AM_INVALID_FILE, "%" PRId64 " recorded elements, expected %" PRId64, i, sampled ? samples : count);
}

static am_status check_statistics(am_json expected, const am_tensor *found, const am_verify_tolerance *t)
{
    int64_t count = am_shape_count(&found->shape), finite = 0;
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double value = am_load_real(found->dtype, found->data, i);
        if (!isfinite(value)) continue;
        sum += value;
        squares += value * value;
        finite++;
    }
    if (!finite && am_json_kind_of(am_json_get(expected, "mean")) == AM_JSON_MISSING) return NULL;
    double mean = finite ? sum / (double)finite : 0.0, rms = finite ? sqrt(squares / (double)finite) : 0.0;
    double expected_mean = am_json_real(am_json_get(expected, "mean"), NAN);
    double expected_rms = am_json_real(am_json_get(expected, "rms"), NAN);
    /* A mean of values about zero says nothing below the rounding of the values. */
    double about_zero = fmax(t->mean_absolute, t->mean_relative * 1e-3 * fabs(expected_rms));
    if (!is_near(mean, expected_mean, about_zero, t->mean_relative))
        return am_error(AM_FAILED, "the mean is %.9g, expected %.9g", mean, expected_mean);
    if (!is_near(rms, expected_rms, t->mean_absolute, t->mean_relative))
        return am_error(AM_FAILED, "the root mean square is %.9g, expected %.9g", rms, expected_rms);
    return NULL;
}

am_status am_verify_array(am_json expected, const am_tensor *found, const am_verify_tolerance *tolerance)
{
    AM_TRY(check_shape(am_json_get(expected, "shape"), &found->shape));
    if (!am_shape_count(&found->shape)) return NULL; /* of which nothing is recorded */
    AM_TRY(check_elements(expected, found, tolerance));
    return check_statistics(expected, found, tolerance);
}

/* --- seeded numbers --- */

static am_status seeded_shape(am_json recipe, am_shape *out)
{
    int64_t count = 1;
    *out = (am_shape){0};
    for (am_json_iterator i = am_json_iterate(am_json_get(recipe, "shape")); am_json_next(&i);) {
        int64_t side = am_json_int(i.value, -1);
        if (out->rank == AM_RANK_LIMIT || side < 0 || (side && count > (1 << 24) / side))
            return am_error(AM_INVALID_FILE, "shape: expected at most 2^24 numbers");
        out->dims[out->rank++] = side;
        count *= side;
    }
    return NULL;
}

static void fill_seeded(am_json recipe, am_tensor *out)
{
    am_json_string name = am_json_text(am_json_get(recipe, "prng"));
    double low = am_json_real(am_json_get(recipe, "lo"), 0.0), high = am_json_real(am_json_get(recipe, "hi"), 0.0);
    am_uniform_floats(am_fnv1a(name.bytes, name.length), low, high, am_shape_count(&out->shape), out->data);
}

/* Gives the tensor other elements, and frees the old ones. */
static am_status replace_elements(am_tensor *x, am_dtype dtype, const am_shape *shape, void *data)
{
    if (!data) return am_out_of_memory();
    am_free_aligned(x->data);
    *x = (am_tensor){.dtype = dtype, .shape = *shape, .data = data};
    return NULL;
}

static am_status make_whole(am_tensor *x, bool only_sign)
{
    int64_t count = am_shape_count(&x->shape), *whole = am_alloc_aligned(((size_t)count + 1) * sizeof *whole);
    const float *from = x->data;
    for (int64_t i = 0; i < count && whole; i++) {
        whole[i] = (int64_t)floorf(from[i]);
        if (only_sign) whole[i] = whole[i] > 0;
    }
    return replace_elements(x, AM_I64, &x->shape, whole);
}

/* Bilinear up-sampling by 4 of the last two dimensions. */
static am_status make_smooth(am_tensor *x)
{
    am_shape shape = x->shape;
    if (shape.rank < 2) return am_error(AM_INVALID_FILE, "smooth: expected two dimensions or more");
    int64_t *sides = shape.dims + shape.rank - 2;
    am_plane_size from = {sides[0], sides[1]}, to = {4 * sides[0], 4 * sides[1]};
    int64_t plane = from.height * from.width, channels = plane ? am_shape_count(&shape) / plane : 0;
    float *data = am_alloc_aligned((size_t)(channels * plane * 16 + 1) * sizeof *data);
    am_status status = NULL;
    if (data) status = am_resize_torch_f32(x->data, channels, from, to, AM_RESAMPLE_BILINEAR, false, data);
    sides[0] = to.height;
    sides[1] = to.width;
    if (!status) return replace_elements(x, AM_F32, &shape, data);
    am_free_aligned(data);
    return status;
}

static am_status apply_then(am_json then, am_tensor *x)
{
    float *values = x->data;
    if (am_json_kind_of(then) == AM_JSON_MISSING) return NULL;
    if (am_json_equals(then, "int")) return make_whole(x, false);
    if (am_json_equals(then, "positive")) return make_whole(x, true);
    if (am_json_equals(then, "smooth")) return make_smooth(x);
    if (!am_json_equals(then, "sigmoid"))
        return am_error(AM_INVALID_FILE, "then: \"%.40s\" is unknown", am_json_text(then).bytes);
    for (int64_t i = 0; i < am_shape_count(&x->shape); i++) values[i] = (float)(1.0 / (1.0 + exp(-(double)values[i])));
    return NULL;
}

am_status am_verify_seeded(am_json recipe, am_tensor *out)
{
    *out = (am_tensor){.dtype = AM_F32};
    AM_TRY(seeded_shape(recipe, &out->shape));
    out->data = am_alloc_aligned(((size_t)am_shape_count(&out->shape) + 1) * sizeof(float));
    if (!out->data) return am_out_of_memory();
    fill_seeded(recipe, out);
    am_status status = apply_then(am_json_get(recipe, "then"), out);
    if (!status) return NULL;
    am_free_aligned(out->data);
    *out = (am_tensor){0};
    return status;
}

char *am_verifier_path(const am_verifier *verifier, const char *name)
{
    am_arena arena = {0};
    char *joined = am_path_join(&arena, verifier->folder, name);
    char *path = joined ? am_copy_string(joined, strlen(joined)) : NULL;
    am_arena_deinit(&arena);
    return path;
}

am_status am_verify_open(const am_verifier *verifier, const char *name, am_json_document **out)
{
    *out = NULL;
    char *path = am_verifier_path(verifier, name);
    if (!path) return am_out_of_memory();
    am_status status = am_file_exists(path) ? am_json_open(path, out) : NULL;
    am_free(path);
    return status;
}

typedef struct file_list {
    char **paths; /* in the arena */
    size_t count;
    am_arena arena;
} file_list;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static am_status list_files(DIR *directory, const char *path, const char *ending, file_list *out)
{
    size_t capacity = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (strcmp(am_path_extension(entry->d_name), ending) != 0) continue;
        if (out->count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            char **paths = am_arena_array(&out->arena, capacity, sizeof *paths);
            if (!paths) return am_out_of_memory();
            if (out->count) memcpy(paths, out->paths, out->count * sizeof *paths);
            out->paths = paths;
        }
        char *file = am_path_join(&out->arena, path, entry->d_name);
        if (!file) return am_out_of_memory();
        out->paths[out->count++] = file;
    }
    if (out->count) qsort(out->paths, out->count, sizeof *out->paths, by_name);
    return NULL;
}

am_status am_verify_each_file(am_verifier *verifier, const char *subfolder, const char *ending,
                              am_status (*visit)(am_verifier *verifier, const char *path))
{
    char *path = am_verifier_path(verifier, subfolder);
    if (!path) return am_out_of_memory();
    file_list files = {0};
    DIR *directory = opendir(path);
    am_status status = directory ? list_files(directory, path, ending, &files) : NULL;
    if (!directory && errno != ENOENT) status = am_error_from_errno("list", path);
    if (directory) closedir(directory);
    for (size_t i = 0; i < files.count && !status; i++) status = visit(verifier, files.paths[i]);
    am_arena_deinit(&files.arena);
    am_free(path);
    return status;
}

#include "media/post_processing/methods.h"

#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- methods --- */

/* Whether the list has the class, whose name ends in ImageProcessor. */
static bool has_class(const char *classes, const char *name)
{
    size_t length = strlen(name) - strlen("ImageProcessor");
    for (const char *at = classes; at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL)
        if (strncmp(at, name, length) == 0 && (at[length] == ' ' || !at[length])) return true;
    return false;
}

static const am_post_method *find_method(const am_image_processor *processor, const char *name)
{
    for (const am_post_family *const *family = am_post_family_registry; *family; family++) {
        for (const am_post_method *row = (*family)->methods; row->name; row++)
            if (strcmp(row->name, name) == 0 && has_class(row->classes, am_image_processor_name(processor))) return row;
    }
    return NULL;
}

bool am_post_process_exists(const am_image_processor *processor, const char *method)
{
    return find_method(processor, method) != NULL;
}

am_status am_post_process(const am_image_processor *processor, const char *method, const am_media_tensors *outputs,
                          am_json options, am_post_results *out)
{
    am_arena scratch = {0};
    *out = (am_post_results){0};
    am_post_run run = {.processor = processor,
                       .method = find_method(processor, method),
                       .outputs = outputs,
                       .options = options,
                       .results = out,
                       .scratch = &scratch};
    if (!run.method) return am_error(AM_UNSUPPORTED, "%s has no %.60s", am_image_processor_name(processor), method);
    am_status status = am_note(run.method->run(&run), "%s.%s", am_image_processor_name(processor), method);
    am_arena_deinit(&scratch);
    return status;
}

void am_post_results_deinit(am_post_results *results)
{
    am_arena_deinit(&results->arena);
    *results = (am_post_results){0};
}

const am_post_field *am_post_find(const am_post_item *item, const char *name)
{
    for (int i = 0; i < item->field_count; i++)
        if (strcmp(item->fields[i].name, name) == 0 && item->fields[i].tensors) return &item->fields[i];
    return NULL;
}

/* --- outputs of the model --- */

bool am_post_given(const am_post_run *run, const char *name)
{
    return am_media_tensors_find(run->outputs, name) != NULL;
}

am_status am_post_numbers(const am_post_run *run, const char *name, int rank, const am_tensor **out)
{
    AM_TRY(am_media_tensors_get(run->outputs, name, out));
    if ((*out)->shape.rank == rank) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%s: expected %d dimensions, found %d", name, rank, (*out)->shape.rank);
}

am_status am_post_tensor(const am_post_run *run, const char *name, int rank, const am_tensor **out)
{
    AM_TRY(am_post_numbers(run, name, rank, out));
    if ((*out)->dtype == AM_F32) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%s: expected f32, found %s", name, am_dtype_name((*out)->dtype));
}

const float *am_post_floats(const am_tensor *tensor)
{
    return tensor->data;
}

am_status am_post_check(const am_tensor *tensor, const char *name, int axis, int64_t expected)
{
    if (tensor->shape.dims[axis] == expected) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%s: dimension %d: expected %" PRId64 ", found %" PRId64, name, axis, expected,
                    tensor->shape.dims[axis]);
}

/* --- arguments of the call --- */

static bool is_given(am_json value)
{
    return am_json_kind_of(value) != AM_JSON_MISSING && am_json_kind_of(value) != AM_JSON_NULL;
}

static am_status wrong_kind(am_json value, const char *name, const char *expected)
{
    return am_error(AM_INVALID_ARGUMENT, "%s: expected %s, found %s", name, expected,
                    am_json_kind_name(am_json_kind_of(value)));
}

am_status am_post_number(const am_post_run *run, const char *name, double fallback, double *out)
{
    am_json value = am_json_get(run->options, name);
    am_json_kind kind = am_json_kind_of(value);
    *out = am_json_real(value, fallback);
    if (!is_given(value) || kind == AM_JSON_INTEGER || kind == AM_JSON_REAL) return NULL;
    return wrong_kind(value, name, "a number");
}

am_status am_post_integer(const am_post_run *run, const char *name, int64_t least, int64_t fallback, int64_t *out)
{
    am_json value = am_json_get(run->options, name);
    *out = is_given(value) ? am_json_int(value, INT64_MIN) : fallback;
    if (!is_given(value) || *out >= least) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%s: expected a whole number of at least %" PRId64, name, least);
}

am_status am_post_flag(const am_post_run *run, const char *name, bool fallback, bool *out)
{
    am_json value = am_json_get(run->options, name);
    *out = am_json_bool(value, fallback);
    return is_given(value) && am_json_kind_of(value) != AM_JSON_BOOL ? wrong_kind(value, name, "true or false") : NULL;
}

am_status am_post_size(am_json value, const char *name, am_plane_size *out)
{
    int64_t sides[2] = {0};
    int count = 0;
    for (am_json_iterator i = am_json_iterate(value); count < 2 && am_json_next(&i); count++)
        sides[count] = am_json_int(i.value, 0);
    *out = (am_plane_size){sides[0], sides[1]};
    if (am_json_count(value) == 2 && sides[0] > 0 && sides[1] > 0 && sides[0] <= AM_IMAGE_MAX_PIXELS / sides[1])
        return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%s: expected [height, width] of at most %" PRId64 " pixels", name,
                    AM_IMAGE_MAX_PIXELS);
}

am_status am_post_sizes(const am_post_run *run, const char *name, int64_t count, am_plane_size **out)
{
    am_json list = am_json_get(run->options, name);
    *out = NULL;
    if (!is_given(list)) return NULL;
    if ((int64_t)am_json_count(list) != count)
        return am_error(AM_INVALID_ARGUMENT, "%s: expected one for each of %" PRId64 " images, found %zu", name, count,
                        am_json_count(list));
    *out = am_arena_array(run->scratch, (size_t)count + 1, sizeof **out);
    if (!*out) return am_out_of_memory();
    int64_t at = 0;
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); at++)
        AM_TRY(am_post_size(i.value, name, &(*out)[at]));
    return NULL;
}

am_status am_post_integers(const am_post_run *run, const char *name, int64_t **out, int64_t *count)
{
    am_json list = am_json_get(run->options, name);
    *count = 0;
    AM_TRY(am_post_integer_array(run, (int64_t)am_json_count(list) + 1, 1, out));
    if (is_given(list) && am_json_kind_of(list) != AM_JSON_ARRAY) return wrong_kind(list, name, "a list");
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); ++*count) {
        if (am_json_kind_of(i.value) != AM_JSON_INTEGER) return wrong_kind(i.value, name, "whole numbers");
        (*out)[*count] = am_json_int(i.value, 0);
    }
    return NULL;
}

/* --- scratch --- */

static void *scratch_array(const am_post_run *run, int64_t a, int64_t b, size_t bytes)
{
    if (a < 0 || b < 0 || (b && a > INT64_MAX / b - 1)) return NULL;
    return am_arena_array(run->scratch, (size_t)(a * b) + 1, bytes);
}

am_status am_post_float_array(const am_post_run *run, int64_t a, int64_t b, float **out)
{
    *out = scratch_array(run, a, b, sizeof **out);
    return *out ? NULL : am_out_of_memory();
}

am_status am_post_integer_array(const am_post_run *run, int64_t a, int64_t b, int64_t **out)
{
    *out = scratch_array(run, a, b, sizeof **out);
    return *out ? NULL : am_out_of_memory();
}

/* --- results --- */

static am_status grow(am_post_results *results)
{
    int64_t room = results->room ? results->room * 2 : 8;
    am_post_item *items = am_arena_array(&results->arena, (size_t)room, sizeof *items);
    if (!items) return am_out_of_memory();
    if (results->count) memcpy(items, results->items, (size_t)results->count * sizeof *items);
    results->items = items;
    results->room = room;
    return NULL;
}

am_status am_post_add(am_post_run *run, int64_t image, am_post_item **out)
{
    am_post_results *results = run->results;
    if (results->count == results->room) AM_TRY(grow(results));
    *out = &results->items[results->count++];
    (*out)->image = image;
    return NULL;
}

am_status am_post_alloc(am_post_run *run, am_dtype dtype, const am_shape *shape, am_tensor *out)
{
    if (!am_shape_check(shape)) return am_out_of_memory();
    *out = (am_tensor){.dtype = dtype, .shape = *shape};
    out->data = am_arena_array(&run->results->arena, am_tensor_bytes(dtype, shape) + 1, 1);
    return out->data ? NULL : am_out_of_memory();
}

am_status am_post_add_list(am_post_run *run, am_post_item *item, const char *name, int64_t count, am_tensor **out)
{
    am_post_field *field = &item->fields[item->field_count];
    *field = (am_post_field){.name = name, .count = count, .is_list = true};
    field->tensors = am_arena_array(&run->results->arena, (size_t)count + 1, sizeof *field->tensors);
    if (!field->tensors) return am_out_of_memory();
    item->field_count++;
    *out = field->tensors;
    return NULL;
}

am_status am_post_add_field(am_post_run *run, am_post_item *item, const char *name, am_dtype dtype,
                            const am_shape *shape, am_tensor **out)
{
    AM_TRY(am_post_add_list(run, item, name, 1, out));
    item->fields[item->field_count - 1].is_list = false;
    return am_post_alloc(run, dtype, shape, *out);
}

static am_status give_row(am_post_run *run, am_post_item *item, const char *name, am_dtype dtype, const void *values,
                          int64_t count)
{
    am_tensor *tensor;
    am_shape shape = am_shape_of(count);
    AM_TRY(am_post_add_field(run, item, name, dtype, &shape, &tensor));
    memcpy(tensor->data, values, am_tensor_bytes(dtype, &shape));
    return NULL;
}

am_status am_post_give_floats(am_post_run *run, am_post_item *item, const char *name, const float *values,
                              int64_t count)
{
    return give_row(run, item, name, AM_F32, values, count);
}

am_status am_post_give_integers(am_post_run *run, am_post_item *item, const char *name, const int64_t *values,
                                int64_t count)
{
    return give_row(run, item, name, AM_I64, values, count);
}

am_status am_post_give_boxes(am_post_run *run, am_post_item *item, int64_t count, float **out)
{
    am_tensor *tensor;
    am_shape shape = am_shape_of(count, 4);
    AM_TRY(am_post_add_field(run, item, "boxes", AM_F32, &shape, &tensor));
    *out = tensor->data;
    return NULL;
}

void am_post_add_none(am_post_item *item, const char *name)
{
    item->fields[item->field_count++] = (am_post_field){.name = name};
}

#include "media/post_processing/polygons.h"

#include "base/memory.h"
#include "media/images/processor.h"
#include "media/post_processing/contours.h"
#include "media/post_processing/values.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>

static const double pi = 3.14159265358979323846;

/* Whole numbers are NumPy's int32: they wrap around, and what does not fit is the least. */
static int32_t whole(float x)
{
    return x > -2147483648.0f && x < 2147483648.0f ? (int32_t)x : INT32_MIN;
}

static int32_t subtract(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static int32_t add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static int32_t multiply(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

/* A box of the page in pixels, and the part of a mask that it is of. */
typedef struct area {
    int32_t left, top, width, height;
    am_plane_size from, size; /* where the part begins, how large it is */
} area;

/* Where column or row `at` of the page lies in a mask of `side` columns or rows. */
static int64_t place_in_mask(int32_t at, double scale, int64_t side)
{
    double place = nearbyint(at * scale);
    return place > 0.0 ? place < (double)side ? (int64_t)place : side : 0;
}

/* Masks are a quarter as high and wide as what the page was resized to. */
static area find_area(const am_post_run *run, const am_outline_masks *m, const float *box)
{
    const am_image_size *size = &run->processor->size;
    double wide = (double)size->width / (double)m->page.width / 4.0;
    double high = (double)size->height / (double)m->page.height / 4.0;
    int32_t right = whole(box[2]), bottom = whole(box[3]);
    area a = {.left = whole(box[0]), .top = whole(box[1])};
    a.width = subtract(right, a.left);
    a.height = subtract(bottom, a.top);
    a.from.width = place_in_mask(a.left, wide, m->size.width);
    a.from.height = place_in_mask(a.top, high, m->size.height);
    a.size.width = place_in_mask(right, wide, m->size.width) - a.from.width;
    a.size.height = place_in_mask(bottom, high, m->size.height) - a.from.height;
    return a;
}

/* The pixels of the part, [size.height, size.width]; *is_empty when there are none. */
static am_status cut_mask(const am_post_run *run, const am_outline_masks *m, int64_t query, const area *a,
                          uint8_t **out, bool *is_empty)
{
    const float *logits = m->logits + query * m->size.height * m->size.width;
    *is_empty = true;
    if (a->size.height < 1 || a->size.width < 1) return NULL;
    uint8_t *to = *out = am_arena_array(run->scratch, (size_t)(a->size.height * a->size.width), 1);
    if (!to) return am_out_of_memory();
    for (int64_t y = a->from.height; y < a->from.height + a->size.height; y++)
        for (int64_t x = a->from.width; x < a->from.width + a->size.width; x++, to++) {
            *to = am_post_sigmoid(logits[y * m->size.width + x]) > m->threshold;
            if (*to) *is_empty = false;
        }
    return NULL;
}

/* Which of `from` pixels lies under pixel `at` of `to`. */
static int64_t pixel_under(int64_t at, int64_t from, int64_t to)
{
    int64_t place = (int64_t)floor((double)at * (1.0 / ((double)to / (double)from)));
    return place < from ? place : from - 1;
}

/* The part at the size of the box; freed with am_free. */
static am_status enlarge(const am_post_run *run, const area *a, const uint8_t *part, uint8_t **out)
{
    int64_t *columns;
    if (a->height > AM_IMAGE_MAX_PIXELS / a->width)
        return am_error(AM_INVALID_ARGUMENT, "pred_boxes: a box of %" PRId32 " x %" PRId32 " pixels", a->width,
                        a->height);
    AM_TRY(am_post_integer_array(run, a->width, 1, &columns));
    uint8_t *to = *out = am_alloc_zeroed((size_t)a->height, (size_t)a->width);
    if (!to) return am_out_of_memory();
    for (int64_t x = 0; x < a->width; x++) columns[x] = pixel_under(x, a->size.width, a->width);
    for (int64_t y = 0; y < a->height; y++) {
        const uint8_t *row = part + pixel_under(y, a->size.height, a->height) * a->size.width;
        for (int64_t x = 0; x < a->width; x++) *to++ = row[columns[x]];
    }
    return NULL;
}

/* --- corners --- */

typedef struct corner {
    double x, y;
    bool is_moved; /* not a pixel */
} corner;

/* A corner that points outwards at about 45 degrees is moved between its neighbours, the others that do stay; false for
   one that does not. */
static bool find_corner(am_pixel before, am_pixel at, am_pixel after, corner *out)
{
    am_pixel a = {subtract(before.x, at.x), subtract(before.y, at.y)},
             b = {subtract(after.x, at.x), subtract(after.y, at.y)};
    if (subtract(multiply(a.y, b.x), multiply(a.x, b.y)) >= 0) return false;
    double a_length = sqrt((double)a.x * a.x + (double)a.y * a.y),
           b_length = sqrt((double)b.x * b.x + (double)b.y * b.y);
    double cosine = add(multiply(a.x, b.x), multiply(a.y, b.y)) / (a_length * b_length);
    double angle = acos(fmax(-1.0, fmin(1.0, cosine))) * (180.0 / pi);
    *out = (corner){at.x, at.y, fabs(angle - 45.0) < 1.0};
    if (!out->is_moved) return true;
    double x = a.x / a_length + b.x / b_length, y = a.y / a_length + b.y / b_length, length = sqrt(x * x + y * y);
    double step = (a_length + b_length) / 2.0;
    out->x += x / length * step;
    out->y += y / length * step;
    return true;
}

/* The border that encloses most; of equal ones the last. Null when there is none. */
static const am_pixel *largest(const am_contours *contours, int64_t *count)
{
    const am_pixel *found = NULL;
    double most = 0.0;
    for (int64_t i = 0; i < contours->count; i++) {
        int64_t length;
        const am_pixel *points = am_contours_get(contours, i, &length);
        double size = am_contour_area(points, length);
        if (size < most) continue;
        most = size;
        found = points;
        *count = length;
    }
    return found;
}

/* The corners of the largest part of a mask; *out null when it is empty. */
static am_status find_corners(const am_post_run *run, const am_contours *contours, corner **out, int64_t *count)
{
    int64_t length, kept;
    const am_pixel *border = largest(contours, &length);
    *out = NULL;
    *count = 0;
    if (!border) return NULL;
    am_pixel *points = am_arena_array(run->scratch, (size_t)length, sizeof *points);
    *out = am_arena_array(run->scratch, (size_t)length, sizeof **out);
    if (!points || !*out) return am_out_of_memory();
    AM_TRY(am_contour_simplify(border, length, 0.004 * am_contour_length(border, length), points, &kept));
    for (int64_t i = 0; i < kept; i++)
        if (find_corner(points[(i + kept - 1) % kept], points[i], points[(i + 1) % kept], &(*out)[*count])) ++*count;
    return NULL;
}

/* --- answers --- */

static am_status give_box(am_post_run *run, const area *a, am_tensor *out)
{
    am_shape shape = am_shape_of(4, 2);
    float left = (float)a->left, top = (float)a->top;
    float right = (float)add(a->left, a->width), bottom = (float)add(a->top, a->height);
    AM_TRY(am_post_alloc(run, AM_F32, &shape, out));
    const float corners[8] = {left, top, right, top, right, bottom, left, bottom};
    for (int i = 0; i < 8; i++) ((float *)out->data)[i] = corners[i];
    return NULL;
}

static am_status give_corners(am_post_run *run, const area *a, const corner *corners, int64_t count, am_tensor *out)
{
    am_shape shape = am_shape_of(count, 2);
    bool is_whole = true;
    for (int64_t i = 0; i < count; i++) is_whole = is_whole && !corners[i].is_moved;
    AM_TRY(am_post_alloc(run, is_whole ? AM_I32 : AM_F64, &shape, out));
    for (int64_t i = 0; i < count; i++) {
        if (is_whole) {
            ((int32_t *)out->data)[2 * i] = add((int32_t)corners[i].x, a->left);
            ((int32_t *)out->data)[2 * i + 1] = add((int32_t)corners[i].y, a->top);
        } else {
            ((double *)out->data)[2 * i] = corners[i].x + a->left;
            ((double *)out->data)[2 * i + 1] = corners[i].y + a->top;
        }
    }
    return NULL;
}

am_status am_post_outline(am_post_run *run, const am_outline_masks *masks, int64_t query, const float *box,
                          am_tensor *out)
{
    area a = find_area(run, masks, box);
    am_contours contours = {0};
    uint8_t *part, *whole_mask = NULL;
    corner *corners = NULL;
    int64_t count = 0;
    bool is_empty;
    if (a.width <= 0 || a.height <= 0) return give_box(run, &a, out);
    AM_TRY(cut_mask(run, masks, query, &a, &part, &is_empty));
    if (is_empty) return give_box(run, &a, out);
    am_status status = enlarge(run, &a, part, &whole_mask);
    if (!status) status = am_contours_find(whole_mask, (am_plane_size){a.height, a.width}, true, &contours);
    am_free(whole_mask);
    if (!status) status = find_corners(run, &contours, &corners, &count);
    am_contours_deinit(&contours);
    if (status || !corners) return status;
    return count < 4 ? give_box(run, &a, out) : give_corners(run, &a, corners, count, out);
}

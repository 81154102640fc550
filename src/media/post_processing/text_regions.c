/* Where PP-OCR finds lines of text: rectangles, turned as they lie, around what a map says is text. */
#include "media/post_processing/methods.h"
#include "media/post_processing/rotated_rectangle.h"

#include "base/memory.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct region_call {
    const am_tensor *maps; /* [batch, channels, height, width]; the first channel counts */
    am_plane_size size;    /* of a map */
    am_plane_size *pages;  /* [batch] */
    double threshold, box_threshold, min_size, unclip_ratio;
    int64_t max_candidates;
} region_call;

static am_status read_options(const am_post_run *run, region_call *call)
{
    AM_TRY(am_post_number(run, "threshold", 0.3, &call->threshold));
    AM_TRY(am_post_number(run, "box_threshold", 0.6, &call->box_threshold));
    AM_TRY(am_post_number(run, "min_size", 3.0, &call->min_size));
    AM_TRY(am_post_number(run, "unclip_ratio", 1.5, &call->unclip_ratio));
    return am_post_integer(run, "max_candidates", 0, 1000, &call->max_candidates);
}

static am_status read_call(const am_post_run *run, region_call *call)
{
    AM_TRY(am_post_tensor(run, "last_hidden_state", 4, &call->maps));
    const int64_t *dims = call->maps->shape.dims;
    call->size = (am_plane_size){dims[2], dims[3]};
    if (dims[1] < 1 || dims[2] < 1 || dims[3] < 1 || dims[2] > AM_FILL_LONGEST || dims[3] > AM_FILL_LONGEST)
        return am_error(AM_INVALID_ARGUMENT, "last_hidden_state: expected maps of sides from 1 to %d", AM_FILL_LONGEST);
    AM_TRY(am_post_sizes(run, "target_sizes", dims[0], &call->pages));
    if (!call->pages) return am_error(AM_INVALID_ARGUMENT, "target_sizes: expected a list, found none");
    return read_options(run, call);
}

/* --- rectangles --- */

/* Corners in the order in which the method has them (from the upper left around by the upper right), and the shorter
 * side.
 */
typedef struct box {
    am_point corners[4];
    float shorter;
} box;

static box box_of(const am_rotated_rectangle *r)
{
    am_point p[4];
    am_rotated_rectangle_corners(r, p);
    for (int i = 1; i < 4; i++) /* from left to right */
        for (int k = i; k > 0 && p[k].x < p[k - 1].x; k--) {
            am_point kept = p[k];
            p[k] = p[k - 1];
            p[k - 1] = kept;
        }
    bool left = p[1].y > p[0].y, right = p[3].y > p[2].y;
    return (box){{p[left ? 0 : 1], p[right ? 2 : 3], p[right ? 3 : 2], p[left ? 1 : 0]},
                 r->height < r->width ? r->height : r->width};
}

static bool is_finite(const box *b)
{
    for (int i = 0; i < 4; i++)
        if (!isfinite(b->corners[i].x) || !isfinite(b->corners[i].y)) return false;
    return true;
}

/* Of the values of a corner or of all, along one axis. */
static int64_t lowest(const box *b, bool is_y, int64_t side)
{
    float least = is_y ? b->corners[0].y : b->corners[0].x;
    for (int i = 1; i < 4; i++) least = fminf(least, is_y ? b->corners[i].y : b->corners[i].x);
    return least < 0.0f ? 0 : (int64_t)fminf(floorf(least), (float)(side - 1));
}

static int64_t highest(const box *b, bool is_y, int64_t side)
{
    float most = is_y ? b->corners[0].y : b->corners[0].x;
    for (int i = 1; i < 4; i++) most = fmaxf(most, is_y ? b->corners[i].y : b->corners[i].x);
    return most < 0.0f ? 0 : (int64_t)fminf(ceilf(most), (float)(side - 1));
}

/* The mean of the map below the box. */
static am_status score_of(const float *map, am_plane_size size, const box *b, double *out)
{
    int64_t left = lowest(b, false, size.width), top = lowest(b, true, size.height), count = 0;
    am_plane_size part = {highest(b, true, size.height) - top + 1, highest(b, false, size.width) - left + 1};
    uint8_t *mask = am_alloc_zeroed((size_t)part.height, (size_t)part.width);
    am_pixel corners[4];
    double sum = 0.0;
    if (!mask) return am_out_of_memory();
    for (int i = 0; i < 4; i++)
        corners[i] = (am_pixel){(int32_t)(b->corners[i].x - (float)left), (int32_t)(b->corners[i].y - (float)top)};
    am_fill_quadrilateral(corners, part, mask);
    for (int64_t y = 0; y < part.height; y++)
        for (int64_t x = 0; x < part.width; x++) {
            if (!mask[y * part.width + x]) continue;
            sum += (double)map[(top + y) * size.width + left + x];
            count++;
        }
    am_free(mask);
    *out = count ? sum / (double)count : 0.0;
    return NULL;
}

/* --- making boxes larger --- */

static double perimeter_of(const am_point p[4])
{
    double sum = 0.0;
    for (int i = 0; i < 4; i++) {
        float x = p[i].x - p[(i + 3) % 4].x, y = p[i].y - p[(i + 3) % 4].y;
        sum += (double)sqrtf(x * x + y * y);
    }
    return sum;
}

/* The area, above 0 when the corners go around as the axes do. */
static double area_of(const am_point p[4])
{
    double sum = 0.0;
    for (int i = 0; i < 4; i++) {
        am_point a = p[(i + 3) % 4], b = p[i];
        sum += (double)a.x * (double)b.y - (double)a.y * (double)b.x;
    }
    return sum * 0.5;
}

/* A side of a box: the direction to the next corner and that to the outside, both of length 1. */
typedef struct side {
    am_point along, out;
} side;

static side side_of(const am_point p[4], int i, bool is_positive)
{
    float x = p[(i + 1) % 4].x - p[i].x, y = p[(i + 1) % 4].y - p[i].y, length = fmaxf(sqrtf(x * x + y * y), 1e-6f);
    am_point along = {x / length, y / length};
    return (side){along, is_positive ? (am_point){along.y, -along.x} : (am_point){-along.y, along.x}};
}

/* Where a corner goes when the sides before and after it are moved out by `distance`: to where they cross, or, when
   they are parallel, out by the mean of both. */
static am_point moved_corner(am_point before, am_point at, side a, side b, double distance)
{
    float step = (float)distance, half = (float)(0.5 * distance);
    am_point first = {before.x + step * a.out.x, before.y + step * a.out.y};
    am_point second = {at.x + step * b.out.x, at.y + step * b.out.y};
    float turn = a.along.x * b.along.y - a.along.y * b.along.x;
    if (fabsf(turn) < 1e-6f) return (am_point){at.x + half * (a.out.x + b.out.x), at.y + half * (a.out.y + b.out.y)};
    float far = ((second.x - first.x) * b.along.y - (second.y - first.y) * b.along.x) / turn;
    return (am_point){first.x + a.along.x * far, first.y + a.along.y * far};
}

/* All sides are moved out by the same distance: area * ratio / perimeter. */
static am_status unclip(const box *b, double ratio, box *out)
{
    double perimeter = perimeter_of(b->corners), area = area_of(b->corners);
    am_rotated_rectangle rectangle;
    am_point moved[4];
    side sides[4];
    if (!(perimeter > 0.0)) return am_error(AM_INVALID_ARGUMENT, "min_size: a region of a single point is left");
    for (int i = 0; i < 4; i++) sides[i] = side_of(b->corners, i, area > 0.0);
    for (int i = 0; i < 4; i++) {
        int before = (i + 3) % 4;
        moved[i] =
            moved_corner(b->corners[before], b->corners[i], sides[before], sides[i], fabs(area) * ratio / perimeter);
    }
    AM_TRY(am_smallest_rectangle(moved, 4, &rectangle));
    *out = box_of(&rectangle);
    return is_finite(out) ? NULL : am_error(AM_INVALID_ARGUMENT, "unclip_ratio: a region without bounds");
}

/* --- answers --- */

typedef struct regions {
    int16_t *boxes; /* [count, 4, 2] */
    float *scores;
    int64_t count;
} regions;

static int16_t scaled(float x, int64_t from, int64_t to)
{
    double place = nearbyint((double)x * ((double)to / (double)from));
    float kept = (float)fmax(0.0, fmin(place, (double)to));
    return (int16_t)(uint16_t)(uint32_t)kept;
}

/* Adds the region within a border where it is large and certain enough. */
static am_status add_region(const region_call *call, int64_t image, const am_pixel *border, int64_t length,
                            regions *out)
{
    const float *map =
        am_post_floats(call->maps) + image * call->maps->shape.dims[1] * call->size.height * call->size.width;
    am_plane_size page = call->pages[image];
    am_rotated_rectangle rectangle;
    double score;
    AM_TRY(am_smallest_rectangle_of_pixels(border, length, &rectangle));
    box b = box_of(&rectangle);
    if ((double)b.shorter < call->min_size) return NULL;
    AM_TRY(score_of(map, call->size, &b, &score));
    if (call->box_threshold > score) return NULL;
    AM_TRY(unclip(&b, call->unclip_ratio, &b));
    if ((double)b.shorter < call->min_size + 2.0) return NULL;
    for (int i = 0; i < 4; i++) {
        out->boxes[8 * out->count + 2 * i] = scaled(b.corners[i].x, call->size.width, page.width);
        out->boxes[8 * out->count + 2 * i + 1] = scaled(b.corners[i].y, call->size.height, page.height);
    }
    out->scores[out->count++] = (float)score;
    return NULL;
}

/* Of the borders that were found last, in reverse order. */
static am_status find_regions(const am_post_run *run, const region_call *call, int64_t image,
                              const am_contours *borders, regions *out)
{
    int64_t count = borders->count < call->max_candidates ? borders->count : call->max_candidates, length;
    out->boxes = am_arena_array(run->scratch, (size_t)count + 1, 8 * sizeof *out->boxes);
    out->scores = am_arena_array(run->scratch, (size_t)count + 1, sizeof *out->scores);
    if (!out->boxes || !out->scores) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) {
        const am_pixel *border = am_contours_get(borders, borders->count - 1 - i, &length);
        AM_TRY(add_region(call, image, border, length, out));
    }
    return NULL;
}

static am_status find_borders(const region_call *call, int64_t image, am_contours *out)
{
    int64_t pixels = call->size.height * call->size.width;
    const float *map = am_post_floats(call->maps) + image * call->maps->shape.dims[1] * pixels;
    uint8_t *mask = am_alloc_zeroed((size_t)pixels, 1);
    if (!mask) return am_out_of_memory();
    for (int64_t i = 0; i < pixels; i++) mask[i] = map[i] > (float)call->threshold;
    am_status status = am_contours_find(mask, call->size, false, out);
    am_free(mask);
    return status;
}

/* None has boxes of shape [0]. All are of the one class 0. */
static am_status give(am_post_run *run, int64_t image, const regions *found)
{
    am_post_item *item;
    am_tensor *boxes, *labels;
    am_shape shape = am_shape_of(found->count, 4, 2), line = am_shape_of(found->count);
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(am_post_add_field(run, item, "boxes", AM_I16, found->count ? &shape : &line, &boxes));
    memcpy(boxes->data, found->boxes, (size_t)found->count * 8 * sizeof *found->boxes);
    AM_TRY(am_post_give_floats(run, item, "scores", found->scores, found->count));
    return am_post_add_field(run, item, "labels", AM_I64, &line, &labels);
}

static am_status detect(am_post_run *run)
{
    region_call call;
    AM_TRY(read_call(run, &call));
    for (int64_t b = 0; b < call.maps->shape.dims[0]; b++) {
        am_contours borders = {0};
        regions found = {0};
        am_status status = find_borders(&call, b, &borders);
        if (!status) status = find_regions(run, &call, b, &borders, &found);
        am_contours_deinit(&borders);
        if (!status) status = give(run, b, &found);
        if (status) return status;
    }
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_object_detection", "PPOCRV5ServerDet", detect, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_text_regions = {methods};

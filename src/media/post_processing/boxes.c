#include "media/post_processing/boxes.h"

#include "base/memory.h"
#include "media/post_processing/values.h"

#include <stdbool.h>

void am_boxes_to_corners(const float *in, int64_t count, float *out)
{
    for (int64_t i = 0; i < count; i++, in += 4, out += 4) {
        float x = in[0], y = in[1], half_width = 0.5f * in[2], half_height = 0.5f * in[3];
        out[0] = x - half_width;
        out[1] = y - half_height;
        out[2] = x + half_width;
        out[3] = y + half_height;
    }
}

void am_boxes_to_centers(const float *in, int64_t count, float *out)
{
    for (int64_t i = 0; i < count; i++, in += 4, out += 4) {
        float left = in[0], top = in[1], right = in[2], bottom = in[3];
        out[0] = (left + right) / 2.0f;
        out[1] = (top + bottom) / 2.0f;
        out[2] = right - left;
        out[3] = bottom - top;
    }
}

void am_boxes_scale(const am_plane_size *size, int64_t count, float *boxes)
{
    for (int64_t i = 0; i < 4 * count; i++) boxes[i] *= (float)(i % 2 ? size->height : size->width);
}

static float least(float a, float b)
{
    return a < b ? a : b;
}

static float most(float a, float b)
{
    return a > b ? a : b;
}

static float area(const float *box)
{
    return (box[2] - box[0]) * (box[3] - box[1]);
}

static float intersection(const float *a, const float *b)
{
    float width = least(a[2], b[2]) - most(a[0], b[0]), height = least(a[3], b[3]) - most(a[1], b[1]);
    return most(width, 0.0f) * most(height, 0.0f);
}

float am_box_iou(const float *a, const float *b)
{
    float common = intersection(a, b);
    return common / (area(a) + area(b) - common);
}

float am_box_giou(const float *a, const float *b)
{
    float common = intersection(a, b), both = area(a) + area(b) - common;
    const float hull[4] = {least(a[0], b[0]), least(a[1], b[1]), most(a[2], b[2]), most(a[3], b[3])};
    return common / both - (area(hull) - both) / area(hull);
}

am_status am_boxes_nms(const float *boxes, const float *scores, const int64_t *labels, int64_t count, double threshold,
                       int64_t *keep, int64_t *kept)
{
    int64_t *order = am_alloc_zeroed((size_t)count + 1, sizeof *order);
    *kept = 0;
    am_status status = order ? am_post_top(scores, count, count, true, order) : am_out_of_memory();
    for (int64_t i = 0; i < count && !status; i++) {
        bool stays = true;
        for (int64_t k = 0; k < *kept && stays; k++) {
            bool is_rival = !labels || labels[keep[k]] == labels[order[i]];
            stays = !is_rival || !((double)am_box_iou(boxes + 4 * keep[k], boxes + 4 * order[i]) > threshold);
        }
        if (stays) keep[(*kept)++] = order[i];
    }
    am_free(order);
    return status;
}

#include "media/post_processing/contours.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

/* --- border following --- */

/* What is known of a pixel. A border that passes a pixel whose right neighbour is empty leaves the part there. */
enum { EMPTY = 0, FRESH = 1, PASSED = 2, LEFT = 3 };

/* Directions, from the right on against the clock. */
static const am_pixel steps[8] = {{1, 0}, {1, -1}, {0, -1}, {-1, -1}, {-1, 0}, {-1, 1}, {0, 1}, {1, 1}};

typedef struct tracer {
    uint8_t *cells; /* [height + 2, width + 2]: a frame of EMPTY around the mask */
    int64_t width;  /* of a row of cells */
    int64_t offsets[8];
    am_buffer points, ends;
} tracer;

static void add_point(tracer *t, am_pixel at)
{
    am_buffer_append(&t->points, &at, sizeof at);
}

/* The first neighbour that is not empty, from direction `from` on by `turn`; 8 when all are. */
static int find_neighbour(const tracer *t, int64_t at, int from, int turn)
{
    for (int i = 0; i < 8; i++) {
        int direction = (from + turn * i) & 7;
        if (t->cells[at + t->offsets[direction]]) return direction;
    }
    return 8;
}

/* Whether turning against the clock from direction `from` (not looked at) to `to` comes by the right. */
static bool comes_by_right(int from, int to)
{
    return to >= 1 && to <= from;
}

/* The border through pixel `start`, whose neighbour in direction `empty` is the empty one that it was found by. */
static void follow(tracer *t, am_pixel start, int empty)
{
    int64_t first = (start.y + 1) * t->width + start.x + 1, at = first;
    int back = find_neighbour(t, first, empty - 1, -1);
    if (back == 8) {
        t->cells[first] = LEFT;
        add_point(t, start);
        return;
    }
    int64_t last = first + t->offsets[back];
    int came_by = back ^ 4;
    for (am_pixel pixel = start;;) {
        int next = find_neighbour(t, at, back + 1, 1);
        if (comes_by_right(back, next)) t->cells[at] = LEFT;
        else if (t->cells[at] == FRESH) t->cells[at] = PASSED;
        if (next != came_by) add_point(t, pixel);
        int64_t to = at + t->offsets[next];
        if (to == first && at == last) return;
        pixel = (am_pixel){pixel.x + steps[next].x, pixel.y + steps[next].y};
        came_by = next;
        back = next ^ 4;
        at = to;
    }
}

/* Whether a border begins between two cells of a row; an outer one at the right cell, that of a hole at the left. */
static bool begins_outer(uint8_t left, uint8_t right)
{
    return left == EMPTY && right == FRESH;
}

static bool begins_hole(uint8_t left, uint8_t right)
{
    return right == EMPTY && (left == FRESH || left == PASSED);
}

static void trace(tracer *t, am_pixel start, int empty)
{
    follow(t, start, empty);
    int64_t end = (int64_t)(t->points.length / sizeof start);
    am_buffer_append(&t->ends, &end, sizeof end);
}

/* `border` is what the last border that was met in the row says: inside of it while that is PASSED. */
static void scan_row(tracer *t, int64_t y, bool outer)
{
    uint8_t *row = t->cells + (y + 1) * t->width, border = EMPTY;
    for (int64_t x = 1; x < t->width - 1; x++) {
        if (begins_outer(row[x - 1], row[x]) && !(outer && border == PASSED))
            trace(t, (am_pixel){(int32_t)x - 1, (int32_t)y}, 4);
        else if (begins_hole(row[x - 1], row[x]) && !outer) trace(t, (am_pixel){(int32_t)x - 2, (int32_t)y}, 0);
        if (row[x] >= PASSED) border = row[x];
    }
}

static am_status open_tracer(const uint8_t *mask, am_plane_size size, tracer *t)
{
    t->width = size.width + 2;
    t->cells = am_alloc_zeroed((size_t)(size.height + 2), (size_t)t->width);
    if (!t->cells) return am_out_of_memory();
    for (int i = 0; i < 8; i++) t->offsets[i] = steps[i].y * t->width + steps[i].x;
    for (int64_t y = 0; y < size.height; y++) {
        uint8_t *row = t->cells + (y + 1) * t->width + 1;
        for (int64_t x = 0; x < size.width; x++) row[x] = *mask++ ? FRESH : EMPTY;
    }
    return NULL;
}

am_status am_contours_find(const uint8_t *mask, am_plane_size size, bool outer, am_contours *out)
{
    tracer t = {0};
    *out = (am_contours){0};
    am_status status = open_tracer(mask, size, &t);
    for (int64_t y = 0; y < size.height && !status && !t.points.failed && !t.ends.failed; y++) scan_row(&t, y, outer);
    if (!status) status = am_buffer_status(&t.points);
    if (!status) status = am_buffer_status(&t.ends);
    if (!status) {
        out->point_count = (int64_t)(t.points.length / sizeof *out->points);
        out->count = (int64_t)(t.ends.length / sizeof *out->ends);
        out->points = (am_pixel *)(void *)am_buffer_take(&t.points);
        out->ends = (int64_t *)(void *)am_buffer_take(&t.ends);
    }
    am_buffer_deinit(&t.points);
    am_buffer_deinit(&t.ends);
    am_free(t.cells);
    return status;
}

void am_contours_deinit(am_contours *contours)
{
    am_free(contours->points);
    am_free(contours->ends);
    *contours = (am_contours){0};
}

const am_pixel *am_contours_get(const am_contours *contours, int64_t i, int64_t *count)
{
    int64_t begin = i ? contours->ends[i - 1] : 0;
    *count = contours->ends[i] - begin;
    return contours->points + begin;
}

/* --- measures --- */

double am_contour_area(const am_pixel *points, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        am_pixel a = points[i ? i - 1 : count - 1], b = points[i];
        sum += (double)a.x * b.y - (double)a.y * b.x;
    }
    return fabs(sum * 0.5);
}

double am_contour_length(const am_pixel *points, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        am_pixel a = points[i ? i - 1 : count - 1], b = points[i];
        float x = (float)b.x - (float)a.x, y = (float)b.y - (float)a.y;
        sum += (double)sqrtf(x * x + y * y);
    }
    return sum;
}

/* --- fewer points --- */

static double square(double x)
{
    return x * x;
}

static double squared_distance(am_pixel a, am_pixel b)
{
    return square((double)b.x - a.x) + square((double)b.y - a.y);
}

/* The point that is farthest from points[from], and whether it is within the square root of `limit`. */
static int64_t farthest(const am_pixel *points, int64_t count, int64_t from, double limit, bool *is_near)
{
    double most = 0.0;
    int64_t found = from;
    for (int64_t i = 1; i < count; i++) {
        int64_t at = (from + i) % count;
        double distance = squared_distance(points[from], points[at]);
        if (!(distance > most)) continue;
        most = distance;
        found = at;
    }
    *is_near = most <= limit;
    return found;
}

/* The squared distance of p from the line from a to b times the squared length of that. */
static double distance_from_line(am_pixel p, am_pixel a, am_pixel b)
{
    double dx = (double)b.x - a.x, dy = (double)b.y - a.y, length = dx * dx + dy * dy;
    double along = (p.x - a.x) * dx + (p.y - a.y) * dy;
    if (along < 0) return squared_distance(p, a) * length;
    if (along > length) return squared_distance(p, b) * length;
    return square((p.y - a.y) * dx - (p.x - a.x) * dy);
}

/* From the point at `begin` to that at `end`, around the end of the list where end is not behind begin. */
typedef struct section {
    int64_t begin, end;
} section;

/* The point between the ends that is farthest from the line through them; begin, where all are near enough. */
static int64_t find_split(const am_pixel *points, int64_t count, section s, double limit)
{
    am_pixel a = points[s.begin], b = points[s.end];
    int64_t split = s.begin;
    double most = 0.0;
    for (int64_t i = (s.begin + 1) % count; i != s.end; i = (i + 1) % count) {
        double distance = distance_from_line(points[i], a, b);
        if (!(distance > most)) continue;
        most = distance;
        split = i;
    }
    return most <= limit * squared_distance(a, b) ? s.begin : split;
}

/* Points that stay, in order; the stack has room for count + 1 sections. */
static int64_t split_all(const am_pixel *points, int64_t count, double limit, section *stack, am_pixel *out)
{
    int64_t depth = 0, kept = 0, from = 0, far = 0;
    bool is_near = false;
    for (int i = 0; i < 3; i++) {
        from = far;
        far = farthest(points, count, from, limit, &is_near);
    }
    if (is_near) {
        out[0] = points[from];
        return 1;
    }
    stack[depth++] = (section){far, from};
    stack[depth++] = (section){from, far};
    while (depth) {
        section s = stack[--depth];
        int64_t split = find_split(points, count, s, limit);
        if (split == s.begin) {
            out[kept++] = points[s.begin];
            continue;
        }
        stack[depth++] = (section){split, s.end};
        stack[depth++] = (section){s.begin, split};
    }
    return kept;
}

/* Whether b can go between a and c: nearly on the line, which is neither upright nor level, and not beyond its ends. */
static bool is_on_line(am_pixel a, am_pixel b, am_pixel c, double limit)
{
    double dx = (double)c.x - a.x, dy = (double)c.y - a.y;
    double distance = fabs((b.x - a.x) * dy - (b.y - a.y) * dx);
    double forward = ((double)b.x - a.x) * ((double)c.x - b.x) + ((double)b.y - a.y) * ((double)c.y - b.y);
    return square(distance) <= 0.5 * limit * (dx * dx + dy * dy) && dx != 0.0 && dy != 0.0 && forward >= 0.0;
}

/* Drops points on nearly straight lines, in place, going around from the last point; the point after one that is
   dropped is not looked at. What remains is written from the first place on. */
static int64_t drop_straight(am_pixel *points, int64_t count, double limit)
{
    int64_t left = count, read = 1 % count, write = 0;
    am_pixel a = points[count - 1], b = points[0];
    for (int64_t i = 0; i < count && left > 2; i++) {
        am_pixel c = points[read];
        read = (read + 1) % count;
        if (is_on_line(a, b, c, limit)) {
            left--;
            i++;
            a = c;
            b = points[read];
            read = (read + 1) % count;
        } else {
            a = b;
            b = c;
        }
        points[write] = a;
        write = (write + 1) % count;
    }
    return left;
}

am_status am_contour_simplify(const am_pixel *points, int64_t count, double epsilon, am_pixel *out, int64_t *out_count)
{
    double limit = epsilon * epsilon;
    section *stack = am_alloc_zeroed((size_t)count + 2, sizeof *stack);
    if (!stack) return am_out_of_memory();
    *out_count = split_all(points, count, limit, stack, out);
    *out_count = drop_straight(out, *out_count, limit);
    am_free(stack);
    return NULL;
}

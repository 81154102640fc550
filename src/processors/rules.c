#include "processors/rules.h"

#include "tensor/shape.h"

int64_t am_floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

void am_put_wrapped(const am_placeholder *p, const char *token, int64_t count, const am_wrapping *wrapping,
                    am_buffer *out)
{
    if (wrapping && wrapping->before) am_put_token(p->run, wrapping->before, 1, out);
    am_put_token(p->run, token, count, out);
    if (wrapping && wrapping->after) am_put_token(p->run, wrapping->after, 1, out);
}

am_status am_grid_count(const am_placeholder *p, bool merges, int64_t *out)
{
    int64_t count = 1, merge = 1;
    for (int64_t i = 0; i < 3; i++) {
        int64_t side;
        AM_TRY(am_media_number(p->media, "image_grid_thw", p->row, i, &side));
        count *= side;
    }
    if (merges) AM_TRY(am_processor_image_integer(p->run->processor, "merge_size", &merge));
    if (!merge) return am_error(AM_INVALID_FILE, "merge_size: expected a positive integer, found 0");
    *out = count / (merge * merge);
    return NULL;
}

am_status am_expand_grid(const am_placeholder *p, am_buffer *out)
{
    int64_t count;
    AM_TRY(am_grid_count(p, true, &count));
    am_put_token(p->run, "image_token", count, out);
    return NULL;
}

am_status am_video_grid(const am_placeholder *p, int64_t *out_times, int64_t *out_each)
{
    int64_t height, width, merge;
    AM_TRY(am_media_number(p->media, "video_grid_thw", p->row, 0, out_times));
    AM_TRY(am_media_number(p->media, "video_grid_thw", p->row, 1, &height));
    AM_TRY(am_media_number(p->media, "video_grid_thw", p->row, 2, &width));
    AM_TRY(am_processor_video_integer(p->run->processor, "merge_size", &merge));
    if (!merge) return am_error(AM_INVALID_FILE, "merge_size: expected a positive integer, found 0");
    *out_each = height * width / (merge * merge);
    return NULL;
}

am_status am_expand_video_grid(const am_placeholder *p, am_buffer *out)
{
    int64_t times, each;
    AM_TRY(am_video_grid(p, &times, &each));
    am_put_token(p->run, "video_token", times * each, out);
    return NULL;
}

double am_clip_fps(const am_processor_clip *clip)
{
    return clip->fps > 0.0 ? clip->fps : 24.0;
}

am_status am_put_counted(const am_placeholder *p, const char *name, const char *token, const am_wrapping *wrapping,
                         am_buffer *out)
{
    int64_t count;
    AM_TRY(am_media_number(p->media, name, p->row, 0, &count));
    am_put_wrapped(p, token, count, wrapping, out);
    return NULL;
}

am_status am_expand_sound(const am_placeholder *p, am_buffer *out)
{
    return am_put_counted(p, "num_audio_tokens", "audio_token", NULL, out);
}

am_status am_give_sound_counts(am_processor_call *run, const int64_t *counts)
{
    am_tensor *x;
    am_shape shape = am_shape_of(run->inputs->sound_count);
    AM_TRY(am_media_tensors_add(&run->sounds, "num_audio_tokens", AM_I64, &shape, &x));
    for (int64_t i = 0; i < run->inputs->sound_count; i++) ((int64_t *)x->data)[i] = counts[i];
    return NULL;
}

am_status am_extract_counted(am_processor_call *run, const char *from, const char *mask,
                             int64_t (*count_of)(const am_processor *p, int64_t length))
{
    int64_t *counts = am_arena_array(&run->arena, (size_t)run->inputs->sound_count, sizeof *counts);
    if (!counts) return am_out_of_memory();
    AM_TRY(am_processor_extract(run));
    if (from) am_media_rename(&run->sounds, from, mask);
    for (int64_t i = 0; i < run->inputs->sound_count; i++) {
        int64_t length;
        AM_TRY(am_media_row_sum(&run->sounds, mask, i, &length));
        counts[i] = count_of(run->processor, length);
    }
    return am_give_sound_counts(run, counts);
}

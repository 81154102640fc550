#include "processors/rules.h"

#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

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

/* "{timestamp:.1f}" becomes the number, with as many digits after the point; other braces are refused. */
static am_status put_timestamp(am_json_string format, double seconds, am_buffer *out)
{
    static const char begin[] = "{timestamp:.";
    for (const char *at = format.bytes, *end = at + format.length; at < end;) {
        bool is_field = strncmp(at, begin, sizeof begin - 1) == 0 && at[sizeof begin - 1] >= '0' &&
                        at[sizeof begin - 1] <= '9' && strncmp(at + sizeof begin, "f}", 2) == 0;
        if (!is_field && (*at == '{' || *at == '}'))
            return am_error(AM_UNSUPPORTED, "frame_timestamp_format: \"%.60s\"", format.bytes);
        if (is_field) am_buffer_printf(out, "%.*f", at[sizeof begin - 1] - '0', seconds);
        else am_buffer_append_char(out, *at);
        at += is_field ? sizeof begin + 2 : 1;
    }
    return NULL;
}

am_status am_expand_separated_video(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    const am_processor_clip *clip = &p->run->clips[p->index];
    am_json given = am_video_processor_setting(processor->video_processor, "frame_timestamp_format");
    am_json_string format = am_json_text(given);
    int64_t times, each, step;
    AM_TRY(am_video_grid(p, &times, &each));
    AM_TRY(am_processor_video_integer(processor, "temporal_patch_size", &step));
    if (!step) return am_error(AM_INVALID_FILE, "temporal_patch_size: expected a positive integer, found 0");
    am_put_token(p->run, "video_start_token", 1, out);
    for (int64_t i = 0; i < times; i++) {
        int64_t frame = i * step < clip->count ? i * step : (clip->count - 1) / step * step;
        AM_TRY(put_timestamp(format, am_clip_seconds(clip, frame), out));
        am_put_token(p->run, "video_token", each, out);
        am_put_token(p->run, i + 1 < times ? "video_sep_token" : "video_end_token", 1, out);
    }
    return NULL;
}

double am_clip_fps(const am_processor_clip *clip)
{
    return clip->fps > 0.0 ? clip->fps : 24.0;
}

double am_clip_seconds(const am_processor_clip *clip, int64_t frame)
{
    return fmin((double)clip->frames[frame] / am_clip_fps(clip), 1e15);
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

am_status am_take_video_sounds(am_processor_call *run)
{
    const am_processor *p = run->processor;
    am_json indices = am_processor_setting(p, "audio_from_video_indices");
    int64_t videos = run->inputs->video_count, sounds = run->inputs->sound_count, next = 0;
    if (!videos || !am_processor_flag(p, "load_audio_from_video", false)) return NULL;
    if (!sounds || (int64_t)am_json_count(indices) != sounds)
        return am_error(AM_UNSUPPORTED,
                        "load_audio_from_video: expected the sounds of videos among the sounds, and for each of "
                        "these %" PRId64 " an item of audio_from_video_indices",
                        sounds);
    run->sound_of_video = am_arena_array(&run->arena, (size_t)videos, sizeof *run->sound_of_video);
    run->own_sounds = am_arena_array(&run->arena, (size_t)sounds, sizeof *run->own_sounds);
    if (!run->sound_of_video || !run->own_sounds) return am_out_of_memory();
    for (int64_t i = 0; i < videos; i++) run->sound_of_video[i] = -1;
    for (am_json_iterator i = am_json_iterate(indices); am_json_next(&i); next++) {
        int64_t video = am_json_int(i.value, -1);
        if (am_json_kind_of(i.value) == AM_JSON_NULL) run->own_sounds[run->own_sound_count++] = next;
        else if (video >= 0 && video < videos) run->sound_of_video[video] = next;
        else return am_error(AM_INVALID_ARGUMENT, "audio_from_video_indices: expected numbers below %" PRId64, videos);
    }
    return NULL;
}

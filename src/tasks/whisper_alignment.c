#include "tasks/whisper_alignment.h"

#include "base/memory.h"
#include "tensor/shape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LAYERS = 64, HEADS = 62, FILTER_LIMIT = 99 };

static const double FRAME_S = 0.02; /* time_precision of generate */

/* Which heads of which layers are looked at. */
typedef struct head_choice {
    int64_t masks[LAYERS]; /* bit h: head h */
    int64_t count;
    am_argument arguments[LAYERS]; /* of the class: cross_attention_heads.<layer> */
    char names[LAYERS][32];
    int argument_count;
} head_choice;

static am_status read_heads(am_json heads, head_choice *out)
{
    for (am_json_iterator i = am_json_iterate(heads); am_json_next(&i);) {
        am_json_iterator pair = am_json_iterate(i.value);
        int64_t layer = am_json_next(&pair) ? am_json_int(pair.value, -1) : -1;
        int64_t head = am_json_next(&pair) ? am_json_int(pair.value, -1) : -1;
        if (layer < 0 || layer >= LAYERS || head < 0 || head >= HEADS)
            return am_error(AM_INVALID_FILE, "generation_config.json: alignment_heads: expected [[layer, head], ...]");
        out->masks[layer] |= INT64_C(1) << head;
    }
    for (int layer = 0; layer < LAYERS; layer++) {
        if (!out->masks[layer]) continue;
        int i = out->argument_count++;
        snprintf(out->names[i], sizeof out->names[i], "cross_attention_heads.%d", layer);
        out->arguments[i] = (am_argument){.name = out->names[i], .value = out->masks[layer]};
        for (int64_t mask = out->masks[layer]; mask; mask &= mask - 1) out->count++;
    }
    return out->count ? NULL : am_error(AM_INVALID_FILE, "generation_config.json: alignment_heads: none");
}

/* Weights of the generated tokens but the last over the frames of sound. */
typedef struct alignment {
    int64_t rows, frames;
    double *mean;       /* [rows, frames]: of the heads, normalized and smoothed */
    float *cost;        /* [rows + 1, frames + 1] */
    signed char *trace; /* the same shape: 0 both advance, 1 the token, 2 the frame */
} alignment;

/* Brings each frame of a head to mean 0 and variance 1 over the tokens. */
static void normalize(float *weights, const alignment *a)
{
    for (int64_t t = 0; t < a->frames; t++) {
        double sum = 0.0, squares = 0.0;
        for (int64_t i = 0; i < a->rows; i++) sum += (double)weights[i * a->frames + t];
        double mean = sum / (double)a->rows;
        for (int64_t i = 0; i < a->rows; i++) {
            double distance = (double)weights[i * a->frames + t] - mean;
            squares += distance * distance;
        }
        float deviation = (float)sqrt(squares / (double)a->rows);
        for (int64_t i = 0; i < a->rows; i++)
            weights[i * a->frames + t] = (weights[i * a->frames + t] - (float)mean) / deviation;
    }
}

/* The middle one of `width` numbers around place t, which are reflected at the ends; what is no number is greatest. */
static float median(const float *row, int64_t frames, int64_t t, int64_t width)
{
    float sorted[FILTER_LIMIT];
    int64_t count = 0;
    for (int64_t k = t - width / 2; k <= t + width / 2; k++, count++) {
        int64_t at = k < 0 ? -k : k >= frames ? 2 * (frames - 1) - k : k;
        float value = row[at];
        int64_t place = count;
        for (; place > 0 && (isnan(sorted[place - 1]) || sorted[place - 1] > value); place--) {
            if (isnan(value)) break;
            sorted[place] = sorted[place - 1];
        }
        sorted[place] = value;
    }
    return sorted[width / 2];
}

static void add_smoothed(alignment *a, const float *weights, int64_t width, int64_t heads)
{
    for (int64_t i = 0; i < a->rows; i++) {
        const float *row = weights + i * a->frames;
        for (int64_t t = 0; t < a->frames; t++) {
            float value = a->frames > width / 2 ? median(row, a->frames, t, width) : row[t];
            a->mean[i * a->frames + t] += (double)value / (double)heads;
        }
    }
}

/* _dynamic_time_warping of the negated weights. */
static void warp(alignment *a)
{
    int64_t stride = a->frames + 1;
    for (int64_t k = 0; k < (a->rows + 1) * stride; k++) a->cost[k] = INFINITY;
    a->cost[0] = 0.0f;
    for (int64_t j = 1; j <= a->frames; j++) {
        for (int64_t i = 1; i <= a->rows; i++) {
            float both = a->cost[(i - 1) * stride + j - 1], token = a->cost[(i - 1) * stride + j];
            float frame = a->cost[i * stride + j - 1], least = frame;
            signed char way = 2;
            if (both < token && both < frame) {
                least = both;
                way = 0;
            } else if (token < both && token < frame) {
                least = token;
                way = 1;
            }
            a->cost[i * stride + j] = (float)(-a->mean[(i - 1) * a->frames + j - 1] + (double)least);
            a->trace[i * stride + j] = way;
        }
    }
    for (int64_t j = 0; j <= a->frames; j++) a->trace[j] = 2;
    for (int64_t i = 0; i <= a->rows; i++) a->trace[i * stride] = 1;
}

/* The first frame of each token. out: [rows] */
static void trace_back(const alignment *a, float *out)
{
    int64_t i = a->rows, j = a->frames;
    while (i > 0 || j > 0) {
        if (i > 0) out[i - 1] = (float)((double)(j - 1) * FRAME_S);
        signed char way = a->trace[i * (a->frames + 1) + j];
        if (way != 2) i--;
        if (way != 1) j--;
    }
}

static am_status allocate(am_arena *arena, alignment *a, float **scratch)
{
    size_t places = (size_t)(a->rows * a->frames), more = (size_t)((a->rows + 1) * (a->frames + 1));
    a->mean = am_arena_array(arena, places, sizeof *a->mean);
    a->cost = am_arena_array(arena, more, sizeof *a->cost);
    a->trace = am_arena_array(arena, more, sizeof *a->trace);
    *scratch = am_arena_array(arena, places, sizeof **scratch);
    return a->mean && a->cost && a->trace && *scratch ? NULL : am_out_of_memory();
}

/* The heads of one layer: [1, heads, start + rows, S]. */
static am_status add_layer(am_pipeline *p, const char *argument, const am_whisper_said *said, int64_t width,
                           const head_choice *heads, alignment *a, float *scratch)
{
    char name[48];
    am_tensor weights;
    snprintf(name, sizeof name, "cross_attentions.%s", strchr(argument, '.') + 1);
    if (!am_session_find_output(p->session, name, &weights))
        return am_error(AM_UNSUPPORTED, "class %s gives no %s", p->model->architecture->name, name);
    int64_t tokens = weights.shape.dims[2], all = weights.shape.dims[3];
    for (int64_t h = 0; h < weights.shape.dims[1]; h++) {
        const float *from = (const float *)weights.data + (h * tokens + said->start) * all;
        for (int64_t i = 0; i < a->rows; i++)
            memcpy(scratch + i * a->frames, from + i * all, (size_t)a->frames * sizeof *scratch);
        normalize(scratch, a);
        add_smoothed(a, scratch, width, heads->count);
    }
    return NULL;
}

static am_status run_decoder(am_pipeline *p, const am_whisper_said *said, const head_choice *heads)
{
    int64_t length = said->start + said->count - 1;
    am_tensor ids = {AM_I32, am_shape_of(1, length), (void *)(uintptr_t)said->ids};
    am_session_input inputs[] = {{"input_features", said->features}, {"decoder_input_ids", ids}};
    am_run_options options = {.arguments = heads->arguments, .argument_count = heads->argument_count};
    am_status status = am_session_run(p->session, inputs, 2, &options);
    if (status && am_status_code(status) == AM_UNSUPPORTED)
        return am_note(status, "generation_config.json: alignment_heads");
    return status;
}

/* Frames of the encoder's output that are looked at. Behind the end of the sound sound_frames are negative, and count
   from the end of the segment, as a slice in Python does. */
static int64_t heard_frames(const am_whisper_said *said)
{
    int64_t all = said->features.shape.dims[2] / 2, n = said->sound_frames;
    int64_t half = n < 0 ? all - (1 - n) / 2 : n / 2;
    return half < 0 ? 0 : half > all ? all : half;
}

static am_status align(am_pipeline *p, const head_choice *heads, const am_whisper_said *said, am_arena *arena,
                       float *out)
{
    int64_t width = am_json_int(am_json_get(am_pipeline_config(p)->object, "median_filter_width"), 7);
    alignment a = {.rows = said->count - 1, .frames = heard_frames(said)};
    float *scratch;
    if (width < 1 || width > FILTER_LIMIT || width % 2 == 0)
        return am_error(AM_INVALID_FILE, "config.json: median_filter_width: expected an odd number up to %d",
                        FILTER_LIMIT);
    for (int64_t i = 0; i < said->count; i++) out[i] = 0.0f;
    if (a.rows < 1) return NULL;
    AM_TRY(run_decoder(p, said, heads));
    AM_TRY(allocate(arena, &a, &scratch));
    for (int i = 0; i < heads->argument_count; i++)
        AM_TRY(add_layer(p, heads->names[i], said, width, heads, &a, scratch));
    warp(&a);
    trace_back(&a, out);
    out[a.rows] = out[a.rows - 1];
    return NULL;
}

am_status am_whisper_token_times(am_pipeline *p, am_json heads, const am_whisper_said *said, float *out)
{
    head_choice choice = {0};
    am_arena arena = {0};
    AM_TRY(read_heads(heads, &choice));
    am_status status = align(p, &choice, said, &arena, out);
    am_arena_deinit(&arena);
    return status;
}

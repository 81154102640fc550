/* Music Flamingo: Audio Flamingo 3 whose frames are turned by when they were heard: of a sound that is cut into
   windows, one token after the other in a text, by which window it is and which frame of that. transformers:
   models/musicflamingo/modeling_musicflamingo.py */
#include "models/blocks/audio_flamingo.h"
#include "models/blocks/rotary.h"

#include <inttypes.h>
#include <math.h>

static const double PI = 3.14159265358979323846;

/* How many windows stand before each of W that begin in the same sound; their first tokens are numbers first[0] .. of
   those of sounds in the texts, of which neighbours are of one sound: I32 [W]. */
static am_value window_places(am_builder *b, const int32_t *first, int64_t W)
{
    const am_config *c = am_model_config(b);
    am_value ids = am_input(b, "input_ids", 2);
    am_value is = am_binary_number(b, AM_EQUAL, ids, (double)am_config_int(c, "audio_token_id", 151669));
    am_value next = am_pad_zero(b, am_slice(b, am_cast(b, is, AM_I32), 1, 1, AM_SLICE_END), 1, 0, 1);
    am_value ends = am_flatten(b, am_binary(b, AM_LOGICAL_AND, is, am_binary_number(b, AM_EQUAL, next, 0)), 0, 1);
    am_value read = am_scan(b, AM_REDUCE_SUM, am_cast(b, am_flatten(b, is, 0, 1), AM_I32), 0, false, false);
    am_value starts = am_constant_copy(b, AM_I32, am_shape_of(W, 1), first);
    am_value before = am_binary(b, AM_LOGICAL_AND, ends, am_binary(b, AM_LESS_EQUAL, read, starts)); /* [W, B * T] */
    am_value sound = am_reduce(b, AM_REDUCE_SUM, am_cast(b, before, AM_I32), am_shape_of(1), true);  /* [W, 1] */
    am_value earlier = am_binary(b, AM_LESS, am_reshape(b, sound, am_shape_of(1, W)), sound);
    am_value skipped = am_reduce(b, AM_REDUCE_SUM, am_cast(b, earlier, AM_I32), am_shape_of(1), false);
    return am_sub(b, am_iota(b, AM_I32, am_shape_of(W), 0, 0, 1), skipped);
}

/* What fn makes of the angles of T frames in windows 0 .. W - 1: F32 [W, T, 2 * pairs]. */
static am_value table(am_builder *b, const am_rope_config *rope, int64_t W, int64_t T, double (*fn)(double))
{
    int64_t R = 2 * rope->pairs;
    double step = 4 * am_config_real(am_model_config(b), "audio_frame_step", 0.01), places = rope->theta;
    float *rows = am_arena_array(am_builder_arena(b), (size_t)(W * T * R), sizeof *rows);
    if (!rows) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < W * T * R; i++) {
        int64_t w = i / R / T, t = i / R % T, k = i % R;
        double place = k < rope->pairs ? (double)w / places : (double)t / places * 2 * PI;
        double seconds = (double)(w * T + t) * step;
        rows[i] = (float)fn(place * rope->inverse_frequency[k % rope->pairs] * -seconds * 2 * PI);
    }
    return am_constant_copy(b, AM_F32, am_shape_of(W, T, R), rows);
}

/* x: [W, T, C]; as many places are known as theta says, whatever max_position_embeddings is. */
static am_value turned(am_builder *b, am_value x, const int64_t *lengths)
{
    const am_config *c = am_model_config(b);
    int64_t W = am_dim(b, x, 0), T = am_dim(b, x, 1), C = am_dim(b, x, 2);
    am_rope_config rope = am_rope_config_read(c, NULL, C, 1200, 0.2, 1200);
    int32_t *first = am_arena_array(am_builder_arena(b), (size_t)W, sizeof *first);
    if (!first) am_builder_fail(b, am_out_of_memory());
    if ((double)T > floor(rope.theta))
        am_config_fail(c, "rope_parameters", "rope_theta %g, expected one place for each of %" PRId64 " frames",
                       rope.theta, T);
    if (4 * rope.pairs > C || rope.pairs == 0)
        am_config_fail(c, "rope_parameters", "%" PRId64 " numbers of a frame's %" PRId64 " are turned", 4 * rope.pairs,
                       C);
    if (c->root->error || am_builder_failed(b)) return x;
    for (int64_t w = 1; w < W; w++) first[w] = first[w - 1] + (int32_t)(lengths[w - 1] < T ? lengths[w - 1] : T);
    am_value window = window_places(b, first, W);
    am_value cosines = am_gather(b, table(b, &rope, W, T, cos), window, 0, false),
             sines = am_gather(b, table(b, &rope, W, T, sin), window, 0, false);
    return am_squeeze(b, am_rope_op(b, am_unsqueeze(b, x, 2), cosines, sines, true), 2);
}

static am_audio_rows features(am_builder *b)
{
    int64_t *lengths;
    am_value x = am_audio_flamingo_states(b, &lengths);
    if (am_builder_failed(b)) return (am_audio_rows){0};
    return am_audio_flamingo_project(b, turned(b, x, lengths), lengths);
}

static const am_audio_language_family family = {
    .features = features, .audio_token = 151669, .text_type = "qwen2", .model_shows = true, .head_shows = true};

static const am_architecture architectures[] = {
    {"MusicFlamingoModel", am_audio_language_model, NULL, 0},
    {"MusicFlamingoForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {0},
};

const am_model_type am_model_musicflamingo = {.name = "musicflamingo",
                                              .base_prefix = "model",
                                              .architectures = architectures,
                                              .family = &family,
                                              .shaping_inputs = am_audio_flamingo_shaping_inputs};

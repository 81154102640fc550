/* pi0: a PaliGemma looks through cameras and reads a task; a second, smaller Gemma, whose layers see the first one's
   keys and values, makes of a robot's state and of noisy actions the velocity by which the noise becomes actions (flow
   matching). transformers: models/pi0/modeling_pi0.py */
#include "models/blocks/gemma.h"
#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>

static const double TURN = 6.28318530717958647693;

/* What files call the two. */
typedef struct names {
    const char *vlm, *expert;
} names;

static const names own_names = {"vlm", "dit"},
                   hub_names = {"paligemma_with_expert.paligemma.model", "paligemma_with_expert.gemma_expert.model"};

/* --- attention --- */

/* What the attention of a decoder has beside its options. */
typedef struct glance {
    am_rope rope;
    am_value mask;           /* BOOL [B, 1, T or 1, all], or AM_NONE */
    am_value *keys, *values; /* of the first decoder, [B, P, G, D] of each layer: kept, or seen before the own ones */
    bool sees;
} glance;

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const glance *g = o->context;
    am_attention_options options = *layer->attention;
    am_value qkv[3], *keys = &g->keys[layer->index], *values = &g->values[layer->index];
    options.causal = false;
    options.mask = g->mask;
    options.rope = &g->rope;
    am_attention_heads(b, x, &options, qkv);
    if (g->sees) {
        qkv[1] = am_concat2(b, *keys, qkv[1], 1);
        qkv[2] = am_concat2(b, *values, qkv[2], 1);
    } else {
        *keys = qkv[1];
        *values = qkv[2];
    }
    x = am_attend(b, qkv[0], qkv[1], qkv[2], &options);
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

static am_decoder_options read_decoder(const am_config *c)
{
    am_decoder_options o = am_decoder_options_read(c, &am_gemma_family);
    if (!am_config_is(c, "model_type", "gemma")) am_config_unsupported(c, "model_type", "expected \"gemma\"");
    o.both_ways = false; /* by the masks given here */
    o.own_rope = o.ignores_packing = true;
    o.attention = attention;
    return o;
}

/* --- what is seen and read --- */

/* The input attention_mask: I32 [B, T], or AM_NONE. */
static am_value read_mask(am_builder *b)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    return mask.id ? am_cast(b, am_binary_number(b, AM_NOT_EQUAL, mask, 0), AM_I32) : mask;
}

/* Rows of all cameras: [B, cameras, tokens, C]. */
static am_value camera_rows(am_builder *b, const am_config *vlm)
{
    am_config vision = am_config_child(vlm, "vision_config");
    am_value pixels = am_input(b, "pixel_values", 5);
    am_part_input input = {.name = "pixel_values", .value = am_flatten(b, pixels, 0, 1)};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "siglip_vision_model",
                    .config = &vision,
                    .inputs = &input,
                    .input_count = 1};
    int64_t B = am_dim(b, pixels, 0), N = am_dim(b, pixels, 1), C = am_config_size(vlm, "projection_dim", 2048);
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "vision_tower");
    am_part_outputs tower = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = am_linear(b, "multi_modal_projector.linear", am_part_output(&tower, "last_hidden_state"), C, AM_BIAS);
    return am_builder_failed(b) ? AM_NONE : am_reshape(b, x, am_shape_of(B, N, am_dim(b, x, 1), C));
}

/* Which row of the cameras', counted through the batch, each place of a text: BOOL [B, T] is: I32 [B, T]. The images of
   a text are those of its cameras that are there, the input pixel_attention_mask, in their order; beyond them the first
   camera's. */
static am_value camera_places(am_builder *b, am_value is_image, int64_t cameras, int64_t tokens)
{
    int64_t B = am_dim(b, is_image, 0), T = am_dim(b, is_image, 1);
    am_value there = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, am_input(b, "pixel_attention_mask", 2), 0), AM_I32);
    if (am_builder_failed(b)) return AM_NONE;
    if (am_dim(b, there, 0) != B || am_dim(b, there, 1) != cameras) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_attention_mask must be of %" PRId64 " x %" PRId64 " cameras", B, cameras));
        return AM_NONE;
    }
    am_value number = am_scan(b, AM_REDUCE_SUM, am_cast(b, is_image, AM_I32), 1, false, false);
    number = am_binary_number(b, AM_MAX, am_add_number(b, number, -1), 0); /* among the text's image tokens */
    am_value picture = am_binary_number(b, AM_DIV, number, (double)tokens),
             offset = am_sub(b, number, am_mul_number(b, picture, (double)tokens));
    am_value slot = am_add_number(b, am_scan(b, AM_REDUCE_SUM, there, 1, false, false), -1);
    am_value match =
        am_binary(b, AM_EQUAL, am_unsqueeze(b, picture, 2), am_unsqueeze(b, slot, 1)); /* [B, T, cameras] */
    match = am_mul(b, am_cast(b, match, AM_I32), am_unsqueeze(b, there, 1));
    am_value camera = am_mul(b, match, am_iota(b, AM_I32, am_shape_of(1, 1, cameras), 2, 0, 1));
    camera = am_reduce(b, AM_REDUCE_SUM, camera, am_shape_of(2), false);
    am_value first = am_iota(b, AM_I32, am_shape_of(B, T), 0, 0, (double)(cameras * tokens));
    return am_add(b, first, am_add(b, am_mul_number(b, camera, (double)tokens), offset));
}

/* What goes into the first decoder, below its scope: [B, P, C]. */
static am_value embed_prefix(am_builder *b, const am_config *vlm, const am_decoder_options *o, const char *text)
{
    if (am_has_input(b, "inputs_embeds")) {
        am_input_optional(b, "input_ids", 2);
        am_input_optional(b, "pixel_values", 5);
        am_input_optional(b, "pixel_attention_mask", 2);
        return am_input(b, "inputs_embeds", 3);
    }
    int64_t token = am_config_int(vlm, am_config_either(vlm, "image_token_id", "image_token_index"), 256000);
    am_value ids = am_input(b, "input_ids", 2), is_image = am_binary_number(b, AM_EQUAL, ids, (double)token);
    am_value rows = camera_rows(b, vlm);
    if (am_builder_failed(b)) return AM_NONE;
    if (am_dim(b, rows, 0) != am_dim(b, ids, 0)) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "pixel_values and input_ids are of different batches"));
        return AM_NONE;
    }
    if (am_dim(b, rows, 3) != o->hidden_size)
        am_config_fail(vlm, "projection_dim", "expected hidden_size of text_config, %" PRId64, o->hidden_size);
    am_value places = camera_places(b, is_image, am_dim(b, rows, 1), am_dim(b, rows, 2));
    am_value images = am_gather(b, am_flatten(b, rows, 0, 2), places, 0, false);
    am_scope(b, "%s", text);
    am_value words = am_embedding(b, "embed_tokens", am_select(b, is_image, am_scalar(b, AM_I32, 0), ids),
                                  o->vocab_size, o->hidden_size);
    am_end_scope(b);
    words = am_mul_number(b, am_cast(b, words, AM_F32), o->embedding_scale);
    return am_select(b, am_unsqueeze(b, is_image, 2), images, words);
}

/* Runs the first decoder: keys and values of its layers into g; gives how many tokens it read. */
static int64_t read_prefix(am_builder *b, const am_config *c, const names *n, am_value mask, int layers, glance *g)
{
    am_config vlm = am_config_child(c, "vlm_config"), text = am_config_child(&vlm, "text_config");
    am_decoder_options o = read_decoder(&text);
    if (o.num_hidden_layers < layers)
        am_config_fail(&text, "num_hidden_layers", "expected as many as dit_config has, %d", layers);
    o.num_hidden_layers = layers;
    o.hides_states = true;
    o.context = g;
    am_scope(b, "%s", n->vlm);
    const char *scope =
        am_has_weight(b, "language_model.model.norm.weight") ? "language_model.model" : "language_model";
    o.embedded = embed_prefix(b, &vlm, &o, scope);
    int64_t P = am_dim(b, o.embedded, 1);
    am_value places = am_input_optional(b, "position_ids", 2);
    if (!places.id && mask.id) places = am_add_number(b, am_scan(b, AM_REDUCE_SUM, mask, 1, false, false), -1);
    if (!places.id) places = am_iota(b, AM_I32, am_shape_of(1, P), 1, 1, 1); /* PaliGemma counts from 1 */
    g->rope = am_rope_tables_at(b, &o.rope, places);
    g->mask = am_padding_mask_of(b, mask);
    am_decoder_body(b, &o, scope);
    am_end_scope(b);
    return P;
}

/* --- what is done --- */

/* What the S tokens of the second decoder see of P and themselves: the state, the first of them, itself alone, actions
   all: BOOL [1 or B, 1, S, P + S]. */
static am_value suffix_mask(am_builder *b, am_value mask, int64_t P, int64_t S)
{
    am_value from = am_iota(b, AM_I32, am_shape_of(S, 1), 0, 0, 1),
             to = am_iota(b, AM_I32, am_shape_of(1, P + S), 1, 0, 1);
    am_value seen = am_binary(b, AM_LOGICAL_OR, am_binary_number(b, AM_GREATER, from, 0),
                              am_binary_number(b, AM_LESS, to, (double)P + 1));
    seen = am_reshape(b, seen, am_shape_of(1, 1, S, P + S));
    if (!mask.id) return seen;
    am_value ones = am_broadcast(b, am_scalar(b, AM_I32, 1), am_shape_of(am_dim(b, mask, 0), S));
    return am_binary(b, AM_LOGICAL_AND, seen, am_padding_mask_of(b, am_concat2(b, mask, ones, 1)));
}

/* Final hidden states of actions: [B, S, C], the first of which is the robot's state. */
static am_value act(am_builder *b, am_value actions, const names *n)
{
    const am_config *c = am_model_config(b);
    am_config dit = am_config_child(c, "dit_config"), vlm = am_config_child(c, "vlm_config"),
              text = am_config_child(&vlm, "text_config");
    am_decoder_options o = read_decoder(&dit), prefix = read_decoder(&text);
    int layers = (int)o.num_hidden_layers;
    am_value *kept = am_arena_array(am_builder_arena(b), 2 * (size_t)layers + 1, sizeof *kept), mask = read_mask(b);
    if (!kept) am_builder_fail(b, am_out_of_memory());
    if (o.head_dim != prefix.head_dim || o.num_key_value_heads != prefix.num_key_value_heads)
        am_config_fail(&dit, "head_dim", "keys and values must be of the sizes of vlm_config's");
    if (am_builder_failed(b)) return AM_NONE;
    glance g = {.keys = kept, .values = kept + layers};
    int64_t P = read_prefix(b, c, n, mask, layers, &g), S = am_dim(b, actions, 1);
    if (am_builder_failed(b)) return AM_NONE;
    am_value first = am_scalar(b, AM_I32, (double)P);
    if (mask.id) first = am_reduce(b, AM_REDUCE_SUM, mask, am_shape_of(1), true); /* [B, 1] */
    g.rope = am_rope_tables_at(b, &o.rope, am_add(b, am_iota(b, AM_I32, am_shape_of(1, S), 1, 0, 1), first));
    g.mask = suffix_mask(b, mask, P, S);
    g.sees = true;
    o.context = &g;
    o.embedded = actions;
    return am_decoder_body(b, &o, n->expert);
}

static void pi0_model(am_builder *b)
{
    am_output(b, "last_hidden_state", act(b, am_input(b, "action_embeds", 3), &own_names));
}

/* Sines and cosines of time: [B] -> [B, C]; in float as transformers has the frequencies. */
static am_value time_waves(am_builder *b, const am_config *c, am_value time, int64_t C)
{
    double least = am_config_real(c, "min_period", 4e-3), most = am_config_real(c, "max_period", 4);
    int64_t n = C / 2;
    float *waves = am_arena_array(am_builder_arena(b), (size_t)n, sizeof *waves), step = 1 / (float)(n > 1 ? n - 1 : 1);
    if (!waves) am_builder_fail(b, am_out_of_memory());
    if (!(least > 0) || !(most > 0)) am_config_fail(c, "min_period", "periods must be above 0");
    if (am_builder_failed(b)) return AM_NONE;
    for (int64_t i = 0; i < n; i++) {
        float part = i < n / 2 ? step * (float)i : 1 - step * (float)(n - 1 - i);
        float period = (float)least * (float)pow((double)(float)(most / least), (double)part);
        waves[i] = 1 / period * 2 * (float)(TURN / 2);
    }
    am_value angle = am_mul(b, am_unsqueeze(b, time, 1), am_constant_copy(b, AM_F32, am_shape_of(1, n), waves));
    return am_concat2(b, am_unary(b, AM_SIN, angle), am_unary(b, AM_COS, angle), 1);
}

/* The state and noisy actions at a time: [B, 1 + S, C]. */
static am_value embed_actions(am_builder *b, const am_config *c, int64_t C)
{
    am_value state = am_input(b, "state", 2), noisy = am_input(b, "noise", 3), time = am_input(b, "timestep", 1),
             actions = am_input_optional(b, "actions", 3);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t B = am_dim(b, noisy, 0), S = am_dim(b, noisy, 1);
    if (actions.id) { /* what is learned from: between noise and actions */
        am_value at = am_reshape(b, time, am_shape_of(B, 1, 1));
        noisy = am_add(b, am_mul(b, at, noisy), am_mul(b, am_sub(b, am_scalar(b, AM_F32, 1), at), actions));
    }
    am_value x = am_linear(b, "action_in_proj", noisy, C, AM_BIAS), waves = time_waves(b, c, time, C);
    if (am_builder_failed(b)) return AM_NONE;
    x = am_concat2(b, x, am_broadcast(b, am_unsqueeze(b, waves, 1), am_shape_of(B, S, C)), 2);
    x = am_linear(b, "action_time_mlp_out", am_linear_activation(b, "action_time_mlp_in", x, C, AM_BIAS, AM_SILU), C,
                  AM_BIAS);
    return am_concat2(b, am_unsqueeze(b, am_linear(b, "state_proj", state, C, AM_BIAS), 1), x, 1);
}

static void for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config dit = am_config_child(c, "dit_config");
    int64_t C = am_config_size(&dit, "hidden_size", 1024), chunk = am_config_size(c, "chunk_size", 50);
    if (C % 2) am_config_fail(&dit, "hidden_size", "expected an even number, found %" PRId64, C);
    am_value x = act(b, embed_actions(b, c, C), &hub_names);
    int64_t T = am_dim(b, x, 1);
    x = am_slice(b, x, 1, T > chunk ? T - chunk : 0, AM_SLICE_END);
    am_output(b, "logits", am_linear(b, "action_out_proj", x, am_config_size(c, "max_action_dim", 32), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"PI0Model", pi0_model, NULL, 0},
    {"PI0ForConditionalGeneration", for_conditional_generation, NULL, 0},
    {0},
};

const am_model_type am_model_pi0 = {.name = "pi0", .architectures = architectures};

/* BridgeTower: RoBERTa's layers over a text and CLIP's over an image, whose upper layers each hand what they give to a
   layer of two further towers, in which text and image attend to each other. transformers:
   models/bridgetower/modeling_bridgetower.py */
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/packed_attention.h"
#include "models/blocks/vision.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { VISION_HEAD = 64 }; /* numbers of a head of the image's tower */

typedef struct bridgetower {
    am_config whole, picture;
    am_bert_options text;
    am_image_options image;
    int64_t hidden, image_hidden, image_layers, layers; /* layers: where towers cross */
    double eps, image_eps;
    bool shares; /* one projection into the crossing towers for all layers */
} bridgetower;

/* What the towers are at: [B, T, C] and [B, N, C]. */
typedef struct towers {
    am_value text, image; /* of one kind alone */
    am_value crossed[2];  /* text and image of those that cross */
    am_value mask;        /* of the text: [B, 1, 1, T], or AM_NONE */
    am_value kinds[2];    /* [1, 1, C] */
    int states;           /* hidden states of the towers of one kind that were given */
} towers;

static void check(const bridgetower *t)
{
    const am_config *c = &t->whole;
    int64_t below = t->text.num_hidden_layers - t->layers + 1;
    if (t->layers < 1 || below < 0)
        am_config_fail(c, "num_hidden_layers", "expected 1 to one more than the text's %" PRId64,
                       t->text.num_hidden_layers);
    if (t->layers > 1 && t->image_layers < t->text.num_hidden_layers)
        am_config_fail(&t->picture, "num_hidden_layers", "expected as many as the text has, %" PRId64,
                       t->text.num_hidden_layers);
    if (t->text.hidden_size != t->hidden)
        am_config_fail(c, "hidden_size", "expected the text's, %" PRId64, t->text.hidden_size);
    if (t->image_hidden < VISION_HEAD || t->image_hidden % (t->image_hidden / VISION_HEAD))
        am_config_fail(&t->picture, "hidden_size", "%" PRId64 " does not divide into heads of about %d",
                       t->image_hidden, VISION_HEAD);
    if (t->layers > 1 && am_config_flag(c, "share_link_tower_layers", false))
        am_config_unsupported(c, "share_link_tower_layers", "transformers has no way to compute with shared bridges");
    if (am_config_flag(c, "init_layernorm_from_vision_encoder", false) &&
        !am_config_flag(&t->picture, "share_layernorm", true))
        am_config_unsupported(c, "init_layernorm_from_vision_encoder", "transformers makes no such model");
}

static bridgetower read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    bridgetower t = {.whole = *c, .picture = am_config_child(c, "vision_config")};
    t.text = am_bert_decoder_options_read(&text);
    t.text.vocab_size = am_config_size(&text, "vocab_size", 50265);
    t.text.max_position_embeddings = am_config_size(&text, "max_position_embeddings", 514);
    t.text.type_vocab_size = am_config_size(&text, "type_vocab_size", 1);
    t.text.layer_norm_eps = am_config_real(&text, "layer_norm_eps", 1e-5);
    t.text.positions_after_pad = am_pad_token(&text, 1);
    t.text.is_decoder = t.text.add_cross_attention = false; /* the layers are called without states to attend to */
    t.image = am_image_options_read(&t.picture, 288, 16);
    t.hidden = am_config_size(c, "hidden_size", 768);
    t.image_hidden = am_config_size(&t.picture, "hidden_size", 768);
    t.image_layers = am_config_count(&t.picture, "num_hidden_layers", 12);
    if (am_config_flag(&t.picture, "remove_last_layer", false)) t.image_layers--;
    t.layers = am_config_count(c, "num_hidden_layers", 6);
    t.eps = am_config_real(c, "layer_norm_eps", 1e-5);
    t.image_eps = am_config_real(&t.picture, "layer_norm_eps", 1e-5);
    t.shares = am_config_flag(c, "share_cross_modal_transformer_layers", true);
    check(&t);
    return t;
}

/* --- towers of one kind --- */

/* Hidden states are always among the outputs: hidden_states.GROUP.i. */
static void give_state(am_builder *b, int group, int i, am_value x)
{
    char name[64];
    snprintf(name, sizeof name, "hidden_states.%d.%d", group, i);
    am_output(b, name, x);
}

static void give_states(am_builder *b, towers *w)
{
    give_state(b, 0, w->states, w->text);
    give_state(b, 1, w->states++, am_transpose(b, w->image, 0, 1));
}

static am_value text_layer(am_builder *b, const bridgetower *t, const towers *w, int i)
{
    am_attention_options attention = {.heads = t->text.num_attention_heads,
                                      .q = "self.query",
                                      .k = "self.key",
                                      .v = "self.value",
                                      .out = "",
                                      .mask = w->mask};
    am_scope(b, "text_model.encoder.layer.%d", i);
    am_scope(b, "attention");
    am_value attended = am_self_attention(b, w->text, &attention);
    am_end_scope(b);
    am_value x = am_bert_layer_end(b, w->text, attended, &t->text);
    am_end_scope(b);
    return x;
}

static am_value image_layer(am_builder *b, const bridgetower *t, am_value x, int i)
{
    am_scope(b, "vision_model.visual.transformer.resblocks.%d", i);
    am_value h = am_layer_norm(b, "ln_1", x, t->image_eps);
    x = am_add(b, x, am_packed_attend(b, "attn", h, h, h, t->image_hidden / VISION_HEAD, AM_NONE));
    h = am_layer_norm(b, "ln_2", x, t->image_eps);
    h = am_linear_activation(b, "mlp.c_fc", h, 4 * t->image_hidden, AM_BIAS, AM_QUICK_GELU);
    x = am_add(b, x, am_linear(b, "mlp.c_proj", h, t->image_hidden, AM_BIAS));
    am_end_scope(b);
    return x;
}

static am_value embed_text(am_builder *b, const bridgetower *t)
{
    am_scope(b, "text_model.embeddings");
    am_value ids = am_input(b, "input_ids", 2);
    int64_t C = t->text.hidden_size;
    if (am_builder_failed(b)) return AM_NONE;
    am_value kinds = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, 0, 0);
    am_value places = am_positions_after_pad(b, ids, t->text.positions_after_pad);
    am_value x = am_add(b, am_embedding(b, "word_embeddings", ids, t->text.vocab_size, C),
                        am_embedding(b, "token_type_embeddings", kinds, t->text.type_vocab_size, C));
    x = am_add(b, x, am_embedding(b, "position_embeddings", places, t->text.max_position_embeddings, C));
    x = am_layer_norm(b, "LayerNorm", x, t->text.layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* Positions of a class token and patches [rows, columns]: [1, 1 + N, C]. */
static am_value image_positions(am_builder *b, const bridgetower *t, am_value x, const int64_t patches[2])
{
    int64_t side = t->image.image_size[0] / t->image.patch_size[0], from[] = {side, side};
    am_value all = am_parameter(b, "position_embedding.weight", am_shape_of(1 + side * side, t->image_hidden), x);
    all = am_unsqueeze(b, all, 0);
    if (patches[0] == side && patches[1] == side) return all;
    am_value grid = am_resize_patches(b, am_slice(b, all, 1, 1, AM_SLICE_END), from, patches, false);
    return am_concat2(b, am_slice(b, all, 1, 0, 1), grid, 1);
}

/* Class token and patches: [B, 1 + N, C]; the input image_embeds is them already. */
static am_value embed_image(am_builder *b, const bridgetower *t)
{
    if (am_has_input(b, "image_embeds")) return am_input(b, "image_embeds", 3);
    bool resizes = am_model_argument(b, "interpolate_pos_encoding", 0) != 0;
    const int64_t *patch = t->image.patch_size;
    am_value pixels = resizes ? am_pixel_values(b, t->image.num_channels) : am_pixel_values_sized(b, &t->image);
    if (t->image.image_size[0] != t->image.image_size[1] || patch[0] != patch[1])
        am_config_unsupported(&t->picture, "image_size", "images that are not square");
    am_scope(b, "vision_model.visual");
    am_scope(b, "embeddings");
    am_value x = am_patch_convolution(b, "patch_embedding", pixels, t->image_hidden, patch, AM_NO_BIAS);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t patches[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    x = am_prepend_token(b, "class_embedding", am_shape_of(t->image_hidden), am_image_tokens(b, x));
    x = am_add(b, x, image_positions(b, t, x, patches));
    am_end_scope(b);
    x = am_layer_norm(b, "ln_pre", x, t->image_eps);
    am_end_scope(b);
    return x;
}

/* --- towers that cross --- */

/* x: [B, T, C] as the crossing tower of its kind, "text" or "image", takes it, of layer i: with its kind added. */
static am_value project(am_builder *b, const bridgetower *t, const towers *w, int kind, int i)
{
    char name[64];
    const char *of = kind ? "image" : "text";
    am_value x = kind ? am_layer_norm(b, "vision_model.visual.ln_post", w->image, t->image_eps) : w->text;
    if (t->shares) snprintf(name, sizeof name, "cross_modal_%s_transform", of);
    else snprintf(name, sizeof name, "cross_modal_%s_transform.%d", of, i);
    return am_add(b, am_linear(b, name, x, t->hidden, AM_BIAS), w->kinds[kind]);
}

/* The bridge: x and what the crossing tower has, joined and normed. */
static am_value link(am_builder *b, const bridgetower *t, am_value x, am_value crossed, int kind, int i)
{
    const am_config *c = &t->whole;
    am_scope(b, "cross_modal_%s_link_tower.%d", kind ? "image" : "text", i);
    if (am_config_is(c, "link_tower_type", "scaled_add")) {
        x = am_mul(b, x, am_parameter(b, "scaled_factor", (am_shape){0}, x));
    } else if (am_config_is(c, "link_tower_type", "interpolate")) {
        am_value beta = am_parameter(b, "beta", (am_shape){0}, x);
        x = am_mul(b, x, am_add_number(b, am_unary(b, AM_NEG, beta), 1));
        crossed = am_mul(b, crossed, beta);
    } else if (am_config_has(c, "link_tower_type") && !am_config_is(c, "link_tower_type", "add")) {
        am_config_fail(c, "link_tower_type", "expected \"add\", \"scaled_add\" or \"interpolate\"");
    }
    x = am_layer_norm(b, "LayerNorm", am_add(b, x, crossed), t->eps);
    am_end_scope(b);
    return x;
}

static am_value heads(am_builder *b, const bridgetower *t, const char *name, am_value x)
{
    x = am_linear(b, name, x, t->text.hidden_size, AM_BIAS);
    return am_permute(b, am_split_heads(b, x, t->text.num_attention_heads), am_shape_of(0, 2, 1, 3));
}

/* Attention of x: [B, T, C] to y: [B, S, C], residual and norm below the scope NAME. *weights becomes what y is weighed
   by: [B, H, T, S]. */
static am_value attend(am_builder *b, const bridgetower *t, const char *name, am_value x, am_value y, am_value mask,
                       am_value *weights)
{
    double size = (double)t->text.hidden_size / (double)t->text.num_attention_heads;
    am_scope(b, "%s", name);
    am_value q = heads(b, t, "self.query", x), k = heads(b, t, "self.key", y), v = heads(b, t, "self.value", y);
    am_value scores = am_mul_number(b, am_matmul(b, q, k, false, true), 1 / sqrt(size));
    if (mask.id) scores = am_select(b, mask, scores, am_scalar(b, AM_F32, -FLT_MAX));
    *weights = am_softmax(b, scores, -1);
    am_value seen = am_permute(b, am_matmul(b, *weights, v, false, false), am_shape_of(0, 2, 1, 3));
    x = am_add(b, am_linear(b, "output.dense", am_merge_heads(b, seen), t->text.hidden_size, AM_BIAS), x);
    x = am_layer_norm(b, "output.LayerNorm", x, t->text.layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* Layer i of both crossing towers; of: what they take. */
static void cross(am_builder *b, const bridgetower *t, towers *w, const am_value of[2], int i)
{
    for (int kind = 0; kind < 2 && !am_builder_failed(b); kind++) {
        char name[64];
        am_value weights, unread;
        am_scope(b, "cross_modal_%s_layers.%d", kind ? "image" : "text", i);
        am_value x = attend(b, t, "attention", of[kind], of[kind], kind ? AM_NONE : w->mask, &weights);
        x = attend(b, t, "crossattention", x, of[!kind], kind ? w->mask : AM_NONE, &unread);
        w->crossed[kind] = am_bert_feed_forward(b, x, &t->text);
        am_end_scope(b);
        snprintf(name, sizeof name, "hidden_states.2.%d.%d", i, kind);
        am_output(b, name, w->crossed[kind]);
        snprintf(name, sizeof name, "attentions.%d.%d", i, kind);
        am_output(b, name, weights);
    }
}

static am_value kind_embedding(am_builder *b, const bridgetower *t, int64_t kind)
{
    am_value row = am_iota(b, AM_I32, am_shape_of(1, 1), 1, (double)kind, 0);
    return am_embedding(b, "token_type_embeddings", row, 2, t->hidden);
}

static void begin(am_builder *b, const bridgetower *t, towers *w)
{
    int64_t kind = am_model_argument(b, "image_token_type_idx", 0);
    am_input_optional(b, "token_type_ids", 2); /* are taken and have no effect */
    am_input_optional(b, "pixel_mask", 3);
    if (kind < 0 || kind > 1)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "image_token_type_idx: expected 0 or 1"));
    w->text = embed_text(b, t);
    w->image = embed_image(b, t);
    w->mask = am_padding_mask(b, "attention_mask");
    w->kinds[0] = kind_embedding(b, t, 0);
    w->kinds[1] = kind_embedding(b, t, 1);
}

/* The whole below the scope; gives the states of the crossing towers. */
static towers run(am_builder *b, const bridgetower *t)
{
    towers w = {0};
    begin(b, t, &w);
    if (am_builder_failed(b)) return w;
    int below = (int)(t->text.num_hidden_layers - t->layers + 1);
    give_state(b, 0, 0, w.text);
    give_state(b, 1, 0, am_transpose(b, w.image, 0, 1));
    for (int i = 0; i < below && !am_builder_failed(b); i++) give_state(b, 0, i + 1, w.text = text_layer(b, t, &w, i));
    for (int i = 0; i < below && i < t->image_layers && !am_builder_failed(b); i++)
        give_state(b, 1, i + 1, am_transpose(b, w.image = image_layer(b, t, w.image, i), 0, 1));
    am_value first[] = {am_layer_norm(b, "cross_modal_text_layernorm", project(b, t, &w, 0, 0), t->eps),
                        am_layer_norm(b, "cross_modal_image_layernorm", project(b, t, &w, 1, 0), t->eps)};
    cross(b, t, &w, first, 0);
    w.states = below + 1;
    for (int i = 0; i + 1 < t->layers && !am_builder_failed(b); i++) {
        w.text = text_layer(b, t, &w, below + i);
        w.image = image_layer(b, t, w.image, below + i);
        am_value next[] = {link(b, t, project(b, t, &w, 0, i + 1), w.crossed[0], 0, i),
                           link(b, t, project(b, t, &w, 1, i + 1), w.crossed[1], 1, i)};
        cross(b, t, &w, next, i + 1);
        give_states(b, &w);
    }
    return w;
}

/* tanh of NAME.dense of the first token: [B, C]. */
static am_value pool(am_builder *b, const bridgetower *t, const char *name, am_value x)
{
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "dense", am_index(b, x, 1, 0), t->hidden, AM_BIAS, AM_TANH);
    am_end_scope(b);
    return x;
}

static am_value pool_both(am_builder *b, const bridgetower *t, const towers *w)
{
    am_value text = pool(b, t, "cross_modal_text_pooler", w->crossed[0]);
    return am_concat2(b, text, pool(b, t, "cross_modal_image_pooler", w->crossed[1]), 1);
}

/* --- classes --- */

static void model(am_builder *b)
{
    bridgetower t = read_config(b);
    if (am_builder_failed(b)) return;
    towers w = run(b, &t);
    if (am_builder_failed(b)) return;
    am_output(b, "text_features", w.crossed[0]);
    am_output(b, "image_features", w.crossed[1]);
    am_output(b, "pooler_output", pool_both(b, &t, &w));
}

static void for_masked_lm(am_builder *b)
{
    static const char table[] = "bridgetower.text_model.embeddings.word_embeddings.weight";
    bridgetower t = read_config(b);
    if (am_builder_failed(b)) return;
    am_scope(b, "bridgetower");
    am_value x = run(b, &t).crossed[0];
    am_end_scope(b);
    am_unary_fn act = am_config_activation(&t.whole, "hidden_act", AM_GELU);
    am_scope(b, "mlm_score");
    x = am_linear_activation(b, "transform.dense", x, t.hidden, AM_BIAS, act);
    x = am_layer_norm(b, "transform.LayerNorm", x, t.eps);
    x = am_masked_lm_decoder(b, x, t.text.vocab_size, am_config_flag(&t.whole, "tie_word_embeddings", false), table);
    am_end_scope(b);
    am_output(b, "logits", x);
}

static void for_retrieval(am_builder *b)
{
    bridgetower t = read_config(b);
    if (am_builder_failed(b)) return;
    am_scope(b, "bridgetower");
    towers w = run(b, &t);
    am_value x = am_builder_failed(b) ? AM_NONE : pool_both(b, &t, &w);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "itm_score.fc", x, 2, AM_BIAS));
}

static void for_contrastive_learning(am_builder *b)
{
    static const char *const heads[] = {"itc_text_head.fc", "itc_image_head.fc", "itc_cross_modal_head.fc"},
                             *const names[] = {"text_embeds", "image_embeds", "cross_embeds"};
    bridgetower t = read_config(b);
    if (!t.shares)
        am_config_unsupported(&t.whole, "share_cross_modal_transformer_layers", "expected true for this class");
    int64_t size = am_config_size(&t.whole, "contrastive_hidden_size", 512);
    if (t.image_hidden != t.hidden)
        am_config_unsupported(&t.picture, "hidden_size", "expected that of the whole for this class, %" PRId64,
                              t.hidden);
    am_value embeds[3];
    if (am_builder_failed(b)) return;
    am_scope(b, "bridgetower");
    towers w = run(b, &t);
    if (am_builder_failed(b)) return;
    embeds[0] = am_index(b, w.text, 1, 0);
    w.kinds[1] = kind_embedding(b, &t, 1);
    embeds[1] = am_index(b, project(b, &t, &w, 1, 0), 1, 0);
    embeds[2] = pool_both(b, &t, &w);
    am_end_scope(b);
    for (int i = 0; i < 3; i++) {
        embeds[i] = am_unit_length(b, am_linear(b, heads[i], embeds[i], size, AM_BIAS), 1e-12);
        am_output(b, names[i], embeds[i]);
        embeds[i] = am_unsqueeze(b, embeds[i], 1);
    }
    am_output(b, "logits", am_concat(b, embeds, 3, 1));
}

static const am_architecture architectures[] = {
    {"BridgeTowerModel", model, NULL, 0},
    {"BridgeTowerForMaskedLM", for_masked_lm, NULL, 0},
    {"BridgeTowerForImageAndTextRetrieval", for_retrieval, NULL, 0},
    {"BridgeTowerForContrastiveLearning", for_contrastive_learning, NULL, 0},
    {0},
};

const am_model_type am_model_bridgetower = {
    .name = "bridgetower", .base_prefix = "bridgetower", .architectures = architectures};

/* CANINE (arXiv 2103.06874): characters, embedded by hashes of their code points, read by a layer of local attention;
   a deep encoder of molecules, each of a few characters convolved; and a last layer of characters that know their
   molecule. transformers: models/canine/modeling_canine.py */
#include "models/blocks/text_classes.h"

#include <stdio.h>

enum { HASHES_LIMIT = 16 };
static const int64_t PRIMES[HASHES_LIMIT] = {31, 43, 59, 61, 73, 97, 103, 113, 137, 149, 157, 173, 181, 193, 211, 223};

typedef struct canine_config {
    am_bert_options body;
    int64_t downsampling_rate, upsampling_kernel_size, num_hash_functions, num_hash_buckets, local_transformer_stride;
} canine_config;

static canine_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    canine_config k = {.body = am_bert_fields_read(c),
                       .downsampling_rate = am_config_size(c, "downsampling_rate", 4),
                       .upsampling_kernel_size = am_config_size(c, "upsampling_kernel_size", 4),
                       .num_hash_functions = am_config_size(c, "num_hash_functions", 8),
                       .num_hash_buckets = am_config_size(c, "num_hash_buckets", 16384),
                       .local_transformer_stride = am_config_size(c, "local_transformer_stride", 128)};
    k.body.max_position_embeddings = am_config_size(c, "max_position_embeddings", 16384);
    k.body.type_vocab_size = am_config_size(c, "type_vocab_size", 16);
    am_config_check_divides(c, "num_hash_functions", k.num_hash_functions, "hidden_size", k.body.hidden_size);
    if (k.num_hash_functions > HASHES_LIMIT)
        am_config_fail(c, "num_hash_functions", "expected %d at most, found %lld", HASHES_LIMIT,
                       (long long)k.num_hash_functions);
    return k;
}

/* ((ids + 1) * prime) % buckets, and small all along. */
static am_value bucket(am_builder *b, am_value ids, int64_t prime, int64_t buckets)
{
    am_value x = am_binary_number(b, AM_MOD, am_add_number(b, ids, 1), (double)buckets);
    return am_binary_number(b, AM_MOD, am_mul_number(b, x, (double)prime), (double)buckets);
}

/* A part of the vector for each hash: ids: [B, T] -> [B, T, C]. */
static am_value hashed_embeddings(am_builder *b, const canine_config *c, am_value ids)
{
    am_value parts[HASHES_LIMIT];
    for (int i = 0; i < c->num_hash_functions && i < HASHES_LIMIT; i++) {
        char name[64];
        snprintf(name, sizeof name, "HashBucketCodepointEmbedder_%d", i);
        parts[i] = am_embedding(b, name, bucket(b, ids, PRIMES[i], c->num_hash_buckets), c->num_hash_buckets,
                                c->body.hidden_size / c->num_hash_functions);
    }
    return am_concat(b, parts, (int)c->num_hash_functions, 2);
}

static am_value characters(am_builder *b, const canine_config *c)
{
    if (am_has_input(b, "inputs_embeds")) return am_input_embeddings(b, "", 0, c->body.hidden_size);
    am_value ids = am_flat_input(b, "input_ids");
    return hashed_embeddings(b, c, ids.id ? ids : am_input(b, "input_ids", 2));
}

/* There are positions up to max_position_embeddings; their table has a row a bucket. */
static am_value embeddings(am_builder *b, const canine_config *c)
{
    am_scope(b, "char_embeddings");
    am_value x = characters(b, c);
    int64_t C = c->body.hidden_size, T = am_dim(b, x, 1);
    if (T > c->body.max_position_embeddings && !am_has_input(b, "position_ids"))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "text of %lld characters, expected %lld at most", (long long)T,
                                    (long long)c->body.max_position_embeddings));
    x = am_add(b, x, am_embedding(b, "token_type_embeddings", am_token_types(b, T), c->body.type_vocab_size, C));
    am_value places = am_bert_positions(b, &c->body, T);
    x = am_add(b, x, am_embedding(b, "char_position_embeddings", places, c->num_hash_buckets, C));
    x = am_layer_norm(b, "LayerNorm", x, c->body.layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* qkv: [B, T, H, D], mask: [B, 1, 1, T] or AM_NONE -> [B, T, C] */
static am_value attend(am_builder *b, const am_value qkv[3], am_value mask)
{
    am_attention_inputs inputs = {.q = qkv[0], .k = qkv[1], .v = qkv[2], .mask = mask};
    return am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){0}));
}

/* The same of the characters from `start` to `stop`, in chunks of `width` that do not see one another. */
static am_value attend_chunks(am_builder *b, const am_value qkv[3], am_value mask, int64_t start, int64_t stop,
                              int64_t width)
{
    am_value parts[3];
    int64_t B = am_dim(b, qkv[0], 0), H = am_dim(b, qkv[0], 2), D = am_dim(b, qkv[0], 3);
    for (int i = 0; i < 3; i++)
        parts[i] = am_reshape(b, am_slice(b, qkv[i], 1, start, stop), am_shape_of(-1, width, H, D));
    if (mask.id) {
        mask = am_broadcast(b, am_slice(b, mask, 3, start, stop), am_shape_of(B, 1, 1, stop - start));
        mask = am_reshape(b, mask, am_shape_of(-1, 1, 1, width));
    }
    return am_reshape(b, attend(b, parts, mask), am_shape_of(B, stop - start, H * D));
}

/* Chunks of `width` characters, the last one shorter, each on its own. */
static am_value attend_locally(am_builder *b, const am_value qkv[3], am_value mask, int64_t width)
{
    int64_t T = am_dim(b, qkv[0], 1), whole = T - T % width;
    if (whole == 0) return attend(b, qkv, mask);
    am_value x = attend_chunks(b, qkv, mask, 0, whole, width);
    return whole == T ? x : am_concat2(b, x, attend_chunks(b, qkv, mask, whole, T, T - whole), 1);
}

/* The layers NAME.layer.0 ..; names hidden states from *state on. local: width of chunks, 0: none. */
static am_value encode(am_builder *b, const char *name, am_value x, const canine_config *c, int64_t layers,
                       am_value mask, int64_t local, int *state)
{
    am_attention_options projections = {.heads = c->body.num_attention_heads,
                                        .q = "attention.self.query",
                                        .k = "attention.self.key",
                                        .v = "attention.self.value"};
    am_output_hidden_state(b, "hidden_states", (*state)++, x);
    for (int i = 0; i < layers && !am_builder_failed(b); i++) {
        am_value qkv[3];
        am_scope(b, "%s.layer.%d", name, i);
        am_attention_heads(b, x, &projections, qkv);
        am_value attended = local ? attend_locally(b, qkv, mask, local) : attend(b, qkv, mask);
        x = am_bert_layer_end(b, x, attended, &c->body);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", (*state)++, x);
    }
    return x;
}

/* The first character, and a molecule for each `downsampling_rate` characters but the last ones:
   x: [B, T, C] -> [B, T / rate, C]. */
static am_value molecules(am_builder *b, am_value x, const canine_config *c)
{
    int64_t rate = c->downsampling_rate;
    am_scope(b, "chars_to_molecules");
    am_value y = am_conv(b, "conv", am_transpose(b, x, 1, 2), c->body.hidden_size, am_shape_of(rate), AM_BIAS,
                         &(am_convolution_attributes){.stride = am_shape_of(rate)});
    y = am_transpose(b, am_unary(b, c->body.hidden_act, y), 1, 2);
    int64_t M = am_dim(b, y, 1);
    am_value first = am_slice(b, x, 1, 0, 1);
    y = am_layer_norm(b, "LayerNorm", M > 1 ? am_concat2(b, first, am_slice(b, y, 1, 0, M - 1), 1) : first,
                      c->body.layer_norm_eps);
    am_end_scope(b);
    return y;
}

/* A molecule is attended where any of its characters is: [B, 1, 1, T] -> [B, 1, 1, M]. */
static am_value molecule_mask(am_builder *b, am_value mask, int64_t M, int64_t rate)
{
    if (!mask.id) return AM_NONE;
    mask = am_reshape(b, am_slice(b, mask, 3, 0, M * rate), am_shape_of(-1, 1, 1, M, rate));
    return am_reduce(b, AM_REDUCE_ANY, mask, am_shape_of(4), false);
}

/* Each character's molecule: [B, M, C] -> [B, T, C]; the first one, CLS, is none's, and the last one also that of the
   characters that have none. */
static am_value repeat_molecules(am_builder *b, am_value x, int64_t T, int64_t rate)
{
    am_value place = am_binary_number(b, AM_DIV, am_iota(b, AM_I32, am_shape_of(T), 0, 0, 1), (double)rate);
    place = am_binary_number(b, AM_MIN, am_add_number(b, place, 1), (double)(am_dim(b, x, 1) - 1));
    return am_gather(b, x, place, 1, false);
}

/* x: [B, T, 2 C] -> [B, T, C], each character with its neighbours. */
static am_value project(am_builder *b, am_value x, const canine_config *c)
{
    int64_t around = c->upsampling_kernel_size - 1;
    am_scope(b, "projection");
    x = am_conv(b, "conv", am_transpose(b, x, 1, 2), c->body.hidden_size, am_shape_of(c->upsampling_kernel_size),
                AM_BIAS,
                &(am_convolution_attributes){.padding_before = am_shape_of(around / 2),
                                             .padding_after = am_shape_of(around - around / 2)});
    x = am_transpose(b, am_unary(b, c->body.hidden_act, x), 1, 2);
    x = am_layer_norm(b, "LayerNorm", x, c->body.layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* Characters [B, T, C]; out_pooled: [B, C], of the first molecule. */
static am_value read_text(am_builder *b, const char *prefix, am_value *out_pooled)
{
    canine_config c = read_config(b);
    am_value mask = am_flat_padding_mask(b);
    int state = 0;
    am_scope(b, "%s", prefix);
    am_value x = embeddings(b, &c);
    x = encode(b, "initial_char_encoder", x, &c, 1, mask, c.local_transformer_stride, &state);
    am_value deep = molecules(b, x, &c);
    am_value deep_mask = molecule_mask(b, mask, am_dim(b, deep, 1), c.downsampling_rate);
    deep = encode(b, "encoder", deep, &c, c.body.num_hidden_layers, deep_mask, 0, &state);
    am_value repeated = repeat_molecules(b, deep, am_dim(b, x, 1), c.downsampling_rate);
    x = project(b, am_concat2(b, x, repeated, 2), &c);
    x = encode(b, "final_char_encoder", x, &c, 1, mask, 0, &state);
    am_end_scope(b);
    if (out_pooled) *out_pooled = am_bert_pooler(b, prefix, deep);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    return read_text(b, prefix, NULL);
}

static void model(am_builder *b)
{
    am_value pooled;
    am_output(b, "last_hidden_state", read_text(b, "", &pooled));
    am_output(b, "pooler_output", pooled);
}

static am_value classify(am_builder *b, int64_t labels)
{
    am_value pooled;
    read_text(b, "canine", &pooled);
    return am_linear(b, "classifier", pooled, labels, AM_BIAS);
}

static void for_sequence_classification(am_builder *b)
{
    am_output(b, "logits", classify(b, am_config_labels(am_model_config(b))));
}

static void for_multiple_choice(am_builder *b)
{
    am_output_choices(b, classify(b, 1));
}

static const am_architecture architectures[] = {
    {"CanineModel", model, "feature-extraction", 0},
    {"CanineForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"CanineForMultipleChoice", for_multiple_choice, NULL, 0},
    {"CanineForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"CanineForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "canine", .body = body};

const am_model_type am_model_canine = {
    .name = "canine", .base_prefix = "canine", .architectures = architectures, .family = &family};

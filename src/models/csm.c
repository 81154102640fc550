/* CSM: LLaMA's layers over frames, each the sum of a row of every codebook, that write the first codebook's next token;
   and a smaller LLaMA over the codebooks of one frame, behind the state of the first, that writes the others.
   transformers: models/csm/modeling_csm.py */
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"

#include <inttypes.h>

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
}

static const am_decoder_family backbone_family = {.defaults = {.vocab_size = 2051,
                                                               .hidden_size = 2048,
                                                               .intermediate_size = 8192,
                                                               .num_hidden_layers = 16,
                                                               .num_attention_heads = 32,
                                                               .num_key_value_heads = 8,
                                                               .max_position_embeddings = 2048,
                                                               .rms_norm_eps = 1e-5,
                                                               .rope_theta = 500000,
                                                               .whole_heads = true},
                                                  .adapt = adapt};

static const am_decoder_family depth_family = {.defaults = {.vocab_size = 2051,
                                                            .hidden_size = 1024,
                                                            .intermediate_size = 8192,
                                                            .num_hidden_layers = 4,
                                                            .num_attention_heads = 8,
                                                            .num_key_value_heads = 2,
                                                            .max_position_embeddings = 33,
                                                            .rms_norm_eps = 1e-5,
                                                            .rope_theta = 500000,
                                                            .whole_heads = true},
                                               .adapt = adapt};

/* num_codebooks, of tables with so many rows of vocab_size. */
static int64_t codebooks_of(const am_config *c, const am_decoder_options *o)
{
    int64_t count = am_config_size(c, "num_codebooks", 32);
    if (count > INT32_MAX / o->vocab_size || count > 65536)
        am_config_fail(c, "num_codebooks", "%" PRId64 " of %" PRId64 " rows are too many", count, o->vocab_size);
    return count;
}

/* --- the backbone --- */

/* Rows of the table: [codebooks * vocab, C] at ids: I32 [B, T, codebooks], summed: [B, T, C]. */
static am_value frames(am_builder *b, am_value table, am_value ids, int64_t codebooks, int64_t vocab)
{
    if (!am_builder_failed(b) && am_dim(b, ids, 2) != codebooks)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_ids has %" PRId64 " codebooks, expected %" PRId64 " (num_codebooks)",
                                    am_dim(b, ids, 2), codebooks));
    am_value offsets = am_iota(b, AM_I32, am_shape_of(1, 1, codebooks), 2, 0, (double)vocab);
    am_value rows = am_embedding_op(b, table, am_add(b, ids, offsets));
    return am_reduce(b, AM_REDUCE_SUM, rows, am_shape_of(2), false);
}

/* The table of all codebooks; files may have that of the depth decoder alone, which is the same. */
static am_value code_table(am_builder *b, const char *prefix, am_shape shape)
{
    am_scope(b, "%s", prefix);
    am_value own = am_weight_optional(b, "embed_tokens.embed_audio_tokens.weight", shape);
    am_end_scope(b);
    if (own.id || !am_config_flag(am_model_config(b), "tie_codebooks_embeddings", true))
        return own.id ? own : am_weight(b, "backbone_model.embed_tokens.embed_audio_tokens.weight", shape);
    return am_weight(b, "depth_decoder.model.embed_tokens.weight", shape);
}

/* The states under `prefix`: [B, T, C], of frames: I32 [B, T, codebooks], of words: [B, T], or embeddings. */
static am_value backbone(am_builder *b, am_decoder_options *o, const char *prefix)
{
    const am_config *c = am_model_config(b);
    int64_t codebooks = codebooks_of(c, o);
    if (am_has_input(b, "inputs_embeds")) o->embedded = am_input(b, "inputs_embeds", 3);
    else if (am_rank(b, am_input(b, "input_ids", -1)) == 2)
        o->embedded = am_embedding(b, "embed_text_tokens", am_input(b, "input_ids", 2),
                                   am_config_size(c, "text_vocab_size", 128256), o->hidden_size);
    else
        o->embedded = frames(b, code_table(b, prefix, am_shape_of(codebooks * o->vocab_size, o->hidden_size)),
                             am_input(b, "input_ids", 3), codebooks, o->vocab_size);
    return am_decoder_body(b, o, prefix);
}

static void backbone_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &backbone_family);
    am_output(b, "last_hidden_state", backbone(b, &o, ""));
}

/* Sounds among words, input_values, are not read. */
static void for_conditional_generation(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &backbone_family);
    am_value x = am_last_position_if_wanted(b, backbone(b, &o, "backbone_model"));
    am_output(b, "logits", am_linear(b, "lm_head", x, o.vocab_size, AM_NO_BIAS));
}

/* --- the depth decoder --- */

/* Token t of a frame is of codebook t - 1; in place of the first stands the input backbone_last_hidden_state: [B, C'].
 */
static am_value embed_codes(am_builder *b, const am_config *c, const am_decoder_options *o)
{
    int64_t width = am_config_size(c, "backbone_hidden_size", 2048), codebooks = codebooks_of(c, o);
    am_value x = am_input_optional(b, "inputs_embeds", 3),
             state = am_input_optional(b, "backbone_last_hidden_state", 2);
    if (!x.id) {
        am_value ids = am_input(b, "input_ids", 2);
        am_value place = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, -1, 1);
        am_value offset = am_mul_number(b, am_binary_number(b, AM_MAX, place, 0), (double)o->vocab_size);
        x = am_embedding(b, "embed_tokens", am_add(b, ids, offset), codebooks * o->vocab_size, width);
        if (state.id) x = am_concat2(b, am_unsqueeze(b, state, 1), am_slice(b, x, 1, 1, AM_SLICE_END), 1);
    }
    return am_linear(b, "inputs_embeds_projector", x, o->hidden_size, AM_NO_BIAS);
}

static am_value depth_decoder(am_builder *b, am_decoder_options *o, const char *prefix)
{
    am_scope(b, "%s", prefix);
    o->embedded = embed_codes(b, am_model_config(b), o);
    am_end_scope(b);
    return am_decoder_body(b, o, prefix);
}

static void depth_decoder_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &depth_family);
    am_output(b, "last_hidden_state", depth_decoder(b, &o, ""));
}

/* Each token but the first has a head of its own. */
static void depth_decoder_for_causal_lm(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_decoder_options o = am_decoder_options_read(c, &depth_family);
    am_value x = depth_decoder(b, &o, "model");
    int64_t T = am_dim(b, x, 1), codebooks = codebooks_of(c, &o);
    if (!am_builder_failed(b) && (T < 2 || T > codebooks))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_ids has %" PRId64 " tokens, expected 2 to %" PRId64 " (num_codebooks)", T,
                                    codebooks));
    am_value heads = am_weight(b, "codebooks_head.weight", am_shape_of(codebooks - 1, o.hidden_size, o.vocab_size));
    heads = am_slice(b, am_cast(b, heads, AM_F32), 0, 0, T - 1);
    x = am_transpose(b, am_slice(b, x, 1, 1, AM_SLICE_END), 0, 1);
    am_output(b, "logits", am_transpose(b, am_matmul(b, x, heads, false, false), 0, 1));
}

static const am_architecture architectures[] = {
    {"CsmBackboneModel", backbone_model, NULL, 0},
    /* it does not generate here: each step of its own loop runs the depth decoder, too */
    {"CsmForConditionalGeneration", for_conditional_generation, NULL, 0},
    {"CsmDepthDecoderModel", depth_decoder_model, NULL, 0},
    {"CsmDepthDecoderForCausalLM", depth_decoder_for_causal_lm, NULL, 0},
    {0},
};

const am_model_type am_model_csm = {
    .name = "csm csm_depth_decoder_model", .base_prefix = "model", .architectures = architectures};

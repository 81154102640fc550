/* Kyutai's speech recognition: Moshi's layers over frames, each the sum of a row of the words so far and of every
   codebook, that write words. transformers: models/kyutai_speech_to_text/modeling_kyutai_speech_to_text.py */
#include "models/blocks/heads.h"
#include "models/blocks/moshi.h"

#include <inttypes.h>

/* Rows of one table at ids: I32 [B, T, 1 + codebooks], summed: words, then each codebook's, but for pads, which all
   share a row. */
static am_value embed(am_builder *b, const am_decoder_options *o)
{
    const am_config *c = am_model_config(b);
    int64_t books = am_config_size(c, "num_codebooks", 32), vocab = am_config_size(c, "codebook_vocab_size", 2049);
    if (am_has_input(b, "inputs_embeds")) return am_input(b, "inputs_embeds", 3);
    am_value ids = am_input(b, "input_ids", 3);
    if (books > (INT32_MAX - o->vocab_size) / vocab - 1)
        am_config_fail(c, "num_codebooks", "%" PRId64 " of %" PRId64 " rows are too many", books, vocab);
    if (ids.id && am_dim(b, ids, 2) != 1 + books)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_ids has %" PRId64 " tokens a frame, expected %" PRId64
                                    ", one more than num_codebooks",
                                    am_dim(b, ids, 2), 1 + books));
    if (c->root->error || am_builder_failed(b)) return AM_NONE;
    am_value first = am_iota(b, AM_I32, am_shape_of(1, 1, 1), 2, 0, 0),
             others = am_iota(b, AM_I32, am_shape_of(1, 1, books), 2, (double)o->vocab_size, (double)vocab);
    am_value moved = am_add(b, ids, am_concat2(b, first, others, 2));
    am_value is_pad = am_binary_number(b, AM_EQUAL, ids, (double)am_config_int(c, "audio_pad_token_id", 69569));
    am_value rows = am_embedding(b, "embed_tokens.embed_tokens", am_select(b, is_pad, ids, moved),
                                 o->vocab_size + books * vocab + 1, o->hidden_size);
    return am_reduce(b, AM_REDUCE_SUM, rows, am_shape_of(2), false);
}

static am_value body(am_builder *b, am_decoder_options *o, const char *prefix)
{
    am_scope(b, "%s", prefix);
    o->embedded = embed(b, o);
    am_end_scope(b);
    return am_decoder_body(b, o, prefix);
}

static void kyutai_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &am_kyutai_family);
    am_output(b, "last_hidden_state", body(b, &o, ""));
}

static void for_conditional_generation(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &am_kyutai_family);
    am_value x = body(b, &o, "model");
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.embed_tokens.weight",
                         AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"KyutaiSpeechToTextModel", kyutai_model, NULL, 0},
    /* it does not generate here: its own loop reads a frame of the sound with each token */
    {"KyutaiSpeechToTextForConditionalGeneration", for_conditional_generation, NULL, 0},
    {0},
};

const am_model_type am_model_kyutai_speech_to_text = {
    .name = "kyutai_speech_to_text", .base_prefix = "model", .architectures = architectures};

/* BigBird-Pegasus: BART with norms before the parts of a layer and one behind the last layer, whose encoder sees a long
   text in blocks, as BigBird does. transformers: models/bigbird_pegasus/modeling_bigbird_pegasus.py */
#include "models/blocks/bart.h"
#include "models/blocks/block_sparse.h"
#include "models/blocks/heads.h"

static int64_t text_length(am_builder *b)
{
    return am_has_input(b, "inputs_embeds") ? am_dim(b, am_input(b, "inputs_embeds", 3), 1)
                                            : am_dim(b, am_input(b, "input_ids", 2), 1);
}

/* x: [B, T + padding, C] */
static am_value encoder_attention(am_builder *b, am_value x, int64_t heads, int layer)
{
    const am_config *c = am_model_config(b);
    am_block_sparse sparse = am_block_sparse_read(c);
    bool bare = !am_config_flag(c, "use_bias", false);
    int64_t rows = am_dim(b, x, 1), T = text_length(b);
    am_attention_options options = {.heads = heads,
                                    .q = "self.query",
                                    .k = "self.key",
                                    .v = "self.value",
                                    .out = "output",
                                    .no_q_bias = bare,
                                    .no_k_bias = bare,
                                    .no_v_bias = bare,
                                    .no_out_bias = bare};
    (void)layer;
    if (!am_is_block_sparse(&sparse, T)) {
        options.mask = am_padding_mask(b, "attention_mask");
        return am_self_attention(b, x, &options);
    }
    am_value h =
        am_block_sparse_attention(b, x, am_block_sparse_seen(b, am_dim(b, x, 0), T, rows - T), &options, &sparse);
    return am_linear(b, "output", h, am_dim(b, x, -1), bare ? AM_NO_BIAS : AM_BIAS);
}

static int64_t encoder_padding(const am_config *c, int64_t T)
{
    am_block_sparse sparse = am_block_sparse_read(c);
    return am_block_sparse_padding(&sparse, T);
}

static const am_architecture architectures[] = {
    {"BigBirdPegasusModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"BigBirdPegasusForConditionalGeneration", am_bart_for_conditional_generation, NULL,
     AM_GENERATES | AM_ENCODER_DECODER},
    {"BigBirdPegasusForSequenceClassification", am_bart_for_sequence_classification, "text-classification",
     AM_ENCODER_DECODER},
    {"BigBirdPegasusForQuestionAnswering", am_bart_for_question_answering, "question-answering", AM_ENCODER_DECODER},
    {"BigBirdPegasusForCausalLM", am_bart_for_causal_lm, "text-generation", AM_GENERATES},
    {"BigBirdPegasusDecoder", am_bart_decoder, NULL, 0},
    {0},
};

static const am_bart_family family = {.vocab_size = 96103,
                                      .layers = 16,
                                      .max_positions = 4096,
                                      .activation = AM_GELU_TANH,
                                      .scale_embedding = true,
                                      .start_token_id = 2,
                                      .eos_token_id = 1,
                                      .pre_norm = true,
                                      .no_embedding_norm = true,
                                      .positions = AM_BART_ROWS,
                                      .shift = AM_BART_SHIFT_START,
                                      .encoder_attention = encoder_attention,
                                      .encoder_padding = encoder_padding,
                                      .last_norm = "layernorm_embedding",
                                      .reads_use_bias = true};

const am_model_type am_model_bigbird_pegasus = {
    .name = "bigbird_pegasus", .base_prefix = "model", .architectures = architectures, .family = &family};

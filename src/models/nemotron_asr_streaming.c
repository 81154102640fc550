/* Nemotron's streaming recognizers: Parakeet's encoder whose convolutions look back only and whose frames see chunks,
   as a whole sound is heard by it, before a transducer; Nemotron 3.5 is told the language, too. transformers:
   models/nemotron_asr_streaming/modeling_nemotron_asr_streaming.py, models/nemotron3_5_asr/modeling_nemotron3_5_asr.py
 */
#include "models/blocks/layers.h"
#include "models/blocks/parakeet.h"
#include "models/blocks/transducer.h"

static void encoder(am_builder *b)
{
    am_parakeet_encoder_model(b, am_parakeet_encode_streaming);
}

static void for_rnnt(am_builder *b)
{
    am_output_transducer(b, am_parakeet_states(b, am_parakeet_encode_streaming), &(am_transducer){.vocab_size = 1025});
}

/* x: [B, T, C] and which language it is, the input prompt_ids or default_prompt_id, become [B, T, C]. */
static am_value told_language(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_dim(b, x, 2), count = am_config_size(c, "num_prompts", 128), fallback = 101,
            inner = am_config_size(c, "prompt_intermediate_size", 2048);
    am_value ids = am_input_optional(b, "prompt_ids", 1);
    if (!ids.id) {
        fallback = am_config_int(c, "default_prompt_id", fallback);
        if (fallback < 0 || fallback >= count) am_config_fail(c, "default_prompt_id", "none of num_prompts");
        ids = am_broadcast(b, am_scalar(b, AM_I32, (double)fallback), am_shape_of(am_dim(b, x, 0)));
    }
    am_scope(b, "prompt_projector");
    am_value weight = am_weight(b, "linear_1.weight", am_shape_of(inner, C + count)),
             of_language = am_transpose(b, am_slice(b, weight, 1, C, C + count), 0, 1);
    am_value h = am_linear_with(b, x, am_slice(b, weight, 1, 0, C), am_weight(b, "linear_1.bias", am_shape_of(inner)));
    h = am_add(b, h, am_unsqueeze(b, am_embedding_op(b, of_language, ids), 1));
    h = am_linear(b, "linear_2", am_unary(b, AM_RELU, h), C, AM_BIAS);
    am_end_scope(b);
    return h;
}

static void for_rnnt_of_languages(am_builder *b)
{
    am_value x = am_parakeet_states(b, am_parakeet_encode_streaming);
    am_output_transducer(b, x, &(am_transducer){.vocab_size = 13088, .heard = told_language(b, x)});
}

static const am_architecture architectures[] = {
    {"NemotronAsrStreamingEncoder", encoder, "feature-extraction", 0},
    {"NemotronAsrStreamingForRNNT", for_rnnt, NULL, 0},
    {"Nemotron3_5AsrForRNNT", for_rnnt_of_languages, NULL, 0},
    {0},
};

const am_model_type am_model_nemotron_asr_streaming = {
    .name = "nemotron_asr_streaming nemotron_asr_streaming_encoder nemotron3_5_asr",
    .base_prefix = "model",
    .architectures = architectures};

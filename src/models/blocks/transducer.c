#include "models/blocks/transducer.h"

#include "models/blocks/layers.h"
#include "models/blocks/recurrent.h"

void am_output_transducer(am_builder *b, am_value encoded, const am_transducer *t)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "decoder_hidden_size", 640), vocab = am_config_size(c, "vocab_size", t->vocab_size);
    int64_t layers = am_config_size(c, "num_decoder_layers", 2);
    am_unary_fn activation = am_config_activation(c, "hidden_act", AM_RELU);
    am_value frames = am_linear(b, "encoder_projector", t->heard.id ? t->heard : encoded, C, AM_BIAS);
    am_scope(b, "decoder");
    am_value said = am_embedding(b, "embedding", am_input(b, "decoder_input_ids", 2), vocab, C);
    said = am_linear(b, "decoder_projector", am_lstm(b, "lstm", said, layers), C, AM_BIAS);
    am_end_scope(b);
    am_value joint = am_add(b, am_unsqueeze(b, frames, 2), am_unsqueeze(b, said, 1));
    am_value logits = am_linear(b, "joint.head", am_unary(b, activation, joint), vocab + t->more_logits, AM_BIAS);
    am_output(b, "last_hidden_state", encoded);
    am_output(b, "pooler_output", frames);
    am_output(b, "logits", am_dim(b, logits, 2) == 1 ? am_squeeze(b, logits, 2) : logits);
}

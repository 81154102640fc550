#include "models/blocks/encoder_decoder.h"

#include "models/blocks/layers.h"
#include "models/blocks/seq2seq.h"

typedef struct encoder_decoder {
    am_config encoder, decoder;
} encoder_decoder;

static const am_encoder_decoder_family *family_of(am_builder *b)
{
    return am_model_family(b);
}

/* The encoder's states (AM_NONE where they are cached) at the width that the decoder attends to. */
static am_value states_for_decoder(am_builder *b, const encoder_decoder *m, am_value encoded)
{
    bool same_width = !am_has_weight(b, "enc_to_dec_proj.weight");
    if (!encoded.id || same_width || am_config_has(&m->decoder, "cross_attention_hidden_size")) return encoded;
    am_value weight = am_weight(b, "enc_to_dec_proj.weight", am_shape_of(-1, am_dim(b, encoded, -1)));
    am_value bias = am_weight(b, "enc_to_dec_proj.bias", am_shape_of(am_dim(b, weight, 0)));
    return am_linear_with(b, encoded, weight, bias);
}

static am_value encode(am_builder *b, const void *model)
{
    const encoder_decoder *m = model;
    am_part_input inputs[] = {{.name = "input_values", .whole = "inputs"}, {.name = "input_features", .whole = "inputs"}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = family_of(b)->encoder_type,
                    .config = &m->encoder,
                    .inputs = inputs,
                    .input_count = am_has_input(b, "inputs") ? 2 : 0};
    am_scope(b, "encoder");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "encoder_hidden_states");
    am_value states = am_part_output(&outputs, "last_hidden_state");
    return family_of(b)->gives_projected ? states_for_decoder(b, m, states) : states;
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const encoder_decoder *m = model;
    int64_t S = encoded.id ? am_dim(b, encoded, 1) : am_encoder_length(b);
    am_value states = family_of(b)->gives_projected ? encoded : states_for_decoder(b, m, encoded);
    am_part_input inputs[] = {{.name = "encoder_hidden_states", .value = states},
                              {.name = "encoder_attention_mask", .value = family_of(b)->mask(b, &m->encoder, S)}};
    am_part part = {.auto_class = "AutoModelForCausalLM",
                    .model_type = "bert",
                    .config = &m->decoder,
                    .inputs = inputs,
                    .input_count = sizeof inputs / sizeof *inputs,
                    .prefix = "decoder_"};
    am_scope(b, "decoder");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "decoder_hidden_states");
    return am_part_output(&outputs, "logits");
}

void am_encoder_decoder_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    encoder_decoder m = {.encoder = am_config_child(c, "encoder"), .decoder = am_config_child(c, "decoder")};
    am_value logits = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &m});
    if (logits.id) am_output(b, "logits", logits);
}

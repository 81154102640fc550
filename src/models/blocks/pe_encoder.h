/* The transformers of Perception Encoder for sounds, videos and both (PE-A, PE-V, PE-AV), and what stands beside their
   texts. transformers: models/pe_audio/modeling_pe_audio.py and its relatives */
#ifndef AM_MODELS_BLOCKS_PE_ENCODER_H
#define AM_MODELS_BLOCKS_PE_ENCODER_H

#include "models/blocks/attention.h"

typedef struct am_pe_encoder {
    int64_t width, intermediate_size, layers;
    am_unary_fn hidden_act;
    double rms_norm_eps;
    am_attention_options attention;
    am_rope_config rope;
} am_pe_encoder;

/* The fields of PeAudioEncoderConfig, which the others share. */
am_pe_encoder am_pe_encoder_read(const am_config *c);

/* Frames x: [B, T, C], of which mask: [B, T] or AM_NONE tells padding, behind a token of their own through a residual
   block and all layers. Names the outputs hidden_states, last_hidden_state and pooler_output. */
void am_pe_encode(am_builder *b, am_value x, am_value mask, am_pe_encoder *e);

/* NAME.proj of NAME.layer_norm of x: [.., C] -> [.., width]. */
am_value am_pe_head(am_builder *b, const char *name, am_value x, int64_t width);

/* All that a part gives, named PREFIX and its own name; its hidden states only where they are wanted. */
void am_pe_output_all(am_builder *b, const am_part_outputs *part, const char *prefix);

/* The same of a text's, named text_outputs, whose last hidden state is always among them. */
void am_pe_output_text(am_builder *b, const am_part_outputs *part, const am_config *text);

/* What text_model below the scope gives of input_ids and attention_mask, its hidden states among it. */
am_part_outputs am_pe_text(am_builder *b, const am_config *text);

/* Products of others: [M, C] and x: [N, C] or, by frames, [N, T, C], times NAME_logit_scale, plus NAME_logit_bias:
   [N, M] or [N, M, T]. */
am_value am_pe_logits(am_builder *b, am_value x, am_value others, const char *name);

/* What stands beside a text in am_pe_beside_text. */
typedef struct am_pe_beside {
    const char *name;       /* "video": its configuration is video_config, its weights stand below video_encoder .. */
    const char *class_name; /* of its encoder */
    const char *inputs[2];  /* of it */
    const char *read;       /* which of its outputs video_head reads */
} am_pe_beside;

/* A class with a text and that: names the outputs logits_NAME_text, text_NAME_embeds, NAME_embeds, and all that both
   encoders give. */
void am_pe_beside_text(am_builder *b, const am_pe_beside *beside);

#endif

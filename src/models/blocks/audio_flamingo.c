#include "models/blocks/audio_flamingo.h"

#include "models/blocks/layers.h"
#include "models/blocks/speech.h"
#include "models/blocks/whisper.h"

static const char marks[] = "input_features_mask";

const am_shaping_input am_audio_flamingo_shaping_inputs[] = {{.name = marks, .kind = AM_SHAPED_BY_ROWS}, {0}};

void am_audio_flamingo_encoder(am_builder *b)
{
    am_whisper_encoder e = am_whisper_encoder_read(am_model_config(b));
    am_input(b, marks, 2);
    am_value lengths = am_convolved_length(b, am_marked_lengths(b, marks), 1, 2);
    e.mask = am_padding_mask_of(b, am_frames_before(b, lengths, e.positions));
    e.pools = e.odd_lengths = true;
    am_output(b, "last_hidden_state", am_whisper_encode(b, &e));
}

am_value am_audio_flamingo_states(am_builder *b, int64_t **lengths)
{
    *lengths = am_audio_lengths(b, marks);
    for (int64_t i = 0; *lengths && i < am_dim(b, am_input(b, marks, 2), 0); i++)
        (*lengths)[i] = am_whisper_pooled_length((*lengths)[i]);
    am_part_outputs tower = am_audio_tower(b, "audio_tower", "audio_config", "audioflamingo3_encoder", NULL, 0);
    return am_part_output(&tower, "last_hidden_state");
}

am_audio_rows am_audio_flamingo_project(am_builder *b, am_value x, const int64_t *lengths)
{
    int bias = am_config_flag(am_model_config(b), "projector_bias", true) ? AM_BIAS : AM_NO_BIAS;
    x = am_audio_projector(b, x, am_audio_text_width(b), bias);
    return (am_audio_rows){.rows = am_audio_frames(b, x, lengths)};
}

am_audio_rows am_audio_flamingo_rows(am_builder *b)
{
    int64_t *lengths;
    am_value x = am_audio_flamingo_states(b, &lengths);
    return am_audio_flamingo_project(b, x, lengths);
}

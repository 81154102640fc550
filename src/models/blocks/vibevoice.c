#include "models/blocks/vibevoice.h"

#include "models/blocks/layers.h"

enum { RATIOS_LIMIT = 24 };
static const double NORM_EPS = 1e-6; /* not configurable */
static const char marks[] = "padding_mask";

const am_shaping_input am_vibevoice_shaping_inputs[] = {{.name = marks, .kind = AM_SHAPED_BY_ROWS}, {0}};

am_value am_vibevoice_latents(am_builder *b, const char *name, const char *key)
{
    am_config config = am_config_child(am_model_config(b), key);
    am_part_input inputs[] = {{.name = "hidden_states", .whole = "input_values"}};
    am_part part = {
        .class_name = "VibeVoiceAcousticTokenizerEncoderModel", .config = &config, .inputs = inputs, .input_count = 1};
    am_scope(b, "%s", name);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return am_part_output(&outputs, "latents");
}

int64_t am_vibevoice_hop(am_builder *b, const char *key)
{
    static const int64_t fallback[] = {2, 2, 4, 5, 5, 8};
    am_config config = am_config_child(am_model_config(b), key);
    int64_t ratios[RATIOS_LIMIT], hop = 1;
    int count = am_config_sizes(&config, "downsampling_ratios", ratios, RATIOS_LIMIT, fallback, 6);
    for (int i = 0; i < count; i++) {
        if (ratios[i] < 1 || hop > INT32_MAX / ratios[i])
            am_config_fail(&config, "downsampling_ratios", "element %d is 0 or too much", i);
        else hop *= ratios[i];
    }
    return hop;
}

am_value am_vibevoice_counted(am_builder *b, am_value x, int64_t hop)
{
    int64_t *lengths = am_audio_lengths(b, marks);
    for (int64_t i = 0; lengths && i < am_dim(b, x, 0); i++) lengths[i] = (lengths[i] + hop - 1) / hop;
    return am_audio_frames(b, x, lengths);
}

am_value am_vibevoice_projected(am_builder *b, const char *first, const char *norm, const char *second, am_value x)
{
    int64_t width = am_audio_text_width(b);
    x = am_rms_norm(b, norm, am_linear(b, first, x, width, AM_BIAS), NORM_EPS, 0);
    return am_linear(b, second, x, width, AM_BIAS);
}

/* Qwen2.5-Omni's thinker: Qwen2.5-VL that also hears; two convolutions over stretches of a log-mel spectrogram, layers
   within them, and the mean of every two frames are what it hears. transformers:
   models/qwen2_5_omni/modeling_qwen2_5_omni.py */
#include "models/blocks/qwen_audio.h"
#include "models/blocks/qwen_omni_thinker.h"

static am_qwen_vision vision_read(const am_config *c)
{
    am_qwen_vision v = am_qwen2_5_vision_read(c);
    v.q = "q";
    v.k = "k";
    v.v = "v";
    return v;
}

static am_value features(am_builder *b)
{
    return am_qwen_features(b, vision_read, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return am_qwen_features(b, vision_read, "pixel_values_videos", "video_grid_thw");
}

static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    return am_qwen_omni_text_inputs(b, false, out);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .audio_features = am_qwen2_5_omni_audio_features,
                                                 .image_token = 151655,
                                                 .video_token = 151656,
                                                 .audio_token = 151646,
                                                 .text_class = "Qwen2_5OmniThinkerTextModel",
                                                 .hides_features = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"Qwen2_5OmniThinkerModel", am_vision_language_model, NULL, 0},
    {"Qwen2_5OmniThinkerForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

const am_model_type am_model_qwen2_5_omni_thinker = {.name = "qwen2_5_omni_thinker",
                                                     .base_prefix = "model",
                                                     .architectures = architectures,
                                                     .family = &family,
                                                     .shaping_inputs = am_qwen_omni_shaping_inputs};

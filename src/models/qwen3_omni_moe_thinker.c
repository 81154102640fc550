/* Qwen3-Omni's thinker: Qwen3-VL-MoE that also hears, by Qwen3-ASR's tower. transformers:
   models/qwen3_omni_moe/modeling_qwen3_omni_moe.py */
#include "models/blocks/qwen3_vl.h"
#include "models/blocks/qwen_audio.h"
#include "models/blocks/qwen_omni_thinker.h"

static am_qwen_vision vision_read(const am_config *c)
{
    am_qwen_vision v = am_qwen3_vision_read(c);
    v.merge_norm = v.merge_1 = v.merge_2 = NULL;
    v.deep_mergers = "merger_list";
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
    return am_qwen_omni_text_inputs(b, true, out);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .audio_features = am_qwen3_omni_audio_features,
                                                 .deep_rows = am_qwen3_vl_deep_rows,
                                                 .image_token = 151655,
                                                 .video_token = 151656,
                                                 .audio_token = 151646,
                                                 .text_class = "Qwen3OmniMoeThinkerTextModel",
                                                 .hides_features = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"Qwen3OmniMoeThinkerModel", am_vision_language_model, NULL, 0},
    {"Qwen3OmniMoeThinkerForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

const am_model_type am_model_qwen3_omni_moe_thinker = {.name = "qwen3_omni_moe_thinker",
                                                       .base_prefix = "model",
                                                       .architectures = architectures,
                                                       .family = &family,
                                                       .shaping_inputs = am_qwen_omni_shaping_inputs};

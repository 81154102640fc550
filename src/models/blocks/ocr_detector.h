/* PaddleOCR's text detectors: four maps of a backbone, fused by one of two necks, and a head that says of each pixel
   whether it is text. transformers: models/pp_ocrv5_mobile_det/modeling_pp_ocrv5_mobile_det.py and its kin */
#ifndef AM_MODELS_BLOCKS_OCR_DETECTOR_H
#define AM_MODELS_BLOCKS_OCR_DETECTOR_H

#include "models/blocks/feature_maps.h"

enum { AM_OCR_MAPS = 4 };

/* What a member's descriptor carries as its family. */
typedef struct am_ocr_family {
    /* Maps: [B, C', h, w], the finest first, as one of the finest's size, below the scope of the neck. */
    am_value (*neck)(am_builder *b, const am_value *maps);
    const char *pixels;     /* the base model's name of its images */
    int64_t neck_channels;  /* what an absent neck_out_channels stands for */
    bool projects;          /* maps go through `layer`, which gives each its width of layer_list_out_channels */
    bool default_kernels;   /* kernel_list may be absent */
    bool refines;           /* the head's map is refined by what it was made of */
    bool separable, biased; /* of am_ocr_light_neck: the last convolutions; of am_ocr_path_neck: some have biases */
} am_ocr_family;

/* Necks: squeezed and excited maps whose coarse ones are added to finer ones (mobile, small); one that aggregates
   paths both ways and refines maps by long and short convolutions (server, medium). */
am_value am_ocr_light_neck(am_builder *b, const am_value *maps);
am_value am_ocr_path_neck(am_builder *b, const am_value *maps);

/* Builders for the rows of a member's table. */
void am_ocr_detector_model(am_builder *b);
void am_ocr_detector_for_object_detection(am_builder *b);

#endif

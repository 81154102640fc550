"""The processors that record_processors.py records: tokens and settings of each, and cases."""

SMALL = {"height": 56, "width": 56}
PINPOINTS = [[28, 56], [56, 28], [56, 56], [84, 28], [28, 84]]
BUDGET = {"size": {"shortest_edge": 3136, "longest_edge": 50176}}
SIZES = [[48, 150], [160, 40], [61, 53], [20, 20]]


def image_cases(token, several=True, sizes=None):
    wide, tall, odd, tiny = sizes or SIZES
    cases = [{"texts": [f"Look: {token} what?"], "images": [[wide]]},
             {"texts": [f"{token}\nlong"], "images": [[tall]]}]
    if several:
        cases += [{"texts": [f"a {token} and {token}."], "images": [[odd, wide]]},
                  {"texts": [f"{token} one", f"{token}two {token}"], "images": [[tiny], [tall, odd]]}]
    return cases


# Frames, height, width, frames a second; 0: not known.
VIDEOS = [[4, 48, 90, 2], [7, 60, 40, 3], [2, 30, 30, 0]]


def video_cases(token, image=None, sampled=True, videos=VIDEOS):
    """Cases of videos, one beside an image where there is its placeholder, and one of which frames are sampled."""
    plain = {"text_kwargs": {"padding": True}, "videos_kwargs": {"do_sample_frames": False}}
    cases = [{"texts": [f"See {token} what?"], "videos": videos[:1], "arguments": plain},
             {"texts": [f"{token} and {token}", f"{token}."], "videos": videos, "arguments": plain}]
    if image:
        cases.append({"texts": [f"{token} or {image}"], "videos": videos[1:2], "images": [[SIZES[0]]],
                      "arguments": plain})
    if sampled:
        cases.append({"texts": [f"{token} less"], "videos": [[12, 40, 56, 4]], "arguments": {
            "text_kwargs": {"padding": True}, "videos_kwargs": {"do_sample_frames": True, **(
                sampled if isinstance(sampled, dict) else {"num_frames": 6})}}})
    return cases


def sound_cases(token, several=True, lengths=(3000, 16000, 41000)):
    short, second, long = lengths
    cases = [{"texts": [f"Hear {token} now"], "sounds": [second]},
             {"texts": [f"{token}!", f"and {token} more"], "sounds": [short, long]}]
    if several:
        cases.append({"texts": [f"{token} and {token}"], "sounds": [long, short]})
    return cases


def qwen(token="<|image_pad|>", named=None, **more):
    tokens = [token, "<|vision_start|>", "<|vision_end|>", "<|video_pad|>", "<|begin_of_video|>", "<|end_of_video|>",
              "<|VIDEO_PAD|>", "<|VISION_START|>", "<|VISION_END|>", "<|video|>"]
    return {"tokens": tokens, "named": named or {}, "image": BUDGET, "cases": image_cases(token), **more}


def qwen_videos(sampled=True, **more):
    return qwen(video=BUDGET, cases=image_cases("<|image_pad|>")
                + video_cases("<|video_pad|>", "<|image_pad|>", sampled), **more)


def glm_videos(**more):
    return qwen("<|image|>", **{"video": BUDGET, **more}, cases=image_cases("<|image|>") + video_cases(
        "<|begin_of_video|><|video|><|end_of_video|>", "<|image|>", {"fps": 2}))


# Videos that make a batch once they are resized.
EVEN_VIDEOS = [[4, 48, 90, 2], [4, 60, 40, 3], [4, 30, 30, 0]]


def llava_videos():
    return video_cases("<video>", "<image>", videos=EVEN_VIDEOS)


INTERNVL = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>"}
GEMMA = {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}

GEMMA_SOUND = {"audio_token": "<audio_soft_token>", "boa_token": "<start_of_audio>", "eoa_token": "<end_of_audio>"}
GEMMA4 = {**GEMMA, **GEMMA_SOUND}
MINICPM = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>", "image_start_token": "<image>",
           "image_end_token": "</image>", "slice_start_token": "<slice>", "slice_end_token": "</slice>",
           "image_id_start_token": "<image_id>", "image_id_end_token": "</image_id>"}
NAMED_QWEN = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
OMNI = {"image_token": "<|IMAGE|>", "audio_token": "<|AUDIO|>", "video_token": "<|VIDEO|>",
        "vision_bos_token": "<|vision_bos|>", "vision_eos_token": "<|vision_eos|>",
        "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>"}
SPEECH = {"audio_token": "<|audio_pad|>", "audio_bos_token": "<|audio_start|>", "audio_eos_token": "<|audio_end|>"}


def both(image, sound):
    """Cases of images, of sounds, and one of both."""
    return [*image_cases(image)[1:3], *sound_cases(sound)[:2],
            {"texts": [f"{sound} then {image}"], "images": [[SIZES[0]]], "sounds": [16000]}]


def minicpm():
    small = {"scale_resolution": 112, "max_slice_nums": 9}
    return {"named": MINICPM, "image": small, "video": small,
            "cases": image_cases("<|image_pad|>") + video_cases("<|video_pad|>", "<|image_pad|>", {"max_num_frames": 3},
                                                                videos=[[2, 48, 90, 2], [3, 160, 90, 3], [1, 30, 30, 0]])}


MUSE = ["<|patch|>", "<|image_start|>", "<|image_end|>", "<|video|>", "<|vid_frame_separator|>", "<|vid_start|>",
        "<|vid_end|>"]


def omni():
    """Videos without sounds, and with them between their tokens: of a video, of two of three beside another sound."""
    video = "<|vision_bos|><|VIDEO|><|vision_eos|>"
    plain = {"text_kwargs": {"padding": True}, "load_audio_from_video": True,
             "videos_kwargs": {"do_sample_frames": False}}
    return {"named": OMNI, "image": BUDGET, "video": BUDGET, "sound": {"chunk_length": 5},
            "cases": both("<|IMAGE|>", "<|AUDIO|>") + video_cases(video, "<|IMAGE|>") + [
                {"texts": [f"{video} heard"], "videos": [[14, 48, 90, 2]], "sounds": [66000],
                 "arguments": {**plain, "audio_from_video_indices": [0]}},
                {"texts": [f"{video} and {video}", f"{video}, <|AUDIO|>."], "videos": VIDEOS,
                 "sounds": [16000, 3000, 41000], "arguments": {
                     **plain, "audio_from_video_indices": [2, None, 0],
                     "videos_kwargs": {"do_sample_frames": False, "fps": 1.5, "size": {"shortest_edge": 3136,
                                                                                       "longest_edge": 50176}}}}]}


def boxes_as_tuples(arguments):
    """Kosmos-2 tells boxes from lists of them by their types."""
    def convert(value):
        is_box = isinstance(value, list) and value and isinstance(value[0], (int, float))
        return tuple(value) if is_box else [convert(v) for v in value] if isinstance(value, list) else value
    return {"bboxes": convert(arguments["bboxes"])} if "bboxes" in arguments else {}


PADDED = {"text_kwargs": {"padding": True}}
CUT = {"text_kwargs": {"padding": "max_length", "truncation": True, "max_length": 14}}


def beside_images(texts=("a cat", "two dogs"), **more):
    """Texts and images that stand side by side, and each of them alone."""
    wide, tall, odd, _ = SIZES
    return {"plain": True, "cases": [
        {"texts": [texts[0]], "images": [[wide]]}, {"texts": [texts[1]]}, {"images": [[tall, odd]]},
        {"texts": list(texts), "images": [[odd], [wide]], "arguments": {"text_kwargs": {"padding": True}}}], **more}


def beside_sounds(length=3000, **more):
    return {"plain": True, "cases": [{"texts": ["a bell"], "sounds": [length]}, {"texts": ["two bells"]},
                                     {"sounds": [length, length]}], **more}


CLIP_IMAGES = {"image": {"size": {"shortest_edge": 56}, "crop_size": SMALL}, "image_class": "CLIPImageProcessor"}

ROWS = {
    "CLIPProcessor": beside_images(model_type="clip", **CLIP_IMAGES),
    "AltCLIPProcessor": beside_images(**CLIP_IMAGES),
    "ChineseCLIPProcessor": beside_images(image={"size": SMALL, "crop_size": SMALL}),
    "FlavaProcessor": beside_images(image={"size": SMALL, "crop_size": SMALL}),
    "GitProcessor": beside_images(**CLIP_IMAGES),
    "SiglipProcessor": beside_images(image={"size": SMALL}),
    "Siglip2Processor": beside_images(),
    "Tipsv2Processor": beside_images(image={"size": SMALL}),
    "ViltProcessor": beside_images(image={"size": {"shortest_edge": 128}}),
    "VisionTextDualEncoderProcessor": beside_images(**CLIP_IMAGES),
    "AlignProcessor": beside_images(image={"size": SMALL, "crop_size": SMALL}),
    "BlipProcessor": beside_images(image={"size": SMALL}),
    "BridgeTowerProcessor": beside_images(image={"size": {"shortest_edge": 128}, "crop_size": {"shortest_edge": 128}}),
    "BrosProcessor": {"plain": True, "cases": [{"texts": ["a page"]}]},
    "TrOCRProcessor": beside_images(model_type="trocr", image_class="ViTImageProcessor", image={"size": SMALL}),
    "ClapProcessor": beside_sounds(sound={"max_length_s": 1}),
    "Wav2Vec2Processor": beside_sounds(sound_class="Wav2Vec2FeatureExtractor"),
    "Wav2Vec2BertProcessor": beside_sounds(),
    "WhisperProcessor": beside_sounds(sound={"chunk_length": 1}),
    "Speech2TextProcessor": beside_sounds(),
    "Qwen2VLProcessor": qwen_videos(),
    "Qwen2_5_VLProcessor": qwen_videos(),
    "Qwen3VLProcessor": qwen_videos(sampled={"fps": 2}),
    "CohereCompassProcessor": qwen("<|IMAGE_PAD|>", video=BUDGET, cases=image_cases("<|IMAGE_PAD|>") + video_cases(
        "<|VIDEO_PAD|>", "<|IMAGE_PAD|>", {"fps": 2})),
    "Exaone4_5_Processor": qwen_videos(),
    "Cosmos3EdgeProcessor": qwen(
        video=BUDGET, unrecorded_videos_kwargs={"return_metadata": True}, cases=image_cases("<|image_pad|>")
        + video_cases("<|vision_start|><|video_pad|><|vision_end|>", "<|image_pad|>", {"fps": 2})
        + video_cases("<|video_pad|>", sampled=False)[:1]),
    "VideoLlama3Processor": qwen(video=BUDGET, cases=image_cases("<|image_pad|>") + video_cases(
        "<|video_pad|>", "<|image_pad|>") + [
            {"texts": ["<|video_pad|> and <|video_pad|>"], "videos": VIDEOS[:2], "arguments": {  # hardly differ in time
                "text_kwargs": {"padding": True},
                "videos_kwargs": {"do_sample_frames": False, "rescale_factor": 3e-6}}}]),
    "HyperCLOVAXVisionV2Processor": qwen(
        video=BUDGET, cases=image_cases("<|image_pad|>")
        + video_cases("<|video_duration|> s <|video_pad|>", "<|image_pad|>")),
    "Lfm3VlProcessor": qwen_videos(sampled={"fps": 2}),
    "Kimi_K25Processor": {
        "tokens": ["<|media_pad|>", "<|kimi_k25_video_placeholder|>", "<|media_begin|>", "<|media_content|>",
                   "<|media_end|>"], "image": {"max_patches": 900}, "video": {"max_patches": 200},
        "cases": image_cases("<|media_pad|>") + video_cases("<|kimi_k25_video_placeholder|>", "<|media_pad|>",
                                                            {"fps": 2})},
    "PaddleOCRVLProcessor": qwen(named=NAMED_QWEN),
    "Glm4vProcessor": glm_videos(),
    "Glm46VProcessor": glm_videos(),
    "Glm5NextProcessor": glm_videos(image={"max_image_tokens": 64}, video={"max_image_tokens": 64}),
    "GlmImageProcessor": qwen(
        named={"image_token": "<|image|>", "grid_bos_token": "<sop>", "grid_eos_token": "<eop>"},
        cases=[{"texts": ["Paint <|image|> red"], "images": [[SIZES[0]]]}, {"texts": ["Paint a house"]},
               {"texts": ["<|image|> or <|image|>"], "images": [[SIZES[1], SIZES[2]]]}]),
    "Ernie4_5_VLMoeProcessor": qwen(
        named={"image_token": "<|IMAGE|>", "image_start_token": "<|IMAGE_START|>", "image_end_token": "<|IMAGE_END|>",
               "video_token": "<|VIDEO|>", "video_start_token": "<|VIDEO_START|>", "video_end_token": "<|VIDEO_END|>"},
        video={"draw_on_frames": False, **BUDGET}, unrecorded_videos_kwargs={"return_metadata": True},
        cases=image_cases("<|IMAGE_START|><|IMAGE|><|IMAGE_END|>") + video_cases(
            "<|VIDEO_START|><|VIDEO|><|VIDEO_END|>", "<|IMAGE|>", {"num_frames": 6, "min_frames": 2})),
    "MiniMaxM3VLProcessor": {
        "tokens": ["]<]image[>[", "]<]video[>[", "]<]start of image[>[", "]<]end of image[>["], "image": BUDGET,
        "cases": image_cases("]<]image[>[") + video_cases("]<]video[>[", "]<]image[>[", {"fps": 2}, videos=[
            [4, 56, 84, 2], [17, 56, 28, 3], [2, 28, 28, 0]])[:3]
        + [{"texts": ["]<]video[>[ larger"], "videos": [[12, 40, 56, 4]], "arguments": {
            "text_kwargs": {"padding": True}, "videos_kwargs": {"do_resize": True, "do_sample_frames": True,
                                                                "fps": 2}}}]},
    "MuseGlimmerProcessor": {
        "tokens": MUSE, "image": {"max_image_tokens": 64}, "video": {"max_video_frame_tokens": 16},
        "unrecorded_videos_kwargs": {"return_metadata": True},
        "cases": image_cases("<|patch|>") + video_cases("<|video|>", "<|patch|>")},
    "Inkling2Processor": {"tokens": ["<|unused_200054|>"], "cases": image_cases("<|unused_200054|>")},
    "HunYuanVLProcessor": qwen(
        named={"image_token": "<img>", "image_start_token": "<ims>", "image_end_token": "<ime>"},
        cases=image_cases("<ims><img><ime>")),
    "PixtralProcessor": {
        "tokens": ["[IMG]", "[IMG_BREAK]", "[IMG_END]"], "settings": {"patch_size": 4, "spatial_merge_size": 2},
        "image": {"size": {"longest_edge": 80}}, "cases": image_cases("[IMG]")},
    "LightOnOcrProcessor": {
        "named": {"image_token": "<|image_pad|>", "image_break_token": "<|break|>", "image_end_token": "<|end|>"},
        "settings": {"patch_size": 4}, "image": {"size": {"longest_edge": 80}, "patch_size": {"height": 8, "width": 8}},
        "image_class": "PixtralImageProcessor", "cases": image_cases("<|image_pad|>")},
    "Emu3Processor": {
        "named": {"image_token": "<image>", "boi_token": "<boi>", "eoi_token": "<eoi>",
                  "image_wrapper_token": "<wrap>", "eof_token": "<eof>"},
        "image": {"min_pixels": 4096, "max_pixels": 8192}, "cases": image_cases("<image>")},
    "LlavaProcessor": {
        "tokens": ["<image>"], "settings": {"patch_size": 14, "vision_feature_select_strategy": "default",
                                            "num_additional_image_tokens": 1},
        "image": {"size": {"shortest_edge": 56}, "crop_size": SMALL}, "image_class": "CLIPImageProcessor",
        "cases": image_cases("<image>")},
    "VideoLlavaProcessor": {
        "tokens": ["<image>", "<video>"], "image": {"size": {"shortest_edge": 56}, "crop_size": SMALL},
        "video": {"size": {"shortest_edge": 56}, "crop_size": SMALL},
        "cases": image_cases("<image>") + llava_videos()},
    "LlavaNextProcessor": {
        "tokens": ["<image>"], "settings": {"patch_size": 7, "vision_feature_select_strategy": "default",
                                            "num_additional_image_tokens": 1},
        "image": {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28},
                  "image_grid_pinpoints": PINPOINTS}, "cases": image_cases("<image>")},
    "LlavaNextVideoProcessor": {
        "tokens": ["<image>", "<video>"], "settings": {"patch_size": 7, "vision_feature_select_strategy": "full"},
        "image": {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28},
                  "image_grid_pinpoints": PINPOINTS}, "video": {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28}},
        "cases": image_cases("<image>")[:2] + llava_videos()},
    "Granite4VisionProcessor": {
        "tokens": ["<image>"], "settings": {"patch_size": 4, "vision_feature_select_strategy": "full",
                                            "downsample_rate": "4/7"},
        "image": {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28},
                  "image_grid_pinpoints": PINPOINTS}, "cases": image_cases("<image>")},
    "LlavaOnevisionProcessor": {
        "tokens": ["<image>", "<video>"],
        "settings": {"num_image_tokens": 49, "vision_feature_select_strategy": "full",
                     "vision_aspect_ratio": "anyres_max_2"},
        "image": {"size": {"height": 28, "width": 28},
                  "image_grid_pinpoints": [*PINPOINTS, [28, 140], [140, 28], [84, 84]]},
        "video": {"size": {"height": 28, "width": 28}},
        "cases": image_cases("<image>") + llava_videos()},
    "Lfm2VlProcessor": {
        "tokens": ["<image>", "<|image_start|>", "<|image_end|>", "<|img_thumbnail|>", "<|img_row_1_col_1|>"],
        "nested": True, "image": {"tile_size": 96, "max_image_tokens": 16, "min_image_tokens": 4},
        "cases": image_cases("<image>", several=False, sizes=[[60, 300], [300, 220], [61, 53], [20, 20]])
        + image_cases("<image>")[2:]},
    "InternVLProcessor": {
        "named": INTERNVL, "settings": {"image_seq_length": 5}, "image": {"size": SMALL}, "video": {"size": SMALL},
        "cases": image_cases("<IMG_CONTEXT>") + video_cases("<video>", "<IMG_CONTEXT>", videos=EVEN_VIDEOS)},
    "QianfanOCRProcessor": {
        "named": INTERNVL, "tokens": ["<image>"], "settings": {"image_seq_length": 5}, "image": {"size": SMALL},
        "cases": image_cases("<image>")},
    "AyaVisionProcessor": {
        "tokens": ["<image>", "<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "TILE_GLOBAL"],
        "settings": {"patch_size": 14, "img_size": 56, "downsample_factor": 2}, "image": {"size": SMALL},
        "cases": image_cases("<image>")},
    "Cohere2VisionProcessor": {
        "named": {"boi_token": "<boi>", "eoi_token": "<eoi>", "image_token": "<image>", "img_line_break_token": "<nl>"},
        "image": {"size": SMALL, "patch_size": 4}, "cases": image_cases("<image>")},
    "GotOcr2Processor": {
        "tokens": ["<imgpad>", "<img>", "</img>", "<|im_start|>", "<|im_end|>"], "image": {"size": SMALL},
        "cases": [*[{**case, "arguments": {"text_kwargs": {"padding": True}, "num_image_tokens": 4,
                                           "images_kwargs": {"crop_to_patches": True, "max_patches": 6}}}
                    for case in image_cases("<imgpad>")],
                  {"images": [[SIZES[0], SIZES[2]]], "arguments": {"text_kwargs": {"padding": True}, "format": True}}]},
    "AriaProcessor": {
        "named": {"image_token": "<fim_prefix>"}, "settings": {"size_conversion": {490: 9, 980: 16}},
        "cases": [{**case, "arguments": {"text_kwargs": {"padding": True}, "images_kwargs": {
            "max_image_size": 490, "split_image": index != 1}}}
            for index, case in enumerate(image_cases("<fim_prefix>"))]},
    "Ovis2Processor": {
        "tokens": ["<image>", "<IMG_START>", "<IMG_ATOM>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>"],
        "settings": {"image_seq_length": 5}, "image": {"size": SMALL, "crop_to_patches": True},
        "cases": image_cases("<image>")},
    "Step3p7Processor": {
        "tokens": ["<im_patch>", "<patch_start>", "<patch_end>", "<patch_newline>", "<im_start>", "<im_end>"],
        "image": {"size": {"height": 300, "width": 300}, "patch_size": 150},
        "cases": image_cases("<im_patch>", sizes=[[310, 700], [620, 400], [61, 53], [20, 20]])},
    "DeepseekOcr2Processor": {
        "tokens": ["<image>"], "image": {"size": {"height": 256, "width": 256}, "tile_size": 128},
        "cases": image_cases("<image>", sizes=[[130, 300], [290, 140], [61, 53], [20, 20]])},
    "UnlimitedOcrProcessor": {
        "tokens": ["<image>"], "image": {"size": {"height": 256, "width": 256}, "tile_size": 128},
        "cases": image_cases("<image>", sizes=[[130, 300], [290, 140], [61, 53], [20, 20]])},
    "PerceptionLMProcessor": {
        "named": {"image_token": "<|image|>", "video_token": "<|video|>"}, "settings": {"patch_size": 7},
        "image": {"tile_size": 56, "max_num_tiles": 6}, "video": {"size": SMALL},
        "cases": image_cases("<|image|>", several=False)
        + video_cases("<|video|>", "<|image|>", videos=EVEN_VIDEOS)},
    "Llama4Processor": {
        "tokens": ["<|image|>", "<|image_start|>", "<|image_end|>", "<|patch|>", "<|tile_x_separator|>",
                   "<|tile_y_separator|>"], "image": {"size": SMALL, "max_patches": 6},
        "cases": image_cases("<|image|>")},
    "Molmo2Processor": {
        "named": {"image_token": "<|image|>", "video_token": "<|video|>"},
        "tokens": ["<im_patch>", "<im_col>", "<im_start>", "<low_res_im_start>", "<frame_start>", "<im_end>",
                   "<frame_end>", "<im_low>"], "image": {"size": SMALL, "max_crops": 3, "overlap_margins": [1, 1]},
        "video": {"size": SMALL}, "cases": image_cases("<|image|>") + [
            {**case, "texts": texts} for case, texts in zip(
                video_cases("<|video|>", "<|image|>"),
                [["See <|video|>"], ["<|video|>", "a <|video|>", "<|video|>."], ["<|video|> or <|image|>"],
                 ["<|video|> less"]])]},
    "MiniCPMOcrProcessor": minicpm(),
    "MiniCPMV4_6Processor": minicpm(),
    "MiniCPMV4_7Processor": minicpm(),
    "NeoMMEProcessor": {
        "named": {"image_token": "<image>", "row_token": "<row>", "document_token": "<doc>", "query_token": "<query>"},
        "image": {"size": {"min_pixels": 40000, "max_pixels": 90000}},
        "cases": [{"images": [[size]], "arguments": {"text_kwargs": {"padding": True, "add_special_tokens": False}}}
                  for size in SIZES[:2]] + [{"images": [SIZES[:3]], "arguments": {
                      "text_kwargs": {"padding": True, "add_special_tokens": False}}}]},
    "IdeficsProcessor": {
        "tokens": ["<image>", "<fake_token_around_image>"], "image": {"image_size": 30},
        "cases": [{"texts": [" What is it? "], "images": [[SIZES[0]]]}, {"texts": ["No image."]},
                  {"texts": ["one", "the other"], "images": [SIZES[1:2], SIZES[2:3]]},
                  {"texts": ["one", "the other"], "images": [SIZES[1:3]],
                   "arguments": {"text_kwargs": {"padding": True}, "add_eos_token": True}}]},
    "Idefics2Processor": {
        "tokens": ["<image>", "<fake_token_around_image>", "<end_of_utterance>"], "settings": {"image_seq_len": 5},
        "nested": True, "image": {"size": {"shortest_edge": 30, "longest_edge": 60}},
        "cases": image_cases("<image>") + [{"texts": ["<image><image>word"], "images": [SIZES[:2]]}]},
    "Idefics3Processor": {
        "tokens": ["<row_1_col_1>", "<global-img>"], "settings": {"image_seq_len": 5}, "nested": True,
        "image": {"size": {"longest_edge": 120}, "max_image_size": {"longest_edge": 56}},
        "cases": image_cases("<image>")},
    "ColModernVBertProcessor": {
        "image_class": "Idefics3ImageProcessor",
        "tokens": ["<row_1_col_1>", "<global-img>"], "settings": {"image_seq_len": 5}, "nested": True,
        "image": {"size": {"longest_edge": 120}, "max_image_size": {"longest_edge": 56}},
        "cases": image_cases("<image>")[:3]},
    "SmolVLMProcessor": {
        "tokens": ["<row_1_col_1>", "<global-img>", "<image>", "<fake_token_around_image>", "<end_of_utterance>",
                   "<video>"],
        "settings": {"image_seq_len": 5}, "nested": True,
        "image": {"size": {"longest_edge": 120}, "max_image_size": {"longest_edge": 56}},
        "video": {"size": {"longest_edge": 60}, "max_image_size": {"longest_edge": 20}},
        "cases": image_cases("<image>") + video_cases("<video>", "<image>", {"num_frames": 6, "fps": 2})
        + video_cases("<video>", sampled=False, videos=[[123, 24, 20, 1]])[:1]},
    "GraniteDoclingProcessor": {
        "tokens": ["<image>", "<fake_token_around_image>", "<global-img>", "<row_1_col_1>"],
        "settings": {"image_seq_len": 5}, "nested": True,
        "cases": image_cases("<image>", several=False, sizes=[[100, 1300], [700, 500], [61, 53], [20, 20]])},
    "DeepseekVLProcessor": {
        "named": {"image_token": "<image_placeholder>"}, "settings": {"num_image_tokens": 7}, "image": {"size": SMALL},
        "cases": image_cases("<image_placeholder>")},
    "DeepseekVLHybridProcessor": {
        "named": {"image_token": "<image_placeholder>"}, "settings": {"num_image_tokens": 7},
        "image": {"size": SMALL, "high_res_size": {"height": 112, "width": 112}},
        "cases": image_cases("<image_placeholder>")[:3]},
    "JanusProcessor": {
        "named": {"image_token": "<image_placeholder>", "boi_token": "<begin_of_image>", "eoi_token": "<end_of_image>"},
        "settings": {"num_image_tokens": 7, "use_default_system_prompt": True}, "image": {"size": SMALL},
        "cases": image_cases("<image_placeholder>")},
    "ChameleonProcessor": {
        "named": {"image_token": "<image>", "boi_token": "<racm3:break>", "eoi_token": "<eoss>"},
        "settings": {"image_seq_length": 7}, "image": {"size": {"shortest_edge": 56}, "crop_size": SMALL},
        "cases": image_cases("<image>")},
    "PaliGemmaProcessor": {
        "named": {"image_token": "<image>"}, "image": {"size": SMALL, "image_seq_length": 7},
        "cases": [{"texts": ["caption en"], "images": [[SIZES[0]]]}, *image_cases("<image>")[1:],
                  {"texts": ["one", "and two"], "images": [[SIZES[0]], [SIZES[1]]]}]},
    "ColPaliProcessor": {
        "named": {"image_token": "<image>"}, "image": {"size": SMALL, "image_seq_length": 7},
        "cases": [{"images": [SIZES[:2]]}, {"texts": ["what is this", "and that one"]}]},
    "ColQwen2Processor": qwen(named=NAMED_QWEN, cases=[{"images": [SIZES[:3]]}, {"texts": ["what is this", "and that"]}]),
    "Florence2Processor": {
        "named": {"image_token": "<image>"}, "image": {"size": SMALL, "image_seq_length": 7},
        "image_class": "CLIPImageProcessor",
        "cases": [{"texts": ["<OCR>"], "images": [[SIZES[0]]]},
                  {"texts": ["<REGION_TO_OCR> here ", "free text"], "images": [[SIZES[0]], [SIZES[1]]]}]},
    "Gemma3Processor": {
        "named": GEMMA, "settings": {"image_seq_length": 7}, "image": {"size": SMALL}, "nested": True,
        "cases": [*image_cases("<start_of_image>"),
                  {"texts": ["<start_of_image> closer"], "images": [[SIZES[0]]], "arguments": {
                      "text_kwargs": {"padding": True}, "images_kwargs": {
                          "do_pan_and_scan": True, "pan_and_scan_min_crop_size": 30}}}, {"images": [SIZES[:2]]}]},
    "ShieldGemma2Processor": {
        "named": GEMMA, "settings": {"image_seq_length": 7}, "image": {"size": SMALL},
        "chat_template": "{% for m in messages %}<{{ m.role }}>{% for c in m.content %}{% if c.type == 'image' %}"
                         "<start_of_image>{% else %}{{ c.text | trim }}{% endif %}{% endfor %}{{ eos_token }}{% endfor %}",
        "cases": [{"images": [SIZES[:2]], "arguments": {}},
                  {"images": [SIZES[2:3]], "arguments": {
                      "policies": ["own", "violence"], "custom_policies": {"own": "No \"quotes\".", "other": "x"}}},
                  {"images": [SIZES[3:4]], "arguments": {"custom_policies": {"sexual": "Short.", "own": "No cats."}}}]},
    "Gemma3nProcessor": {
        "named": GEMMA4, "settings": {"image_seq_length": 7, "audio_seq_length": 5}, "image": {"size": SMALL},
        "image_class": "SiglipImageProcessor", "cases": both("<image_soft_token>", "<audio_soft_token>")},
    "Gemma4Processor": {
        "named": GEMMA4, "tokens": ["<|video|>"], "image": {"max_soft_tokens": 70}, "nested": True,
        "cases": both("<image_soft_token>", "<audio_soft_token>")
        + video_cases("<|video|>", "<image_soft_token>", videos=EVEN_VIDEOS)},
    "Gemma4UnifiedProcessor": {
        "named": GEMMA4, "tokens": ["<|video|>"], "image": {"max_soft_tokens": 70}, "nested": True,
        "cases": both("<image_soft_token>", "<audio_soft_token>")
        + video_cases("<|video|>", "<image_soft_token>", videos=EVEN_VIDEOS)},
    "EmbeddingGemma2Processor": {
        "named": GEMMA4, "tokens": ["<|video|>"], "image": {"max_soft_tokens": 70}, "nested": True,
        "cases": [*both("<image_soft_token>", "<audio_soft_token>"),
                  *video_cases("<|video|>", "<image_soft_token>", {"fps": 2}, videos=EVEN_VIDEOS),
                  *({**case, "arguments": {**case["arguments"], "videos_kwargs": {
                      "do_sample_frames": False, "add_timestamps": True}}}
                    for case in video_cases("<|video|>", sampled=False, videos=[
                        [4, 48, 90, 2], [7, 48, 90, 3], [150, 48, 90, 2]])),
                  *({"texts": [f"{text} heard"], "videos": videos, "sounds": sounds, "arguments": {
                      "text_kwargs": {"padding": True}, "load_audio_from_video": True,
                      "audio_from_video_indices": indices,
                      "videos_kwargs": {"do_sample_frames": False, "add_timestamps": True}}}
                    for text, videos, sounds, indices in (
                        ("<|video|>", [[9, 48, 90, 2]], [66000], [0]), ("<|video|>", [[3, 48, 90, 4]], [41000], [0]),
                        ("<|video|>, <audio_soft_token><|video|>", [[12, 48, 90, 2], [7, 48, 90, 3]],
                         [3000, 16000, 101000], [1, None, 0]))),
                  {"images": [SIZES[:2]], "sounds": [3000]}, {"videos": EVEN_VIDEOS[:2], "sounds": [3000, 16000]}]},
    "MllamaProcessor": {
        "tokens": ["<|image|>", "<|python_tag|>"], "nested": True, "image": {"size": SMALL},
        "cases": [{**case, "texts": [text.replace(" what", "<s>what") for text in case["texts"]]}
                  for case in image_cases("<|image|>")]
        + [{"texts": ["<|image|><|image|>Both.", "<|image|>"], "images": [SIZES[:2], SIZES[2:3]]},
           {"texts": ["a <|image|><|image|> b <|image|> c"], "images": [SIZES[:3]],
            "arguments": {"text_kwargs": {"padding": True}}}]},
    "Blip2Processor": {
        "tokens": ["<image>"], "settings": {"num_query_tokens": 5}, "image": {"size": SMALL},
        "cases": [{"texts": ["Question: what? Answer:"], "images": [[SIZES[0]]]},
                  {"texts": ["one", "and two"], "images": [SIZES[1:3]]},
                  {"texts": ["a text that is cut"], "images": [SIZES[:1]], "arguments": CUT}]},
    "InstructBlipProcessor": {
        "tokens": ["<image>"], "settings": {"num_query_tokens": 5}, "image": {"size": SMALL},
        "cases": [{"texts": ["Question: what? Answer:"], "images": [[SIZES[0]]]},
                  {"texts": ["one", "and two"], "images": [SIZES[1:3]]},
                  {"texts": ["a text that is cut"], "images": [SIZES[:1]], "arguments": CUT}]},
    "InstructBlipVideoProcessor": {
        "tokens": ["<video>"], "settings": {"num_query_tokens": 3}, "video": {"size": SMALL}, "flat": True,
        "cases": [{"texts": ["Question: what? Answer:"], "videos": [[4, 48, 90, 2]]}, {"texts": ["No video."]},
                  {"texts": ["one", "and two"], "videos": EVEN_VIDEOS[:2]},
                  {"texts": ["a text that is cut"], "videos": EVEN_VIDEOS[:1], "arguments": CUT}]},
    "PI0Processor": {
        "image_class": "SiglipImageProcessor", "image": {"size": SMALL, "image_seq_length": 3}, "nested": True,
        "tokens": ["<image>"], "arguments": {"text_kwargs": {}},
        "settings": {"max_state_dim": 5, "chunk_size": 2, "state_mean": [0.5, 1.0, -2.0], "state_std": [2.0, 0.1, 3.0],
                     "actions_mean": [0.25, 0.5], "actions_std": [0.3, 4.0]},
        "cases": [{"texts": ["pick it up"], "images": [SIZES[:2]]},
                  {"texts": ["one", "and two", "three"], "images": [SIZES[:1], SIZES[1:4], SIZES[2:4]],
                   "arguments": {**PADDED, "state": [[1.5, 2.0, 3.0], [4.0, 5.0, 6.5], [0.0, 0.0, 0.0]],
                                 "actions": [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.5]], [[0, 1], [2, 3]]]}},
                  {"images": [SIZES[:1]], "arguments": {"text_kwargs": {"max_length": 20},
                                                         "state": [1.0, 2.0, 3.0]}}]},
    "FuyuProcessor": {
        "tokens": ["|SPEAKER|", "|NEWLINE|", "<0x04>"], "replaced": [r"^\|SPEAKER\|\|", "_|SPEAKER||"],
        "image": {"size": {"height": 90, "width": 120}, "patch_size": {"height": 15, "width": 30}},
        "cases": [{"texts": ["What is it?\n"], "images": [[[48, 150]]]}, {"texts": ["No image.", "and none"]},
                  {"texts": ["one", "the other", "a third"], "images": [[[160, 40], [61, 53], [90, 120]]]},
                  {"texts": ["other patches"], "images": [[[20, 20]]],
                   "arguments": {**PADDED, "return_legacy_image_output": False}}]},
    "Kosmos2Processor": {
        "model_type": "kosmos-2", "settings": {"num_patch_index_tokens": 16}, "python": boxes_as_tuples,
        "image": {"size": {"shortest_edge": 56}, "crop_size": SMALL},
        "cases": [{"texts": ["  An image of "], "images": [[SIZES[0]]], "arguments": {**PADDED, "num_image_tokens": 4}},
                  {"texts": ["No image.", "and <phrase>a\nb</phrase> none"], "arguments": PADDED},
                  {"texts": ["<grounding><phrase>a dog</phrase> and<phrase>cats</phrase>", "one", "<phrase>it</phrase>."],
                   "images": [SIZES[:3]], "arguments": {
                       **PADDED, "num_image_tokens": 3, "first_image_token_id": 7, "bboxes": [
                           [[1, 14], [[0.1, 0.2, 0.6, 0.9], [0, 5]]], None, [None]]}},
                  {"texts": ["<phrase>x</phrase> y", "z"], "images": [SIZES[1:3]], "arguments": {
                      "text_kwargs": {"padding": "max_length", "max_length": 32}, "num_image_tokens": 3,
                      "add_eos_token": True, "bboxes": [[[0.0, 0.0, 1.0, 1.0]], None]}},
                  {"texts": ["bare"], "images": [SIZES[:1]], "arguments": {
                      "text_kwargs": {"add_special_tokens": False}, "num_image_tokens": 2}}]},
    "Kosmos2_5Processor": {
        "model_type": "kosmos-2.5",
        "named": {"image_token": "<s1>", "boi_token": "<s0>", "eoi_token": "</s0>"}, "settings": {"num_image_tokens": 7},
        "arguments": {"images_kwargs": {"max_patches": 64}},
        "cases": [{"texts": ["<ocr>"], "images": [[SIZES[0]]]}, {"texts": ["<md>", "and more"], "images": [SIZES[1:3]]}]},
    "AudioFlamingo3Processor": {
        "tokens": ["<sound>"], "sound": {"chunk_length": 2}, "sound_class": "WhisperFeatureExtractor",
        "cases": sound_cases("<sound>", several=False)},
    "MusicFlamingoProcessor": {
        "tokens": ["<sound>", "<|sound_bos|>", "<|sound_eos|>"], "sound": {"chunk_length": 2},
        "sound_class": "WhisperFeatureExtractor", "settings": {"max_audio_len": 4},
        "cases": sound_cases("<sound>", several=False, lengths=(3000, 16000, 81000))},
    "GlmAsrProcessor": {
        "tokens": ["<|pad|>"], "sound": {"chunk_length": 2}, "sound_class": "WhisperFeatureExtractor",
        "cases": sound_cases("<|pad|>", several=False)},
    "Qwen2AudioProcessor": {
        "tokens": ["<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"], "sound": {"chunk_length": 5},
        "sound_class": "WhisperFeatureExtractor", "cases": sound_cases("<|AUDIO|>")},
    "Qwen3ASRProcessor": {"named": SPEECH, "cases": sound_cases("<|audio_pad|>", several=False)},
    "FunAsrNanoProcessor": {"tokens": ["<|object_ref_start|>"],
                            "cases": sound_cases("<|object_ref_start|>", several=False)},
    "GraniteSpeechProcessor": {"tokens": ["<|audio|>"], "cases": sound_cases("<|audio|>")},
    "VibeVoiceProcessor": {"tokens": ["<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"],
                           "cases": sound_cases("<|vision_pad|>")},
    "VibeVoiceAsrProcessor": {
        "tokens": ["<|box_start|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|AUDIO_DURATION|>"],
        "cases": [*sound_cases("<|box_start|>"),
                  {"texts": ["<|AUDIO_DURATION|> s: <|box_start|>"], "sounds": [41000]}]},
    "MossTranscribeDiarizeProcessor": {
        "tokens": ["<|audio_pad|>", "<|audio_start|>", "<|audio_end|>"], "sound": {"chunk_length": 2},
        "cases": sound_cases("<|audio_pad|>", lengths=(3000, 16000, 101000))},
    "Nemotron3_5TranscribeProcessor": {"tokens": ["<|audio|>"], "cases": sound_cases("<|audio|>", several=False)},
    "CsmProcessor": {"tokens": ["<|AUDIO|>", "<|audio_eos|>"], "cases": sound_cases("<|AUDIO|>")},
    "Qwen2_5OmniProcessor": omni(),
    "Qwen3OmniMoeProcessor": omni(),
    "Dots3NoteProcessor": {
        "tokens": ["<|imgpad|>", "<|video_pad|>", "<|audio_comp_pad|>"], "image": BUDGET, "video": BUDGET,
        "cases": both("<|imgpad|>", "<|audio_comp_pad|>") + video_cases("<|video_pad|>", "<|imgpad|>", {"fps": 2})},
    "MuseSparkProcessor": {
        "tokens": [*MUSE, "<|audio|>", "<|soft_audio_start|>", "<|soft_audio_end|>"],
        "image": {"max_image_tokens": 64}, "video": {"max_video_frame_tokens": 16},
        "unrecorded_videos_kwargs": {"return_metadata": True},
        "cases": both("<|patch|>", "<|audio|>") + video_cases("<|video|>", "<|patch|>")},
    "NemotronH_Omni_Reasoning_V3Processor": {
        "tokens": ["<image>", "<video>", "<so_embedding>", "<so_start>", "<so_end>", "<img>", "</img>"],
        "image": {"min_num_patches": 64, "max_num_patches": 100}, "sound_class": "ParakeetFeatureExtractor",
        "video": {"video_target_num_patches": 16, "norm_mean": [0.5, 0.4, 0.3], "norm_std": [0.2, 0.3, 0.25]}, "one_video": True,
        "cases": [*both("<image>", "<so_embedding>"),
                  *({"texts": [f"<video> in {index}"], "videos": [video]}
                    for index, video in enumerate([[4, 48, 90, 2], [7, 60, 40, 3], [1, 30, 30, 0]])),
                  {"texts": ["<video> or <image>"], "videos": [[5, 48, 90, 7]], "images": [[SIZES[0]]]}]},
    "Phi4MultimodalProcessor": {
        "named": {"image_token": "<|image|>", "audio_token": "<|audio|>"}, "image": {"size": SMALL, "dynamic_hd": 4},
        "cases": both("<|image|>", "<|audio|>")},
    "InklingProcessor": {
        "tokens": ["<|unused_200054|>", "<|unused_200053|>", "<|content_image|>", "<|content_audio_input|>"],
        "cases": both("<|unused_200054|>", "<|unused_200053|>")},
}

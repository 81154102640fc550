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


INTERNVL = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>"}
GEMMA = {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}

ROWS = {
    "Qwen2VLProcessor": qwen(),
    "PixtralProcessor": {
        "tokens": ["[IMG]", "[IMG_BREAK]", "[IMG_END]"], "settings": {"patch_size": 4, "spatial_merge_size": 2},
        "image": {"size": {"longest_edge": 80}}, "cases": image_cases("[IMG]")},
    "Idefics3Processor": {
        "tokens": ["<row_1_col_1>", "<global-img>"], "settings": {"image_seq_len": 5}, "nested": True,
        "image": {"size": {"longest_edge": 120}, "max_image_size": {"longest_edge": 56}},
        "cases": image_cases("<image>")},
    "Qwen2AudioProcessor": {
        "tokens": ["<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"], "sound": {"chunk_length": 5},
        "sound_class": "WhisperFeatureExtractor", "cases": sound_cases("<|AUDIO|>")},
}

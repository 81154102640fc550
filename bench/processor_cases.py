"""The cases of the processors' bench: processor_make.py makes them, processor_speed.py times them. Standard library only."""

# Files of the folder `media`: pixels (width, height) or seconds, and the rate, of one channel.
PHOTOS = {"small.jpg": (640, 480), "hd.jpg": (1920, 1080), "phone.jpg": (4000, 3000), "screen.png": (1280, 800)}
PHOTOS |= {f"batch{i}.jpg": (640, 480) for i in range(8)}
SOUNDS = {"30s_16k.wav": (30, 16000), "10s_16k.flac": (10, 16000), "10s_48k.wav": (10, 48000)}


class Case:
    """A class of transformers with the settings that it has when nothing is said but these; and what it is given."""

    def __init__(self, title, files, class_name, **settings):
        self.class_name, self.settings = class_name, settings
        self.files = files.split()
        self.is_sound = self.files[0] in SOUNDS
        self.title = f"{class_name}{title and ', '}{title}, {self.what()}"

    def what(self):
        if self.is_sound:
            seconds, rate = SOUNDS[self.files[0]]
            return f"{seconds} s of {rate // 1000} kHz {self.files[0].split('.')[-1].upper()}"
        width, height = PHOTOS[self.files[0]]
        kind = {"jpg": "JPEG", "png": "PNG"}[self.files[0].split(".")[-1]]
        return (f"{len(self.files)} x " if len(self.files) > 1 else "") + f"{kind} of {width} x {height}"


BATCH = " ".join(f"batch{i}.jpg" for i in range(8))
CASES = {
    "vit": Case("", "small.jpg", "ViTImageProcessor"),
    "clip": Case("", "small.jpg", "CLIPImageProcessor"),
    "clip_phone": Case("", "phone.jpg", "CLIPImageProcessor"),
    "clip_batch": Case("", BATCH, "CLIPImageProcessor"),
    "siglip": Case("384 x 384", "screen.png", "SiglipImageProcessor", size={"height": 384, "width": 384}),
    "detr": Case("", "small.jpg", "DetrImageProcessor"),
    "segformer": Case("", "small.jpg", "SegformerImageProcessor"),
    "sam": Case("", "hd.jpg", "SamImageProcessor"),
    "qwen2_vl": Case("", "hd.jpg", "Qwen2VLImageProcessor"),
    "pixtral": Case("", "hd.jpg", "PixtralImageProcessor"),
    "llava_next": Case("336 x 336", "hd.jpg", "LlavaNextImageProcessor", size={"shortest_edge": 336},
                       crop_size={"height": 336, "width": 336}),
    "internvl": Case("in tiles", "hd.jpg", "GotOcr2ImageProcessor", crop_to_patches=True,
                     size={"height": 448, "width": 448}),
    "whisper": Case("", "30s_16k.wav", "WhisperFeatureExtractor"),
    "wav2vec2": Case("", "10s_16k.flac", "Wav2Vec2FeatureExtractor"),
    "ast": Case("", "10s_16k.flac", "ASTFeatureExtractor"),
    "clap": Case("", "10s_48k.wav", "ClapFeatureExtractor"),
    "seamless": Case("", "10s_16k.flac", "SeamlessM4TFeatureExtractor"),
    "parakeet": Case("", "30s_16k.wav", "ParakeetFeatureExtractor"),
}

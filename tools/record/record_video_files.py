#!/usr/bin/env python3
"""Makes small video files, and records what transformers' video processors see in them.

Usage: tools/record/record_video_files.py --make FOLDER     (needs PyAV)
       tools/record/record_video_files.py FOLDER            (needs transformers, torch and torchcodec with FFmpeg's libraries)

The second writes FOLDER/expected.json: of each file what is known of it, the SHA-256 of its frames and some of their numbers;
and what a video processor makes of it, with the frames that it sampled.
"""

import hashlib
import json
import os
import struct
import sys

import numpy

# file: codec, width, height, frames, frames a second, pixel format, options
CLIPS = {
    "h264.mp4": ("libx264", 32, 32, 12, 10, "yuv420p", {"bf": "2", "g": "6", "crf": "28"}),
    "narrow.mp4": ("libx264", 36, 26, 7, 25, "yuv420p", {"bf": "2", "g": "6", "crf": "28"}),
    "ten_bits.mkv": ("libx264", 64, 20, 3, 10, "yuv420p10le", {"crf": "28"}),
    "vp9.webm": ("libvpx-vp9", 32, 24, 9, 15, "yuv420p", {"crf": "40", "b": "0"}),
    "mpeg4.avi": ("mpeg4", 32, 32, 8, 12, "yuv420p", {"b": "40000"}),
    "mjpeg.mkv": ("mjpeg", 40, 32, 4, 5, "yuvj420p", {}),
    "moving.gif": ("gif", 32, 20, 6, 10, "rgb8", {}),
}
FIXED = {"do_resize": True, "size": {"height": 6, "width": 8}, "do_center_crop": False}
CALLS = [
    ("h264.mp4", "LlavaOnevisionVideoProcessor", {**FIXED, "do_sample_frames": True, "num_frames": 4}),
    ("vp9.webm", "LlavaOnevisionVideoProcessor", {**FIXED, "do_sample_frames": True, "fps": 7}),
    ("moving.gif", "LlavaOnevisionVideoProcessor", {**FIXED, "do_sample_frames": False}),
    ("mpeg4.avi", "InternVLVideoProcessor", {**FIXED, "do_sample_frames": True, "num_frames": 3}),
]


def make(folder):
    import av

    for name, (codec, width, height, frames, rate, pixels, options) in CLIPS.items():
        with av.open(os.path.join(folder, name), "w") as file:
            stream = file.add_stream(codec, rate=rate, options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, pixels
            y, x = numpy.mgrid[:height, :width]
            for i in range(frames):
                colors = [x * 7 + i * 20, y * 5 + i * 9, (x + y) * 4 + i * 31]
                frame = av.VideoFrame.from_ndarray(numpy.stack([c % 256 for c in colors], -1).astype(numpy.uint8), format="rgb24")
                frame.pts = i
                for packet in stream.encode(frame):
                    file.mux(packet)
            for packet in stream.encode():
                file.mux(packet)
    turn(os.path.join(folder, "narrow.mp4"), os.path.join(folder, "turned.mp4"))


def turn(path, to):
    """The same with a matrix that turns what is shown by 90 degrees."""
    with open(path, "rb") as file:
        data = file.read()
    at = data.index(b"tkhd") + 44
    one = 0x10000
    matrix = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    with open(to, "wb") as file:
        file.write(data[:at] + matrix + data[at + 36:])


def described(path):
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(path, seek_mode="exact")
    known = decoder.metadata
    frames = decoder.get_frames_at(indices=list(range(known.num_frames))).data.permute(0, 2, 3, 1).contiguous().numpy()
    return {
        "file": os.path.basename(path), "frames": known.num_frames, "fps": known.average_fps, "duration": known.duration_seconds,
        "height": frames.shape[1], "width": frames.shape[2],
        "sha256": [hashlib.sha256(frame.tobytes()).hexdigest() for frame in frames],
        "corners": [[frame[0, 0].tolist(), frame[-1, -1].tolist()] for frame in frames],
    }


def processed(folder, name, kind, settings):
    import transformers

    made = getattr(transformers, kind)(**settings)(videos=os.path.join(folder, name), return_tensors="pt", return_metadata=True)
    values = made["pixel_values_videos"].numpy()
    indices = [int(i) for i in made["video_metadata"][0].frames_indices]
    return {"file": name, "config": {"video_processor_type": kind, **settings}, "frames_indices": indices, "shape": list(values.shape),
            "values": [float(f"{v:.7g}") for v in values.reshape(-1)]}


def record(folder):
    files = sorted(name for name in os.listdir(folder) if name.rsplit(".", 1)[-1] in ("mp4", "mkv", "webm", "avi", "gif"))
    answers = {"files": [described(os.path.join(folder, name)) for name in files],
               "calls": [processed(folder, *call) for call in CALLS]}
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(answers, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--make":
        make(sys.argv[2])
    elif len(sys.argv) == 2:
        record(sys.argv[1])
    else:
        sys.exit(__doc__)

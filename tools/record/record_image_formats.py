#!/usr/bin/env python3
"""Records small TIFF, BMP, PBM, PGM, PPM and PNG files and what PIL sees in them.

Usage: tools/record/record_image_formats.py          writes into tests/unit/media/data/formats

Kinds that Pillow does not write are put together here. Needs Pillow, transformers and numpy.
"""

import os
import struct

import numpy
from PIL import Image, PngImagePlugin
from transformers.image_utils import load_image

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/unit/media/data/formats")
WIDTH, HEIGHT = 19, 14


def noise(*shape, most=255, seed=5):
    return numpy.random.default_rng(seed).integers(0, most + 1, shape)


def smooth(channels):
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [(x * 11 + y * 3 + 40 * c) % 256 for c in range(channels)]
    return numpy.stack(planes, axis=-1).astype(numpy.uint8)


RGB = smooth(3)
GREY = smooth(1)[..., 0]


def palette_image():
    image = Image.fromarray((GREY % 16).astype(numpy.uint8), "P")
    image.putpalette([value for i in range(16) for value in (i * 16, 255 - i * 9, (i * 53) % 256)])
    return image


def packed(values, bits):
    """Rows of samples of 1, 2 or 4 bits, each row from a whole byte on."""
    rows = []
    for row in values:
        text = "".join(format(int(value), f"0{bits}b") for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)))
    return rows


def tiff(tags, blocks, order="<"):
    """A file of uncompressed blocks. tags: {number: (kind, [values])}; kind 3 short, 4 long."""
    tags = dict(tags)
    offsets, at = [], 8
    for block in blocks:
        offsets.append(at)
        at += len(block) + len(block) % 2
    where, counts = (324, 325) if 322 in tags else (273, 279)
    tags[where], tags[counts] = (4, offsets), (4, [len(block) for block in blocks])
    sizes = {3: ("H", 2), 4: ("I", 4)}
    entries, extra, begin = [], b"", at + 2 + 12 * len(tags) + 4
    for number in sorted(tags):
        kind, values = tags[number]
        body = struct.pack(order + sizes[kind][0] * len(values), *values)
        if len(body) > 4:
            field = struct.pack(order + "I", begin + len(extra))
            extra += body
        else:
            field = body.ljust(4, b"\0")
        entries.append(struct.pack(order + "HHI", number, kind, len(values)) + field)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at)
    data = b"".join(block + b"\0" * (len(block) % 2) for block in blocks)
    return head + data + struct.pack(order + "H", len(tags)) + b"".join(entries) + b"\0" * 4 + extra


def tiff_tags(bits, photometric, samples=1, **more):
    tags = {256: (4, [WIDTH]), 257: (4, [HEIGHT]), 258: (3, [bits] * samples), 259: (3, [1]), 262: (3, [photometric])}
    tags.update({277: (3, [samples]), 278: (4, [HEIGHT])})
    tags.update({int(key[1:]): value for key, value in more.items()})
    return {number: value for number, value in tags.items() if value}


def tiff_files():
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield f"rgb_{compression}.tiff", (Image.fromarray(RGB), {"compression": compression})
    yield "ycbcr.tiff", (Image.fromarray(RGB), {"compression": "jpeg", "quality": 90})
    yield "bilevel_group4.tiff", (Image.fromarray(GREY).convert("1"), {"compression": "group4"})
    yield "gray.tiff", (Image.fromarray(GREY), {})
    yield "gray16.tiff", (Image.fromarray(noise(HEIGHT, WIDTH, most=600).astype(numpy.uint16)), {})
    yield "palette.tiff", (palette_image(), {})
    yield "rgba.tiff", (Image.fromarray(smooth(4), "RGBA"), {})
    yield "la.tiff", (Image.fromarray(smooth(2), "LA"), {})
    yield "cmyk.tiff", (Image.fromarray(smooth(4), "CMYK"), {})
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "orientation6.tiff", (Image.fromarray(RGB), {"exif": exif})
    wide = (RGB.astype(numpy.uint16) * 250 + 77)
    yield "rgb16_big_endian.tiff", tiff(tiff_tags(16, 2, 3), [wide.astype(">u2").tobytes()], ">")
    planes = [RGB[..., c].tobytes() for c in range(3)]
    yield "planes.tiff", tiff(tiff_tags(8, 2, 3, t284=(3, [2])), planes)
    padded = numpy.zeros((16, 32, 3), numpy.uint8)
    padded[:HEIGHT, :WIDTH] = RGB
    tiles = [padded[:, x : x + 16].tobytes() for x in (0, 16)]
    tags = tiff_tags(8, 2, 3, t322=(4, [16]), t323=(4, [16]), t278=None)
    yield "tiles.tiff", tiff(tags, tiles)
    for bits in (1, 2, 4, 8):
        rows = packed(GREY >> (8 - bits), bits)
        yield f"white_is_zero{bits}.tiff", tiff(tiff_tags(bits, 0), [b"".join(rows)])
    premultiplied = smooth(4)
    premultiplied[..., :3] = premultiplied[..., :3] * (premultiplied[..., 3:] / 255.0)
    yield "premultiplied.tiff", tiff(tiff_tags(8, 2, 4, t338=(3, [1])), [premultiplied.tobytes()])
    strips = [RGB[y : y + 5].tobytes() for y in range(0, HEIGHT, 5)]
    yield "strips.tiff", tiff({**tiff_tags(8, 2, 3), 278: (4, [5])}, strips)
    yield "big.tiff", (Image.fromarray(RGB), {"big_tiff": True})
    yield "gray12.tiff", tiff(tiff_tags(12, 1), [b"".join(packed(noise(HEIGHT, WIDTH, most=600), 12))])
    signed = noise(HEIGHT, WIDTH, most=600) - 150
    for bits, order in ((8, "<"), (16, "<"), (16, ">"), (32, "<"), (32, ">")):
        values = signed.astype(f"{order}i{bits // 8}").tobytes()
        name = f"signed{bits}{'_big_endian' if order == '>' else ''}.tiff"
        yield name, tiff(tiff_tags(bits, 1, t339=(3, [2])), [values], order)
    reals = (signed * 0.77).astype("<f4")
    yield "float.tiff", tiff(tiff_tags(32, 1, t339=(3, [3])), [reals.tobytes()])
    yield "float_white_is_zero.tiff", tiff(tiff_tags(32, 0, t339=(3, [3])), [reals.tobytes()])
    yield "unsigned32.tiff", tiff(tiff_tags(32, 1), [noise(HEIGHT, WIDTH, most=400).astype("<u4").tobytes()])
    luma = numpy.asarray(Image.fromarray(RGB).convert("YCbCr"))
    yield "ycbcr_lzw.tiff", (Image.fromarray(luma, "YCbCr"), {"compression": "tiff_lzw"})


def bmp(bits, rows, palette=b"", compression=0, masks=b"", height=HEIGHT, data=None):
    if data is None:
        data = b"".join(row + b"\0" * (-len(row) % 4) for row in rows)
    offset = 14 + 40 + len(masks) + len(palette)
    head = struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + head + masks + palette + data


def word_rows(red, green, blue):
    words = ((RGB[..., 0] >> (8 - red)).astype(int) << (green + blue)) | (
        (RGB[..., 1] >> (8 - green)).astype(int) << blue) | (RGB[..., 2] >> (8 - blue))
    return [row.astype("<u2").tobytes() for row in words[::-1]]


def bmp_files():
    for name, image in (("bilevel", Image.fromarray(GREY).convert("1")), ("gray", Image.fromarray(GREY)),
                        ("palette", palette_image()), ("rgb", Image.fromarray(RGB)),
                        ("rgba", Image.fromarray(smooth(4), "RGBA"))):
        yield f"{name}.bmp", (image, {})
    yield "words555.bmp", bmp(16, word_rows(5, 5, 5))
    yield "words565.bmp", bmp(16, word_rows(5, 6, 5), compression=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    yield "rgbx32.bmp", bmp(32, [smooth(4)[y].tobytes() for y in range(HEIGHT)])
    palette = b"".join(bytes([i * 15, 255 - i * 7, i * 53 % 256, 0]) for i in range(16))
    yield "palette4.bmp", bmp(4, packed(GREY >> 4, 4), palette)
    yield "top_down.bmp", bmp(24, [row.tobytes() for row in RGB], height=-HEIGHT)
    runs = b""
    for y in range(HEIGHT):
        runs += bytes([7, y % 16, 5, 15 - y, 0, 7, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0])
    yield "rle8.bmp", bmp(8, [], palette, 1, data=runs + b"\0\1")
    runs = b""
    for y in range(HEIGHT):
        runs += bytes([9, y * 16 + 15 - y, 0, 5, 0x12, 0x34, 0x50, 0])
        runs += bytes([0, 2, 5, 0, 0, 0]) if y % 2 else bytes([5, 0x78, 0, 0])
    yield "rle4.bmp", bmp(4, [], palette, 2, data=runs + b"\0\1")
    core = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24)
    rows = b"".join(row.tobytes() + b"\0" * (-len(row.tobytes()) % 4) for row in RGB)
    yield "core_header.bmp", b"BM" + struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) + core + rows


def plain(values):
    return "\n".join(" ".join(str(int(value)) for value in row.reshape(-1)) for row in values).encode()


def pnm_files():
    size = b"%d %d\n" % (WIDTH, HEIGHT)
    bits = noise(HEIGHT, WIDTH, most=1)
    yield "plain.pbm", b"P1 # a comment\n" + size + plain(bits).replace(b" ", b"")
    yield "raw.pbm", b"P4\n" + size + b"".join(packed(bits, 1))
    yield "plain.pgm", b"P2\n#a\n#b\n" + size + b"100\n" + plain(noise(HEIGHT, WIDTH, most=100)) + b"\n"
    yield "plain16.pgm", b"P2\n" + size + b"1000\n" + plain(noise(HEIGHT, WIDTH, most=6))
    yield "raw.pgm", b"P5\n" + size + b"255\n" + GREY.tobytes()
    yield "raw_of_50.pgm", b"P5 " + size + b"50\n" + noise(HEIGHT, WIDTH, most=60).astype(numpy.uint8).tobytes()
    yield "raw16.pgm", b"P5\n" + size + b"65535\n" + noise(HEIGHT, WIDTH, most=400).astype(">u2").tobytes()
    yield "raw_of_3000.pgm", b"P5\n" + size + b"3000\n" + noise(HEIGHT, WIDTH, most=20).astype(">u2").tobytes()
    yield "plain.ppm", b"P3\n" + size + b"255 # the most\n" + plain(RGB) + b"\n"
    yield "raw.ppm", b"P6\n" + size + b"255\n" + RGB.tobytes()
    yield "raw_of_7.ppm", b"P6\n" + size + b"7\n" + noise(HEIGHT, WIDTH, 3, most=7).astype(numpy.uint8).tobytes()
    yield "raw16.ppm", b"P6\n" + size + b"65535\n" + noise(HEIGHT, WIDTH, 3, most=65535).astype(">u2").tobytes()


def png_files():
    """Exif in a text, as ImageMagick writes it."""
    exif = Image.Exif()
    for name, orientation in (("raw_exif6", 6), ("raw_exif3", 3)):
        exif[0x0112] = orientation
        body = exif.tobytes()
        digits = body.hex()
        lines = "".join(f"\n{digits[i : i + 72]}" for i in range(0, len(digits), 72))
        text = PngImagePlugin.PngInfo()
        text.add_text("Raw profile type exif", f"\nexif\n{len(body):8}{lines}\n", zip=orientation == 3)
        yield f"{name}.png", (Image.fromarray(RGB), {"pnginfo": text})


def main():
    for files in (tiff_files, bmp_files, pnm_files, png_files):
        for name, content in files():
            path = os.path.join(FOLDER, name)
            if isinstance(content, bytes):
                with open(path, "wb") as file:
                    file.write(content)
            else:
                content[0].save(path, **content[1])
            load_image(path).save(path + ".expected.png", optimize=True)


if __name__ == "__main__":
    main()

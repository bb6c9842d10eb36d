"""Writes tests/media/data/pictures: small files of every kind, and what Pillow says their pixels are.

    python tools/oracle/make_picture_goldens.py

expected.txt, a line each: file, width, height and CRC-32 of ImageOps.exif_transpose(Image.open(file)).convert("RGB"), and the shortest beginning
of the file that Pillow still reads, in bytes.
"""
import io
import pathlib
import struct
import warnings
import zlib

import numpy as np
import PIL
from PIL import Image, ImageCms, ImageOps

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/media/data/pictures"


def picture(width, height, bands=3):
    """Smooth waves, an edge and some noise: chroma that upsampling rules show in."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(width * 1000 + height).integers(0, 40, (height, width, bands))
    waves = np.stack([100 + 80 * np.sin(x / (3 + c) + y / (5 - c) + c) for c in range(bands)], -1)
    return np.clip(waves + noise + 60 * ((x + y) % 23 > 11)[..., None], 0, 255).astype(np.uint8)


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation, order="<", kind=3):
    """A TIFF block with a make, the orientation and a further tag."""
    value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
    entries = [struct.pack(order + "HHI", 0x010F, 2, 4) + b"abc\0", struct.pack(order + "HHI", 0x0112, kind, 1) + value, struct.pack(order + "HHI", 0x0128, 3, 1) + struct.pack(order + "HH", 2, 0)]
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)


def chunk(tag, data):
    return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))


def png(width, height, depth, colour, rows, before=b"", after=b"", interlaced=False):
    """`rows`: of packed bytes, each of a pass behind one another if interlaced."""
    data = zlib.compress(b"".join(b"\0" + r for r in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)) + before + chunk(b"IDAT", data) + after + chunk(b"IEND", b"")


def packed(values, depth):
    """A row of samples as PNG packs them."""
    if depth == 16:
        return values.astype(">u2").tobytes()
    bits = np.unpackbits(values.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth:]
    return np.packbits(bits.reshape(-1)).tobytes()


def rows(samples, depth, interlaced=False):
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)] if interlaced else [(0, 0, 1, 1)]
    out = []
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        if part.shape[1]:
            out += [packed(r.reshape(-1), depth) for r in part]
    return out


def pngs():
    rng = np.random.default_rng(5)
    w, h = 21, 13
    palette = chunk(b"PLTE", rng.integers(0, 256, 48, dtype=np.uint8).tobytes())
    transparent = chunk(b"tRNS", bytes([0, 128, 255]))
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    for interlaced in (False, True):
        tail = "-interlaced" if interlaced else ""
        for depth in (1, 2, 4, 8, 16):
            yield f"grey{depth}{tail}.png", png(w, h, depth, 0, rows(rng.integers(0, 1 << depth, (h, w, 1)) >> (6 if depth == 16 else 0), depth, interlaced), interlaced=interlaced)
        for depth in (1, 2, 4, 8):
            yield f"palette{depth}{tail}.png", png(w, h, depth, 3, rows(rng.integers(0, min(1 << depth, 16), (h, w, 1)), depth, interlaced), palette + transparent, interlaced=interlaced)
        for depth in (8, 16):
            yield f"rgb{depth}{tail}.png", png(w, h, depth, 2, rows(rng.integers(0, 1 << depth, (h, w, 3)), depth, interlaced), gamma, interlaced=interlaced)
            yield f"grey-alpha{depth}{tail}.png", png(w, h, depth, 4, rows(rng.integers(0, 1 << depth, (h, w, 2)), depth, interlaced), interlaced=interlaced)
            yield f"rgba{depth}{tail}.png", png(w, h, depth, 6, rows(rng.integers(0, 1 << depth, (h, w, 4)), depth, interlaced), interlaced=interlaced)
    yield "palette-short.png", png(w, h, 8, 3, rows(rng.integers(0, 256, (h, w, 1)), 8), palette)
    yield "grey8-transparent.png", png(w, h, 8, 0, rows(rng.integers(0, 4, (h, w, 1)), 8), chunk(b"tRNS", b"\0\1"))
    yield "rgb8-transparent.png", png(w, h, 8, 2, rows(rng.integers(0, 2, (h, w, 3)), 8), chunk(b"tRNS", bytes(6)))
    yield "one.png", png(1, 1, 8, 2, [b"\x01\x02\x03"])
    p = picture(w, h)
    colours = rows(p, 8)
    yield "exif-after.png", png(w, h, 8, 2, colours, after=chunk(b"eXIf", exif(6, ">")))
    yield "exif-long.png", png(w, h, 8, 2, colours, chunk(b"eXIf", exif(8, kind=4)))
    hexadecimal = (b"Exif\0\0" + exif(5)).hex()
    profile = f"\nexif\n{len(hexadecimal) // 2:8}\n" + "\n".join(hexadecimal[i : i + 72] for i in range(0, len(hexadecimal), 72)) + "\n"
    yield "exif-profile.png", png(w, h, 8, 2, colours, chunk(b"tEXt", b"Raw profile type exif\0" + profile.encode()))
    im = Image.fromarray(p)
    yield "filtered-profile.png", saved(im, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    yield "animated.png", saved(im, "PNG", save_all=True, append_images=[Image.fromarray(255 - p)], duration=100)
    yield "animated-default.png", saved(im, "PNG", save_all=True, default_image=True, append_images=[Image.fromarray(255 - p)], duration=100)


def jpegs():
    im = Image.fromarray(picture(37, 27))
    for name, sampling in (("444", 0), ("422", 1), ("420", 2)):
        yield f"rgb-{name}.jpg", saved(im, "JPEG", quality=85, subsampling=sampling)
        yield f"progressive-{name}.jpg", saved(im, "JPEG", quality=70, subsampling=sampling, progressive=True)
    square = saved(Image.fromarray(picture(32, 32)), "JPEG", quality=85, subsampling=1)
    at = square.index(b"\xff\xc0")
    assert square[at + 11] == 0x21
    yield "rgb-440.jpg", square[: at + 11] + b"\x12" + square[at + 12 :]
    yield "grey.jpg", saved(im.convert("L"), "JPEG", quality=60)
    yield "stored-as-rgb.jpg", saved(im, "JPEG", quality=80, keep_rgb=True)
    yield "restarts.jpg", saved(im, "JPEG", quality=75, restart_marker_blocks=2, optimize=True)
    inks = saved(Image.fromarray(picture(37, 27, 4), "CMYK"), "JPEG", quality=85)
    at = inks.index(b"Adobe")
    assert inks[at + 11] == 0
    yield "cmyk.jpg", inks
    yield "ycck.jpg", inks[: at + 11] + b"\2" + inks[at + 12 :]
    yield "cmyk-unmarked.jpg", inks[: at - 4] + inks[at + 12 :]
    yield "one.jpg", saved(Image.fromarray(picture(1, 1)), "JPEG")
    yield "column.jpg", saved(Image.fromarray(picture(1, 50)), "JPEG")
    small = Image.fromarray(picture(19, 11))
    for n in range(1, 9):
        yield f"turned{n}.jpg", saved(small, "JPEG", quality=80, exif=b"Exif\0\0" + exif(n, "<>"[n % 2]))
    yield "turned9.jpg", saved(small, "JPEG", quality=80, exif=b"Exif\0\0" + exif(9))
    yield "exif-cut.jpg", saved(small, "JPEG", quality=80, exif=b"Exif\0\0" + exif(6)[:20])
    yield "exif-far.jpg", saved(small, "JPEG", quality=80, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")


def riff(chunks):
    body = b"WEBP" + b"".join(t + struct.pack("<I", len(d)) + d + b"\0" * (len(d) % 2) for t, d in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def u24(v):
    return struct.pack("<I", v)[:3]


def webps():
    im = Image.fromarray(picture(37, 27))
    clear = Image.fromarray(picture(37, 27, 4), "RGBA")
    yield "lossy.webp", saved(im, "WEBP", quality=70)
    yield "lossless.webp", saved(im, "WEBP", lossless=True)
    yield "lossy-alpha.webp", saved(clear, "WEBP", quality=70, exact=True)
    yield "lossless-alpha.webp", saved(clear, "WEBP", lossless=True, exact=True)
    yield "one.webp", saved(Image.fromarray(picture(1, 1)), "WEBP")
    yield "exif.webp", saved(im, "WEBP", quality=50, exif=exif(6))
    yield "exif-head.webp", saved(im, "WEBP", quality=50, exif=b"Exif\0\0" + exif(3))
    yield "animated.webp", saved(clear, "WEBP", save_all=True, append_images=[Image.fromarray(255 - picture(37, 27, 4), "RGBA")], lossless=True)
    for name, piece in (("placed", saved(im, "WEBP", quality=60)), ("placed-alpha", saved(clear, "WEBP", quality=60))):
        parts, at = [], 12
        while at < len(piece):
            n = struct.unpack("<I", piece[at + 4 : at + 8])[0]
            if piece[at : at + 4] in (b"VP8 ", b"ALPH"):
                parts.append(piece[at : at + 8 + n + n % 2])
            at += 8 + n + n % 2
        frame = u24(3) + u24(2) + u24(36) + u24(26) + u24(100) + b"\0" + b"".join(parts)
        yield f"{name}.webp", riff([(b"VP8X", b"\x12\0\0\0" + u24(59) + u24(39)), (b"ANIM", b"\x40\x80\xc0\xff\0\0"), (b"ANMF", frame)])


def pixels(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def shortest(data):
    """Bytes of the shortest beginning that is read, whatever it gives."""
    n = len(data)
    while n > 1:
        try:
            pixels(data[: n - 1])
        except Exception:
            return n
        n -= 1
    return n


def main():
    print(f"Pillow {PIL.__version__}")
    OUT.mkdir(parents=True, exist_ok=True)
    lines = []
    for make in (jpegs, pngs, webps):
        for name, data in make():
            p = pixels(data)
            (OUT / name).write_bytes(data)
            lines.append(f"{name} {p.shape[1]} {p.shape[0]} {zlib.crc32(p.tobytes()):08x} {shortest(data)}\n")
    (OUT / "expected.txt").write_text("".join(lines))
    print(f"{len(lines)} pictures, {sum(f.stat().st_size for f in OUT.iterdir())} bytes")


main()

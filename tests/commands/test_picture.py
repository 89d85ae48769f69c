"""`losus compare --picture`: the same drawing as SVG and as PNG, with letters on any machine."""

import struct
import zlib
from pathlib import Path

import pytest
import typer

from adapter.commands.picture import checked, png, write_picture

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60" font-family="sans-serif" font-size="20">'
    '<rect width="200" height="60" fill="#fff"/>{}</svg>'
)


def ink(picture: bytes) -> tuple[int, int, bytes]:
    """Width, height, and the pixels as they are packed."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    packed, at = b"", 8
    while at < len(picture):
        size, kind = struct.unpack(">I4s", picture[at : at + 8])
        packed += picture[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    return width, height, zlib.decompress(packed)


def test_a_png_has_letters_without_any_font_of_the_machine() -> None:
    empty = ink(png(SVG.format("")))
    words = ink(png(SVG.format('<text x="8" y="40">Åre, 284 000 kronor</text>')))
    assert words[:2] == empty[:2] == (400, 120), "twice the size of the SVG"
    assert words[2] != empty[2], "the text left ink"
    others = ink(png(SVG.format('<text x="8" y="40">Are, 284 000 kronor</text>')))
    assert words[2] != others[2], "Å is not A, nor a box"


def test_the_name_of_the_file_says_the_format(tmp_path: Path) -> None:
    for name in ("a.svg", "a.png", "A.PNG"):
        write_picture(tmp_path / name, SVG.format(""))
    assert (tmp_path / "a.svg").read_text() == SVG.format("")
    assert (tmp_path / "A.PNG").read_bytes() == (tmp_path / "a.png").read_bytes() == png(SVG.format(""))


@pytest.mark.parametrize(
    ("name", "is_fine"), [("a.svg", True), ("a.PNG", True), ("a.gif", False), ("png", False)]
)
def test_another_format_is_refused_before_anything_is_computed(name: str, is_fine: bool) -> None:
    if is_fine:
        assert checked(Path(name)) == Path(name)
    else:
        with pytest.raises(typer.BadParameter):
            checked(Path(name))
    assert checked(None) is None

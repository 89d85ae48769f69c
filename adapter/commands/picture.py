"""A picture written to a file: as SVG, or as PNG for a report or a slide.

Owns the two formats and that a picture looks the same on every machine: its letters are those of a font that
comes with the program, for a server may have none. Does not own the drawing (`adapter.settlement.picture`).
"""

from pathlib import Path

import typer

#: Pixels of a PNG for one of the SVG: sharp on a screen of today and on paper.
_ZOOM = 2


def checked(path: Path | None) -> Path | None:
    """Refuse a file name that says neither of the two formats, before anything is computed."""
    if path is not None and path.suffix.lower() not in {".svg", ".png"}:
        raise typer.BadParameter("a picture is a .svg or a .png file", param_hint="--picture")
    return path


def write_picture(path: Path, svg: str) -> None:
    """Write the picture in the format that the name of the file says."""
    path.write_bytes(png(svg) if path.suffix.lower() == ".png" else svg.encode())


def png(svg: str) -> bytes:
    """Draw an SVG as PNG."""
    import font_lato  # noqa: PLC0415 - only who asks for a PNG waits for the renderer and its font
    import resvg_py  # noqa: PLC0415 - same

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=_ZOOM,
            skip_system_fonts=True,
            font_files=[font_lato.font_files[name] for name in ("Lato", "LatoBold")],
            font_family="Lato",
            sans_serif_family="Lato",
        )
    )

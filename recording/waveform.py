"""A recording as a picture: its peaks drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence

HEIGHT = 48


def svg(peaks: Sequence[float], pauses: Sequence[tuple[float, float]], seconds: float) -> str:
    """Peaks 0..1 from left to right; pauses are shaded."""
    width = max(1, len(peaks))
    middle = HEIGHT / 2
    bars = "".join(
        f"M{x + 0.5:g} {middle - peak * middle:.1f}V{middle + max(peak * middle, 0.5):.1f}"
        for x, peak in enumerate(peaks)
    )
    scale = width / seconds if seconds else 0.0
    shades = "".join(
        f'<rect x="{a * scale:.1f}" y="0" width="{(b - a) * scale:.1f}" height="{HEIGHT}" fill="#f5c6a5"/>'
        for a, b in pauses
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none">'
        f'{shades}<path d="{bars}" stroke="#2b6cb0" stroke-width="1" fill="none"/></svg>\n'
    )

"""Lines and histograms as inline SVG; pure. Colours and fonts come from the page's style sheet, by class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH, HEIGHT = 360.0, 170.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 10.0, 12.0, 24.0
_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot; `x` and `y` are as long as each other."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    kind: str = "one"
    """`one` or `two`: the style sheet tells them apart by colour and by dashes."""
    area: bool = False
    """Whether the space below is filled."""
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis spans, from its first tick to its last, and its labels."""

    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float, low: float, high: float) -> float:
        """Returns where `value` lies between the coordinates `low` and `high`."""
        first, last = self.ticks[0][0], self.ticks[-1][0]
        share = (value - first) / (last - first) if last > first else 0.5
        return low + (high - low) * min(1.0, max(0.0, share))


def axis_from_zero(greatest: float, words: Callable[[float], str]) -> Axis:
    """Returns an axis of three ticks from 0 to a round number that is not less than `greatest`."""
    magnitude = 1.0
    while magnitude < greatest:
        magnitude *= 10
    while magnitude >= greatest > 0:
        magnitude /= 10
    top = next((step * magnitude for step in _STEPS if step * magnitude >= greatest), 10 * magnitude)
    return Axis(((0.0, words(0.0)), (top / 2, words(top / 2)), (top, words(top))))


def line_plot(lines: Sequence[Line], x: Axis, y: Axis, alternative: str) -> Markup:
    """Returns a plot of lines.

    Args:
        lines: what is drawn.
        x: the horizontal axis.
        y: the vertical axis.
        alternative: the plot in words, for who cannot see it.
    """
    parts = []
    for line in lines:
        places = [(x.place(a, LEFT, WIDTH - RIGHT), _height(y, b)) for a, b in zip(line.x, line.y, strict=True)]
        if not places:
            continue
        path = " L".join(f"{a:.1f},{b:.1f}" for a, b in places)
        if line.area:
            floor = HEIGHT - BOTTOM
            closed = f"M{places[0][0]:.1f},{floor} L{path} L{places[-1][0]:.1f},{floor} Z"
            parts.append(Markup('<path class="area" d="{}"/>').format(closed))
        parts.append(Markup('<path class="line {}" d="M{}"/>').format(line.kind, path))
        if line.dots:
            dot = Markup('<circle class="dot {}" cx="{}" cy="{}" r="3"/>')
            parts.extend(dot.format(line.kind, f"{a:.1f}", f"{b:.1f}") for a, b in places)
    return _framed(parts, x, y, alternative)


def histogram_plot(counts: Sequence[int], x: Axis, y: Axis, alternative: str) -> Markup:
    """Returns a plot of bars of equal width, which share the horizontal axis between them; the rest as `line_plot`."""
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(counts))
    bar = Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>')
    parts = []
    for place, count in enumerate(counts):
        if count:
            top = min(_height(y, count), HEIGHT - BOTTOM - 1)
            left, high = LEFT + wide * place + 0.5, HEIGHT - BOTTOM - top
            parts.append(bar.format(f"{left:.1f}", f"{top:.1f}", f"{wide - 1:.1f}", f"{high:.1f}"))
    return _framed(parts, x, y, alternative)


def _height(y: Axis, value: float) -> float:
    return y.place(value, HEIGHT - BOTTOM, TOP)


def _framed(parts: Sequence[Markup], x: Axis, y: Axis, alternative: str) -> Markup:
    frame = []
    for value, label in y.ticks:
        height = f"{_height(y, value):.1f}"
        frame.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(LEFT, WIDTH - RIGHT, height, height)
        )
        frame.append(Markup('<text class="y" x="{}" y="{}" dy="0.35em">{}</text>').format(LEFT - 8, height, label))
    for number, (value, label) in enumerate(x.ticks):
        anchor = "start" if number == 0 else "end" if number == len(x.ticks) - 1 else "middle"
        place = f"{x.place(value, LEFT, WIDTH - RIGHT):.1f}"
        text = Markup('<text class="x" text-anchor="{}" x="{}" y="{}">{}</text>')
        frame.append(text.format(anchor, place, HEIGHT - 6, label))
    opening = Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    inside = Markup("").join([*frame, *parts])
    return opening.format(f"{WIDTH:.0f}", f"{HEIGHT:.0f}", alternative) + inside + Markup("</svg>")

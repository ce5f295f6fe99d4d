"""Line charts as SVG, without anybody's library."""

import math
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 560, 330
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 34, 46
COLOURS = {"serf": "#c2571a", "rumor": "#1f6fb2"}


@dataclass
class Line:
    """One curve. `hollow` are indices of points that were not reached: the true value lies above."""

    name: str
    colour: str
    points: list
    dashed: bool = False
    marks: bool = True
    hollow: set = field(default_factory=set)


def chart(title, x_label, y_label, lines, log_x=False, log_y=False, x_ticks=None):
    """A chart, its linear y axis from zero; nothing where there is no point. `x_ticks`: marks where there are points, say."""
    lines = [line for line in lines if line.points]
    if not lines:
        return ""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    x_axis = _Axis(xs, LEFT, WIDTH - RIGHT, log_x, False, x_ticks)
    y_axis = _Axis(ys, HEIGHT - BOTTOM, TOP + 18 * math.ceil(len(lines) / 2), log_y, True)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg">',
        f'<text class="t" x="{LEFT}" y="18">{escape(title)}</text>',
        *_grid(x_axis, y_axis, x_label, y_label),
        *(part for line in lines for part in _curve(line, x_axis, y_axis)),
        *_legend(lines),
        "</svg>",
    ]
    return "".join(parts)


class _Axis:
    """From values to places on the page."""

    def __init__(self, values, begin, end, log, from_zero, marks=None):
        self.begin, self.end, self.log, self.marks = begin, end, log, marks
        if log:
            values = [value for value in values if value > 0] or [1]
            self.low, self.high = math.log10(min(values)), math.log10(max(values))
            if self.high - self.low < 0.3:
                self.low, self.high = self.low - 0.15, self.high + 0.15
        else:
            self.low, self.high = (0 if from_zero else min(values)), max(values)
            if self.high <= self.low:
                self.high = self.low + (abs(self.low) or 1)

    def place(self, value):
        """Where a value is."""
        if self.log:
            value = math.log10(max(value, 10**self.low))
        return round(self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin), 1)

    def ticks(self):
        """Values to mark."""
        if self.marks:
            return self.marks
        if self.log:
            every = (1, 2, 5) if self.high - self.low < 2.5 else (1,)
            decades = range(math.floor(self.low), math.ceil(self.high) + 1)
            values = [m * 10.0**d for d in decades for m in every]
            return [value for value in values if self.low - 1e-9 <= math.log10(value) <= self.high + 1e-9]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        step *= next(m for m in (1, 2, 2.5, 5, 10) if (self.high - self.low) / (step * m) <= 6)
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _grid(x_axis, y_axis, x_label, y_label):
    bottom = HEIGHT - BOTTOM
    for value in x_axis.ticks():
        x = x_axis.place(value)
        yield f'<path class="g" d="M{x} {bottom}V{y_axis.end}"/><text class="m" x="{x}" y="{bottom + 16}">{value:g}</text>'
    for value in y_axis.ticks():
        y = y_axis.place(value)
        yield f'<path class="g" d="M{LEFT} {y}H{WIDTH - RIGHT}"/><text class="e" x="{LEFT - 6}" y="{y + 4}">{value:g}</text>'
    yield f'<path class="a" d="M{LEFT} {y_axis.end}V{bottom}H{WIDTH - RIGHT}"/>'
    yield f'<text class="m" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}">{escape(x_label)}</text>'
    middle = (y_axis.end + bottom) / 2
    yield f'<text class="m" transform="translate(14 {middle}) rotate(-90)">{escape(y_label)}</text>'


def _curve(line, x_axis, y_axis):
    places = [(x_axis.place(x), y_axis.place(y)) for x, y in line.points]
    dash = ' stroke-dasharray="5 4"' if line.dashed else ""
    path = "M" + "L".join(f"{x} {y}" for x, y in places)
    yield f'<path fill="none" stroke="{line.colour}" stroke-width="2"{dash} d="{path}"/>'
    if line.marks:
        for index, (x, y) in enumerate(places):
            inside = "#fff" if index in line.hollow else line.colour
            yield f'<circle cx="{x}" cy="{y}" r="3.5" fill="{inside}" stroke="{line.colour}"/>'


def _legend(lines):
    for index, line in enumerate(lines):
        x, y = LEFT + (WIDTH - LEFT - RIGHT) / 2 * (index % 2), TOP + 4 + 18 * (index // 2)
        dash = ' stroke-dasharray="5 4"' if line.dashed else ""
        yield f'<path stroke="{line.colour}" stroke-width="2"{dash} d="M{x} {y}h22"/><text x="{x + 28}" y="{y + 4}">{escape(line.name)}</text>'


def distribution(samples, steps=100):
    """The curve of the share of samples up to each value, thinned to so many points."""
    ordered = sorted(samples)
    if not ordered:
        return []
    last = len(ordered) - 1
    picked = sorted({round(last * k / steps) for k in range(steps + 1)})
    return [(ordered[0], 0.0), *((ordered[index], (index + 1) / len(ordered)) for index in picked)]

"""Trajectories as SVG: the path over the contours of the problem, and the loss by step.

Text and lines have the colour of the page (currentColor), so a drawing fits a light and a dark one.
"""
from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from . import _contours

if TYPE_CHECKING:
    from ._trajectory import Trajectory

_Array = NDArray[Any]
WIDTH, HEIGHT = 760, 342
_PATH, _GROUND = "#e8590c", "#4d7cfe"
_TOP, _TALL = 58, 246
#: Of the area that is drawn, how much lies inside of each contour.
_PARTS = (0.004, 0.015, 0.035, 0.07, 0.12, 0.19, 0.28, 0.39, 0.52, 0.67, 0.83)
_GRID = 72
_MOST_POINTS, _MOST_DOTS = 1500, 60


def trajectory_svg(trajectory: Trajectory) -> str:
    given = ", ".join(f"{name} = {value:g}" for name, value in trajectory.hypers.items())
    title = f"{trajectory.rule}, {given}" if given else trajectory.rule
    end = f"diverged after {trajectory.steps} steps" if trajectory.diverged else f"{trajectory.steps} steps"
    has_map = trajectory.params.shape[1] == 2
    left = _map(trajectory, 40, 330) if has_map else ""
    right = _losses(trajectory, 434 if has_map else 52, 306 if has_map else 688)
    shown = title if len(title) <= 76 else title[:75] + "…"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" role="img" fill="none" '
            'font-family="system-ui, sans-serif" font-size="11.5" style="display:block;color:inherit">'
            f"<title>{html.escape(title)} on {html.escape(trajectory.problem.name)}</title>"
            f'{_label(0, 15, shown, size=14.5, weight=600)}'
            f'{_label(0, 34, f"on {trajectory.problem.name}, {end}", opacity=0.65, size=12.5)}'
            f"{left}{right}</svg>")


def _map(trajectory: Trajectory, x: float, wide: float) -> str:
    """The path on the problem's ground."""
    lows, highs = _view(trajectory)
    size = np.array([wide, _TALL])

    def place(points: Any) -> _Array:
        at = (np.asarray(points, dtype=float) - lows) / (highs - lows)
        placed: _Array = np.column_stack((at[:, 0], 1 - at[:, 1])) * size
        return placed

    finite = trajectory.params[np.isfinite(trajectory.params).all(axis=1)]
    path = np.clip(place(finite), -20 * size, 20 * size)
    every = _round_up(len(path) / _MOST_DOTS)
    parts = [f'<svg x="{x}" y="{_TOP}" width="{wide}" height="{_TALL}" overflow="hidden">',
             _ground(trajectory, lows, highs, size)]
    parts.append(_line(path, 1.5, 0.85))
    parts += [_dot(point, 1.7) for point in path[every:-1:every]]
    parts.append(_dot(path[0], 4.2, hollow=True) + _dot(path[-1], 4.2))
    for px, py in place(np.reshape(trajectory.problem.minima, (-1, 2))):
        parts.append(f'<path d="M{px - 4:.1f} {py - 4:.1f}l8 8m0 -8l-8 8" stroke="currentColor" stroke-width="1.6"/>')
    parts.append("</svg>")
    parts.append(f'<rect x="{x}" y="{_TOP}" width="{wide}" height="{_TALL}" stroke="currentColor" stroke-opacity="0.25"/>')
    for value in _ticks(lows[0], highs[0], 5):
        at = (value - lows[0]) / (highs[0] - lows[0])
        parts.append(_label(x + at * wide, _TOP + _TALL + 16, _short(value), "middle", 0.65))
    for value in _ticks(lows[1], highs[1], 5):
        at = (highs[1] - value) / (highs[1] - lows[1])
        parts.append(_label(x - 7, _TOP + at * _TALL + 4, _short(value), "end", 0.65))
    legend = "from ○ to ●" + (", a dot a step" if every == 1 else f", a dot every {every} steps")
    legend += ", ✕ minimum" if len(trajectory.problem.minima) else ""
    parts.append(_label(x + wide, _TOP + _TALL + 33, legend, "end", 0.65))
    return "".join(parts)


def _view(trajectory: Trajectory) -> tuple[_Array, _Array]:
    """What is shown: the problem's box, and the path as far as it stays near."""
    points = trajectory.params[np.isfinite(trajectory.params).all(axis=1)].astype(float)
    known = np.vstack([points[:1], *(np.array([minimum]) for minimum in trajectory.problem.minima)])
    if trajectory.problem.box is not None:
        lows, highs = np.array(trajectory.problem.box, dtype=float).T
    else:
        middle = np.median(points, axis=0)
        spread = np.maximum(np.abs(known - middle).max(axis=0), np.quantile(np.abs(points - middle), 0.9, axis=0))
        spread = np.where(spread > 0, spread, 1.0)
        lows, highs = middle - 1.3 * spread, middle + 1.3 * spread
    size = highs - lows
    near = points[((points > lows - size) & (points < highs + size)).all(axis=1)]
    every = np.vstack([known, near])
    outside = (every < lows) | (every > highs)
    lows = np.where(outside.any(axis=0), np.minimum(lows, every.min(axis=0) - 0.05 * size), lows)
    highs = np.where(outside.any(axis=0), np.maximum(highs, every.max(axis=0) + 0.05 * size), highs)
    return lows, highs


def _ground(trajectory: Trajectory, lows: _Array, highs: _Array, size: _Array) -> str:
    """Contours that enclose set parts of the area. The grid reaches beyond the view, so that none
    runs along its border."""
    cell = (highs - lows) / (_GRID - 1)
    xs, ys = (lows[axis] + cell[axis] * np.arange(-1, _GRID + 1) for axis in (0, 1))
    with np.errstate(all="ignore"):
        values = np.array([[_height(trajectory, np.array([x, y])) for x in xs] for y in ys])
    finite = np.isfinite(values)
    if not finite.any():
        return ""
    values = np.where(finite, values, values[finite].max())
    spread = float(values.max() - values.min())
    if spread <= 0:
        return ""
    heights = np.log(values - values.min() + 1e-6 * spread)  # so that a valley has contours too
    parts = []
    for level in np.unique(np.quantile(heights, _PARTS)):
        loops = []
        for loop in _contours.regions(heights, float(level)):
            at = (loop - 1) / (_GRID - 1)
            points = np.column_stack((at[:, 0], 1 - at[:, 1])) * size
            loops.append("M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points) + "Z")
        parts.append(f'<path d="{"".join(loops)}" fill="{_GROUND}" fill-opacity="0.075" fill-rule="evenodd" '
                     f'stroke="{_GROUND}" stroke-opacity="0.38" stroke-width="0.7"/>')
    return "".join(parts)


def _height(trajectory: Trajectory, point: _Array) -> float:
    try:
        return float(trajectory.problem.function(point)[0])
    except (ValueError, ArithmeticError):  # as math.log(-1): the path need not have been there
        return math.nan


def _losses(trajectory: Trajectory, x: float, wide: float) -> str:
    """The loss by step, in powers of ten where it spans some."""
    losses = trajectory.losses[np.isfinite(trajectory.losses)].astype(float)
    if len(losses) == 0:
        return _label(x, _TOP + 20, "the loss at the start is no finite number", opacity=0.65)
    positive = losses[losses > 0]
    is_log = len(positive) > 0 and losses.min() >= 0 and losses.max() > 20 * max(losses.min(), losses.max() * 1e-18)
    if is_log:
        most = losses.max() if losses[0] <= 0 else min(losses.max(), losses[0] * 1e9)  # the way of one that diverges
        values = np.log10(np.maximum(losses, max(positive.min() / 10, most * 1e-18)))
        ticks: Sequence[float] = _decades(values.min(), math.log10(most))
        low, high = min(ticks[0], values.min()), max(ticks[-1], math.log10(most))
    else:
        values, ticks = losses, _ticks(losses.min(), losses.max(), 5)
        low, high = (values.min(), values.max()) if values.max() > values.min() else (values[0] - 1, values[0] + 1)
        margin = 0.05 * (high - low)
        low, high = low - margin, high + margin
    steps = max(1, trajectory.steps)
    at = np.column_stack((np.arange(len(values)) / steps * wide + x, _TOP + _TALL * (high - values) / (high - low)))
    parts = [_label(x + wide, 34, f"loss {_short(losses[0])} → {_short(losses[-1])}", "end", size=12.5)]
    for tick in ticks:
        y = _TOP + _TALL * (high - tick) / (high - low)
        parts.append(f'<path d="M{x} {y:.1f}h{wide}" stroke="currentColor" stroke-opacity="0.14"/>'
                     + _label(x - 7, y + 4, _power(tick) if is_log else _short(tick), "end", 0.65))
    for tick in _ticks(0, steps, 5, whole=True):
        parts.append(_label(x + tick / steps * wide, _TOP + _TALL + 16, _short(tick), "middle", 0.65))
    parts.append(f'<path d="M{x} {_TOP + _TALL}h{wide}" stroke="currentColor" stroke-opacity="0.45"/>')
    parts.append(_label(x + wide, _TOP + _TALL + 33, "step", "end", 0.65))
    parts.append(f'<svg x="{x - 5}" y="{_TOP - 5}" width="{wide + 10}" height="{_TALL + 10}" overflow="hidden" '
                 f'viewBox="{x - 5} {_TOP - 5} {wide + 10} {_TALL + 10}">{_line(at, 2, 1)}{_dot(at[-1], 3.6)}</svg>')
    return "".join(parts)


def _line(points: _Array, thick: float, opacity: float) -> str:
    kept = points[:: max(1, math.ceil(len(points) / _MOST_POINTS))]
    if len(kept) and (kept[-1] != points[-1]).any():
        kept = np.vstack([kept, points[-1:]])
    joined = " ".join(f"{px:.1f},{py:.1f}" for px, py in kept)
    return (f'<polyline points="{joined}" stroke="{_PATH}" stroke-width="{thick}" stroke-opacity="{opacity}" '
            'stroke-linejoin="round" stroke-linecap="round"/>')


def _dot(point: Sequence[float], radius: float, hollow: bool = False) -> str:
    look = f'stroke="{_PATH}" stroke-width="1.8"' if hollow else f'fill="{_PATH}"'
    return f'<circle cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="{radius}" {look}/>'


def _label(x: float, y: float, text: str, anchor: str = "start", opacity: float = 1, size: Optional[float] = None,
           weight: Optional[int] = None) -> str:
    more = (f' font-size="{size}"' if size else "") + (f' font-weight="{weight}"' if weight else "")
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor" fill-opacity="{opacity}"{more}>'
            f"{html.escape(text)}</text>")


def _ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Round numbers from low to high."""
    if not high > low:
        return [low]
    step = _round_up((high - low) / most, whole)
    return [i * step for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _round_up(value: float, whole: bool = True) -> Any:
    """The next of 1, 2, 5, 10, 20, ...; below 1 too where it need not be whole."""
    if whole and value <= 1:
        return 1
    power = 10.0 ** math.floor(math.log10(value))
    found = next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))
    return int(round(found)) if whole else found


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(low), math.ceil(high)
    return [float(power) for power in range(first, last + 1, max(1, math.ceil((last - first) / 6)))]


def _power(tick: float) -> str:
    if -3 <= tick <= 4:
        return f"{10.0 ** tick:g}"
    return "10" + str(int(tick)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _short(value: float) -> str:
    if 1000 <= abs(value) < 1e5:
        return f"{float(f'{value:.3g}'):.0f}".replace("-", "−")
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")

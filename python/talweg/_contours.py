"""Contours of a function on a grid, by marching squares."""
from __future__ import annotations

from typing import Any, Iterator, Tuple

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[Any]
_Edge = Tuple[int, int, bool]
#: Which edges of a cell a contour joins, by which corners lie below the level: 1 top left, 2 top
#: right, 4 bottom right, 8 bottom left.
_JOINS = {1: ("lt",), 2: ("tr",), 3: ("lr",), 4: ("rb",), 5: ("lt", "rb"), 6: ("tb",), 7: ("lb",), 8: ("lb",), 9: ("tb",),
          10: ("tr", "lb"), 11: ("rb",), 12: ("lr",), 13: ("tr",), 14: ("lt",)}
#: An edge by its first corner, and whether it runs along a row.
_EDGES = {"t": (0, 0, True), "b": (1, 0, True), "l": (0, 0, False), "r": (0, 1, False)}


def regions(values: _Array, level: float) -> Iterator[_Array]:
    """The closed lines around where values are below the level; points are (column, row), in cells.
    What touches the border is closed along it."""
    highest = max(float(values.max()), level) + 1
    padded = np.pad(values, 1, constant_values=highest)
    below = (padded < level).astype(int)
    kinds = below[:-1, :-1] + 2 * below[:-1, 1:] + 4 * below[1:, 1:] + 8 * below[1:, :-1]
    links: dict[_Edge, list[_Edge]] = {}
    for row, column in zip(*np.nonzero((kinds > 0) & (kinds < 15))):
        for join in _JOINS[int(kinds[row, column])]:
            ends = [(int(row) + _EDGES[end][0], int(column) + _EDGES[end][1], _EDGES[end][2]) for end in join]
            for end, other in (ends, ends[::-1]):
                links.setdefault(end, []).append(other)
    while links:
        first = next(iter(links))
        line, edge = [], first
        while edge in links:
            line.append(_crossing(padded, level, edge))
            ways = links.pop(edge)
            edge = next((way for way in ways if way in links), first)
        yield np.array(line) - 1


def _crossing(values: _Array, level: float, edge: _Edge) -> tuple[float, float]:
    row, column, is_along = edge
    start = values[row, column]
    end = values[row, column + 1] if is_along else values[row + 1, column]
    part = float((level - start) / (end - start))
    return (column + part, row) if is_along else (column, row + part)

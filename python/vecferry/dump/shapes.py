"""Shapes that a geometry or geography column does not hold, told by their stored bytes; pure.

MySQL stores the SRID in four bytes, the lowest first, then WKB (its manual, "Internal Geometry Storage Format").
"""

from __future__ import annotations

import struct
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from vecferry.mapping.checks import SHAPES, TYPED

_POINT = 1
_LINE, _POLYGON = 2, 3
_POINT_BYTES = 4 + 1 + 4 + 16
_MOST_LONGITUDE, _MOST_LATITUDE = 180.0, 90.0
_EARTH = 4326


def other_shape(values: pa.Array, target_type: str) -> pa.Array:
    """Returns which shapes have another kind or SRID than a type, or coordinates beyond a geography's; nulls stay.

    PostGIS makes -60 of a longitude of 300. MySQL 8 knows the bounds itself; of its dumps, too, they are looked at.

    Args:
        values: stored bytes.
        target_type: PostgreSQL's type in full: `geometry(Point,4326)`.
    """
    typed = TYPED.search(target_type)
    geographic = target_type.startswith("geography")
    shape = typed["shape"].lower() if typed else "geometry"
    srid = int(typed["srid"]) if typed and typed["srid"] else _EARTH if geographic else None
    wrong = [pc.and_(pc.is_null(values), False)]
    if srid is not None:
        allowed = pa.array([bytes(4), srid.to_bytes(4, "little")], pa.binary())
        wrong.append(pc.invert(pc.is_in(pc.binary_slice(values, 0, 4), allowed)))
    if shape in SHAPES:
        code = (SHAPES.index(shape) + 1).to_bytes(4, "little")
        wrong.append(pc.not_equal(pc.binary_slice(values, 5, 9), pa.scalar(code, pa.binary())))
    elif shape != "geometry":
        wrong.append(pc.is_valid(values))
    if geographic:
        wrong.append(_beyond(values))
    return pc.if_else(pc.is_valid(values), reduce(pc.or_, wrong), pa.scalar(None, pa.bool_()))


def _beyond(values: pa.Array) -> pa.Array:
    point = pc.fill_null(pc.equal(pc.binary_length(values), _POINT_BYTES), False)
    bytes_of_points = pc.if_else(point, values, pa.scalar(bytes(_POINT_BYTES), pa.binary()))
    x, y = (
        pc.binary_slice(bytes_of_points, start, start + 8).cast(pa.binary(8)).view(pa.float64()) for start in (9, 17)
    )
    far = pc.and_(point, pc.or_(pc.greater(pc.abs(x), _MOST_LONGITUDE), pc.greater(pc.abs(y), _MOST_LATITUDE)))
    others = pc.and_(pc.is_valid(values), pc.invert(point))
    if not pc.any(others).as_py():
        return far
    found = [_corner_beyond(value) for value in values.filter(others).to_pylist()]
    return pc.replace_with_mask(far, others, pa.array(found, pa.bool_()))


def _corner_beyond(value: bytes) -> bool:
    return any(abs(x) > _MOST_LONGITUDE or abs(y) > _MOST_LATITUDE for x, y in _corners(memoryview(value), 4)[0])


def _corners(value: memoryview, at: int) -> tuple[list[tuple[float, float]], int]:
    """Returns the points of the WKB that begins at `at` (OGC 06-103r4, 8.2), and where it ends."""
    order = "<" if value[at] else ">"
    [kind] = struct.unpack_from(f"{order}I", value, at + 1)
    at += 5
    if kind == _POINT:
        return [struct.unpack_from(f"{order}2d", value, at)], at + 16
    [count] = struct.unpack_from(f"{order}I", value, at)
    at += 4
    if kind == _LINE:
        flat = struct.unpack_from(f"{order}{2 * count}d", value, at)
        return list(zip(flat[::2], flat[1::2], strict=True)), at + 16 * count
    found = []
    for _ in range(count):
        if kind == _POLYGON:
            [points] = struct.unpack_from(f"{order}I", value, at)
            flat = struct.unpack_from(f"{order}{2 * points}d", value, at + 4)
            part, at = list(zip(flat[::2], flat[1::2], strict=True)), at + 4 + 16 * points
        else:
            part, at = _corners(value, at)
        found += part
    return found, at

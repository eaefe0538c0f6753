"""Words of the command line that are not plain numbers: times, bit rates, boxes, sizes, pairs."""

from __future__ import annotations

import re
from typing import Any

import click

from rtdehaze.core.options import Box

__all__ = ["BIT_RATE", "BOX", "KEEP", "LENGTH", "PAIR", "PLACE", "SECONDS", "SIZE"]


class _Seconds(click.ParamType[float]):
    """Seconds, or `[HH:]MM:SS[.fff]`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)", value)
        if not match:
            self.fail(f"{value!r} is not a time; write seconds (12.5) or HH:MM:SS (00:01:30)", param, ctx)
        hours, minutes, seconds = match.groups(default="0")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


class _BitRate(click.ParamType[int]):
    """Bits per second, with k or M for thousands and millions."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmM]?)", value)
        if not match:
            self.fail(f"{value!r} is not a bit rate; write for example 4M or 800k", param, ctx)
        return round(float(match[1]) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()])


class _Box(click.ParamType[Box]):
    """A rectangle `x,y,w,h` in pixels."""

    name = "x,y,w,h"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Box:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d+),(\d+),([1-9]\d*),([1-9]\d*)", value)
        if not match:
            self.fail(f"{value!r} is not a box; write x,y,width,height in pixels (20,20,300,60)", param, ctx)
        return int(match[1]), int(match[2]), int(match[3]), int(match[4])


class _Place(click.ParamType[tuple[int, int]]):
    """A pixel `x,y`."""

    name = "x,y"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d+),(\d+)", value)
        if not match:
            self.fail(f"{value!r} is not a place; write x,y in pixels (320,180)", param, ctx)
        return int(match[1]), int(match[2])


_UNITS_S = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_UNITS_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


class _Length(click.ParamType[float]):
    """A length of time with a unit: `90s`, `10min`, `48h`, `7d`."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, (float, int)):
            return float(value)
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|min|h|d)", value)
        if not match:
            self.fail(f"{value!r} is not a length of time; write for example 90s, 10min, 48h or 7d", param, ctx)
        return float(match[1]) * _UNITS_S[match[2]]


class _Keep(click.ParamType[tuple[str, float]]):
    """How much is kept: a length of time or a size, as `(what it limits, seconds or bytes)`."""

    name = "keep"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(MB|GB|TB|s|min|h|d)", value)
        if not match:
            self.fail(f"{value!r} is neither an age nor a size; write for example 48h, 7d or 20GB", param, ctx)
        if match[2] in _UNITS_S:
            return "keep_seconds", float(match[1]) * _UNITS_S[match[2]]
        return "keep_bytes", round(float(match[1]) * _UNITS_BYTES[match[2]])


class _Size(click.ParamType[tuple[int, int]]):
    """Width and height, `1280x720`."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", value)
        if not match:
            self.fail(f"{value!r} is not a size; write width x height in pixels (1280x720)", param, ctx)
        return int(match[1]), int(match[2])


class _Pair(click.ParamType[tuple[str, str]]):
    """`KEY=VALUE`."""

    name = "K=V"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not (key and equals):
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, text


SECONDS = _Seconds()
LENGTH = _Length()
KEEP = _Keep()
SIZE = _Size()
PAIR = _Pair()
BIT_RATE = _BitRate()
BOX = _Box()
PLACE = _Place()

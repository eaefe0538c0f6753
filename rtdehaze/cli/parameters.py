"""Words of the command line that are not plain numbers: times, bit rates, boxes."""

from __future__ import annotations

import re
from typing import Any

import click

from rtdehaze.core.options import Box

__all__ = ["BIT_RATE", "BOX", "PLACE", "SECONDS"]


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


SECONDS = _Seconds()
BIT_RATE = _BitRate()
BOX = _Box()
PLACE = _Place()

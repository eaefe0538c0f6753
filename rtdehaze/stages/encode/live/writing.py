"""One container at work on packets that were encoded elsewhere."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av

from rtdehaze.stages.encode.copying import Fate
from rtdehaze.stages.encode.live.feed import Feed, Parcel, duplicate
from rtdehaze.stages.encode.muxer import as_chapter
from rtdehaze.stages.encode.order import TimeOrder
from rtdehaze.stages.encode.passages import Passage, add_passage

__all__ = ["Writing"]


class Writing:
    """Writes parcels of one feed from a keyframe on; PyAV's exceptions pass through.

    Args:
        target: An object with `write`, and `seek` and `tell` where it can; PyAV would hold the interpreter's lock while
            it opens a path, and a pipe or a network disk may take its time.
        feed: What the parcels are.
        origin: The time that becomes 0; None takes the first frame's and leaves out the sound before it.
    """

    def __init__(self, target: Any, feed: Feed, origin: Fraction | None = None) -> None:
        self.origin = origin
        self._cuts = origin is None
        self._began = False
        self._container: Any = self._opened(target, feed)
        self._container.metadata.update(feed.tags.metadata)
        if feed.tags.chapters and not feed.kind.bare:
            self._container.set_chapters([as_chapter(chapter) for chapter in feed.tags.chapters])
        self._video = self._container.add_stream_from_template(feed.template)
        if feed.plan.codec == "hevc" and feed.kind.format in {"mp4", "mov"}:
            # Apple's players take HEVC only under this tag.
            self._video.codec_context.codec_tag = "hvc1"
        self._video.metadata.update(feed.template.metadata)
        self._passages: dict[int, Passage] = {
            plan.stream.index: add_passage(self._container, plan)
            for plan in feed.own_streams()
            if plan.fate in (Fate.COPY, Fate.CONVERT)
        }
        self._order = TimeOrder()

    def _opened(self, target: Any, feed: Feed) -> Any:
        return av.open(target, "w", format=feed.kind.format, container_options=feed.kind.options)

    @property
    def copied(self) -> frozenset[int]:
        """Indices of the copied streams that it holds."""
        return frozenset(self._passages)

    def write(self, parcel: Parcel) -> None:
        """Writes a packet; those before the first keyframe are left out."""
        if parcel.video:
            if not self._began and self.origin is None:
                self.origin = parcel.time
            self._began = True
            self._write([self._shifted(parcel)], self._video)
            return
        passage = self._passages.get(parcel.stream or 0)
        if passage is None or (self._cuts and (self.origin is None or parcel.time < self.origin)):
            return
        self._write(passage.convert(self._shifted(parcel)), passage.output)

    def _shifted(self, parcel: Parcel) -> Any:
        native = duplicate(parcel.native)
        offset = round((self.origin or 0) / native.time_base)
        for name in ("pts", "dts"):
            if getattr(native, name) is not None:
                setattr(native, name, getattr(native, name) - offset)
        return native

    def _write(self, packets: Any, output: Any) -> None:
        for native in packets:
            if self._cuts and output is not self._video and not _comes_after_the_beginning(native):
                continue
            native.stream = output
            self._order.repair(native, output)
            self._mux(native)

    def _mux(self, native: Any) -> None:
        self._container.mux(native)

    def close(self) -> None:
        """Writes what is held back and the trailer."""
        if self._began:
            for passage in self._passages.values():
                self._write(passage.flush(), passage.output)
        self._container.close()

    def abandon(self) -> None:
        """Releases everything after a failure; nothing more is written where `target` refuses."""
        self._container.close()


def _comes_after_the_beginning(native: Any) -> bool:
    """Whether a packet of sound is to be heard; an encoder's run-in lies before 0, which few containers hold."""
    if native.pts is not None and native.pts < 0:
        if native.pts + (native.duration or 0) <= 0:
            return False
        native.pts = native.dts = 0
    return True

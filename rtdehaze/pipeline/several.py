"""Several outputs of a file at once: a sink that hands everything to outputs that share their encoders."""

from __future__ import annotations

from collections.abc import Sequence

from rtdehaze.core.errors import SinkError
from rtdehaze.core.frame import Frame
from rtdehaze.core.live import Joined, LiveOptions, OutletStatus
from rtdehaze.core.options import Options
from rtdehaze.core.stream import Packet, Source
from rtdehaze.pipeline.opening import tag_of
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.recompose.compare import Comparison

__all__ = ["SeveralSinks"]


class SeveralSinks:
    """A `Sink` over several outputs; none of them loses a frame, and one that fails is said at the end.

    Args:
        locations: Files, `null`, or `-`.
        source: Where the frames come from.
        options: Codec, encoder, quality, overwriting.
        live: How files are cut by time.
        comparison: How input and output share the picture.
        threads: Of the encoders.

    Raises:
        UsageError: A name or an option cannot be used, or an output exists.
        SinkError: A folder cannot be written, or no encoder opens.
    """

    def __init__(
        self,
        locations: Sequence[str],
        source: Source,
        options: Options,
        live: LiveOptions,
        *,
        comparison: Comparison | None,
        threads: int,
    ) -> None:
        self._outputs = open_live_outputs(
            locations,
            options,
            live,
            source=source.location,
            size_of=comparison.size if comparison else None,
            threads=threads,
            tag=tag_of(options),
            metadata=source.metadata,
            chapters=source.chapters,
            lossless=True,
        )
        self._outputs.adapt(Joined(source.video, source.copied, reconnects=0, away=0.0))
        self._frames = 0
        self.location = ", ".join(status.location for status in self._outputs.statuses())
        self.replaces = False

    def allocate(self, like: Frame) -> Frame:
        """Returns a writable frame of the outputs' size."""
        return self._outputs.allocate(like)

    def write(self, item: Frame | Packet) -> None:
        """Encodes a frame or copies a packet for every output."""
        self._outputs.write(item)
        self._frames += isinstance(item, Frame)

    def statuses(self) -> tuple[OutletStatus, ...]:
        """Says how each output fares."""
        return self._outputs.statuses()

    def finish(self) -> None:
        """Completes every output.

        Raises:
            SinkError: One of them failed; the others are complete.
        """
        self._outputs.close()
        failed = [f"{status.location}: {status.error}" for status in self._outputs.statuses() if status.error]
        if failed:
            raise SinkError("; ".join(failed))

    def abort(self, *, keep: bool) -> bool:
        """Completes what was written so far; it is kept either way, for it cannot be told from what was wanted."""
        self._outputs.close()
        return keep and self._frames > 0

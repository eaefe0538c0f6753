"""One line that says what a run did."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtdehaze.pipeline.live.report import LiveReport
    from rtdehaze.pipeline.report import Report

__all__ = ["summary_of"]


def summary_of(report: Report | LiveReport) -> str:
    """Returns the line for a run on a file or a live run."""
    density = "" if report.mean_density is None else f", mean haze density {report.mean_density:.2f}"
    model = "no dehazing" if report.model is None else f"{report.model} on {report.provider}"
    return (
        f"{_output(report)}: {report.frames_out} frames in {report.seconds:.1f} s, {_speed(report)}, {model}{density}"
    )


def _output(report: Report | LiveReport) -> str:
    return report.output if hasattr(report, "output") else ", ".join(outlet.location for outlet in report.outputs)


def _speed(report: Report | LiveReport) -> str:
    if hasattr(report, "output"):
        return f"{report.fps:.1f} fps"
    lost = ", ".join(f"{count} {reason}" for reason, count in report.dropped.items() if count) or "none"
    back = f", {report.reconnects} reconnects" if report.reconnects else ""
    return f"dropped: {lost}, age p50 {report.age_ms['p50']:.0f} ms p99 {report.age_ms['p99']:.0f} ms{back}"

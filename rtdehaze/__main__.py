"""`rtdehaze` and `python -m rtdehaze`: the way into the command."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line; Ctrl-C while its modules are still being imported gets a line, too."""
    try:
        from rtdehaze.cli.main import main as command

        command()
    except KeyboardInterrupt:
        sys.stderr.write("rtdehaze: error: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()

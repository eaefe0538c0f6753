from __future__ import annotations

import inspect

from rtdehaze.core import errors


def test_every_error_is_in_the_tree_drawn_in_the_docstring_and_in_all() -> None:
    classes = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert classes == set(errors.__all__)
    for name in classes:
        assert issubclass(getattr(errors, name), errors.RtdehazeError)
        assert name in (errors.__doc__ or "")


def test_usage_errors_exit_with_2_and_all_others_with_1() -> None:
    for name in errors.__all__:
        error = getattr(errors, name)
        assert error.exit_code == (2 if issubclass(error, errors.UsageError) else 1)

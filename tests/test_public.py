from __future__ import annotations

import rtdehaze


def test_the_public_names_are_these_and_all_of_them_exist() -> None:
    public = {
        "Dehazer", "Haze", "LiveOptions", "LiveReport", "Options", "Report", "RtdehazeError", "__version__",
        "transcode", "watch",
    }  # fmt: skip
    assert set(rtdehaze.__all__) == public
    for name in public:
        assert getattr(rtdehaze, name) is not None
    assert set(dir(rtdehaze)) == public

from __future__ import annotations

from orchestrator.cli.show.table import table, widths


def test_columns_are_as_wide_as_their_widest_cell_and_lines_end_without_space() -> None:
    assert table([["NAME", "AGE"], ["a-long-name", "1s"], ["b", ""]]) == ["NAME          AGE", "a-long-name   1s", "b"]


def test_columns_of_a_watch_never_shrink() -> None:
    assert widths([["a", "bb"]], least=[5, 1]) == [5, 2]

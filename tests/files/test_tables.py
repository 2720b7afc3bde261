import numpy as np
import pandas as pd
import pytest

from napari_spinney.files.tables import TableFileError, read_table, write_table


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_tables_read_back_the_same(tmp_path, suffix):
    table = pd.DataFrame({"label": [1, 4_000_000_000], "a,b": [np.pi, np.nan], "name": ["x", "ü"]})
    write_table(tmp_path / f"t{suffix}", table)
    pd.testing.assert_frame_equal(
        read_table(tmp_path / f"t{suffix}"), table, check_exact=True, check_dtype=False
    )


def test_unfit_files_are_named(tmp_path):
    with pytest.raises(TableFileError, match=r"t\.txt: a table is read and written as \.csv"):
        write_table(tmp_path / "t.txt", pd.DataFrame())
    with pytest.raises(TableFileError, match=r"none\.csv"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "t.parquet").write_bytes(b"nothing")
    with pytest.raises(TableFileError, match=r"t\.parquet"):
        read_table(tmp_path / "t.parquet")

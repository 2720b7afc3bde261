"""OpenCL where the system keeps the processor to itself."""

import os
import re

import pytest

from napari_spinney.compute.opencl.platforms import _describe_processor


@pytest.fixture(autouse=True)
def no_description(monkeypatch):
    monkeypatch.setenv("HWLOC_SYNTHETIC", "")
    monkeypatch.delenv("HWLOC_SYNTHETIC")


def test_pocl_is_told_of_the_processor_where_there_is_no_sysfs(tmp_path):
    _describe_processor(sysfs=tmp_path / "missing")
    told = re.fullmatch(
        r"NUMANode:1\(memory=(\d+)\) Core:(\d+) PU:1", os.environ["HWLOC_SYNTHETIC"]
    )
    assert int(told[1]) > 2**20
    assert int(told[2]) == os.cpu_count()


def test_nothing_is_told_where_linux_tells_it(tmp_path):
    _describe_processor(sysfs=tmp_path)
    assert "HWLOC_SYNTHETIC" not in os.environ


def test_what_a_user_said_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("HWLOC_SYNTHETIC", "Core:3 PU:1")
    _describe_processor(sysfs=tmp_path / "missing")
    assert os.environ["HWLOC_SYNTHETIC"] == "Core:3 PU:1"

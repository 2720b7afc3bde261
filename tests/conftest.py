"""What all tests share."""

import pytest

from napari_spinney.compute.opencl.platforms import find_devices


def pytest_configure() -> None:
    """Open OpenCL the way Spinney does, before APOC does it in the same process.

    In a chroot without ``/sys`` PoCL would otherwise end the tests.
    """
    find_devices()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep real windows to one process: two at a time would take the focus from each other."""
    for item in items:
        if "widgets" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("windows"))

"""What all tests share."""

from napari_spinney.compute.opencl.platforms import find_devices


def pytest_configure() -> None:
    """Open OpenCL the way Spinney does, before APOC does it in the same process.

    In a chroot without ``/sys`` PoCL would otherwise end the tests.
    """
    find_devices()

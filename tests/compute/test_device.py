import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from napari_spinney.compute import device as device_module
from napari_spinney.compute.device import (
    Device,
    DeviceError,
    choose_device,
    explain,
    fastest,
    list_devices,
)
from napari_spinney.compute.opencl import platforms
from napari_spinney.compute.opencl.platforms import find_devices, opencl_device

POCL = Device("pthread-EPYC", "opencl", "CPU", "Portable Computing Language", 8, 2, "3.1", (0, 0))
SMALL_GPU = Device("UHD Graphics", "opencl", "GPU", "Intel(R) OpenCL", 4, 24, "3.0", (1, 0))
BIG_GPU = Device("RTX 4090", "opencl", "GPU", "NVIDIA CUDA", 24, 128, "3.0 CUDA", (2, 0))


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("SPINNEY_DEVICE", raising=False)


@pytest.fixture
def offer(monkeypatch):
    """Pretend that OpenCL offers these devices, or none for a reason."""

    def pretend(*devices, reason=""):
        monkeypatch.setattr(platforms, "find_devices", lambda: (devices, reason))

    return pretend


def test_the_processor_comes_last(offer):
    offer(POCL, BIG_GPU)
    *others, last = list_devices()
    assert others == [POCL, BIG_GPU]
    assert (last.name, last.kind, last.index) == ("cpu", "cpu", None)
    assert last.compute_units == os.cpu_count()


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ((), "cpu"),
        ((POCL,), POCL.name),
        ((POCL, SMALL_GPU), SMALL_GPU.name),
        ((POCL, SMALL_GPU, BIG_GPU), BIG_GPU.name),
        ((BIG_GPU, SMALL_GPU), BIG_GPU.name),
    ],
)
def test_auto_takes_the_fastest(offer, devices, expected):
    offer(*devices)
    assert choose_device().name == choose_device("auto").name == expected
    assert fastest(list_devices()).name == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("opencl", BIG_GPU),
        ("OpenCL", BIG_GPU),
        ("rtx", BIG_GPU),
        ("nvidia", BIG_GPU),
        ("cuda", BIG_GPU),
        ("portable computing", POCL),
        (SMALL_GPU, SMALL_GPU),
    ],
)
def test_devices_are_found_by_kind_and_by_parts_of_names(offer, wanted, expected):
    offer(POCL, SMALL_GPU, BIG_GPU)
    assert choose_device(wanted) == expected


def test_cpu_means_without_opencl(offer):
    offer(POCL)
    assert choose_device("cpu").kind == "cpu"


def test_the_environment_names_the_device(offer, monkeypatch):
    offer(POCL, BIG_GPU)
    monkeypatch.setenv("SPINNEY_DEVICE", "cpu")
    assert choose_device().kind == "cpu"
    assert choose_device("auto") == BIG_GPU
    monkeypatch.setenv("SPINNEY_DEVICE", "")
    assert choose_device() == BIG_GPU


def test_a_missing_device_is_an_error_that_lists_what_there_is(offer, monkeypatch):
    offer(POCL)
    with pytest.raises(DeviceError, match=r"'radeon'.*pthread-EPYC.*cpu.*pocl-opencl-icd"):
        choose_device("radeon")
    monkeypatch.setenv("SPINNEY_DEVICE", "radeon")
    with pytest.raises(DeviceError, match="from SPINNEY_DEVICE"):
        choose_device()


def test_opencl_without_devices_is_an_error_with_the_reason(offer):
    offer(reason="the driver is broken")
    with pytest.raises(DeviceError, match="the driver is broken"):
        choose_device("opencl")


def test_a_device_that_has_gone_is_an_error(offer):
    offer(POCL)
    with pytest.raises(DeviceError, match="not there"):
        choose_device(replace(POCL, name="gone"))


def test_explanation_names_the_gpu(offer):
    offer(POCL, BIG_GPU)
    assert explain() == f"Computing on the GPU {BIG_GPU}."


@pytest.mark.parametrize(
    ("devices", "reason", "expected"),
    [
        ((POCL,), "", "the only device it offers is pthread-EPYC"),
        ((), "no driver is installed", "no driver is installed"),
    ],
)
def test_explanation_says_why_there_is_no_gpu(offer, devices, reason, expected):
    offer(*devices, reason=reason)
    assert "No GPU is used" in explain()
    assert expected in explain()
    assert device_module.HOW_TO_GET_MORE in explain()


class FakeError(Exception):
    pass


def fake_opencl(get_platforms):
    types = SimpleNamespace(GPU=4, CPU=2)
    return SimpleNamespace(get_platforms=get_platforms, Error=FakeError, device_type=types)


def raising(message):
    def fail():
        raise FakeError(message)

    return fail


@pytest.fixture
def import_opencl(monkeypatch):
    """Replace pyopencl for one look at the devices."""

    def replace_module(module):
        find_devices.cache_clear()
        monkeypatch.setitem(sys.modules, "pyopencl", module)

    yield replace_module
    find_devices.cache_clear()


def test_without_pyopencl_the_reason_says_so(import_opencl):
    import_opencl(None)
    devices, reason = find_devices()
    assert devices == ()
    assert "pyopencl cannot be imported" in reason


def test_without_any_driver_the_reason_says_so(import_opencl):
    import_opencl(fake_opencl(raising("PLATFORM_NOT_FOUND_KHR")))
    devices, reason = find_devices()
    assert devices == ()
    assert "no OpenCL driver" in reason
    assert "PLATFORM_NOT_FOUND_KHR" in reason


def test_a_driver_without_its_hardware_does_not_hide_others(import_opencl):
    def good():
        return [
            SimpleNamespace(
                name=" GPU ",
                available=True,
                compiler_available=True,
                type=4,
                global_mem_size=1,
                max_compute_units=2,
                version="OpenCL 3.0",
                driver_version="1",
            )
        ]

    broken = SimpleNamespace(name="broken", get_devices=raising("DEVICE_NOT_FOUND"))
    working = SimpleNamespace(name="working", get_devices=good)
    import_opencl(fake_opencl(lambda: [broken, working]))
    (device,), reason = find_devices()
    assert (device.name, device.type, device.index, reason) == ("GPU", "GPU", (1, 0), "")


def test_drivers_without_devices_are_a_reason(import_opencl):
    import_opencl(fake_opencl(list))
    assert find_devices() == ((), "OpenCL is installed, but its drivers offer no usable device")


def test_only_opencl_devices_have_a_handle():
    with pytest.raises(DeviceError, match="not an OpenCL device"):
        opencl_device(list_devices()[-1])


def test_a_machine_without_drivers_computes_on_the_processor():
    code = (
        "from napari_spinney.compute.device import choose_device, list_devices\n"
        "print(len(list_devices()), choose_device().name)"
    )
    environment = {**os.environ, "OCL_ICD_VENDORS": os.devnull}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["1", "cpu"]


@pytest.mark.opencl
def test_this_machine_has_an_opencl_device():
    assert choose_device("opencl").memory > 0

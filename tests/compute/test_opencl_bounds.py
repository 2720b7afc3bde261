"""Kernels read and write nothing outside their arena: there, a page is that ends the process."""

import subprocess
import sys

import numpy as np
import pytest

from napari_spinney.compute.run import executor_for
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan

pytestmark = pytest.mark.opencl

SCRIPT = """
import ctypes, mmap, sys
import numpy as np
import pyopencl as cl
from napari_spinney.compute.opencl.arena import Lane
from napari_spinney.compute.run import executor_for
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan

PAGE = mmap.PAGESIZE
kept = []
side, words, shape, inner = sys.argv[1], sys.argv[2], eval(sys.argv[3]), eval(sys.argv[4])

def guarded(self, name, n_bytes):
    pages = -(-n_bytes // PAGE) * PAGE
    memory = mmap.mmap(-1, pages + 2 * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + PAGE + pages):
        assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(page), PAGE, 0) == 0
    first = PAGE if side == "before" else PAGE + pages - n_bytes
    array = np.frombuffer(memory, np.uint8, n_bytes, first)
    kept.append((memory, array))
    flags = cl.mem_flags.READ_WRITE | cl.mem_flags.USE_HOST_PTR
    return cl.Buffer(self._context, flags, hostbuf=array)

Lane.buffer = guarded
plan = build_plan(FeatureSet.parse(words), ndim=len(shape), exact=False)
image = np.zeros((1, *shape), np.float32)
executor_for("opencl").features(plan, image, tuple(slice(a, b) for a, b in inner))
print("done")
"""

LOCAL = "original median=1 standard_deviation=2 sobel=0 maximum=3 mean=2"
LONG = "gaussian_blur=1 gaussian_blur=9 hessian_eigenvalues=1 structure_tensor_eigenvalues=3"


@pytest.mark.parametrize("side", ["before", "behind"])
@pytest.mark.parametrize("words", [LOCAL, LONG])
@pytest.mark.parametrize(
    ("shape", "inner"),
    [
        ((100, 120), ((0, 100), (0, 120))),
        ((100, 120), ((49, 50), (60, 61))),
        ((100, 120), ((95, 99), (0, 7))),
        ((20, 60, 30), ((10, 11), (0, 60), (0, 30))),
        ((1, 1, 1), ((0, 1), (0, 1), (0, 1))),
    ],
)
def test_kernels_stay_in_their_arena(side, words, shape, inner):
    command = [sys.executable, "-c", SCRIPT, side, words, repr(shape), repr(inner)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr[-2000:]


@pytest.mark.parametrize("word", ["mode_box=1", "mode_sphere_of_gaussian_blur=1"])
@pytest.mark.parametrize("value", [-2, 300, np.nan])
def test_values_that_a_filter_would_count_beside_its_places_are_refused(word, value):
    image = np.full((1, 8, 9), value, np.float32)
    plan = build_plan(FeatureSet.parse(word), ndim=2)
    with pytest.raises(ValueError, match=r"counts values from 0 to 255; the image has"):
        executor_for("opencl").features(plan, image, (slice(0, 8), slice(0, 9)))

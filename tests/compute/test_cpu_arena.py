import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_spinney.compute.cpu.arena import Plane, new_arena, row_pitch
from napari_spinney.compute.cpu.kernels import CHUNK
from napari_spinney.compute.regions import LINE, Region, Space


@given(st.lists(st.tuples(st.integers(1, 200), st.booleans()), max_size=40))
def test_places_in_use_never_overlap(requests):
    space, used = Space(), {}
    for size, give_one_back in requests:
        position = space.take(size)
        assert position % LINE == 0
        assert all(position + size <= p or p + n <= position for p, n in used.items())
        used[position] = size
        assert max(p + n for p, n in used.items()) <= space.size
        if give_one_back:
            space.give(*used.popitem())


def test_places_given_back_become_one_again():
    space = Space()
    places = [space.take(100) for _ in range(4)]
    for place in (places[0], places[2], places[1]):
        space.give(place, 100)
    assert space.take(3 * 112) == places[0]


@given(st.integers(1, 10_000))
def test_rows_have_room_for_whole_chunks_and_lie_in_different_places_of_the_cache(n):
    pitch = row_pitch(n)
    assert pitch >= n + CHUNK
    assert pitch // LINE % 2 == 1


def test_arena_begins_at_a_cache_line():
    assert all(new_arena(n).ctypes.data % 64 == 0 for n in (1, 17, 1000))


@pytest.fixture
def plane():
    return Plane(64, Region((1, 2, 35), (3, 7, 60)))


def test_rows_of_a_plane_are_where_its_view_has_them(plane):
    arena = np.arange(5000, dtype=np.float32)
    region = Region((2, 3, 40), (3, 5, 50))
    view = plane.view(arena, region)
    assert view.shape == (1, 2, 10)
    np.testing.assert_array_equal(view[0, :, 0], plane.at(40) + plane.all_rows(region))


def test_rows_begin_at_a_cache_line(plane):
    assert plane.left == 32
    assert (plane.all_rows(plane.region) % LINE == 0).all()


def test_regions_grow_as_far_as_the_block_goes():
    region = Region((0, 3, 5), (1, 6, 9))
    assert region.grown((0, 2, 9), (1, 7, 12)) == Region((0, 1, 0), (1, 7, 12))
    assert region.union(Region((0, 0, 6), (2, 4, 7))) == Region((0, 0, 5), (2, 6, 9))

"""Numba kernels that evaluate a packed forest on tiles of pixels; see `trees`."""

# mypy: allow-untyped-defs, no-check-untyped-defs, disable-error-code="call-arg"

import numpy as np
from numba import njit

from napari_spinney.compute.cpu.lanes import (
    LANES,
    RUN,
    add_leaves_1,
    add_leaves_2,
    copy_run,
    split_tile,
)

# All unsigned: numba checks signed indices for being negative, and makes floats of a mixture.
_ZERO, _ONE, _TWO, _THREE = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
_FULL = np.uint64(2**64 - 1)
_NUMBER = np.uint64(2**31 - 1)
_FLAG = np.uint64(31)


@njit(nogil=True, cache=True)
def _gather(planes, z, y, x, height, tile):
    """Copy the pixels of a tile; repeat the last row and column at a border. True if NaN."""
    width = LANES // height
    n_features, _, rows, columns = planes.shape
    contiguous = planes.strides[3] == 4
    found = False
    for f in range(n_features):
        for j in range(height):
            row = min(y + j, rows - 1)
            for i in range(0, width, RUN):
                if contiguous and x + i + RUN <= columns:
                    found |= copy_run(planes, f, z, row, x + i, tile, j * width + i)
                else:
                    for k in range(i, i + RUN):
                        value = planes[f, z, row, min(x + k, columns - 1)]
                        found |= value != value
                        tile[f, j * width + k] = value
    return found


@njit(nogil=True, cache=True)
def _find_leaves(roots, nodes, tile, has_nan, queue, middle):
    """Send a tile down some trees; return the end of the list of leaves that it reaches.

    ``queue`` has entries (node, mask, mask): from 0 on the inner nodes still to be visited, from
    ``middle`` on the leaves. An entry is written for every child, and kept if it has pixels: no
    step waits for the one before it, and no branch is there to be guessed wrong.
    """
    inner, leaves, head = _ZERO, middle, _ZERO
    for k in range(len(roots)):
        is_leaf = np.uint64(roots[k]) >> _FLAG
        at = leaves if is_leaf != _ZERO else inner
        queue[at, _ZERO] = np.uint64(roots[k]) & _NUMBER
        queue[at, _ONE] = _FULL
        queue[at, _TWO] = _FULL
        leaves += is_leaf
        inner += _ONE - is_leaf
    while head < inner:
        node, mask_0, mask_1 = queue[head, _ZERO], queue[head, _ONE], queue[head, _TWO]
        head += _ONE
        feature = np.uint64(nodes[node, _ZERO])
        left_0, left_1, nan_0, nan_1 = split_tile(
            tile, feature & _NUMBER, np.uint64(nodes[node, _ONE])
        )
        if has_nan:
            nan_left = _ZERO - (feature >> _FLAG)
            left_0 |= nan_0 & nan_left
            left_1 |= nan_1 & nan_left
        for side in (_TWO, _THREE):
            child = np.uint64(nodes[node, side])
            is_leaf = child >> _FLAG
            at = (leaves & (_ZERO - is_leaf)) | (inner & (is_leaf - _ONE))
            child_0 = mask_0 & (left_0 if side == _TWO else ~left_0)
            child_1 = mask_1 & (left_1 if side == _TWO else ~left_1)
            queue[at, _ZERO] = child & _NUMBER
            queue[at, _ONE] = child_0
            queue[at, _TWO] = child_1
            kept = np.uint64((child_0 | child_1) != _ZERO)
            leaves += kept & is_leaf
            inner += kept & (is_leaf ^ _ONE)
    return leaves


@njit(nogil=True, cache=True)
def _evaluate_small(small_nodes, small_thresholds, values, tile, sums):
    """Add up trees of depth 2 or less: all three comparisons for every pixel, then selects.

    Classes go in pairs; of an odd number the last pair does one class again, from zero.
    """
    n_classes = values.shape[1]
    for pair in range(0, n_classes, 2):
        c = min(pair, n_classes - 2)
        sum_0, sum_1 = sums[c], sums[c + 1]
        sum_0[:] = 0
        sum_1[:] = 0
        for k in range(len(small_nodes)):
            node, threshold = small_nodes[k], small_thresholds[k]
            root, left, right = tile[node[0]], tile[node[1]], tile[node[2]]
            t_root, t_left, t_right = threshold[0], threshold[1], threshold[2]
            leaf_0, leaf_1, leaf_2, leaf_3 = node[3], node[4], node[5], node[6]
            a_0, b_0 = values[leaf_0, c], values[leaf_0, c + 1]
            a_1, b_1 = values[leaf_1, c], values[leaf_1, c + 1]
            a_2, b_2 = values[leaf_2, c], values[leaf_2, c + 1]
            a_3, b_3 = values[leaf_3, c], values[leaf_3, c + 1]
            for i in range(LANES):
                goes_left, left_left = root[i] <= t_root, left[i] <= t_left
                right_left = right[i] <= t_right
                a_left, a_right = a_0 if left_left else a_1, a_2 if right_left else a_3
                b_left, b_right = b_0 if left_left else b_1, b_2 if right_left else b_3
                sum_0[i] += a_left if goes_left else a_right
                sum_1[i] += b_left if goes_left else b_right


@njit(nogil=True, cache=True)
def _evaluate(roots, nodes, values, at_once, tile, has_nan, sums, queue, middle):
    """Add up the leaves that the pixels of one tile reach."""
    sums[:] = 0
    n_classes = values.shape[1]
    for first in range(0, len(roots), at_once):
        end = _find_leaves(roots[first : first + at_once], nodes, tile, has_nan, queue, middle)
        for c in range(0, n_classes - 1, 2):
            add_leaves_2(queue, middle, end, values, c, sums)
        if n_classes % 2:
            add_leaves_1(queue, middle, end, values, n_classes - 1, sums)


@njit(nogil=True, cache=True)
def _probabilities(sums, factor, out):
    """Turn sums into probabilities, (n_classes, LANES) float32."""
    n_classes = sums.shape[0]
    if factor > 0:
        for c in range(n_classes):
            for i in range(LANES):
                out[c, i] = np.float32(sums[c, i] * factor)
        return
    for i in range(LANES):
        whole = np.float32(sums[0, i])
        for c in range(1, n_classes):
            whole += np.float32(sums[c, i])
        for c in range(n_classes):
            out[c, i] = np.float32(sums[c, i]) / whole if whole > 0 else np.float32(0)


@njit(nogil=True, cache=True)
def _best(sums, best, index):
    """Find the class with the largest sum; the lowest wins a tie."""
    for i in range(LANES):
        best[i] = sums[0, i]
        index[i] = 0
    for c in range(1, sums.shape[0]):
        for i in range(LANES):
            larger = sums[c, i] > best[i]
            best[i] = sums[c, i] if larger else best[i]
            index[i] = c if larger else index[i]


@njit(nogil=True, cache=True)
def _uncertainty(probabilities, out):
    """1 - (best - second best probability), to row 0 of ``out``."""
    for i in range(LANES):
        best, second = probabilities[0, i], np.float32(0)
        for c in range(1, probabilities.shape[0]):
            value = probabilities[c, i]
            second = max(second, min(value, best))
            best = max(best, value)
        out[0, i] = np.float32(1.0 - (np.float64(best) - np.float64(second)))


def predict_tiles(
    roots,
    nodes,
    small_nodes,
    small_thresholds,
    values,
    factor,
    at_once,
    middle,
    planes,
    tile,
    sums,
    queue,
    numbers,
    best,
    index,
    labels,
    output,
    classes_out,
    numbers_out,
):
    """Go over all tiles; see `trees.predict_planes`."""
    _, depth, rows, columns = planes.shape
    height = 8 if rows >= 8 else 4 if rows >= 4 else 2 if rows >= 2 else 1
    width = LANES // height
    for z in range(depth):
        for y in range(0, rows, height):
            for x in range(0, columns, width):
                has_nan = _gather(planes, z, y, x, height, tile)
                if len(small_nodes) > 0 and not has_nan:
                    _evaluate_small(small_nodes, small_thresholds, values, tile, sums)
                else:
                    _evaluate(roots, nodes, values, at_once, tile, has_nan, sums, queue, middle)
                if output == 0:
                    _best(sums, best, index)
                    for j in range(min(height, rows - y)):
                        for i in range(min(width, columns - x)):
                            classes_out[z, y + j, x + i] = labels[index[j * width + i]]
                    continue
                _probabilities(sums, factor, numbers)
                if output == 2:
                    _uncertainty(numbers, numbers)
                for c in range(numbers_out.shape[0]):
                    for j in range(min(height, rows - y)):
                        for i in range(min(width, columns - x)):
                            numbers_out[c, z, y + j, x + i] = numbers[c, j * width + i]

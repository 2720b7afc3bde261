"""Numba kernels that evaluate a packed forest on tiles of 64 pixels; see `trees`."""

# mypy: allow-untyped-defs, no-check-untyped-defs, disable-error-code="call-arg"

import numpy as np
from numba import njit

from napari_spinney.compute.cpu.lanes import LANES, add_where, not_a_number, not_above

FULL = np.uint64(2**64 - 1)
"""The mask of a whole tile."""


@njit(nogil=True, cache=True)
def _gather(planes, z, y, x, height, tile):
    """Copy pixels of a tile, height x 64/height; repeat the last at the border. True if NaN."""
    width = LANES // height
    rows, columns = planes.shape[2], planes.shape[3]
    found = False
    for feature in range(planes.shape[0]):
        for j in range(height):
            row = min(y + j, rows - 1)
            if x + width <= columns:
                for i in range(width):
                    tile[feature, j * width + i] = planes[feature, z, row, x + i]
            else:
                for i in range(width):
                    tile[feature, j * width + i] = planes[feature, z, row, min(x + i, columns - 1)]
        for i in range(LANES):
            found |= tile[feature, i] != tile[feature, i]
    return found


@njit(nogil=True, cache=True)
def _walk(roots, feature, threshold, link, nan_left, values, tile, has_nan, sums, nodes, masks):
    """Add up the leaves that the pixels of one tile reach."""
    for root in roots:
        waiting = 0
        node = np.int64(root)
        mask = FULL
        while True:
            while feature[node] >= 0:
                left = not_above(tile, feature[node], threshold[node])
                if has_nan:
                    left |= nan_left[node] & not_a_number(tile, feature[node], threshold[node])
                right = mask & ~left
                left &= mask
                nodes[waiting] = link[node]
                masks[waiting] = right
                waiting += (left != 0) & (right != 0)
                node = node + 1 if left != 0 else np.int64(link[node])
                mask = left if left != 0 else right
            for c in range(values.shape[1]):
                add_where(sums, c, mask, values[link[node], c])
            if waiting == 0:
                break
            waiting -= 1
            node = nodes[waiting]
            mask = masks[waiting]


@njit(nogil=True, cache=True)
def _best(sums, i):
    """Class with the largest sum in lane ``i``; the lowest wins a tie."""
    best = 0
    for c in range(1, sums.shape[0]):
        if sums[c, i] > sums[best, i]:
            best = c
    return best


@njit(nogil=True, cache=True)
def _probability(sums, c, i, factor):
    """Probability of a class in lane ``i``, float32."""
    if factor > 0:
        return np.float32(sums[c, i] * factor)
    whole = np.float32(0)
    for k in range(sums.shape[0]):
        whole += np.float32(sums[k, i])
    return np.float32(sums[c, i]) / whole if whole > 0 else np.float32(0)


@njit(nogil=True, cache=True)
def _uncertainty(sums, i, factor):
    """1 - (best - second best probability) in lane ``i``, float32."""
    best = _best(sums, i)
    second = 0.0
    for c in range(sums.shape[0]):
        if c != best:
            second = max(second, np.float64(_probability(sums, c, i, factor)))
    return np.float32(1.0 - (np.float64(_probability(sums, best, i, factor)) - second))


def predict_tiles(
    roots,
    feature,
    threshold,
    link,
    nan_left,
    values,
    factor,
    planes,
    tile,
    sums,
    nodes,
    masks,
    labels,
    output,
    classes,
    numbers,
):
    """Go over all tiles; see `predict_planes`."""
    height = 4 if planes.shape[2] >= 4 else 1
    width = LANES // height
    for z in range(planes.shape[1]):
        for y in range(0, planes.shape[2], height):
            for x in range(0, planes.shape[3], width):
                has_nan = _gather(planes, z, y, x, height, tile)
                sums[:] = 0
                _walk(
                    roots,
                    feature,
                    threshold,
                    link,
                    nan_left,
                    values,
                    tile,
                    has_nan,
                    sums,
                    nodes,
                    masks,
                )
                for j in range(min(height, planes.shape[2] - y)):
                    for i in range(min(width, planes.shape[3] - x)):
                        lane = j * width + i
                        if output == 0:
                            classes[z, y + j, x + i] = labels[_best(sums, lane)]
                        elif output == 1:
                            for c in range(sums.shape[0]):
                                numbers[c, z, y + j, x + i] = _probability(sums, c, lane, factor)
                        else:
                            numbers[0, z, y + j, x + i] = _uncertainty(sums, lane, factor)

"""Charts of measurements, drawn into the ``ax`` of matplotlib that is handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_spinney.inspection.correlation import Correlation

ALL_OBJECTS = 0
"""Stands for the objects without a class."""
_GREY = "#999999"
_MOST_BINS = 60
_NUMBERS_SHOWN = 8
"""Largest matrix that has room for numbers."""


def draw_histogram(
    ax: Axes,
    values: NDArray[Any],
    classes: NDArray[Any] | None = None,
    *,
    colors: Mapping[int, str] | None = None,
    names: Mapping[int, str] | None = None,
    label: str = "",
) -> int:
    """Draw how often values occur, one outline per class over common bins.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw; what is there stays.
    values : (n,) array of numbers
        What is counted.
    classes : (n,) array of int, optional
        Class of each value, 0 without one.
    colors, names : mapping of int, optional
        Colour and name of each class.
    label : str
        Name of the measurement.

    Returns
    -------
    int
        How many values are not finite, and not drawn.
    """
    finite = np.isfinite(values)
    edges = _edges(values[finite])
    for number, chosen in _by_class(classes, finite):
        ax.hist(
            values[chosen],
            bins=edges.tolist(),
            histtype="stepfilled",
            alpha=0.55,
            color=_color(number, colors),
            edgecolor=_color(number, colors),
            label=_name(number, names),
        )
    ax.set_xlabel(label)
    ax.set_ylabel("objects")
    _few_ticks(ax)
    _legend(ax, classes)
    return int(len(values) - finite.sum())


def draw_scatter(
    ax: Axes,
    x: NDArray[Any],
    y: NDArray[Any],
    classes: NDArray[Any] | None = None,
    *,
    colors: Mapping[int, str] | None = None,
    names: Mapping[int, str] | None = None,
    labels: tuple[str, str] = ("", ""),
) -> int:
    """Draw one point per object, in the colour of its class.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw; what is there stays.
    x, y : (n,) arrays of numbers
        The two measurements.
    classes, colors, names
        As in `draw_histogram`.
    labels : pair of str
        Names of the measurements.

    Returns
    -------
    int
        How many objects lack one of the two values, and are not drawn.
    """
    finite = np.isfinite(x) & np.isfinite(y)
    for number, chosen in _by_class(classes, finite):
        ax.plot(
            x[chosen],
            y[chosen],
            linestyle="none",
            marker="o",
            markersize=4,
            alpha=0.7,
            markeredgewidth=0,
            color=_color(number, colors),
            label=_name(number, names),
        )
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    _few_ticks(ax)
    _legend(ax, classes)
    return int(len(x) - finite.sum())


def draw_correlation(ax: Axes, correlation: Correlation) -> None:
    """Draw a matrix of correlations, -1 blue to 1 red; a cross where there is none.

    Columns are numbered, and rows named and numbered.
    """
    matrix = correlation.matrix
    values = matrix.to_numpy(np.float64)
    ax.imshow(np.ma.masked_invalid(values), cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    ticks = range(len(matrix.columns))
    ax.set_xticks(ticks, [str(number + 1) for number in ticks])
    ax.set_yticks(ticks, [f"{name}  {k + 1}" for k, name in enumerate(matrix.columns)])
    ax.tick_params(labelsize="small", length=0)
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        if np.isnan(value):
            ax.text(column, row, "×", ha="center", va="center", color=_GREY)
        elif len(ticks) <= _NUMBERS_SHOWN:
            ink = "white" if abs(value) > 0.6 else "black"
            size = "small" if len(ticks) < _NUMBERS_SHOWN - 2 else "x-small"
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", color=ink, size=size)


def nearest_point(ax: Axes, x: NDArray[Any], y: NDArray[Any], at: tuple[float, float]) -> int:
    """Row of the point drawn next to a place in pixels of the canvas, within 12 pixels; or -1."""
    with np.errstate(invalid="ignore"):
        places = ax.transData.transform(np.column_stack([x, y]).astype(np.float64))
        distances = np.hypot(*(places - np.asarray(at)).T)
    distances = np.where(np.isfinite(distances), distances, np.inf)
    nearest = int(np.argmin(distances)) if len(distances) else -1
    return nearest if nearest >= 0 and distances[nearest] <= 12 else -1


def set_colors(ax: Axes, text: str, background: str) -> None:
    """Give a chart the colours of the window that it is shown in."""
    ax.set_facecolor(background)
    if ax.figure is not None:
        ax.figure.patch.set_facecolor(background)
    for spine in ax.spines.values():
        spine.set_color(text)
    ax.tick_params(colors=text)
    ax.xaxis.label.set_color(text)
    ax.yaxis.label.set_color(text)
    legend = ax.get_legend()
    if legend is not None:
        legend.get_frame().set_facecolor(background)
        for entry in legend.get_texts():
            entry.set_color(text)


def _edges(values: NDArray[Any]) -> NDArray[np.float64]:
    if not len(values):
        return np.array([0.0, 1.0])
    edges = np.histogram_bin_edges(values.astype(np.float64), bins="auto")
    if len(edges) - 1 > _MOST_BINS:
        edges = np.histogram_bin_edges(values.astype(np.float64), bins=_MOST_BINS)
    return edges


def _by_class(
    classes: NDArray[Any] | None, finite: NDArray[np.bool_]
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    if classes is None:
        yield ALL_OBJECTS, finite
        return
    for number in np.unique(classes).tolist():
        yield int(number), finite & (classes == number)


def _color(number: int, colors: Mapping[int, str] | None) -> str:
    return (colors or {}).get(number, _GREY)


def _name(number: int, names: Mapping[int, str] | None) -> str:
    return "no class" if number == ALL_OBJECTS else (names or {}).get(number, f"class {number}")


def _few_ticks(ax: Axes) -> None:
    """Short numbers at few places: there is little room, and each takes time to draw."""
    ax.locator_params(nbins=5)
    ax.ticklabel_format(scilimits=(-3, 5))


def _legend(ax: Axes, classes: NDArray[Any] | None) -> None:
    if classes is not None and len(classes):  # the emptiest corner takes long to find
        ax.legend(fontsize="small", framealpha=0.7, loc="upper right")

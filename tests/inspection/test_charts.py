import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from napari_spinney.inspection.charts import (
    draw_correlation,
    draw_histogram,
    draw_scatter,
    nearest_point,
    set_colors,
)
from napari_spinney.inspection.correlation import correlate

COLORS = {1: "#0072b2", 2: "#e69f00"}


@pytest.fixture
def ax():
    return Figure(figsize=(4, 3)).add_subplot()


@pytest.fixture
def values():
    return np.array([1.0, 2, 2, 3, 9, 8, np.nan])


@pytest.fixture
def classes():
    return np.array([1, 1, 1, 1, 2, 2, 2])


def test_a_histogram_counts_every_value_once(ax, values, classes):
    missing = draw_histogram(ax, values, classes, colors=COLORS, label="area")
    assert missing == 1
    ax.figure.draw_without_rendering()
    assert ax.get_xlabel() == "area"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["class 1", "class 2"]
    assert [to_hex(patch.get_facecolor()) for patch in ax.patches] == list(COLORS.values())
    tops = [patch.get_xy()[:, 1].max() for patch in ax.patches]
    assert sum(tops) <= 6


def test_points_have_the_colour_of_their_class(ax, values, classes):
    missing = draw_scatter(ax, values, -values, classes, colors=COLORS, labels=("a", "b"))
    assert missing == 1
    assert [to_hex(line.get_color()) for line in ax.lines] == list(COLORS.values())
    assert [len(line.get_xdata()) for line in ax.lines] == [4, 2]


def test_without_classes_there_is_no_legend(ax, values):
    draw_scatter(ax, values, values)
    assert ax.get_legend() is None


def test_a_place_finds_the_point_under_it(ax, values):
    draw_scatter(ax, values, -values)
    place = ax.transData.transform((9.0, -9.0))
    assert nearest_point(ax, values, -values, tuple(place + 2)) == 4
    assert nearest_point(ax, values, -values, tuple(place + 200)) == -1
    assert nearest_point(ax, values[:0], values[:0], (0.0, 0.0)) == -1


def test_a_matrix_marks_what_has_no_correlation(ax, values):
    table = pd.DataFrame({"a": values, "b": -values, "c": 1.0})
    draw_correlation(ax, correlate(table, ["a", "b", "c"]))
    written = [text.get_text() for text in ax.texts]
    assert written.count("×") == 5
    assert written.count("-1.0") == 2
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a  1", "b  2", "c  3"]


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [3.0, 3.0], [1.0, np.inf]])
def test_few_values_are_drawn_too(ax, values):
    draw_histogram(ax, np.array(values, float), np.ones(len(values), int))
    ax.figure.draw_without_rendering()
    assert ax.get_ylabel() == "objects"


def test_a_chart_takes_the_colours_of_the_window(ax, values, classes):
    draw_histogram(ax, values, classes)
    set_colors(ax, "#ffffff", "#202020")
    assert to_hex(ax.get_facecolor()) == to_hex(ax.figure.get_facecolor()) == "#202020"
    assert to_hex(ax.xaxis.label.get_color()) == "#ffffff"

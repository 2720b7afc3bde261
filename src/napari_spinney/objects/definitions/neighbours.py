"""Measurements of the neighbourhood of an object; distances are between centroids."""

from __future__ import annotations

from functools import partial

from napari_spinney.objects.catalogue import Measurement

_neighbours = partial(Measurement, group="neighbours")

_RADII = (10.0, 20.0, 40.0, 80.0, 160.0)
_NEAREST = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 20.0)
_PORTIONS = (0.0, 0.16, 0.2, 0.33, 0.5, 0.75)
_DILATIONS = (5.0, 10.0)
_HOW = {"minimum": "minimum", "average": "mean", "maximum": "maximum"}


def _touching(suffix: str, grown: str, numbers: tuple[float, ...]) -> list[Measurement]:
    """Measurements of touching objects, as they are or after growing by ``{}`` pixels."""
    entry = partial(_neighbours, numbers=numbers)
    return [
        entry(
            name=f"touching_neighbor_count{suffix}",
            unit="count",
            definition=f"Number of objects that touch it along an edge or face{grown}.",
            compute=lambda s, r: s.neighbourhood(r).contacts.neighbour_count(),
        ),
        *(
            entry(
                name=f"{how}_distance_of_touching_neighbors{suffix}",
                unit="length",
                definition=f"{how.capitalize()} distance to touching objects{grown}; 0 without.",
                compute=lambda s, r, by=by: s.neighbourhood(r).touching_distance(by),
            )
            for how, by in _HOW.items()
        ),
        entry(
            name=f"max_min_distance_ratio_of_touching_neighbors{suffix}",
            unit="none",
            definition=f"Largest / smallest distance to touching objects{grown}; NaN without.",
            compute=lambda s, r: s.neighbourhood(r).touching_distance_ratio(),
        ),
        entry(
            name=f"touch_count_sum{suffix}",
            unit="count",
            definition=f"Pairs of pixels in which it touches other objects{grown}.",
            compute=lambda s, r: s.neighbourhood(r).contacts.reduce(
                s.neighbourhood(r).contacts.count, "sum"
            ),
        ),
        *(
            entry(
                name=f"{how}_touch_{what}{suffix}",
                unit=unit,
                definition=f"{how.capitalize()} over touching objects{grown} of the {meaning}; "
                f"0 without.",
                compute=lambda s, r, how=how, what=what: s.neighbourhood(r).contacts.reduce(
                    getattr(s.neighbourhood(r).contacts, what), how
                ),
            )
            for what, unit, meaning in (
                ("count", "count", "pairs of touching pixels"),
                ("portion", "none", "part of its outline that touches"),
            )
            for how in ("minimum", "maximum")
        ),
    ]


NEIGHBOURS = (
    *_touching("", "", ()),
    _neighbours(
        name="standard_deviation_touch_portion",
        unit="none",
        definition="Mean difference of touching parts from 1 / number of neighbours.",
        compute=lambda s, _: s.neighbourhood().contacts.portion_deviation(),
    ),
    _neighbours(
        name="shared_border_portion",
        unit="none",
        definition="Part of its outline that touches other objects.",
        compute=lambda s, _: s.neighbourhood().contacts.reduce(
            s.neighbourhood().contacts.portion, "sum"
        ),
    ),
    _neighbours(
        name="touch_portion_above_{}_neighbor_count",
        unit="count",
        definition="Number of objects that touch more than this part of its outline.",
        compute=lambda s, above: s.neighbourhood().contacts.neighbour_count(above),
        numbers=_PORTIONS,
    ),
    _neighbours(
        name="proximal_neighbor_count_d{}",
        unit="count",
        definition="Number of objects at most this far away (in the unit of the spacing).",
        compute=lambda s, radius: s.neighbourhood().count_within(radius),
        numbers=_RADII,
    ),
    _neighbours(
        name="average_distance_of_n_nearest_neighbors={}",
        unit="length",
        definition="Mean distance to the n nearest objects; NaN for a lonely object.",
        compute=lambda s, n: s.neighbourhood().nearest(int(n)).mean(axis=1),
    ),
    _neighbours(
        name="average_distance_of_n{}_nearest_neighbors",
        unit="length",
        definition="Mean distance to the n nearest objects; NaN for a lonely object.",
        compute=lambda s, n: s.neighbourhood().nearest(int(n)).mean(axis=1),
        numbers=_NEAREST,
    ),
    _neighbours(
        name="maximum_distance_of_n{}_nearest_neighbors",
        unit="length",
        definition="Distance to the n-th nearest object; NaN for a lonely object.",
        compute=lambda s, n: s.neighbourhood().nearest(int(n))[:, -1],
        numbers=_NEAREST,
    ),
    _neighbours(
        name="distance_to_most_distant_other",
        unit="length",
        definition="Distance to the most distant object; NaN for a lonely object.",
        compute=lambda s, _: s.neighbourhood().farthest(),
    ),
    _neighbours(
        name="local_density_of_n{}_nearest_neighbors",
        unit="none",
        definition="n / area of the disc (volume of the ball) that reaches to the n-th nearest.",
        compute=lambda s, n: s.neighbourhood().density(int(n)),
        numbers=(5.0,),
    ),
    *_touching("_dilated_r_{}", " after growing by so many pixels", _DILATIONS),
)

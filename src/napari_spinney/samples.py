"""Sample images: for napari, for Python and for the command line.

The synthetic ones come with exact truth and lie in ``sample_data/``; `coins` and `cell` are shipped
with scikit-image. Nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]

_PIXELS = {1: "background", 2: "nucleus"}
_NUCLEI = (0.5, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """An image and what belongs to it.

    Parameters
    ----------
    name : str
        As in `names`.
    axes : str
        Axes of the image, of T, C, Z, Y and X.
    image : array
        Grey values, uint8.
    strokes : array
        0 where nothing is painted, else a class; of the image's shape without C.
    truth : array or None
        For `two_channels`, `shapes` and `sizes` the class of every pixel; else the number of the
        nucleus (0 = background). None for real images.
    labels : array or None
        For `shapes` and `sizes` the objects to classify.
    spacing : tuple of float or None
        Micrometres per pixel along each spatial axis; None for real images.
    class_names : dict of int to str
        What the strokes' numbers mean.
    """

    name: str
    axes: str
    image: NDArray[np.uint8]
    strokes: NDArray[np.uint8]
    truth: NDArray[np.uint8] | None
    labels: NDArray[np.uint8] | None
    spacing: tuple[float, ...] | None
    class_names: dict[int, str]

    @property
    def channel_axis(self) -> int | None:
        """Position of the channels, if there are any."""
        return self.axes.index("C") if "C" in self.axes else None

    @property
    def time_axis(self) -> int | None:
        """Position of the time points, if there are any."""
        return self.axes.index("T") if "T" in self.axes else None

    @property
    def options(self) -> dict[str, Any]:
        """Keywords that `PixelClassifier.fit` and `predict` need for this image."""
        return {
            "channel_axis": self.channel_axis,
            "time_axis": self.time_axis,
            "spacing": self.spacing,
        }


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the files do not say."""

    axes: str = "YX"
    spacing: tuple[float, ...] | None = _NUCLEI
    class_names: dict[int, str] = field(default_factory=lambda: dict(_PIXELS))


_SAMPLES: dict[str, _Entry] = {
    "nuclei": _Entry(),
    "stack": _Entry("ZYX", (1.0, 0.25, 0.25)),
    "two_channels": _Entry("CYX", class_names={1: "background", 2: "unmarked", 3: "marked"}),
    "time_lapse": _Entry("TYX"),
    "shapes": _Entry(class_names={1: "round", 2: "elongated"}),
    "sizes": _Entry(class_names={1: "small round", 2: "large round", 3: "large elongated"}),
    "coins": _Entry(spacing=None, class_names={1: "background", 2: "coin"}),
    "cell": _Entry(spacing=None, class_names={1: "background", 2: "cell"}),
}


def names() -> tuple[str, ...]:
    """Names of all samples."""
    return tuple(_SAMPLES)


def folder() -> Path:
    """Where the sample files lie: in the installed package, or beside the sources."""
    inside = Path(__file__).parent / "sample_data"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "sample_data"


def load_sample(name: str) -> Sample:
    """Read one sample.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    ValueError
        If there is no such sample.
    """
    if name not in _SAMPLES:
        raise ValueError(f"no sample is called {name!r}; there are {', '.join(_SAMPLES)}")
    entry = _SAMPLES[name]
    strokes = _read(f"{name}_strokes")
    if strokes is None:
        raise FileNotFoundError(
            f"{folder() / f'{name}_strokes.tif'} is missing: install napari-spinney anew"
        )
    return Sample(
        name=name,
        axes=entry.axes,
        image=_image(name),
        strokes=strokes,
        truth=_read(f"{name}_truth"),
        labels=_read(f"{name}_labels"),
        spacing=entry.spacing,
        class_names=dict(entry.class_names),
    )


def _image(name: str) -> NDArray[np.uint8]:
    image = _read(name)
    if image is not None:
        return image
    from skimage import data

    return np.asarray(getattr(data, name)())


def _read(stem: str) -> NDArray[np.uint8] | None:
    import tifffile

    path = folder() / f"{stem}.tif"
    return np.asarray(tifffile.imread(path)) if path.exists() else None


# ---------------------------------------------------------- what napari.yaml names


def coins() -> list[LayerData]:
    """Coins on an unevenly lit table, and strokes (scikit-image)."""
    return layers(load_sample("coins"))


def cell() -> list[LayerData]:
    """One cell, and strokes (scikit-image)."""
    return layers(load_sample("cell"))


def nuclei() -> list[LayerData]:
    """Nuclei from dim to bright, some touching; strokes, and the truth (hidden)."""
    return layers(load_sample("nuclei"))


def stack() -> list[LayerData]:
    """Nuclei in 3D, slices four pixel widths apart; strokes, and the truth (hidden)."""
    return layers(load_sample("stack"))


def two_channels() -> list[LayerData]:
    """Nuclei, and a marker that some of their cells have; strokes, and the truth (hidden)."""
    return layers(load_sample("two_channels"))


def time_lapse() -> list[LayerData]:
    """Nuclei that wander and bleach; strokes, and the truth (hidden)."""
    return layers(load_sample("time_lapse"))


def shapes() -> list[LayerData]:
    """Round and elongated objects, their labels, and dabs on a few of each kind."""
    return layers(load_sample("shapes"))


def sizes() -> list[LayerData]:
    """Objects of three kinds, their labels, and dabs on a few of each kind."""
    return layers(load_sample("sizes"))


def layers(sample: Sample) -> list[LayerData]:
    """A sample as napari's layer data: image, labels, strokes, truth."""
    made: list[LayerData] = [(sample.image, _image_options(sample), "image")]
    for data, what, options in (
        (sample.labels, "objects", {}),
        (sample.truth, "truth", {"visible": False}),
        (sample.strokes, "strokes", {}),
    ):
        if data is not None:
            shared = {"name": f"{sample.name} {what}", **_scale(sample, data.ndim), **options}
            made.append((data, shared, "labels"))
    return made


def _image_options(sample: Sample) -> dict[str, Any]:
    options = {"name": sample.name, **_scale(sample, sample.strokes.ndim)}
    if sample.channel_axis is None:
        return options
    n_channels = sample.image.shape[sample.channel_axis]
    return {
        **options,
        "name": [f"{sample.name} channel {channel}" for channel in range(n_channels)],
        "channel_axis": sample.channel_axis,
    }


def _scale(sample: Sample, ndim: int) -> dict[str, Any]:
    """Scale and units of a layer of that many axes; time counts frames."""
    if sample.spacing is None:
        return {}
    others = ndim - len(sample.spacing)
    return {
        "scale": (1.0,) * others + sample.spacing,
        "units": ("pixel",) * others + ("micrometer",) * len(sample.spacing),
    }

"""Classifiers of pixels, in the manner of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np

from napari_spinney.classifiers.base import Classifier, ModelState

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_spinney.classifiers.segmentation import Split
    from napari_spinney.compute.blocks import Slices
    from napari_spinney.compute.device import Device
    from napari_spinney.compute.kept import KeptFeatures
    from napari_spinney.compute.program import Program
    from napari_spinney.compute.run import Writable
    from napari_spinney.compute.source import ImageSource
    from napari_spinney.features.feature import FeatureSet
    from napari_spinney.forest.rows import RowCache

DeviceLike: TypeAlias = "str | Device | None"
What: TypeAlias = Literal["classes", "probabilities", "probability", "uncertainty"]


@dataclass(frozen=True, slots=True)
class Progress:
    """What `PixelClassifier.iter_predict` yields after each block.

    Parameters
    ----------
    done, total : int
        Blocks written so far, and in all.
    index : tuple
        Where the block lies in the result (without its class axis).
    """

    done: int
    total: int
    index: tuple[int | slice, ...]


class PixelClassifier(Classifier):
    """Classify every pixel of an image by a forest trained on strokes.

    Parameters
    ----------
    features : str, sequence of str or FeatureSet
        Name of a feature set, or features in the grammar of `FeatureSet`.
    n_trees : int
        Number of trees.
    max_depth : int or None
        Levels of decisions in a tree; None lets trees grow until their leaves are pure.
    kind : {"extra_trees", "random_forest"}
        Extremely randomised trees, or a random forest.
    balance : {"none", "sqrt", "balanced"}
        Weight of a pixel of a class that has n of them: 1, n ** -0.5 or 1 / n.
    min_leaf : int
        Least number of training pixels in a leaf.
    seed : int
        Same seed, same strokes: same forest.
    stages : {1, 2}
        2 trains a second forest that also sees the surroundings of what the first one found
        (autocontext): better on textures, takes about twice the time.

    Attributes
    ----------
    classes_ : (n_classes,) array of unsigned int
        Class numbers as annotated, rising.
    forest_ : Forest
        The forest that decides (that of the last stage).
    table_ : TrainingTable or None
        The pixels learnt from; None where the model came from a file that holds none.
    feature_names_ : tuple of str
        Names of the forest's columns.
    class_names, class_colors : dict of int to str
        Names and "#rrggbb" colours by class number; yours to set, saved with the model.

    Examples
    --------
    >>> import numpy as np, napari_spinney as spinney
    >>> image = np.zeros((32, 32)); image[8:24, 8:24] = 1
    >>> strokes = np.zeros((32, 32), int); strokes[2, 2:30] = 1; strokes[16, 10:20] = 2
    >>> clf = spinney.PixelClassifier(features="small_quick", n_trees=10).fit(image, strokes)
    >>> int(clf.predict(image)[14, 14])
    2
    """

    def __init__(
        self,
        features: str | Sequence[str] | FeatureSet = "default",
        *,
        n_trees: int = 100,
        max_depth: int | None = None,
        kind: str = "extra_trees",
        balance: str = "sqrt",
        min_leaf: int = 3,
        seed: int = 0,
        stages: int = 1,
    ) -> None:
        super().__init__()
        self.features = features
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.kind = kind
        self.balance = balance
        self.min_leaf = min_leaf
        self.seed = seed
        self.stages = stages
        self._programs: dict[tuple[float, ...] | None, Program] = {}

    def fit(
        self,
        image: Any,
        annotation: Any,
        *,
        add: bool = False,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
        device: DeviceLike = None,
        caches: Sequence[RowCache] | None = None,
    ) -> Self:
        """Train on strokes.

        Parameters
        ----------
        image : array_like or list of array_like
            (Y, X) or (Z, Y, X), with a channel axis and a time axis where these are named; or
            several such images.
        annotation : array_like or list of array_like
            Whole numbers of the shape of the image without its channel axis: 0 where nothing is
            annotated, else the number of the class.
        add : bool
            Learn from these strokes besides those learnt before (also before it was saved).
        channel_axis, time_axis : int, optional
            Positions of these axes in the image.
        spacing : sequence of float, optional
            Micrometres per pixel along each spatial axis; needed for features in micrometres.
        device : str or Device, optional
            Where features are computed: "auto", "opencl", "cpu" or part of a device's name.
        caches : sequence of RowCache, optional
            One per image; rows held there are not computed again.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If shapes differ, nothing or a single class is annotated, annotations are no whole
            numbers, a feature is unknown, or (with ``add``) the image does not fit the model.
        """
        for state in self._iter_states(
            image,
            annotation,
            add=add,
            axes={"channel_axis": channel_axis, "time_axis": time_axis},
            spacing=spacing,
            device=device,
            caches=caches,
        ):
            self._set_state(state)
        return self

    def iter_fit(
        self,
        image: Any,
        annotation: Any,
        *,
        steps: tuple[int, ...] = (),
        add: bool = False,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
        device: DeviceLike = None,
        caches: Sequence[RowCache] | None = None,
    ) -> Iterator[Self]:
        """Train on strokes, with an answer of the first trees soon; changes nothing here.

        Parameters
        ----------
        steps : tuple of int
            Numbers of trees, rising, after which a classifier is yielded. With two stages these
            are passed over.
        image, annotation, add, channel_axis, time_axis, spacing, device, caches
            See `fit`.

        Yields
        ------
        classifier of the same kind
            New ones that hold the first trees; the last is what `fit` would make of this one.

        Raises
        ------
        ValueError
            As `fit` does.
        """
        for state in self._iter_states(
            image,
            annotation,
            steps=steps,
            add=add,
            axes={"channel_axis": channel_axis, "time_axis": time_axis},
            spacing=spacing,
            device=device,
            caches=caches,
        ):
            yield type(self).from_state(state)

    def _iter_states(
        self,
        image: Any,
        annotation: Any,
        *,
        add: bool,
        axes: dict[str, int | None],
        spacing: Sequence[float] | None,
        device: DeviceLike,
        caches: Sequence[RowCache] | None,
        steps: tuple[int, ...] = (),
    ) -> Iterator[ModelState]:
        from napari_spinney.classifiers import learning

        previous = self.state_ if add and self.is_fitted else None
        examples = learning.examples_of(image, annotation, caches=caches, **axes)
        yield from learning.iter_train(
            self, examples, spacing=spacing, device=device, previous=previous, steps=steps
        )

    def _set_state(self, state: ModelState) -> None:
        super()._set_state(state)
        self._programs = {}

    # -------------------------------------------------------------- prediction

    def predict(self, image: Any, **options: Any) -> NDArray[Any]:
        """Class of every pixel.

        Parameters
        ----------
        image : array_like
            Of as many spatial dimensions and channels as those trained on; read in blocks.
        **options
            As for `iter_predict`.

        Returns
        -------
        array of the smallest unsigned type that holds the classes
            Of the image's shape without its channel axis.
        """
        return exhaust(self.iter_predict(image, "classes", **options))

    def predict_proba(self, image: Any, **options: Any) -> NDArray[np.float32]:
        """Probability of every class; (class, *image without its channel axis), float32."""
        return exhaust(self.iter_predict(image, "probabilities", **options))

    def predict_uncertainty(self, image: Any, **options: Any) -> NDArray[np.float32]:
        """1 - (best - second best probability) of every pixel, float32: 0 sure, 1 undecided."""
        return exhaust(self.iter_predict(image, "uncertainty", **options))

    def iter_predict(
        self,
        image: Any,
        what: What = "classes",
        *,
        target_class: int | None = None,
        out: Writable | None = None,
        region: Slices | None = None,
        times: Sequence[int] | None = None,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
        device: DeviceLike = None,
        max_memory: int | None = None,
        kept: KeptFeatures | None = None,
    ) -> Generator[Progress, None, NDArray[Any]]:
        """Predict block by block: yields after each, returns the whole.

        Parameters
        ----------
        image : array_like
            Of as many spatial dimensions and channels as those trained on; read in blocks.
        what : {"classes", "probabilities", "probability", "uncertainty"}
            "probability" is that of ``target_class`` alone.
        target_class : int, optional
            The class for "probability".
        out : array_like, optional
            Written to in place of a new array; of the whole result's shape. A memory map or a
            zarr array keeps memory flat whatever the size of the image.
        region : tuple of slice, optional
            Predict only this part, one slice per spatial axis; the rest of the result is left
            as it is (0 in a new one).
        times : sequence of int, optional
            Predict only these time points.
        channel_axis, time_axis : int, optional
            Positions of these axes; those of training where the image has them too.
        spacing : sequence of float, optional
            Micrometres per pixel of this image; that of training unless given.
        device : str or Device, optional
            "auto", "opencl", "cpu" or part of a device's name.
        max_memory : int, optional
            Bytes that the blocks in flight may take together; 256 MiB unless given.
        kept : KeptFeatures, optional
            Features of this region of the same array from the call before, whatever was learnt
            since; holds those of this call afterwards. Makes no difference with two stages.

        Yields
        ------
        Progress
            How far it is, and where the block that was just written lies.

        Raises
        ------
        ValueError
            If the image does not fit the model, or ``out`` the result.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        DeviceError
            If the device is missing, or cannot compute one of the features.
        """
        from napari_spinney.classifiers import prediction

        state = self.state_
        source = prediction.source_for(state, image, channel_axis=channel_axis, time_axis=time_axis)
        keeping = None
        if kept is not None:
            keeping = prediction.keeping_of(state, self._spacing_for(spacing), kept)
        job = prediction.prepare(
            self.program(spacing),
            source,
            what,
            target=self._index_of(target_class) if what == "probability" else None,
            out=out,
            region=region,
            times=times,
            device=device,
            max_memory=max_memory,
            keeping=keeping,
        )
        for done, index in enumerate(job.run(), 1):
            yield Progress(done, job.total, index)
        return job.result

    def _index_of(self, target: int | None) -> int:
        found = np.flatnonzero(self.classes_ == target)
        if not len(found):
            raise ValueError(
                f"target_class={target} is none of the classes learnt: {self.classes_.tolist()}"
            )
        return int(found[0])

    def program(self, spacing: Sequence[float] | None = None) -> Program:
        """What executors run for an image with this spacing (that of training unless given)."""
        from napari_spinney.classifiers import prediction

        key = self._spacing_for(spacing)
        if key not in self._programs:
            self._programs[key] = prediction.program_of(self.state_, key)
        return self._programs[key]

    def _spacing_for(self, spacing: Sequence[float] | None) -> tuple[float, ...] | None:
        """Micrometres per pixel of an image; those of training unless given."""
        return self.state_.spacing if spacing is None else tuple(float(s) for s in spacing)


class ProbabilityMapper(PixelClassifier):
    """Map the probability of one class.

    Takes the parameters of `PixelClassifier`, and

    Parameters
    ----------
    target_class : int
        The class whose probability is mapped.
    """

    def __init__(
        self,
        features: str | Sequence[str] | FeatureSet = "default",
        *,
        target_class: int = 2,
        n_trees: int = 100,
        max_depth: int | None = None,
        kind: str = "extra_trees",
        balance: str = "sqrt",
        min_leaf: int = 3,
        seed: int = 0,
        stages: int = 1,
    ) -> None:
        super().__init__(
            features,
            n_trees=n_trees,
            max_depth=max_depth,
            kind=kind,
            balance=balance,
            min_leaf=min_leaf,
            seed=seed,
            stages=stages,
        )
        self.target_class = target_class

    def predict(self, image: Any, **options: Any) -> NDArray[np.float32]:
        """Probability of ``target_class``, float32, of the image's shape without channels."""
        return exhaust(
            self.iter_predict(image, "probability", target_class=self.target_class, **options)
        )


class ObjectSegmenter(PixelClassifier):
    """Classify pixels, then number the connected objects of one class.

    Takes the parameters of `PixelClassifier`, and

    Parameters
    ----------
    target_class : int
        The class that objects are made of.
    split : None or "watershed"
        Whether objects that touch are parted.
    min_size : int
        Objects of fewer pixels are dropped.
    clear_border : bool
        Whether objects that touch the border of the image are dropped.
    """

    def __init__(
        self,
        features: str | Sequence[str] | FeatureSet = "default",
        *,
        target_class: int = 2,
        split: Split = None,
        min_size: int = 0,
        clear_border: bool = False,
        n_trees: int = 100,
        max_depth: int | None = None,
        kind: str = "extra_trees",
        balance: str = "sqrt",
        min_leaf: int = 3,
        seed: int = 0,
        stages: int = 1,
    ) -> None:
        super().__init__(
            features,
            n_trees=n_trees,
            max_depth=max_depth,
            kind=kind,
            balance=balance,
            min_leaf=min_leaf,
            seed=seed,
            stages=stages,
        )
        self.target_class = target_class
        self.split = split
        self.min_size = min_size
        self.clear_border = clear_border

    def predict(self, image: Any, **options: Any) -> NDArray[np.uint32]:
        """Objects of ``target_class``, numbered 1..n (anew at each time point), uint32.

        Parameters
        ----------
        image : array_like
            As for `PixelClassifier.predict`.
        **options
            As for `PixelClassifier.iter_predict`.

        Returns
        -------
        array of uint32
            Of the image's shape without its channel axis; 0 where no object is.
        """
        from napari_spinney.classifiers import prediction

        if self.provenance_.get("format") != "cl":  # APOC's files may ask for a class they lack
            self._index_of(self.target_class)
        classes = exhaust(self.iter_predict(image, "classes", **options))
        source = prediction.source_for(
            self.state_,
            image,
            channel_axis=options.get("channel_axis"),
            time_axis=options.get("time_axis"),
        )
        return self.objects_in(classes, source, options.get("spacing"))

    def objects_in(
        self, classes: NDArray[Any], source: ImageSource, spacing: Sequence[float] | None = None
    ) -> NDArray[np.uint32]:
        """Number the objects in a class image that `iter_predict` made of ``source``."""
        from napari_spinney.classifiers.segmentation import segment_objects

        result = np.empty(classes.shape, np.uint32)
        for time in range(source.n_times):
            index = source.result_index(time, (slice(None),) * source.ndim)
            result[index] = segment_objects(
                classes[index] == self.target_class,
                split=self.split,
                min_size=self.min_size,
                clear_border=self.clear_border,
                spacing=self.state_.spacing if spacing is None else spacing,
            )
        return result


def exhaust(steps: Generator[Progress, None, NDArray[Any]]) -> NDArray[Any]:
    """Run a prediction to its end and return what it made."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: NDArray[Any] = end.value
            return result

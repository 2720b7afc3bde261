"""What all parts of the plugin share: values and signals, no Qt and no layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from psygnal import Signal

from napari_spinney.history import OpenModel, Step, Train, Validate, with_step
from napari_spinney.pace import Setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999",
    "#332288", "#44aa99", "#882255", "#ddcc77", "#117733", "#aa4499", "#88ccee", "#999933",
)  # fmt: skip
"""Class colours that colour-blind people tell apart (Okabe and Ito 2008, then Tol 2021)."""

FIRST_NAMES = ("background", "foreground")
LARGEST_CLASS = 255

Kind: TypeAlias = Literal["idle", "training", "predicting", "failed"]


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """A class that can be painted: number, name, "#rrggbb" colour, and whether it is shown."""

    number: int
    name: str
    color: str
    visible: bool = True

    @classmethod
    def default(cls, number: int) -> ClassEntry:
        """Class with the name and colour that its number has by default."""
        name = FIRST_NAMES[number - 1] if number <= len(FIRST_NAMES) else f"class {number}"
        return cls(number, name, PALETTE[(number - 1) % len(PALETTE)])


@dataclass(frozen=True, slots=True)
class Count:
    """How much of a class is painted."""

    pixels: int = 0
    strokes: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.pixels + other.pixels, self.strokes + other.strokes)


@dataclass(frozen=True, slots=True, eq=False)
class ImageEntry:
    """An image as the session knows it.

    Parameters
    ----------
    id : str
        Unique and lasting; names may change.
    name : str
        What the person calls it.
    data : array_like
        The image at full resolution.
    axes : str
        One letter per axis of ``data``: t, c, z, y, x.
    spacing : tuple of float or None
        Micrometres per pixel along the spatial axes, where known.
    used : bool
        Whether its strokes are trained on.
    """

    id: str
    name: str
    data: Any
    axes: str
    spacing: tuple[float, ...] | None = None
    used: bool = True

    @property
    def channel_axis(self) -> int | None:
        """Position of the channel axis in ``data``."""
        return self.axes.index("c") if "c" in self.axes else None

    @property
    def time_axis(self) -> int | None:
        """Position of the time axis in ``data``."""
        return self.axes.index("t") if "t" in self.axes else None

    @property
    def n_channels(self) -> int:
        """Number of channels; 1 without a channel axis."""
        return 1 if self.channel_axis is None else int(self.data.shape[self.channel_axis])

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.axes.replace("c", "").replace("t", ""))

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Lengths of the spatial axes."""
        shape = self.data.shape
        return tuple(int(n) for n, a in zip(shape, self.axes, strict=True) if a in "zyx")

    @property
    def annotation_shape(self) -> tuple[int, ...]:
        """Shape of an annotation: that of the image without the channel axis."""
        shape = self.data.shape
        return tuple(int(n) for n, axis in zip(shape, self.axes, strict=True) if axis != "c")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a classifier is made with: features and everything under "forest"."""

    features: str = "default"
    n_trees: int = 100
    max_depth: int | None = None
    kind: str | None = None
    balance: Any = None
    seed: int = 0
    stages: int = 1
    device: str | None = None
    use_spacing: bool = False

    def parameters(self) -> dict[str, Any]:
        """Arguments for a classifier of pixels; what is None is left to its defaults."""
        return {**self.forest(), "stages": self.stages}

    def forest(self) -> dict[str, Any]:
        """Arguments for any classifier; what is None is left to its defaults."""
        chosen = {
            "n_trees": self.n_trees,
            "max_depth": self.max_depth,
            "kind": self.kind,
            "balance": self.balance,
            "seed": self.seed,
        }
        return {k: v for k, v in chosen.items() if v is not None}


@dataclass(frozen=True, slots=True)
class Activity:
    """What runs now: a sentence, and how far it is where that is known (0 to 1)."""

    kind: Kind = "idle"
    text: str = ""
    done: float | None = None
    details: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """A classifier, when its strokes were painted, and where it came from.

    ``fact`` is the name and the SHA-256 of its file.
    """

    classifier: Any
    generation: int
    path: str | None = None
    seconds: float | None = None
    images: tuple[ImageEntry, ...] = ()
    fact: Mapping[str, str] | None = None


class Session:
    """State of one viewer: classes, images, annotations, recipe, model, and what runs.

    A counter, `generation`, rises with everything that would change what training gives. Work is
    started with the generation it saw, and `accept` drops what is older than what is there.
    """

    classes_changed = Signal()
    selected_class_changed = Signal(int)
    images_changed = Signal()
    annotation_changed = Signal(str)
    counts_changed = Signal()
    recipe_changed = Signal()
    model_changed = Signal()
    report_changed = Signal()
    history_changed = Signal()
    pace_changed = Signal()
    activity_changed = Signal()
    live_changed = Signal(bool)

    def __init__(self) -> None:
        self.generation = 0
        self.classes: dict[int, ClassEntry] = {n: ClassEntry.default(n) for n in (1, 2)}
        self.selected_class = 1
        self.images: dict[str, ImageEntry] = {}
        self.annotations: dict[str, Any] = {}
        self.counts: dict[str, dict[int, Count]] = {}
        self.recipe = Recipe()
        self.model: TrainedModel | None = None
        self.report: Any = None
        self.history: tuple[Step, ...] = ()
        self.activity = Activity()
        self.live = False
        self._paces: dict[Setting, float] = {}
        self._oldest_valid = 0

    # classes ---------------------------------------------------------------------------

    def add_class(self, number: int | None = None, name: str | None = None) -> ClassEntry:
        """Add a class, by default with the next free number.

        Raises
        ------
        ValueError
            If the number is taken or not between 1 and 255.
        """
        number = max(self.classes, default=0) + 1 if number is None else number
        if number in self.classes or not 1 <= number <= LARGEST_CLASS:
            raise ValueError(
                f"class numbers are free numbers from 1 to {LARGEST_CLASS}; got {number}, "
                f"taken are {sorted(self.classes)}"
            )
        entry = ClassEntry.default(number)
        self.classes[number] = entry if name is None else replace(entry, name=name)
        self.classes_changed.emit()
        return self.classes[number]

    def change_class(self, number: int, **changes: Any) -> None:
        """Rename (``name``), recolour (``color``), show or hide (``visible``) a class."""
        if number not in self.classes:
            raise ValueError(f"there is no class {number}; there are {sorted(self.classes)}")
        changed = replace(self.classes[number], **changes)
        if not changed.name.strip():
            raise ValueError("a class needs a name; got an empty one")
        if changed != self.classes[number]:
            self.classes[number] = changed
            self.classes_changed.emit()

    def remove_class(self, number: int) -> None:
        """Forget a class; its strokes are the caller's to erase or relabel."""
        if len(self.classes) == 1:
            raise ValueError(f"class {number} is the last one: at least one class must stay")
        del self.classes[number]
        if self.selected_class == number:
            self.select_class(min(self.classes))
        self.classes_changed.emit()

    def set_classes(self, names: Mapping[int, str], colors: Mapping[int, str]) -> None:
        """Take the classes of a model; those of the session that it lacks are kept."""
        for number, name in names.items():
            base = self.classes.get(number, ClassEntry.default(number))
            color = colors.get(number, base.color)
            self.classes[number] = replace(base, name=name or base.name, color=color)
        self.classes = dict(sorted(self.classes.items()))
        self.classes_changed.emit()

    def select_class(self, number: int) -> None:
        """Choose the class that the brush paints."""
        if number in self.classes and number != self.selected_class:
            self.selected_class = number
            self.selected_class_changed.emit(number)

    def count(self, number: int) -> Count:
        """Painted pixels and strokes of a class over all images used."""
        used = [c for i, c in self.counts.items() if i in self.images and self.images[i].used]
        return sum((c.get(number, Count()) for c in used), Count())

    def painted(self) -> tuple[int, ...]:
        """Classes with at least one painted pixel."""
        return tuple(n for n in sorted(self.classes) if self.count(n).pixels)

    # images and annotations ------------------------------------------------------------

    def set_image(self, entry: ImageEntry) -> None:
        """Add an image, or replace the one with its id; an annotation that fits is kept."""
        annotation = self.annotations.get(entry.id)
        if annotation is not None and annotation.shape != entry.annotation_shape:
            self.annotations.pop(entry.id)
            self.counts.pop(entry.id, None)
        self.images[entry.id] = entry
        self._touch()
        self._oldest_valid = self.generation
        self.images_changed.emit()

    def change_image(self, image_id: str, **changes: Any) -> None:
        """Rename an image or choose whether it is trained on."""
        self.images[image_id] = replace(self.images[image_id], **changes)
        self._touch()
        self.images_changed.emit()

    def remove_image(self, image_id: str) -> None:
        """Forget an image, its annotation and its counts."""
        for table in (self.images, self.annotations, self.counts):
            table.pop(image_id, None)
        self._touch()
        self.images_changed.emit()

    def set_annotation(self, image_id: str, annotation: Any) -> None:
        """Note that an annotation was made or painted on.

        Raises
        ------
        ValueError
            If its shape is not that of the image without channels.
        """
        expected = self.images[image_id].annotation_shape
        if tuple(annotation.shape) != expected:
            raise ValueError(
                f"an annotation has the shape of its image without channels, {expected}; "
                f"got {tuple(annotation.shape)}"
            )
        self.annotations[image_id] = annotation
        self._touch()
        self.annotation_changed.emit(image_id)

    def drop_annotation(self, image_id: str) -> None:
        """Forget the annotation of an image."""
        if self.annotations.pop(image_id, None) is not None:
            self.counts.pop(image_id, None)
            self._touch()
            self.counts_changed.emit()

    def set_counts(self, image_id: str, counts: Mapping[int, Count]) -> None:
        """Note how much of each class is painted on an image; adds classes not known yet."""
        self.counts[image_id] = dict(counts)
        for number in counts:
            if number not in self.classes and counts[number].pixels:
                self.add_class(number)
        self.counts_changed.emit()

    def training_images(self) -> list[ImageEntry]:
        """Images used whose annotation holds strokes."""
        return [
            entry
            for entry in self.images.values()
            if entry.used and entry.id in self.annotations and self._has_strokes(entry.id)
        ]

    def _has_strokes(self, image_id: str) -> bool:
        counts: Iterable[Count] = self.counts.get(image_id, {}).values()
        return image_id not in self.counts or any(c.pixels for c in counts)

    # recipe, model, activity -----------------------------------------------------------

    def set_recipe(self, **changes: Any) -> None:
        """Change features or options of training."""
        changed = replace(self.recipe, **changes)
        if changed != self.recipe:
            self.recipe = changed
            self._touch()
            self.recipe_changed.emit()

    def accept(self, model: TrainedModel) -> bool:
        """Take a trained model unless a newer one is there or its images are gone."""
        newest = -1 if self.model is None else self.model.generation
        if model.generation < max(newest, self._oldest_valid):
            return False
        self.model = model
        self.report = None
        if model.images:
            self.record(Train(model.classifier, model.images))
        self.model_changed.emit()
        return True

    def open_model(self, classifier: Any, path: str, fact: Mapping[str, str] | None = None) -> None:
        """Take a classifier from a file; its classes become those of the session."""
        self.model = TrainedModel(classifier, self.generation, path, fact=fact)
        self.report = None
        self.set_classes(dict(classifier.class_names), dict(classifier.class_colors))
        if hasattr(classifier, "iter_predict"):
            self.record(OpenModel(classifier, path))
        self.model_changed.emit()

    def set_report(self, report: Any, generation: int) -> None:
        """Take the error estimate of the model of that generation."""
        if self.model is not None and self.model.generation == generation:
            self.report = report
            self.record(Validate())
            self.report_changed.emit()

    def set_pace(self, setting: Setting, seconds: float | None) -> None:
        """Note how long a megapixel took, if that was measured."""
        if seconds is not None and self._paces.get(setting) != seconds:
            self._paces[setting] = seconds
            self.pace_changed.emit()

    def pace_on(self, entry: ImageEntry | None) -> float | None:
        """Seconds per megapixel of an image with the recipe, if it was predicted like that."""
        recipe = self.recipe
        if entry is None or not self._paces:
            return None
        try:
            setting = Setting.of(
                recipe, entry, device=recipe.device, use_spacing=recipe.use_spacing
            )
        except ValueError:
            return None
        return self._paces.get(setting)

    def record(self, step: Step) -> None:
        """Note what was done, for an export that tells the whole story."""
        self.history = with_step(self.history, step)
        self.history_changed.emit()

    @property
    def is_stale(self) -> bool:
        """Whether strokes or recipe changed since the model was trained."""
        model = self.model
        return model is not None and model.path is None and model.generation != self.generation

    def set_activity(self, activity: Activity) -> None:
        """Say what runs now."""
        if activity != self.activity:
            self.activity = activity
            self.activity_changed.emit()

    def set_live(self, live: bool) -> None:
        """Turn live training on or off."""
        if live != self.live:
            self.live = live
            self.live_changed.emit(live)

    def close(self) -> None:
        """Cut all connections and let go of all data."""
        for signal in (
            self.classes_changed,
            self.selected_class_changed,
            self.images_changed,
            self.annotation_changed,
            self.counts_changed,
            self.recipe_changed,
            self.model_changed,
            self.report_changed,
            self.history_changed,
            self.pace_changed,
            self.activity_changed,
            self.live_changed,
        ):
            signal.disconnect()
        self.images.clear()
        self.annotations.clear()
        self.model = None
        self.history = ()

    def _touch(self) -> None:
        self.generation += 1

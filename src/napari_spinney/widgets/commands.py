"""What menus, the command palette, keys and files call; named in the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
from napari.utils.notifications import show_info

from napari_spinney.widgets.workspace import existing_workspace, open_docks, workspace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_spinney.widgets.workspace import Workspace

LayerData = tuple[Any, ...]


def open_pixel_classifier(viewer: napari.Viewer) -> None:
    """Open the four docks, add a layer to paint on, and take the brush in hand."""
    open_docks(viewer)
    workspace_of(viewer).begin()


def toggle_live(viewer: napari.Viewer) -> None:
    """Turn live training on or off."""
    _with(viewer, lambda w: w.session.set_live(not w.session.live))


def train(viewer: napari.Viewer) -> None:
    """Learn from all strokes."""
    _with(viewer, lambda w: w.training.train())


def predict(viewer: napari.Viewer) -> None:
    """Make the results ticked under Predict."""
    _with(viewer, lambda w: w.predict_all())


def add_class(viewer: napari.Viewer) -> None:
    """Add a class and take it in hand."""
    _with(viewer, lambda w: w.session.select_class(w.session.add_class().number))


def go_to_unsure(viewer: napari.Viewer) -> None:
    """Move the view to where the model is unsure."""
    _with(viewer, lambda w: w.unsure.go())


def toggle_prediction(viewer: napari.Viewer) -> None:
    """Show or hide the results."""
    workspace = existing_workspace(viewer)
    if workspace is not None:
        for layer in workspace.results.all():
            layer.visible = not layer.visible


def hold_prediction_hidden(viewer: napari.Viewer) -> Iterator[None]:
    """Hide the results as long as the key is held."""
    workspace = existing_workspace(viewer)
    shown = [] if workspace is None else [x for x in workspace.results.all() if x.visible]
    for layer in shown:
        layer.visible = False
    yield
    for layer in shown:
        layer.visible = True


def _choose(number: int) -> Callable[[napari.Viewer], None]:
    def choose_class(viewer: napari.Viewer) -> None:
        _with(viewer, lambda w: w.session.select_class(number))

    choose_class.__doc__ = f"Paint class {number}."
    choose_class.__name__ = choose_class.__qualname__ = f"choose_class_{number}"
    return choose_class


choose_class_1 = _choose(1)
choose_class_2 = _choose(2)
choose_class_3 = _choose(3)
choose_class_4 = _choose(4)
choose_class_5 = _choose(5)
choose_class_6 = _choose(6)
choose_class_7 = _choose(7)
choose_class_8 = _choose(8)
choose_class_9 = _choose(9)


def _with(viewer: napari.Viewer, action: Callable[[Workspace], None]) -> None:
    workspace = existing_workspace(viewer)
    if workspace is None:
        show_info("Open the pixel classifier first: Layers, Annotate, Pixel classifier.")
    else:
        action(workspace)


def get_model_reader(path: str | list[str]) -> Callable[[str], list[LayerData]] | None:
    """Reader for model files: opens the classifier in the docks and adds no layer."""
    paths = [path] if isinstance(path, str) else path
    if len(paths) != 1 or Path(paths[0]).suffix.lower() not in (".spinney", ".cl"):
        return None
    return read_model


def read_model(path: str | list[str]) -> list[LayerData]:
    """Open a model in the docks of the current viewer."""
    viewer = napari.current_viewer()
    if viewer is None:
        raise ValueError(f"{path} is a model: it is opened in a napari window, and there is none")
    open_docks(viewer)
    workspace_of(viewer).open_model(path if isinstance(path, str) else path[0])
    return [(None,)]


def write_model(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Save the model of the current viewer."""
    viewer = napari.current_viewer()
    workspace = None if viewer is None else existing_workspace(viewer)
    if workspace is None or workspace.session.model is None:
        raise ValueError("there is no model to save yet: paint and press Train")
    workspace.session.model.classifier.save(path)
    return [path]

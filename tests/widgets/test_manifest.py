"""What napari finds in the manifest works: commands, widgets, readers, writers."""

import pytest
from napari._app_model import get_app_model
from npe2 import PluginManager, PluginManifest

import napari_spinney
from napari_spinney.samples import load_sample
from napari_spinney.widgets.commands import get_model_reader
from napari_spinney.widgets.workspace import existing_workspace

pytestmark = pytest.mark.gui

MANIFEST = PluginManifest.from_distribution("napari-spinney")


def test_everything_named_in_the_manifest_exists():
    for command in MANIFEST.contributions.commands:
        assert callable(command.python_name and manifest_object(command.python_name))


def manifest_object(python_name):
    module, _, name = python_name.partition(":")
    return getattr(__import__(module, fromlist=[name]), name)


def test_the_menu_command_opens_the_whole_workspace(make_napari_viewer, nuclei):
    viewer = make_napari_viewer()
    viewer.add_image(nuclei, name="nuclei")
    get_app_model().commands.execute_command("napari-spinney.pixel_classifier").result()
    for name in ("Annotate", "Train", "Predict", "Inspect"):
        assert f"{name} (napari-spinney)" in viewer.window.dock_widgets
    assert viewer.layers.selection.active.name == "nuclei strokes"


@pytest.mark.parametrize("widget", [w.display_name for w in MANIFEST.contributions.widgets])
def test_every_widget_opens_and_closes_without_a_leak(make_napari_viewer, widget):
    viewer = make_napari_viewer(strict_qt=True)
    dock, _ = viewer.window.add_plugin_dock_widget("napari-spinney", widget)
    viewer.window.remove_dock_widget(dock)
    dock.deleteLater()


@pytest.mark.parametrize("suffix", [".spinney", ".cl"])
def test_a_model_file_dropped_on_the_viewer_is_opened(make_napari_viewer, tmp_path, suffix):
    sample = load_sample("nuclei")
    classifier = napari_spinney.PixelClassifier("small_quick", n_trees=5, max_depth=3)
    path = str(tmp_path / f"model{suffix}")
    classifier.fit(sample.image, sample.strokes).save(path)
    viewer = make_napari_viewer()
    viewer.open(path, plugin="napari-spinney")
    workspace = existing_workspace(viewer)
    assert workspace.session.model.path == path
    assert len(viewer.layers) == 0


def test_other_files_are_left_to_other_readers():
    assert get_model_reader("image.tif") is None
    assert get_model_reader(["a.cl", "b.cl"]) is None


def test_the_model_is_written_as_what_it_is(person, nuclei, tmp_path):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    path = str(tmp_path / "model.spinney")
    someone.viewer.layers.save(path, selected=True, plugin="napari-spinney")
    assert set(napari_spinney.load(path).classes_) == {1, 2}


def test_the_manifest_at_the_root_is_that_of_the_package():
    from pathlib import Path

    root = Path(__file__).parents[2] / "napari.yaml"
    assert root.resolve() == Path(napari_spinney.__file__).with_name("napari.yaml").resolve()
    assert "napari-spinney" in PluginManager.instance()

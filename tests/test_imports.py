"""Starting is quick because nothing heavy is imported before it is used."""

import json
import subprocess
import sys

import pytest

HEAVY = ["qtpy", "napari", "magicgui", "superqt", "pyopencl", "pyclesperanto_prototype", "numba"]


def imported_by(statement):
    code = f"{statement}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(run.stdout))


@pytest.mark.parametrize(
    "statement",
    [
        "import napari_spinney",
        "import napari_spinney.cli",
        "import napari_spinney.samples",
        "import napari_spinney.apoc as apoc; apoc.PixelClassifier()",
        "from napari_spinney import FeatureSet; FeatureSet.parse('default')",
        "from napari_spinney import PixelClassifier; PixelClassifier()",
    ],
)
def test_nothing_heavy_is_imported_by(statement):
    assert imported_by(statement).isdisjoint(HEAVY)


def test_the_package_imports_no_learning_library_either():
    assert imported_by("import napari_spinney").isdisjoint(
        {"sklearn", "scipy", "skimage", "pandas"}
    )


def test_every_public_name_is_there():
    import napari_spinney

    for name in napari_spinney.__all__:
        assert getattr(napari_spinney, name).__name__ == name


def test_an_unknown_public_name_is_an_attribute_error():
    import napari_spinney

    with pytest.raises(AttributeError, match="PixelClasifier"):
        napari_spinney.PixelClasifier  # noqa: B018

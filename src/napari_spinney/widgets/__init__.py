"""The napari plugin: Qt lives below this folder only."""

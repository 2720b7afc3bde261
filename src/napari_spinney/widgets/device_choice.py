"""Where it is computed, what each device is, and why no GPU is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_spinney.interaction.tasks import plainly
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_spinney.widgets.workspace import Workspace


class DeviceChoice(QWidget):
    """A list of devices, looked up in the background."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session = workspace.session
        self.devices = QComboBox()
        self.devices.addItem("auto", None)
        self.devices.setToolTip("Where features and forest are computed. Auto takes the fastest.")
        self.devices.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.why = QLabel()
        self.why.setWordWrap(True)
        self.why.setToolTip("Why no GPU is used, and what to do about it.")
        form = QFormLayout()
        form.addRow("Device", self.devices)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.why)
        self.devices.activated.connect(self._on_device_chosen)
        lane = f"devices {id(self)}"
        workspace.jobs.start(lane, _look_up, on_return=self._fill)
        self.destroyed.connect(lambda: workspace.jobs.cancel(lane))
        link(self, self._choose_known, self._session.recipe_changed)

    def _fill(self, found: tuple[tuple[Any, ...], Any, str]) -> None:
        devices, chosen, why = found
        self.devices.setToolTip(f"Where features and forest are computed. Auto: {chosen}.")
        self.devices.setItemText(0, f"auto: {chosen.name} ({chosen.kind}, {chosen.type})")
        for device in devices:
            self.devices.addItem(f"{device.name} ({device.kind}, {device.type})", device.name)
        self._choose_known()
        self.why.setText(why.partition(". ")[0].rstrip(".") + "." if why else "")
        self.why.setToolTip(why)
        self.why.setVisible(bool(why))

    def _choose_known(self) -> None:
        """Show the device of the session, which another dock may have chosen."""
        index = self.devices.findData(self._session.recipe.device)
        self.devices.setCurrentIndex(max(0, index))

    def _on_device_chosen(self, index: int) -> None:
        self._session.set_recipe(device=self.devices.itemData(index))


def _look_up() -> Generator[None, None, tuple[tuple[Any, ...], Any, str]]:
    from napari_spinney.compute.device import choose_device, explain, list_devices

    yield
    with plainly("looking for devices"):
        devices = list_devices()
        gpu = any(device.type == "GPU" for device in devices)
        return devices, choose_device(None), "" if gpu else explain()

"""Keys from the manifest, as napari actions that can be changed in the preferences."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from napari.components.viewer_model import ViewerModel
from napari.settings import get_settings
from napari.utils.action_manager import action_manager
from npe2 import PluginManager
from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QKeyEvent, QKeySequence

if TYPE_CHECKING:
    from collections.abc import Callable

    from npe2.manifest.contributions._keybindings import KeyBindingContribution

PLUGIN = "napari-spinney"
COMMANDS = "napari_spinney.widgets.commands"
_WHILE_HELD = {f"{PLUGIN}.toggle_prediction": f"{COMMANDS}:hold_prediction_hidden"}
"""What a key does while it is held, in place of what the command does once."""


def register_keys() -> None:
    """Bind the keys of the manifest, or what the person chose instead.

    napari reads keybindings of plugins but does not act on them yet, so they are handed to its
    action manager, which the preferences show.
    """
    manifest = PluginManager.instance().get_manifest(PLUGIN)
    titles = {command.id: command.title for command in manifest.contributions.commands or ()}
    chosen = get_settings().shortcuts.shortcuts
    for binding in manifest.contributions.keybindings or ():
        name = action_name(binding.command)
        command = _function(binding)
        action_manager.register_action(name, command, titles[binding.command], ViewerModel)
        for key in chosen.get(name, [binding.key]):
            action_manager.bind_shortcut(name, key)


def action_name(command: str) -> str:
    """Name under which a command is known to the action manager."""
    return command.replace(f"{PLUGIN}.", f"{PLUGIN}:", 1)


def _function(binding: KeyBindingContribution) -> Callable[..., object]:
    manifest = PluginManager.instance().get_manifest(PLUGIN)
    python_name = _WHILE_HELD.get(binding.command) or next(
        str(c.python_name) for c in manifest.contributions.commands or () if c.id == binding.command
    )
    module, _, function = python_name.partition(":")
    found: Callable[..., object] = getattr(import_module(module), function)
    return found


class KeyGuard(QObject):
    """Keeps our keys from opening menus: Alt+L would open the menu Layers."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Claim a key that is bound to one of our actions before menus see it."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            pressed = QKeySequence(event.keyCombination()).toString()
            if pressed.startswith("Alt+") and pressed in bound_keys():
                event.accept()
                return True
        return False


def bound_keys() -> set[str]:
    """All keys that are bound to actions of this plugin now, e.g. "Alt+L"."""
    return {
        str(key)
        for name, keys in action_manager._shortcuts.items()
        if name.startswith(f"{PLUGIN}:")
        for key in keys
    }

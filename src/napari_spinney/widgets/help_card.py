"""All keys on one card."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel

KEYS = (
    ("Alt+1 … Alt+9", "choose the class"),
    ("Alt+L", "live on or off"),
    ("Alt+T", "train"),
    ("Alt+U", "go to where it is unsure"),
    ("H held", "hide the prediction"),
    ("1 or E, 2 or P, 4 or F", "erase, paint, fill"),
    ("5 or L, 6 or Z", "pick a class, move the view"),
    ("[ and ]", "smaller, larger brush"),
    ("- and =", "class before, class after"),
    ("Space held", "move the view"),
    ("Ctrl+Z", "undo a stroke"),
    ("V", "show or hide the layer"),
)


class HelpCard(QLabel):
    """A table of keys and what they do."""

    def __init__(self) -> None:
        rows = "".join(
            f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{what}</td></tr>" for key, what in KEYS
        )
        super().__init__(f"<table>{rows}</table>")
        self.setWordWrap(True)
        self.setToolTip("These keys can be changed in the preferences, under Shortcuts.")

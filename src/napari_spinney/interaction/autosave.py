"""Annotations kept in the cache folder while one paints, and found again after a crash."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from platformdirs import user_cache_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

KEEP = 40
"""Files kept; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An annotation found in the cache folder."""

    path: Path
    image_name: str
    saved: float
    shape: tuple[int, ...]
    n_pixels: int
    class_names: dict[int, str]
    class_colors: dict[int, str]

    def load(self) -> NDArray[np.uint8]:
        """Read the annotation itself."""
        with np.load(self.path, allow_pickle=False) as file:
            annotation = np.zeros(self.shape, np.uint8)
            annotation.reshape(-1)[file["positions"]] = file["values"]
        return annotation


def default_folder() -> Path:
    """Where annotations are kept; the variable SPINNEY_CACHE names another place."""
    root = os.environ.get("SPINNEY_CACHE")
    return (Path(root) if root else user_cache_path("spinney", False)) / "annotations"


def fingerprint(image: Any) -> str:
    """Short text that is the same for the same image: shape, type and a sample of its pixels."""
    index = tuple(slice(n // 2, n // 2 + 1) for n in image.shape[:-2])
    spatial = tuple(slice(None, None, max(1, n // 16)) for n in image.shape[-2:])
    sample = np.ascontiguousarray(np.asarray(image[index + spatial]))
    text = f"{tuple(image.shape)} {image.dtype}".encode()
    return hashlib.sha256(text + sample.tobytes()).hexdigest()[:20]


class Autosave:
    """The kept annotations of one session.

    Parameters
    ----------
    folder : Path, optional
        By default `default_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else default_folder()
        self.session = uuid4().hex[:8]

    def save(
        self,
        image: Any,
        annotation: NDArray[np.integer],
        *,
        image_name: str,
        class_names: dict[int, str],
        class_colors: dict[int, str],
    ) -> Path:
        """Keep an annotation; atomic: a reader sees the old file or the new one, never half."""
        positions = np.flatnonzero(annotation)
        header = {
            "image_name": image_name,
            "saved": time.time(),
            "shape": list(annotation.shape),
            "class_names": class_names,
            "class_colors": class_colors,
            "process": os.getpid(),
        }
        path = self.folder / f"{fingerprint(image)}-{self.session}.npz"
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(suffix=".part", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                values = annotation.reshape(-1)[positions].astype(np.uint8)
                np.savez(file, positions=positions, values=values, header=json.dumps(header))
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._forget_oldest()
        return path

    def find(self, image: Any) -> Kept | None:
        """The newest annotation kept for this image by another session, if there is one."""
        found = [
            kept
            for path in self.folder.glob(f"{fingerprint(image)}-*.npz")
            if self.session not in path.name and (kept := _read(path)) is not None
        ]
        return max((kept for kept in found if kept.n_pixels), key=lambda k: k.saved, default=None)

    def _forget_oldest(self) -> None:
        files = sorted(self.folder.glob("*.npz"), key=lambda path: path.stat().st_mtime)
        for path in files[:-KEEP]:
            path.unlink(missing_ok=True)


def _read(path: Path) -> Kept | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            count = int(file["positions"].size)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        logger.warning("%s cannot be read and is left alone: %s", path, error)
        return None
    return Kept(
        path,
        header["image_name"],
        header["saved"],
        tuple(header["shape"]),
        count,
        {int(k): v for k, v in header["class_names"].items()},
        {int(k): v for k, v in header["class_colors"].items()},
    )

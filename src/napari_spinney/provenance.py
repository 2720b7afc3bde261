"""What made a result: model, image, options, versions, device; kept in the file itself."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.versions import installed_versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from napari_spinney.classifiers.base import Classifier, ModelState
    from napari_spinney.compute.device import Device

_PACKAGES = ("napari-spinney", "numpy", "scikit-learn")
_SLAB = 2**26
_NOTED_BESIDE = (".npy", ".csv", ".tsv", ".parquet")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file; of a folder (zarr) that of the names and contents of its files."""
    digest = hashlib.sha256()
    if path.is_dir():
        for part in sorted(p for p in path.rglob("*") if p.is_file()):
            name = part.relative_to(path).as_posix().encode()
            digest.update(f"{len(name)}:{part.stat().st_size}:".encode() + name)
            _add(digest, part)
    else:
        _add(digest, path)
    return digest.hexdigest()


def _add(digest: Any, path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)


def file_fact(path: Path) -> dict[str, str]:
    """The name of a file and its SHA-256."""
    return {"file": path.name, "sha256": sha256_of(path)}


def pixels_fact(name: str, data: Any) -> dict[str, Any]:
    """The name of an image without a file, and the SHA-256 of its type, shape and pixels.

    Read slab by slab along the first axis, so that it may be larger than memory.
    """
    digest = hashlib.sha256(f"{np.dtype(data.dtype).str} {tuple(data.shape)}".encode())
    row = math.prod(data.shape[1:]) * np.dtype(data.dtype).itemsize
    step = max(1, _SLAB // max(1, row))
    for start in range(0, data.shape[0], step):
        digest.update(np.ascontiguousarray(data[start : start + step]).data)
    return {"name": name, "pixels_sha256": digest.hexdigest()}


def state_fact(state: ModelState) -> dict[str, str]:
    """The SHA-256 that the file of a model would have if it were saved as ``.spinney`` now."""
    from napari_spinney.files.model_file import pack_model

    return {"file": "not saved", "sha256": hashlib.sha256(pack_model(state)).hexdigest()}


def origin_of(
    state: ModelState,
    *,
    model: Mapping[str, str],
    image: Mapping[str, Any],
    options: Mapping[str, Any],
    device: Device | None = None,
) -> dict[str, Any]:
    """Say what makes a result, in JSON values.

    Parameters
    ----------
    state : ModelState
        The model.
    model, image : mapping
        What `file_fact` says of their files, or `state_fact` and `pixels_fact` without files.
    options : mapping
        What was asked for.
    device : Device, optional
        Where it is computed.
    """
    facts = {
        **facts_now(),
        "device": None if device is None else {"name": device.name, "type": device.type},
        "model": {**model, "kind": state.kind},
        "features": "; ".join(stage.features for stage in state.stages),
        "image": dict(image),
        "options": dict(options),
    }
    value: dict[str, Any] = json.loads(json.dumps(facts))
    return value


def made_by(classifier: Classifier, image: Any, **options: Any) -> dict[str, Any]:
    """Say what makes a result of a classifier, for ``write_image(..., metadata=...)``.

    Parameters
    ----------
    classifier : Classifier
        Of pixels or of objects.
    image : array
        What it is applied to: an image, or labels.
    **options
        What was asked for.
    """
    state = classifier.state_
    fact = pixels_fact("image", image)
    return origin_of(state, model=state_fact(state), image=fact, options=options)


def facts_now() -> dict[str, Any]:
    """The time, and the versions of what computes."""
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": installed_versions(*_PACKAGES),
    }


def same_origin(result: Path, origin: Mapping[str, Any]) -> bool:
    """Whether a result is there that the same model made of the same image with these options."""
    if not result.exists():
        return False
    try:
        found = read_origin(result)
    except (ValueError, OSError):  # damaged: it is made again
        return False
    return bool(found) and _essence(found) == _essence(origin)


def _essence(origin: Mapping[str, Any]) -> list[Any]:
    model, image = origin.get("model"), origin.get("image")
    hashes = [part.get("sha256") if isinstance(part, dict) else None for part in (model, image)]
    return [*hashes, origin.get("options")]


def read_origin(result: Path) -> dict[str, Any]:
    """Read what made a result, from its metadata or, for NPY and tables, from the file beside it.

    Raises
    ------
    ValueError
        If the file, or the one beside it, cannot be read.
    """
    from napari_spinney.files.images import read_provenance

    beside = note_beside(result)
    if result.suffix.lower() not in _NOTED_BESIDE or not beside.exists():
        return {} if result.suffix.lower() in _NOTED_BESIDE else read_provenance(result)
    try:
        origin = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{beside}: this is no JSON: {error}") from error
    if not isinstance(origin, dict):
        raise ValueError(f"{beside}: it must hold a JSON object; got {type(origin).__name__}")
    return origin


def note_beside(result: Path) -> Path:
    """Where the origin of a file that has no metadata is written."""
    return result.with_name(f"{result.name}.json")


def forget_beside(result: Path) -> None:
    """Drop the note of a result that is about to be replaced."""
    note_beside(result).unlink(missing_ok=True)


def write_beside(result: Path, origin: Mapping[str, Any]) -> None:
    """Write the origin of a file that has no metadata, whole or not at all."""
    from napari_spinney.files.atomic import replacing

    with replacing(note_beside(result)) as file:
        file.write(json.dumps(origin, indent=2, ensure_ascii=False).encode())


def lines_of(origin: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Names and values for a person, those within others as ``model sha256``."""
    for name, value in origin.items():
        if isinstance(value, dict):
            yield from lines_of(value, f"{before}{name} ")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield f"{before}{name}", text

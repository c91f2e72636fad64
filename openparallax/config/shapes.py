"""What a field's annotation says about the values that it takes."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr


def members(annotation: Any) -> list[Any]:
    """The alternatives of a union, without what `Annotated` adds."""
    if hasattr(annotation, "__value__"):
        return members(annotation.__value__)
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return [member for arg in get_args(annotation) for member in members(arg)]
    return [annotation]


def _leaves(annotation: Any) -> Iterator[Any]:
    for member in members(annotation):
        if get_origin(member) is Literal:
            yield from (type(arg) for arg in get_args(member))
        elif args := get_args(member):
            for arg in args:
                yield from _leaves(arg)
        else:
            yield member


def is_model(member: Any) -> bool:
    """Whether this alternative is a block of settings."""
    return isinstance(member, type) and issubclass(member, BaseModel)


def blocks(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models among what a field takes, or among the items of its list."""
    for member in members(annotation):
        if is_model(member):
            yield member
        elif is_list(member) and get_args(member):
            yield from blocks(get_args(member)[0])


def is_list(member: Any) -> bool:
    """Whether this alternative is a list, tuple or set."""
    origin = get_origin(member) or member
    return (
        isinstance(origin, type)
        and issubclass(origin, (Sequence, AbstractSet))
        and not issubclass(origin, (str, bytes))
    )


def is_secret(annotation: Any) -> bool:
    """Whether the field is a secret, or a list of secrets."""
    return any(
        is_secret(get_args(member)[0])
        if is_list(member) and get_args(member)
        else isinstance(member, type) and issubclass(member, (SecretStr, SecretBytes))
        for member in members(annotation)
    )


def wants_text(annotation: Any) -> bool:
    """Whether text fits; False: numbers and truth values only."""
    leaves = list(_leaves(annotation))
    return any(leaf is str for leaf in leaves) or not any(
        leaf in {int, float, bool} for leaf in leaves
    )


def item(annotation: Any, kind: Any, position: int) -> Any:
    """The type of a container's items; Any where the annotation does not say."""
    for member in members(annotation):
        origin, args = get_origin(member), get_args(member)
        if isinstance(origin, type) and issubclass(origin, kind) and len(args) > position:
            return args[position]
    return Any

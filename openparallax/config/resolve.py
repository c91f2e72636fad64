"""The tree walked beside the models: secrets fetched, variables put in, strangers refused.

The walk knows nothing of ranges and forms: that is `validate`'s. It is here because only this room
knows what ``KEY_env`` means, and because pydantic does not suggest.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from openparallax.config.document import OddInt, Plain, Tree, retype
from openparallax.config.homes import Homes
from openparallax.config.problems import Problems, Where, is_printable_key, nearest, suggest
from openparallax.config.secrets import NotFound, Sources
from openparallax.config.shapes import is_list, is_model, is_secret, item, members, wants_text


class Resolver:
    """Makes of a tree what a model can check.

    Attributes:
        missing: For a secret that is nowhere, what to do about it; told if the model wants it.
    """

    def __init__(self, sources: Sources, problems: Problems, homes: Homes) -> None:
        self._sources = sources
        self._problems = problems
        self._homes = homes
        self.missing: dict[Where, str] = {}

    def section(
        self,
        model: type[BaseModel],
        tree: Mapping[str, Tree],
        where: Where,
        *,
        prefix: str = "",
        way_out: str = "",
        others: Collection[str] = (),
    ) -> dict[str, Tree]:
        """Resolve one block of settings.

        Args:
            model: The shape it should have.
            tree: What the file says.
            where: Where the block stands.
            prefix: Begins the name of the credential that an unnamed secret is looked up as.
            way_out: Added to what is said of a secret that is not to be had.
            others: Keys of the block that were read already; only to be suggested.
        """
        prefix = getattr(model, "credential_prefix", "") or prefix
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        secrets = {name for name, field in fields.items() if is_secret(field.annotation)}
        variables = {f"{name}_env" for name in secrets} - set(fields)
        elsewhere: frozenset[str] = getattr(model, "left_to_plugins", frozenset())
        resolved: dict[str, Tree] = {}
        for key, value in tree.items():
            if key in elsewhere or key in secrets or key in variables:
                continue
            if key in fields:
                resolved[key] = self._value(fields[key].annotation, value, (*where, key), prefix)
            elif model.model_config.get("extra") == "allow":
                resolved[key] = self._value(Any, value, (*where, key), prefix)
            else:
                self._refuse(key, where, {*fields, *variables}, others)
                self._pass_over(key, where, tree, {*fields, *variables})
        if told_apart_by := getattr(model, "told_apart_by", ""):
            prefix = f"{prefix}_{resolved.get(told_apart_by)}"
        for name in sorted(secrets):
            found = _SecretSearch(self._sources, self._problems, (*where, name), way_out)
            values = found.values(
                tree,
                name,
                about=fields[name].description or "",
                variable=getattr(model, "secret_variables", {}).get(name),
                credential=f"{prefix}_{name}" if prefix else name,
                can_be_named=f"{name}_env" in variables,
            )
            if found.hint:
                self.missing[*where, name] = found.hint
            if values is not None:
                resolved[name] = _shaped(fields[name], values, tree.get(name))
        return resolved

    def _value(self, annotation: Any, value: Tree, where: Where, prefix: str) -> Tree:
        if isinstance(value, dict):
            models = [m for m in members(annotation) if is_model(m)]
            if len(models) == 1:
                return dict(
                    self.section(models[0], value, where, prefix=f"{prefix}_{where[-1]}".strip("_"))
                )
            kind = item(annotation, Mapping, 1)
            return {
                key: self._value(kind, inner, (*where, key), prefix) for key, inner in value.items()
            }
        if isinstance(value, list):
            kind = item(annotation, (Sequence, AbstractSet), 0)
            return [
                self._value(kind, inner, (*where, index), prefix)
                for index, inner in enumerate(value)
            ]
        if isinstance(value, OddInt) and not wants_text(annotation):
            self._problems.add(
                where,
                "must be in plain decimals, without a zero at the front, an underscore or 0x",
            )
        if isinstance(value, str):
            return self._text(annotation, value, where)
        return value

    def _text(self, annotation: Any, value: str, where: Where) -> Tree:
        if self._problems.blames(where):
            return value
        try:
            if is_secret(annotation):
                return self._sources.secret(value, where)
            expanded = self._sources.expand(value)
        except NotFound as reason:
            self._problems.add(where, str(reason))
            return value
        if isinstance(value, Plain) and expanded != value and not wants_text(annotation):
            return retype(expanded)
        return Plain(expanded) if isinstance(value, Plain) else expanded

    def _refuse(
        self, key: str, where: Where, known: Collection[str], others: Collection[str]
    ) -> None:
        if not is_printable_key(key):
            self._problems.add(
                where,
                "holds a key that is not a setting (is a space missing after a colon?)",
                line=self._problems.lines.get((*where, key)),
            )
            return
        near = suggest(key, [*known, *others])
        if not known and not near:
            near = "; nothing can be set here"
        self._problems.add((*where, key), f"is not a setting{self._homes.of(key, where)}{near}")

    def _pass_over(
        self, key: str, where: Where, tree: Mapping[str, Tree], known: Collection[str]
    ) -> None:
        """Do not say as well that the setting is missing which ``key`` was to be."""
        for name in nearest(key, known):
            stem = name if name in tree else name.removesuffix("_env")
            if not {name, stem, f"{stem}_env"} & set(tree):
                self._problems.blame((*where, stem))


class _SecretSearch:
    """Looks for one secret in every place where it may be."""

    def __init__(self, sources: Sources, problems: Problems, where: Where, way_out: str) -> None:
        self._sources = sources
        self._problems = problems
        self._where = where
        self._way_out = way_out
        self.hint = ""

    def values(
        self,
        tree: Mapping[str, Tree],
        name: str,
        *,
        about: str,
        variable: str | None,
        credential: str,
        can_be_named: bool,
    ) -> list[Tree] | None:
        """What was found; None if nothing was, and then either `hint` or a problem says so.

        ``about`` says what the secret is, for one that no variable of a telling name stands for.
        """
        named = (*self._where[:-1], f"{name}_env")
        if can_be_named and named[-1] in tree:
            if name in tree:
                self._fault(named, f"is given together with {name}: keep one of the two")
                return None
            return self._each(tree[f"{name}_env"], named, self._sources.named_secret)
        if name in tree:
            return self._each(tree[name], self._where, self._sources.secret)
        try:
            if variable is not None and variable in self._sources.environment:
                return [self._sources.named_secret(variable, self._where)]
            found = self._sources.credential(credential, self._where)
        except NotFound as reason:
            self._fault(self._where, f"{reason}{self._way_out}")
            return None
        if found is None:
            ways = [f"set the environment variable {variable}"] if variable else []
            if about and not variable:
                ways = [f"{about}; write {name}: TEXT"]
            ways += [f"write {name}_env: NAME"] if can_be_named else []
            self.hint = ", or ".join([*ways, f"give it as the credential {credential}"])
            self.hint += self._way_out
        return None if found is None else [found]

    def _each(
        self, given: Tree, where: Where, fetch: Callable[[str, Where], str]
    ) -> list[Tree] | None:
        if self._problems.blames(where):  # it could not even be read
            self._problems.blame(self._where)
            return None
        if given is None and where == self._where:
            return [None]
        values: list[Tree] = []
        for index, one in enumerate(given if isinstance(given, list) else [given]):
            place = (index,) if isinstance(given, list) else ()
            here = (*where, *place)
            if not isinstance(one, str):
                if where == self._where:  # the model says what it wants instead
                    values.append(one)
                    continue
                self._fault(here, "must be the name of an environment variable")
                continue
            try:
                values.append(fetch(one, (*self._where, *place)))
            except NotFound as reason:
                self._fault(here, f"{reason}{self._way_out}")
        if isinstance(given, list) and not given:
            self._fault(where, "is empty: give a secret or remove the line")
        return None if self._problems.blames(self._where) else values

    def _fault(self, where: Where, sentence: str) -> None:
        self._problems.add(where, sentence)
        self._problems.blame(self._where)


def _shaped(field: FieldInfo, values: list[Tree], given: Tree) -> Tree:
    """One secret alone, or a list of them, as the field wants it."""
    if values == [None]:
        return None
    wants_list = any(is_list(member) for member in members(field.annotation))
    return values if wants_list or isinstance(given, list) or len(values) != 1 else values[0]

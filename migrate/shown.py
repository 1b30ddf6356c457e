"""What may be shown of source rows and keys: personal columns as form and token (promise 9)."""

from __future__ import annotations

import json

from casemodel import Relation, join_key, show, split_key, token
from mappings import CompiledMapping
from migrate.session import Session

_MOST_COLUMNS = 40
_MOST_CHARACTERS = 80


class Shown:
    """Masks the rows and keys of a session's mappings.

    Args:
        unmasked: show personal values as they are; only after `migrate.disclosure.disclose` has recorded it.
    """

    def __init__(self, session: Session, *, unmasked: bool = False) -> None:
        self._session = session
        self._mask_key = session.workspace.secrets.mask_key
        self.unmasked = unmasked
        self._personal: dict[tuple[str, str], bool] = {}

    def value(self, value: str | None, *, personal: bool) -> str:
        """Return a value as it may be shown."""
        return show(value, personal=personal and not self.unmasked, key=self._mask_key)

    def personal(self, mapping: CompiledMapping, column: str) -> bool:
        """Return whether a column that a mapping reads is personal; unknown means personal.

        A column of a look beside is as personal as it is in its own relation, one that `unpivot` makes as the most
        personal of those that it is made of.
        """
        if (mapping.name, column) not in self._personal:
            found = self._made_of(mapping, column)
            self._personal[mapping.name, column] = any(self._session.workspace.is_personal(*each) for each in found)
        return self._personal[mapping.name, column]

    def _made_of(self, mapping: CompiledMapping, column: str) -> list[tuple[Relation, str]]:
        """Return the source columns that a column of the frame comes from; none of counts and the names of slots."""
        own = self._session.relation(mapping.system, mapping.relation)
        spec = self._session.files[mapping.name].model.source
        if spec.unpivot is not None and column in spec.unpivot.into:
            place = spec.unpivot.into.index(column)
            return [(own, each[place - 1]) for each in spec.unpivot.columns.values()] if place else []
        name, _, rest = column.partition(".")
        side = spec.beside.get(name)
        if side is None or column.upper() in {each.name.upper() for each in own.columns}:
            return [(own, column)]
        if side.relation is None:
            return [] if rest == "climbed" else [(own, rest)]
        return [] if side.take == "count" else [(self._session.relation(mapping.system, side.relation), rest)]

    def key(self, mapping: CompiledMapping, key: str | None) -> tuple[str, ...]:
        """Return the parts of a key as they may be shown; a personal part is a token."""
        if key is None:
            return ("∅",)
        return self._parts(key, personal=self.key_is_personal(mapping) and not self.unmasked)

    def is_key(self, mapping: CompiledMapping, key: str, text: str) -> bool:
        """Return whether a text is a key, as it is or as it is shown masked."""
        masked = self._parts(key, personal=self.key_is_personal(mapping))
        return tuple(split_key(text)) in (tuple(split_key(key)), masked)

    def _parts(self, key: str, *, personal: bool) -> tuple[str, ...]:
        return tuple(
            f"#{token(part, self._mask_key)}" if personal else show(part, personal=False, key=self._mask_key)
            for part in split_key(key)
        )

    def key_is_personal(self, mapping: CompiledMapping) -> bool:
        """Return whether any column of the source key is personal."""
        return any(self.personal(mapping, column) for column in mapping.key_columns)

    def locator(self, mapping: CompiledMapping, ref: str) -> str:
        """Return where a row without a key lies, as it may be shown: a source may locate rows by their primary key."""
        relation = self._session.relation(mapping.system, mapping.relation)
        personal = any(self._session.workspace.is_personal(relation, name) for name in relation.primary_key)
        return f"row #{token(ref, self._mask_key)}" if personal and not self.unmasked else f"row {ref}"

    def key_text(self, mapping: CompiledMapping, key: str | None) -> str:
        """Return a key as one text, as `explain` accepts it."""
        return join_key(list(self.key(mapping, key)))

    def row(self, mapping: CompiledMapping, row: str | None, first: str = "") -> tuple[tuple[str, str], ...]:
        """Return column and shown value of a kept row (JSON), empty columns left out."""
        if row is None:
            return ()
        kept = json.loads(row).items()
        # counts of our own, such as those of a look beside, begin with an underscore
        values = [(name, value) for name, value in kept if value not in (None, "") and "._" not in name]
        values.sort(key=lambda item: item[0] != first)
        return tuple(
            (name, self.value(str(value)[:_MOST_CHARACTERS], personal=self.personal(mapping, name)))
            for name, value in values[:_MOST_COLUMNS]
        )

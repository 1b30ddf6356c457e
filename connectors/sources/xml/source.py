"""Legacy systems that deliver XML: what their settings say, and how their messages are folded."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

from connectors.config import SystemConfig, refuse
from connectors.scratch import Scratch
from connectors.sources.files.relation import FileRelation, RelationFiles
from connectors.sources.files.source import FileSource
from connectors.sources.records.settings import RecordRelation, names_of, read_relations
from connectors.sources.stuf.files import FoldedFiles
from connectors.sources.xml.files import Shape
from connectors.sources.xml.files import look as look_at_files
from connectors.sources.xml.paths import Paths
from connectors.sources.xml.unread import unread


def open_xml(config: SystemConfig) -> FileSource:
    """Open a folder of XML files, whose relations the settings describe."""
    namespaces: dict[str, str] = {}

    def spaces(value: Any) -> Any:
        if not isinstance(value, Mapping) or not all(isinstance(each, str) and each for each in value.values()):
            raise refuse(config, "the setting namespaces is not a map", "Write namespaces: {ZKN: http://…}.")
        namespaces.update({str(prefix): space for prefix, space in value.items()})
        return tuple(sorted(namespaces.items()))

    def folding(value: Any) -> str:
        if value != "stuf":
            raise refuse(config, "the setting fold knows one way only", "Write fold: stuf, or leave it out.")
        return str(value)

    own = {"skip": names_of, "fold": folding}
    settings = read_relations(config, {"namespaces": spaces, **own}, own, lambda text: _encoding(config, text))
    paths = Paths(config, namespaces)
    shapes = {name: _shape(config, relation, paths) for name, relation in settings.items()}
    return XmlSource(config, settings, shapes, namespaces)


class XmlSource(FileSource):
    """XML files as a source; what is folded goes to a scratch folder of its own.

    Args:
        config: of the system.
        settings: its relations by name.
        shapes: the same, with their paths understood.
        namespaces: what the prefixes of the settings stand for.
    """

    def __init__(
        self,
        config: SystemConfig,
        settings: Mapping[str, RecordRelation],
        shapes: Mapping[str, Shape],
        namespaces: Mapping[str, str],
    ) -> None:
        self._folding = Scratch()
        self._config, self._shapes, self._namespaces = config, shapes, namespaces

        def look(relation: FileRelation) -> RelationFiles:
            found = look_at_files(config, shapes[relation.name])
            if found.shape.relation.option("fold") is None:
                return found
            return FoldedFiles(found, self._folding)

        super().__init__(config.name, "xml", settings, look)

    def unread(self, relation: str) -> Mapping[str, int]:
        """Return the elements with a value that no relation of the same record reads (see `casemodel.TellsUnread`)."""
        if self._query(relation) is not None:
            return {}
        shape = self._shapes[self._relation(relation).name]
        return unread(look_at_files(self._config, shape), self._shapes.values(), self._namespaces)

    def close(self) -> None:
        """Remove what was sorted."""
        super().close()
        self._folding.close()


def _shape(config: SystemConfig, relation: RecordRelation, paths: Paths) -> Shape:
    if not relation.record:
        raise refuse(config, f"relation {relation.name} has no record", "Write record: /root/record, with prefixes.")
    trees, numbers = paths.trees(list(enumerate(path for _, path in relation.fields)), relation.each)
    if relation.option("fold") and not relation.key:
        raise refuse(config, f"relation {relation.name} folds messages and has no key", "Add key: [identificatie].")
    if numbers and not relation.each:
        raise refuse(config, "position() is a field of a relation with each only", "Add each: path.")
    skip = frozenset(name for path in relation.option("skip") or () for name in paths.elements(path))
    each = paths.elements(relation.each) if relation.each else ()
    return Shape(relation, paths.elements(relation.record), each, skip, trees, tuple(numbers))


def _encoding(config: SystemConfig, text: str) -> str:
    try:
        name = codecs.lookup(text).name
    except LookupError:
        raise refuse(config, f"the encoding {text} is not known", "Leave it out: XML files name theirs.") from None
    return "utf-8" if name == "utf-8-sig" else name

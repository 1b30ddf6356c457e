"""Where a part of a file stands, and an error of pydantic as one of ours with its place."""

from __future__ import annotations

from typing import Any

from casemodel import Place, PlacedDict, PlacedList, RefusedError

Path_ = tuple[str | int, ...]


def find_place(tree: PlacedDict, path: Path_, *, key: bool = False) -> tuple[int, int]:
    """Return line and column of the part of a placed tree, skipping parts that a shorthand left out."""
    node: Any = tree
    place = tree.place
    for part in path:
        if isinstance(node, PlacedDict) and isinstance(part, str) and part in node:
            place = node.key_places[part] if key else node.value_places[part]
            node = node[part]
        elif isinstance(node, PlacedList) and isinstance(part, int) and part < len(node):
            place, node = node.value_places[part], node[part]
    return place


def translate(item: Any, tree: PlacedDict, shown_as: str) -> RefusedError:
    """Turn one error of pydantic into ours; values of scalars are the file's own text, never a source's."""
    kind, loc = item["type"], tuple(item["loc"])
    if kind == "missing":
        line, column = find_place(tree, loc)
        return RefusedError(
            "MAP-002",
            f"the key '{loc[-1]}' is missing{_inside(loc[:-1])}",
            hint=f"Add '{loc[-1]}:'.",
            place=Place(shown_as, line, column),
        )
    line, column = find_place(tree, loc, key=loc[-1] == "[key]")
    codes = {"choice": "MAP-004", "name": "MAP-005"}
    hints = {"choice": "Use one of the words named.", "name": "Choose another name."}
    message = item["msg"] if kind in ("form", "choice", "name") else "expected keys and values"
    if kind.endswith("_type") and kind not in ("dict_type", "model_type"):
        message = f"expected {'a list' if kind in ('tuple_type', 'list_type') else 'text'}"
    return RefusedError(
        codes.get(kind, "MAP-003"),
        f"{message}{_inside(loc)}",
        hint=hints.get(kind, "See the documentation of the language."),
        place=Place(shown_as, line, column),
    )


def _inside(loc: tuple[Any, ...]) -> str:
    words = [str(part) for part in loc if isinstance(part, str) and part != "[key]" and not part.startswith("_")]
    return f" in {'.'.join(words)}" if words else ""

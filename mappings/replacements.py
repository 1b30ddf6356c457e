"""Replacements of regular expressions as SQL writes them, for steps and expressions alike."""

from __future__ import annotations


class NoSuchGroup(ValueError):
    """A replacement names a group that its expression does not have; the argument is its number."""


def rust_replacement(text: str, groups: int) -> str:
    r"""Turn a replacement of SQL (``\1``, ``\&``, ``\\``) into one of Rust (``${1}``), where ``$`` has a meaning.

    Raises:
        NoSuchGroup: it names another group than 0 to `groups`.
    """
    out, index = "", 0
    while index < len(text):
        char, following = text[index], text[index + 1 : index + 2]
        if char == "\\" and following.isascii() and following.isdigit():
            if int(following) > groups:
                raise NoSuchGroup(int(following))
            out, index = out + f"${{{following}}}", index + 2
        elif char == "\\" and following == "&":
            out, index = out + "${0}", index + 2
        elif char == "\\" and following == "\\":
            out, index = out + "\\", index + 2
        else:
            out, index = out + ("$$" if char == "$" else char), index + 1
    return out

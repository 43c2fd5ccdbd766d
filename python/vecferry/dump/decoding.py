"""MySQL's character sets, for texts that a dump holds in their column's own; pure."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8"})
_CODECS = {
    "ascii": "ascii", "big5": "big5hkscs", "cp1250": "cp1250", "cp1251": "cp1251",
    "cp1256": "cp1256", "cp1257": "cp1257", "cp850": "cp850", "cp852": "cp852", "cp866": "cp866", "cp932": "cp932",
    "eucjpms": "euc_jp", "euckr": "cp949", "gb18030": "gb18030", "gb2312": "gb2312", "gbk": "gbk",
    "greek": "iso8859_7", "hebrew": "iso8859_8", "koi8r": "koi8_r", "koi8u": "koi8_u", "latin2": "iso8859_2",
    "latin5": "iso8859_9", "latin7": "iso8859_13", "macroman": "mac_roman", "sjis": "shift_jis", "tis620": "tis_620",
    "ucs2": "utf_16_be", "ujis": "euc_jp", "utf16": "utf_16_be", "utf16le": "utf_16_le", "utf32": "utf_32_be",
}  # fmt: skip
"""Python's names. Sets that differ from these in a character are those of East Asia; a wrong one is an error."""
_WIDE = frozenset({"ucs2", "utf16", "utf16le", "utf32"})


def decode(raw: pa.Array, charset: str) -> pa.Array:
    """Returns texts of a character set as strings.

    Args:
        raw: the bytes, a binary array.
        charset: MySQL's name.

    Raises:
        ValueError: the set is not known, or a text is not in it.
    """
    if charset in _UTF8:
        return raw.cast(pa.string())
    view = raw.view(pa.string())
    foreign = pc.invert(pc.string_is_ascii(view)) if charset not in _WIDE else pc.is_valid(raw)
    foreign = foreign.fill_null(False)
    if not pc.any(foreign).as_py():
        return view
    texts = [_text(value, charset) for value in raw.filter(foreign).to_pylist()]
    return pc.replace_with_mask(view, foreign, pa.array(texts, pa.string()))


def _text(value: bytes, charset: str) -> str:
    if charset == "latin1":
        # MySQL's is Windows' with the five bytes that this leaves out as control characters
        # (https://dev.mysql.com/doc/refman/8.4/en/charset-we-sets.html).
        return "".join(_LATIN1[byte] for byte in value)
    codec = _CODECS.get(charset)
    if codec is None:
        raise ValueError(f"vecferry does not know the character set {charset}")
    return value.decode(codec)


_LATIN1 = tuple(
    chr(byte) if byte in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else bytes([byte]).decode("cp1252") for byte in range(256)
)

"""Symbols of ELF files of 64 bits and archives of them, of any processor."""
import struct

SYMTAB, DYNSYM = 2, 11


def _symbols(data, kind):
    """Each symbol of a table: name, whether it is defined, whether others can see it."""
    assert data[:6] == b"\x7fELF\x02\x01", "no ELF file of 64 bits"
    offset, = struct.unpack_from("<Q", data, 0x28)
    size, count, _ = struct.unpack_from("<HHH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]
    for section in sections:
        if section[1] != kind:
            continue
        names = sections[section[6]][4]
        for at in range(section[4] + 24, section[4] + section[5], 24):
            name, info, other, where, _, _ = struct.unpack_from("<IBBHQQ", data, at)
            if info >> 4 != 0 and name != 0:  # not local
                begin = names + name
                yield data[begin:data.index(b"\0", begin)].decode(), where != 0, other & 3 == 0


def _members(data):
    """The files in an archive."""
    assert data[:8] == b"!<arch>\n", "no archive"
    at = 8
    while at < len(data):
        size = int(data[at + 48:at + 58])
        if data[at:at + 2] not in (b"/ ", b"//"):
            yield data[at + 60:at + 60 + size]
        at += 60 + size + size % 2


def visible_and_needed(path):
    """The names that a library shows, sorted, and those that it needs of others."""
    data = path.read_bytes()
    if data[:4] == b"\x7fELF":
        found = list(_symbols(data, DYNSYM))
    else:
        found = [symbol for member in _members(data) for symbol in _symbols(member, SYMTAB)]
    shown = sorted(name for name, is_defined, is_visible in found if is_defined and is_visible)
    return shown, {name for name, is_defined, _ in found if not is_defined} - set(shown)

"""How the tests of archives pack members: as real programs do, and as damaged ones are."""

import io
import tarfile
import zipfile


def pack_zip(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip; a name that Python wouldn't flag is given as Latin letters of its bytes."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def pack_tar(members: dict[str, bytes], mode: str = "w", **kinds: bytes) -> bytes:
    """A tar; `kinds` are types of further members without data, by their names."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, kind in kinds.items():
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = "a.txt"
            archive.addfile(info)
    return sink.getvalue()


def rename_in_zip(data: bytes, old: bytes, new: bytes) -> bytes:
    """The zip with other bytes of the same number for a name, without the flag for UTF-8."""
    assert len(old) == len(new)
    return data.replace(old, new)


def set_zip_flag(data: bytes, flag: int) -> bytes:
    """The zip with a flag of its only member set, in both of its headers."""
    changed = bytearray(data)
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        changed[data.index(signature) + place] |= flag
    return bytes(changed)

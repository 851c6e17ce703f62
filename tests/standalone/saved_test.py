"""What a library saves is what talweg's own checkpoint has: every entry of every rule, in the safetensors format."""
import json
import struct
import unittest

from support import DTYPES, FOLDER, compile_c, main, run


def parse(data):
    """The entries of a safetensors file by name: type, shape, bytes; and the metadata."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    body = data[8 + length:]
    at = 0  # entries lie one behind the other without holes
    for entry in sorted(header.values(), key=lambda entry: entry["data_offsets"]):
        assert entry["data_offsets"][0] == at, header
        at = entry["data_offsets"][1]
    assert at == len(body), header
    return {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])]) for name, entry in header.items()}, metadata


class Saved(unittest.TestCase):
    def test_checkpoints(self):
        for dtype in DTYPES:
            folder = FOLDER / dtype
            out = folder / "saved"
            out.mkdir(exist_ok=True)
            program = compile_c("transcript.c", folder / "transcript_saves", f"-I{folder}", folder / "libsamples.a")
            run(program, 0, out)
            wanted = sorted((folder / "checkpoints").iterdir())
            self.assertGreater(len(wanted), 10)
            for path in wanted:
                entries, metadata = parse(path.read_bytes())
                saved, saved_metadata = parse((out / path.name).read_bytes())
                self.assertEqual(saved.keys(), entries.keys(), path)
                self.assertEqual(saved_metadata["rule"], metadata["rule"])
                for name, entry in entries.items():
                    self.assertEqual(saved[name], entry, f"{path}: {name}")


if __name__ == "__main__":
    main()

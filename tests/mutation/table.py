"""The table of what became of planted faults: a row a fault, with the day and the commit of the sources."""

HEAD = ["fault", "in", "test", "outcome", "run"]


def read_rows(path):
    """Rows by the fault's name."""
    rows = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if line.startswith("|") and len(cells) == len(HEAD) and cells != HEAD and set(cells[0]) != {"-"}:
                rows[cells[0]] = tuple(cells)
    return rows


def write_table(path, names, new_rows):
    """Writes rows in the order of `names`: new ones, and for faults that did not run now those of before."""
    rows = {**read_rows(path), **new_rows}
    known = [rows[name] for name in names if name in rows]
    noticed = sum(row[3] == "noticed" for row in known)
    lines = ["# Planted faults", "",
             "Written by `tests/mutation/run.py ROOT WORK tests/mutation/table.md [--only TEXT]...`: each fault was built into",
             "a copy of the sources, and the test named here was run; `run` is the day, and the last commit to have changed",
             f"the compiler, the runtime or the library then. Of {len(names)} faults {len(known)} were planted as the list has them now,",
             f"and {noticed} of these were noticed; the others have no row.", "",
             "| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    path.write_text("\n".join(lines + ["| " + " | ".join(row) + " |" for row in known]) + "\n", encoding="utf-8")

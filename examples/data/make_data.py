#!/usr/bin/python3
"""Writes the data files of this folder from the copies that scikit-learn carries.

    apt-get download python3-sklearn && dpkg -x python3-sklearn_*.deb extracted
    ./make_data.py extracted/usr/lib/python3/dist-packages/sklearn/datasets/data

Values are kept as they are written there; only names are added and classes are spelt out. The gzip files
carry no time, so the same input gives the same bytes.
"""
import gzip
import pathlib
import sys

CELL_FEATURES = ["radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
                 "concave_points", "symmetry", "fractal_dimension"]
WINE_FEATURES = ["alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols",
                 "flavanoids", "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue",
                 "od280_od315", "proline"]
IRIS_FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def rows_of(path, first):
    """Cells of each line of `path` from line `first` (counted from 0) on."""
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path)
    with opened as lines:
        return [line.strip().split(",") for line in lines][first:]


def write(name, header, rows):
    text = "\n".join(",".join(cells) for cells in [header] + rows) + "\n"
    data = text.encode()
    target = pathlib.Path(__file__).parent / name
    target.write_bytes(gzip.compress(data, 9, mtime=0) if name.endswith(".gz") else data)


def classes_named(rows, names):
    return [cells[:-1] + [names[int(cells[-1])]] for cells in rows]


def main(source):
    digits = [[str(int(float(cell))) for cell in cells] for cells in rows_of(source / "digits.csv.gz", 0)]
    pixels = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    write("digits.csv.gz", pixels + ["label"], digits)
    cells = [f"{statistic}_{name}" for statistic in ("mean", "error", "worst") for name in CELL_FEATURES]
    write("breast_cancer.csv.gz", cells + ["diagnosis"],
          classes_named(rows_of(source / "breast_cancer.csv", 1), ["malignant", "benign"]))
    write("wine.csv", WINE_FEATURES + ["cultivar"],
          classes_named(rows_of(source / "wine_data.csv", 1), ["1", "2", "3"]))
    write("iris.csv", IRIS_FEATURES + ["species"],
          classes_named(rows_of(source / "iris.csv", 1), ["setosa", "versicolor", "virginica"]))


main(pathlib.Path(sys.argv[1]))

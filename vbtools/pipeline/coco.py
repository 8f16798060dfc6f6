"""Detections in the JSON format of the COCO data set, which annotation tools and evaluators read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import vbtools


def coco(
    rows: Sequence[Mapping[str, Any]], pictures: Mapping[str, tuple[str, int, int]], plate_width: int
) -> dict[str, Any]:
    """What inspect found, as COCO has it (https://cocodataset.org, "Data format").

    Args:
        rows: of ``/inspect/detections``, boxes in the plate's pixels.
        pictures: "raw" or "enhanced" -> file name, height and width of the picture, px.
        plate_width: px.

    Returns:
        ``images``, ``categories`` (the classes that were found, by name) and ``annotations``, with boxes
        ``[x, y, width, height]`` in the pixels of their picture; besides COCO's own keys ``score``, as in COCO's
        results, and ``observed`` and ``also_on_raw``. Ids count from 1.
    """
    images = [
        {"id": number, "file_name": file, "width": width, "height": height}
        for number, (file, height, width) in enumerate(pictures.values(), 1)
    ]
    numbers = {kind: number for number, kind in enumerate(pictures, 1)}
    scales = {kind: width / plate_width for kind, (_, _, width) in pictures.items()}
    classes = {name: number for number, name in enumerate(sorted({row["label"] for row in rows}), 1)}
    annotations = []
    for number, row in enumerate(rows, 1):
        box = [float(row[side]) * scales[row["image"]] for side in ("x", "y", "width", "height")]
        annotations.append(
            {
                "id": number,
                "image_id": numbers[row["image"]],
                "category_id": classes[row["label"]],
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
                "score": float(row["confidence"]),
                "observed": float(row["observed"]),
                "also_on_raw": bool(row["also_on_raw"]),
            }
        )
    return {
        "info": {"description": "objects found on a reconstructed background", "version": vbtools.__version__},
        "images": images,
        "categories": [{"id": number, "name": name} for name, number in classes.items()],
        "annotations": annotations,
    }

"""Regions of images and maps, sampled bilinearly, as RT-MDNet does.

Source: Jung et al. (RT-MDNet), ECCV 2018, section 3.2 ("adaptive RoIAlign").
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_CHUNK = 256
"""Regions at a time: the samples of each take 49 times the memory of a cell."""


def sample_region(image: Tensor, corners: Tensor, size: tuple[int, int]) -> Tensor:
    """Stretch a region of an image, zero outside the image.

    Args:
        image: C x H x W float32.
        corners: (x1, y1, x2, y2) px, float32; samples lie from the first to one pixel behind the
            second corner.
        size: rows and columns of the result, 2 or more each.

    Returns:
        C x rows x columns.
    """
    rows = _axis(corners[1], corners[3], size[0], image.shape[1])
    columns = _axis(corners[0], corners[2], size[1], image.shape[2])
    along_rows = _interpolate(image.transpose(0, 1), *rows)
    return _interpolate(along_rows.permute(2, 1, 0), *columns).permute(1, 2, 0)


def _axis(low: Tensor, high: Tensor, count: int, length: int) -> tuple[Tensor, Tensor, Tensor]:
    """Lower cell, share of the upper one, and whether there is anything, at each sample."""
    step = (high - low + 1).clamp_min(0) / (count - 1)
    place = torch.arange(count, device=low.device) * step + low
    start = place.floor().clamp(max=max(length - 2, 0))
    inside = (place >= 0) & (place < length)
    return start.clamp_min(0).long(), place - start, inside


def _interpolate(x: Tensor, start: Tensor, share: Tensor, inside: Tensor) -> Tensor:
    share = share[:, None, None]
    upper = (start + 1).clamp(max=len(x) - 1)
    return (x[start] * (1 - share) + x[upper] * share) * inside[:, None, None]


def adaptive_roi(
    features: Tensor, rois: Tensor, scale: float, cells: int, swapped_columns: bool = False
) -> Tensor:
    """Sample regions of maps so that larger ones take from more of their cells.

    Each region gives (2 cells + 1)^2 samples, interpolated between points as far apart as the
    samples, of which each cell takes the largest of 3 x 3.

    Args:
        features: N x C x H x W.
        rois: R x 5 float32, R > 0: number of the map, and (x1, y1, x2, y2) in image px.
        scale: map cells per image pixel.
        cells: side of the result.
        swapped_columns: take columns from where the rows say, as a published copy does
            (`OfficialBehavior.swapped_roi_columns`).

    Returns:
        R x (C cells^2), channel by channel, row by row.
    """
    count = 2 * cells + 1
    parts = [
        F.max_pool2d(adaptive_samples(features, part, scale, count, swapped_columns), 3, stride=2)
        for part in torch.split(rois, _CHUNK)
    ]
    return torch.cat(parts).flatten(1)


def adaptive_samples(
    features: Tensor, rois: Tensor, scale: float, count: int, swapped_columns: bool = False
) -> Tensor:
    """The samples of `adaptive_roi`: R x C x count x count."""
    table = features.permute(0, 2, 3, 1).flatten(0, 2)
    low, high = rois[:, 1:3] * scale, rois[:, 3:] * scale
    step = (high - low + 1).clamp_min(0) / count
    # Halves are rounded up.
    reach = (step + 0.5).floor().clamp_min(1)
    numbers = torch.arange(count, device=rois.device)
    x, y = (numbers * step[:, axis, None] + low[:, axis, None] for axis in (0, 1))
    height, width = features.shape[2:]
    y_start = y.floor().clamp(max=max(height - 2, 0))[:, :, None].expand(-1, -1, count)
    x_start = x.floor().clamp(max=max(width - 2, 0))[:, None].expand(-1, count, -1)
    if swapped_columns:
        x_start = y_start
    rows, by_row = _points(y[:, :, None], y_start, reach[:, 1], height)
    columns, by_column = _points(x[:, None], x_start, reach[:, 0], width)
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None]
    first = rois[:, 0].long()[:, None, None, None, None] * (height * width)
    index = first + rows[..., :, None] * width + columns[..., None, :]
    weights = by_row[..., :, None] * by_column[..., None, :] * inside[..., None, None]
    samples = F.embedding_bag(
        index.flatten(0, 2).flatten(1),
        table,
        per_sample_weights=weights.flatten(0, 2).flatten(1).to(table.dtype),
        mode="sum",
    )
    return samples.reshape(len(rois), count, count, -1).permute(0, 3, 1, 2)


def _points(place: Tensor, start: Tensor, reach: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Both cells of each sample along an axis, R x count x count x 2, and their weights."""
    offsets = torch.stack([torch.zeros_like(reach), reach], 1)[:, None, None]
    points = start[..., None] + offsets
    weights = 1 - (place[..., None] - points).abs() / reach[:, None, None, None]
    weights = weights * ((points >= 0) & (points < length))
    return points.clamp(0, length - 1).long(), weights

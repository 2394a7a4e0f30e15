"""Pure functions for bench_quality.py: when a run reaches a Fréchet distance (FD), and what several runs show together."""
import dataclasses
import math
import statistics


@dataclasses.dataclass(frozen=True)
class Crossing:
    images: float
    seconds: float
    at_first: bool = False  # already reached at the first checkpoint, so both values are upper bounds


def checkpoint_grid(first: int, last: int, factor: float, multiple: int = 256) -> list[int]:
    """Numbers of images from `first` to `last`, each about `factor` times the previous one, rounded up to multiples."""
    grid, images = [], float(first)
    while images < last:
        grid.append(images)
        images *= factor
    rounded = (math.ceil(images / multiple) * multiple for images in [*grid, last])
    return sorted(set(rounded))


def crossing(points: list[dict], target: float) -> Crossing | None:
    """When FD first reaches the target, or None. Points have images, seconds and fd, in ascending order of images.

    Between two checkpoints, log FD is interpolated linearly in log images, and the seconds linearly in images.
    """
    before = None
    for point in points:
        if point["fd"] <= target:
            break
        before = point
    else:
        return None
    if before is None:
        return Crossing(point["images"], point["seconds"], at_first=True)
    share = math.log(before["fd"] / target) / math.log(before["fd"] / point["fd"])
    images = before["images"] * (point["images"] / before["images"]) ** share
    progress = (images - before["images"]) / (point["images"] - before["images"])
    return Crossing(images, before["seconds"] + progress * (point["seconds"] - before["seconds"]))


def median_interval(values: list[float], level: float = 0.95) -> tuple[float, float, float]:
    """An exact confidence interval of the median from order statistics: (low, high, level).

    If there are too few values for `level`, this is their range, which has a lower level.
    """
    ordered, count = sorted(values), len(values)

    def coverage(rank: int) -> float:
        """The probability that the median lies between the rank-th smallest and the rank-th largest value."""
        return 1 - 2 * sum(math.comb(count, k) for k in range(rank)) / 2 ** count

    rank = 1
    while rank + 1 <= (count + 1) // 2 and coverage(rank + 1) >= level:
        rank += 1
    return ordered[rank - 1], ordered[count - rank], coverage(rank)


def summarise(runs: dict[int, list[dict]], control: dict[int, list[dict]], target: float) -> dict:
    """What the runs of one contestant (points by seed) show about a target, relative to the runs of the control.

    A run that does not reach the target counts as infinitely long. `bound` is a lower bound of the median ratio: it
    assumes that such a run would have reached the target at its end.
    """
    found = {seed: crossing(points, target) for seed, points in runs.items() if points}
    reached = [c for c in found.values() if c]
    seconds = sorted(c.seconds if c else math.inf for c in found.values())
    images = sorted(c.images if c else math.inf for c in found.values())
    summary = {"reached": len(reached), "runs": len(found), "at_first": any(c.at_first for c in reached),
               "longest": max((points[-1]["seconds"] for points in runs.values() if points), default=math.nan),
               "seconds": (statistics.median(seconds), seconds[0], seconds[-1]) if seconds else None,
               "images": (statistics.median(images), images[0], images[-1]) if images else None, "ratio": None, "bound": None}
    ratios, bounds = [], []
    for seed, own in found.items():
        other = crossing(control.get(seed, []), target)
        if other:
            ratios.append(own.seconds / other.seconds if own else math.inf)
            bounds.append((own.seconds if own else runs[seed][-1]["seconds"]) / other.seconds)
    if ratios:
        summary["bound"] = statistics.median(bounds)
        summary["ratio"] = (statistics.median(ratios), *median_interval(ratios))
    return summary


def pace(points: list[dict]) -> tuple[float, float] | None:
    """Images per second between the first and the last checkpoint, and the start-up time in seconds.

    The start-up time is the part of the seconds before the first checkpoint that this speed does not explain.
    """
    if len(points) < 2:
        return None
    first, last = points[0], points[-1]
    speed = (last["images"] - first["images"]) / (last["seconds"] - first["seconds"])
    return speed, first["seconds"] - first["images"] / speed


def pace_table(runs: dict[str, dict[int, list[dict]]]) -> list[str]:
    """Medians over the seeds, one line per contestant."""
    lines = [f"{'':<24}{'images/s':>10}{'start-up (s)':>14}"]
    for name, by_seed in runs.items():
        paces = [found for points in by_seed.values() if (found := pace(points))]
        if paces:
            speed, start_up = (statistics.median(values) for values in zip(*paces))
            lines.append(f"{name:<24}{speed:10.0f}{start_up:14.1f}")
    return lines


def fd_table(runs: dict[str, dict[int, list[dict]]]) -> list[str]:
    """The median FD over the seeds that were measured at each checkpoint, one column per contestant.

    Runs end when they reach the lowest target. A cell shows its number of seeds if some runs have no value there.
    """
    by_images: dict[int, dict[str, list[float]]] = {}
    for name, by_seed in runs.items():
        for point in (point for points in by_seed.values() for point in points):
            by_images.setdefault(point["checkpoint"], {}).setdefault(name, []).append(point["fd"])
    widths = {name: max(14, len(name) + 2) for name in runs}
    lines = [f"{'FD at images':>14}" + "".join(f"{name:>{widths[name]}}" for name in runs)]
    for images, found in sorted(by_images.items()):
        cells = []
        for name in runs:
            values, measured = found.get(name, []), sum(map(bool, runs[name].values()))
            count = f" ({len(values)})" if 0 < len(values) < measured else ""
            cells.append(f"{f'{statistics.median(values):.3f}{count}' if values else '':>{widths[name]}}")
        lines.append(f"{images:>14,}" + "".join(cells))
    return lines


def format_seconds(value: float) -> str:
    return "not reached" if math.isinf(value) else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def format_images(value: float) -> str:
    return "not reached" if math.isinf(value) else f"{value:,.0f}"


def format_ratio(ratio: tuple | None, bound: float | None) -> str:
    if ratio is None:
        return "-"
    median, low, high, level = ratio
    if math.isinf(median):
        return f"more than {bound:.2f}"
    end = "inf" if math.isinf(high) else f"{high:.2f}"
    return f"{median:.2f} ({low:.2f} to {end}; {100 * level:.0f} %)" if low != high else f"{median:.2f}"


def table(target: float, summaries: dict[str, dict]) -> list[str]:
    """One line per contestant."""
    lines = [f"{f'FD <= {target:g}':<24}{'reached':>9}  {'seconds: median (range)':<32}{'images: median (range)':<42}"
             "ratio of seconds to the first (interval)"]
    for name, summary in summaries.items():
        if not summary["runs"]:
            lines.append(f"{name:<24}{'no run':>9}")
            continue
        parts = []
        for key, text in (("seconds", format_seconds), ("images", format_images)):
            median, low, high = map(text, summary[key])
            bound = "<= " if summary["at_first"] else ""
            parts.append(bound + median + (f" ({low} to {high})" if low != high else ""))
        if not summary["reached"]:
            parts[0] = f"not reached in {format_seconds(summary['longest'])}"
        lines.append(f"{name:<24}{summary['reached']:>4} of {summary['runs']}  {parts[0]:<32}{parts[1]:<42}"
                     f"{format_ratio(summary['ratio'], summary['bound'])}")
    return lines

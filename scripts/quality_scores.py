"""Pure functions of bench_quality.py: when a run reaches a Fréchet distance (FD), and what several runs show together."""
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

    Between two checkpoints, log FD is linear in log images, and the seconds are linear in images.
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
    """The exact interval of the median from order statistics: low, high and its level.

    Too few values for `level` give their range, whose level is lower.
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

    A run that does not reach the target counts as infinitely long; its ratio is infinite as well.
    """
    found = {seed: crossing(points, target) for seed, points in runs.items() if points}
    reached = [c for c in found.values() if c]
    seconds = sorted(c.seconds if c else math.inf for c in found.values())
    images = sorted(c.images if c else math.inf for c in found.values())
    summary = {"reached": len(reached), "runs": len(found), "at_first": any(c.at_first for c in reached),
               "longest": max((points[-1]["seconds"] for points in runs.values() if points), default=math.nan),
               "seconds": (statistics.median(seconds), seconds[0], seconds[-1]) if seconds else None,
               "images": (statistics.median(images), images[0], images[-1]) if images else None, "ratio": None}
    ratios = []
    for seed, own in found.items():
        other = crossing(control.get(seed, []), target)
        if other:
            ratios.append(own.seconds / other.seconds if own else math.inf)
    if ratios:
        summary["ratio"] = (statistics.median(ratios), *median_interval(ratios))
    return summary


def format_seconds(value: float) -> str:
    return "not reached" if math.isinf(value) else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def format_images(value: float) -> str:
    return "not reached" if math.isinf(value) else f"{value:,.0f}"


def format_ratio(ratio: tuple | None) -> str:
    if ratio is None:
        return "-"
    median, low, high, level = ratio
    if math.isinf(median):
        return f"not reached (at least {low:.2f})" if math.isfinite(low) else "not reached"
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
                     f"{format_ratio(summary['ratio'])}")
    return lines

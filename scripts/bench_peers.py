#!/usr/bin/env python3
"""Times the same training step in PyTorch and in slopegan.

Both use the LibTorch of the same PyTorch wheel and the same number of threads.

    .venv/bin/python scripts/bench_peers.py [--resolution 32] [--width 32] [--channels 1] [--batch 64] [--threads N]
                                            [--rounds 5] [--seconds 4] [--json FILE] [--compile] [--inference]
                                            [--busy N] [--frameworks] [--precision float32]

--inference times the generator in evaluation mode instead, with `--batch` (1 or 64) images at a time.
--busy runs N other processes in parallel, each occupying one core, to simulate a shared machine.
--frameworks also times the training step in JAX and TensorFlow (pip install jax tensorflow-cpu), compiled as a whole.
--precision measures one precision only, for example on processors that do not compute with bfloat16 natively: there,
bfloat16 is emulated, and a step takes minutes.

"slopegan, measured" chooses the kernels by measuring them (SLOPEGAN_KERNELS=measured), which may be faster on processors
with AMX. It is omitted with --inference, which always uses the table.

Each variant runs in its own process. Each round runs all variants in turn, so that other load on the machine affects
all of them alike. Prints medians over the rounds, ratios to the fastest PyTorch variant of the same precision, and peak
memory.
"""
import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/slopegan"

# name: (precision, tuned, compiled). Tuned variants use the channels-last memory format and fused Adam, and freeze the
# discriminator in the generator's step; compiled variants use torch.compile.
PEERS = {
    "PyTorch, eager, float32": ("float32", False, False),
    "PyTorch, tuned, float32": ("float32", True, False),
    "PyTorch, compiled, float32": ("float32", True, True),
    "PyTorch, eager, bfloat16": ("bfloat16", False, False),
    "PyTorch, tuned, bfloat16": ("bfloat16", True, False),
    "PyTorch, compiled, bfloat16": ("bfloat16", True, True),
}
# name: (framework, precision)
FRAMEWORKS = {f"{framework}, {precision}": (framework, precision)
              for framework in ("JAX", "TensorFlow") for precision in ("float32", "bfloat16")}
# name: (precision, SLOPEGAN_KERNELS)
OURS = {"slopegan, float32": ("float32", "table"), "slopegan, bfloat16": ("bfloat16", "table"),
        "slopegan, measured, float32": ("float32", "measured"), "slopegan, measured, bfloat16": ("bfloat16", "measured")}


def print_rate(step, arguments) -> None:
    """Times `step` in this process and prints a line of JSON."""
    for _ in range(5):
        step()
    times, end = [], time.perf_counter() + arguments.seconds
    while time.perf_counter() < end or len(times) < 5:
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"images_per_second": arguments.batch / statistics.median(times), "peak_memory_mib": memory}))


def run_framework(arguments) -> None:
    """Measures JAX or TensorFlow in this process."""
    import peer_frameworks

    # XLA has no setting for its number of threads, but follows the affinity mask.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:arguments.threads])
    framework, precision = FRAMEWORKS[arguments.peer]
    task = (arguments.resolution, arguments.width, arguments.channels, arguments.batch, precision)
    print_rate(peer_frameworks.jax_step(*task) if framework == "JAX"
               else peer_frameworks.tensorflow_step(*task, arguments.threads), arguments)


def run_peer(arguments) -> None:
    """Measures one PyTorch variant in this process."""
    import peer_pytorch
    import torch

    precision, tuned, compiled = PEERS[arguments.peer]
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    recipe = peer_pytorch.Recipe(resolution=arguments.resolution, channels=arguments.channels, batch_size=arguments.batch,
                                 generator_width=arguments.width, discriminator_width=arguments.width)
    trainer = peer_pytorch.DcganTrainer(recipe, precision, tuned, compiled)
    real = torch.rand(arguments.batch, arguments.channels, arguments.resolution, arguments.resolution) * 2 - 1
    if tuned:
        real = real.contiguous(memory_format=torch.channels_last)

    def infer():
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            return trainer.forward_g(latents).float()

    if arguments.inference:
        trainer.g.eval()
        latents = torch.randn(arguments.batch, 100, 1, 1)
        print_rate(infer, arguments)
    else:
        print_rate(lambda: trainer.step(real), arguments)


def measure_peer(name, arguments):
    command = [sys.executable, __file__, "--peer", name]
    for key in ("resolution", "width", "channels", "batch", "threads", "seconds"):
        command += [f"--{key}", str(getattr(arguments, key))]
    command += ["--inference"] if arguments.inference else []
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(arguments))
    if result.returncode != 0:
        print(f"{name}: {result.stderr.strip().splitlines()[-1] if result.stderr else 'failed'}", file=sys.stderr)
        return None
    return json.loads(result.stdout.splitlines()[-1])


def measure_ours(precision, kernels, arguments):
    command = [str(BINARY), "--quiet", "bench", "inference" if arguments.inference else "step", f"training.precision={precision}",
               f"training.threads={arguments.threads}", f"training.batch_size={arguments.batch}",
               f"data.resolution={arguments.resolution}", f"generator.width={arguments.width}",
               f"discriminator.width={arguments.width}", "loss.r1=0", "--channels", str(arguments.channels),
               "--vary", f"training.precision={precision}", "--seconds", str(arguments.seconds)]
    result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True,
                                       env={**environment(arguments), "SLOPEGAN_KERNELS": kernels,
                                            "SLOPEGAN_CACHE": arguments.cache}).stdout)
    row = result["rows"][0 if arguments.inference and arguments.batch == 1 else -1]
    return {"images_per_second": row["images_per_second"], "peak_memory_mib": result["peak_memory_mib"],
            "share_of_peak": row.get("share_of_peak")}


def end_with_parent() -> None:
    """Makes the kernel kill this process when its parent exits for any reason."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@contextlib.contextmanager
def busy_processes(count):
    """Occupies `count` cores. Each process has its own session, because schedulers share cores among sessions."""
    processes = [subprocess.Popen(["sh", "-c", "while :; do :; done"], start_new_session=True, preexec_fn=end_with_parent)
                 for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure_all(arguments):
    """Returns {name: [one measurement per round]}. Failed measurements are omitted."""
    measurements = {}
    peers = [name for name, (_, _, compiled) in PEERS.items() if arguments.compile or not compiled]
    peers += FRAMEWORKS if arguments.frameworks else []
    for _ in range(arguments.rounds):
        for name in peers:
            if name.endswith(arguments.precision):
                measurements.setdefault(name, []).append(measure_peer(name, arguments))
        for name, (precision, kernels) in OURS.items():
            if name.endswith(arguments.precision) and not (arguments.inference and kernels == "measured"):
                measurements.setdefault(name, []).append(measure_ours(precision, kernels, arguments))
    return {name: [m for m in values if m] for name, values in measurements.items()}


def environment(arguments):
    variables = {**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}
    # The cache of torch.compile does not distinguish vector widths; code for another one corrupts the memory.
    if capability := os.environ.get("ATEN_CPU_CAPABILITY"):
        variables["TORCHINDUCTOR_CACHE_DIR"] = f"{tempfile.gettempdir()}/torchinductor_{os.getuid()}_{capability}"
    return variables


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for key, value in {"resolution": 32, "width": 32, "channels": 1, "batch": 64, "rounds": 5,
                       "threads": len(os.sched_getaffinity(0))}.items():
        parser.add_argument(f"--{key}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=4, help="duration of each measurement")
    parser.add_argument("--compile", action="store_true", help="also time torch.compile (compilation takes minutes)")
    parser.add_argument("--inference", action="store_true", help="time the generator alone, in evaluation mode")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="occupy N cores with other processes")
    parser.add_argument("--json", type=pathlib.Path, help="write all measurements to this JSON file")
    parser.add_argument("--frameworks", action="store_true", help="also time JAX and TensorFlow, if they are installed")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="", help="measure this precision only")
    parser.add_argument("--peer", choices=[*PEERS, *FRAMEWORKS], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.frameworks and arguments.inference:
        parser.error("--frameworks times the training step only")
    if arguments.inference and arguments.batch not in (1, 64):
        parser.error("--inference needs --batch 1 or 64, the sizes that slopegan's benchmark measures")
    if arguments.peer:
        run_peer(arguments) if arguments.peer in PEERS else run_framework(arguments)
        return 0
    # Choices of kernels that are measured here, perhaps next to busy processes, must not be used by other runs.
    with busy_processes(arguments.busy), tempfile.TemporaryDirectory() as arguments.cache:
        measurements = measure_all(arguments)
    speeds = {name: statistics.median(m["images_per_second"] for m in values)
              for name, values in measurements.items() if values}
    memory = {name: max(m["peak_memory_mib"] for m in values) for name, values in measurements.items() if values}
    print(f"{'':32}{'images/s':>10}{'vs. best PyTorch':>17}{'MiB':>8}")
    for name, speed in speeds.items():
        best = max((s for other, s in speeds.items() if "PyTorch" in other and other.split()[-1] == name.split()[-1]),
                   default=float("nan"))
        print(f"{name:32}{speed:10.0f}{speed / best:16.2f}x{memory[name]:8.0f}")
    if arguments.json:
        arguments.json.write_text(json.dumps({**vars(arguments), "json": None, "measurements": measurements}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs every command of README.md, as it stands there, in a directory of its own with the real program.

    test_readme.py SLOPEGAN

The program is found as build/release/slopegan and as slopegan, as the README has it, behind a wrapper that makes
trainings and measurements small; nothing else of a command is changed but what `SMALLER` says. Only
what `ELSEWHERE` names is not run. A command that ends with another exit code than 0 fails the test, as does a name under
`ELSEWHERE` that the README no longer has. With --list, only says which commands it found."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = (r"build/release/slopegan ", r"slopegan ", r"scripts/", r"\.venv/bin/", r"cmake ", r"docker ", r"parallel ",
            r"sbatch ", r"srun ", r"source ", r"tensorboard ", r"SLOPEGAN_\w+=")
ELSEWHERE = {  # beginning of the command: where it is tried
    "scripts/quickstart.sh": "by .ci and people: it installs and builds; the sweep in it is run here",
    "scripts/test.sh": "is what runs this test",
    "scripts/setup.sh": "scripts/test.sh begins with it",
    "SLOPEGAN_TEST=1 scripts/setup.sh": "scripts/test.sh begins with it",
    "SLOPEGAN_EMOJI=1 scripts/setup.sh": "installs a font",
    "SLOPEGAN_TORCH=": "takes another LibTorch",
    "cmake --preset": "scripts/test.sh begins with it",
    "cmake --build": "scripts/test.sh begins with it",
    "cmake --install": "scripts/test_install.sh",
    "docker": "takes Docker",
    "sbatch": "scripts/test_slurm.sh",
    "srun": "scripts/test_slurm.sh",
    "parallel -S": "takes several machines; tests/program/shards_test.cpp has the same on one",
    "tensorboard": "scripts/test_tensorboard.py",
    "scripts/import_wandb.py": "scripts/test_import_wandb.py",
    ".venv/bin/python scripts/import_dcgan.py": "scripts/test_import_dcgan.py",
    "slopegan import": "scripts/test_import_dcgan.py",
    "slopegan train outputs/dcgan/config.yaml": "trains on what scripts/import_dcgan.py left",
    ".venv/bin/python scripts/bench_peers.py": "minutes, and speed is no test",
    ".venv/bin/python scripts/bench_growth.py": "minutes, and speed is no test",
    "scripts/check_slow.sh": "is the long test",
    "scripts/fuzz.sh": "takes clang and as long as one likes",
    ".venv/bin/python scripts/verify_onnx.py": "scripts/test_export.py",
}
SMALLER = [("checkpoints/120000", "checkpoints/320"), ("--count 10000", "--count 300"),
           ("batch_size=32,64,128", "batch_size=16,32")]
NEVER_ENDS = "--serve"
WRAPPER = """#!/usr/bin/env python3
import os, sys
arguments = sys.argv[1:]
small = ["training.total_images=640", "training.batch_size=32", "training.threads=1", "samples.every_images=320",
         "checkpoint.every_images=320", "metrics.every_images=0", "diagnostics.every_images=320", "generator.width=4",
         "discriminator.width=4", "sweep.seeds=[0]", "samples.rows=4"]
if arguments[:1] in (["train"], ["sweep"]) and len(arguments) > 1 and not arguments[1].startswith("--"):
    given = {a.split("=")[0] for a in arguments if not a.startswith("-")}
    arguments = [a for a in arguments if not a.startswith("training.total_images=")]
    arguments += [s for s in small if s.split("=")[0] not in given - {"training.total_images"}]
    if "RANK" in os.environ:  # more than the run has, which another command trained
        arguments += ["training.total_images=1280"]
    if arguments[:2] == ["sweep", "CONFIG"]:  # CONFIG stands for a run elsewhere
        arguments += ["run.name=smoke_sweep"]
if arguments[:1] == ["bench"]:
    arguments = [a for a in arguments if not a.startswith("training.total_images=")]
    arguments += ["generator.width=4", "discriminator.width=4"] if arguments[1] in ("step", "inference", "sweep") else []
    arguments += ["training.total_images=320", "metrics.every_images=0"] if arguments[1] == "sweep" else ["--seconds", "1"]
os.execv(os.environ["SLOPEGAN_BINARY"], ["slopegan"] + arguments)
"""


def commands():
    """The commands of README.md in its order: whole lines of indented blocks, and what stands between backticks with an
    argument behind it."""
    texts, paragraph, fenced = [], [], False
    for line in (SOURCE / "README.md").read_text().splitlines() + [""]:
        fenced ^= line.startswith("```")
        if line.startswith("    ") or not line:  # a paragraph is over
            texts += [text for text in " ".join(paragraph).split("`")[1::2] if " " in text]
            paragraph = []
        if line.startswith("    ") and not fenced:
            texts.append(line.strip())
        elif not fenced:
            paragraph.append(line.replace("```", ""))
    commands = (re.sub(r"\s+#\s.*$", "", text) for text in texts)
    return list(dict.fromkeys(c for c in commands if any(re.match(program, c) for program in PROGRAMS)))


def elsewhere(command):
    return next((why for beginning, why in ELSEWHERE.items() if command.startswith(beginning)), None)


def prepare(home: pathlib.Path):
    """A directory that looks like the checkout after a build, with what the README's user has."""
    for name in ("configs", "scripts", ".venv", "README.md"):
        (home / name).symlink_to(SOURCE / name)
    program = home / "build/release/slopegan"
    program.parent.mkdir(parents=True)
    program.write_text(WRAPPER)
    program.chmod(0o755)
    (home / "CONFIG").symlink_to(SOURCE / "configs/smoke.yaml")
    (home / "PATH").symlink_to(home / "outputs/smoke/checkpoints/latest")
    (home / ".cache/slopegan").mkdir(parents=True)
    (home / ".cache/slopegan/emoji").symlink_to(home / "photos")  # where scripts/make_emoji.py leaves them
    done = run(home, "slopegan sweep configs/quickstart.yaml")  # what scripts/quickstart.sh does after the build
    for seed, folder in enumerate(("photos", "pictures", "others")):
        done &= run(home, f"slopegan generate outputs/quickstart/runs/slope_0-seed_0 --count 300 --seed {seed} --out {folder}")
    return done


def environment(home):
    return {**os.environ, "HOME": str(home), "PATH": f"{home / 'build/release'}:{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1", "TERM": "dumb", "BROWSER": "true"}


def run(home, command):
    began = time.monotonic()
    limit = 3 if NEVER_ENDS in command else 300
    process = subprocess.Popen(["bash", "-c", "set -o pipefail; " + command], cwd=home, env=environment(home),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 2 if NEVER_ENDS in command else 9)
        output, _ = process.communicate()
    ended_well = process.returncode in ((0, 130) if NEVER_ENDS in command else (0,))
    print(f"{'ok    ' if ended_well else 'FAILED'} {time.monotonic() - began:5.1f} s  {command}", flush=True)
    if not ended_well:
        print(f"       exit code {process.returncode}\n" + output[-1500:], flush=True)
    return ended_well


def main():
    found = commands()
    if "--list" in sys.argv:
        for command in found:
            print(f"{'elsewhere' if elsewhere(command) else 'here':9}  {command}")
        return 0
    if len(found) < 60:
        print(f"README.md is not read well: only {len(found)} commands")
        return 1
    os.environ["SLOPEGAN_BINARY"] = os.path.abspath(sys.argv[1])
    failed = 0
    with tempfile.TemporaryDirectory(prefix="slopegan-readme-") as folder:
        home = pathlib.Path(folder).resolve()
        failed += not prepare(home)
        for command in found:
            if elsewhere(command):
                continue
            if not shutil.which(shlex.split(command)[0], path=f"{home / 'build/release'}:{os.environ['PATH']}") and \
                    not (home / shlex.split(command)[0]).exists() and not command.startswith("source "):
                print(f"skipped          {command}: there is no such program here")
                continue
            for long, short in SMALLER:
                command = command.replace(long, short)
            failed += not run(home, command)
    unused = [b for b in ELSEWHERE if not any(c.startswith(b) for c in found)]
    for beginning in unused:
        print(f"ELSEWHERE names a command that README.md does not have: {beginning}")
    return 1 if failed or unused else 0


if __name__ == "__main__":
    sys.exit(main())
